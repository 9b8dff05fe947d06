# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots with nats-py alone: ``bare_snapshots.py fill|backup|restore|migrate URL FILE [MIB]``.

backup writes the chunks of a stream to a file, restore deletes the stream and sends the file back,
one chunk after the other, migrate does both. Nothing is compared, checked, or undone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

STREAM, MIB = "BENCH", 1024 * 1024
MESSAGE, SENT, TAKEN = 16 * 1024, 64 * 1024, 128 * 1024


async def fill(connection: Client, path: str, mib: int) -> None:
    """Make a stream of so many MiB that do not compress."""
    js = connection.jetstream(timeout=30)
    # No migration is to wait for the end of the window.
    await js.add_stream(name=STREAM, subjects=["bench.>"], duplicate_window=0.1)
    for _number in range(mib):
        await asyncio.gather(
            *(js.publish("bench.x", os.urandom(MESSAGE)) for _part in range(MIB // MESSAGE))
        )


async def backup(connection: Client, path: str) -> None:
    inbox, arrived = connection.new_inbox(), asyncio.Queue[Msg]()

    async def take(message: Msg) -> None:
        if message.reply and message.data:
            await connection.publish(message.reply)
        arrived.put_nowait(message)

    subscription = await connection.subscribe(inbox, cb=take, pending_bytes_limit=-1)
    body = {"deliver_subject": inbox, "chunk_size": TAKEN}
    answer = await ask(connection, f"$JS.API.STREAM.SNAPSHOT.{STREAM}", body)
    with open(path, "wb") as file:
        while data := (await arrived.get()).data:
            file.write(data)
    Path(f"{path}.json").write_text(json.dumps({k: answer[k] for k in ("config", "state")}))
    await subscription.unsubscribe()


async def restore(connection: Client, path: str) -> None:
    await ask(connection, f"$JS.API.STREAM.DELETE.{STREAM}", None)
    body = json.loads(Path(f"{path}.json").read_text())
    subject = (await ask(connection, f"$JS.API.STREAM.RESTORE.{STREAM}", body))["deliver_subject"]
    with open(path, "rb") as file:
        while data := file.read(SENT):
            await connection.request(subject, data, timeout=30)
    await connection.request(subject, b"", timeout=600)


async def ask(connection: Client, subject: str, body: Any) -> dict[str, Any]:
    payload = b"" if body is None else json.dumps(body).encode()
    answer: dict[str, Any] = json.loads((await connection.request(subject, payload, 60)).data)
    if "error" in answer:
        raise SystemExit(answer["error"])
    return answer


async def main(what: str, url: str, path: str, mib: str = "0") -> None:
    connection = await nats.connect(url)
    if what == "fill":
        await fill(connection, path, int(mib))
    if what in ("backup", "migrate"):
        await backup(connection, path)
    if what in ("restore", "migrate"):
        await restore(connection, path)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
