# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exported account is a declaration: it changes nothing here, and builds the same elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Account

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_environment_info,
)
from harness import client, servers

STREAMS: list[dict[str, Any]] = [
    {
        "name": "ORDERS",
        "subjects": ["orders.>"],
        "max_age": 3600 * 10**9,
        "max_msgs_per_subject": 3,
    },
    {"name": "MEM", "subjects": ["mem"], "storage": "memory", "discard": "new", "max_msgs": 7},
    {"name": "COPY", "mirror": {"name": "ORDERS", "filter_subject": "orders.a"}},
    {"name": "ALL", "sources": [{"name": "ORDERS"}, {"name": "MEM", "opt_start_seq": 2}]},
    {"name": "WORK", "subjects": ["work"], "retention": "workqueue", "deny_purge": True},
    {"name": "SEALED", "subjects": ["sealed"]},
    {
        "name": "KV_settings",
        "subjects": ["$KV.settings.>"],
        "max_msgs_per_subject": 5,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "discard": "new",
        "duplicate_window": 120 * 10**9,
        "allow_direct": True,
    },
    {
        "name": "OBJ_files",
        "subjects": ["$O.files.C.>", "$O.files.M.>"],
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "discard": "new",
    },
    {"name": "KV_odd", "subjects": ["odd"]},
    {"name": "$OTHERS", "subjects": ["others"]},
]
CONSUMERS: list[dict[str, Any]] = [
    {"stream": "ORDERS", "durable_name": "billing", "filter_subject": "orders.paid"},
    {"stream": "ORDERS", "durable_name": "push", "deliver_subject": "d", "deliver_policy": "new"},
    {"stream": "WORK", "durable_name": "worker", "ack_wait": 90 * 10**9, "max_deliver": 4},
    {"stream": "SEALED", "durable_name": "reader"},
    {"stream": "KV_settings", "durable_name": "watcher", "filter_subject": "$KV.settings.a"},
]


@pytest.fixture
def elsewhere(server: servers.Server, run_module: Any) -> Iterator[Account]:
    """An empty account on another server of the same version."""
    with servers.Server(server.binary) as running, client.Client(running.url) as nats:

        def run(module: Any, **args: Any) -> dict[str, Any]:
            return run_module(module, **{"servers": [running.url], **args})

        yield Account(nats, run)


def fill(account: Account) -> None:
    for config in STREAMS:
        account.nats.ok(f"STREAM.CREATE.{config['name']}", config)
    for one in CONSUMERS:
        config = {name: value for name, value in one.items() if name != "stream"}
        config.setdefault("ack_policy", "explicit")
        account.nats.ok(
            f"CONSUMER.DURABLE.CREATE.{one['stream']}.{config['durable_name']}",
            {"stream_name": one["stream"], "config": config},
        )
    sealed = account.nats.ok("STREAM.INFO.SEALED")["config"]
    account.nats.ok("STREAM.UPDATE.SEALED", {**sealed, "sealed": True})
    account.nats.ok(
        "CONSUMER.CREATE.ORDERS",
        {"stream_name": "ORDERS", "config": {"ack_policy": "none", "inactive_threshold": 10**12}},
    )


def export(account: Account, **args: Any) -> dict[str, Any]:
    result = account._run(jetstream_environment_info, **args)
    assert not result.get("failed"), result
    assert result["changed"] is False
    return result


def comparable(state: dict[str, Any]) -> dict[str, Any]:
    """Return configurations without what depends on the request that was made: a name beside
    durable_name, and what the server itself notes in the metadata."""
    return {
        name: {key: value for key, value in config.items() if key != "metadata"}
        | ({"name": config["durable_name"]} if config.get("durable_name") else {})
        for name, config in state.items()
    }


def test_back_to_where_it_came_from_and_to_an_empty_server(account, elsewhere):
    fill(account)
    found = export(account)
    before = account.state()
    same = account.declare(check=True, **found["environment"])
    assert same["plan"] == []
    assert same["summary"]["unchanged"] == len(STREAMS) - 1 + len(CONSUMERS)
    account.declare(**found["environment"])
    assert account.state() == before

    elsewhere.agrees(**found["environment"])
    expected = {
        name: config
        for name, config in comparable(before).items()
        if not name.startswith("$") and (("/" not in name) or config.get("durable_name"))
    }
    assert comparable(elsewhere.state()) == expected
    assert export(elsewhere)["environment"] == found["environment"]


def test_what_can_not_be_declared_is_named(account):
    fill(account)
    left = export(account)["left_out"]
    assert [(row["kind"], row.get("stream"), row["reason"].split(":")[0]) for row in left] == [
        ("stream", None, "has a $ in its name"),
        ("consumer", "ORDERS", "is ephemeral"),
    ]
    assert left[0]["name"] == "$OTHERS"


def test_what_is_called_like_a_bucket_and_is_none_is_a_stream(account):
    fill(account)
    environment = export(account)["environment"]
    assert [entry["name"] for entry in environment["kv_buckets"]] == ["settings"]
    assert "KV_odd" in [entry["name"] for entry in environment["streams"]]
    assert environment["consumers"] == [
        {
            "stream": "KV_settings",
            "name": "watcher",
            "ack_policy": "explicit",
            "filter_subject": "$KV.settings.a",
        }
    ]


def test_names_choose_streams_and_buckets(account):
    fill(account)
    environment = export(account, names=["O*", "settings"])["environment"]
    assert [entry["name"] for entry in environment["streams"]] == ["ORDERS"]
    assert [entry["name"] for entry in environment["streams"][0]["consumers"]] == [
        "billing",
        "push",
    ]
    assert [entry["name"] for entry in environment["kv_buckets"]] == ["settings"]
    assert "object_buckets" not in environment


def test_an_owner_chooses_what_bears_the_mark(account):
    if account.version < (2, 10):
        pytest.skip("2.9 keeps no metadata, and so no marks")
    account.declare(
        owner="shop",
        streams=[{"name": "A", "consumers": [{"name": "c"}]}, {"name": "B"}],
    )
    account.declare(streams=[{"name": "OTHER", "consumers": [{"name": "of-nobody"}]}])
    account.declare(owner="mail", consumers=[{"stream": "A", "name": "of-others"}])
    account.declare(owner="shop", consumers=[{"stream": "OTHER", "name": "guest"}])
    found = export(account, owner="shop")
    assert found["environment"]["owner"] == "shop"
    assert [entry["name"] for entry in found["environment"]["streams"]] == ["A", "B"]
    assert [entry["name"] for entry in found["environment"]["consumers"]] == ["guest"]
    (left,) = found["left_out"]
    assert (left["stream"], left["name"]) == ("A", "of-others")
    again = account.declare(check=True, prune="owned", **found["environment"])
    assert again["plan"] == []


def test_an_empty_account(account):
    assert export(account)["environment"] == {}


def test_options_that_are_wrong(account):
    result = account._run(jetstream_environment_info, owner="a b", concurrency=0)
    assert [problem["place"] for problem in result["problems"]] == ["owner", "concurrency"]


def test_a_declaration_of_this_module_is_one_of_that(account):
    """The names of the lists are the options of jetstream_environment."""
    fill(account)
    from ansible_collections.nats.jetstream.plugins.module_utils._environment import ARGUMENT_SPEC

    assert set(export(account)["environment"]) <= set(ARGUMENT_SPEC)
