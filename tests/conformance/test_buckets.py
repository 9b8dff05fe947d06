# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buckets are streams as ADR-8 and ADR-20 have them, which other clients can use, and stay so.

Every setting is looked at in the stream's configuration by the independent client, and every bucket
is opened with nats-py's own classes; buckets that nats-py makes are understood as they are.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable
from typing import Any, Callable
from unittest.mock import ANY

import nats as nats_py
import pytest
from nats.js.api import KeyValueConfig, ObjectStoreConfig, RePublish, StorageType
from nats.js.errors import NoKeysError

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_kv_bucket,
    jetstream_kv_bucket_info,
    jetstream_object_bucket,
    jetstream_object_bucket_info,
)
from harness.between import Between, Fault

# Of the bucket b; what was sent before to try it has a payload.
DELETE = Fault(
    "gone from request",
    pattern=re.compile(rb"^PUB \$JS\.API\.STREAM\.DELETE\.(KV|OBJ)_b \S+ 0\r\n"),
)
SECOND = 10**9
V210, V211, V212 = (2, 10), (2, 11), (2, 12)
V29 = (2, 9)
FORETOLD = ("changed", "action", "changes", "diff", "declaration", "would_lose")

KV_FIXED = {
    "subjects": ["$KV.b.>"],
    "retention": "limits",
    "max_msgs": -1,
    "max_consumers": -1,
    "discard": "new",
    "allow_rollup_hdrs": True,
    "deny_delete": True,
    "deny_purge": False,
    "allow_direct": True,
    "max_msgs_per_subject": 1,
}
OBJECT_FIXED = {
    "subjects": ["$O.b.C.>", "$O.b.M.>"],
    "retention": "limits",
    "max_msgs": -1,
    "max_consumers": -1,
    "max_msgs_per_subject": -1,
    "discard": "new",
    "allow_rollup_hdrs": True,
    "deny_delete": False,
    "deny_purge": False,
    "allow_direct": True,
}

# A bucket with sources has none from 2.14 on, and gets one when they are taken away.
WINDOW = {"duplicate_window": 120 * SECOND}
FORWARD = [{"src": "$KV.o.>", "dest": "$KV.b.>"}]
OF_STREAM = {"name": "S", "subject_transforms": [{"src": "s.*", "dest": "$KV.b.{{wildcard(1)}}"}]}

