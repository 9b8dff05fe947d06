# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose assets are whose, and what goes when a declaration no longer has it."""

from __future__ import annotations

import pytest

MARK = "nats.jetstream/owner"


@pytest.fixture
def marking(account):
    """An account on a server that keeps metadata."""
    if account.version < (2, 10):
        pytest.skip("2.9 keeps no metadata, and so no marks")
    return account


def streams(*names, **more):
    return [{"name": name, "subjects": [name.lower()], **more} for name in names]


def marks(account):
    return {
        name: (config.get("metadata") or {}).get(MARK) for name, config in account.state().items()
    }


def test_2_9_is_refused_by_name(account):
    if account.version >= (2, 10):
        pytest.skip("this server keeps metadata")
    result = account.declare(owner="shop", streams=streams("A"))
    assert result["failed"]
    assert "needs nats-server 2.10" in result["msg"]
    assert account.streams() == []


def test_everything_that_lasts_is_marked(marking):
    marking.agrees(
        owner="shop",
        streams=streams(
            "A",
            consumers=[{"name": "c"}, {"name": "e", "durable": False, "inactive_threshold": "1h"}],
        ),
        kv_buckets=[{"name": "settings"}],
        object_buckets=[{"name": "files", "metadata": {"team": "x"}}],
    )
    assert marks(marking) == {
        "A": "shop",
        "A/c": "shop",
        "A/e": None,
        "KV_settings": "shop",
        "OBJ_files": "shop",
    }
    assert marking.state()["OBJ_files"]["metadata"]["team"] == "x"


def test_what_has_no_mark_gets_one(marking):
    marking.nats.ok("STREAM.CREATE.A", {"name": "A", "subjects": ["a"], "max_msgs": 5})
    result = marking.agrees(owner="shop", streams=streams("A"))
    assert result["plan"][0]["changes"] == [{"option": "owner", "before": None, "after": "shop"}]
    assert "shop" in result["diff"][0]["after"]
    assert marking.state()["A"]["max_msgs"] == 5


def test_metadata_of_the_user_and_the_mark_do_not_meet(marking):
    marking.agrees(owner="shop", streams=streams("A", metadata={"team": "x"}))
    marking.agrees(streams=streams("A", metadata={"team": "y"}))
    assert marks(marking) == {"A": "shop"}
    assert marking.state()["A"]["metadata"]["team"] == "y"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_assets_of_another_owner_are_refused(marking, state):
    marking.agrees(owner="bank", streams=streams("A"))
    for check in (True, False):
        result = marking.declare(owner="shop", check=check, streams=streams("A", state=state))
        assert result["failed"]
        assert "belongs to the owner 'bank'" in result["msg"]
    assert marks(marking) == {"A": "bank"}
    marking.agrees(owner="shop", adopt=True, streams=streams("A", state=state))
    assert marks(marking) == ({"A": "shop"} if state == "present" else {})


def test_owned_assets_that_are_no_longer_declared_go(marking):
    marking.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine"]})
    marking.agrees(owner="bank", streams=streams("BANK"))
    marking.agrees(
        owner="shop",
        streams=streams("A", "B", consumers=[{"name": "c"}, {"name": "d"}]),
        kv_buckets=[{"name": "settings"}],
    )
    marking.nats.ok(
        "CONSUMER.CREATE.A.other",
        {"stream_name": "A", "config": {"durable_name": "other", "ack_policy": "explicit"}},
    )
    result = marking.agrees(
        owner="shop", prune="owned", streams=streams("A", consumers=[{"name": "c"}])
    )
    assert {(row["kind"], row["name"]) for row in result["plan"]} == {
        ("stream", "B"),
        ("consumer", "d"),
        ("kv_bucket", "settings"),
    }
    assert all(row["reason"] == "is not declared" for row in result["plan"])
    assert marking.streams() == ["A", "BANK", "MINE"]
    assert marking.consumers("A") == ["c", "other"]


