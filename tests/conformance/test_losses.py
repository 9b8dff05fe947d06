# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task says it would delete, against what the server really deleted."""

from __future__ import annotations

import time

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream

HOUR = 3600 * 10**9
COLUMNS = ((2, 9), (2, 10), (2, 15))
ONE = ["s.a"] * 10
TWO = ["s.a", "s.b"] * 5
NEW = {"discard": "new"}

# What the stream was made with, what it got, the task, and how many messages the server deletes
# (of 2.9.10, 2.10.27 and 2.15.1 where they differ). None: it is not known beforehand, at_most is.
ROWS = {
    "max_msgs": ({}, ONE, {"max_msgs": 4}, 6),
    "max_msgs_two_subjects": ({}, TWO, {"max_msgs": 4}, 6),
    "max_msgs_lower": ({"max_msgs": 20}, ONE, {"max_msgs": 9}, 1),
    "max_msgs_not_reached": ({"max_msgs": 20}, ONE, {"max_msgs": 10}, 0),
    "max_msgs_raised": ({"max_msgs": 20}, ONE, {"max_msgs": 30}, 0),
    "max_msgs_discard_new": (NEW, ONE, {"max_msgs": 4}, (6, 0, 0)),
    "max_msgs_and_discard_new": ({}, ONE, {"max_msgs": 4, "discard": "new"}, (6, 0, 0)),
    "max_msgs_and_discard_old": (NEW, ONE, {"max_msgs": 4, "discard": "old"}, 6),
    "max_bytes": ({}, ONE, {"max_bytes": 200}, None),
    "max_bytes_not_reached": ({}, ONE, {"max_bytes": "1MiB"}, 0),
    "max_bytes_discard_new": (NEW, ONE, {"max_bytes": 200}, (None, 0, 0)),
    "max_msgs_and_bytes": ({}, ONE, {"max_bytes": 200, "max_msgs": 9}, None),
    "max_age": ({}, ONE, {"max_age": "100ms"}, 10),
    "max_age_lower": ({"max_age": 2 * HOUR}, ONE, {"max_age": "1h"}, 0),
    "per_subject": ({}, ONE, {"max_msgs_per_subject": 4}, 6),
    "per_subject_two": ({}, TWO, {"max_msgs_per_subject": 2}, None),
    "per_subject_not_reached": ({}, ONE, {"max_msgs_per_subject": 10}, 0),
    "per_subject_discard_new": (NEW, ONE, {"max_msgs_per_subject": 4}, 6),
    "max_msg_size": ({}, ONE, {"max_msg_size": 1}, 0),
    "nothing_stored": ({}, [], {"max_msgs": 4, "max_bytes": 200, "max_age": "100ms"}, 0),
}
# Where the setting does not tell the number, or older servers take their time: with max_msgs_per_
# subject they delete when the next message of the subject comes, or when they start again.
REALLY = {
    "max_bytes": 6,
    "max_bytes_discard_new": (6, 0, 0),
    "max_msgs_and_bytes": 6,
    "per_subject": (0, 0, 6),
    "per_subject_two": (0, 0, 6),
    "per_subject_discard_new": (0, 0, 6),
}


def column(account, value):
    if not isinstance(value, tuple):
        return value
    return value[max(n for n, line in enumerate(COLUMNS) if line <= account.release)]


def settled(account, expected):
    """Return how many messages are there, as soon as it is the expected number."""
    deadline = time.monotonic() + 3
    while account.state("S")["messages"] != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    return account.state("S")["messages"]


@pytest.mark.parametrize("name", ROWS)
def test_smaller_limits(name, account, run_module):
    config, messages, options, row = ROWS[name]
    foretold = column(account, row)
    real = column(account, REALLY.get(name, row))
    loses = foretold != 0
    account.stream("S", subjects=["s.>"], **config)
    account.store(*messages, data="0123456789")
    if "max_age" in options and loses:
        time.sleep(0.15)  # else they are younger than it
    before = account.info("S")["config"]
    if loses:
        for check in (True, False):
            result = run_module(
                jetstream_stream, name="S", **options, data_loss="forbid", check=check
            )
            assert result.get("failed") and result["would_lose"], result
            assert account.info("S")["config"] == before
        assert account.state("S")["messages"] == len(messages)
    policy = {} if loses else {"data_loss": "forbid"}
    check = run_module(jetstream_stream, name="S", **options, **policy, check=True)
    assert account.state("S")["messages"] == len(messages)
    done = run_module(jetstream_stream, name="S", **options, **policy)
    assert done.get("changed"), done
    lost = check.get("would_lose")
    assert lost == done.get("would_lose")
    assert check["warnings"] == done["warnings"]
    assert settled(account, len(messages) - real) == len(messages) - real
    assert bool(lost) == loses
    if not lost:
        assert not done["warnings"]
        return
    assert len(done["warnings"]) == 1
    assert lost["messages"] in (foretold, None)
    assert real <= lost["messages_at_most"] <= len(messages)
    assert str(lost["messages"] or lost["messages_at_most"]) in done["warnings"][0]
    # The second run has nothing to do, and nothing to lose.
    again = run_module(jetstream_stream, name="S", **options, data_loss="forbid")
    assert again["changed"] is False and "would_lose" not in again


INTEREST = {"name": "S", "retention": "interest"}