# What changes, from which release on, from which options to which, and what is then stored. None is
# written as reset, and stored as absent or zero.
BOTH = {
    "description": (V29, {}, {"description": "d"}, {"description": "d"}),
    "description_cleared": (V29, {"description": "d"}, {"description": ""}, {"description": None}),
    "ttl_long": (
        V29,
        {"ttl": "1m"},
        {"ttl": "1h"},
        {"max_age": 3600 * SECOND, "duplicate_window": 120 * SECOND},
    ),
    "ttl_short": (
        V29,
        {"ttl": "1h"},
        {"ttl": "1m"},
        {"max_age": 60 * SECOND, "duplicate_window": 60 * SECOND},
    ),
    "ttl_off": (
        V29,
        {"ttl": "1m"},
        {"ttl": None},
        {"max_age": None, "duplicate_window": 120 * SECOND},
    ),
    "ttl_new": (V29, {}, {"ttl": "5m"}, {"max_age": 300 * SECOND}),
    "max_bytes": (V29, {"max_bytes": "1MiB"}, {"max_bytes": "2MiB"}, {"max_bytes": 2**21}),
    "max_bytes_off": (V29, {"max_bytes": "1MiB"}, {"max_bytes": None}, {"max_bytes": -1}),
    "placement": (
        V29,
        {},
        {"placement": {"tags": ["x"]}},
        {"placement": {"tags": ["x"]}},
    ),
    "compression": (V210, {}, {"compression": "s2"}, {"compression": "s2"}),
    "compression_off": (
        V210,
        {"compression": "s2"},
        {"compression": None},
        {"compression": "none"},
    ),
    "metadata": (V210, {"metadata": {"a": 1}}, {"metadata": {"b": 2}}, {"metadata": {"b": "2"}}),
}
KV = {
    **BOTH,
    "history": (V29, {"history": 5}, {"history": 64}, {"max_msgs_per_subject": 64}),
    "history_default": (V29, {"history": 5}, {"history": None}, {"max_msgs_per_subject": 1}),
    "max_value_size": (V29, {}, {"max_value_size": "1KiB"}, {"max_msg_size": 1024}),
    "max_value_size_off": (
        V29,
        {"max_value_size": "1KiB"},
        {"max_value_size": "unlimited"},
        {"max_msg_size": -1},
    ),
    "republish": (
        V210,
        {},
        {"republish": {"src": "$KV.b.>", "dest": "r.>"}},
        {"republish": {"src": "$KV.b.>", "dest": "r.>"}},
    ),
    "republish_off": (
        V210,
        {"republish": {"dest": "r.>"}},
        {"republish": None},
        {"republish": None},
    ),
    "limit_marker_ttl": (
        V211,
        {},
        {"limit_marker_ttl": "5s"},
        {"subject_delete_marker_ttl": 5 * SECOND, "allow_msg_ttl": True},
    ),
    "limit_marker_ttl_off": (
        V211,
        {"limit_marker_ttl": "5s"},
        {"limit_marker_ttl": "0"},
        {"subject_delete_marker_ttl": None},
    ),
    "sources": (
        V210,
        {},
        {"sources": [{"name": "o"}]},
        {"sources": [{"name": "KV_o", "subject_transforms": FORWARD}]},
    ),
    "sources_of_a_stream": (
        V210,
        {"sources": [{"name": "o"}]},
        {"sources": [OF_STREAM, {"name": "o"}]},
        {"sources": [OF_STREAM, {"name": "KV_o", "subject_transforms": FORWARD}]},
    ),
    "sources_off": (
        V210,
        {"sources": [{"name": "o"}]},
        {"sources": []},
        {"sources": None, **WINDOW},
    ),
}


class Bucket:
    """The bucket b under test, of one kind."""

    def __init__(self, account: Any, run_module: Any, stream: str) -> None:
        self.account, self.run_module, self.stream = account, run_module, stream
        if stream == "KV_b":
            self.module, self.fixed, self.subject = jetstream_kv_bucket, KV_FIXED, "$KV.b.a"
        else:
            self.module, self.fixed = jetstream_object_bucket, OBJECT_FIXED
            self.subject = "$O.b.M.a"

    def run(self, **args: Any) -> dict[str, Any]:
        reset = [name for name, value in args.items() if value is None]
        given = {name: value for name, value in args.items() if value is not None}
        result: dict[str, Any] = self.run_module(self.module, name="b", reset=reset, **given)
        return result

    def stored(self) -> Any:
        return self.account.stored(self.stream)

    def done(self, action: str, **args: Any) -> dict[str, Any]:
        """Do it as it was foretold, and again without any effect."""
        before = self.account.info(self.stream)
        check = self.run(**args, check=True)
        assert check.get("action") == action, check
        after_check = self.account.info(self.stream)
        assert (after_check or {}).get("config") == (before or {}).get("config")
        done = self.run(**args)
        assert done.get("action") == action, done
        for key in FORETOLD:
            assert check.get(key) == done.get(key), key
        self.unchanged(**args)
        return done

    def unchanged(self, **args: Any) -> None:
        before = self.account.info(self.stream)
        for check in (True, False):
            result = self.run(**args, check=check)
            assert (result.get("changed"), result.get("changes")) == (False, []), result
        after = self.account.info(self.stream)
        assert (after or {}).get("config") == (before or {}).get("config")

    def is_listed(self) -> bool:
        """Say whether the info module takes the stream for a bucket."""
        module, rows = jetstream_kv_bucket_info, "kv_buckets"
        if self.module is jetstream_object_bucket:
            module, rows = jetstream_object_bucket_info, "object_buckets"
        return bool(self.run_module(module, name="b")[rows])

    def refused(self, **args: Any) -> dict[str, Any]:
        before = self.account.info(self.stream)
        for check in (True, False):
            result = self.run(**args, check=check)
            assert result.get("failed"), result
        after = self.account.info(self.stream)
        assert (after or {}).get("config") == (before or {}).get("config")
        return result


