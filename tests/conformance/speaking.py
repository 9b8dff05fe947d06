# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages as nats-py writes and reads them, and as they are on the wire."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import nats
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from harness import client


def natspy(url: str, work: Any) -> Any:
    """Return what ``await work(jetstream)`` returns, on a connection of its own."""

    async def run() -> Any:
        connection = await nats.connect(url)
        try:
            return await work(JetStreamContext(connection))
        finally:
            await connection.close()

    return asyncio.run(run())


def publish(url: str, subject: str, data: bytes = b"x", headers: Any = None) -> int:
    """Publish with nats-py's own call, and return the sequence."""
    return natspy(url, lambda js: js.publish(subject, data, headers=headers)).seq


def last(url: str, stream: str, subject: str) -> Any:
    """Return (seq, data, headers) of the last message as nats-py reads it, None without one."""

    async def read(js: Any) -> Any:
        try:
            found = await js.get_last_msg(stream, subject)
        except NotFoundError:
            return None
        return found.seq, found.data or b"", dict(found.headers or {})

    return natspy(url, read)


def raw_publish(connection: client.Client, subject: str, data: bytes, *pairs: Any) -> bytes:
    """Publish with headers that may come several times; return the acknowledgement."""
    block = b"NATS/1.0\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in pairs)
    block += b"\r\n"
    reply = f"_INBOX.raw.{id(pairs):x}"
    sid = connection.subscribe(reply)
    size = len(block) + len(data)
    connection._send(f"HPUB {subject} {reply} {len(block)} {size}\r\n".encode())
    connection._send(block + data + b"\r\n")
    return connection.next(sid).data


def block(connection: client.Client, stream: str, seq: int) -> list[str]:
    """Return the lines of a message's headers, as the server has them."""
    message = connection.ok(f"STREAM.MSG.GET.{stream}", {"seq": seq})["message"]
    lines = base64.b64decode(message.get("hdrs") or "").decode().split("\r\n")
    return [line for line in lines[1:] if line]
