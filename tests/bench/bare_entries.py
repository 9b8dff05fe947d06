# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries with nats-py alone: ``bare_entries.py write|read URL COUNT``, 64 at a time."""

from __future__ import annotations

import asyncio
import sys

import nats
from bare import each


async def main(what: str, url: str, count: int) -> None:
    connection = await nats.connect(url)
    bucket = await connection.jetstream(timeout=30).key_value("bare")

    async def one(number: int) -> None:
        key = f"bench.k{number:05}"
        if what == "write":
            await bucket.put(key, f"value {number}".encode())
        else:
            await bucket.get(key)

    await each(range(count), one)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