@pytest.fixture
def kv(account, run_module):
    account.stream("KV_o", subjects=["$KV.o.>"], **without(KV_FIXED, "subjects"))
    account.stream("S", subjects=["s.*"])
    return Bucket(account, run_module, "KV_b")


@pytest.fixture
def objects(account, run_module):
    return Bucket(account, run_module, "OBJ_b")


@pytest.fixture(params=["KV_b", "OBJ_b"])
def bucket(request, account, run_module):
    """What goes for both kinds."""
    return Bucket(account, run_module, request.param)


def without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in names}


def with_nats_py(server: Any, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def connected() -> Any:
        connection = await nats_py.connect(server.url)
        try:
            return await work(connection.jetstream())
        finally:
            await connection.close()

    return asyncio.run(connected())


def put_and_get(server: Any, bucket: str = "b") -> None:
    """What nats-py writes into the bucket it reads there again."""

    async def work(js: Any) -> None:
        store = await js.key_value(bucket)
        await store.put("color", b"red")
        assert (await store.get("color")).value == b"red"
        await store.delete("color")

    with_nats_py(server, work)


def put_object_and_get(server: Any) -> None:
    async def work(js: Any) -> None:
        store = await js.object_store("b")
        await store.put("picture", b"0123456789" * 50000)
        assert (await store.get("picture")).data == b"0123456789" * 50000
        await store.delete("picture")

    with_nats_py(server, work)


def is_stored(stored: dict[str, Any], name: str, value: Any) -> bool:
    if name == "sources" and value:
        spelt = [without(one, "external") for one in stored.get(name) or []]
        return sorted(spelt, key=repr) == sorted(value, key=repr)
    return stored.get(name) == value if value is not None else not stored.get(name)


def judged(bucket: Bucket, row: tuple[Any, ...]) -> None:
    since, first, second, expected = row
    if bucket.account.release < since and "republish" in second:
        bucket.done("create", **first)
        assert [one["option"] for one in bucket.refused(**second)["immutable"]] == ["republish"]
        bucket.done("recreate", **second, recreate="always")
        return
    if bucket.account.release < since:
        problems = bucket.refused(**{**first, **without(second, *none_of(second))})["problems"]
        assert all("needs nats-server" in one["text"] for one in problems), problems
        return
    bucket.done("create", **first)
    before = bucket.stored()
    result = bucket.done("update", **second)
    after = bucket.stored()
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= set(expected), changed
    assert {one["option"] for one in result["changes"]} == set(second)
    for name, value in {**bucket.fixed, **expected}.items():
        assert is_stored(after, name, value), (name, value, after.get(name))
    # The declaration is accepted back, and makes the same bucket from nothing.
    bucket.unchanged(**without(result["declaration"], "name"), update="replace")
    bucket.account.ok(f"STREAM.DELETE.{bucket.stream}")
    bucket.done("create", **without(result["declaration"], "name"))
    assert bucket.run()["declaration"] == result["declaration"]


def none_of(options: dict[str, Any]) -> list[str]:
    return [name for name, value in options.items() if value in (None, [], "0", "")]


@pytest.mark.parametrize("row", KV.values(), ids=KV)
def test_a_setting_of_a_key_value_bucket(row, server, kv):
    judged(kv, row)
    if kv.account.release >= row[0]:
        put_and_get(server)


@pytest.mark.parametrize("row", BOTH.values(), ids=BOTH)
def test_a_setting_of_an_object_bucket(row, server, objects):
    judged(objects, row)
    if objects.account.release >= row[0]:
        put_object_and_get(server)


@pytest.mark.parametrize("options", [{}, {"history": 1, "ttl": 0, "storage": "file"}])
def test_a_new_key_value_bucket_is_as_adr_8_says(options, server, kv):
    kv.done("create", **options)
    stored = kv.stored()
    for name, value in {**KV_FIXED, "duplicate_window": 120 * SECOND, "storage": "file"}.items():
        assert stored[name] == value, name
    assert not stored.get("allow_msg_ttl")
    put_and_get(server)
    entries = kv.account.state("KV_b")["messages"]
    kv.unchanged(**options)
    assert kv.account.state("KV_b")["messages"] == entries


def test_a_new_object_bucket_is_as_adr_20_says(server, objects):
    objects.done("create")
    stored = objects.stored()
    for name, value in OBJECT_FIXED.items():
        assert stored[name] == value, name
    put_object_and_get(server)
    objects.unchanged()


# --------------------------------------------------------------------------------------------------
# What other clients make
# --------------------------------------------------------------------------------------------------

MADE_BY_NATS_PY = [
    (KeyValueConfig("b"), {}),
    (KeyValueConfig("b", history=7, direct=True), {"history": 7}),
    (KeyValueConfig("b", ttl=60.0, description="d"), {"ttl": "1m", "description": "d"}),
    (KeyValueConfig("b", ttl=3600.0, max_bytes=5000), {"ttl": "1h", "max_bytes": 5000}),
    (KeyValueConfig("b", max_value_size=100), {"max_value_size": 100}),
    (KeyValueConfig("b", storage=StorageType.MEMORY), {"storage": "memory"}),
    (
        KeyValueConfig("b", republish=RePublish(src=">", dest="r.>")),
        {"republish": {"src": ">", "dest": "r.>"}},
    ),
]


@pytest.mark.parametrize(("config", "options"), MADE_BY_NATS_PY)
def test_a_key_value_bucket_of_nats_py_is_taken_as_it_is(config, options, server, kv):
    """It has allow_msg_ttl, and no direct access unless told: neither is anybody's drift (R21)."""
    with_nats_py(server, lambda js: js.create_key_value(config))
    made = kv.stored()
    kv.unchanged(**options)
    kv.unchanged(**options, update="replace")
    assert without(kv.run()["declaration"], "name") == expected_declaration(options)
    kv.done("update", description="changed")
    assert without(kv.stored(), "description") == without(made, "description")
    put_and_get(server)


def expected_declaration(options: dict[str, Any]) -> dict[str, Any]:
    human = {"max_bytes": "5000B", "max_value_size": "100B"}
    return {name: human.get(name, value) for name, value in options.items()}


def test_limit_markers_of_nats_py(server, kv):
    if kv.account.release < V211:
        assert kv.refused(limit_marker_ttl="2s")["problems"][0]["place"] == "limit_marker_ttl"
        return
    config = KeyValueConfig("b", limit_marker_ttl=2.0)
    with_nats_py(server, lambda js: js.create_key_value(config))
    kv.unchanged(limit_marker_ttl="2s")
    kv.done("update", limit_marker_ttl=None)
    assert kv.stored()["allow_msg_ttl"] is True


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({}, {}),
        ({"ttl": 60.0, "description": "d"}, {"ttl": "1m", "description": "d"}),
        ({"max_bytes": 5000000}, {"max_bytes": "5000000B"}),
        ({"storage": StorageType.MEMORY}, {"storage": "memory"}),
    ],
)
def test_an_object_bucket_of_nats_py_is_taken_as_it_is(config, options, server, objects):
    made_of = ObjectStoreConfig(bucket="b", **config)
    with_nats_py(server, lambda js: js.create_object_store("b", made_of))
    made = objects.stored()
    objects.unchanged(**options)
    objects.unchanged(**options, update="replace")
    objects.done("update", description="changed")
    assert without(objects.stored(), "description") == without(made, "description")
    put_object_and_get(server)


