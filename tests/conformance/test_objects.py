# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects are what ADR-20 says, whoever stores them and whoever reads them."""

from __future__ import annotations

import base64
import filecmp
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from object_store import Bucket, digest_text

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _object_store,
    _object_transfer,
)
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_object,
    jetstream_object_fetch,
    jetstream_object_info,
)
from harness import client

TESTS = Path(__file__).resolve().parents[1]
CHUNK = 128 * 1024
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * 1024 * 1024 + 7]
NAMES = ["plain", "a/b/c.tar.gz", "ünï cödé ☃", "$O.b.M.>", "* . >", " ", "\n", "x" * 2048]


def data_of(size):
    return hashlib.shake_128(str(size).encode()).digest(size)


@pytest.fixture
def bucket(nats, server, unique):
    """A bucket of this test alone."""
    made = Bucket(nats, server.url, unique)
    made.stream = f"OBJ_{unique}"
    yield made.create()
    nats.api(f"STREAM.DELETE.{made.stream}")


@pytest.fixture
def put(run_module, bucket):
    """``put(name, content=...)``: in check mode, for real, and again; returns the real result."""

    def run(name, **args):
        before, consumers = (bucket.subjects(), bucket.last_seq()), bucket.consumers()
        check = run_module(jetstream_object, bucket=bucket.name, name=name, check=True, **args)
        assert (bucket.subjects(), bucket.last_seq()) == before
        done = run_module(jetstream_object, bucket=bucket.name, name=name, **args)
        assert not done.get("failed"), done
        for key in ("changed", "action", "sent", "diff"):
            assert check[key] == done[key], key
        assert foretold(check["object"]) == foretold(done["object"])
        last = bucket.last_seq()
        again = run_module(jetstream_object, bucket=bucket.name, name=name, **args)
        assert (again["changed"], again["sent"], bucket.last_seq()) == (False, 0, last), again
        assert again["object"] == done["object"]
        assert bucket.consumers() == consumers
        return done

    return run


def foretold(row):
    """What check mode can know of an object."""
    return row and {key: row[key] for key in row if key not in ("nuid", "modified")}


@pytest.fixture
def fetch(run_module, bucket):
    def run(name, dest, **args):
        consumers = bucket.consumers()
        done = run_module(
            jetstream_object_fetch, bucket=bucket.name, name=name, dest=str(dest), **args
        )
        assert bucket.consumers() == consumers  # nats-py leaves some behind
        return done

    return run


@pytest.fixture
def listed(run_module, bucket):
    def run(**args):
        before = bucket.consumers()
        done = run_module(jetstream_object_info, bucket=bucket.name, **args)
        assert done["changed"] is False and bucket.consumers() == before
        return done["objects"]

    return run


