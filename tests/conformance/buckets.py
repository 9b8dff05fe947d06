# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buckets from raw JSON, entries as the server keeps them, and nats-py as a second opinion."""

from __future__ import annotations

import asyncio
import base64
import importlib
from collections.abc import Awaitable
from typing import Any, Callable, NamedTuple, Optional

from independent import Account


def make_bucket(account: Account, name: str = "b", history: int = 5, **config: Any) -> None:
    account.stream(
        f"KV_{name}",
        **{
            "subjects": [f"$KV.{name}.>"],
            "max_msgs_per_subject": history,
            "discard": "new",
            "allow_rollup_hdrs": True,
            "deny_delete": True,
            "allow_direct": True,
            **config,
        },
    )


class Stored(NamedTuple):
    seq: int
    data: bytes
    headers: dict[str, str]


def stored(account: Account, key: str, bucket: str = "b", **asked: Any) -> Optional[Stored]:
    """Return the last message of a key, or the one that was asked for."""
    body = asked or {"last_by_subj": f"$KV.{bucket}.{key}"}
    answer = account.api(f"STREAM.MSG.GET.KV_{bucket}", body)
    if answer.get("error", {}).get("err_code") == 10037:
        return None
    message = answer["message"]
    lines = base64.b64decode(message.get("hdrs", "")).decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines if line)
    return Stored(message["seq"], base64.b64decode(message.get("data", "")), headers)


def messages(account: Account, bucket: str = "b") -> int:
    """Return how many messages were ever stored."""
    return int(account.state(f"KV_{bucket}")["last_seq"])


def consumers(account: Account, bucket: str = "b") -> list[Any]:
    return account.ok(f"CONSUMER.NAMES.KV_{bucket}")["consumers"] or []


def with_nats_py(url: str, work: Callable[[Any], Awaitable[Any]], bucket: str = "b") -> Any:
    """Run ``await work(kv)`` with the KeyValue class of nats-py."""
    nats = importlib.import_module("nats")
    js = importlib.import_module("nats.js")

    async def run() -> Any:
        connection = await nats.connect(url)
        try:
            return await work(await js.JetStreamContext(connection).key_value(bucket))
        finally:
            await connection.close()

    return asyncio.run(run())