def test_nats_py_takes_our_bucket_for_the_one_it_wants(server, objects):
    """Creating it anew with the same settings is no conflict for the other client."""
    objects.done("create", ttl="1m")
    made = objects.stored()
    config = ObjectStoreConfig(bucket="b", ttl=60.0)
    with_nats_py(server, lambda js: js.create_object_store("b", config))
    assert objects.stored() == made


@pytest.mark.parametrize(
    "config",
    [
        {"subjects": ["$KV.b.>"]},  # no max_msgs_per_subject
        {"subjects": ["other.>"], "max_msgs_per_subject": 1},
        {"subjects": ["$KV.b.*"], "max_msgs_per_subject": 1},
        {"mirror": {"name": "S"}, "max_msgs_per_subject": 1},
    ],
)
def test_a_stream_that_is_no_key_value_bucket(config, kv, run_module):
    kv.account.stream("KV_b", **config)
    for args in (
        {},
        {"history": 3},
        {"state": "absent"},
        {"storage": "memory", "recreate": "always"},
    ):
        result = kv.refused(**args)
        assert result["problems"][0]["place"] == "name"
        assert "KV_b is no key-value bucket" in result["msg"]
    found = run_module(jetstream_kv_bucket_info)["kv_buckets"]
    assert [row["name"] for row in found] == ["o"]
    assert run_module(jetstream_kv_bucket_info, name="b")["kv_buckets"] == []