def test_a_template_that_rendered_to_nothing_prunes_nothing(marking):
    marking.agrees(owner="shop", streams=streams(*[f"S{number}" for number in range(12)]))
    for check in (True, False):
        result = marking.declare(owner="shop", prune="owned", streams=[], check=check)
        assert result["failed"]
        assert "prune_max allows 10" in result["msg"]
    assert len(marking.streams()) == 12
    marking.agrees(owner="shop", prune="owned", prune_max=12, streams=[])
    assert marking.streams() == []


def test_messages_are_not_pruned_unless_told(marking):
    marking.agrees(owner="shop", streams=streams("A", "B"))
    marking.store("b")
    declared = {"owner": "shop", "prune": "owned", "streams": streams("A")}
    result = marking.declare(**declared)
    assert result["failed"]
    assert "the stream B would be pruned, and it is not empty" in result["msg"]
    assert marking.streams() == ["A", "B"]
    marking.agrees(prune_nonempty=True, **declared)
    assert marking.streams() == ["A"]


def test_all_needs_names(account):
    for names in ("A", "AB", "B", "KV_k", "KV_m"):
        config = {"name": names, "subjects": [names.lower()]}
        if names.startswith("KV_"):
            config.update(subjects=[f"$KV.{names[3:]}.>"], max_msgs_per_subject=1)
        account.nats.ok(f"STREAM.CREATE.{names}", config)
    refused = account.declare(prune="all")
    assert refused["failed"] and refused["problems"][0]["place"] == "prune_names"
    result = account.agrees(prune="all", prune_names=["A*", "k"], streams=streams("A"))
    assert {row["name"] for row in result["plan"]} == {"AB", "k"}
    assert account.streams() == ["A", "B", "KV_m"]


def test_consumers_are_pruned_by_a_glob_with_their_stream(account):
    account.agrees(streams=streams("A", consumers=[{"name": "a"}, {"name": "b"}]))
    result = account.agrees(
        prune="all", prune_names=["A/*"], streams=streams("A", consumers=[{"name": "a"}])
    )
    assert [row["name"] for row in result["plan"]] == ["b"]


def test_what_others_made_for_themselves_stays(account):
    """Ephemeral consumers, and names with a $."""
    account.nats.ok("STREAM.CREATE.A", {"name": "A", "subjects": ["a"]})
    account.nats.ok("STREAM.CREATE.$MQTT_x", {"name": "$MQTT_x", "subjects": ["m"]})
    account.nats.ok(
        "CONSUMER.CREATE.A.eph",
        {"stream_name": "A", "config": {"name": "eph", "inactive_threshold": 10**12}},
    )
    account.agrees(prune="all", prune_names=["*", "*/*"], streams=streams("A"))
    assert account.streams() == ["$MQTT_x", "A"]
    assert account.consumers("A") == ["eph"]


def test_the_consumers_of_others_do_not_go_with_a_stream(marking):
    marking.agrees(owner="shop", streams=streams("A", "B"))
    marking.agrees(owner="bank", consumers=[{"stream": "B", "name": "audit"}])
    declared = {"owner": "shop", "prune": "owned", "streams": streams("A")}
    for check in (True, False):
        result = marking.declare(check=check, **declared)
        assert result["failed"]
        assert "its consumer audit belongs to 'bank'" in result["msg"]
    assert marking.consumers("B") == ["audit"]
    marking.agrees(adopt=True, **declared)
    assert marking.streams() == ["A"]


def test_what_came_after_the_look_is_not_pruned(marking, monkeypatch):
    """The message arrives between the plan and the deletion."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _carry_out

    marking.agrees(owner="shop", streams=streams("A", "B", "C"))
    done = _carry_out.carry_out

    async def later(*args):
        marking.store("b")
        return await done(*args)

    monkeypatch.setattr(_carry_out, "carry_out", later)
    result = marking.declare(owner="shop", prune="owned", streams=streams("A"))
    assert result["failed"]
    assert "stream B was not pruned" in result["msg"]
    assert marking.streams() == ["A", "B"]
    assert marking.messages("B") == 1
