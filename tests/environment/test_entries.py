# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of declared buckets: written after everything else, and never shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_environment_info

SECRET = "canary-7f3a"


def value(account: Any, key: str, bucket: str = "settings") -> Any:
    """Return what the last message of a key holds, as the server tells it; None without one."""
    answer = account.nats.api(
        f"STREAM.MSG.GET.KV_{bucket}", {"last_by_subj": f"$KV.{bucket}.{key}"}
    )
    message = answer.get("message")
    return message and base64.b64decode(message.get("data", "")).decode()


def settings(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kv_buckets": [{"name": "settings", **more, "entries": list(entries)}]}


def test_entries_come_with_their_bucket(account):
    result = account.agrees(
        **settings({"key": "a", "value": "1"}, {"key": "b.c", "json": {"x": [1]}}, history=3)
    )
    assert value(account, "a") == "1"
    assert json.loads(value(account, "b.c")) == {"x": [1]}
    assert result["summary"]["created"] == 1
    assert result["summary"]["entries"] == 2
    rows = [row for row in result["plan"] if row["kind"] == "kv_entry"]
    assert rows == [
        {
            "kind": "kv_entry",
            "name": key,
            "bucket": "settings",
            "place": f"kv_buckets[0].entries[{index}]",
            "action": "create",
            "changes": [],
        }
        for index, key in enumerate(["a", "b.c"])
    ]


def test_only_differences_are_written(account):
    account.agrees(**settings({"key": "a", "value": "1"}, {"key": "b", "value": "2"}, history=9))
    before = account.messages("KV_settings")
    result = account.agrees(
        **settings(
            {"key": "a", "value": "1"},
            {"key": "b", "value": "3"},
            {"key": "c", "state": "absent"},
        )
    )
    assert account.messages("KV_settings") == before + 1
    assert [(row["name"], row["action"]) for row in result["plan"]] == [("b", "update")]
    result = account.agrees(**settings({"key": "a", "state": "absent"}))
    assert [(row["name"], row["action"]) for row in result["plan"]] == [("a", "delete")]
    assert value(account, "b") == "3"


def test_a_bucket_is_judged_by_what_it_is_going_to_be(account):
    account.agrees(**settings(max_value_size=200))
    refused = account.declare(check=True, **settings({"key": "a", "value": "x" * 300}))
    assert refused["failures"][0]["title"] == "entries of bucket settings"
    assert "200" in refused["msg"]
    account.agrees(**settings({"key": "a", "value": "x" * 300}, max_value_size=900))
    refused = account.declare(**settings({"key": "b", "value": "x" * 300}, max_value_size=250))
    assert refused["failed"]
    assert not refused["changed"]
    info = account.nats.ok("STREAM.INFO.KV_settings")
    assert info["config"]["max_msg_size"] == 900


def test_a_recreated_bucket_is_filled_again(account):
    entries = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    account.agrees(**settings(*entries))
    result = account.agrees(**settings(*entries, storage="memory", recreate="always"))
    assert result["summary"]["recreated"] == 1
    assert result["summary"]["entries"] == 2
    assert value(account, "b") == "2"


def test_no_value_is_shown(account):
    first = settings({"key": "a", "value": SECRET}, {"key": "b", "json": {"x": SECRET}})
    account_diff = account.declare(check=True, diff=True, **first)
    account.declare(diff=True, **first)
    second = settings({"key": "a", "value": f"{SECRET}-2"}, {"key": "b", "state": "absent"})
    changed = account.declare(diff=True, **second)
    failed = account.declare(**settings({"key": "a", "value": SECRET, "vlaue": SECRET}))
    assert failed["failed"]
    assert changed["changed"]
    for result in (account_diff, changed, failed):
        assert SECRET not in str(result)
    (shown,) = changed["diff"]
    assert shown["before"] != shown["after"]
    assert 'a: "revision 1"' in shown["before"]


def test_what_is_approved_is_what_is_written(account):
    account.agrees(**settings())
    planned = account.declare(check=True, **settings({"key": "a", "value": "1"}))
    other = account.declare(
        expect_plan=planned["plan_digest"], **settings({"key": "a", "value": "2"})
    )
    assert other["failed"]
    assert "not the expected one" in other["msg"]
    assert value(account, "a") is None
    account.declare(expect_plan=planned["plan_digest"], **settings({"key": "a", "value": "1"}))
    assert value(account, "a") == "1"


@pytest.mark.parametrize(
    ("entries", "places"),
    [
        ("x", ["kv_buckets[0].entries"]),
        ([5], ["kv_buckets[0].entries[0]"]),
        ([{"value": "1"}], ["kv_buckets[0].entries[0].key"]),
        ([{"key": "a b", "value": "1"}], ["kv_buckets[0].entries[0].key"]),
        ([{"key": "a"}], ["kv_buckets[0].entries[0]"]),
        ([{"key": "a", "value": True}], ["kv_buckets[0].entries[0].value"]),
        ([{"key": "a", "value": "1", "json": 2}], ["kv_buckets[0].entries[0]"]),
        ([{"key": "a", "base64": 5}], ["kv_buckets[0].entries[0].base64"]),
        ([{"key": "a", "base64": "%"}], ["kv_buckets[0].entries[0].base64"]),
        ([{"key": "a", "valeu": "1"}], ["kv_buckets[0].entries[0].valeu"]),
        (
            [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
            ["kv_buckets[0].entries[1].key"],
        ),
        ([{"key": "a", "state": "gone"}], ["kv_buckets[0].entries[0].state"]),
        ([{"key": "a", "value": "1", "ttl": "x"}], ["kv_buckets[0].entries[0].ttl"]),
    ],
    ids=str,
)
def test_entries_that_are_wrong(account, entries, places):
    result = account.declare(kv_buckets=[{"name": "settings", "entries": entries}])
    assert [problem["place"] for problem in result["problems"]] == places
    assert account.streams() == []


def test_a_bucket_that_can_not_be_is_not_filled(account):
    account.nats.ok("STREAM.CREATE.IN_THE_WAY", {"name": "IN_THE_WAY", "subjects": ["$KV.a.>"]})
    result = account.declare(
        kv_buckets=[
            {"name": "a", "entries": [{"key": "k", "value": "1"}]},
            {"name": "b", "entries": [{"key": "k", "value": "1"}]},
        ]
    )
    assert result["failed"]
    assert not result["changed"]
    assert account.streams() == ["IN_THE_WAY"]


def test_a_bucket_that_the_server_refuses_is_not_filled(account):
    if account.version < (2, 10):
        pytest.skip("2.9 has nothing that it refuses and that is not foretold")
    result = account.declare(
        kv_buckets=[
            {
                "name": "a",
                "extra_config": {"subject_transform": {"src": "a.*", "dest": "{{wildcard(5)}}"}},
                "entries": [{"key": "k", "value": "1"}],
            },
            {"name": "b", "entries": [{"key": "k", "value": "1"}]},
        ]
    )
    assert result["failed"]
    assert [row["place"] for row in result["failures"]] == ["kv_buckets[0]"]
    assert [(row["bucket"], row["name"]) for row in result["not_tried"]] == [("a", "k")]
    assert value(account, "k", "b") == "1"
    assert result["summary"]["entries"] == 1


def test_a_mirror_takes_no_entries(account):
    result = account.declare(
        kv_buckets=[
            {"name": "own"},
            {"name": "copy", "mirror": {"name": "own"}, "entries": [{"key": "a", "value": "1"}]},
        ]
    )
    assert result["failed"]
    assert result["failures"][0]["problems"][0]["place"] == "kv_buckets[1].entries"
    assert account.streams() == []


def test_what_is_to_be_absent_has_no_entries(account):
    declared = settings({"key": "a", "value": "1"})
    account.agrees(**declared)
    result = account.agrees(state="absent", **declared)
    assert [row["action"] for row in result["plan"]] == ["delete"]


def test_many_entries(account):
    entries = [{"key": f"k{number}", "value": str(number)} for number in range(300)]
    result = account.agrees(**settings(*entries))
    assert result["summary"]["entries"] == 300
    assert account.messages("KV_settings") == 300


def test_entries_are_exported_and_taken_back(account):
    account.agrees(
        **settings(
            {"key": "text", "value": "Grüße"},
            {"key": "empty", "value": ""},
            {"key": "binary", "base64": "gIE="},
            {"key": "number", "json": 5},
            history=4,
        )
    )
    account.agrees(**settings({"key": "number", "state": "absent"}))
    found = account._run(jetstream_environment_info, include_entries=True)
    (bucket,) = found["environment"]["kv_buckets"]
    assert bucket["entries"] == [
        {"key": "binary", "base64": "gIE="},
        {"key": "empty", "value": ""},
        {"key": "text", "value": "Grüße"},
    ]
    assert not account.declare(**found["environment"])["changed"]
    account.empty()
    account.agrees(**found["environment"])
    again = account._run(jetstream_environment_info, include_entries=True)
    assert again["environment"] == found["environment"]


def test_a_mirror_is_exported_without_entries(account):
    account.agrees(kv_buckets=[{"name": "own"}, {"name": "copy", "mirror": {"name": "own"}}])
    found = account._run(jetstream_environment_info, include_entries=True)
    assert [(row["name"], row["reason"].split(":")[0]) for row in found["left_out"]] == [
        ("copy", "is a mirror")
    ]
