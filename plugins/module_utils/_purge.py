# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Counting what a purge removes, and asking for just that."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    JetStreamError,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Server

WALKERS = 16


class Count(NamedTuple):
    """How many messages a purge removes: the number, or None and at least how many at most."""

    purged: Optional[int]
    at_most: int


async def purge(
    manager: Any,
    info: dict[str, Any],
    server: Server,
    subject: Optional[str],
    seq: Optional[int],
    keep: Optional[int],
) -> int:
    """Purge what the arguments mean on every server; return how many messages went."""
    arguments = {"seq": seq, "keep": keep}
    if not subject:
        arguments = {**await exact_arguments(manager, info, server, seq, keep)}
    return int(await manager.purge_stream(info["config"]["name"], filter=subject, **arguments))


async def remaining(manager: Any, name: str, purged: int) -> int:
    """Return how many messages a stream has after a purge; an error says that it was done."""
    try:
        return int((await manager.stream_info(name))["state"]["messages"])
    except JetStreamError as error:
        raise JetStreamError(
            f"{purged} messages of the stream {name} were purged, but after that it could not be "
            f"looked at: {error}. Run it again"
        ) from error


async def exact_arguments(
    manager: Any,
    info: dict[str, Any],
    server: Server,
    seq: Optional[int] = None,
    keep: Optional[int] = None,
) -> dict[str, int]:
    """Return seq or keep as this server has to be asked for what they mean.

    In a stream with deleted messages 2.9, and memory streams of 2.10, count sequences for keep, so
    that fewer messages stay; memory streams of 2.9 do nothing for a seq that was deleted. There the
    sequence of an existing message is sent. Observed on 2.9.10, 2.10.27 and, without fault, 2.15.1.
    """
    name, state = info["config"]["name"], info["state"]
    given = {option: value for option, value in (("seq", seq), ("keep", keep)) if value is not None}
    if not state.get("num_deleted") or server.knows((2, 15, 0)):
        return given
    if keep is not None and keep < state["messages"]:
        detailed = (await manager.stream_info(name, deleted_details=True))["state"]
        return {"seq": _after(detailed, detailed["messages"] - keep)}
    if seq is not None and state["first_seq"] < seq <= state["last_seq"]:
        try:
            return {"seq": (await manager.get_msg(name, seq=seq, next_by_subject=">"))["seq"]}
        except ApiError as error:
            if error.error_class != MISSING:
                raise
            return {}  # nothing from there on: all goes
    return given


def _after(state: dict[str, Any], number: int) -> int:
    """Return the sequence of the message after the first so many.

    Counted from the front: memory streams of 2.9 do not tell that their last message was deleted.
    """
    holes, seq = frozenset(state.get("deleted") or ()), int(state["first_seq"])
    while number or seq in holes:
        number -= seq not in holes
        seq += 1
    return seq


async def count(
    manager: Any,
    stream: str,
    subject: Optional[str] = None,
    seq: Optional[int] = None,
    keep: Optional[int] = None,
    limit: int = 100_000,
) -> Count:
    """Return what a purge of these arguments would remove now.

    The server tells the messages per subject and the deleted sequences, so most is exact without
    looking at a message. A subject and a sequence together have no such answer: then messages are
    looked at, at most ``limit`` of them.
    """
    deleted = bool(seq) and not subject
    info = await manager.stream_info(stream, subjects_filter=subject)
    state = info["state"]
    matching = sum((state.get("subjects") or {}).values()) if subject else state["messages"]
    if keep:
        return _exactly(max(0, matching - keep))
    if seq is None or not matching:
        return _exactly(matching)
    end = min(seq, state["last_seq"] + 1)
    reach = max(0, end - state["first_seq"])
    if end > state["last_seq"]:
        return _exactly(matching)
    if deleted:
        return await _below(manager, stream, state, end, reach, limit)
    if min(matching, reach) > limit:
        return Count(None, min(matching, reach))
    return _exactly(await _walk(manager, stream, subject or ">", state["first_seq"], end))


async def _below(
    manager: Any, stream: str, state: dict[str, Any], end: int, reach: int, limit: int
) -> Count:
    """Count the messages below a sequence: the reach less the holes in it."""
    if not state.get("num_deleted"):
        return _exactly(reach)
    if state["num_deleted"] > limit:
        return Count(None, min(reach, state["messages"]))
    detailed = (await manager.stream_info(stream, deleted_details=True))["state"]
    holes = sum(1 for one in detailed.get("deleted") or [] if one < end)
    return _exactly(max(0, end - detailed["first_seq"]) - holes)


async def _walk(manager: Any, stream: str, subject: str, first: int, end: int) -> int:
    """Count the messages of a subject in a range of sequences, in several pieces at a time."""
    step = max(1, -(-(end - first) // WALKERS))
    edges = list(range(first, end, step))
    counts = await asyncio.gather(
        *(_walk_piece(manager, stream, subject, one, min(one + step, end)) for one in edges)
    )
    return sum(counts)


async def _walk_piece(manager: Any, stream: str, subject: str, first: int, end: int) -> int:
    found = 0
    while first < end:
        try:
            message = await manager.get_msg(stream, seq=first, next_by_subject=subject)
        except ApiError as error:
            if error.error_class == MISSING:
                return found
            raise
        if message["seq"] >= end:
            return found
        found += 1
        first = message["seq"] + 1
    return found


def _exactly(number: int) -> Count:
    return Count(number, number)
