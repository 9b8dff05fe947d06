# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module can do: for each way of it what is there before, and what the task says.

The server has a user admin with the password ``PASSWORD``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import tempfile
import time
from importlib import import_module
from pathlib import Path

import pytest

from harness import collection

# A migration waits until the window is over.
STREAM = {
    "name": "S",
    "subjects": ["s.>"],
    "max_age": 3600 * 10**9,
    "duplicate_window": 10**8,
}
CONSUMER = {"name": "C", "durable_name": "C", "ack_policy": "explicit", "ack_wait": 30 * 10**9}
KV = {
    **{"name": "KV_B", "subjects": ["$KV.B.>"], "max_msgs_per_subject": 1, "discard": "new"},
    **{"allow_rollup_hdrs": True, "deny_delete": True, "allow_direct": True},
    "duplicate_window": 10**8,
}
OBJECTS = {
    **{"name": "OBJ_B", "subjects": ["$O.B.C.>", "$O.B.M.>"], "discard": "new"},
    **{"allow_rollup_hdrs": True, "allow_direct": True, "duplicate_window": 120 * 10**9},
}
MESSAGES = 2
PASSWORD = "opens-the-door"
DECLARED = {"name": "S", "subjects": ["s.>"], "max_age": "1h", "consumers": [{"name": "C"}]}
IN_ALL = [{"name": "C", "description": "other"}]

ENTRY = ("$KV.B.k", b"value")
HAS_ENTRY = [KV, ENTRY]


