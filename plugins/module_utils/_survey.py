# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Reading what an account has: as few requests as possible, many in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    PermissionDenied,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity, Info


class Survey(NamedTuple):
    """What is there: INFO answers of streams by name, of consumers by stream and name.

    whole tells whether these are all streams. missing names those that a cluster has and could not
    tell of, because their servers are down.
    """

    streams: dict[str, Info]
    consumers: dict[Identity, Info]
    missing: frozenset[str] = frozenset()
    whole: bool = True


async def gathered(
    concurrency: int, asked: Iterable[Any], ask: Callable[[Any], Awaitable[Any]]
) -> list[Any]:
    """Return the answer to each question, in their order, with so many in flight."""
    waiting = iter(list(enumerate(asked)))
    answers: dict[int, Any] = {}

    async def worker() -> None:
        for index, one in waiting:
            answers[index] = await ask(one)

    workers = [asyncio.ensure_future(worker()) for _number in range(max(1, concurrency))]
    try:
        await asyncio.gather(*workers)
    finally:
        for one in workers:
            one.cancel()
    return [answers[index] for index in sorted(answers)]


async def survey(
    manager: Any,
    names: Iterable[str],
    wants_consumers: Callable[[str, Info], bool],
    concurrency: int,
    must_be_whole: bool = False,
) -> Survey:
    """Read the streams of the account, and the consumers of those that wants_consumers picks.

    A user who may not list streams is asked about the named ones only, unless all are needed.
    """
    try:
        streams, missing = await manager.streams_listing()
        whole = True
    except PermissionDenied:
        if must_be_whole:
            raise
        answers = await gathered(concurrency, sorted(set(names)), _stream(manager))
        streams, missing, whole = [info for info in answers if info], frozenset(), False
    by_name = {info["config"]["name"]: info for info in streams}
    # Of an offline stream a listing has no more than a stub.
    for name in missing:
        by_name.pop(name, None)
    picked = [
        name
        for name, info in by_name.items()
        if info["state"].get("consumer_count") and wants_consumers(name, info)
    ]
    lists = await gathered(concurrency, picked, _consumers(manager))
    consumers: dict[Identity, Info] = {
        (stream, info["name"]): info for stream, infos in zip(picked, lists) for info in infos
    }
    return Survey(by_name, consumers, missing, whole)


def _stream(manager: Any) -> Callable[[str], Awaitable[Optional[Info]]]:
    async def ask(name: str) -> Optional[Info]:
        try:
            found: Info = await manager.stream_info(name)
            return found
        except ApiError as error:
            if error.error_class == MISSING:
                return None
            raise

    return ask


def _consumers(manager: Any) -> Callable[[str], Awaitable[list[Info]]]:
    async def ask(name: str) -> list[Info]:
        try:
            return list(await manager.consumers_info(name))
        except ApiError as error:
            if error.error_class == MISSING:
                return []  # deleted since it was listed
            raise

    return ask
