# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request ends with its cause: an answer, a refusal, a loss; and nobody waits for nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import client, servers

AT_ONCE = 1.0  # s; generous, what fails at once takes milliseconds

USERS = {
    "authorization": {
        "users": [
            {"user": "all", "password": "all"},
            {
                "user": "few",
                "password": "few",
                "permissions": {
                    "publish": {
                        "allow": [
                            "$JS.API.STREAM.INFO.>",
                            "$JS.API.CONSUMER.CREATE.ORDERS.paid.orders.paid",
                        ]
                    },
                    "subscribe": {"allow": ["_INBOX.>"]},
                },
            },
            {
                "user": "deaf",
                "password": "deaf",
                "permissions": {"subscribe": {"allow": ["_MINE.>"]}},
            },
        ]
    }
}


def timed(url, kind, work, **given):
    """Return the error of ``work`` and how long it took, without the time to connect."""

    async def run(manager):
        started = time.monotonic()
        with pytest.raises(kind) as failed:
            await work(manager)
        return failed.value, time.monotonic() - started

    return with_manager(run, url, **given)


@pytest.fixture
def guarded(server):
    """A server with users, and the part of its address behind them."""
    with servers.Server(server.binary, config=USERS) as running:
        yield running.url.partition("://")[2]


def test_a_denied_publish_is_quoted_at_once(guarded):
    url = f"nats://few:few@{guarded}"
    error, took = timed(url, _errors.PermissionDenied, lambda m: m.delete_stream("Orders"))
    assert took < AT_ONCE
    text = str(error)
    assert text.startswith("$JS.API.STREAM.DELETE.Orders: ")
    assert "permissions violation for publish" in text.lower()
    assert "the permission to publish" in text


def test_a_denied_publish_fails_that_request_only(guarded):
    with client.Client(f"nats://all:all@{guarded}") as nats:
        nats.ok("STREAM.CREATE.ORDERS", {"name": "ORDERS"})

    async def work(manager):
        return await asyncio.gather(
            manager.stream_info("ORDERS"), manager.account_info(), return_exceptions=True
        )

    info, denied = with_manager(work, f"nats://few:few@{guarded}")
    assert info["config"]["name"] == "ORDERS"
    assert isinstance(denied, _errors.PermissionDenied)


def test_a_stream_named_subscriptions_is_no_denied_subscription(guarded):
    error, _took = timed(
        f"nats://few:few@{guarded}",
        _errors.PermissionDenied,
        lambda manager: manager.delete_stream("subscriptions"),
    )
    assert "inbox_prefix" not in str(error)


def test_a_denied_inbox_fails_every_request_at_once(guarded):
    async def work(manager):
        started = time.monotonic()
        for _number in range(2):  # nats-py subscribes for the first one only
            with pytest.raises(_errors.PermissionDenied, match="inbox_prefix"):
                await manager.account_info()
        return time.monotonic() - started

    url = f"nats://deaf:deaf@{guarded}"
    assert with_manager(work, url) < AT_ONCE
    for prefix in ("_MINE", "_MINE.", "_MINE.deep.er"):
        assert with_manager(lambda manager: manager.account_info(), url, inbox_prefix=prefix)


def test_a_consumer_is_created_with_the_permission_for_its_filter_alone(guarded):
    with client.Client(f"nats://all:all@{guarded}") as nats:
        nats.ok("STREAM.CREATE.ORDERS", {"name": "ORDERS", "subjects": ["orders.>"]})
        config = {"durable_name": "paid", "name": "paid", "ack_policy": "explicit"}
        url = f"nats://few:few@{guarded}"
        allowed = {**config, "filter_subject": "orders.paid"}
        with_manager(lambda manager: manager.add_consumer("ORDERS", allowed), url)
        stored = nats.ok("CONSUMER.INFO.ORDERS.paid")["config"]
        assert stored["filter_subject"] == "orders.paid"
    for other in (config, {**config, "filter_subject": "orders.new"}):
        timed(url, _errors.PermissionDenied, lambda m, c=other: m.add_consumer("ORDERS", c))


def test_no_responders_is_told_at_once_without_jetstream(server):
    with servers.Server(server.binary, config={"jetstream": None}) as running:
        error, took = timed(running.url, _errors.NoJetStream, lambda m: m.account_info())
    assert took < AT_ONCE
    assert "JetStream is switched off" in str(error)


def test_no_responders_is_believed_after_two_seconds(newest_server):
    """Right after a start or an election nobody listens for a moment."""
    error, took = timed(
        newest_server.url, _errors.NoJetStream, lambda m: m.account_info(), domain="rim"
    )
    assert 1.0 < took < 2.5
    assert "$JS.rim.API.INFO" in str(error) and "domain" in str(error)