def test_a_stream_that_is_no_object_bucket(objects, run_module):
    objects.account.stream("OBJ_b", subjects=["$O.b.C.>"])
    for args in ({}, {"state": "absent"}):
        assert "OBJ_b is no object bucket" in objects.refused(**args)["msg"]
    assert run_module(jetstream_object_bucket_info)["object_buckets"] == []


def test_more_subjects_than_a_bucket_needs_are_no_fault(server, kv):
    kv.account.stream("KV_b", subjects=["$KV.b.>", "more"], max_msgs_per_subject=1)
    kv.done("update", history=2)
    assert sorted(kv.stored()["subjects"]) == ["$KV.b.>", "more"]


# --------------------------------------------------------------------------------------------------
# Mirrors and sources
# --------------------------------------------------------------------------------------------------


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_a_mirror(server, kv):
    kv.account.store("$KV.o.color", data="red")
    kv.done("create", mirror={"name": "o"}, history=3)
    stored = kv.stored()
    assert stored["mirror"]["name"] == "KV_o"
    assert not stored.get("subjects")
    assert (stored["mirror_direct"], stored["max_msgs_per_subject"]) == (True, 3)
    kv.done("update", description="copy")
    eventually(lambda: kv.account.state("KV_b")["messages"] == 1)

    async def read(js: Any) -> bytes:
        message = await js.get_last_msg("KV_b", "$KV.o.color")
        data: bytes = message.data
        return data

    assert with_nats_py(server, read) == b"red"
    changed = kv.refused(mirror={"name": "other"})
    assert [row["option"] for row in changed["immutable"]] == ["mirror"]
    assert [row["option"] for row in kv.refused(mirror=None)["immutable"]] == ["mirror"]
    kv.done("recreate", mirror=None, recreate="always")
    assert kv.stored()["subjects"] == ["$KV.b.>"]
    assert not kv.stored().get("mirror_direct")
    put_and_get(server)
    kv.done("recreate", mirror={"name": "o"}, recreate="always")
    assert not kv.stored().get("subjects")


def test_the_promotion_of_a_mirror(server, kv):
    """Only the mirror of a bucket of the same name has the keys of a bucket of its own."""
    external = {"api": "$JS.far.API"}
    kv.done("create", mirror={"name": "b", "external": external})
    if kv.account.release < V212:
        assert kv.refused(mirror=None)["immutable"]
        return
    kv.done("update", mirror=None)
    assert kv.stored()["subjects"] == ["$KV.b.>"]
    put_and_get(server)
    kv.account.ok("STREAM.DELETE.KV_b")
    kv.done("create", mirror={"name": "far", "external": external})
    assert kv.refused(mirror=None)["problems"][0]["place"] == "mirror"