@pytest.mark.parametrize("policy", [{}, {"data_loss": "warn"}, {"data_loss": "forbid"}])
def test_interest_without_a_consumer_is_refused(policy, account, run_module):
    account.stream("S", subjects=["s.>"])
    account.store(*ONE)
    before = account.info("S")["config"]
    for check in (True, False):
        result = run_module(jetstream_stream, **INTEREST, **policy, check=check)
        assert result.get("failed"), result
        assert result["would_lose"]["messages_at_most"] == 10 or result["immutable"]
        assert account.info("S")["config"] == before
        assert account.state("S")["messages"] == 10


def test_interest_without_a_consumer_can_be_allowed(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.store(*ONE)
    args = {**INTEREST, "data_loss": "allow"}
    check = run_module(jetstream_stream, **args, check=True)
    assert account.state("S")["messages"] == 10
    done = run_module(jetstream_stream, **args)
    if account.release < (2, 10):
        assert check["immutable"] and done["immutable"]  # 2.9 changes no retention
        return
    assert check.get("would_lose") == done.get("would_lose")
    assert done["would_lose"]["messages_at_most"] == 10
    # 2.10 keeps them all, and so they are lost by chance only: with the next restart, say.
    assert settled(account, column(account, (10, 10, 0))) == column(account, (10, 10, 0))


def test_interest_with_a_consumer_warns(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C", filter_subject="s.a")
    account.store(*TWO)
    check = run_module(jetstream_stream, **INTEREST, check=True)
    done = run_module(jetstream_stream, **INTEREST)
    if account.release < (2, 10):
        assert check["immutable"] and done["immutable"]
        return
    assert done.get("changed"), done
    assert check["would_lose"] == done["would_lose"]
    lost = done["would_lose"]
    assert lost["messages"] is None and lost["messages_at_most"] == 10
    assert done["warnings"] == check["warnings"] != []
    assert account.state("S")["messages"] >= 5  # what the consumer wants stays


def test_interest_without_messages_loses_nothing(account, run_module):
    account.stream("S", subjects=["s.>"])
    done = run_module(jetstream_stream, **INTEREST, data_loss="forbid")
    if account.release < (2, 10):
        assert done["immutable"]
        return
    assert done.get("changed") and "would_lose" not in done and not done["warnings"]
    back = run_module(jetstream_stream, name="S", retention="limits", data_loss="forbid")
    assert back.get("changed") and "would_lose" not in back


# --------------------------------------------------------------------------------------------------
# Absent
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("messages, consumers", [(0, 0), (3, 0), (0, 2), (3, 2)], ids=str)
def test_absent_stream(messages, consumers, account, run_module):
    account.stream("S", subjects=["s.>"])
    for number in range(consumers):
        account.consumer("S", f"C{number}")
    account.store(*["s.a"] * messages)
    args = {"name": "S", "state": "absent"}
    if messages or consumers:
        for check in (True, False):
            result = run_module(jetstream_stream, **args, data_loss="forbid", check=check)
            assert result.get("failed"), result
            lost = result["would_lose"]
            assert (lost["messages"], lost["consumers"]) == (messages, consumers)
            assert account.state("S")["messages"] == messages
    policy = {} if messages or consumers else {"data_loss": "forbid"}
    check = run_module(jetstream_stream, **args, **policy, check=True)
    assert account.info("S") is not None
    done = run_module(jetstream_stream, **args, **policy)
    assert account.info("S") is None
    for result in (check, done):
        assert (result["changed"], result["action"]) == (True, "delete")
        lost = result.get("would_lose") or {"messages": 0, "messages_at_most": 0, "consumers": 0}
        assert (lost["messages"], lost["messages_at_most"]) == (messages, messages)
        assert lost["consumers"] == consumers
    assert check["diff"] == done["diff"]
    for check_mode in (True, False):
        again = run_module(jetstream_stream, **args, data_loss="forbid", check=check_mode)
        assert (again["changed"], again["action"]) == (False, "none")


def test_absent_consumer(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C")
    account.store(*ONE)
    args = {"stream": "S", "name": "C", "state": "absent"}
    for check in (True, False):
        result = run_module(jetstream_consumer, **args, data_loss="forbid", check=check)
        assert result.get("failed"), result
        assert result["would_lose"]["place"]["num_pending"] == 10
        assert account.info("S", "C") is not None
    check = run_module(jetstream_consumer, **args, check=True)
    assert account.info("S", "C") is not None
    done = run_module(jetstream_consumer, **args)
    assert account.info("S", "C") is None
    assert check["would_lose"] == done["would_lose"]
    assert account.state("S")["messages"] == 10
    assert run_module(jetstream_consumer, **args)["changed"] is False


def test_absent_consumer_that_nobody_used(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C")
    args = {"stream": "S", "name": "C", "state": "absent", "data_loss": "forbid"}
    assert run_module(jetstream_consumer, **args)["action"] == "delete"
    assert account.info("S", "C") is None


@pytest.mark.parametrize("retention", ["interest", "workqueue"])
def test_absent_consumer_takes_messages_along(retention, account, run_module):
    """On an interest stream what only this consumer kept goes with it, and is counted."""
    account.stream("S", subjects=["s.>"], retention=retention)
    account.consumer("S", "C")
    account.store(*ONE)
    args = {"stream": "S", "name": "C", "state": "absent"}
    check = run_module(jetstream_consumer, **args, check=True)
    assert account.state("S")["messages"] == 10
    done = run_module(jetstream_consumer, **args)
    assert check["would_lose"] == done["would_lose"]
    left = settled(account, 0 if retention == "interest" else 10)
    assert left == (0 if retention == "interest" else 10)
    assert done["would_lose"]["messages_at_most"] >= 10 - left
