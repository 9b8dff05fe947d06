# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many attempts a call makes, how long it may take, and what it says when it gives up."""

from __future__ import annotations

import asyncio
import time

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import client, servers

EMPTY = {"name": "S", "subjects": ["s"]}


class Spy:
    """Notes every request that goes through a connection."""

    def __init__(self, manager):
        self.sent, self.manager = [], manager
        self.real = manager.connection.request
        manager.connection.request = self.request

    async def request(self, api, payload, timeout):
        self.sent.append(api)
        return await self.real(api, payload, timeout)


async def loop_call(function):
    return await asyncio.get_running_loop().run_in_executor(None, function)


def counted(url, kind, work, **given):
    """Return the error of ``work``, the requests that it sent, and how long it took."""

    async def run(manager):
        await manager.account_info()
        spy, started = Spy(manager), time.monotonic()
        with pytest.raises(kind) as failed:
            await work(manager)
        return failed.value, spy.sent, time.monotonic() - started

    return with_manager(run, url, **given)


def test_no_time_to_retry_is_one_attempt_with_its_whole_timeout(proxy):
    async def work(manager):
        proxy.swallow(b"account_info_response")
        await manager.account_info()

    error, sent, took = counted(proxy.url, _errors.RequestTimeout, work, retry_for=0.0, timeout=0.6)
    assert sent == ["INFO"]
    assert 0.6 <= took < 1.2
    assert "$JS.API.INFO within 0.6 s" in str(error)


def test_a_read_whose_answer_got_lost_is_asked_again(proxy):
    async def work(manager):
        await manager.account_info()
        spy = Spy(manager)
        proxy.swallow(b"account_info_response")
        return await manager.account_info(), spy.sent

    info, sent = with_manager(work, proxy.url, timeout=0.3)
    assert info["limits"] and sent == ["INFO", "INFO"]


def test_a_create_is_looked_for_and_not_sent_twice(proxy, own_server):
    async def work(manager):
        await manager.account_info()
        spy = Spy(manager)
        proxy.swallow(b"stream_create_response")
        await manager.add_stream(EMPTY)
        proxy.swallow(b"consumer_create_response")
        config = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}
        await manager.add_consumer("S", config, action="create")
        return spy.sent

    sent = with_manager(work, proxy.url, timeout=0.3)
    assert sent[:2] == ["STREAM.CREATE.S", "STREAM.INFO.S"]
    assert sent[2:] == ["CONSUMER.CREATE.S.C", "CONSUMER.INFO.S.C"]
    with client.Client(own_server.url) as nats:
        assert nats.ok("CONSUMER.NAMES.S")["consumers"] == ["C"]


def test_a_message_whose_deletion_was_not_answered_is_gone(proxy, own_server):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", EMPTY)
        nats.request("s", b"x")

        async def work(manager):
            await manager.account_info()
            proxy.swallow(b"stream_msg_delete_response")
            return await manager.delete_msg("S", 1)

        assert with_manager(work, proxy.url, timeout=0.3) is True
        assert nats.ok("STREAM.INFO.S")["state"]["messages"] == 0


@pytest.mark.parametrize(
    ("answer", "work"),
    [
        (b"stream_create_response", lambda manager: manager.add_stream({"name": "T"})),
        (b"stream_update_response", lambda manager: manager.update_stream(EMPTY)),
        (b"stream_delete_response", lambda manager: manager.delete_stream("S")),
        (b"stream_purge_response", lambda manager: manager.purge_stream("S")),
    ],
)
def test_a_write_that_is_given_up_says_that_it_may_have_been_carried_out(
    proxy, own_server, answer, work
):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", EMPTY)

    async def lose(manager):
        proxy.swallow(answer)
        await work(manager)

    error, sent, _took = counted(
        proxy.url, _errors.RequestTimeout, lose, retry_for=0.0, timeout=0.3
    )
    assert len(sent) == 1
    assert "it may have been carried out" in str(error)


def test_a_write_that_was_never_sent_does_not_say_so(own_server):
    async def work(manager):
        own_server.kill()
        await asyncio.sleep(0.1)
        await manager.purge_stream("S")

    error, _sent, _took = counted(own_server.url, _errors.NotSent, work, retry_for=0.3)
    assert "carried out" not in str(error)


