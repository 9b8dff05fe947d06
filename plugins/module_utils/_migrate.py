# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Carrying out a migration: what to look at before, and the move."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _drain, _move, _restore
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present
from ansible_collections.nats.jetstream.plugins.module_utils._migration import (
    V211,
    V215,
    losses,
)
from ansible_collections.nats.jetstream.plugins.module_utils._planning import guarded
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import (
    mismatch,
    try_permissions,
    write_recovery,
)
from ansible_collections.nats.jetstream.plugins.module_utils._recreate_stream import (
    consumer_problems,
    consumers_of,
    taking_from,
)
from ansible_collections.nats.jetstream.plugins.module_utils._releases import mixed
from ansible_collections.nats.jetstream.plugins.module_utils._rules import Loss
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Problem,
    Server,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    format_duration,
    format_size,
)

Looked = tuple[list[Problem], list[str]]


# --------------------------------------------------------------------------------------------------
# Before
# --------------------------------------------------------------------------------------------------


async def look_before(manager: Any, plan: Any) -> Looked:
    """Return what is in the way of a migration, and what to warn of; nothing is changed."""
    name, policy, server = plan.identity[0], plan.policy, plan.context.server
    state = plan.current["state"]
    problems: list[Problem] = []
    if policy.migrate_max_bytes is not None and state["bytes"] > policy.migrate_max_bytes:
        text = f"the stream has {state['bytes']} bytes, more than {policy.migrate_max_bytes}"
        problems.append(Problem("migrate_max_bytes", text))
    # In check mode it may not be there: an earlier run deleted it, and this one would restore it.
    consumers = await present(consumers_of(manager, name)) or []
    problems += consumer_problems(plan, consumers)
    problems += _left_out(plan.current_config, consumers, server)
    folder = await _move.folder_for(manager, name, policy.migrate_path)
    room = _move.room_problem(folder, state["bytes"])
    problems += [Problem("migrate_path", room)] if room else []
    problems += await _no_room_in_account(manager, plan)
    downstream, warnings = await _downstream(manager, plan)
    among, told = await _among_servers(manager, plan)
    forgetting, forgotten = _forgetting(plan)
    problems += [*among, *downstream, *forgetting]
    return problems, [*told, *warnings, *forgotten, *_not_kept(plan)]


async def _among_servers(manager: Any, plan: Any) -> Looked:
    text = await mixed(manager.connection)
    if not text or plan.policy.data_loss == "allow":
        return [], [text] if text else []
    return [Problem("recreate", f"{text}; data_loss=allow accepts that")], []


def _left_out(config: Config, consumers: list[Config], server: Server) -> list[Problem]:
    """Return the consumers that a server is known to leave out of a snapshot."""
    problems, replicas = [], config.get("num_replicas") or 1
    for one in consumers:
        text = ""
        if one.get("mem_storage") and server.knows(V215) is not True:
            text = f"its state is in memory, of which nats-server {server.text} makes no snapshot"
        elif (one.get("num_replicas") or replicas) < replicas:
            text = "it has fewer replicas than the stream, so a snapshot may be without it"
        if text:
            problems.append(Problem(f"consumer {one['name']}", text))
    return problems


async def _no_room_in_account(manager: Any, plan: Any) -> list[Problem]:
    """Return whether the account has no room for the stream in its new storage, or its new tier.

    In the same storage it finds the room that it leaves. The limits of an account are for all
    replicas of a stream together, and those of a tier for one of them (observed on 2.15.1).
    """
    configs = (plan.current_config, plan.config)
    was, becomes = (one.get("storage") or "file" for one in configs)
    old, new = (one.get("num_replicas") or 1 for one in configs)
    if (was, old) == (becomes, new):
        return []
    try:
        account = await manager.account_info()
    except JetStreamError:
        return []  # not allowed to ask: the server judges what is sent
    tiers, size = account.get("tiers"), plan.current["state"]["bytes"]
    part = tiers.get(f"R{new}") or {} if tiers else account
    limit, used = ("max_storage", "storage") if becomes == "file" else ("max_memory", "memory")
    most, taken = (part.get("limits") or {}).get(limit) or 0, part.get(used) or 0
    if tiers:
        free, needed = most - taken // new, size
    else:
        free, needed = most - taken + (size * old if was == becomes else 0), size * new
    if most <= 0 or free >= needed:
        return []
    where = f" in its tier R{new}" if tiers else ""
    text = (
        f"the account has {format_size(max(free, 0))} of {becomes} storage left{where}, and the "
        f"stream needs {needed} bytes"
    )
    return [Problem("storage" if was != becomes else "num_replicas", text)]


