# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole environment: made, changed, left alone, refused; looked at on the server."""

from __future__ import annotations

import pytest

SHOP = {
    "defaults": {"streams": {"max_age": "1d"}, "consumers": {"ack_wait": "1m"}},
    "streams": [
        {
            "name": "ORDERS",
            "subjects": ["orders.>"],
            "consumers": [
                {"name": "billing", "filter_subject": "orders.paid"},
                {"name": "shipping", "filter_subject": "orders.sent", "ack_wait": "10s"},
            ],
        },
        {"name": "ARCHIVE", "sources": [{"name": "ORDERS"}], "max_age": "0"},
        {"name": "COPY", "mirror": {"name": "ARCHIVE"}},
    ],
    "consumers": [{"stream": "ARCHIVE", "name": "audit"}],
}


def test_an_environment_from_nothing(account):
    with account.watched() as requests:
        result = account.agrees(**SHOP)
    assert account.streams() == ["ARCHIVE", "COPY", "ORDERS"]
    assert account.consumers("ORDERS") == ["billing", "shipping"]
    assert account.consumers("ARCHIVE") == ["audit"]
    state = account.state()
    assert state["ORDERS"]["max_age"] == 86400 * 10**9
    assert not state["ARCHIVE"].get("max_age")
    assert state["ORDERS/billing"]["ack_wait"] == 60 * 10**9
    assert state["ORDERS/shipping"]["ack_wait"] == 10 * 10**9
    assert result["summary"] == {
        "created": 6,
        "updated": 0,
        "recreated": 0,
        "migrated": 0,
        "deleted": 0,
        "entries": 0,
        "unchanged": 0,
        "failed": 0,
        "not_tried": 0,
    }
    names = [request for request, _body in requests]
    places = [names.index(f"STREAM.CREATE.{name}") for name in ("ORDERS", "ARCHIVE", "COPY")]
    assert places == sorted(places)
    assert names.index("CONSUMER.CREATE.ARCHIVE.audit") > places[1]
    assert len(names) == 6


def test_only_what_differs_is_written(account):
    account.agrees(**SHOP)
    changed = {**SHOP, "consumers": [{"stream": "ARCHIVE", "name": "audit", "max_deliver": 5}]}
    with account.watched() as requests:
        result = account.agrees(**changed)
    assert [request for request, _body in requests] == ["CONSUMER.CREATE.ARCHIVE.audit"]
    assert [row["action"] for row in result["plan"]] == ["update"]
    assert result["plan"][0]["changes"] == [{"option": "max_deliver", "before": -1, "after": 5}]
    assert len(result["diff"]) == 1


def test_the_undeclared_is_left_alone(account):
    account.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine"]})
    account.agrees(**SHOP)
    assert "MINE" in account.streams()


def test_everything_wrong_is_told_at_once_with_its_place(account):
    result = account.declare(
        streams=[
            {"name": "A", "subjects": ["a.>"], "max_agee": "1d"},
            {"name": "B", "subjects": ["a.b"], "retention": "forever"},
            {"name": "A"},
            {"subjects": ["c"], "consumers": [{"name": "x", "max_deliver": "many"}]},
        ],
        consumers=[{"name": "y"}, {"stream": "D", "name": "z", "ack_wait": "soon"}],
        defaults={"stream": {}, "consumers": {"durabel": True}},
        concurrency=0,
    )
    assert result["failed"]
    places = {problem["place"]: problem["text"] for problem in result["problems"]}
    assert "did you mean max_age" in places["streams[0].max_agee"]
    assert "overlaps 'a.>'" in places["streams[1].subjects[0]"]
    assert "forever" in places["streams[1].retention"]
    assert "streams[0]" in places["streams[2].name"]
    assert places["streams[3].name"] == "is required"
    assert "many" in places["streams[3].consumers[0].max_deliver"]
    assert places["consumers[0].stream"] == "is required"
    assert "soon" in places["consumers[1].ack_wait"]
    assert "did you mean streams" in places["defaults.stream"]
    assert "did you mean durable" in places["defaults.consumers.durabel"]
    assert "concurrency" in places
    assert account.streams() == []


def test_what_a_server_would_refuse_stops_everything(account):
    """Predicted, so nothing at all is written."""
    account.nats.ok("STREAM.CREATE.A", {"name": "A", "subjects": ["a"], "storage": "memory"})
    declared = {"streams": [{"name": "B"}, {"name": "A", "storage": "file"}]}
    foretold = account.declare(check=True, **declared)
    with account.watched() as requests:
        result = account.declare(**declared)
    assert not requests
    for one in (foretold, result):
        assert one["failed"] and not one["changed"]
        assert [row["place"] for row in one["failures"]] == ["streams[1]"]
        assert one["failures"][0]["immutable"][0]["option"] == "storage"


