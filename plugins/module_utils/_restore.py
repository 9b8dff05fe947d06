# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Putting an archive on a server as a stream: whole and as it should be, or not at all.

A restored stream is first marked and has a subject that nobody uses, so that nobody publishes into
it before it was looked at, and so that a run that is killed leaves something that can be told from
a stream that is right. 2.9 has nothing to mark it with, and takes consumers only with the subjects
they filter; there a restore that does not come to its end leaves nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._archive import ARCHIVE, TAR
from ansible_collections.nats.jetstream.plugins.module_utils._backup_files import (
    Backup,
    span,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    ConnectionLost,
    JetStreamError,
    NoJetStream,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import INTERRUPTED
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    MOVING_METADATA,
    Config,
    Problem,
    Server,
    release_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._snapshot import (
    RESTORE_SUBJECTS,
    Unanswered,
    give,
)

V210, V212, V215 = (2, 10, 0), (2, 12, 0), (2, 15, 0)
GONE_WITHIN = 10.0  # s; how long a delete may take to be seen
WHOLE_WITHIN = 15.0  # s; how long a cluster may take to make what was restored
ABANDONED_AFTER = 6.0  # s; a server gives a restore up when nothing comes for 5 s
NAME_EXISTS, RESTORE_FAILED = 10130, 10062
NO_ROOM = (10028, 10047)  # of memory, of storage
REMAINS = "does not match store"  # of the server's words when messages are there already
LEVEL_METADATA = "_nats.req.level"

Info = dict[str, Any]


class Differs(JetStreamError):
    """A stream was restored and is not what the backup holds."""


# After which the server has no restore under way: it said so, or had ended it.
ENDED = (ApiError, Differs)


class Expected(NamedTuple):
    """What a restored stream is held against, besides the backup.

    consumers holds the places that the consumers have to have, where they are known; may_lose is
    how many messages the configuration may remove; gaps are the sequences that are missing. bent
    returns the settings that differ between the configuration that was sent and the stored one.
    """

    consumers: Optional[Mapping[str, Any]] = None
    may_lose: int = 0
    gaps: Optional[list[int]] = None
    bent: Optional[Callable[[Config, Config], list[str]]] = None


AS_IN_THE_BACKUP = Expected()


async def server_of(manager: Any) -> Server:
    """Return the server that decides. What tells no API level behind a domain is an old one."""
    connection = manager.connection
    greeting, own = connection.greeting, connection.prefix == "$JS.API"
    clustered = "cluster" in greeting if own else None
    if own and not clustered:
        return Server(release_of(greeting.get("version", ""), greeting.get("api_lvl")), False)
    level = ((await manager.account_info()).get("api") or {}).get("level")
    version = greeting.get("version", "") if own else ""
    return Server(release_of(version, level) or (2, 9, 0), clustered)


def can_mark(server: Server) -> bool:
    return server.knows(V210) is True


# --------------------------------------------------------------------------------------------------
# What is refused before anything is touched
# --------------------------------------------------------------------------------------------------


def unsuitable(backup: Backup, config: Config, server: Server) -> list[Problem]:
    """Return why this server cannot make such a stream of a backup."""
    problems = []
    newer = backup.contents.kind == ARCHIVE and server.knows(V215) is not True
    if newer:
        text = f"was made by nats-server {backup.manifest.get('server') or '2.15 or newer'}"
        problems.append(
            Problem("path", f"{text}, and nats-server {server.text} cannot read its archive")
        )
    if config["name"] != backup.name and (backup.contents.kind == TAR or newer):
        text = "only nats-server 2.15 can restore under another name, and only its own backups"
        problems.append(Problem("name", text))
    stored, wanted = (one.get("storage") or "file" for one in (backup.config, config))
    if wanted == "memory" and server.knows(V215) is not True:
        text = f"nats-server {server.text} restores a stream in memory without its messages"
        problems.append(Problem("storage" if stored != wanted else "path", text))
    level = str((backup.config.get("metadata") or {}).get(LEVEL_METADATA) or "0")
    if level.isdigit() and int(level) > 0 and not server.knows((2, 11, 0)):
        text = f"the stream needs API level {level}, which nats-server {server.text} has not"
        problems.append(Problem("path", text))
    return problems


async def try_out(manager: Any, config: Config, state: Mapping[str, Any]) -> None:
    """Ask for a restore over a stream that is there: refused, and before that looked at.

    Servers look at the configuration first and at the name last (observed on 2.9.10, 2.10.27 and
    2.15.1). Raises ApiError for a configuration that the server does not take, PermissionDenied
    when the user may not restore or send the data.
    """
    try:
        await manager.restore_request(config, dict(state))
    except ApiError as error:
        if error.err_code != NAME_EXISTS:
            raise
    probe = RESTORE_SUBJECTS.replace(">", f"{config['name']}.{secrets.token_hex(8)}")
    try:
        await manager.connection.request_subject(probe, b"", manager.timeout)
    except NoJetStream:
        return


# --------------------------------------------------------------------------------------------------
# Doing it
# --------------------------------------------------------------------------------------------------


async def put(
    manager: Any,
    backup: Backup,
    config: Config,
    server: Server,
    mark: str = INTERRUPTED,
    expected: Expected = AS_IN_THE_BACKUP,
) -> Info:
    """Make a stream of a backup under a configuration, and return its INFO answer.

    Nothing stays when it fails.
    """
    name = config["name"]
    first = marked(config, mark) if can_mark(server) else config
    await _given(manager, backup, first, server, mark)
    try:
        info = await check(manager, backup, config, expected, live=not can_mark(server))
    except Differs as error:
        await _clean_up(manager, name, mark, error, unmarked=not can_mark(server))
        raise
    except JetStreamError as error:
        error.args = (f"stream {name} was restored, but after that not looked at: {error}",)
        raise
    return await finish(manager, config) if first is not config else info


async def _given(manager: Any, backup: Backup, config: Config, server: Server, mark: str) -> None:
    """Send an archive; again, while the server still has files of what was deleted just before.

    Under load, 2.15.1 now and then finds them in the new stream's store (seen in 1 of 40 restores
    that followed one that failed), and a cluster has the name, and counts the bytes, for a moment
    longer. And again when nobody answers, as in a cluster without a leader.
    """
    started, name = time.monotonic(), config["name"]
    moving = mark != INTERRUPTED and not _is_alone(manager)  # so this task has deleted it just now
    while True:
        try:
            with open(backup.archive, "rb") as file:
                await give(manager, config, backup.state, file)
            return
        except BaseException as error:
            number = getattr(error, "err_code", None)
            again, patience = _meets_remains(error), GONE_WITHIN
            if number == NAME_EXISTS:  # somebody else's, unless nobody finds it
                again = await present(manager.stream_info(name)) is None
                if again and moving:  # a restore that a cluster refused leaves its name
                    await present(manager.delete_stream(name))
            else:
                unmarked = number == RESTORE_FAILED and not can_mark(server)
                await _clean_up(manager, name, mark, error, unmarked)
            if isinstance(error, RequestTimeout):
                again, patience = True, manager.retry_for
            elif number in NO_ROOM and moving:
                again = True  # what was deleted just before is still counted
            if not again or time.monotonic() > started + patience:
                raise
        await asyncio.sleep(0.2)


def _is_alone(manager: Any) -> bool:
    """Say whether a server is known to be in no cluster."""
    connection = manager.connection
    return connection.prefix == "$JS.API" and "cluster" not in connection.greeting


def _meets_remains(error: BaseException) -> bool:
    return (
        isinstance(error, ApiError)
        and error.err_code == RESTORE_FAILED
        and REMAINS in error.description
    )


def marked(config: Config, mark: str) -> Config:
    """Return a configuration that nobody can publish to, and that can be told from a right one."""
    out = with_mark(config, mark)
    if config.get("sealed"):
        out["sealed"] = False  # or else the mark could not be taken away
    if config.get("subjects"):
        out["subjects"] = [f"restoring.{config['name']}.{secrets.token_hex(8)}"]
    return out


def with_mark(config: Config, mark: str) -> Config:
    return {**config, "metadata": {**(config.get("metadata") or {}), MOVING_METADATA: mark}}


def mark_of(info: Optional[Info]) -> Optional[str]:
    """Return the mark of a stream, None when it has none."""
    metadata = ((info or {}).get("config") or {}).get("metadata") or {}
    mark: Optional[str] = metadata.get(MOVING_METADATA)
    return mark


async def finish(manager: Any, config: Config) -> Info:
    """Give a restored stream its subjects and take its mark away."""
    info: Info = await manager.update_stream(config)
    return info


async def _clean_up(
    manager: Any, name: str, mark: str, error: BaseException, unmarked: bool = False
) -> None:
    """Delete what a restore left, which 2.15 does; add to the error what is in the way of that."""
    lost = isinstance(error, (ConnectionLost, RequestTimeout, Unanswered))
    deadline = time.monotonic() + (ABANDONED_AFTER if lost else 0)
    try:
        while True:
            info = await present(manager.stream_info(name))
            if info and (unmarked or mark_of(info) == mark):
                await manager.delete_stream(name)
                return
            if info:
                return
            if time.monotonic() >= deadline:
                if not _is_alone(manager):  # which keeps the name of a restore that it refused
                    await present(manager.delete_stream(name))
                return
            await asyncio.sleep(0.2)
    except JetStreamError as second:
        text = f"{error}. What may have been left of stream {name} could not be deleted: {second}"
        error.args = (text, *error.args[1:])


async def wait_gone(manager: Any, name: str) -> None:
    """Wait until the server does not find a stream any more."""
    deadline = time.monotonic() + GONE_WITHIN
    while True:
        try:
            await manager.stream_info(name)
        except ApiError as error:
            if error.error_class == MISSING:
                return
            raise
        if time.monotonic() > deadline:
            raise JetStreamError(f"the server still has it {GONE_WITHIN:.0f} s after the delete")
        await asyncio.sleep(0.05)


# --------------------------------------------------------------------------------------------------
# Looking at it
# --------------------------------------------------------------------------------------------------


async def check(
    manager: Any,
    backup: Backup,
    config: Config,
    expected: Expected = AS_IN_THE_BACKUP,
    live: bool = False,
) -> Info:
    """Compare a stream with the backup it was made of; return INFO, or raise Differs.

    live says that it has its subjects already, so that there may be new messages in it. The servers
    of a cluster make the consumers once the stream is there, so that these are waited for.
    """
    deadline = time.monotonic() + (0 if _is_alone(manager) else WHOLE_WITHIN)
    while True:
        try:
            return await _compared(manager, backup, config, expected, live)
        except (Differs, ApiError) as error:
            later = isinstance(error, Differs) or error.error_class == MISSING
            if not later or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.2)