# --------------------------------------------------------------------------------------------------
# Round trips
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_nats_py_reads_what_was_put(size, bucket, put, fetch, tmp_path):
    data, source = data_of(size), tmp_path / "source"
    source.write_bytes(data)
    done = put("thing", src=str(source))
    assert (done["action"], done["sent"]) == ("create", size)
    assert bucket.get("thing") == data
    meta = bucket.meta("thing")
    assert meta["digest"] == digest_text(data) == done["object"]["digest"]
    assert done["object"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert (meta["size"], meta["chunks"]) == (size, -(-size // CHUNK))
    assert "mtime" not in meta and "deleted" not in meta
    assert sum(bucket.chunks().values()) == meta["chunks"]
    assert fetch("thing", tmp_path / "dest")["changed"]
    assert (tmp_path / "dest").read_bytes() == data


@pytest.mark.parametrize("size", SIZES)
def test_what_nats_py_put_is_fetched_and_is_no_difference(size, bucket, fetch, put, tmp_path):
    data, dest = data_of(size), tmp_path / "dest"
    bucket.put("thing", data, description="theirs", headers={"a": ["1", "2"]})
    dest.write_bytes(data)
    last = bucket.last_seq()
    same = put("thing", src=str(dest), description="theirs", headers={"a": ["1", "2"]})
    assert (same["changed"], bucket.last_seq()) == (False, last)
    dest.unlink()
    assert fetch("thing", dest, check=True)["changed"] and not dest.exists()
    done = fetch("thing", dest)
    assert done["changed"] and dest.read_bytes() == data
    assert done["object"]["description"] == "theirs"
    assert not fetch("thing", dest)["changed"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_every_text_is_a_name(name, bucket, put, fetch, listed, tmp_path):
    put(name, content="named")
    assert bucket.get(name) == b"named"
    assert [row["name"] for row in listed()] == [row["name"] for row in listed(name=name)] == [name]
    assert fetch(name, tmp_path / "dest")["changed"]
    put(name, state="absent")
    assert listed() == []


def test_the_wire_is_as_the_contract_has_it(bucket, put):
    """Written out once, so that no shared helper can be wrong on both sides."""
    args = {"description": "d", "headers": {"H": ["1", "2"], "I": "3"}, "metadata": {"m": 1}}
    done = put("a b", content="hello", chunk_size="2B", **args)
    message = bucket.message("a b")
    assert message["subject"] == f"$O.{bucket.name}.M.YSBi"
    assert b"Nats-Rollup: sub\r\n" in base64.b64decode(message["hdrs"])
    assert json.loads(base64.b64decode(message["data"])) == {
        "name": "a b",
        "bucket": bucket.name,
        "description": "d",
        "headers": {"H": ["1", "2"], "I": ["3"]},
        "metadata": {"m": "1"},
        "options": {"max_chunk_size": 2},
        "size": 5,
        "chunks": 3,
        "digest": "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "nuid": done["object"]["nuid"],
    }
    assert len(done["object"]["nuid"]) == 22
    assert bucket.chunks() == {done["object"]["nuid"]: 3}
    assert done["object"]["modified"] == message["time"]


# --------------------------------------------------------------------------------------------------
# Changes
# --------------------------------------------------------------------------------------------------


def test_other_data_take_the_place_of_old_ones(bucket, put):
    said = {"description": "d", "headers": {"h": "1"}, "metadata": {"m": "1"}}
    old = put("thing", content="old", chunk_size="1", **said)["object"]
    new = put("thing", content="newer")
    assert (new["action"], new["sent"]) == ("update", 5)
    assert old["nuid"] != new["object"]["nuid"]
    assert bucket.chunks() == {new["object"]["nuid"]: 5}  # the size of chunks stays as well
    assert bucket.get("thing") == b"newer"
    meta = bucket.meta("thing")
    assert (meta["description"], meta["headers"], meta["metadata"]) == (
        "d",
        {"h": ["1"]},
        {"m": "1"},
    )


def test_what_is_said_changes_without_data(bucket, put):
    first = put("thing", content="data", description="d", headers={"h": "1"}, metadata={"m": "1"})
    for args, left in (
        (
            {"description": "e"},
            {"description": "e", "headers": {"h": ["1"]}, "metadata": {"m": "1"}},
        ),
        ({"headers": {}}, {"description": "e", "metadata": {"m": "1"}}),
        (
            {"metadata": {"n": True}, "content": "data"},
            {"description": "e", "metadata": {"n": "true"}},
        ),
        ({"description": "", "metadata": {}}, {}),
    ):
        last = bucket.last_seq()
        done = put("thing", **args)
        assert (done["action"], done["sent"], bucket.last_seq()) == ("update", 0, last + 1)
        meta = bucket.meta("thing")
        assert {
            key: meta[key] for key in ("description", "headers", "metadata") if key in meta
        } == left
        assert done["object"]["nuid"] == first["object"]["nuid"]
    assert bucket.get("thing") == b"data"


def test_what_other_clients_store_beside_it_stays(bucket, put, nats):
    put("thing", content="data")
    meta = {**bucket.meta("thing"), "newer": {"a": 1}, "mtime": "0001-01-01T00:00:00Z"}
    nats.request(bucket.meta_subject("thing"), json.dumps(meta))
    assert not put("thing", content="data")["changed"]
    put("thing", description="d")
    del meta["mtime"]
    assert bucket.meta("thing") == {**meta, "description": "d"}


def test_a_text_as_header_becomes_a_list(bucket, put):
    """nats-py stores what it is given; Go reads lists only."""
    bucket.put("thing", b"data", headers={"a": "1"})
    assert put("thing", headers={"a": "1"})["changed"]
    assert bucket.meta("thing")["headers"] == {"a": ["1"]}


def test_deleting(bucket, put, listed):
    assert not put("thing", state="absent")["changed"]
    assert bucket.last_seq() == 0
    put("thing", content="data", description="d")
    nuid = bucket.meta("thing")["nuid"]
    done = put("thing", state="absent")
    assert (done["action"], done["object"]) == ("delete", None)
    assert bucket.chunks() == {}
    marker = bucket.meta("thing")
    assert (marker["deleted"], marker["size"], marker["chunks"]) == (True, 0, 0)
    assert marker["nuid"] == nuid and "digest" not in marker and "mtime" not in marker
    assert bucket.info("thing", deleted=True).deleted is True
    assert listed() == []
    assert [(row["name"], row["deleted"]) for row in listed(deleted=True)] == [("thing", True)]
    back = put("thing", content="data")
    assert (back["action"], back["object"]["description"]) == ("create", "")
    assert bucket.get("thing") == b"data"


def test_what_nats_py_deleted_is_deleted(bucket, put, listed, fetch, tmp_path):
    bucket.put("thing", b"data")
    bucket.delete("thing")
    last = bucket.last_seq()
    assert not put("thing", state="absent")["changed"]
    assert bucket.last_seq() == last
    assert listed(name="thing") == []
    assert listed(name="thing", deleted=True)[0]["deleted"]
    assert "there is no object thing" in fetch("thing", tmp_path / "dest")["msg"]
    assert put("thing", content="data")["action"] == "create"


def test_an_object_with_gaps_is_sent_again(bucket, put):
    put("thing", content="data", chunk_size="1")
    bucket.delete_chunk(bucket.chunk_seqs("thing")[1])
    done = put("thing", content="data")
    assert (done["action"], done["sent"]) == ("update", 4)
    assert bucket.get("thing") == b"data"
    assert sum(bucket.chunks().values()) == 4


# --------------------------------------------------------------------------------------------------
# Links
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def other(nats, server, unique):
    made = Bucket(nats, server.url, f"{unique}-other")
    yield made.create()
    nats.api(f"STREAM.DELETE.{made.stream}")


def test_links(bucket, other, put, fetch, tmp_path):
    other.put("far", b"away")
    done = put("link", link={"bucket": other.name, "name": "far"}, description="d")
    assert (done["action"], done["sent"]) == ("create", 0)
    assert done["object"]["link"] == {"bucket": other.name, "name": "far"}
    meta = bucket.meta("link")
    assert meta["options"] == {"link": {"bucket": other.name, "name": "far"}}
    assert (meta["size"], meta["chunks"], "digest" in meta) == (0, 0, False)
    assert bucket.get("link") == b"away"  # nats-py follows it
    consumers = other.consumers()
    fetched = fetch("link", tmp_path / "dest")
    assert (tmp_path / "dest").read_bytes() == b"away"
    assert (fetched["object"]["bucket"], fetched["object"]["name"]) == (other.name, "far")
    assert other.consumers() == consumers
    other.put("near", b"by")
    assert put("link", link={"bucket": other.name, "name": "near"})["action"] == "update"
    assert bucket.meta("link")["description"] == "d"
    assert put("link", description="e")["action"] == "update"
    assert put("link", link={"bucket": other.name})["action"] == "update"
    assert bucket.meta("link")["options"] == {"link": {"bucket": other.name}}
    assert f"whole bucket {other.name}" in fetch("link", tmp_path / "dest")["msg"]
    put("link", content="data instead")
    assert bucket.get("link") == b"data instead"


def test_links_that_lead_nowhere_or_in_a_circle(bucket, run_module, put, fetch, nats, tmp_path):
    def link(name, target):
        return run_module(
            jetstream_object,
            bucket=bucket.name,
            name=name,
            link={"bucket": bucket.name, "name": target},
        )

    assert "there is no object gone" in link("a", "gone")["msg"]
    assert (
        "there is no bucket"
        in run_module(
            jetstream_object, bucket=bucket.name, name="a", link={"bucket": "none-of-this"}
        )["msg"]
    )
    put("data", content="x")
    put("a", link={"bucket": bucket.name, "name": "data"})
    assert "is a link itself" in link("b", "a")["msg"]
    assert "has data" in link("data", "data")["msg"]
    assert bucket.get("data") == b"x"
    loop = {**bucket.meta("a"), "options": {"link": {"bucket": bucket.name, "name": "a"}}}
    nats.request(bucket.meta_subject("a"), json.dumps(loop))
    assert "leads in a circle" in fetch("a", tmp_path / "dest")["msg"]
    early = run_module(
        jetstream_object,
        bucket=bucket.name,
        name="c",
        link={"bucket": bucket.name, "name": "later"},
        check=True,
    )
    assert early["changed"] and "an earlier task has to create it" in early["warnings"][0]


# --------------------------------------------------------------------------------------------------
# Refusals
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def refused(run_module, bucket):
    """``refused(name, content=...)`` -> the failure, as in check mode; nothing was written."""

    def run(name, **args):
        before = bucket.subjects(), bucket.last_seq()
        check = run_module(jetstream_object, bucket=bucket.name, name=name, check=True, **args)
        done = run_module(jetstream_object, bucket=bucket.name, name=name, **args)
        assert check["failed"] and check["msg"] == done["msg"]
        assert (bucket.subjects(), bucket.last_seq()) == before
        return done

    return run


def test_a_sealed_bucket_is_read_and_not_written(bucket, put, refused, fetch, tmp_path):
    put("thing", content="data")
    bucket.update(sealed=True)
    assert "is sealed" in refused("thing", content="other")["msg"]
    assert "is sealed" in refused("new", content="other")["msg"]
    assert "is sealed" in refused("thing", state="absent")["msg"]
    assert not put("thing", content="data")["changed"]
    assert not put("new", state="absent")["changed"]
    assert fetch("thing", tmp_path / "dest")["changed"]
    assert (tmp_path / "dest").read_bytes() == b"data"


def test_chunks_larger_than_a_message_may_be(bucket, refused, put):
    message = refused("thing", content="x" * 2**20 + "y", chunk_size="2MiB")["msg"]
    assert "1048577 bytes" in message and "max_payload of 1048576 bytes" in message
    put("thing", content="x" * 2**20, chunk_size="2MiB")  # one chunk, and it fits
    long = refused("thing", headers={"a": "x" * 2**20})["msg"]
    assert "max_payload of 1048576 bytes" in long
    bucket.update(max_msg_size=1000)
    assert "max_msg_size of 1000 bytes" in refused("other", content="x" * 1001)["msg"]
    put("other", content="x" * 1001, chunk_size="1000")


def test_an_object_larger_than_the_bucket(bucket, refused, put, run_module):
    bucket.update(max_bytes=10_000)
    text = refused("thing", content="x" * 10_001)["msg"]
    assert "10001 bytes" in text and "max_bytes of 10000 bytes" in text
    put("thing", content="x" * 6000, chunk_size="500")
    before = bucket.subjects()
    args = {"bucket": bucket.name, "name": "other", "content": "y" * 6000, "chunk_size": "500"}
    full = run_module(jetstream_object, **args)
    assert full["failed"] and full["err_code"] == 10077 and "maximum bytes" in full["msg"]
    assert bucket.subjects() == before  # the chunks that found room are gone again


@pytest.mark.parametrize(
    ("args", "places"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 2049}, ["name"]),
        ({"bucket": "a.b"}, ["bucket"]),
        ({"bucket": ""}, ["bucket"]),
        ({"bucket": "b" * 252}, ["bucket"]),
        ({"chunk_size": "0"}, ["chunk_size"]),
        ({"chunk_size": "unlimited"}, ["chunk_size"]),
        ({"chunk_size": "5GiB"}, ["chunk_size"]),
        ({"chunk_size": "some"}, ["chunk_size"]),
        ({"headers": {"a b": "x", "c": "x\ny"}}, ["headers.a b", "headers.c"]),
        ({"metadata": {"m": [1], "n": {}}}, ["metadata.m", "metadata.n"]),
        ({"headers": {"a": []}}, ["headers.a"]),
        ({"content": None, "link": {"bucket": ">", "name": ""}}, ["link.bucket", "link.name"]),
        ({"state": "absent"}, ["content"]),
    ],
)  # fmt: skip
def test_bad_options_are_refused_at_once(args, places, run_module, newest_server):
    given = {"bucket": "b", "name": "n", "content": "x", "servers": ["nats://127.0.0.1:1"], **args}
    given = {name: value for name, value in given.items() if value is not None}
    refusal = run_module(jetstream_object, **given)
    assert sorted({problem["place"] for problem in refusal["problems"]}) == sorted(places)


def test_what_is_missing(run_module, put, refused, bucket, tmp_path):
    none = run_module(jetstream_object, bucket=f"{bucket.name}-no", name="n", content="x")
    assert none["err_code"] == 10059 and "there is no bucket" in none["msg"]
    early = run_module(
        jetstream_object, bucket=f"{bucket.name}-no", name="n", content="x", check=True
    )
    assert early["changed"] and "has to create it" in early["warnings"][0]
    said = run_module(jetstream_object, bucket=bucket.name, name="n", description="x")
    assert "give it src, content or link" in said["msg"]
    gone = {"bucket": bucket.name, "name": "n", "src": str(tmp_path / "gone")}
    assert "No such file" in run_module(jetstream_object, **gone)["msg"]
    assert run_module(jetstream_object, **gone, check=True)["changed"]
    assert "Is a directory" in refused("n", src=str(tmp_path))["msg"]
    assert run_module(jetstream_object_info, bucket=f"{bucket.name}-no")["objects"] == []
    assert run_module(jetstream_object_info, bucket=f"{bucket.name}-no", name="n")["objects"] == []


# --------------------------------------------------------------------------------------------------
# What goes wrong on the way
# --------------------------------------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_sent(bucket, put, run_module, monkeypatch, tmp_path):
    put("thing", content="kept")
    before, source, read = bucket.subjects(), tmp_path / "source", _object_store.data_of
    source.write_bytes(data_of(1000))

    async def and_change(source_of_task):
        found = await read(source_of_task)
        source.write_bytes(data_of(1001))
        return found

    monkeypatch.setattr(_object_store, "data_of", and_change)
    args = {"bucket": bucket.name, "name": "thing", "src": str(source), "chunk_size": "100"}
    done = run_module(jetstream_object, **args)
    assert done["failed"] and "changed while it was sent" in done["msg"]
    assert bucket.subjects() == before and bucket.get("thing") == b"kept"


def test_somebody_else_stores_it_meanwhile(bucket, put, run_module, monkeypatch):
    put("thing", content="first")
    send = _object_transfer.send

    async def and_lose(*args):
        meta = await send(*args)
        bucket_meta = {**bucket.meta("thing"), "description": "theirs"}
        bucket.nats.request(bucket.meta_subject("thing"), json.dumps(bucket_meta))
        return meta

    monkeypatch.setattr(_object_transfer, "send", and_lose)
    chunks = bucket.chunks()
    done = run_module(jetstream_object, bucket=bucket.name, name="thing", content="second")
    assert done["failed"] and "was written by someone else meanwhile" in done["msg"]
    assert bucket.chunks() == chunks and bucket.get("thing") == b"first"
    assert bucket.meta("thing")["description"] == "theirs"


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
sys.path.insert(0, sys.argv[1])
from harness import collection
collection.make_importable()
from ansible_collections.nats.jetstream.plugins.modules import jetstream_object
_tests, url, bucket, source = sys.argv[1:]
collection.run_module(
    jetstream_object, servers=[url], bucket=bucket, name="thing", src=source, chunk_size="4KiB"
)
"""


def test_an_interrupted_put_leaves_no_chunks(bucket, server, tmp_path):
    source = tmp_path / "source"
    with open(source, "wb") as file:
        file.truncate(256 * 2**20)
    command = [sys.executable, "-c", SCRIPT, str(TESTS), server.url, bucket.name, str(source)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while bucket.last_seq() < 10:
            assert process.poll() is None and time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    assert bucket.last_seq() < 256 * 2**20 // 4096, "it was over before it was interrupted"
    assert bucket.subjects() == {}


PEAK = """
import importlib, json, re, sys
sys.path.insert(0, sys.argv[1])
from harness import collection
collection.make_importable()
module = importlib.import_module(
    "ansible_collections.nats.jetstream.plugins.modules." + sys.argv[2]
)
done = collection.run_module(module, **json.loads(sys.argv[3]))
# Not ru_maxrss, which begins with that of whoever started this process.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(json.dumps([done["changed"], done["object"]["sha256"], int(peak) / 1024]))
"""


def test_a_gibibyte_takes_no_more_memory_than_a_mebibyte(bucket, server, tmp_path):
    def run(module, **args):
        """Return the digest and the MiB at most."""
        args.update(servers=[server.url], bucket=bucket.name, name="thing")
        command = [sys.executable, "-c", PEAK, str(TESTS), module, json.dumps(args)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        changed, sha256, peak = json.loads(done.stdout)
        assert changed
        return sha256, peak

    source, dest, peaks = tmp_path / "source", tmp_path / "dest", []
    for mebibytes in (1, 1024):
        piece, digest = data_of(2**20 - 8), hashlib.sha256()
        with open(source, "wb") as file:
            for number in range(mebibytes):
                for part in (number.to_bytes(8, "big"), piece):
                    digest.update(part)
                    file.write(part)
        put, put_peak = run("jetstream_object", src=str(source))
        fetched, fetch_peak = run("jetstream_object_fetch", dest=str(dest))
        assert put == fetched == digest.hexdigest()
        assert filecmp.cmp(source, dest, shallow=False)
        peaks.append((put_peak, fetch_peak))
        source.unlink()
    small, large = peaks
    print(f"peaks of put and fetch in MiB: {small} for 1 MiB, {large} for 1 GiB")
    assert max(large) < 150
    assert all(after - before < 32 for before, after in zip(small, large)), peaks


def damage(bucket, how):
    seqs = bucket.chunk_seqs("thing")
    if how == "replaced":
        subject = f"$O.{bucket.name}.C.{bucket.meta('thing')['nuid']}"
        bucket.delete_chunk(seqs[-1])
        bucket.nats.request(subject, b"!")
    elif how == "gone":
        for seq in seqs:
            bucket.delete_chunk(seq)
    else:
        bucket.delete_chunk(seqs[{"first": 0, "middle": 2, "last": -1}[how]])


@pytest.mark.parametrize("how", ["first", "middle", "last", "gone", "replaced"])
def test_a_damaged_object_leaves_the_file_as_it_was(how, bucket, put, fetch, tmp_path):
    put("thing", content="12345", chunk_size="1")
    damage(bucket, how)
    dest = tmp_path / "dest"
    dest.write_text("kept")
    done = fetch("thing", dest, timeout="0.5s", retry_for="1s")
    assert done["failed"] and "is damaged" in done["msg"]
    assert ("SHA-256" in done["msg"]) is (how == "replaced")
    assert dest.read_text() == "kept" and os.listdir(tmp_path) == ["dest"]
    dest.unlink()
    assert fetch("thing", dest)["failed"] and os.listdir(tmp_path) == []


# --------------------------------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------------------------------


def test_a_file_gets_its_attributes(bucket, put, fetch, tmp_path):
    put("thing", content="data")
    dest = tmp_path / "dest"

    def both(**args):
        check = fetch("thing", dest, check=True, **args)
        done = fetch("thing", dest, **args)
        assert (check["changed"], check["diff"]) == (done["changed"], done["diff"])
        assert not fetch("thing", dest, **args)["changed"]
        return done

    assert both(mode="0600")["mode"] == "0600"
    again = both(mode="0640")
    assert again["changed"] and again["diff"]["after"]["mode"] == "0640"
    assert stat.S_IMODE(dest.stat().st_mode) == 0o640
    inode = dest.stat().st_ino
    assert not both(mode="0640")["changed"] and dest.stat().st_ino == inode
    put("thing", content="other")
    changed = both()
    assert changed["diff"]["before"]["sha256"] == hashlib.sha256(b"data").hexdigest()
    assert dest.read_text() == "other" and stat.S_IMODE(dest.stat().st_mode) == 0o640
    assert dest.stat().st_ino != inode


def test_a_file_is_kept_when_it_is_replaced(bucket, put, fetch, tmp_path):
    put("thing", content="new")
    dest = tmp_path / "dest"
    assert "backup_file" not in fetch("thing", dest, backup=True)
    dest.write_text("old")
    assert "backup_file" not in fetch("thing", dest, backup=True, check=True)
    done = fetch("thing", dest, backup=True)
    assert Path(done["backup_file"]).read_text() == "old" and dest.read_text() == "new"


def test_a_directory_takes_the_last_part_of_the_name(bucket, put, fetch, tmp_path):
    put("site/index.html", content="x")
    assert fetch("site/index.html", tmp_path)["dest"] == str(tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text() == "x"
    put("site/..", content="x")
    assert "is no name of a file" in fetch("site/..", tmp_path)["msg"]
    missing = fetch("site/index.html", tmp_path / "none" / "file")
    assert "there is no directory" in missing["msg"]


def test_fetching_what_is_not_there_yet(fetch, run_module, bucket, tmp_path):
    early = fetch("thing", tmp_path / "dest", check=True)
    assert early["changed"] and "has to create it" in early["warnings"][0]
    late = fetch("thing", tmp_path / "dest")
    assert late["failed"] and os.listdir(tmp_path) == []


# --------------------------------------------------------------------------------------------------
# Lists
# --------------------------------------------------------------------------------------------------


def test_listing(bucket, put, listed):
    for name in ("a/1", "a/2", "b"):
        put(name, content=name)
    put("a/2", state="absent")
    put("link", link={"bucket": bucket.name, "name": "b"})
    assert [row["name"] for row in listed()] == ["a/1", "b", "link"]
    assert [row["name"] for row in listed(names=["a/*"])] == ["a/1"]
    assert [row["name"] for row in listed(names=["a/*", "b"], deleted=True)] == ["a/1", "a/2", "b"]
    assert listed(names=["c*"]) == []
    one = listed(name="b")[0]
    assert (one["size"], one["sha256"]) == (1, hashlib.sha256(b"b").hexdigest())
    assert one["modified"] == bucket.message("b")["time"]
    assert listed(name="link")[0]["link"] == {"bucket": bucket.name, "name": "b"}


def test_many_objects_are_listed(bucket, nats, listed):
    for number in range(300):
        meta = {"name": f"o{number:03}", "bucket": bucket.name, "nuid": "n", "size": 0, "chunks": 0}
        nats.publish(bucket.meta_subject(meta["name"]), json.dumps(meta))
    nats.flush()
    assert [row["name"] for row in listed()] == [f"o{number:03}" for number in range(300)]


def test_what_is_no_object_is_told(bucket, nats, put, run_module):
    put("thing", content="x")
    for data in ("nonsense", "[]", "{}"):
        nats.request(f"$O.{bucket.name}.M.{data.strip('[]{}') or 'odd'}", data)
    done = run_module(jetstream_object_info, bucket=bucket.name)
    assert [row["name"] for row in done["objects"]] == ["thing"]
    assert len(done["warnings"]) == 2 and "no information on an object" in done["warnings"][0]


def test_the_client_sees_the_server(nats):
    """The independent client is the one that every test above relies on."""
    assert isinstance(nats, client.Client) and nats.info["headers"] is True
