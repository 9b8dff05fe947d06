# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Deleting a stream and creating it again, with the least that can be lost.

The order matters. Publishers must not get an acknowledgement for what is deleted a moment later,
the new stream must be empty although servers have been seen to bring old messages back when a
create follows a delete at once, and whatever is refused on the way, the consumers' configurations
must still be there.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import Any, NoReturn, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import (
    stream_problems,
    workqueue_problems,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    JetStreamError,
    NotSent,
    PermissionDenied,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import (
    RecreateFailed,
    mismatch,
    try_permissions,
    write_recovery,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    RECREATING_METADATA,
    Config,
    Problem,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import renew
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import overlaps
from ansible_collections.nats.jetstream.plugins.module_utils._units import parse_instant

NOTHING = "nothing was deleted"
PURGED = "the stream was not deleted, its messages may have been"
DELETED = "the stream may have been deleted, and then it has to be made by hand"
GONE_WITHIN = 10.0  # s; how long a delete may take to be seen


class _Unsure(Exception):
    """Something failed after which less may be there than before; step says what."""

    def __init__(self, step: str, error: JetStreamError) -> None:
        super().__init__(step)
        self.step, self.error = step, error


async def look_before(manager: Any, plan: Any) -> tuple[list[Problem], list[str]]:
    """Return which consumers the new configuration would not take back, and what to warn of."""
    name = plan.identity[0]
    problems = consumer_problems(plan, await consumers_of(manager, name))
    problems += [Problem("republish", text) for text in _republish_problems(plan)]
    return problems, await _downstream(manager, name, plan.context.server)


def consumer_problems(plan: Any, consumers: list[Config]) -> list[Problem]:
    """Return which consumers the new configuration of their stream does not take."""
    server = plan.context.server
    problems = [
        Problem(f"consumer {config['name']}", text)
        for config in consumers
        for text in stream_problems(config, plan.config, server)
    ]
    if plan.config.get("retention") == "workqueue":
        problems += [Problem("retention", text) for text in workqueue_problems(consumers)]
    most = plan.config.get("max_consumers") or -1
    if 0 < most < len(consumers):
        problems.append(Problem("max_consumers", f"the stream has {len(consumers)} consumers"))
    return problems


def _republish_problems(plan: Any) -> list[str]:
    """2.9 wants the source of a republish to meet the subjects, and no update takes it away."""
    old, server = plan.current_config, plan.context.server
    source = (old.get("republish") or {}).get("src")
    if plan.policy.recreate != "always" or not source or not old.get("subjects"):
        return []
    if server.knows((2, 10, 0)) is not False or overlaps(source, _unused(plan.identity[0])):
        return []
    return [
        f"recreate=always takes the subjects from the stream before it deletes it, which "
        f"nats-server {server.text} refuses while the stream republishes {source!r}; purge the "
        "stream and use recreate=if_empty"
    ]


def _unused(name: str) -> str:
    """Return a subject that nobody publishes to."""
    return f"recreating.{name}.{secrets.token_hex(8)}"


async def _downstream(manager: Any, name: str, server: Any) -> list[str]:
    """Warn of the streams that miss messages on 2.9; from 2.10 on first_seq lets them go on."""
    if server.knows((2, 10, 0)) is not False:
        return []
    lost = f"miss what stream {name} stores below its old last sequence once it is recreated"
    names = await taking_from(manager, name)
    if names is None:
        return [f"streams that source or mirror it on nats-server {server.text} {lost}"]
    return [f"{', '.join(names)} on nats-server {server.text} will {lost}"] if names else []


async def taking_from(manager: Any, name: str, mirrors: bool = True) -> Optional[list[str]]:
    """Return the streams of the account that source or mirror one; None if that is not to be seen.

    Other accounts and domains are not looked at.
    """
    try:
        streams = await manager.streams_info()
    except (PermissionDenied, RequestTimeout):
        return None
    return [
        info["config"]["name"]
        for info in streams
        for config in [info["config"]]
        for source in (mirrors and config.get("mirror"), *(config.get("sources") or ()))
        if source and source.get("name") == name and not source.get("external")
    ]


async def consumers_of(manager: Any, name: str) -> list[Config]:
    return [{**info["config"], "name": info["name"]} for info in await manager.consumers_info(name)]


async def recreate_stream(manager: Any, plan: Any) -> Info:
    """Carry out a plan to recreate a stream; return the INFO answer of the new one.

    Raises RecreateFailed, with the recovery, for what goes wrong once something was changed, and
    the plain error for what goes wrong before.
    """
    name, old = plan.identity[0], plan.current_config
    consumers = await consumers_of(manager, name)
    recovery = {"stream": old, "consumers": consumers}
    await try_permissions(manager, _requests(name, old, consumers, plan.policy.recreate))
    write_recovery(plan.policy.recovery_path, recovery)
    step = NOTHING
    try:
        try:
            info = await _emptied(manager, plan)
            await _delete(manager, plan)
        except _Unsure as unsure:
            step = unsure.step
            raise unsure.error from unsure
        step = "the stream was deleted and has to be made by hand"
        try:
            answer: Info = await manager.add_stream(renew(plan.config, info, plan.context))
        except JetStreamError:
            await manager.add_stream(renew(without_zeros(old), info, plan.context))
            step = "the stream was created again as it was before, without its messages"
            await _put_back(manager, name, consumers)
            raise
        step = "the stream was recreated, not all of its consumers were"
        await _put_back(manager, name, consumers)
        step = "the stream was recreated"
        await _check_empty(manager, name, answer)
        return answer
    except JetStreamError as error:
        text = str(error).rstrip(".")
        raise RecreateFailed(
            f"recreating the {plan.title} failed, {step}: {text}. The configurations of the "
            "stream and its consumers are in recovery",
            recovery,
            error,
        ) from error


def _requests(
    name: str, old: Config, consumers: list[Config], recreate: str
) -> list[tuple[str, bytes]]:
    other = mismatch(name=f"{name}x")
    requests = [(f"STREAM.CREATE.{name}", other), (f"STREAM.DELETE.{name}", b"-")]
    if recreate == "always":
        requests.append((f"STREAM.UPDATE.{name}", other))
        if not old.get("deny_purge"):
            requests.append((f"STREAM.PURGE.{name}", mismatch(seq=2, keep=1)))
    body = mismatch(stream_name=f"{name}x", config={})
    for config in consumers:
        one = config.get("filter_subject")
        filtered = f".{one}" if one else ""
        requests.append((f"CONSUMER.CREATE.{name}.{config['name']}{filtered}", body))
    return requests


async def _emptied(manager: Any, plan: Any) -> Info:
    """Return the last INFO before the delete, after making sure that nothing comes in unnoticed.

    Publishers get an error from here on, and not an acknowledgement for what is deleted next. If
    something fails, the stream gets its subjects back.
    """
    name, old = plan.identity[0], plan.current_config
    info: Info
    if plan.policy.recreate == "if_empty":
        info = await manager.stream_info(name)
        if info["state"]["messages"]:
            raise JetStreamError(
                f"{info['state']['messages']} messages arrived meanwhile, and recreate=if_empty "
                "deletes none"
            )
        return info
    if old.get("subjects"):
        await _close(manager, plan)
    try:
        if _purges(plan):
            await manager.purge_stream(name)
        info = await manager.stream_info(name)
    except JetStreamError as error:
        await _reopen(manager, old, PURGED if _purges(plan) else NOTHING, error)
    return info


async def _close(manager: Any, plan: Any) -> None:
    """Take the subjects of a stream away; give them back if nobody knows whether that was done."""
    try:
        await manager.update_stream(_closed(plan))
    except (ApiError, NotSent, PermissionDenied):
        raise  # it was not done
    except JetStreamError as error:
        await _reopen(manager, plan.current_config, NOTHING, error)


async def _reopen(manager: Any, old: Config, step: str, error: JetStreamError) -> NoReturn:
    """Give a stream its subjects back after an error, and raise that."""
    try:
        await manager.update_stream(old)
    except JetStreamError as second:
        error.args = (f"{error}; its subjects could not be given back: {second}",)
    raise _Unsure(step, error)


def _purges(plan: Any) -> bool:
    old = plan.current_config
    return plan.policy.recreate == "always" and not old.get("sealed") and not old.get("deny_purge")


def _closed(plan: Any) -> Config:
    """Return the old configuration with a subject that nobody publishes to, and a note of its own.

    So the next run finds the subjects of a stream whose recreate did not end. 2.9 keeps no notes.
    """
    old: Config = plan.current_config
    closed = {**old, "subjects": [_unused(plan.identity[0])]}
    if plan.context.server.knows((2, 10, 0)) is False:
        return closed
    note = {RECREATING_METADATA: json.dumps(old["subjects"])}
    return {**closed, "metadata": {**note, **(old.get("metadata") or {})}}


async def _delete(manager: Any, plan: Any) -> None:
    """Delete the stream and wait until the server does not find it any more.

    A refused delete gives the stream its subjects back.
    """
    name, old = plan.identity[0], plan.current_config
    try:
        await manager.delete_stream(name)
    except ApiError as error:
        await _reopen(manager, old, PURGED if _purges(plan) else NOTHING, error)
    except JetStreamError as error:
        raise _Unsure(f"{DELETED}{_if_not(plan)}", error) from error
    deadline = time.monotonic() + GONE_WITHIN
    while True:
        try:
            await manager.stream_info(name)
        except JetStreamError as error:
            if isinstance(error, ApiError) and error.error_class == MISSING:
                return
            raise _Unsure(f"{DELETED}{_if_not(plan)}", error) from error
        if time.monotonic() > deadline:
            raise JetStreamError(f"the server still has it {GONE_WITHIN:.0f} s after the delete")
        await asyncio.sleep(0.05)


def _if_not(plan: Any) -> str:
    """Return what to say of a stream whose subjects were taken away, should it still be there."""
    if plan.policy.recreate == "if_empty" or not plan.current_config.get("subjects"):
        return ""
    if plan.context.server.knows((2, 10, 0)) is False:
        return (
            "; if it is still there, it lacks its subjects, and nats-server 2.9 has no note of them"
        )
    return "; if it is still there, it takes no messages until this task runs again"


async def _put_back(manager: Any, name: str, consumers: list[Config]) -> None:
    """Create the consumers again, all that can be; raise the first error afterwards."""
    answers = await asyncio.gather(
        *(manager.add_consumer(name, config, action="create") for config in consumers),
        return_exceptions=True,
    )
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    if errors:
        raise errors[0]


async def _check_empty(manager: Any, name: str, created: Info) -> None:
    """Make sure that no message is older than the stream that has it.

    A create right after a delete has brought old messages back (observed on 2.10.27 and 2.15.1, in
    streams that were not purged before). They are below the first sequence of the new stream.
    """
    if created["config"].get("mirror"):
        return  # what it copies keeps the times of the origin, and may be here already
    first_seq = created["config"].get("first_seq") or 0
    for attempt in ("look", "look again"):
        info = await manager.stream_info(name)
        if not info["state"]["messages"]:
            return
        first = await manager.get_msg(name, seq=info["state"]["first_seq"])
        if parse_instant(first["time"]) >= parse_instant(created["created"]):
            return
        if attempt == "look" and first_seq > 1 and not created["config"].get("deny_purge"):
            await manager.purge_stream(name, seq=first_seq)
    raise JetStreamError(
        f"the new stream holds a message of {first['time']}, which the delete should have removed; "
        "purge it"
    )
