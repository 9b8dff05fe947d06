# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that come in pages are read to their end, and no further."""

from __future__ import annotations

import asyncio

from connecting import with_manager

from harness import client

STREAMS = 1100  # more than a page of names (1024), and four of INFO (256)
SUBJECTS = 100_001  # a page of subjects is 100,000


async def many(number, work):
    gate = asyncio.Semaphore(64)

    async def one(index):
        async with gate:
            await work(index)

    await asyncio.gather(*(one(index) for index in range(number)))


def spy_on(manager):
    sent, real = [], manager.connection.request

    async def request(api, payload, timeout):
        sent.append((api, payload))
        return await real(api, payload, timeout)

    manager.connection.request = request
    return sent


def test_consumers_in_pages(own_server):
    async def work(manager):
        config = {"name": "S", "subjects": ["s"], "storage": "memory", "max_consumers": 2000}
        await manager.add_stream(config)

        async def make(index):
            name = f"C{index:04d}"
            config = {"name": name, "durable_name": name, "ack_policy": "explicit"}
            await manager.add_consumer("S", {**config, "mem_storage": True})

        await many(STREAMS, make)
        sent = spy_on(manager)
        infos = await manager.consumers_info("S")
        listed = len(sent)
        names = await manager.consumer_names("S")
        return infos, names, listed, len(sent) - listed

    infos, names, listed, named = with_manager(work, own_server.url)
    expected = [f"C{index:04d}" for index in range(STREAMS)]
    assert sorted(info["name"] for info in infos) == expected
    assert sorted(names) == expected
    assert (listed, named) == (5, 2)


def test_streams_in_pages_one_after_the_other(own_server):
    """The iterator asks for a page when it is needed: who stops early asks for no more."""

    async def work(manager):
        async def make(index):
            name = f"S{index:04d}"
            await manager.add_stream({"name": name, "subjects": [name], "storage": "memory"})

        await many(520, make)
        sent = spy_on(manager)
        async for info in manager.streams_info_iterator():
            assert info["config"]["name"] == "S0000"
            break
        early = len(sent)
        infos = [info async for info in manager.streams_info_iterator()]
        return infos, early, len(sent) - early

    infos, early, all_pages = with_manager(work, own_server.url)
    assert [info["config"]["name"] for info in infos] == [f"S{index:04d}" for index in range(520)]
    assert (early, all_pages) == (1, 3)


def test_an_account_without_streams(own_server):
    async def work(manager):
        sent = spy_on(manager)
        answers = [
            await manager.streams_info(),
            await manager.stream_names(),
            await manager.stream_names("nobody.has.this"),
        ]
        return answers, len(sent)

    assert with_manager(work, own_server.url) == ([[], [], []], 3)


def test_more_subjects_than_a_page_holds(newest_server):
    with client.Client(newest_server.url, timeout=30.0) as nats:
        config = {"name": "SUBJECTS", "subjects": ["s.>"], "storage": "memory"}
        nats.ok("STREAM.CREATE.SUBJECTS", config)
        try:
            lines = b"".join(b"PUB s.%d 0\r\n\r\n" % number for number in range(SUBJECTS))
            nats._send(lines)
            nats.flush()

            async def work(manager):
                sent = spy_on(manager)
                return await manager.stream_info("SUBJECTS", subjects_filter="s.>"), len(sent)

            while nats.ok("STREAM.INFO.SUBJECTS")["state"]["messages"] < SUBJECTS:
                pass
            info, asked = with_manager(work, newest_server.url, timeout=20.0)
        finally:
            nats.ok("STREAM.DELETE.SUBJECTS")
    assert asked == 2
    assert info["state"]["subjects"] == {f"s.{number}": 1 for number in range(SUBJECTS)}
