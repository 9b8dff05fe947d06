# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For how long a server knows what a restore would make it forget, and what a stream does then."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _drain
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Server

SECOND = 10**9
SERVER = Server((2, 15, 1), False)


def info(config=None, last="12:00:00", now="12:00:30", last_seq=4):
    """An INFO answer of a stream with a window of a minute, half of which is over."""
    return {
        "config": {"subjects": ["s.>"], "duplicate_window": 60 * SECOND, **(config or {})},
        "state": {"messages": 0, "last_seq": last_seq, "last_ts": f"2030-01-01T{last}Z"},
        "ts": f"2030-01-01T{now}Z",
    }


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (info(), 30.5),
        (info(now="12:00:00"), 60.5),
        (info(now="12:01:00.4"), 0.1),
        (info(now="12:01:00.5"), 0),
        (info(now="13:00:00"), 0),
        (info(last="12:00:01", now="12:00:00"), 61.5),  # clocks differ
        (info(last_seq=0), 0),
        (info({"subjects": None, "sources": [{"name": "O"}]}), 0),
        (info({"subjects": None, "mirror": {"name": "O"}}), 0),
        (info({"sealed": True}), 0),
        (info({"duplicate_window": 0}), 0),
    ],
)
def test_remaining(found, left):
    assert _drain.remaining(found, SERVER) == pytest.approx(left)


def test_servers():
    """A server is not held for one that may be old; a stream behind a domain tells which it has."""
    for release, left in (((2, 9, 10), 0), ((2, 14, 9), 0), ((2, 15, 0), 30.5), (None, 0)):
        assert _drain.remaining(info(), Server(release, False)) == left
    for version, left in (("2.14.9", 0), ("2.15.1", 30.5), ("2.16.0-RC.1", 30.5), ("odd", 0)):
        found = info({"metadata": {"_nats.ver": version}})
        assert _drain.remaining(found, Server(None)) == left
        assert _drain.remaining(found, Server((2, 14, 0))) == left


def test_obstacles():
    """Above all, 2.9 must not be told to take nothing: it would remove all that it has."""
    assert not _drain.obstacle({})
    assert "counter" in _drain.obstacle({"allow_msg_counter": True})
    assert "schedules" in _drain.obstacle({"allow_msg_schedules": True})
    assert not _drain.danger({"metadata": {"_nats.ver": "2.15.1"}})
    for old in ({}, {"metadata": {"a": "b"}}, {"metadata": None}):
        assert "older than 2.11" in _drain.danger(old)


def test_holding():
    """Nothing that is stored is touched: no limit removes with discard=new."""
    limits = {"max_bytes": 5, "max_msgs": 7, "discard": "old", "max_msgs_per_subject": 3}
    one = {**limits, "num_replicas": 1, "discard_new_per_subject": True}
    assert _drain.holding(one) == {
        **one,
        "discard": "new",
        "max_bytes": 1,
        "max_msgs_per_subject": -1,
        "discard_new_per_subject": False,
    }
    three = {**limits, "num_replicas": 3}
    assert _drain.holding(three) == {**three, "discard": "new", "max_bytes": 1}


def test_a_whole_window_of_five_minutes_is_waited_for():
    found = info({"duplicate_window": 300 * SECOND}, now="12:00:00")
    assert not _drain.is_too_long(_drain.remaining(found, SERVER))
    found = info({"duplicate_window": 301 * SECOND}, now="12:00:00")
    assert _drain.is_too_long(_drain.remaining(found, SERVER))


@pytest.mark.parametrize(
    ("config", "necessary", "accepted"),
    [
        ({}, 30.5, 30.5),
        ({"allow_msg_counter": True}, 30.5, 0),
        ({"duplicate_window": 3600 * SECOND}, 3570.5, 0),
    ],
)
def test_accepted_is_what_cannot_be_waited_for(config, necessary, accepted):
    for accepts, left in ((False, necessary), (True, accepted)):
        assert _drain.waiting(SERVER, accepts)(info(config)) == pytest.approx(left)


def test_a_wait_that_is_accepted_ends(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(_drain.time, "monotonic", lambda: now[0])
    left = _drain.waiting(SERVER, True)
    now[0] += 290
    assert left(info(now="12:00:55")) == pytest.approx(5.5)
    assert left(info()) == 0
