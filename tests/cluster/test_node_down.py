# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of streams and consumers while a server is down, and what is then refused."""

from __future__ import annotations

import time

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer_info,
    jetstream_environment,
    jetstream_info,
    jetstream_step_down,
    jetstream_stream,
    jetstream_stream_info,
)
from harness.client import Client

CONSUMER = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}


def problems(health):
    assert health["ok"] is not bool(health["problems"])
    return sorted((row["problem"], row["about"]) for row in health["problems"])


def until(ask, wanted, patience=60):
    deadline = time.monotonic() + patience
    while True:
        found = ask()
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.3)


def test_a_node_is_down(run, cluster):
    down = next(one for one in cluster.servers if one is not cluster.wait_for_leader())
    with Client(cluster.urls[0], timeout=20) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"], "num_replicas": 3})
        nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": CONSUMER})
        alone = next(
            f"ONE{number}"
            for number in range(100)
            if nats.ok(f"STREAM.CREATE.ONE{number}", {"name": f"ONE{number}"})["cluster"]["leader"]
            == down.name
        )
        mirror = {"name": "M", "mirror": {"name": alone}, "num_replicas": 3}
        nats.ok("STREAM.CREATE.M", mirror)

    def streams(*names):
        options = {"names": names or ["S", "M"], "thresholds": {"source_silence": "5s"}}
        found = run(jetstream_stream_info, servers=up, **options)
        return found, {row["name"]: problems(row["health"]) for row in found.get("streams", [])}

    up = cluster.urls
    well = {"S": [], "M": []}
    assert until(lambda: streams()[1], well) == well
    down.kill()
    try:
        up = [server.url for server in cluster.servers if server is not down]
        behind = ("replica_not_current", down.name)
        ill = {"S": [behind], "M": [("mirror_silent", alone), behind]}
        assert until(lambda: streams()[1], ill) == ill
        result, told = streams("[SM]", f"{alone}*")  # which asks for a listing
        assert told in (ill, {**ill, alone: [("unreachable", None)]})
        assert result["missing"] == [alone]
        assert f"did not answer: {alone}" in result["warnings"][0]

        asked = run(jetstream_consumer_info, servers=up, stream="S", name="C")["consumers"][0]
        assert problems(asked["health"]) == [behind]
        everything = run(jetstream_info, servers=up, gather_subset=["account", "streams"])
        assert ("unreachable", None) in problems(everything["health"])

        leads = result["streams"]
        leader = next(row["stream"]["cluster"]["leader"] for row in leads if row["name"] == "S")
        refused = run(jetstream_step_down, servers=up, stream="S", preferred=down.name)
        assert refused["failed"] and f"{down.name} is offline or behind" in refused["msg"]
        with Client(up[0], timeout=20) as nats:
            assert nats.ok("STREAM.INFO.S")["cluster"]["leader"] == leader

        not_moved(run, up, jetstream_stream, name="S", num_replicas=1)
        declared = [{"name": "S", "placement": {"tags": ["all"]}}]
        not_moved(run, up, jetstream_environment, streams=declared)
        # What moves nothing goes on.
        assert run(jetstream_stream, servers=up, name="S", max_msgs=5, wait=False)["changed"]
    finally:
        down.start()
        cluster.wait_for_leader()
    up = cluster.urls
    assert until(lambda: streams("S")[1], {"S": []}) == {"S": []}
    with Client(cluster.urls[0], timeout=20) as nats:
        for name in nats.ok("STREAM.NAMES")["streams"]:
            nats.ok(f"STREAM.DELETE.{name}")


def not_moved(run, up, module, **options):
    """A stream that misses a replica is not moved, and is not scaled."""
    with Client(up[0], timeout=20) as nats:
        before = nats.ok("STREAM.INFO.S")["config"]
        result = run(module, servers=up, wait_timeout="2s", **options)
        assert result["failed"] and "moving it now could lose messages" in result["msg"], result
        assert nats.ok("STREAM.INFO.S")["config"] == before