@pytest.mark.parametrize("other", [{"sources": [{"name": "o"}]}, {"limit_marker_ttl": "5s"}])
def test_what_a_mirror_can_not_also_have(other, kv):
    problems = kv.refused(mirror={"name": "o"}, **other)["problems"]
    assert {"mirror", *other} >= {one["place"] for one in problems}


def test_entries_of_sources_come_under_the_bucket(server, kv):
    if kv.account.release < V210:
        # It would take the sources and drop the transforms, and with them every key.
        problems = kv.refused(sources=[{"name": "o"}])["problems"]
        assert [one["place"] for one in problems] == ["sources"]
        return
    kv.account.store("$KV.o.color", "s.size")
    kv.done("create", sources=[{"name": "o"}, OF_STREAM], history=5)
    eventually(lambda: kv.account.state("KV_b")["messages"] == 2)

    async def read(js: Any) -> list[str]:
        try:
            return sorted(await (await js.key_value("b")).keys())
        except NoKeysError:  # nats-py takes keys for none that came before it had asked how many
            return []

    eventually(lambda: with_nats_py(server, read) == ["color", "size"])


def test_a_source_that_is_spelt_in_another_way_stays_as_it_is(server, kv):
    """A server begins anew with a source that changes, and would copy everything once more."""
    if kv.account.release < V210:
        pytest.skip("2.9 has no transforms, and so no sources")
    kv.account.store("$KV.o.color")
    spelt = [{"name": "S", "filter_subject": "s.a"}]
    kv.account.stream("KV_b", **{**KV_FIXED, "max_msgs_per_subject": 9}, sources=spelt)
    declared = kv.run()["declaration"]["sources"]
    transforms = [{"src": "s.a", "dest": "s.a"}]
    assert declared == [{"name": "S", "subject_transforms": transforms}]
    kv.unchanged(sources=declared)
    kv.done("update", sources=[*declared, {"name": "o"}])
    names = {one["name"]: one for one in kv.stored()["sources"]}
    assert names["S"] == {**spelt[0]}
    assert names["KV_o"]["subject_transforms"] == FORWARD


def test_a_source_of_the_same_name_in_another_domain(kv):
    if kv.account.release < V210:
        pytest.skip("2.9 has no transforms, and so no sources")
    source = {"name": "b", "external": {"api": "$JS.far.API"}}
    done = kv.done("create", sources=[source])
    (stored,) = kv.stored()["sources"]
    assert stored["name"] == "KV_b" and not stored.get("subject_transforms")
    assert done["declaration"]["sources"] == [source]


# --------------------------------------------------------------------------------------------------
# What is lost, what is recreated
# --------------------------------------------------------------------------------------------------


def test_a_lower_history_says_what_it_deletes(kv):
    kv.done("create", history=5)
    kv.account.store(*["$KV.b.a"] * 5)
    result = kv.refused(history=2, data_loss="forbid")
    assert result["would_lose"]["messages"] == 3
    assert result["would_lose"]["reasons"] == ["history 2 deletes the oldest"]
    assert kv.done("update", history=2)["would_lose"]["messages"] == 3


def test_a_shorter_ttl_says_what_it_deletes(kv):
    kv.done("create", ttl="1h")
    kv.account.store("$KV.b.a")
    time.sleep(0.2)
    result = kv.refused(ttl="100ms", data_loss="forbid")
    assert result["would_lose"]["reasons"] == ["ttl 100ms deletes the older"]


def test_deletion(bucket):
    bucket.done("create")
    bucket.account.store(bucket.subject, bucket.subject)
    held = bucket.account.state(bucket.stream)["messages"]
    result = bucket.refused(state="absent", data_loss="forbid")
    assert result["would_lose"]["messages"] == held
    assert result["would_lose"]["reasons"] == ["the bucket goes with all it has"]
    bucket.done("delete", state="absent")
    assert bucket.account.info(bucket.stream) is None