def test_a_lost_connection_ends_all_requests_at_once(own_server):
    async def work(manager):
        await manager.account_info()
        waiting = [
            asyncio.ensure_future(manager.connection.request(f"NOBODY.{number}", b"", 20.0))
            for number in range(20)
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        own_server.kill()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        return ends, time.monotonic() - started

    ends, took = with_manager(work, own_server.url, retry_for=0.0)
    assert took < AT_ONCE
    assert {type(end) for end in ends} == {_errors.ConnectionLost}


def test_a_loss_while_something_is_unsent_ends_a_request(own_server):
    """nats-py sends what is left before it tells of the end, and fails at it without a word."""

    async def work(manager):
        await manager.account_info()
        # With a request that it has not read, its death is a reset and no end.
        os.kill(own_server.pid, signal.SIGSTOP)
        waiting = asyncio.ensure_future(manager.connection.request("NOBODY", b"", 20.0))
        await asyncio.sleep(0.1)
        nats = manager.connection._client
        # As after a publish in the turn of the loop in which the end is read.
        nats._pending.append(b"PUB s 0\r\n\r\n")
        nats._pending_data_size += 11
        own_server.kill()
        return await asyncio.gather(waiting, return_exceptions=True)

    started = time.monotonic()
    (end,) = with_manager(work, own_server.url, retry_for=0.0)
    assert isinstance(end, _errors.ConnectionLost)
    assert time.monotonic() - started < 5 * AT_ONCE


def test_a_request_after_the_loss_is_not_sent(own_server):
    async def work(manager):
        await manager.account_info()
        own_server.kill()
        await asyncio.sleep(0.1)
        with pytest.raises(_errors.NotSent):
            await manager.connection.request("INFO", b"", 20.0)

    with_manager(work, own_server.url)


def test_a_loss_says_why_connecting_again_failed(own_server):
    async def work(manager):
        await manager.account_info()
        own_server.kill()
        await asyncio.sleep(0.1)
        await manager.account_info()

    error, _took = timed(own_server.url, _errors.ConnectionLost, work, retry_for=0.3)
    assert f"the connection to {own_server.url} was lost" in str(error)
    assert "connecting again failed" in str(error) and "connection refused" in str(error)


def test_many_requests_make_one_connection_again(own_server):
    async def work(manager):
        await manager.account_info()
        await loop_call(own_server.kill)
        await asyncio.sleep(0.1)
        await loop_call(own_server.start)
        await asyncio.gather(*(manager.account_info() for _number in range(30)))
        connections = manager.connection._client._server_info["client_id"]
        await asyncio.gather(*(manager.account_info() for _number in range(30)))
        return connections

    # A server counts its clients, its own included, from 1: one connection more would be seen.
    first = connect_id(own_server)
    again = with_manager(work, own_server.url)
    assert again <= first


async def loop_call(function):
    return await asyncio.get_running_loop().run_in_executor(None, function)


def connect_id(server):
    """Return the number that a server gives its first client."""
    with servers.Server(server.binary) as other, client.Client(other.url) as nats:
        return int(nats.info["client_id"])


def test_what_nats_py_refuses_to_send_is_no_traceback(newest_server):
    async def work(manager):
        await manager.connection.request("INFO", b"x" * (2 << 20), 2.0)

    error, took = timed(newest_server.url, _errors.JetStreamError, work)
    assert took < AT_ONCE
    assert "$JS.API.INFO was not sent: it has 2097152 bytes" in str(error)


def test_what_makes_a_request_too_large_is_named(newest_server):
    config = {"description": "x" * 4000, "deliver_group": "x" * (2 << 20)}
    body = json.dumps({"stream_name": "S", "config": config}).encode()

    async def work(manager):
        await manager.connection.request("CONSUMER.CREATE.S.C", body, 2.0)

    error, _took = timed(newest_server.url, _errors.JetStreamError, work)
    assert str(error).endswith("max_payload is 1048576; most of it is deliver_group")


@pytest.mark.parametrize("answer", [b"", b"+OK", b"[]", b'{"stream": "ALL", "seq": 1}'])
def test_an_answer_of_somebody_else_is_no_traceback(newest_server, answer):
    async def work(manager):
        asked = asyncio.ensure_future(manager.account_info())
        message = await loop_call(lambda: nats.next(sid))
        nats.publish(message.reply, answer)
        await asked

    with client.Client(newest_server.url) as nats:
        sid = nats.subscribe("OTHER.INFO")
        nats.flush()
        error, took = timed(newest_server.url, _errors.JetStreamError, work, api_prefix="OTHER")
    assert took < AT_ONCE
    assert "something other than the JetStream API" in str(error)
