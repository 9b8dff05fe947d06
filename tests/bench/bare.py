# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody would write with nats-py alone: ``bare.py create|read|delete URL COUNT``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Iterable
from typing import Any, Callable

import nats
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

IN_FLIGHT = 64


async def each(what: Iterable[Any], do: Callable[[Any], Awaitable[Any]]) -> None:
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(thing: Any) -> None:
        async with gate:
            await do(thing)

    await asyncio.gather(*(one(thing) for thing in what))


async def main(what: str, url: str, count: int) -> None:
    connection = await nats.connect(url)
    js = connection.jetstream(timeout=30)

    async def create(number: int) -> None:
        name = f"S{number:05}"
        await js.add_stream(
            StreamConfig(
                name=name,
                subjects=[f"bench.s{number:05}.>"],
                max_age=30 * 86400,
                max_bytes=2**20,
            )
        )
        await js.add_consumer(
            name,
            ConsumerConfig(
                durable_name="worker", ack_policy=AckPolicy.EXPLICIT, ack_wait=60, max_deliver=5
            ),
        )

    if what == "create":
        await each(range(count), create)
    else:
        names: list[str] = []
        while page := await js.streams_info(offset=len(names)):
            names += [str(info.config.name) for info in page]
        await each(names, js.consumers_info if what == "read" else js.delete_stream)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