def test_a_failure_stops_what_depends_on_it_and_nothing_else(account):
    """A disk quota of the server is not foretold: it is the server's to judge."""
    declared = {
        "streams": [
            {
                "name": "BIG",
                "subjects": ["big"],
                "max_bytes": "1000TB",
                "consumers": [{"name": "one"}],
            },
            {"name": "SMALL", "subjects": ["small"], "consumers": [{"name": "two"}]},
        ]
    }
    result = account.declare(**declared)
    assert result["failed"] and result["changed"]
    assert [(row["place"], row["err_code"]) for row in result["failures"]] == [
        ("streams[0]", 10047)
    ]
    assert [row["name"] for row in result["not_tried"]] == ["one"]
    assert account.streams() == ["SMALL"]
    assert account.consumers("SMALL") == ["two"]
    assert result["summary"]["created"] == 2
    declared["streams"][0]["max_bytes"] = "1MiB"
    rest = account.agrees(**declared)
    assert [row["name"] for row in rest["plan"]] == ["BIG", "one"]


def test_absent_takes_all_of_it_away(account):
    account.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine"]})
    account.agrees(**SHOP)
    result = account.agrees(state="absent", **SHOP)
    assert account.streams() == ["MINE"]
    assert {row["action"] for row in result["plan"]} == {"delete"}


def test_an_entry_can_be_absent(account):
    account.agrees(**SHOP)
    streams = [
        {
            "name": "ORDERS",
            "consumers": [{"name": "billing", "state": "absent"}, {"name": "shipping"}],
        },
        {"name": "COPY", "state": "absent"},
    ]
    result = account.agrees(streams=streams)
    assert account.streams() == ["ARCHIVE", "ORDERS"]
    assert account.consumers("ORDERS") == ["shipping"]
    assert sorted(row["name"] for row in result["plan"]) == ["COPY", "billing"]


def test_a_consumer_of_a_stream_that_is_nowhere(account):
    declared = {"consumers": [{"stream": "NOWHERE", "name": "x"}], "streams": [{"name": "A"}]}
    foretold = account.declare(check=True, **declared)
    assert not foretold.get("failed")
    assert any("NOWHERE is neither there nor declared" in text for text in foretold["warnings"])
    result = account.declare(**declared)
    assert result["failed"]
    assert result["failures"][0]["place"] == "consumers[0]"
    assert account.streams() == []


def test_the_expected_plan_and_no_other(account):
    foretold = account.declare(check=True, **SHOP)
    digest = foretold["plan_digest"]
    other = account.declare(expect_plan="0" * 64, **SHOP)
    assert other["failed"] and other["plan_digest"] == digest
    assert account.streams() == []
    result = account.declare(expect_plan=digest, **SHOP)
    assert result["changed"] and not result.get("failed")
    # Another order of the same is the same.
    account.empty()
    turned = {**SHOP, "streams": SHOP["streams"][::-1]}
    assert account.declare(check=True, **turned)["plan_digest"] == digest


def test_deletes_come_before_what_they_block(account):
    account.nats.ok("STREAM.CREATE.OLD", {"name": "OLD", "subjects": ["orders.>"]})
    with account.watched() as requests:
        account.agrees(
            streams=[
                {"name": "NEW", "subjects": ["orders.paid"]},
                {"name": "OLD", "state": "absent"},
            ]
        )
    assert [request for request, _body in requests] == ["STREAM.DELETE.OLD", "STREAM.CREATE.NEW"]


def test_consumers_come_before_a_change_to_interest(account):
    if account.version < (2, 10):
        pytest.skip("2.9 cannot change the retention of a stream")
    account.nats.ok("STREAM.CREATE.A", {"name": "A", "subjects": ["a"]})
    account.store("a", "a", "a")
    with account.watched() as requests:
        account.agrees(
            streams=[{"name": "A", "retention": "interest", "consumers": [{"name": "c"}]}]
        )
    assert [request for request, _body in requests] == ["CONSUMER.CREATE.A.c", "STREAM.UPDATE.A"]
    assert account.messages("A") == 3


@pytest.mark.parametrize(
    ("setting", "before", "after", "consumer", "reason"),
    [
        ("max_consumers", 1, 2, {}, "max_consumers allows 1 (err_code 10026)"),
        (
            "consumer_limits",
            {"max_ack_pending": 10},
            {"max_ack_pending": 100},
            {"max_ack_pending": 50},
            "max_ack_pending 50 is above consumer_limits (10, err_code 10121)",
        ),
    ],
)
def test_a_consumer_that_a_stream_takes_only_after_its_change_to_interest(
    account, setting, before, after, consumer, reason
):
    """The consumer comes before the change, and so before the room for it."""
    if account.version < (2, 10):
        pytest.skip("2.9 cannot change the retention of a stream")
    if setting == "max_consumers" and account.version < (2, 15):
        pytest.skip("older servers do not change max_consumers")
    old = {"name": "old", "max_ack_pending": 5}
    account.agrees(streams=[{"name": "A", "subjects": ["a"], setting: before, "consumers": [old]}])
    account.store("a", "a")
    changed = {"name": "A", "subjects": ["a"], setting: after}
    wanted = [old, {"name": "new", **consumer}]
    was = account.state()
    for check in (True, False):
        result = account.declare(
            streams=[{**changed, "retention": "interest", "consumers": wanted}],
            check=check,
        )
        assert result["failed"] and not result["changed"]
        assert reason in result["msg"] and "Change retention in a later run" in result["msg"]
    assert account.state() == was
    account.agrees(streams=[{**changed, "consumers": wanted}])
    account.agrees(streams=[{**changed, "retention": "interest", "consumers": wanted}])
    assert account.messages("A") == 2


