# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a problem and what is none, from answers as servers send them."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _health, _leaders
from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Server

SECOND = 10**9
STRICT = _health.Thresholds()
GOOD = {"name": "n2", "current": True, "active": 0}
CLUSTER = {"name": "test", "leader": "n1", "replicas": [GOOD, {**GOOD, "name": "n3"}]}
CONFIG = {"name": "S", "retention": "limits", "discard": "old", "num_replicas": 3}
STATE = {"messages": 0, "bytes": 0, "consumer_count": 0}


def stream(cluster=None, config=None, state=None, **more):
    return {
        "config": {**CONFIG, **(config or {})},
        "state": {**STATE, **(state or {})},
        "cluster": {**CLUSTER, **(cluster or {})},
        **more,
    }


def consumer(config=None, **more):
    return {
        "stream_name": "S",
        "name": "C",
        "config": {"ack_wait": 30 * SECOND, "max_ack_pending": 1000, **(config or {})},
        "ts": "2026-01-01T00:10:00Z",
        "delivered": {"stream_seq": 5, "last_active": "2026-01-01T00:00:00Z"},
        "ack_floor": {"stream_seq": 5, "last_active": "2026-01-01T00:00:00Z"},
        **more,
    }


def told(health):
    assert health["ok"] is not bool(health["problems"])
    return [(row["problem"], row["about"], row["value"]) for row in health["problems"]]


def replicas(*rows):
    return {"replicas": list(rows)}


@pytest.mark.parametrize(
    ("info", "problems"),
    [
        (stream(), []),
        ({"config": CONFIG, "state": STATE}, []),  # 2.9, standalone
        ({"config": CONFIG, "state": STATE, "cluster": {"leader": "nats"}}, []),  # since 2.10
        (stream({"leader": ""}), [("no_leader", None, None)]),
        (
            stream(replicas(GOOD, {"name": "n3", "current": False, "offline": True})),
            [("replica_offline", "n3", None)],
        ),
        (
            stream(replicas(GOOD, {"name": "n3", "current": False, "lag": 7})),
            [("replica_not_current", "n3", 7)],
        ),
        (stream(replicas(GOOD, {**GOOD, "name": "n3", "lag": 1000})), []),
        (
            stream(replicas(GOOD, {**GOOD, "name": "n3", "lag": 1001})),
            [("replica_lag", "n3", 1001)],
        ),
        (stream(replicas(GOOD)), [("replicas_missing", None, 2)]),
        (stream(mirror={"name": "O", "lag": 0, "active": SECOND}), []),
        (stream(mirror={"name": "O", "lag": 0, "active": -1}), [("mirror_silent", "O", -1)]),
        (
            stream(
                sources=[
                    {"name": "O", "lag": 1001, "active": 0},
                    {"name": "P", "lag": 0, "active": 61 * SECOND},
                    {"name": "Q", "error": {"description": "stream not found"}},
                ]
            ),
            [
                ("source_lag", "O", 1001),
                ("source_silent", "P", 61 * SECOND),
                ("source_error", "Q", None),
            ],
        ),
        # It deletes its oldest messages, and so is full as a rule.
        (stream(config={"max_msgs": 10}, state={"messages": 10}), []),
        (
            stream(config={"max_msgs": 10, "discard": "new"}, state={"messages": 9}),
            [("nearly_full", "max_msgs", 9)],
        ),
        (stream(config={"max_msgs": 10, "discard": "new"}, state={"messages": 8}), []),
        (
            stream(config={"max_bytes": 100, "retention": "workqueue"}, state={"bytes": 95}),
            [("nearly_full", "max_bytes", 95)],
        ),
        (
            stream(config={"max_consumers": 2}, state={"consumer_count": 2}),
            [("nearly_full", "max_consumers", 2)],
        ),
        (stream(config={"max_msgs": -1, "discard": "new"}, state={"messages": 10**9}), []),
    ],
)
def test_streams(info, problems):
    health = _health.of_stream(info, STRICT)
    assert told(health) == problems
    assert all(row["stream"] == "S" and "stream S: " in row["text"] for row in health["problems"])


