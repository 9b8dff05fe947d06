# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buckets in an environment: assets like others, known by the bucket and not by the stream."""

from __future__ import annotations

import json

import pytest


def test_buckets_are_made_and_changed(account):
    account.agrees(
        kv_buckets=[{"name": "settings", "history": 5, "ttl": "1h"}],
        object_buckets=[{"bucket": "files", "max_bytes": "1MiB"}],
        consumers=[{"stream": "KV_settings", "name": "watcher"}],
    )
    state = account.state()
    assert state["KV_settings"]["max_msgs_per_subject"] == 5
    assert state["KV_settings"]["subjects"] == ["$KV.settings.>"]
    assert state["OBJ_files"]["max_bytes"] == 2**20
    assert "KV_settings/watcher" in state
    result = account.agrees(kv_buckets=[{"name": "settings", "history": 7}])
    assert result["plan"][0]["changes"] == [{"option": "history", "before": 5, "after": 7}]
    assert account.state()["KV_settings"]["max_age"] == 3600 * 10**9


def test_a_bucket_declared_as_its_stream_too(account):
    result = account.declare(streams=[{"name": "KV_a"}], kv_buckets=[{"name": "a"}])
    assert result["failed"]
    (problem,) = result["problems"]
    assert problem["place"] == "kv_buckets[0].name"
    assert "streams[0]" in problem["text"]


def test_a_bucket_and_its_origin(account):
    with account.watched() as requests:
        account.agrees(kv_buckets=[{"name": "copy", "mirror": {"name": "own"}}, {"name": "own"}])
    assert [request for request, _body in requests] == [
        "STREAM.CREATE.KV_own",
        "STREAM.CREATE.KV_copy",
    ]


def test_what_is_called_like_a_bucket_and_is_none(account):
    account.nats.ok("STREAM.CREATE.KV_a", {"name": "KV_a", "subjects": ["a"]})
    result = account.declare(kv_buckets=[{"name": "a"}])
    assert result["failed"]
    assert "is no key-value bucket" in result["msg"]


def test_buckets_whose_recreate_did_not_end(account):
    """Their streams have a subject that nobody uses, and say in their metadata which they had."""
    if account.version < (2, 10):
        pytest.skip("2.9 keeps no metadata, and so no subjects that were taken away")
    declared = {"kv_buckets": [{"name": "a"}], "object_buckets": [{"name": "f"}]}
    account.declare(**declared)
    before = account.state()
    for name in ("KV_a", "OBJ_f"):
        config = account.nats.ok(f"STREAM.INFO.{name}")["config"]
        note = {"nats.jetstream/recreating": json.dumps(config["subjects"])}
        config.update(subjects=[f"recreating.{name}"])
        config["metadata"] = {**config.get("metadata", {}), **note}
        account.nats.ok(f"STREAM.UPDATE.{name}", config)
    result = account.agrees(**declared)
    assert [row["action"] for row in result["plan"]] == ["update", "update"]
    assert account.state() == before


def test_subjects_that_belong_to_a_bucket(account):
    result = account.declare(
        streams=[
            {"name": "ALL", "subjects": ["$KV.>"]},
            {"name": "MINE", "subjects": ["$O.f.C.x"]},
        ],
        kv_buckets=[{"name": "a"}, {"name": "copy", "mirror": {"name": "a"}}],
        object_buckets=[{"name": "f"}],
    )
    assert {problem["place"]: problem["text"] for problem in result["problems"]} == {
        "kv_buckets[0].name": "'$KV.a.>' overlaps '$KV.>' of streams[0]",
        "object_buckets[0].name": "'$O.f.C.>' overlaps '$O.f.C.x' of streams[1]",
    }
    assert account.streams() == []