def test_a_sealed_stream_is_sealed_at_the_end(account):
    result = account.agrees(streams=[{"name": "A", "subjects": ["a"], "sealed": True}])
    assert account.state()["A"]["sealed"]
    assert result["plan"][0]["changes"] == []
    assert result["plan"][0]["options"] == {"subjects": ["a"], "sealed": True}


def test_a_recreate_keeps_the_consumers(account):
    account.nats.ok("STREAM.CREATE.A", {"name": "A", "subjects": ["a"], "storage": "memory"})
    result = account.agrees(
        streams=[
            {"name": "A", "storage": "file", "recreate": "always", "consumers": [{"name": "c"}]}
        ]
    )
    assert {(row["name"], row["action"]) for row in result["plan"]} == {
        ("A", "recreate"),
        ("c", "create"),
    }
    assert account.consumers("A") == ["c"]


def test_what_an_entry_says_itself_counts_more(account):
    """Whether it may be recreated, and what it may lose."""
    for name in ("MAY", "MAY-NOT"):
        config = {"name": name, "subjects": [name], "storage": "memory"}
        account.nats.ok(f"STREAM.CREATE.{name}", config)
    declared = [{"name": name, "storage": "file"} for name in ("MAY", "MAY-NOT")]
    declared[0]["recreate"] = "if_empty"
    refused = account.declare(streams=declared)
    assert [row["place"] for row in refused["failures"]] == ["streams[1]"]
    declared[1]["recreate"] = "never"
    refused = account.declare(recreate="always", streams=declared)
    assert [row["place"] for row in refused["failures"]] == ["streams[1]"]
    del declared[1]["recreate"]
    account.store("MAY")
    refused = account.declare(recreate="always", streams=declared)
    assert [row["place"] for row in refused["failures"]] == ["streams[0]"]
    account.nats.ok("STREAM.PURGE.MAY")
    result = account.agrees(recreate="always", streams=declared)
    assert [row["action"] for row in result["plan"]] == ["recreate", "recreate"]


def test_what_an_entry_may_lose(account):
    for name in ("A", "B"):
        account.nats.ok(f"STREAM.CREATE.{name}", {"name": name, "subjects": [name.lower()]})
    account.store("a", "a", "b", "b")
    streams = [{"name": name, "max_msgs": 1, "data_loss": "forbid"} for name in ("A", "B")]
    refused = account.declare(streams=streams)
    assert [row["place"] for row in refused["failures"]] == ["streams[0]", "streams[1]"]
    del streams[0]["data_loss"]
    refused = account.declare(data_loss="forbid", streams=streams)
    assert [row["place"] for row in refused["failures"]] == ["streams[0]", "streams[1]"]
    for entry in streams:
        entry["data_loss"] = "warn"
    result = account.agrees(data_loss="forbid", streams=streams)
    assert [row["would_lose"]["messages"] for row in result["plan"]] == [1, 1]
    assert [account.messages(name) for name in ("A", "B")] == [1, 1]


def test_a_difference_of_a_thousand_assets_can_be_read(account):
    """A few lines for each asset, with its name above them."""

    def environment(deliver, count=500):
        return [
            {
                "name": f"S{number:03}",
                "subjects": [f"s{number:03}.>"],
                "max_age": "1d",
                "consumers": [{"name": "c", "max_deliver": deliver}],
            }
            for number in range(count)
        ]

    first = account.declare(check=True, streams=environment(3))
    assert first["summary"]["created"] == len(first["diff"]) == 1000
    assert all(one["before"] == "" for one in first["diff"])
    assert {one["after"].count("\n") for one in first["diff"]} <= {3, 4, 5}
    account.declare(diff=False, streams=environment(3, 20))
    changed = account.declare(check=True, streams=environment(4, 20))
    assert len(changed["diff"]) == 20
    one = changed["diff"][7]
    assert one["before_header"] == "consumer c of stream S007"
    assert one["after_header"] == "consumer c of stream S007 (update)"
    assert one["before"] == "stream: S007\nname: c\nmax_deliver: 3\n"
    assert one["after"] == "stream: S007\nname: c\nmax_deliver: 4\n"
    assert "diff" not in account.declare(check=True, diff=False, streams=environment(4, 20))
