# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health of what is in order, and of what is not, on real servers of every version."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer_info,
    jetstream_info,
    jetstream_stream_info,
)
from harness.client import Client

SECOND = 10**9


@pytest.fixture
def nats(own_server):
    with Client(own_server.url) as connection:
        yield connection


def problems(health):
    assert health["ok"] is not bool(health["problems"])
    return sorted({(row["problem"], row["about"]) for row in health["problems"]})


def until(ask, wanted, patience=30):
    """Return what is told as soon as it is what is wanted, or after the patience."""
    deadline = time.monotonic() + patience
    while True:
        found = ask()
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def test_mirrors_and_sources_whose_origin_is_gone(nats, run_module):
    for name in ("O", "P"):
        nats.ok(f"STREAM.CREATE.{name}", {"name": name, "subjects": [f"{name}.>"]})
    nats.ok("STREAM.CREATE.M", {"name": "M", "mirror": {"name": "O"}})
    nats.ok("STREAM.CREATE.A", {"name": "A", "sources": [{"name": "O"}, {"name": "P"}]})

    def ask(**thresholds):
        found = run_module(jetstream_stream_info, thresholds=thresholds)["streams"]
        return {row["name"]: problems(row["health"]) for row in found}

    well = {"A": [], "M": [], "O": [], "P": []}
    assert until(ask, well) == well
    nats.ok("STREAM.DELETE.O")

    def silent():
        found = ask(source_silence="3s")
        return {
            name: [row for row in rows if "error" not in row[0]] for name, rows in found.items()
        }

    gone = {"A": [("source_silent", "O")], "M": [("mirror_silent", "O")], "P": []}
    assert until(silent, gone) == gone
    nats.ok("STREAM.CREATE.N", {"name": "N", "mirror": {"name": "O"}})
    never = [("mirror_error", "O"), ("mirror_silent", "O")]
    assert until(lambda: ask()["N"], never) == never
    everything = run_module(jetstream_info, gather_subset=["account", "streams", "consumers"])
    assert {row["stream"] for row in everything["health"]["problems"]} >= {"N"}


def test_a_consumer_with_stuck_acknowledgements(nats, run_module):
    nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s"]})
    config = {"durable_name": "C", "name": "C", "ack_policy": "explicit", "ack_wait": SECOND}
    config["max_ack_pending"] = 20
    nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": config})
    for _number in range(3):
        nats.request("s", b"x")

    def ask(**thresholds):
        options = {"stream": "S", "name": "C", "thresholds": thresholds}
        found = run_module(jetstream_consumer_info, **options)["consumers"]
        return problems(found[0]["health"])

    assert ask() == []
    assert ask(pending=2) == [("pending", None)]
    inbox = nats.subscribe("taken")

    def take():
        body = json.dumps({"batch": 2, "no_wait": True})
        nats.publish("$JS.API.CONSUMER.MSG.NEXT.S.C", body, "taken")
        return [nats.next(inbox) for _number in range(2)]

    take()
    assert ask(ack_silence="1h") == []
    assert ask(fill=10) == [("nearly_full", "max_ack_pending")]
    stuck = [("acks_stuck", None)]
    assert until(lambda: ask(ack_silence="0s"), stuck) == stuck
    for message in take():  # the wait is over, so both come again
        assert message.reply.split(".")[4] == "2"
    assert ask() == [("redelivered", None)]
    assert ask(redelivered=2) == []


def test_limits_that_are_nearly_reached(nats, run_module):
    config = {"name": "S", "subjects": ["s"], "max_msgs": 4, "discard": "new"}
    nats.ok("STREAM.CREATE.S", config)
    nats.ok("STREAM.CREATE.ROLLS", {"name": "ROLLS", "subjects": ["r"], "max_msgs": 1})
    for subject in ("s", "s", "s", "r"):
        nats.request(subject, b"x")

    def ask(**thresholds):
        found = run_module(jetstream_stream_info, thresholds=thresholds)["streams"]
        return {row["name"]: problems(row["health"]) for row in found}

    assert ask() == {"ROLLS": [], "S": []}
    assert ask(fill=75) == {"ROLLS": [], "S": [("nearly_full", "max_msgs")]}
    health = run_module(jetstream_info, gather_subset=["account", "streams"])["health"]
    assert health == {"ok": True, "problems": []}


@pytest.mark.parametrize("module", [jetstream_stream_info, jetstream_consumer_info, jetstream_info])
def test_thresholds_are_looked_at(module, run_module):
    options = {"stream": "S"} if module is jetstream_consumer_info else {}
    wrong = run_module(module, thresholds={"fill": 0, "replica_lag": -1}, **options)
    assert sorted(problem["place"] for problem in wrong["problems"]) == [
        "thresholds.fill",
        "thresholds.replica_lag",
    ]
