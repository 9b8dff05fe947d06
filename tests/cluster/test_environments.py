# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments in a cluster: a few moves at a time, and none while a server is down."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_environment
from harness import client, collection, servers, sizes

NAMES = [f"S{number}" for number in range(5)]
PATIENCE = {"retry_for": "120s", "wait_timeout": "120s", "timeout": "20s"}


@pytest.fixture
def cluster(newest_server):
    with servers.Cluster(binary=newest_server.binary) as running:
        yield running


@pytest.fixture
def nats(cluster):
    with client.Client(cluster.urls[0], timeout=30) as connection:
        yield connection


def declare(urls, **args):
    return collection.run_module(jetstream_environment, servers=urls, **{**PATIENCE, **args})


def streams(replicas, names=NAMES, **more):
    return [
        {"name": name, "subjects": [name.lower()], "num_replicas": replicas, **more}
        for name in names
    ]


def at_once(nats, number):
    """Return how many streams were being moved at the same time at most, by the requests.

    A move begins with its UPDATE and ends with the last INFO by which it was waited for, or at
    once when its answer was good enough.
    """
    nats.flush()
    seen = [message.subject.split(".")[2:] for message in nats._waiting[number]]
    begin, end = {}, {}
    for place, words in enumerate(seen):
        if words[:2] == ["STREAM", "UPDATE"]:
            begin[words[2]] = end[words[2]] = place
        elif words[:2] == ["STREAM", "INFO"] and words[2] in begin:
            end[words[2]] = place
    assert sorted(begin) == NAMES
    moving = Counter(place for name in NAMES for place in range(begin[name], end[name] + 1))
    return max(moving.values())


def misses_one(nats):
    """Say whether a replica has been silent for a while; a server may still call it current."""
    replicas = nats.ok("STREAM.INFO.THREE")["cluster"].get("replicas", [])
    return any(not one["current"] or one.get("active", 0) > 6 * 10**9 for one in replicas)


@pytest.mark.parametrize("most", sizes.size([2], [1, 2]))
def test_so_many_move_at_the_same_time(cluster, nats, most):
    made = declare(cluster.urls, streams=streams(1))
    assert not made.get("failed"), made
    number = nats.subscribe("$JS.API.>")
    nats.flush()
    moved = declare(cluster.urls, streams=streams(3), max_moves=most, wait=False)
    assert not moved.get("failed"), moved
    assert moved["summary"]["updated"] == len(NAMES)
    # One more than may move are in sight when one begins as another ends.
    assert at_once(nats, number) <= most
    for name in NAMES:
        replicas = nats.ok(f"STREAM.INFO.{name}")["cluster"]["replicas"]
        assert len(replicas) == 2 and all(one["current"] for one in replicas)
    assert declare(cluster.urls, streams=streams(3))["plan"] == []


def test_what_is_not_done_while_a_server_is_down(cluster, nats):
    made = declare(
        cluster.urls,
        owner="shop",
        streams=[*streams(3, ["THREE", "FOUR"]), *streams(1, ["ONE"])],
    )
    assert not made.get("failed"), made
    at = nats.ok("STREAM.INFO.ONE")["cluster"]["leader"]
    down = next(server for server in cluster.servers if server.name == at)
    others = [server.url for server in cluster.servers if server is not down]
    down.kill()
    # The stream on it is not known to anybody now: nothing is pruned, and nothing else changed.
    pruned = declare(
        others,
        owner="shop",
        prune="owned",
        prune_nonempty=True,
        streams=streams(3, ["THREE", "FOUR"]),
    )
    assert pruned["failed"] and not pruned["changed"]
    assert "nothing is pruned while servers are down" in pruned["msg"]
    assert "ONE" in pruned["msg"]
    # A stream that misses a replica is not moved.
    with client.Client(others[0], timeout=30) as connection:
        while not misses_one(connection):
            time.sleep(0.2)
    fewer = declare(others, streams=streams(1, ["THREE"]), wait_timeout="2s")
    assert fewer["failed"] and not fewer["changed"]
    assert "stream THREE was not moved" in fewer["msg"]
    with client.Client(others[0], timeout=30) as connection:
        assert connection.ok("STREAM.INFO.THREE")["config"]["num_replicas"] == 3
    # Each entry says for itself whether it is waited for, and how long.
    older = [
        *streams(3, ["THREE"], max_age="1h", wait=False),
        *streams(3, ["FOUR"], max_age="1h", wait_timeout="1s"),
    ]
    waited = declare(others, streams=older)
    assert waited["failed"] and waited["summary"]["updated"] == 2
    assert [row["title"] for row in waited["failures"]] == ["stream FOUR"]
    assert "was accepted, but after 1 s" in waited["msg"] and down.name in waited["msg"]
    down.start()
    cluster.wait_for_leader()
    again = declare(
        cluster.urls,
        owner="shop",
        prune="owned",
        prune_nonempty=True,
        streams=streams(3, ["THREE", "FOUR"]),
    )
    assert not again.get("failed"), again["msg"]
    assert [row["name"] for row in again["plan"]] == ["ONE"]
