# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a cluster can show: replicas, moves, waiting, and who decides."""

from __future__ import annotations

import contextlib
import time

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_environment,
    jetstream_stream,
)
from harness import client, collection
from harness.sizes import size


def settled(info):
    cluster = info["cluster"]
    assert cluster["leader"]
    assert "desired" not in cluster
    assert all(one["current"] for one in cluster.get("replicas", []))
    return 1 + len(cluster.get("replicas", []))


def at_rest(nats):
    """INFO of the stream S once no change is under way; meanwhile nobody may answer for it."""
    while True:
        with contextlib.suppress(TimeoutError, client.NatsError):
            info = nats.api("STREAM.INFO.S")
            if "error" not in info and "desired" not in info["cluster"]:
                return info
        time.sleep(0.1)


def test_replicas_are_waited_for(run, nats):
    options = {"name": "S", "subjects": ["s.>"], "num_replicas": 3}
    check = run(jetstream_stream, check=True, **options)
    made = run(jetstream_stream, **options)
    assert check["changes"] == made["changes"]
    assert settled(made["stream"]) == 3
    assert settled(nats.ok("STREAM.INFO.S")) == 3
    assert run(jetstream_stream, **options)["changed"] is False
    fewer = run(jetstream_stream, name="S", num_replicas=1)
    assert settled(fewer["stream"]) == 1
    more = run(jetstream_stream, name="S", num_replicas=3)
    assert settled(more["stream"]) == 3
    assert run(jetstream_stream, name="S", num_replicas=3)["changed"] is False


def test_a_move_and_other_replicas_go_one_after_the_other(run, nats):
    run(jetstream_stream, name="S", subjects=["s.>"], num_replicas=1)
    changed = run(jetstream_stream, name="S", num_replicas=3, placement={"tags": ["ALL"]})
    assert changed["changed"] is True, changed
    info = nats.ok("STREAM.INFO.S")
    assert settled(info) == 3
    assert info["config"]["placement"]["tags"] == ["ALL"]
    again = run(jetstream_stream, name="S", num_replicas=3, placement={"tags": ["all"]})
    assert again["changed"] is False


def test_the_meta_leader_is_asked_for_its_level(run, nats):
    made = run(jetstream_stream, name="S", subjects=["s.>"], allow_msg_ttl=True)
    assert made["changed"] is True, made
    assert nats.ok("STREAM.INFO.S")["config"]["allow_msg_ttl"] is True
    assert made["server"]["cluster"] == "test"


def test_consumers_have_replicas_of_their_own(run, nats):
    run(jetstream_stream, name="S", subjects=["s.>"], num_replicas=3)
    made = run(jetstream_consumer, stream="S", name="C", num_replicas=1)
    assert settled(made["consumer"]) == 1
    assert run(jetstream_consumer, stream="S", name="C", num_replicas=1)["changed"] is False
    more = run(jetstream_consumer, stream="S", name="C", num_replicas=3)
    assert settled(more["consumer"]) == 3


def test_no_server_fits(run, nats):
    result = run(jetstream_stream, name="S", subjects=["s.>"], placement={"tags": ["nowhere"]})
    assert result["failed"] and result["err_code"] == 10005
    assert "num_replicas and placement" in result["msg"]
    assert "error" in nats.api("STREAM.INFO.S")


def test_a_leader_that_dies_is_waited_out(run, nats, cluster):
    run(jetstream_stream, name="S", subjects=["s.>"], num_replicas=3)
    leader = nats.ok("STREAM.INFO.S")["cluster"]["leader"]
    at = next(server for server in cluster.servers if server.name == leader)
    others = [server.url for server in cluster.servers if server is not at]
    at.kill()
    try:
        result = collection.run_module(
            jetstream_stream, servers=others, name="S", max_msgs=9, wait=False, retry_for="60s"
        )
        assert result.get("changed") is True, result
        with client.Client(others[0], timeout=20) as connection:
            assert connection.ok("STREAM.INFO.S")["config"]["max_msgs"] == 9
    finally:
        at.start()
        cluster.wait_for_leader()


def test_a_stream_goes_where_a_tag_is_and_back(run, nats):
    run(jetstream_stream, name="S", subjects=["s.>"], placement={"tags": ["n1"]})
    assert nats.ok("STREAM.INFO.S")["cluster"]["leader"] == "n1"
    nats.request("s.a", b"x")
    for target in ("n3", "n2"):
        moved = run(jetstream_stream, name="S", placement={"tags": [target]})
        assert moved["changed"] is True, moved
        info = nats.ok("STREAM.INFO.S")
        assert settled(info) == 1
        assert info["cluster"]["leader"] == target
        assert info["state"]["messages"] == 1
    assert run(jetstream_stream, name="S", placement={"tags": ["N2"]})["changed"] is False
    both = run(jetstream_stream, name="S", placement={"tags": ["all"]}, num_replicas=3)
    assert settled(both["stream"]) == 3  # which a server refuses in one update: 10123
    assert settled(nats.ok("STREAM.INFO.S")) == 3
    one = run(jetstream_stream, name="S", num_replicas=1)
    assert settled(one["stream"]) == 1
    assert nats.ok("STREAM.INFO.S")["state"]["messages"] == 1


def test_what_is_under_way_is_waited_for(run, nats):
    """Moves and scalings right after each other: 10124, 10202 and 10226 are no failures."""
    run(jetstream_stream, name="S", subjects=["s.>"], placement={"tags": ["n1"]})
    for round_ in range(size(1, 3)):
        for options in (
            {"placement": {"tags": ["n2"]}},
            {"placement": {"tags": ["n3"]}},
            {"placement": {"tags": ["all"]}},
            {"num_replicas": 3},
            {"max_msgs": 10 + round_},
            {"num_replicas": 1},
            {"placement": {"tags": ["n1"]}},
        ):
            result = run(jetstream_stream, name="S", wait=False, **options)
            assert result.get("changed") is True, (options, result)
    info = at_rest(nats)
    assert (info["config"]["placement"], info["config"]["num_replicas"]) == ({"tags": ["n1"]}, 1)
    moving = {**info["config"], "placement": {"tags": ["n3"]}}
    nats.ok("STREAM.UPDATE.S", moving)  # and somebody else moves it meanwhile
    assert run(jetstream_stream, name="S", placement={"tags": ["n2"]})["changed"] is True
    assert nats.ok("STREAM.INFO.S")["cluster"]["leader"] == "n2"


def test_an_environment_moves_and_scales(run, nats):
    def declared(**options):
        return [{"name": f"S{n}", "subjects": [f"s{n}"], **options} for n in range(size(2, 6))]

    for options in (
        {"num_replicas": 3},
        {"num_replicas": 1},
        {"num_replicas": 3, "placement": {"tags": ["all"]}},
        {"num_replicas": 1, "placement": {"tags": ["n2"]}},
    ):
        done = run(jetstream_environment, streams=declared(**options), max_moves=2)
        assert done.get("changed") is True, done
        for info in nats.ok("STREAM.LIST")["streams"]:
            assert settled(info) == options["num_replicas"]
        assert run(jetstream_environment, streams=declared(**options))["changed"] is False
