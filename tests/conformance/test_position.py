# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Consumers that are reset and clients that are unpinned, and what older servers say."""

from __future__ import annotations

import json

import pytest

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer_reset,
    jetstream_consumer_unpin,
)

NEWER = {jetstream_consumer_reset: (2, 14), jetstream_consumer_unpin: (2, 11)}


class Consumer:
    """A consumer C of a stream with 20 messages, of which the first three were deleted."""

    def __init__(self, nats, stream, **config):
        self.nats, self.stream = nats, stream
        nats.ok(f"STREAM.CREATE.{stream}", {"name": stream, "subjects": [f"{stream}.>"]})
        for _number in range(20):
            nats.request(f"{stream}.x", b"x")
        for seq in (1, 2, 3):
            nats.ok(f"STREAM.MSG.DELETE.{stream}", {"seq": seq})
        config = {"durable_name": "C", "name": "C", "ack_policy": "explicit", **config}
        nats.ok(f"CONSUMER.CREATE.{stream}.C", {"stream_name": stream, "config": config})

    def take(self, count, acknowledged=(), **body):
        """Return the sequences of the next messages; acknowledge those at these places."""
        inbox = f"taken.{self.stream}.{id(body)}"
        taken = self.nats.subscribe(inbox)
        body = {"batch": count, "no_wait": True, **body}
        self.nats.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.C", json.dumps(body).encode(), inbox
        )
        found = []
        for place in range(count):
            message = self.nats.next(taken)
            found.append(int(message.reply.split(".")[5]))
            if place in acknowledged:
                self.nats.request(message.reply, b"+ACK")
        self.nats._send(f"UNSUB {taken}\r\n".encode())
        return found

    def info(self):
        return self.nats.ok(f"CONSUMER.INFO.{self.stream}.C")

    def place(self):
        info = self.info()
        return {
            "ack_floor": info["ack_floor"]["stream_seq"],
            "delivered": info["delivered"]["stream_seq"],
            **{name: info[name] for name in ("num_pending", "num_ack_pending", "num_redelivered")},
        }


@pytest.fixture
def too_old(server):
    release = tuple(map(int, server.version.split(".")))
    return lambda module: release < NEWER[module]


@pytest.fixture
def reset(run_module, unique):
    def run(**args):
        return run_module(jetstream_consumer_reset, stream=unique, name="C", **args)

    return run


@pytest.fixture
def unpin(run_module, unique):
    def run(**args):
        args = {"stream": unique, "name": "C", "group": "g", **args}
        return run_module(jetstream_consumer_unpin, **args)

    return run


def test_what_was_not_acknowledged_comes_again(nats, unique, reset, too_old):
    if too_old(jetstream_consumer_reset):
        pytest.skip("needs CONSUMER.RESET")
    consumer = Consumer(nats, unique)
    assert reset()["changed"] is False
    assert consumer.take(8, acknowledged=(0, 1, 4)) == list(range(4, 12))
    before = consumer.place()
    check = reset(check=True)
    assert consumer.place() == before
    done = reset()
    for result in (check, done):
        assert (result["changed"], result["seq"], result["before"]) == (True, 6, before)
    assert check["diff"] == done["diff"]
    assert "after" not in check and done["after"] == consumer.place()
    assert reset()["changed"] is False
    assert consumer.take(3) == [6, 7, 8]  # 8 was acknowledged, above the floor


def test_it_goes_on_with_a_sequence(nats, unique, reset, too_old):
    if too_old(jetstream_consumer_reset):
        pytest.skip("needs CONSUMER.RESET")
    consumer = Consumer(nats, unique)
    consumer.take(5)
    for seq, first in ((15, 15), (2, 4), (20, 20)):
        check = reset(seq=seq, check=True)
        done = reset(seq=seq)
        assert check["changed"] is done["changed"] is True, done
        assert check["diff"] == done["diff"]
        assert done["seq"] == seq and done["after"] == consumer.place()
        assert reset(seq=seq)["changed"] is False
        assert consumer.take(1) == [first]


@pytest.mark.parametrize(
    ("config", "seq"),
    [
        ({"deliver_policy": "new"}, 5),
        ({"deliver_policy": "last"}, 5),
        ({"deliver_policy": "by_start_sequence", "opt_start_seq": 10}, 9),
    ],
)
def test_some_take_no_sequence(config, seq, nats, unique, reset, too_old):
    if too_old(jetstream_consumer_reset):
        pytest.skip("needs CONSUMER.RESET")
    consumer = Consumer(nats, unique, **config)
    before = consumer.place()
    result = reset(seq=seq)
    assert result["failed"] and config["deliver_policy"] in result["msg"]
    assert reset(seq=seq, check=True)["msg"] == result["msg"]
    assert nats.api(f"CONSUMER.RESET.{unique}.C", {"seq": seq})["error"]["err_code"] == 10204
    assert consumer.place() == before
    if config["deliver_policy"] == "by_start_sequence":
        assert reset(seq=10)["changed"] is False
        assert reset(seq=11)["changed"] is True


def test_another_client_is_pinned(nats, unique, unpin, too_old):
    if too_old(jetstream_consumer_unpin):
        pytest.skip("needs CONSUMER.UNPIN")
    consumer = Consumer(nats, unique, priority_policy="pinned_client", priority_groups=["g", "h"])
    assert unpin()["changed"] is False
    consumer.take(1, group="g")
    pinned = consumer.info()["priority_groups"][0]["pinned_client_id"]
    check = unpin(check=True)
    assert consumer.info()["priority_groups"][0]["pinned_client_id"] == pinned
    done = unpin()
    assert "pinned_client_id" not in consumer.info()["priority_groups"][0]
    for result in (check, done):
        assert (result["changed"], result["unpinned"]) == (True, pinned)
        assert result["diff"] == done["diff"]
    again = unpin()
    assert (again["changed"], again["unpinned"]) == (False, None)
    refused = unpin(group="none")
    assert refused["failed"] and "it has g, h" in refused["msg"]


def test_older_servers_are_not_asked(nats, unique, reset, unpin, too_old):
    """They would never answer."""
    consumer = Consumer(nats, unique)
    for run, module, since in (
        (reset, jetstream_consumer_reset, "2.14"),
        (unpin, jetstream_consumer_unpin, "2.11"),
    ):
        for check in (True, False):
            result = run(check=check, timeout="500ms", retry_for="0s")
            text = f"needs nats-server {since} or newer, this is {nats.info['version']}"
            assert (text in str(result.get("msg"))) is too_old(module), result
    assert consumer.place()["num_pending"] == 17