def stored(content, chunk=1 << 16):
    """Return the messages of an object o in the bucket B, as ADR-20 has them."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
    chunks = [content[at : at + chunk] for at in range(0, len(content), chunk)]
    about = {"name": "o", "bucket": "B", "nuid": "N", "size": len(content), "chunks": len(chunks)}
    about.update(digest=f"SHA-256={digest}", mtime="2026-01-01T00:00:00Z")
    messages = [("$O.B.C.N", one) for one in chunks]
    return [OBJECTS, *messages, ("$O.B.M.bw==", json.dumps(about).encode())]


def entry(value):
    return {"name": "B", "entries": [{"key": "k", "value": value}]}


FILE = tempfile.mkdtemp()
HAS_OBJECT = stored(b"hello")
HAS_LARGE_OBJECT = stored(bytes(8 << 20))  # more than is sent without flow control

# Module -> for each row of the table: what is there, and what the task says.
HAS_STREAM, HAS_CONSUMER = [STREAM], [STREAM, CONSUMER]
FULL = [STREAM, MESSAGES]


def saved(guarded, nats):
    """Make a backup of S, which a row begins with."""
    code = import_module("ansible_collections.nats.jetstream.plugins.modules.jetstream_backup")
    url = guarded.url.replace("://", f"://admin:{PASSWORD}@")
    result = collection.run_module(code, servers=[url], streams=["S"], path=f"{FILE}/saved")
    assert not result.get("failed"), result["msg"]


def deleted(guarded, nats):
    nats.ok("STREAM.DELETE.S")


def sealed(guarded, nats):
    config = nats.ok("STREAM.INFO.OBJ_B")["config"]
    nats.ok("STREAM.UPDATE.OBJ_B", {**config, "sealed": True})


PINNING = {**CONSUMER, "priority_policy": "pinned_client", "priority_groups": ["g"]}


def pull(guarded, nats):
    """Ask for a message, which pins this client."""
    inbox = nats.subscribe("asked.by.me")
    nats.publish("$JS.API.CONSUMER.MSG.NEXT.S.C", b'{"batch": 1, "group": "g"}', "asked.by.me")
    assert b"Nats-Pin-Id" in nats.next(inbox).headers


SAVED = [STREAM, CONSUMER, MESSAGES, saved]
# More than a server sends without acknowledgements, and nothing that could be compressed.
LARGE = [STREAM, CONSUMER, *([("s.x", random.Random(0).randbytes(1 << 19))] * 40)]
BLOBS = [data for _subject, data in LARGE[2:]]
WAYS = {
    "jetstream_stream": [
        (HAS_STREAM, {"name": "S", "max_age": "1h"}),
        ([], {"name": "S", "subjects": ["s.>"]}),
        (HAS_STREAM, {"name": "S", "max_age": "2h"}),
        (HAS_STREAM, {"name": "S", "state": "absent"}),
        (HAS_STREAM, {"name": "S", "storage": "memory", "recreate": "if_empty"}),
        (FULL, {"name": "S", "storage": "memory", "recreate": "always", "data_loss": "allow"}),
        (
            [*HAS_CONSUMER, MESSAGES],
            {"name": "S", "storage": "memory", "recreate": "always", "data_loss": "allow"},
        ),
        (LARGE, {"name": "S", "retention": "workqueue", "recreate": "migrate"}),
    ],
    "jetstream_consumer": [
        (HAS_CONSUMER, {"stream": "S", "name": "C"}),
        (HAS_CONSUMER, {"stream": "S", "name": "C", "description": "other"}),
        (HAS_STREAM, {"stream": "S", "name": "C", "filter_subject": "s.f"}),
        (HAS_CONSUMER, {"stream": "S", "name": "C", "pause_until": "2199-01-01T00:00:00Z"}),
        (HAS_CONSUMER, {"stream": "S", "name": "C", "state": "absent"}),
        ([*HAS_CONSUMER, MESSAGES], {"stream": "S", "name": "C", "state": "absent"}),
        (
            HAS_CONSUMER,
            {"stream": "S", "name": "C", "ack_policy": "none", "recreate": "if_empty"},
        ),
        (
            [*HAS_CONSUMER, MESSAGES],
            {"stream": "S", "name": "C", "ack_policy": "all", "recreate": "migrate"},
        ),
    ],
    "jetstream_consumer_reset": [
        (HAS_CONSUMER, {"stream": "S", "name": "C", "seq": 1}),
        (HAS_CONSUMER, {"stream": "S", "name": "C", "seq": 5}),
    ],
    "jetstream_consumer_unpin": [
        ([STREAM, PINNING], {"stream": "S", "name": "C", "group": "g"}),
        ([STREAM, PINNING, MESSAGES, pull], {"stream": "S", "name": "C", "group": "g"}),
    ],
    "jetstream_purge": [(HAS_STREAM, {"stream": "S"}), (FULL, {"stream": "S"})],
    "jetstream_message": [
        (FULL, {"stream": "S", "subject": "s.x", "data": "message"}),
        (FULL, {"stream": "S", "subject": "s.x", "data": "other"}),
        (FULL, {"stream": "S", "seq": 1, "state": "absent"}),
    ],
    "jetstream_message_info": [(FULL, {"stream": "S", "seq": 1})],
    "jetstream_info": [
        ([], {}),
        (HAS_CONSUMER, {"gather_subset": ["streams"]}),
        (HAS_CONSUMER, {"gather_subset": ["consumers"]}),
    ],
    "jetstream_stream_info": [
        (HAS_STREAM, {"name": "S"}),
        (HAS_STREAM, {"subject": "s.x"}),
        (HAS_STREAM, {"names": ["S*"]}),
    ],
    "jetstream_consumer_info": [
        (HAS_CONSUMER, {"stream": "S", "name": "C"}),
        (HAS_CONSUMER, {"stream": "S"}),
    ],
    "jetstream_kv_bucket": [
        ([KV], {"name": "B"}),
        ([], {"name": "B"}),
        ([KV], {"name": "B", "description": "other"}),
        ([KV], {"name": "B", "state": "absent"}),
        (
            [KV, *((f"$KV.B.{number}", data) for number, data in enumerate(BLOBS))],
            {"name": "B", "storage": "memory", "recreate": "migrate"},
        ),
    ],
    "jetstream_kv_bucket_info": [([KV], {"name": "B"}), ([KV], {})],
    "jetstream_object_bucket": [
        ([OBJECTS], {"name": "B"}),
        ([], {"name": "B"}),
        ([OBJECTS], {"name": "B", "description": "other"}),
        ([OBJECTS], {"name": "B", "state": "absent"}),
        (
            [OBJECTS, *(("$O.B.C.x", data) for data in BLOBS), sealed],
            {"name": "B", "sealed": False, "recreate": "migrate"},
        ),
    ],
    "jetstream_object_bucket_info": [([OBJECTS], {"name": "B"}), ([OBJECTS], {})],
    "jetstream_kv": [
        (HAS_ENTRY, {"bucket": "B", "key": "k", "value": "value"}),
        (HAS_ENTRY, {"bucket": "B", "key": "k", "value": "other"}),
    ],
    "jetstream_kv_info": [
        (HAS_ENTRY, {"bucket": "B"}),
    ],
    "jetstream_object": [
        (HAS_OBJECT, {"bucket": "B", "name": "o", "content": "hello"}),
        ([OBJECTS], {"bucket": "B", "name": "o", "content": "hello"}),
        (HAS_OBJECT, {"bucket": "B", "name": "o", "content": "other"}),
        (HAS_OBJECT, {"bucket": "B", "name": "o", "state": "absent"}),
    ],
    "jetstream_object_info": [
        (HAS_OBJECT, {"bucket": "B", "name": "o"}),
        (HAS_OBJECT, {"bucket": "B"}),
    ],
    "jetstream_object_fetch": [
        (HAS_OBJECT, {"bucket": "B", "name": "o", "dest": f"{FILE}/same"}),
        (HAS_LARGE_OBJECT, {"bucket": "B", "name": "o", "dest": f"{FILE}/new"}),
    ],
    "jetstream_backup": [
        (SAVED, {"streams": ["S"], "path": f"{FILE}/saved", "only_if_changed": True}),
        (LARGE, {"streams": ["S"], "path": f"{FILE}/backups"}),
        (LARGE, {"path": f"{FILE}/backups"}),
    ],
    "jetstream_restore": [
        (SAVED, {"path": f"{FILE}/saved/S"}),
        ([*SAVED, deleted], {"path": f"{FILE}/saved/S"}),
        ([*SAVED, deleted, *LARGE], {"path": f"{FILE}/saved/S", "replace": True}),
    ],
    "jetstream_environment_info": [
        (HAS_CONSUMER, {}),
        (HAS_ENTRY, {"include_entries": True}),
    ],
    "jetstream_environment": [
        (HAS_CONSUMER, {"streams": [DECLARED]}),
        ([], {"streams": [DECLARED]}),
        (HAS_CONSUMER, {"streams": [{**DECLARED, "max_age": "2h", "consumers": IN_ALL}]}),
        (HAS_STREAM, {"streams": [{"name": "S", "state": "absent"}]}),
        (HAS_STREAM, {"streams": [], "prune": "all", "prune_names": ["S"]}),
        (HAS_ENTRY, {"kv_buckets": [entry("value")]}),
        (HAS_ENTRY, {"kv_buckets": [entry("other")]}),
    ],
}
NEWER = {"jetstream_consumer_reset": (2, 14), "jetstream_consumer_unpin": (2, 11)}


def module_named(name):
    return import_module(f"ansible_collections.nats.jetstream.plugins.modules.{name}")


def prepare(guarded, nats, there):
    """Make the account hold what a row begins with, and nothing else.

    Soon after deletes, a busy server may bring back what was deleted, or lose what it has taken
    (seen on 2.9.10 and 2.10.27). So all of it is counted, and made again if it is not that.
    """
    for _attempt in range(20):
        try:
            made(guarded, nats, there)
        except NotAsMade as error:
            reason = error
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"this cannot be made: {reason}")


class NotAsMade(Exception):
    """Something else is there than what was made."""


def made(guarded, nats, there):
    Path(FILE, "same").write_bytes(b"hello")
    shutil.rmtree(f"{FILE}/backups", ignore_errors=True)
    Path(FILE, "new").unlink(missing_ok=True)
    for name in nats.ok("STREAM.NAMES")["streams"] or []:
        nats.ok(f"STREAM.DELETE.{name}")
    holds = {}  # stream -> how many messages were stored, and its consumers
    for one in there:
        if isinstance(one, int):
            for _number in range(one):
                store(nats, holds, "s.x", b"message")
        elif callable(one):
            look_at(nats, holds)
            one(guarded, nats)
            holds = {}  # what it does is its own
        elif isinstance(one, tuple):
            store(nats, holds, *one)
        elif "durable_name" in one:
            nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": one})
            holds["S"][1].append("C")
        else:
            create(nats, one)
            holds[one["name"]] = [0, []]
    look_at(nats, holds)


def store(nats, holds, subject, data):
    """Publish a message that has to be the next one of its stream."""
    answer = json.loads(nats.request(subject, data))
    stored = holds.setdefault(answer.get("stream"), [answer.get("seq", 1) - 1, []])
    stored[0] += 1
    if "error" in answer or answer["seq"] != stored[0]:
        raise NotAsMade(f"message {stored[0]} to {subject}: {answer}")


def look_at(nats, holds):
    for name, (count, consumers) in holds.items():
        answer = nats.api(f"STREAM.INFO.{name}")
        listed = nats.api(f"CONSUMER.NAMES.{name}").get("consumers")
        state = answer.get("state", {})
        if {state.get("last_seq"), state.get("messages")} != {count} or listed != consumers:
            raise NotAsMade(f"{name} has {answer}, {listed}")


def create(nats, config):
    """Create a stream; soon after deletes a server may fail, or bring back what was deleted."""
    for _attempt in range(20):
        answer = nats.api(f"STREAM.CREATE.{config['name']}", config)
        if "error" not in answer and answer["state"]["last_seq"] == 0:
            return
        assert answer.get("error", {}).get("err_code") in (None, 10049), answer
        nats.api(f"STREAM.DELETE.{config['name']}")
        time.sleep(0.02)
    raise AssertionError(f"{config['name']} cannot be made")


def skip_too_old(server, module, args):
    release = tuple(map(int, server.version.split(".")))
    if "pause_until" in args and release < (2, 11):
        pytest.skip("servers before 2.11 cannot pause a consumer")
    if "migrate" in args.values():
        if module == "jetstream_consumer" and release < (2, 14):
            pytest.skip("servers before 2.14 cannot put a consumer back to its place")
        if module == "jetstream_kv_bucket" and release < (2, 15):
            pytest.skip("servers before 2.15 change no setting of a bucket with what it has")
    if module in NEWER and release < NEWER[module]:
        pytest.skip(f"older servers do not have what {module} asks for")
