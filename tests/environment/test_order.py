# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to come before what: room, filters, consumers, seals; as the server saw it."""

from __future__ import annotations

import pytest

from harness import client, servers

MIB = 2**20
LIMITED = {
    "accounts": {
        "SMALL": {
            "users": [{"user": "small", "password": "small"}],
            "jetstream": {
                **{"max_file": 100 * MIB, "max_mem": 10 * MIB, "max_streams": 3},
                "max_consumers": 2,
            },
        }
    },
    "no_auth_user": "small",
}


@pytest.fixture
def small(server, run_module, account_on):
    """An account that may have 100 MiB of files, 10 MiB of memory, and three streams."""
    with servers.Server(server.binary, LIMITED) as running, client.Client(running.url) as nats:
        yield account_on(running, nats)


def sized(**sizes):
    return [
        {"name": name, "subjects": [name.lower()], "max_bytes": size}
        for name, size in sizes.items()
    ]


def names(requests):
    return [request for request, _body in requests]


def test_what_makes_room_comes_before_what_needs_it(small):
    small.agrees(streams=sized(A=60 * MIB, B=20 * MIB))
    with small.watched() as requests:
        # In the declaration the larger one comes first.
        small.agrees(streams=sized(B=70 * MIB, A=20 * MIB))
    assert names(requests) == ["STREAM.UPDATE.A", "STREAM.UPDATE.B"]
    with small.watched() as requests:
        small.agrees(streams=[*sized(C=80 * MIB, A=5 * MIB), {"name": "B", "state": "absent"}])
    assert names(requests)[-1] == "STREAM.CREATE.C"
    assert set(names(requests)[:2]) == {"STREAM.DELETE.B", "STREAM.UPDATE.A"}


def test_as_many_streams_as_there_may_be(small):
    small.agrees(streams=sized(A=1, B=1, C=1))
    with small.watched() as requests:
        small.agrees(streams=[*sized(D=1), {"name": "B", "state": "absent"}])
    assert names(requests) == ["STREAM.DELETE.B", "STREAM.CREATE.D"]


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (sized(A=60 * MIB, B=60 * MIB), "reserve 120MiB of file storage"),
        ([{**one, "storage": "memory"} for one in sized(A=11 * MIB)], "11MiB of memory storage"),
        (sized(A=1, B=1, C=1, D=1), "there would be 4 streams, the account may have 3"),
    ],
    ids=["file", "memory", "streams"],
)
def test_what_the_account_can_not_hold_is_told_before_the_first_write(small, declared, text):
    for check in (True, False):
        with small.watched() as requests:
            result = small.declare(check=check, streams=declared)
        assert result["failed"]
        assert text in result["msg"]
        assert not requests


def queue(*consumers):
    return {
        "streams": [
            {
                "name": "JOBS",
                "subjects": ["jobs.>"],
                "retention": "workqueue",
                "consumers": [
                    {"name": name, "filter_subject": one}
                    if isinstance(one, str)
                    else {"name": name, "filter_subjects": one}
                    for name, one in consumers
                ],
            }
        ]
    }


def filters(account):
    return {
        consumer: account.nats.ok(f"CONSUMER.INFO.JOBS.{consumer}")["config"].get("filter_subject")
        for consumer in account.consumers("JOBS")
    }


def test_a_filter_goes_to_a_new_consumer_of_a_queue(account):
    """A workqueue stream has no two consumers for one subject, not even for a moment."""
    account.agrees(**queue(("a", "jobs.>")))
    account.store("jobs.x", "jobs.y")
    with account.watched() as requests:
        account.agrees(**queue(("new", "jobs.x"), ("a", "jobs.y")))
    assert names(requests) == ["CONSUMER.CREATE.JOBS.a.jobs.y", "CONSUMER.CREATE.JOBS.new.jobs.x"]
    assert filters(account) == {"a": "jobs.y", "new": "jobs.x"}
    assert account.messages("JOBS") == 2


def test_a_chain_of_filters(account):
    account.agrees(**queue(("a", "jobs.1"), ("b", "jobs.2"), ("c", "jobs.3")))
    account.agrees(**queue(("c", "jobs.2"), ("b", "jobs.1"), ("a", "jobs.4")))
    assert filters(account) == {"a": "jobs.4", "b": "jobs.1", "c": "jobs.2"}


def test_filters_are_swapped(account):
    account.agrees(**queue(("a", "jobs.1"), ("b", "jobs.2")))
    account.store("jobs.1", "jobs.2", "jobs.2")
    with account.watched() as requests:
        account.agrees(**queue(("a", "jobs.2"), ("b", "jobs.1")))
    assert filters(account) == {"a": "jobs.2", "b": "jobs.1"}
    assert len(requests) == (2 if account.version < (2, 10) else 3)
    assert account.messages("JOBS") == 3
    pending = [account.nats.ok(f"CONSUMER.INFO.JOBS.{one}")["num_pending"] for one in "ab"]
    assert pending == [2, 1]