def test_what_no_update_can_change(bucket, tmp_path):
    bucket.done("create", description="d")
    bucket.account.store(bucket.subject)
    bucket.account.consumer(bucket.stream, "C")
    result = bucket.refused(storage="memory")
    assert [row["option"] for row in result["immutable"]] == ["storage"]
    assert bucket.refused(storage="memory", recreate="if_empty")["immutable"]
    path = tmp_path / "recovery.json"
    bucket.done("recreate", storage="memory", recreate="always", recovery_path=str(path))
    stored = bucket.stored()
    assert (stored["storage"], stored["description"]) == ("memory", "d")
    assert bucket.account.info(bucket.stream, "C") is not None
    assert f'"{bucket.stream}"' in path.read_text()
    assert {name: stored.get(name) for name in bucket.fixed} == bucket.fixed


@pytest.mark.parametrize(
    "args",
    [{}, {"description": "other"}, {"storage": "memory", "recreate": "always"}],
    ids=["nothing", "update", "recreate"],
)
def test_the_next_run_finds_the_subjects(args, server, bucket):
    """The way to the server ends after the subjects were taken away, and before the delete."""
    bucket.done("create", ttl="1h")
    bucket.account.store(bucket.subject)
    before = bucket.stored()
    again = {"storage": "memory", "recreate": "always", "timeout": "1s", "retry_for": "1s"}
    with Between(server) as between:
        between.disturb(DELETE)
        failed = bucket.run(servers=[between.url], **again)
        assert failed.get("failed") and between.happened, failed
    assert bucket.stored()["subjects"][0].startswith(f"recreating.{bucket.stream}.")
    if bucket.account.release < V210:
        assert "does not have the subject" in bucket.run(**args)["msg"]
        return  # it keeps no notes, and the documentation says so
    assert bucket.is_listed()
    done = bucket.done("recreate" if "recreate" in args else "update", **args)
    given_back = {"option": "subjects", "before": ANY, "after": before["subjects"]}
    assert given_back in done["changes"]
    assert "extra_config" not in done["declaration"]
    assert "subjects back" in done["warnings"][0]
    stored = bucket.stored()
    assert {name: stored.get(name) for name in bucket.fixed} == bucket.fixed
    assert not [key for key in stored.get("metadata", {}) if "recreating" in key]
    bucket.account.store(bucket.subject)


def test_a_sealed_bucket(server, objects):
    assert objects.refused(sealed=True)["problems"][0]["place"] == "sealed"
    objects.done("create", ttl="1h")

    async def fill(js: Any) -> None:
        await (await js.object_store("b")).put("picture", b"x" * 1000)

    with_nats_py(server, fill)
    objects.done("update", sealed=True)
    stored = objects.stored()
    assert (stored["sealed"], stored["deny_delete"], stored["deny_purge"]) == (True, True, True)
    # What the seal brought with it is nobody's drift.
    objects.unchanged(ttl="1h")
    objects.unchanged(update="replace")

    async def read(js: Any) -> bytes:
        found = await (await js.object_store("b")).get("picture")
        data: bytes = found.data
        return data

    assert with_nats_py(server, read) == b"x" * 1000
    assert [row["option"] for row in objects.refused(sealed=False)["immutable"]] == ["sealed"]
    objects.done("recreate", sealed=False, recreate="always")
    stored = objects.stored()
    assert {name: stored.get(name) for name in OBJECT_FIXED} == OBJECT_FIXED
    put_object_and_get(server)


def test_a_seal_by_nats_py(server, objects):
    objects.done("create")

    async def seal(js: Any) -> None:
        await (await js.object_store("b")).seal()

    with_nats_py(server, seal)
    objects.unchanged(sealed=True)
    objects.unchanged(update="replace")


def test_replace_leaves_what_makes_a_bucket(bucket):
    bucket.done("create", description="d", ttl="1m", max_bytes="1MiB")
    bucket.done("update", update="replace", max_bytes="2MiB")
    stored = bucket.stored()
    assert {name: stored.get(name) for name in bucket.fixed} == bucket.fixed
    assert (stored.get("description"), stored["max_age"]) == (None, 0)
    assert (stored["max_bytes"], stored["duplicate_window"]) == (2**21, 120 * SECOND)


