# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subjects that move between streams: one request after the other, messages stay behind."""

from __future__ import annotations


def declared(**subjects):
    return [{"name": name, "subjects": list(own)} for name, own in subjects.items()]


def writes(requests):
    return [(request, body.get("subjects")) for request, body in requests]


def test_a_subject_leaves_and_joins(account):
    account.agrees(streams=declared(A=["a", "s"], B=["b"]))
    account.store("a", "s", "b")
    with account.watched() as requests:
        # In the declaration the one that gets it comes first.
        result = account.agrees(streams=declared(B=["b", "s"], A=["a"]))
    assert writes(requests) == [("STREAM.UPDATE.A", ["a"]), ("STREAM.UPDATE.B", ["b", "s"])]
    rows = {row["name"]: row for row in result["plan"]}
    assert rows["B"]["moves"] == [{"subject": "s", "from": "A"}]
    assert (account.messages("A"), account.messages("B")) == (2, 1)


def test_a_chain(account):
    account.agrees(streams=declared(A=["a", "s"], B=["b", "t"], C=["c"]))
    with account.watched() as requests:
        account.agrees(streams=declared(C=["c", "t"], B=["b", "s"], A=["a"]))
    assert [request for request, _body in requests] == [
        "STREAM.UPDATE.A",
        "STREAM.UPDATE.B",
        "STREAM.UPDATE.C",
    ]


def test_a_swap(account):
    account.agrees(streams=declared(A=["a", "s"], B=["b", "t"]))
    account.store("s", "t", "t")
    with account.watched() as requests:
        account.agrees(streams=declared(A=["a", "t"], B=["b", "s"]))
    first, second, third = writes(requests)
    assert first == ("STREAM.UPDATE.A", ["a"])
    assert (second[0], sorted(second[1])) == ("STREAM.UPDATE.B", ["b", "s"])
    assert (third[0], sorted(third[1])) == ("STREAM.UPDATE.A", ["a", "t"])
    assert (account.messages("A"), account.messages("B")) == (1, 2)


def test_a_swap_of_all_there_is_uses_a_subject_that_nobody_has(account):
    account.agrees(streams=declared(A=["s"], B=["t"]))
    with account.watched() as requests:
        account.agrees(streams=declared(A=["t"], B=["s"]))
    (_first, placeholder), _second, _third = writes(requests)
    assert len(placeholder) == 1
    assert placeholder[0].startswith("moving.A.")
    assert (account.subjects("A"), account.subjects("B")) == (["t"], ["s"])


def test_a_ring_of_three(account):
    account.agrees(streams=declared(A=["x"], B=["y"], C=["z"]))
    with account.watched() as requests:
        account.agrees(streams=declared(A=["y"], B=["z"], C=["x"]))
    assert len(requests) == 4
    assert [account.subjects(name) for name in "ABC"] == [["y"], ["z"], ["x"]]


def test_a_wide_subject_is_split(account):
    account.agrees(streams=declared(A=["orders.>"]))
    account.agrees(streams=declared(NEW=["orders.new.>"], A=["orders.old.>"], B=["orders.*"]))
    assert account.subjects("B") == ["orders.*"]


def test_a_subject_that_stays_is_foretold(account):
    account.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["orders.>"]})
    for check in (True, False):
        result = account.declare(check=check, streams=declared(A=["a"], B=["orders.paid"]))
        assert result["failed"]
        assert [row["place"] for row in result["failures"]] == ["streams[1]"]
        assert "MINE" in result["failures"][0]["msg"]
    assert account.streams() == ["MINE"]


def test_a_refused_join_gives_the_subject_back(account):
    """The join is refused for a quota, which is the server's to judge."""
    account.agrees(streams=declared(A=["a", "s"], B=["b"]))
    streams = declared(A=["a"], B=["b", "s"])
    streams[1]["max_bytes"] = "1000TB"
    result = account.declare(streams=streams)
    assert result["failed"]
    assert sorted(account.subjects("A")) == ["a", "s"]
    assert account.subjects("B") == ["b"]
    assert {row["place"] for row in result["failures"]} == {"streams[0]", "streams[1]"}
    assert any("s went back to it" in row["msg"] for row in result["failures"])


def test_a_refused_swap_gives_both_back(account):
    account.agrees(streams=declared(A=["s"], B=["t"]))
    streams = declared(A=["t"], B=["s"])
    streams[1]["max_bytes"] = "1000TB"
    result = account.declare(streams=streams)
    assert result["failed"]
    assert (account.subjects("A"), account.subjects("B")) == (["s"], ["t"])
    assert [row["name"] for row in result["not_tried"]] == ["A"]
