# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return, on every server, is what their documentation says they return.

Every result of every test is held against it (harness/returns.py); here it is what can be returned.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from harness import servers
from harness.client import Client

PACKAGE = "ansible_collections.nats.jetstream.plugins.modules"
TRANSFORM = {"src": "s.*", "dest": "$KV.settings.{{wildcard(1)}}"}
HISTORY = {"max_msgs_per_subject": 5}


@pytest.fixture
def run(run_module):
    """``run("stream", name="X")`` -> the result, which run_module holds against what is said."""

    def run_and_look(noun: str, **args: Any) -> dict[str, Any]:
        result: dict[str, Any] = run_module(import_module(f"{PACKAGE}.jetstream_{noun}"), **args)
        return result

    return run_and_look


@pytest.fixture
def nats_of_own(own_server):
    with Client(own_server.url) as connection:
        yield connection


def settings(server: servers.Server, **needing: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of every release that the server is not older than."""
    version = tuple(map(int, server.version.split(".")))
    return {
        name: value
        for since, part in needing.items()
        if version >= tuple(map(int, since[1:].split("_")))
        for name, value in part.items()
    }


def test_streams(own_server, nats_of_own, run):
    more = settings(
        own_server,
        v2_10={
            "metadata": {"a": "b"},
            "compression": "s2",
            "consumer_limits": {"max_ack_pending": 9},
        },
        v2_11={"subject_delete_marker_ttl": "1m"},
        v2_12={"allow_atomic": True},
        v2_14={"allow_batched": True},
    )
    new = run("stream", name="ORDERS", subjects=["o.>"], placement={"tags": ["x"]}, **more)
    assert new["action"] == "create"
    run("stream", name="COPY", mirror={"name": "ORDERS"})
    run(
        "stream",
        name="ALL",
        sources=[{"name": "ORDERS", "filter_subject": "o.>"}, {"name": "NONE"}],
    )
    for _number in range(3):
        nats_of_own.request("o.a", b"x")
    nats_of_own.ok("STREAM.MSG.DELETE.ORDERS", {"seq": 2})
    found = run("stream_info", names=["*"], subjects_filter=">", deleted_details=True)["streams"]
    state = {row["name"]: row["stream"]["state"] for row in found}["ORDERS"]
    assert (state["subjects"], state["deleted"]) == ({"o.a": 2}, [2])
    run("stream_info")

    lower = run("stream", name="ORDERS", max_msgs=1, check=True)
    assert lower["would_lose"]["messages"] == 1
    assert run("stream", name="ORDERS", storage="memory")["immutable"][0]["option"] == "storage"
    assert run("stream", name="ORDERS", duplicate_window="5h", max_age="1h")["problems"]
    assert run("stream", name="ORDERS", max_age="nonsense")["problems"]
    assert run("stream", name="ORDERS", max_age="1h", extra_config={"none": 1})["failed"]
    run("stream", name="ORDERS", storage="memory", recreate="always")
    run("stream", name="ORDERS", state="absent")
    assert run("stream", name="ORDERS", state="absent")["stream"] is None


def test_consumers(own_server, nats_of_own, run):
    more = settings(
        own_server,
        v2_10={"metadata": {"a": "b"}},
        v2_11={
            "priority_policy": "pinned_client",
            "priority_groups": ["g"],
            "pause_until": "2040-01-01T00:00:00Z",
        },
    )
    run("stream", name="ORDERS", subjects=["o.>"])
    nats_of_own.request("o.a", b"x")
    new = run(
        "consumer", stream="ORDERS", name="billing", backoff=["1s", "5s"], max_deliver=5, **more
    )
    assert new["action"] == "create"
    nats_of_own.subscribe("deliver.push")
    run("consumer", stream="ORDERS", name="push", deliver_subject="deliver.push")
    nats_of_own.flush()
    assert len(run("consumer_info", stream="ORDERS")["consumers"]) == 2
    run("consumer_info", stream="ORDERS", name="push")
    everything = ["account", "streams", "consumers", "kv_buckets", "object_buckets"]
    nats_of_own.ok("STREAM.CREATE.KV_x", {"name": "KV_x", "subjects": ["$KV.x.>"], **HISTORY})
    assert run("info", gather_subset=everything)["kv_buckets"][0]["name"] == "x"

    refused = run("consumer", stream="ORDERS", name="push", ack_policy="none")
    assert refused["immutable"][0]["current"] == "explicit"
    run("consumer", stream="ORDERS", name="push", ack_policy="none", recreate="always")
    assert run("consumer", stream="NONE", name="a")["problems"]
    run("consumer", stream="NONE", name="a", check=True)
    assert run("consumer", stream="ORDERS", name="billing", state="absent")["action"] == "delete"


def test_key_value_buckets(own_server, nats_of_own, run):
    more = settings(
        own_server,
        v2_10={
            "metadata": {"a": "b"},
            "compression": "s2",
            "sources": [{"name": "other"}, {"name": "S", "subject_transforms": [TRANSFORM]}],
        },
        v2_11={"limit_marker_ttl": "1m"},
    )
    run("kv_bucket", name="copy", mirror={"name": "settings"}, placement={"tags": ["x"]})
    republish = {"dest": "changed.>"}
    new = run("kv_bucket", name="settings", history=5, republish=republish, **more)
    assert new["action"] == "create"
    for _number in range(3):
        nats_of_own.request("$KV.settings.a", b"x")
    found = run("kv_bucket_info")["kv_buckets"]
    assert [(row["name"], row["status"]["is_mirror"]) for row in found] == [
        ("copy", True),
        ("settings", False),
    ]
    assert run("kv_bucket_info", name="settings")["kv_buckets"][0]["status"]["messages"] == 3
    lower = run("kv_bucket", name="settings", history=1, check=True)
    assert lower["would_lose"]["messages_at_most"] == 2
    assert run("kv_bucket", name="settings", storage="memory")["immutable"]
    assert run("kv_bucket", name="settings", history=65)["problems"]
    run("kv_bucket", name="settings", storage="memory", recreate="always")
    run("kv_bucket", name="settings", state="absent")
    assert run("kv_bucket", name="settings", state="absent")["stream"] is None


def test_object_buckets(own_server, nats_of_own, run):
    more = settings(own_server, v2_10={"metadata": {"a": "b"}, "compression": "s2"})
    assert run("object_bucket", name="files", ttl="1d", **more)["action"] == "create"
    run("object_bucket", name="files", sealed=True, reset=["ttl"])
    assert run("object_bucket_info")["object_buckets"][0]["status"]["sealed"]
    assert run("info", gather_subset=["object_buckets"])["object_buckets"][0]["name"] == "files"
    assert run("object_bucket", name="files", sealed=False)["immutable"]
    run("object_bucket", name="files", state="absent")


def test_purges(own_server, nats_of_own, run):
    run("stream", name="ORDERS", subjects=["o.>"])
    for _number in range(3):
        nats_of_own.request("o.a", b"x")
    bounded = run("purge", stream="ORDERS", seq=3, filter="o.*", count_limit=1, check=True)
    assert (bounded["purged"], bounded["purged_at_most"], bounded["remaining"]) == (None, 2, None)
    assert run("purge", stream="ORDERS")["purged"] == 3
    assert run("purge", stream="NONE")["err_code"] == 10059


def test_places_of_consumers(own_server, nats_of_own, run):
    run("stream", name="S", subjects=["s.>"])
    pinning = {"priority_policy": "pinned_client", "priority_groups": ["g"]}
    groups = settings(own_server, v2_11=pinning)
    run("consumer", stream="S", name="C", **groups)
    if groups:
        assert run("consumer_unpin", stream="S", name="C", group="g")["unpinned"] is None
        assert run("consumer_unpin", stream="S", name="C", group="h")["problems"]
    reset = run("consumer_reset", stream="S", name="C", seq=9)
    if settings(own_server, v2_14={"seq": 9}):
        assert (reset["seq"], reset["before"]["ack_floor"], reset["after"]["ack_floor"]) == (
            9,
            0,
            8,
        )
    else:
        assert reset["problems"]
    assert run("step_down", stream="S", consumer="C")["failed"]
    assert run("step_down", stream="NONE")["err_code"] == 10059
    assert run("step_down", stream="NONE", check=True)["leader"] is None


def test_messages(own_server, nats_of_own, run):
    run("stream", name="S", subjects=["s.>"], allow_direct=True)
    assert run("message", stream="S", subject="s.a", data="x", check=True)["seq"] is None
    first = run("message", stream="S", subject="s.a", data="x", headers={"A": ["1", "2"]})
    assert first["seq"] == 1
    assert run("message_info", stream="S", seq=1)["message"]["encoding"] == "text"
    run("message", stream="S", subject="s.b", json={"a": [1]})
    parsed = run("message_info", stream="S", subject="s.b", encoding="json", direct=True)
    assert parsed["message"]["data"] == {"a": [1]}
    assert run("message_info", stream="S", seq=9)["message"] is None
    assert run("message_info", stream="NONE", seq=9)["err_code"] == 10059
    assert run("message", stream="S", subject="s.*", data="x")["problems"]
    assert run("message", stream="NONE", subject="s.a", data="x")["err_code"] == 10059
    assert run("message", stream="S", seq=1, state="absent")["changed"] is True


def test_no_connection(run):
    failed = run("info", servers=["nats://user:secret@127.0.0.1:1"])
    assert failed["tried"][0]["server"] == "nats://127.0.0.1:1"
    assert "secret" not in str(failed)
