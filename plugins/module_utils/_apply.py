# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Doing what a plan says, and looking at the answer. Loaded when there is something to do."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    NotKept,
    NotSettled,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info, is_clustered
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    Plan,
    is_literally,
    owner_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._rules import is_settled, wait_settled

SILENT = 5 * 10**9  # ns
LOOK_EVERY = 0.2  # s, at what is to move and cannot yet


async def apply(drafted: Plan, manager: Any) -> Optional[Info]:
    """Do what a plan says, and wait for the cluster if the policy does; see write."""
    if is_move(drafted):
        await healthy(drafted, manager)
    info = await write(drafted, manager)
    if info is not None and drafted.action != "none" and drafted.policy.wait:
        return await settled(drafted, manager, info)
    return info


def is_move(drafted: Plan) -> bool:
    """Say whether a plan changes which servers hold an asset."""
    if drafted.action == "migrate":
        return True
    return drafted.action == "update" and bool({"num_replicas", "placement"} & drafted.changed)


async def healthy(drafted: Plan, manager: Any) -> None:
    """Wait until an asset has a leader and current replicas; raise NotSettled if it stays without.

    What is not healthy must not be moved: the replicas that go may be those with all messages.
    """
    info, timeout = drafted.current, drafted.policy.wait_timeout
    deadline = time.monotonic() + timeout
    while info is not None and is_clustered(info):  # of what is gone, the server tells
        info = (await drafted.kind.read(manager, drafted.identity)).info
        if info is None or (is_settled(info) and not _is_silent(info)):
            return
        if time.monotonic() >= deadline:
            raise NotSettled(
                f"the {drafted.title} was not moved: after {timeout:g} s it still has no leader, "
                "or a replica that is not current; moving it now could lose messages"
            )
        await asyncio.sleep(LOOK_EVERY)


def _is_silent(info: Info) -> bool:
    """Say whether a replica has not been heard of for long.

    They tell every second that they are there. Servers go on to call a dead one current for 10 s
    (seen on 2.9.10, 2.10.27, and 2.15.1).
    """
    replicas = (info.get("cluster") or {}).get("replicas") or []
    return any((one.get("active") or 0) > SILENT for one in replicas)


async def write(drafted: Plan, manager: Any) -> Optional[Info]:
    """Do what a plan says; return the INFO answer of the asset afterwards, None when it is gone.

    Raises NotKept when the server accepted the write and keeps something else, and whatever the
    manager raises when the server refuses.
    """
    rules, identity = drafted.kind.rules(), drafted.identity
    if drafted.action == "none":
        unchanged: Optional[Info] = drafted.current
        return unchanged
    if drafted.action == "delete":
        await rules.delete(manager, identity)
        return None
    if drafted.action == "create":
        info: Info = await rules.create(manager, identity, drafted.config)
    elif drafted.action == "update":
        info = await rules.update(manager, identity, drafted.config, drafted.changed)
    else:
        info = await rules.recreate(manager, drafted)
    if bent(drafted, info):
        # The first update of a consumer after a restart of its server is answered with what it was
        # before (seen on 2.9.10, 2.10.27, and 2.15.1). INFO tells what is kept.
        info = await _look_again(drafted, manager) or info
        verify(drafted, info)
    return info


async def _look_again(drafted: Plan, manager: Any) -> Optional[Info]:
    try:
        return (await drafted.kind.read(manager, drafted.identity)).info
    except JetStreamError as error:
        raise _accepted(drafted, error) from error


def _accepted(drafted: Plan, error: JetStreamError) -> NotSettled:
    """Say that a write was done, whatever it is that went wrong after it."""
    return NotSettled(
        f"the {drafted.action} of the {drafted.title} was accepted, but after that it could not be "
        f"looked at: {error}. Run it again"
    )


def verify(drafted: Plan, info: Info) -> None:
    """Compare what was mentioned with an answer of the server; raise NotKept for what differs."""
    rows = bent(drafted, info)
    if rows:
        text = "; ".join(f"{b['option']} {b['wanted']!r}, kept {b['kept']!r}" for b in rows)
        raise NotKept(
            f"the server accepted the {drafted.action} of the {drafted.title} and keeps something "
            f"else: asked {text}. It may be too old for this, have a limit of its own, or someone "
            "else changes it at the same time",
            rows,
        )


def bent(drafted: Plan, info: Info) -> list[dict[str, Any]]:
    """Return option, wanted and kept of each mentioned setting that an answer shows otherwise."""
    schema, context = drafted.kind.schema, drafted.context
    kept = drafted.kind.canonical(info["config"])
    rows = []
    for name in drafted.wanted:
        field = schema.by_name[name]
        if schema.differs(field, drafted.wanted, kept, context):
            rows.append(
                {
                    "option": name,
                    "wanted": field.type.human(field.value_in(drafted.wanted, context)),
                    "kept": field.type.human(field.value_in(kept, context)),
                }
            )
    rows += [
        {"option": name, "wanted": value, "kept": info["config"].get(name)}
        for name, value in drafted.extra.items()
        if not is_literally(value, info["config"].get(name))
    ]
    owner = drafted.policy.owner
    if owner is not None and owner_of(kept) != owner:
        rows.append({"option": "owner", "wanted": owner, "kept": owner_of(kept)})
    return rows


async def settled(drafted: Plan, manager: Any, answer: Info) -> Info:
    """Wait for a leader and current replicas; raise NotSettled when they take too long."""
    told = is_clustered(drafted.current or {})
    if drafted.action != "update":  # which 2.9 and 2.10 accept without a cluster
        told = told or (answer["config"].get("num_replicas") or 0) > 1
    if is_settled(answer, told):
        return answer
    timeout = drafted.policy.wait_timeout
    try:
        info = await wait_settled(drafted.kind.read, manager, drafted.identity, timeout, told)
    except JetStreamError as error:
        raise _accepted(drafted, error) from error
    if info is None or not is_settled(info, told):
        cluster = (info or {}).get("cluster") or {}
        behind = [one["name"] for one in cluster.get("replicas") or [] if not one.get("current")]
        raise NotSettled(
            f"the {drafted.action} of the {drafted.title} was accepted, but after {timeout:g} s "
            f"it has {'leader ' + cluster['leader'] if cluster.get('leader') else 'no leader'}"
            f"{' and waits for ' + ', '.join(behind) if behind else ''}. It may still come; give "
            "wait_timeout more, or do not wait (wait=false)"
        )
    return info