async def _compared(
    manager: Any, backup: Backup, config: Config, expected: Expected, live: bool
) -> Info:
    gaps = expected.gaps is not None and not expected.may_lose
    info: Info = await manager.stream_info(config["name"], deleted_details=gaps)
    found = {one["name"]: one for one in await manager.consumers_info(config["name"])}
    places = expected.consumers if expected.consumers is not None else backup.contents.places
    differences = []
    for name in backup.contents.consumers:
        if name not in found:
            differences.append(f"consumer {name} is missing")
        elif places.get(name) and _behind(places[name], found[name]):
            differences.append(f"consumer {name} has lost its place")
    for name in expected.bent(config, info["config"]) if expected.bent else ():
        differences.append(f"{name} is not what was asked for")
    going = _consumed(config) and any(_went_on(places.get(n), one) for n, one in found.items())
    differences += state_differences(backup, config, info, expected.may_lose, going, live)
    if gaps and not going and gaps_in(info["state"]) != expected.gaps:
        differences.append("other messages are missing than before")
    if differences:
        raise Differs(
            f"stream {config['name']} was restored and is not what {backup.path} holds: "
            + "; ".join(differences)
        )
    return info


def gaps_in(state: dict[str, Any]) -> list[int]:
    """Take the sequences that are missing out of a detailed state, and return them in order.

    2.10.27 lists 0 among them, of a stream that never had a message.
    """
    return sorted(seq for seq in state.pop("deleted", None) or [] if seq)