async def _downstream(manager: Any, plan: Any) -> Looked:
    """Tell of the streams for which it makes a difference that this one was restored.

    Those that source it copy everything again with 2.15.1; with 2.9.10 and 2.10.27 they go on
    where they were, as mirrors do with all three. A mirror that has more than what it mirrors
    stores the next messages twice (2.10.27).
    """
    name, lost = plan.identity[0], _promoted_from(plan)
    asked = []
    if "retention" in plan.changed and plan.config.get("retention") == "workqueue":
        text = "take away from the work queue what its consumers have not got yet"
        asked.append((f"will {text}, because they mirror or source it", True))
    if lost:
        text = f"may have got more of {lost} than what is restored, and then differ from it"
        asked.append((f"{text}, because they mirror or source it", True))
    if plan.context.server.knows(V211) is not False:
        asked.append(("will copy all its messages again, because they source it", False))
    found = [(text, await taking_from(manager, name, mirrors)) for text, mirrors in asked]
    unseen = [text for text, names in found if names is None]
    if unseen:
        text = f"streams {' or '.join(unseen)}"
        return [], [f"{text}; which these are cannot be seen, as the user may not list streams"]
    texts = [f"{', '.join(names)} {text}" for text, names in found if names]
    if plan.policy.data_loss == "allow":
        return [], texts
    return [Problem("recreate", f"{text}; data_loss=allow accepts that") for text in texts], []


def _promoted_from(plan: Any) -> str:
    """Return the stream that a mirror was one of, which the plan makes a stream of its own."""
    origin = (plan.current_config.get("mirror") or {}).get("name")
    return "" if plan.config.get("mirror") else origin or ""


def _forgetting(plan: Any) -> Looked:
    """Tell what comes of a server that forgets with a restore which Nats-Msg-Id it has stored."""
    config, server = plan.current_config, plan.context.server
    seconds = _drain.remaining(plan.current, server)
    if not seconds:
        return [], []
    forgets = f"nats-server {server.text} forgets with a restore which Nats-Msg-Id it has stored"
    obstacle, accepted = _drain.obstacle(config), plan.policy.data_loss == "allow"
    if not _drain.waiting(server, accepted)(plan.current):
        text = (
            "a publisher whose acknowledgement was lost before the migration, and that tries again "
            "after it, stores its message twice"
        )
        return [], [f"{forgets}: {text}"]
    if obstacle:
        text = f"its duplicate_window is over in {seconds:.0f} s, and {obstacle}"
        text = f"{forgets}; {text}, under which the migration could wait. {_drain.WHAT_TO_DO}"
        return [Problem("recreate", text)], []
    if _drain.is_too_long(seconds):
        return [Problem("recreate", _drain.too_long(seconds, _window(config)))], []
    text = (
        f"{forgets}: the stream takes no new messages for {math.ceil(seconds)} s, and answers to "
        f"those that are repeated, until its duplicate_window of {_window(config)} is over for the "
        "last one"
    )
    return [], [text]


def _window(config: Config) -> str:
    return format_duration(config["duplicate_window"])


def _not_kept(plan: Any) -> list[str]:
    """Return what a restore cannot keep although every message stays."""
    origin = _promoted_from(plan)
    if not origin:
        return []
    return [f"what {origin} stores during the migration may not get into the stream"]


async def counted(manager: Any, plan: Any) -> Any:
    """Return a plan with losses that only a look at the consumers can tell.

    Raises Refused when data_loss does not allow them.
    """
    if "retention" not in plan.changed:
        return plan
    return guarded(plan._replace(losses=tuple(await _losses_now(manager, plan))))


async def _losses_now(manager: Any, plan: Any) -> list[Loss]:
    """Return what the stream loses as it is now; plan is that of a stream, not of a bucket."""
    name, pending = plan.current_config["name"], 0
    if "retention" in plan.changed:
        consumers = await present(manager.consumers_info(name)) or []
        waiting = (one.get("num_pending", 0) + one.get("num_ack_pending", 0) for one in consumers)
        pending = max(waiting, default=0)
    # Read last: what came in between is then counted as something that may go, and not forgotten.
    info = await present(manager.stream_info(name)) or plan.current
    return losses(plan.current_config, plan.config, info, plan.context, pending)


# --------------------------------------------------------------------------------------------------
# Doing it
# --------------------------------------------------------------------------------------------------


async def migrate_stream(manager: Any, plan: Any) -> Info:
    """Carry out the plan to migrate a stream; return the INFO answer of the new one.

    Raises MoveFailed, with the recovery, for what goes wrong once something was changed, and the
    plain error for what goes wrong before.
    """
    name, old = plan.identity[0], plan.current_config
    config = without_zeros(plan.config)
    consumers = await consumers_of(manager, name)
    other = mismatch(name=f"{name}x")
    requests = [(f"STREAM.DELETE.{name}", b"-"), (f"STREAM.UPDATE.{name}", other)]
    await try_permissions(manager, requests)
    # The server looks at the configuration as it will when nothing can be taken back.
    await _restore.try_out(manager, config, plan.current["state"])
    write_recovery(plan.policy.recovery_path, {"stream": old, "consumers": consumers})
    server = await _restore.server_of(manager)
    folder = await _move.folder_for(manager, name, plan.policy.migrate_path)

    async def may_lose(info: Info) -> int:
        found = await _losses_now(manager, plan)
        return int(min(sum(loss.at_most for loss in found), info["state"]["messages"]))

    accepted = plan.policy.data_loss == "allow"
    left = _drain.waiting(plan.context.server, accepted)

    def forgets(info: Info) -> float:
        return 0.0 if accepted and _drain.danger(info["config"]) else left(info)

    wanted = _move.Move(name, config, server, folder, may_lose=may_lose, forgets=forgets)
    return await _move.move(manager, wanted)
