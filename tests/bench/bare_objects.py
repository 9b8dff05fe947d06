# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chunks sent and read with nats-py alone: ``bare_objects.py publish|ahead|read URL FILE``.

publish awaits every acknowledgement, ahead has as many chunks on their way as the module; read has
a push consumer of nats-py's with flow control. Nothing is compared, checked, or read back.
"""

from __future__ import annotations

import asyncio
import sys

import nats
from nats.js import api

CHUNK, IN_FLIGHT = 128 * 1024, 32
STREAM, SUBJECT = "BARE", "bare.chunks"


async def publish(js: nats.js.JetStreamContext, path: str) -> None:
    with open(path, "rb") as file:
        while data := file.read(CHUNK):
            await js.publish(SUBJECT, data)


async def ahead(js: nats.js.JetStreamContext, path: str) -> None:
    on_their_way: set[asyncio.Task[api.PubAck]] = set()
    with open(path, "rb") as file:
        while data := file.read(CHUNK):
            on_their_way.add(asyncio.create_task(js.publish(SUBJECT, data)))
            if len(on_their_way) == IN_FLIGHT:
                done, on_their_way = await asyncio.wait(
                    on_their_way, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
    await asyncio.gather(*on_their_way)


async def read(js: nats.js.JetStreamContext, path: str) -> None:
    left = (await js.stream_info(STREAM)).state.messages
    chunks = await js.subscribe(SUBJECT, ordered_consumer=True, pending_bytes_limit=-1)
    with open(path, "wb") as file:
        for _number in range(left):
            file.write((await chunks.next_msg(timeout=10)).data)
    await chunks.unsubscribe()


async def main(what: str, url: str, path: str) -> None:
    connection = await nats.connect(url)
    js = connection.jetstream(timeout=30)
    if what == "read":
        await read(js, path)
    else:
        await js.add_stream(api.StreamConfig(name=STREAM, subjects=[SUBJECT]))
        await js.purge_stream(STREAM)
        await (ahead if what == "ahead" else publish)(js, path)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
