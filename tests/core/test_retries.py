# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Not now is not no: what is repeated, what is looked at first, and what is not repeated."""

from __future__ import annotations

import asyncio
import time

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import client


def test_a_create_whose_answer_got_lost_is_found(proxy, own_server):
    async def work(manager):
        await manager.account_info()
        proxy.swallow(b"stream_create_response")
        return await manager.add_stream({"name": "S", "subjects": ["s.>"]})

    made = with_manager(work, proxy.url, timeout=0.5)
    assert made["config"]["subjects"] == ["s.>"]
    assert proxy.swallowed == 1


def test_a_delete_whose_answer_got_lost_was_done(proxy, own_server):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S"})

    async def work(manager):
        await manager.account_info()
        proxy.swallow(b"stream_delete_response")
        return await manager.delete_stream("S")

    assert with_manager(work, proxy.url, timeout=0.5) is True
    assert proxy.swallowed == 1


def test_an_update_whose_answer_got_lost_is_sent_again(proxy, own_server):
    with client.Client(own_server.url) as nats:
        config = nats.ok("STREAM.CREATE.S", {"name": "S"})["config"]

    async def work(manager):
        await manager.account_info()
        proxy.swallow(b"stream_update_response")
        return await manager.update_stream({**config, "max_msgs": 9})

    assert with_manager(work, proxy.url, timeout=0.5)["config"]["max_msgs"] == 9
    assert proxy.swallowed == 1


def test_a_purge_whose_answer_got_lost_is_not_repeated(proxy, own_server):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s"]})

    async def work(manager):
        await manager.account_info()
        proxy.swallow(b"stream_purge_response")
        await manager.purge_stream("S")

    with pytest.raises(_errors.RequestTimeout, match="may have been carried out"):
        with_manager(work, proxy.url, timeout=0.5)
    assert proxy.swallowed == 1


def test_a_read_goes_on_when_the_server_is_back(own_server):
    async def work(manager):
        await manager.add_stream({"name": "S"})
        own_server.kill()
        asked = asyncio.ensure_future(manager.stream_info("S"))
        await asyncio.sleep(0.3)
        await asyncio.get_running_loop().run_in_executor(None, own_server.start)
        return await asked

    info = with_manager(work, own_server.url, retry_for=15.0)
    assert info["config"]["name"] == "S"


def test_a_create_goes_on_when_the_server_is_back(own_server):
    async def work(manager):
        await manager.account_info()
        own_server.kill()
        asked = asyncio.ensure_future(manager.add_stream({"name": "S"}))
        await asyncio.sleep(0.3)
        await asyncio.get_running_loop().run_in_executor(None, own_server.start)
        return await asked

    assert with_manager(work, own_server.url, retry_for=15.0)["config"]["name"] == "S"


def test_a_lost_connection_ends_a_request_at_once(own_server):
    async def work(manager):
        await manager.account_info()
        # Nobody answers this, so the request waits when the server dies.
        asked = asyncio.ensure_future(manager.connection.request("NOBODY.HEARS", b"", 20.0))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        own_server.kill()
        with pytest.raises(_errors.ConnectionLost):
            await asked
        return time.monotonic() - started

    assert with_manager(work, own_server.url) < 1.0


def test_no_more_than_retry_for(own_server):
    async def work(manager):
        await manager.account_info()
        own_server.kill()
        started = time.monotonic()
        with pytest.raises(_errors.JetStreamError):
            await manager.account_info()
        return time.monotonic() - started

    assert with_manager(work, own_server.url, retry_for=0.0) < 1.0
    own_server.start()
    assert 0.5 < with_manager(work, own_server.url, retry_for=1.0) < 3.0
