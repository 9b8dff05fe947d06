# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stream that is full of consumers: said before anything is lost, and in check mode at all."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer
from harness.tap import Tap

FULL = "would have 3 consumers, and max_consumers allows 2 (err_code 10026)"


@pytest.fixture
def full(account):
    """A stream with as many consumers as it takes; that of its mirror does not count."""
    account.stream("S", subjects=["s.>"], max_consumers=2)
    account.stream("M", mirror={"name": "S"})
    account.consumer("S", "A")
    account.consumer("S", "B", durable_name=None, inactive_threshold=10**12)
    return account


def consumers(account):
    listed = account.ok("CONSUMER.LIST.S")["consumers"]
    return {one["name"]: (one["created"], one["config"]) for one in listed}


def run(account, run_module, **args):
    """Return the results of check mode and of the run, and what each has sent."""
    out = []
    for check in (True, False):
        with Tap(account.server.url) as tap:
            result = run_module(jetstream_consumer, stream="S", check=check, **args)
            out += [result, tap.subjects()]
    return out


def test_one_too_many(full, run_module):
    before = consumers(full)
    check, looked, result, sent = run(full, run_module, name="C")
    assert check["failed"] and FULL in check["msg"]
    assert [row["place"] for row in check["problems"]] == ["stream"]
    assert looked[1:] == ["$JS.API.STREAM.INFO.S"]
    # A run asks nothing more for it, as the server says the same.
    assert result["failed"] and result["err_code"] == 10026
    assert len(sent) == 2 and sent[1].startswith("$JS.API.CONSUMER.CREATE.S.C")
    assert consumers(full) == before


def test_one_too_many_where_the_stream_is_read_anyway(full, run_module):
    before = consumers(full)
    check, _looked, result, sent = run(full, run_module, name="C", ack_policy="none")
    assert check["msg"] == result["msg"] and FULL in result["msg"]
    assert sent[1:] == ["$JS.API.STREAM.INFO.S"]
    assert consumers(full) == before


@pytest.mark.parametrize("described", [None, "other"], ids=["as it is", "changed"])
def test_one_that_is_there_already(described, full, run_module):
    check, _looked, result, _sent = run(full, run_module, name="A", description=described)
    assert check["changed"] is result["changed"] is bool(described)


def test_one_in_place_of_another(full, run_module):
    args = {"name": "A", "ack_policy": "all", "recreate": "if_empty"}
    check, _looked, result, _sent = run(full, run_module, **args)
    assert check["action"] == result["action"] == "recreate"
    assert consumers(full)["A"][1]["ack_policy"] == "all"


def test_the_last_one(full, run_module):
    full.ok("CONSUMER.DELETE.S.B")
    check, _looked, result, _sent = run(full, run_module, name="C")
    assert check["changed"] is result["changed"] is True
    assert check["changes"] == result["changes"]
    assert sorted(consumers(full)) == ["A", "C"]


def test_one_that_could_not_come_back(full, run_module):
    """From 2.12.5 on the number can be lowered below the consumers that are there."""
    if full.release < (2, 12, 5):
        pytest.skip("older servers do not change max_consumers")
    config = full.ok("STREAM.INFO.S")["config"]
    full.ok("STREAM.UPDATE.S", {**config, "max_consumers": 1})
    before = consumers(full)
    args = {"name": "A", "ack_policy": "all", "recreate": "always"}
    check, _looked, result, _sent = run(full, run_module, **args)
    text = "would have 2 consumers, and max_consumers allows 1 (err_code 10026)"
    assert check["msg"] == result["msg"] and text in result["msg"]
    assert consumers(full) == before


def test_what_the_stream_says_is_foretold_with_it(full, run_module):
    """Check mode reads the stream anyway, and then all of it counts."""
    target = {"deliver_subject": "s.cycle"}
    check, _looked, result, _sent = run(full, run_module, name="C", **target)
    assert FULL in check["msg"] and "would make a cycle" in check["msg"]
    assert result["err_code"] in (10026, 10081)
