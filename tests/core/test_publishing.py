# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing one message for sure: races, duplicates, lost acknowledgements; reading it back."""

from __future__ import annotations

import base64

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _message, _messages
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._headers import Headers
from ansible_collections.nats.jetstream.plugins.module_utils._payload import Payload
from harness.client import Client


@pytest.fixture
def stream(nats, unique):
    """The name of a stream that takes the subjects below it."""
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [f"{unique}.>"]})
    return unique


def stored(nats, stream):
    """Return the data of all messages, in their order."""
    last = nats.ok(f"STREAM.INFO.{stream}")["state"]["last_seq"]
    found = [
        nats.ok(f"STREAM.MSG.GET.{stream}", {"seq": one + 1})["message"] for one in range(last)
    ]
    return [base64.b64decode(message.get("data") or "") for message in found]


def wanted(stream):
    return _message.Wanted(f"{stream}.a", Payload(b"mine"))


def test_a_lost_race_is_a_failure(stream, nats, call):
    """Somebody publishes between the look and the write: that message stays the last one."""

    async def race(manager):
        plan = await _message.plan(manager, stream, wanted(stream))
        assert plan.publish
        nats.request(f"{stream}.a", "theirs")
        with pytest.raises(_messages.LostRace) as lost:
            await _message.publish(manager, plan)
        return str(lost.value)

    assert f"{stream}.a was written by someone else" in call(race)
    assert stored(nats, stream) == [b"theirs"]


def test_a_message_of_another_subject_is_no_race(stream, nats, call):
    async def no_race(manager):
        plan = await _message.plan(manager, stream, wanted(stream))
        nats.request(f"{stream}.b", "theirs")
        return await _message.publish(manager, plan)

    assert call(no_race) == 2
    assert stored(nats, stream) == [b"theirs", b"mine"]


def test_another_stream_takes_the_subject_over(stream, nats, call):
    """Between the look and the write; the message is stored in neither."""

    async def moved(manager):
        plan = await _message.plan(manager, stream, wanted(stream))
        config = nats.ok(f"STREAM.INFO.{stream}")["config"]
        nats.ok(f"STREAM.UPDATE.{stream}", {**config, "subjects": [f"{stream}.b"]})
        other = {"name": f"{stream}other", "subjects": [f"{stream}.a"]}
        nats.ok(f"STREAM.CREATE.{stream}other", other)
        with pytest.raises(ApiError) as caught:
            await _message.publish(manager, plan)
        return caught.value

    assert call(moved).err_code == 10060
    assert stored(nats, stream) == stored(nats, f"{stream}other") == []


def test_a_duplicate_is_told(stream, nats, call):
    async def twice(manager):
        headers = Headers([("Nats-Msg-Id", "i")])
        publish = _messages.publish_after
        first = await publish(manager, stream, f"{stream}.a", b"1", headers, 0)
        with pytest.raises(_messages.Duplicate) as caught:
            await publish(manager, stream, f"{stream}.a", b"2", headers, first)
        return first, caught.value.seq

    assert call(twice) == (1, 1)
    assert stored(nats, stream) == [b"1"]


@pytest.mark.parametrize("msg_id", [None, "i"])
def test_a_lost_acknowledgement_publishes_once(msg_id, own_server, proxy):
    """The message is found where it should be, and not sent again."""
    with Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})

        async def publish(manager):
            message = _message.Wanted("s.a", Payload(b"mine"), [("A", "1"), ("A", "2")], msg_id)
            plan = await _message.plan(manager, "S", message)
            proxy.swallow(b'"seq"')
            return await _message.publish(manager, plan)

        assert with_manager(publish, proxy.url, timeout=0.3) == 1
        assert proxy.swallowed == 1
        assert stored(nats, "S") == [b"mine"]


def test_a_lost_acknowledgement_and_someone_else(own_server, proxy):
    """What was stored meanwhile by someone else is not overwritten."""
    with Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})

        async def publish(manager):
            plan = await _message.plan(manager, "S", _message.Wanted("s.a", Payload(b"mine")))
            nats.request("s.a", "theirs")
            proxy.swallow(b"err_code")
            with pytest.raises(_messages.LostRace):
                await _message.publish(manager, plan)

        with_manager(publish, proxy.url, timeout=0.3)
        assert proxy.swallowed == 1
        assert stored(nats, "S") == [b"theirs"]


def test_headers_come_back_whole_from_the_leader_and_directly(nats, unique, call):
    """Those that look like the server's own as well: a republished message has them."""
    config = {"name": unique, "subjects": [f"{unique}.>"], "allow_direct": True}
    nats.ok(f"STREAM.CREATE.{unique}", config)
    pairs = [
        *(("A", "2"), ("A", "1"), ("Empty", ""), ("Status", "404"), ("Description", "none")),
        *(("Nats-Stream", "OLD"), ("Nats-Subject", "old"), ("Nats-Sequence", "7")),
        *(("Nats-Time-Stamp", "2020-01-01T00:00:00Z"), ("Z", "z")),
    ]

    async def both(manager):
        await _messages.publish(manager, f"{unique}.a", b"\x00\xff", Headers(pairs))
        request = {"last_by_subj": f"{unique}.a"}
        return (
            await _messages.leader_get(manager, unique, request),
            await _messages.direct_get(manager, unique, request),
        )

    leader, direct = call(both)
    assert leader == direct
    assert leader.headers.pairs == direct.headers.pairs == pairs
    assert (leader.seq, leader.data, leader.headers.status) == (1, b"\x00\xff", "")


def test_a_message_with_a_status_is_no_answer_without_responders(nats, unique, call):
    config = {"name": unique, "subjects": [f"{unique}.>"], "allow_direct": True}
    nats.ok(f"STREAM.CREATE.{unique}", config)

    async def read(manager):
        await _messages.publish(manager, f"{unique}.a", b"", Headers([("Status", "503")]))
        return await _messages.direct_get(manager, unique, {"seq": 1})

    assert call(read).headers.pairs == [("Status", "503")]
