# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries: what is written is what other clients read, and only differences are written."""

from __future__ import annotations

import base64
import json
import time

import pytest
from buckets import consumers, make_bucket, messages, stored, with_nats_py
from nats.js.errors import NoKeysError

from ansible_collections.nats.jetstream.plugins.module_utils import _entries
from ansible_collections.nats.jetstream.plugins.modules import jetstream_kv

BINARY = bytes(range(256))
VALUES = {
    "text": ({"value": "EUR"}, b"EUR"),
    "empty": ({"value": ""}, b""),
    "unicode": ({"value": "Größe 🜂\n"}, "Größe 🜂\n".encode()),
    "number": ({"value": 42}, b"42"),
    "json": (
        {"json": {"b": [1, 2.5, None, True], "a": "ö"}},
        '{"a":"ö","b":[1,2.5,null,true]}'.encode(),
    ),
    "json_text": ({"json": "EUR"}, b'"EUR"'),
    "json_false": ({"json": False}, b"false"),
    "binary": ({"base64": base64.b64encode(BINARY).decode()}, BINARY),
    "empty_base64": ({"base64": ""}, b""),
    "src": ({"src": "FILE"}, BINARY * 1000),
}


@pytest.fixture
def put(run_module):
    def run(bucket="b", **args):
        return run_module(jetstream_kv, bucket=bucket, **args)

    return run


def settle(account, put, **args):
    """Check, run, and run again; the result of the run. Says nothing about what it did."""
    before, others = messages(account), consumers(account)  # nats-py leaves some behind
    check = put(**args, check=True)
    assert messages(account) == before
    done = put(**args)
    assert not done.get("failed"), done
    for key in ("changed", "diff"):
        assert check[key] == done[key], key
    for name in ("key", "action", "previous_revision", "pruned"):
        assert [row[name] for row in check["entries"]] == [row[name] for row in done["entries"]]
    for planned, row in zip(check["entries"], done["entries"]):
        changes = row["action"] != "none"
        assert planned["revision"] == (None if changes else row["revision"])
    assert done["changed"] is any(row["action"] != "none" for row in done["entries"])
    assert messages(account) == before + sum(row["action"] != "none" for row in done["entries"])
    after = messages(account)
    again = put(**args)
    assert again["changed"] is False, again
    assert {row["action"] for row in again["entries"]} <= {"none"}
    assert again["diff"]["before"] == again["diff"]["after"] == ""
    assert messages(account) == after
    assert set(consumers(account)) <= set(others)
    return done


def keys_by_nats_py(url):
    """Return the keys that nats-py lists, which misses those that come before it asks how many."""

    async def read(kv):
        try:
            return sorted(await kv.keys())
        except NoKeysError:
            return []

    return with_nats_py(url, read)


