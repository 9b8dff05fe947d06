# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pausing consumers, which no update does: servers ignore pause_until after the creation."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer

PAUSES = (2, 11)
FUTURE = "2099-06-01T12:00:00Z"
SAME = ["2099-06-01T14:00:00+02:00", "2099-06-01T12:00:00.000Z", "2099-06-01 12:00:00Z"]
LATER = "2099-06-01T12:00:00.000000001Z"
PAST = "2001-01-01T00:00:00Z"


@pytest.fixture
def pause(account, run_module):
    """Run a task for the consumer C, which is there."""
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C", description="d", max_deliver=7)

    def run(*reset, name="C", **args):
        return run_module(jetstream_consumer, stream="S", name=name, reset=list(reset), **args)

    return run


def paused(account, name="C"):
    info = account.info("S", name)
    return bool(info.get("paused")), info["config"].get("pause_until")


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def old(account, pause, **args):
    """A server that knows no pauses: refused by name, and nothing moves."""
    if account.release >= PAUSES:
        return False
    before = account.info("S", "C")
    for check in (True, False):
        result = pause(**args, check=check)
        assert result.get("failed"), result
        assert [problem["place"] for problem in result["problems"]] == ["pause_until"]
    assert account.info("S", "C")["config"] == before["config"]
    return True


def foretold(account, pause, *reset, **args):
    before = account.info("S", "C")["config"]
    check = pause(*reset, **args, check=True)
    assert check.get("changed") is True, check
    assert account.info("S", "C")["config"] == before
    done = pause(*reset, **args)
    for key in ("changed", "action", "changes", "diff", "declaration"):
        assert check.get(key) == done.get(key), key
    again = pause(*reset, **args)
    assert again["changed"] is False, again["changes"]
    return done


def test_pause(account, pause):
    if old(account, pause, pause_until=FUTURE):
        return
    before = account.stored("S", "C")
    done = foretold(account, pause, pause_until=FUTURE)
    assert done["changes"] == [{"option": "pause_until", "before": None, "after": FUTURE}]
    assert done["declaration"]["pause_until"] == FUTURE
    assert paused(account) == (True, FUTURE)
    after = account.stored("S", "C")
    assert after.pop("pause_until") == FUTURE
    assert after == before


@pytest.mark.parametrize("same", SAME)
def test_the_same_instant_is_no_change(same, account, pause):
    if old(account, pause, pause_until=same):
        return
    pause(pause_until=FUTURE)
    for check in (True, False):
        assert pause(pause_until=same, check=check)["changed"] is False
    assert paused(account) == (True, FUTURE)
    foretold(account, pause, pause_until=LATER)
    assert instant(paused(account)[1][:19] + "Z") == instant(FUTURE)
    assert paused(account) == (True, LATER)


def test_reset_resumes(account, pause):
    for check in (True, False):
        assert pause("pause_until", check=check)["changed"] is False
    if old(account, pause, pause_until=FUTURE):
        return
    pause(pause_until=FUTURE)
    done = foretold(account, pause, "pause_until")
    assert done["changes"] == [{"option": "pause_until", "before": FUTURE, "after": None}]
    assert paused(account) == (False, None)


def test_a_past_time_is_no_pause(account, pause):
    for check in (True, False):
        assert pause(pause_until=PAST, check=check).get("changed") is False
    assert paused(account) == (False, None)
    if account.release < PAUSES:
        return
    pause(pause_until=FUTURE)
    done = foretold(account, pause, pause_until=PAST)
    assert done["action"] == "update"
    assert paused(account)[0] is False
    # Nor is it when the server keeps it, and whoever said it.
    account.ok("CONSUMER.PAUSE.S.C", {"pause_until": PAST})
    assert paused(account) == (False, PAST)
    for args in ({"pause_until": PAST}, {"pause_until": "2002-01-01T00:00:00Z"}, {}):
        assert pause(**args)["changed"] is False
    assert pause("pause_until")["changed"] is False
    whole = {"ack_policy": "explicit", "description": "d", "max_deliver": 7}
    assert pause(update="replace", **whole)["changed"] is False


def test_an_update_keeps_the_pause(account, pause):
    if old(account, pause, pause_until=FUTURE):
        return
    pause(pause_until=FUTURE)
    foretold(account, pause, max_deliver=8)
    assert paused(account) == (True, FUTURE)
    assert account.stored("S", "C")["max_deliver"] == 8


def test_pause_along_with_an_update(account, pause):
    if old(account, pause, pause_until=FUTURE, max_deliver=8):
        return
    done = foretold(account, pause, pause_until=FUTURE, max_deliver=8)
    assert {row["option"] for row in done["changes"]} == {"pause_until", "max_deliver"}
    assert paused(account) == (True, FUTURE)
    assert account.stored("S", "C")["max_deliver"] == 8
    done = foretold(account, pause, "pause_until", max_deliver=9)
    assert paused(account) == (False, None)
    assert account.stored("S", "C")["max_deliver"] == 9


def test_update_replace_resumes(account, pause):
    if old(account, pause, pause_until=FUTURE):
        return
    pause(pause_until=FUTURE)
    args = {"ack_policy": "explicit", "description": "d", "max_deliver": 7, "update": "replace"}
    done = foretold(account, pause, **args)
    assert [row["option"] for row in done["changes"]] == ["pause_until"]
    assert paused(account) == (False, None)


def test_created_paused(account, pause):
    if account.release < PAUSES:
        for check in (True, False):
            result = pause(name="N", pause_until=FUTURE, check=check)
            assert result.get("failed") and result["problems"][0]["place"] == "pause_until"
        assert account.info("S", "N") is None
        return
    zoned = SAME[0]
    check = pause(name="N", pause_until=zoned, check=True)
    done = pause(name="N", pause_until=zoned)
    assert check["declaration"] == done["declaration"]
    assert done["action"] == "create"
    state, until = paused(account, "N")
    assert state and instant(until) == instant(FUTURE)
    assert pause(name="N", pause_until=FUTURE)["changed"] is False


def test_recreated_paused(account, pause):
    if old(account, pause, pause_until=FUTURE):
        return
    pause(pause_until=FUTURE)
    done = foretold(account, pause, max_waiting=5, recreate="always")
    assert done["action"] == "recreate"
    assert paused(account) == (True, FUTURE)