def test_some_of_many_filters_are_swapped(account):
    if account.version < (2, 10):
        pytest.skip("2.9 has one filter for each consumer")
    account.agrees(**queue(("a", ["jobs.1", "jobs.2"]), ("b", ["jobs.3", "jobs.4"])))
    account.agrees(**queue(("a", ["jobs.1", "jobs.3"]), ("b", ["jobs.2", "jobs.4"])))
    kept = account.nats.ok("CONSUMER.INFO.JOBS.a")["config"]["filter_subjects"]
    assert sorted(kept) == ["jobs.1", "jobs.3"]


def test_a_refused_swap_of_filters_gives_them_back(account):
    """What b asks is refused for a reason that is the server's to judge."""
    if account.version < (2, 10):
        pytest.skip("2.9 lets the filters of a queue meet when they are changed")
    account.agrees(**queue(("a", "jobs.1"), ("b", "jobs.2")))
    declared = queue(("a", "jobs.2"), ("b", "jobs.1"))
    for consumer in declared["streams"][0]["consumers"]:
        consumer["extra_config"] = {"direct": True}  # on a pull consumer
    result = account.declare(**declared)
    assert [row.get("err_code") for row in result["failures"]] == [10090], result
    assert filters(account) == {"a": "jobs.1", "b": "jobs.2"}


def test_a_stream_is_sealed_when_its_consumers_are_there(account):
    with account.watched() as requests:
        account.agrees(
            streams=[
                {
                    "name": "A",
                    "subjects": ["a"],
                    "sealed": True,
                    "consumers": [{"name": "c"}, {"name": "d"}],
                }
            ]
        )
    assert names(requests)[0] == "STREAM.CREATE.A"
    assert names(requests)[-1] == "STREAM.UPDATE.A"
    assert requests[-1][1]["sealed"] is True
    assert len(requests) == 4


def test_consumers_that_have_more_than_they_may_are_changed_first(account):
    if account.version < (2, 10):
        pytest.skip("2.9 has no consumer_limits")
    consumer = {"name": "c", "max_ack_pending": 500}
    limits = {"max_ack_pending": 500}
    stream = {"name": "A", "subjects": ["a"], "consumer_limits": limits, "consumers": [consumer]}
    account.agrees(streams=[stream])
    with account.watched() as requests:
        account.agrees(
            streams=[
                {
                    **stream,
                    "consumer_limits": {"max_ack_pending": 50},
                    "consumers": [{**consumer, "max_ack_pending": 50}],
                }
            ]
        )
    assert names(requests) == ["CONSUMER.CREATE.A.c", "STREAM.UPDATE.A"]


def test_deleted_consumers_make_room_for_new_ones(account):
    stream = {"name": "A", "subjects": ["a"], "max_consumers": 2}
    account.agrees(streams=[{**stream, "consumers": [{"name": "a"}, {"name": "b"}]}])
    gone = [{"name": "a", "state": "absent"}, {"name": "b", "state": "absent"}]
    with account.watched() as requests:
        account.agrees(streams=[{**stream, "consumers": [{"name": "c"}, {"name": "d"}, *gone]}])
    kinds = [request.split(".")[1] for request in names(requests)]
    assert kinds == ["DELETE", "DELETE", "CREATE", "CREATE"]


def full(*new, **stream):
    return {"name": "A", "subjects": ["a"], **stream, "consumers": [{"name": one} for one in new]}


def too_many(account, text, places, **declared):
    """Declare more consumers than a stream takes; in check mode and in a run nothing is written."""
    before = account.state()
    for check in (True, False):
        with account.watched() as requests:
            result = account.declare(check=check, **declared)
        assert result["failed"] and not result["changed"], result
        assert requests == []
        assert [row["place"] for row in result["failures"]] == places
        assert text in result["failures"][0]["msg"]
    assert account.state() == before


def test_more_consumers_than_a_stream_takes(account):
    text = "would have 3 consumers, and max_consumers allows 2 (err_code 10026)"
    new = full("a", "b", "c", max_consumers=2)
    too_many(account, text, ["streams[0].consumers[0]"], streams=[{"name": "B"}, new][1:])
    account.agrees(streams=[full("a", "b", max_consumers=2)])
    too_many(account, text, ["streams[0].consumers[0]"], streams=[full("c")])
    too_many(
        account,
        "would have 4 consumers",
        ["consumers[0]"],
        consumers=[{"stream": "A", "name": "c"}, {"stream": "A", "name": "d"}],
    )
    gone = [{"stream": "A", "name": "a", "state": "absent"}]
    with account.watched() as requests:
        account.agrees(streams=[full("c")], consumers=gone)
    assert [one.split(".")[1] for one in names(requests)] == ["DELETE", "CREATE"]
    account.agrees(streams=[full("b", "c")])