def with_time(condition):
    """Wait until something holds, and say whether it does."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def one(result):
    (row,) = result["entries"]
    return row


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "leader"])
@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_what_others_read(name, direct, account, put, server, tmp_path):
    options, data = VALUES[name]
    if "src" in options:
        (tmp_path / "value").write_bytes(data)
        options = {"src": str(tmp_path / "value")}
    make_bucket(account, allow_direct=direct)
    done = settle(account, put, key="a.b", **options)
    assert one(done) == {
        "key": "a.b",
        "action": "create",
        "revision": 1,
        "previous_revision": None,
        "pruned": False,
    }
    assert stored(account, "a.b").data == data
    seen = with_nats_py(server.url, lambda kv: kv.get("a.b"))
    assert ((seen.value or b""), seen.revision) == (data, 1)  # nats-py has None for empty ones


def test_a_file_is_read_once(account, put, tmp_path, monkeypatch):
    """What happens to it after the task was judged changes nothing, above all no entry."""
    make_bucket(account)
    assert put(key="a", value="old")["changed"] is True
    file = tmp_path / "value"
    file.write_text("new")
    find = jetstream_kv._kv.find_bucket

    async def find_after_the_file_is_gone(*args):
        file.unlink()
        return await find(*args)

    monkeypatch.setattr(jetstream_kv._kv, "find_bucket", find_after_the_file_is_gone)
    assert one(put(key="a", src=str(file)))["action"] == "update"
    assert stored(account, "a").data == b"new"


@pytest.mark.parametrize("name", [name for name in VALUES if name != "src"])
def test_what_others_wrote_is_not_written_again(name, account, put, server):
    options, data = VALUES[name]
    make_bucket(account)
    with_nats_py(server.url, lambda kv: kv.put("a", data))
    done = put(key="a", **options)
    assert (done["changed"], one(done)["revision"]) == (False, 1)
    assert messages(account) == 1


@pytest.mark.parametrize(
    "text, same",
    [
        ('{ "b" : 1,\n "a": [true] }', True),
        ('{"a":[true],"b":1}', True),
        ('{"a":[true],"b":2}', False),
        ('{"a":[1],"b":1}', False),
        ('{"a":[true]}', False),
        ("no json", False),
        ("", False),
    ],
)
def test_json_is_compared_by_its_meaning(text, same, account, put):
    make_bucket(account)
    account.store("$KV.b.a", data=text)
    done = settle(account, put, key="a", json={"a": [True], "b": 1})
    assert done["changed"] is not same


def test_a_text_is_compared_as_it_is(account, put):
    make_bucket(account)
    account.store("$KV.b.a", data='{"a": 1}')
    assert settle(account, put, key="a", value='{"a":1}')["changed"] is True


def test_update_delete_purge_and_their_history(account, put, server):
    make_bucket(account)
    settle(account, put, key="a", value="1")
    assert one(settle(account, put, key="a", value="2"))["action"] == "update"
    deleted = one(settle(account, put, key="a", state="absent"))
    assert (deleted["action"], deleted["revision"], deleted["previous_revision"]) == (
        "delete",
        3,
        2,
    )
    history = with_nats_py(server.url, lambda kv: kv.history("a"))
    assert [(one.value or b"", one.operation) for one in history] == [
        (b"1", None),
        (b"2", None),
        (b"", "DEL"),
    ]
    assert one(settle(account, put, key="a", value="3"))["action"] == "create"
    assert one(settle(account, put, key="a", state="purged"))["action"] == "purge"
    history = with_nats_py(server.url, lambda kv: kv.history("a"))
    assert [(e.revision, e.operation) for e in history] == [(5, "PURGE")]
    assert stored(account, "a").headers == {
        "KV-Operation": "PURGE",
        "Nats-Rollup": "sub",
        "Nats-Expected-Last-Subject-Sequence": "4",
    }


@pytest.mark.parametrize("state", ["absent", "purged"])
def test_what_is_not_there_is_not_deleted(state, account, put):
    make_bucket(account)
    done = settle(account, put, key="a", state=state)
    assert (done["changed"], one(done)["revision"]) == (False, None)
    assert messages(account) == 0


def test_what_others_deleted_and_purged(account, put, server):
    make_bucket(account)

    async def write(kv):
        for key in ("deleted", "purged"):
            await kv.put(key, b"x")
        await kv.delete("deleted")
        await kv.purge("purged")

    with_nats_py(server.url, write)
    entries = [
        {"key": key, "state": state} for key in ("deleted", "purged") for state in ["absent"]
    ]
    assert settle(account, put, entries=entries)["changed"] is False
    done = settle(account, put, entries=[{"key": "deleted"}, {"key": "purged"}], state="purged")
    assert [row["action"] for row in done["entries"]] == ["purge", "none"]
    assert account.state("KV_b")["messages"] == 2


def test_a_purge_marker_over_a_history_is_purged(account, put):
    """Made by a client without roll-up: something is left to take away."""
    make_bucket(account)
    account.store("$KV.b.a", "$KV.b.a")
    headers = "NATS/1.0\r\nKV-Operation: PURGE\r\n\r\n"
    send_with_headers(account, "$KV.b.a", headers)
    assert stored(account, "a").headers == {"KV-Operation": "PURGE"}
    done = settle(account, put, key="a", state="purged")
    assert one(done)["action"] == "purge"
    assert account.state("KV_b")["messages"] == 1


def send_with_headers(account, subject, headers, data=""):
    nats = account.nats
    head, whole = len(headers), len(headers) + len(data)
    nats._send(f"HPUB {subject} {head} {whole}\r\n{headers}{data}\r\n".encode())
    nats.flush()


def test_many_entries_of_all_kinds(account, put, server):
    make_bucket(account, history=3)
    settle(account, put, entries=[{"key": f"k.{n}", "value": str(n)} for n in range(200)])
    entries = [
        *({"key": f"k.{n}", "value": str(n)} for n in range(100)),
        *({"key": f"k.{n}", "value": f"new {n}"} for n in range(100, 150)),
        *({"key": f"k.{n}", "state": "absent"} for n in range(150, 180)),
        *({"key": f"k.{n}", "state": "purged"} for n in range(180, 200)),
        *({"key": f"n.{n}", "json": {"n": n}} for n in range(100)),
        {"key": "none", "state": "absent"},
    ]
    done = settle(account, put, entries=entries)
    actions = [row["action"] for row in done["entries"]]
    assert [actions.count(name) for name in ("none", "update", "delete", "purge", "create")] == [
        101,
        50,
        30,
        20,
        100,
    ]
    assert [row["key"] for row in done["entries"]] == [entry["key"] for entry in entries]
    for row in done["entries"]:
        found = stored(account, row["key"])
        assert (found and found.seq) == row["revision"]
    expected = sorted([f"k.{n}" for n in range(150)] + [f"n.{n}" for n in range(100)])
    assert with_time(lambda: keys_by_nats_py(server.url) == expected)


def test_few_entries_of_a_large_bucket(account, put):
    """More than are read one by one, and too few to ask for all keys."""
    make_bucket(account, history=1)
    for number in range(2000):
        account.nats.publish(f"$KV.b.k{number}", str(number))
    account.nats.flush()
    assert with_time(lambda: messages(account) == 2000)
    entries = [{"key": f"k{n}", "value": str(n)} for n in range(1960, 2000)]
    entries += [{"key": f"n{n}", "value": "x"} for n in range(40)]
    done = settle(account, put, entries=entries)
    assert [row["action"] for row in done["entries"]] == ["none"] * 40 + ["create"] * 40


@pytest.mark.parametrize(
    "before, expected, works",
    [
        (None, 0, True),
        (None, 1, False),
        ("value", 0, False),
        ("value", 2, True),
        ("value", 1, False),
        ("deleted", 0, True),
        ("deleted", 3, True),
        ("deleted", 2, False),
    ],
)
def test_expected_revision(before, expected, works, account, put):
    make_bucket(account)
    if before:
        account.store("$KV.b.a", "$KV.b.a")
    if before == "deleted":
        put(key="a", state="absent")
    last = messages(account)
    if works:
        settle(account, put, key="a", value="new", expected_revision=expected)
        assert stored(account, "a").data == b"new"
        return
    for check in (True, False):
        result = put(key="a", value="new", expected_revision=expected, check=check)
        assert result["failed"], result
        assert result["problems"][0]["place"] == "expected_revision"
        assert "new" not in result["msg"]
        assert messages(account) == last


def test_an_equal_value_is_unchanged_whatever_its_revision(account, put):
    make_bucket(account)
    account.store("$KV.b.a", data="x")
    assert settle(account, put, key="a", value="x", expected_revision=0)["changed"] is False
    assert settle(account, put, key="n", state="absent", expected_revision=9)["changed"] is False


# --------------------------------------------------------------------------------------------------
# Pruning
# --------------------------------------------------------------------------------------------------


def test_prune_removes_what_matches_and_is_not_listed(account, put):
    make_bucket(account)
    account.store(*(f"$KV.b.{key}" for key in ("s.a", "s.b", "s.c.d", "t.a", "s.gone")))
    put(key="s.gone", state="absent")
    args = {"entries": [{"key": "s.a", "value": "x"}], "prune": "listed", "keys": ["s.>"]}
    done = settle(account, put, **args)
    assert [(row["key"], row["action"], row["pruned"]) for row in done["entries"]] == [
        ("s.a", "none", False),
        ("s.b", "delete", True),
        ("s.c.d", "delete", True),
    ]
    assert stored(account, "s.b").headers["KV-Operation"] == "DEL"
    assert stored(account, "t.a").data == b"x"


@pytest.mark.parametrize(
    "args",
    [
        {"entries": []},
        {"entries": [], "prune_max": 1000},
        {"entries": None},
        {"keys": []},
        {"keys": None},
        {"keys": [""]},
        {"keys": ["s.>.a"]},
        {"keys": ["s.a*"]},
        {"keys": ["s a"]},
        {"prune_max": 2},
        {"prune_max": 0},
        {"prune_max": -1},
    ],
    ids=str,
)
def test_prune_does_not_empty_a_bucket_by_accident(args, account, put):
    make_bucket(account)
    account.store("$KV.b.s.a", "$KV.b.s.b", "$KV.b.s.c", "$KV.b.s.d")
    given = {"entries": [{"key": "s.a", "value": "new"}], "prune": "listed", "keys": ["s.*"]}
    given = {**given, **args}
    given = {name: value for name, value in given.items() if value is not None}
    for check in (True, False):
        result = put(**given, check=check)
        assert result["failed"], result
        assert messages(account) == 4


def test_without_prune_nothing_else_goes(account, put):
    make_bucket(account)
    account.store("$KV.b.s.a", "$KV.b.s.b")
    entries = [{"key": "s.a", "value": "y"}]
    assert len(settle(account, put, entries=entries, keys=["s.*"])["entries"]) == 1
    assert settle(account, put, entries=[])["changed"] is False


# --------------------------------------------------------------------------------------------------
# What is refused before anything is sent
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args, places",
    [
        ({"key": "a"}, ["value"]),
        ({"key": "a", "value": "x", "base64": "eA=="}, ["value"]),
        ({"key": "a", "base64": "no base64!"}, ["base64"]),
        ({"key": "a", "src": "/nowhere/at/all"}, ["src"]),
        ({"key": "a", "src": "/dev/null"}, ["src"]),
        ({"key": "a", "value": True}, ["value"]),
        ({"key": "a", "value": {"a": 1}}, ["value"]),
        ({"key": "a", "value": "x", "state": "absent"}, ["value"]),
        ({"key": "", "value": "x"}, ["key"]),
        ({"key": ".a", "value": "x"}, ["key"]),
        ({"key": "a..b", "value": "x"}, ["key"]),
        ({"key": "a.*", "value": "x"}, ["key"]),
        ({"key": "ä", "value": "x"}, ["key"]),
        ({"key": "_kv.a", "value": "x"}, ["key"]),
        ({"key": "k" * 3001, "value": "x"}, ["key"]),
        ({"key": "a", "value": "x", "expected_revision": -1}, ["expected_revision"]),
        ({"key": "a", "value": "x", "ttl": "100ms"}, ["ttl"]),
        ({"key": "a", "value": "x", "ttl": "soon"}, ["ttl"]),
        ({"key": "a", "state": "absent", "ttl": "1h"}, ["ttl"]),
        (
            {
                "entries": [
                    {"key": "a", "value": "x"},
                    {"key": "a", "value": "y"},
                    {"key": "b."},
                    {"key": "c", "value": "x", "state": "purged"},
                ]
            },
            ["entries[1].key", "entries[2].key", "entries[2]", "entries[3].value"],
        ),
    ],
    ids=str,
)
def test_wrong_options_are_told_at_once(args, places, account, put):
    make_bucket(account)
    for check in (True, False):
        result = put(**args, check=check)
        assert result["failed"], result
        assert [problem["place"] for problem in result["problems"]] == places
    assert messages(account) == 0


@pytest.mark.parametrize("name", ["a.b", "a b", "", "ä", "a*", "x" * 253])
def test_wrong_buckets(name, account, put):
    result = put(bucket=name, key="a", value="x")
    assert result["problems"][0]["place"] == "bucket"


def test_a_missing_bucket(account, put):
    args = {"entries": [{"key": "a", "value": "x"}, {"key": "b", "state": "absent"}]}
    check = put(**args, check=True)
    assert [row["action"] for row in check["entries"]] == ["create", "none"]
    assert "does not exist yet" in check["warnings"][0]
    result = put(**args)
    assert result["failed"] and "b does not exist" in result["msg"]


def test_a_stream_that_is_no_bucket(account, put):
    account.stream("KV_b", subjects=["$KV.b.>"])
    for check in (True, False):
        result = put(key="a", value="x", check=check)
        assert result["failed"] and "no bucket" in result["msg"]
    assert messages(account) == 0


def test_values_that_are_too_large_for_the_bucket(account, put):
    make_bucket(account, max_msg_size=1000)
    entries = [{"key": "a", "value": "x"}, {"key": "b", "value": "x" * 1001}]
    for check in (True, False):
        result = put(entries=entries, check=check)
        assert result["failed"] and "1001 bytes" in result["msg"] and "1000" in result["msg"]
        assert result["problems"][0]["place"] == "entries[1]"
        assert messages(account) == 0
    # The limit of a server counts the headers as well: exactly what fits is taken.
    step = _entries.Step("b", "create", data=b"")
    assert settle(account, put, key="b", value="x" * (1000 - step.size))["changed"]
    result = put(key="c", value="x" * (1001 - step.size))
    assert result["failed"] and "1000" in result["msg"]


def test_values_that_are_too_large_for_the_server(account, put, server):
    make_bucket(account)
    largest = 1024 * 1024
    for check in (True, False):
        result = put(key="a", value="x" * (largest + 1), check=check)
        assert result["failed"]
        assert str(largest + 1) in result["msg"] and str(largest) in result["msg"]
    assert messages(account) == 0
    step = _entries.Step("a", "create", data=b"")
    assert settle(account, put, key="a", value="x" * (largest - step.size))["changed"]
    assert put(key="c", value="x" * (largest + 1 - step.size))["failed"]


def test_no_value_gets_into_an_error(account, put):
    make_bucket(account, max_msg_size=100)
    results = [
        put(key="a", value="geheim" * 100),
        put(key="a", value=["geheim"]),
        put(key="a", base64="geheim!"),
        put(key="a", value="geheim", expected_revision=3),
        put(key="a", value="geheim", ttl="1h", check=True),
        put(key="a", json={"geheim": "geheim" * 100}),
    ]
    for result in results:
        assert result["failed"]
        told = {**result, "invocation": None}
        assert "geheim" not in json.dumps(told)


def test_diffs_show_large_and_binary_values_as_digests(account, put):
    make_bucket(account)
    entries = [
        {"key": "short", "value": "EUR"},
        {"key": "long", "value": "x" * 2000},
        {"key": "binary", "base64": "/w=="},
    ]
    diff = put(entries=entries)["diff"]
    assert diff["before"] == ""
    assert "short: EUR" in diff["after"]
    assert "2000 bytes, SHA-256" in diff["after"] and "xxxx" not in diff["after"]
    assert "1 bytes, SHA-256 a8100ae6aa1940d0b663bb31cd466142" in diff["after"]


# --------------------------------------------------------------------------------------------------
# Races, failures, TTL, mirrors
# --------------------------------------------------------------------------------------------------


def test_a_lost_race_is_a_failure_that_says_what_was_written(account, put, monkeypatch):
    make_bucket(account)
    account.store("$KV.b.a", "$KV.b.b")
    real = _entries.write

    async def late(manager, bucket, steps):
        account.store("$KV.b.a", data="theirs")
        return await real(manager, bucket, steps)

    monkeypatch.setattr(_entries, "write", late)
    result = put(entries=[{"key": "b", "value": "new"}, {"key": "a", "value": "new"}])
    assert result["failed"] and "someone else wrote a" in result["msg"]
    assert result["changed"] is True
    assert [(row["key"], row["written"]) for row in result["entries"]] == [
        ("b", True),
        ("a", False),
    ]
    assert stored(account, "a").data == b"theirs"
    assert stored(account, "b").data == b"new"
    monkeypatch.undo()
    assert settle(account, put, key="a", value="new")["changed"]


def test_a_key_that_someone_creates_meanwhile(account, put, monkeypatch):
    make_bucket(account)
    real = _entries.write

    async def late(manager, bucket, steps):
        account.store("$KV.b.a", data="theirs")
        return await real(manager, bucket, steps)

    monkeypatch.setattr(_entries, "write", late)
    result = put(key="a", value="new")
    assert result["failed"] and result["changed"] is False
    assert stored(account, "a").data == b"theirs"


def test_nothing_is_pruned_after_a_failure(account, put, monkeypatch):
    make_bucket(account)
    account.store("$KV.b.a", "$KV.b.b")
    real = _entries.write

    async def late(manager, bucket, steps):
        account.store("$KV.b.a", data="theirs")
        return await real(manager, bucket, steps)

    monkeypatch.setattr(_entries, "write", late)
    entries = [{"key": "a", "value": "new"}]
    result = put(entries=entries, prune="listed", keys=[">"])
    assert result["failed"]
    assert stored(account, "b").data == b"x"


def test_a_full_bucket_is_told_with_the_servers_words(account, put):
    make_bucket(account, max_bytes=3000)
    entries = [{"key": f"k{n}", "value": "x" * 500} for n in range(100)]
    result = put(entries=entries)
    assert result["failed"] and result["err_code"] in (10077, 10047), result
    written = [row["key"] for row in result["entries"] if row["written"]]
    assert 0 < len(written) == account.state("KV_b")["messages"]
    for row in result["entries"]:
        found = stored(account, row["key"])
        assert (found.seq if found else None) == (row["revision"] if row["written"] else None)


def test_a_ttl_is_refused_where_it_would_be_ignored(account, put):
    """2.9 and 2.10 take the field and the header, and keep the entry for ever."""
    knows = account.release >= (2, 11)
    make_bucket(account, **({} if knows else {"allow_msg_ttl": True}))
    for check in (True, False):
        result = put(key="a", value="x", ttl="1s", check=check)
        assert result["failed"] and result["problems"][0]["place"] == "ttl"
    assert messages(account) == 0


def test_ttl(account, put, server):
    if account.release < (2, 11):
        pytest.skip("nats-server before 2.11 has no TTL of single messages")
    make_bucket(account, allow_msg_ttl=True)
    done = put(entries=[{"key": "a", "value": "x", "ttl": "1s"}, {"key": "b", "value": "x"}])
    assert done["changed"] and stored(account, "a").headers["Nats-TTL"] == "1s"
    put(key="b", state="purged", ttl="1s")
    assert with_time(lambda: account.state("KV_b")["messages"] == 0)
    assert one(put(key="a", value="x"))["action"] == "create"


def test_a_value_that_comes_back_is_warned_of(account, put):
    if account.release < (2, 11):
        pytest.skip("nats-server before 2.11 has no TTL of single messages")
    make_bucket(account, allow_msg_ttl=True)
    put(key="a", value="old")
    result = put(key="a", value="new", ttl="1h")
    assert result["changed"] and "comes back" in result["warnings"][0]
    assert put(key="n", value="new", ttl="1h")["warnings"] == []


def test_markers_of_the_server_are_markers(account, put):
    if account.release < (2, 11):
        pytest.skip("nats-server before 2.11 leaves no markers")
    second = 1_000_000_000
    markers = {"allow_msg_ttl": True, "subject_delete_marker_ttl": 60 * second}
    make_bucket(account, max_age=4 * second, **markers)
    put(key="a", value="x")
    assert with_time(lambda: messages(account) == 2)
    assert stored(account, "a").headers["Nats-Marker-Reason"] == "MaxAge"
    assert settle(account, put, key="a", state="absent")["changed"] is False
    assert settle(account, put, key="a", state="purged")["changed"] is False
    assert one(settle(account, put, key="a", value="y"))["action"] == "create"


@pytest.mark.parametrize("rollup", [True, False])
def test_a_mirror_is_read_and_its_origin_written(rollup, account, put, server):
    make_bucket(account, "origin")
    account.store("$KV.origin.a", data="1")
    mirror = {"subjects": None, "mirror": {"name": "KV_origin"}, "mirror_direct": True}
    make_bucket(account, **mirror, allow_rollup_hdrs=rollup)
    assert with_time(lambda: account.state("KV_b")["messages"] == 1)
    assert put(key="a", value="1")["changed"] is False
    entries = [{"key": "a", "value": "2"}, {"key": "n", "value": "3"}]
    done = settle(account, put, entries=entries)
    assert [row["action"] for row in done["entries"]] == ["update", "create"]
    assert with_nats_py(server.url, lambda kv: kv.get("a"), "origin").value == b"2"
    if rollup:
        assert one(settle(account, put, key="a", state="purged"))["action"] == "purge"
        assert stored(account, "a", "origin").headers["KV-Operation"] == "PURGE"
    else:
        refused = put(key="a", state="purged")
        assert refused["problems"][0]["place"] == "state"
        assert "allow_rollup_hdrs" in refused["msg"]
    # The origin, whose direct gets its mirror may answer.
    assert one(put(bucket="origin", key="n", value="4"))["action"] == "update"
    assert one(put(bucket="origin", key="n", value="4"))["action"] == "none"