@pytest.mark.parametrize(
    ("info", "problems"),
    [
        (consumer(), []),
        (consumer(num_pending=10**6), []),
        (consumer(num_redelivered=1), [("redelivered", None, 1)]),
        # Ten minutes without a delivery or an acknowledgement.
        (consumer(num_ack_pending=1), [("acks_stuck", None, 600 * SECOND)]),
        (consumer({"ack_wait": 900 * SECOND}, num_ack_pending=1), []),
        (consumer({"backoff": [SECOND, 900 * SECOND]}, num_ack_pending=1), []),
        (
            consumer(num_ack_pending=1, delivered={"last_active": "2026-01-01T00:09:59Z"}),
            [],
        ),
        (consumer(num_ack_pending=1, delivered={}, ack_floor={}), []),
        (
            consumer({"max_ack_pending": 10, "ack_wait": 3600 * SECOND}, num_ack_pending=9),
            [("nearly_full", "max_ack_pending", 9)],
        ),
        (consumer({"max_waiting": 512}, num_waiting=500), [("nearly_full", "max_waiting", 500)]),
        (consumer(cluster={"name": "test"}), [("no_leader", None, None)]),
    ],
)
def test_consumers(info, problems):
    health = _health.of_consumer(info, STRICT)
    assert told(health) == problems
    for row in health["problems"]:
        assert (row["stream"], row["consumer"]) == ("S", "C")
        assert row["text"].startswith("consumer C of stream S: ")


def test_a_server_that_does_not_tell_the_time():
    info = consumer(num_ack_pending=1)
    del info["ts"]
    assert told(_health.of_consumer(info, STRICT))[0][0] == "acks_stuck"


def test_thresholds_are_what_counts():
    lax = _health.Thresholds(10, 100, 10, 10 * SECOND, 5, 3, 900 * SECOND)
    lagging = stream(replicas(GOOD, {**GOOD, "name": "n3", "lag": 11}))
    assert told(_health.of_stream(lagging, lax)) == [("replica_lag", "n3", 11)]
    full = stream(config={"max_msgs": 10, "discard": "new"}, state={"messages": 9})
    assert told(_health.of_stream(full, lax)) == []
    busy = consumer(num_ack_pending=1, num_redelivered=3, num_pending=6)
    assert told(_health.of_consumer(busy, lax)) == [("pending", None, 6)]


def test_accounts():
    limits = {"max_memory": -1, "max_storage": 1000, "max_streams": 10, "max_consumers": 2}
    account = {"memory": 10**9, "storage": 950, "streams": 3, "consumers": 9, "limits": limits}
    assert told(_health.of_account(account, STRICT)) == [("nearly_full", "max_storage", 950)]
    tiers = {"R3": {"storage": 10, "streams": 9, "limits": {"max_streams": 9}}}
    found = _health.of_account({**account, "storage": 0, "tiers": tiers}, STRICT)
    assert told(found) == [("nearly_full", "R3 max_streams", 9)]


def test_what_is_wrong_with_thresholds():
    problems = []
    given = {"fill": 101, "replica_lag": -1, "source_silence": "soon", "pending": None}
    _health.read_thresholds({"thresholds": given}, problems)
    assert sorted(problem.place for problem in problems) == [
        "thresholds.fill",
        "thresholds.replica_lag",
        "thresholds.source_silence",
    ]


def test_defaults_are_those_of_the_options():
    spec = _health.thresholds_spec(streams=True, consumers=True)["thresholds"]["options"]
    params = {name: option.get("default") for name, option in spec.items()}
    assert _health.read_thresholds({"thresholds": params}, []) == STRICT


@pytest.mark.parametrize(
    ("leader", "others", "preferred", "text"),
    [
        ("n1", [GOOD], "n2", None),
        ("n1", [GOOD], None, None),
        (None, [GOOD], None, "there is none"),
        ("n1", [], None, "single replica, on n1"),
        ("n1", [GOOD], "n9", "n9 is not one of its servers, n1, n2"),
        ("n1", [{**GOOD, "current": False}], "n2", "n2 is offline or behind"),
        ("n1", [{**GOOD, "offline": True}], None, "all its other servers are offline"),
    ],
)
def test_who_could_lead(leader, others, preferred, text):
    led = _leaders.Led("stream S", leader, {one["name"]: one for one in others})
    if text is None:
        _leaders.check(led, preferred, Server((2, 15, 0), True))
        return
    with pytest.raises(Refused, match=text):
        _leaders.check(led, preferred, Server((2, 15, 0), True))


def test_older_servers_take_no_preferred_one():
    led = _leaders.Led("stream S", "n1", {"n2": GOOD})
    with pytest.raises(Refused, match="needs nats-server 2"):
        _leaders.check(led, "n2", Server((2, 10, 27), True))
    _leaders.check(led, None, Server((2, 10, 27), True))
    _leaders.check(led, "n2", Server())  # behind a domain: the server decides