def test_a_chosen_window_for_duplicates_stays(kv):
    kv.done("create", ttl="1h", extra_config={"duplicate_window": 10 * SECOND})
    kv.done("update", ttl="2h")
    assert kv.stored()["duplicate_window"] == 10 * SECOND
    kv.done("update", ttl="5s")
    assert kv.stored()["duplicate_window"] == 5 * SECOND


# --------------------------------------------------------------------------------------------------
# What is refused at once
# --------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once(kv, run_module):
    result = run_module(
        jetstream_kv_bucket,
        name="a.b",
        history=65,
        ttl="soon",
        mirror={"name": "x y"},
        sources=[{"name": "KV_o", "subject_transforms": FORWARD}, {"name": "a*"}],
        reset=["hystory"],
        extra_config={"max_age": 1, "subjects": [], "ttl": 1},
    )
    assert [one["place"] for one in result["problems"]] == [
        "name",
        "history",
        "ttl",
        "mirror.name",
        "sources[0].subject_transforms",
        "sources[1].name",
        "sources[1].name",
        "reset[0]",
        "extra_config.ttl",
        "extra_config.max_age",
        "extra_config.subjects",
    ]


def test_names_as_long_as_they_may_be(account, run_module):
    for module, prefix in ((jetstream_kv_bucket, "KV_"), (jetstream_object_bucket, "OBJ_")):
        longest = "b" * (255 - len(prefix))
        result = run_module(module, name=longest)
        if account.release < V210 and result.get("failed"):
            # A file system takes names of 255 bytes, and 2.9 has no shorter ones.
            assert result["err_code"], result
            continue
        assert result["action"] == "create", result
        assert account.info(f"{prefix}{longest}") is not None
        refused = run_module(module, name=f"{longest}b")
        assert refused["problems"][0]["place"] == "name"
        assert run_module(module, name=longest, state="absent")["action"] == "delete"


# --------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------


def test_reading(server, kv, run_module):
    kv.done("create", history=5, ttl="1h")
    run_module(jetstream_kv_bucket, name="copy", mirror={"name": "b"})
    kv.account.store("$KV.b.a", "$KV.b.a", "$KV.b.c")

    def names(**args: Any) -> list[str]:
        return [row["name"] for row in run_module(jetstream_kv_bucket_info, **args)["kv_buckets"]]

    assert names() == ["b", "copy", "o"]
    assert names(names=["*o*"]) == ["copy", "o"]
    assert names(names=["b", "none", "b"]) == ["b"]
    assert names(name="copy") == ["copy"]
    assert names(names=[]) == []
    row = run_module(jetstream_kv_bucket_info, bucket="b")["kv_buckets"][0]
    assert row["declaration"] == {"name": "b", "history": 5, "ttl": "1h"}
    assert row["status"] == {
        "messages": 3,
        "bytes": kv.account.state("KV_b")["bytes"],
        "key_count": 2,
        "history": 5,
        "ttl": "1h",
        "is_mirror": False,
    }
    listed = [
        one for one in run_module(jetstream_kv_bucket_info)["kv_buckets"] if one["name"] == "b"
    ]
    assert listed[0]["status"] == row["status"]

    async def status(js: Any) -> tuple[int, int]:
        found = await (await js.key_value("b")).status()
        return found.values, found.history

    assert with_nats_py(server, status) == (3, 5)


def test_few_buckets_among_many_streams(account, run_module):
    """They are asked for one by one then, and the answer is the same."""
    for number in range(12):
        account.stream(f"S{number}", subjects=[f"s{number}.>"], storage="memory")
    for name in ("a", "b"):
        run_module(jetstream_object_bucket, name=name, ttl="1h", storage="memory")
    found = run_module(jetstream_object_bucket_info)["object_buckets"]
    assert [row["name"] for row in found] == ["a", "b"]
    assert found[0]["declaration"] == {"name": "a", "ttl": "1h", "storage": "memory"}
    assert found[0]["status"] == {"messages": 0, "bytes": 0, "ttl": "1h", "sealed": False}