def _consumed(config: Config) -> bool:
    """Say whether messages go when they are acknowledged, which clients may do at once."""
    return (config.get("retention") or "limits") != "limits"


def _went_on(place: Optional[Mapping[str, Any]], found: Mapping[str, Any]) -> bool:
    """Say whether a consumer is further than it was, or may be: not every archive tells."""
    if not place:
        return True
    return any(
        int(found[pair][count]) > int((place.get(pair) or {}).get(count, 0))
        for pair, count in (("ack_floor", "stream_seq"), ("delivered", "consumer_seq"))
    )


def _behind(place: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Say whether a consumer is not as far as it was. Clients may have gone on already."""
    expected = (place.get("ack_floor") or {}).get("stream_seq", 0)
    return int(found["ack_floor"]["stream_seq"]) < int(expected)


def state_differences(
    backup: Backup,
    config: Config,
    info: Info,
    may_lose: int = 0,
    going: bool = False,
    live: bool = False,
) -> list[str]:
    """Return in what a stream is not what its backup holds.

    Messages may be missing as far as their age or a limit removes them, or when they are going
    because clients acknowledge them; and there may be more where they come from another stream.
    """
    state, expected = span(info["state"]), span(backup.state)
    # A snapshot of a stream that takes from another one may hold more than was said of it.
    takes = any(one.get("mirror") or one.get("sources") for one in (config, backup.config))
    grows = live or takes
    names = ["messages", "first_seq", "last_seq"]
    if going or may_lose or _removes_any(config, backup):
        names = ["last_seq"]
    elif config.get("max_age") and state["first_seq"] > expected["first_seq"]:
        names = ["last_seq"]  # time took the oldest
    # What came meanwhile has sequences of its own.
    grows = grows and state["messages"] - expected["messages"] <= (
        state["last_seq"] - expected["last_seq"]
    )
    differences = [
        f"{name} is {state[name]} instead of {expected[name]}"
        for name in names
        if state[name] != expected[name] and not (grows and state[name] > expected[name])
    ]
    if may_lose and not going and expected["messages"] - state["messages"] > may_lose:
        differences.append(f"{state['messages']} messages are left of {expected['messages']}")
    return differences


def _removes_any(config: Config, backup: Backup) -> bool:
    """Say whether a configuration may remove messages that the one of the backup kept."""
    old, state = backup.config, backup.state
    most = {"max_msgs": "messages", "max_bytes": "bytes"}
    each, each_before = (one.get("max_msgs_per_subject") or 0 for one in (config, old))
    retention, before = (one.get("retention") or "limits" for one in (config, old))
    return bool(
        config.get("allow_msg_ttl")
        or (each > 0 and not 0 < each_before <= each)
        or retention not in ("limits", before)
        or any(0 < (config.get(one) or 0) < state.get(held, 0) for one, held in most.items())
    )