def test_a_limit_that_is_raised_together_with_its_consumers(account):
    if account.version < (2, 12, 5):
        pytest.skip("older servers do not change max_consumers")
    account.agrees(streams=[full("a", max_consumers=1)])
    account.agrees(streams=[full("a", "b", max_consumers=2)])
    text = "would have 3 consumers, and max_consumers allows 2"
    declared = [full("a", "b", "c", max_consumers=2)]
    too_many(account, text, ["streams[0].consumers[2]"], streams=declared)


def test_pruned_consumers_make_room(account):
    """Also for their filters, in a workqueue."""
    if account.version < (2, 10):
        pytest.skip("marks of owners are metadata, which servers have from 2.10 on")
    queue = {"name": "A", "subjects": ["a.>"], "max_consumers": 1, "retention": "workqueue"}
    owned = {"owner": "shop", "prune": "owned"}
    old, new = ({"name": name, "filter_subject": "a.x"} for name in ("old", "new"))
    account.agrees(streams=[{**queue, "consumers": [old]}], **owned)
    kept = [{**queue, "consumers": [new]}]
    text = "would have 2 consumers, and max_consumers allows 1"
    too_many(account, text, ["streams[0].consumers[0]"], streams=kept, owner="shop")
    account.agrees(streams=kept, **owned)
    assert account.consumers("A") == ["new"]


def test_consumers_that_the_account_allows_each_stream(small):
    small.agrees(streams=[full("a", "b"), {**full("a", "b"), "name": "B", "subjects": ["b"]}])
    text = "would have 3 consumers, and the account allows 2 (err_code 10026)"
    too_many(small, text, ["streams[0].consumers[0]"], streams=[full("c")])


@pytest.fixture
def bounded(server, account_on):
    """An account that allows each stream no more than so much, and wants to know how much."""
    own = {
        **{"max_file": 100 * MIB, "max_mem": 10 * MIB, "max_consumers": 2},
        **{"max_bytes_required": True, "disk_max_stream_bytes": 2000},
        **{"mem_max_stream_bytes": 1000},
    }
    users = [{"user": "bound", "password": "bound"}]
    config = {"accounts": {"B": {"users": users, "jetstream": own}}, "no_auth_user": "bound"}
    with servers.Server(server.binary, config) as running, client.Client(running.url) as nats:
        yield account_on(running, nats)


def test_what_the_account_allows_each_stream(bounded):
    wanted = [
        ({}, "max_bytes: the account wants every stream to have it (err_code 10113)"),
        ({"max_bytes": 2001}, "is more than the account allows a stream, 2000B (err_code 10122)"),
        (
            {"max_bytes": 1001, "storage": "memory"},
            "is more than the account allows a stream, 1000B (err_code 10122)",
        ),
        (
            {"max_bytes": 1, "max_consumers": 3},
            "max_consumers: 3 is more than the account allows a stream, 2 (err_code 10026)",
        ),
    ]
    bounded.agrees(streams=[{"name": "S", "max_bytes": 2000}])
    for options, text in wanted:
        too_many(bounded, text, ["streams[0]"], streams=[{"name": "N", **options}])
        # The server says the same, which is how it is known.
        answer = bounded.nats.api("STREAM.CREATE.N", {"name": "N", **options})
        assert f"err_code {answer['error']['err_code']}" in text
    too_many(bounded, wanted[1][1], ["streams[0]"], streams=[{"name": "S", "max_bytes": 2001}])
    too_many(bounded, wanted[0][1], ["streams[0]"], streams=[{"name": "S", "reset": ["max_bytes"]}])
    too_many(bounded, wanted[0][1], ["kv_buckets[0]"], kv_buckets=[{"name": "B"}])
    bounded.agrees(streams=[{"name": "S", "description": "other"}])


def test_nothing_that_was_written_was_refused(account):
    """The server's own advisories of every request tell the same: all were accepted."""
    account.agrees(
        streams=[
            {"name": "A", "subjects": ["a", "s"]},
            {"name": "B", "subjects": ["b", "t"]},
            {"name": "OLD", "subjects": ["old.>"]},
        ]
    )
    number = account.nats.subscribe("$JS.EVENT.ADVISORY.API")
    account.nats.flush()
    account.agrees(
        streams=[
            {"name": "ALL", "sources": [{"name": "NEW"}]},
            {"name": "NEW", "subjects": ["old.new"], "consumers": [{"name": "c"}]},
            {"name": "OLD", "state": "absent"},
            {"name": "A", "subjects": ["a", "t"]},
            {"name": "B", "subjects": ["b", "s"]},
        ]
    )
    written = account.advised(number)
    assert [error for _request, error in written if error] == []
    order = [request for request, _error in written]
    assert order.index("STREAM.DELETE.OLD") < order.index("STREAM.CREATE.NEW")
    assert order.index("STREAM.CREATE.NEW") < order.index("STREAM.CREATE.ALL")
    assert order.index("STREAM.CREATE.NEW") < order.index("CONSUMER.CREATE.NEW.c")
    moving = [place for place, request in enumerate(order) if request[-2:] in (".A", ".B")]
    assert moving == list(range(moving[0], moving[0] + 3))