def test_a_purge_that_was_not_sent_yet_goes_on_when_the_server_is_back(own_server):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", EMPTY)
        for _number in range(3):
            nats.request("s", b"x")

    async def work(manager):
        await manager.account_info()
        own_server.shutdown()
        await asyncio.sleep(0.1)
        asked = asyncio.ensure_future(manager.purge_stream("S"))
        await asyncio.sleep(0.2)
        await loop_call(own_server.start)
        return await asked

    assert with_manager(work, own_server.url, retry_for=15.0) == 3


def test_what_was_not_there_before_a_restart_was_not_deleted(own_server):
    async def work(manager):
        await manager.account_info()
        await loop_call(own_server.restart)
        await asyncio.sleep(0.1)
        return await manager.delete_stream("NEVER")

    assert with_manager(work, own_server.url, retry_for=15.0) is False


@pytest.mark.parametrize("repeat_timeouts", [True, False], ids=["read", "write"])
def test_what_was_said_counts_more_than_a_short_silence(repeat_timeouts, newest_server):
    """Unless what was not answered is a write, which may have been carried out."""
    timeouts = []

    async def attempt(timeout):
        timeouts.append(timeout)
        if len(timeouts) == 1:
            raise _errors.ApiError("STREAM.INFO.S", 503, 10008, "not now")
        await asyncio.sleep(timeout)
        raise _errors.RequestTimeout("no answer", "advice")

    async def work(manager):
        with pytest.raises(_errors.JetStreamError) as failed:
            await manager.repeated(attempt, repeat_timeouts=repeat_timeouts)
        return failed.value

    error = with_manager(work, newest_server.url, timeout=1.0, retry_for=0.5)
    assert timeouts[0] == 1.0 and timeouts[1] < 0.5
    assert isinstance(error, _errors.ApiError) is repeat_timeouts
    if not repeat_timeouts:
        assert str(error) == "no answer. advice"


def test_waiting_for_a_dead_server_is_not_busy(newest_server):
    with servers.Server(newest_server.binary) as mortal:

        async def work(manager):
            mortal.kill()
            await asyncio.sleep(0.1)
            await manager.update_stream(EMPTY)

        _error, sent, took = counted(mortal.url, _errors.NotSent, work, retry_for=1.0)
    assert took < 1.5
    assert len(sent) < 10


@pytest.mark.parametrize("work", [lambda m: m.add_stream(EMPTY), lambda m: m.delete_stream("S")])
def test_all_attempts_together_end_in_time(own_server, work):
    async def kill(manager):
        own_server.kill()
        await work(manager)

    _error, _sent, took = counted(own_server.url, _errors.ConnectionLost, kill, retry_for=1.0)
    assert took < 2.0


def test_a_cluster_without_quorum(newest_server):
    """A lone node of three answers nothing for ten seconds, then 10008; with the others it works.

    Each of these is given up in time, and the same call succeeds when it may wait.
    """
    with servers.Cluster(binary=newest_server.binary) as cluster:
        first, *others = cluster.servers
        for node in others:
            node.kill()

        async def given_up(manager, kind):
            started = time.monotonic()
            with pytest.raises(kind) as failed:
                await manager.add_stream({"name": "S", "num_replicas": 3})
            return failed.value, time.monotonic() - started

        async def work(manager):
            _error, took = await given_up(manager, _errors.RequestTimeout)
            assert 0.6 < took < 2.5
            for _attempt in range(40):
                error, took = await given_up(manager, _errors.JetStreamError)
                if isinstance(error, _errors.ApiError):
                    break
            error, took = await given_up(manager, _errors.ApiError)
            assert error.err_code == 10008 and error.error_class == _errors.TRANSIENT
            assert "retry_for" in str(error)
            assert took < 2.5
            manager.timeout, manager.retry_for = 3.0, 60.0
            asked = asyncio.ensure_future(manager.add_stream({"name": "S", "num_replicas": 3}))
            await asyncio.gather(*(loop_call(node.start) for node in others))
            return await asked

        info = with_manager(work, first.url, timeout=0.5, retry_for=0.8)
    assert info["config"]["num_replicas"] == 3
