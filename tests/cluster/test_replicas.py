# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a cluster can show: replicas, moves, waiting, and who decides."""

from __future__ import annotations

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream
from harness import client, collection


def settled(info):
    cluster = info["cluster"]
    assert cluster["leader"]
    assert "desired" not in cluster
    assert all(one["current"] for one in cluster.get("replicas", []))
    return 1 + len(cluster.get("replicas", []))


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
