# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two of three servers are down: each module says so in time, and goes on once they are back.

A meta leader that is left alone answers for some seconds more, and then as any other server does.
"""

from __future__ import annotations

import base64
import json
import re
import time
from importlib import import_module
from pathlib import Path

import pytest
import ways
from accounts import PASSWORD

from harness.client import Client
from harness.sizes import size

HOUR = 3600 * 10**9
ROOT = Path(__file__).resolve().parents[2]
HASTE = {"connect_timeout": "10s", "timeout": "0.3s", "retry_for": "0.1s"}
PATIENCE = {"connect_timeout": "10s", "timeout": "5s", "retry_for": "60s"}
BOUND = 15  # s, on a busy machine; a task asks one to three times
SYSTEM = {"user": "system", "password": PASSWORD}
# What a server says without a leader, or is not heard to say; and what to do about it.
CAME_BACK = re.compile(
    r"no answer to \S+ within 0\.\d+ s"
    r"|refused \S+: JetStream system temporarily unavailable \(err_code 10008\)"
    r"|refused \S+: (stream|consumer) is offline \(err_code 101(18|19)\)"
    r"|it is offline: no server that has it answers"
    r"|cannot step down: (there is none|all its other servers are offline or behind)"
)
REASON = re.compile(
    r"without a leader: an election .*, or most of its servers, .* are down\. Look at"
    r"|has no leader for it: .* most of its servers are down\. Look at"
    r"|there is none\. An election is under way, or most of its servers are down"
    r"|servers that hold it are down|other servers are offline or behind"
)

STREAMS = [ways.STREAM, ways.KV, ways.OBJECTS]
STREAMS += [{"name": name, "subjects": [name]} for name in ("GOES", "KV_GOES", "OBJ_GOES", "E")]
# For each module what it is asked: the first changes something, if anything does.
TASKS = {
    "jetstream_stream": [
        {"name": "S", "max_age": "2h"},
        {"name": "NEW", "num_replicas": 3},
        {"name": "GOES", "state": "absent"},
    ],
    "jetstream_stream_info": [{"name": "S"}, {"names": ["*"]}],
    "jetstream_consumer": [
        {"stream": "S", "name": "C", "description": "other"},
        {"stream": "S", "name": "NEW"},
        {"stream": "S", "name": "GOES", "state": "absent"},
    ],
    "jetstream_consumer_info": [{"stream": "S", "name": "C"}, {"stream": "S"}],
    "jetstream_consumer_reset": [{"stream": "S", "name": "R", "seq": 2}],
    "jetstream_consumer_unpin": [{"stream": "S", "name": "P", "group": "g"}],
    "jetstream_message": [
        {"stream": "S", "subject": "s.x", "data": "other"},
        {"stream": "S", "seq": 1, "state": "absent"},
    ],
    "jetstream_message_info": [{"stream": "S", "seq": 2}],
    "jetstream_purge": [{"stream": "E"}],
    "jetstream_info": [{"gather_subset": ["account", "streams", "consumers"]}],
    "jetstream_kv_bucket": [{"name": "B", "description": "other"}, {"name": "NEW"}],
    "jetstream_kv_bucket_info": [{"name": "B"}],
    "jetstream_kv": [{"bucket": "B", "key": "k", "value": "other"}],
    "jetstream_kv_info": [{"bucket": "B"}],
    "jetstream_object_bucket": [{"name": "B", "description": "other"}, {"name": "NEW"}],
    "jetstream_object_bucket_info": [{"name": "B"}],
    "jetstream_object": [{"bucket": "B", "name": "o", "content": "other"}],
    "jetstream_object_info": [{"bucket": "B"}],
    "jetstream_object_fetch": [{"bucket": "B", "name": "o", "dest": "object"}],
    "jetstream_backup": [{"streams": ["S"], "path": "new"}],
    "jetstream_restore": [
        {"path": "saved/E", "name": "RESTORED", "config": {"subjects": ["restored"]}}
    ],
    "jetstream_environment": [{"streams": [{"name": "E", "max_age": "3h"}, {"name": "MORE"}]}],
    "jetstream_environment_info": [{}],
    "jetstream_step_down": [{"stream": "S"}, {"meta": True, **SYSTEM}],
}
# What each task writes, as stream or stream/consumer; None where it is no configuration.
WRITES = {
    "jetstream_stream": lambda args: [args["name"]],
    "jetstream_consumer": lambda args: [f"{args['stream']}/{args['name']}"],
    "jetstream_kv_bucket": lambda args: [f"KV_{args['name']}"],
    "jetstream_object_bucket": lambda args: [f"OBJ_{args['name']}"],
    "jetstream_restore": lambda args: [args["name"]],
    "jetstream_environment": lambda args: [one["name"] for one in args["streams"]],
}
# Answered by the one server that is there, from what it has, or by nobody.
READS = ("info", "fetch", "unpin")
MAY_BE = re.compile("may have been")


@pytest.fixture
def filled(run, cluster, tmp_path, monkeypatch):
    """Streams, consumers, buckets, an entry, an object, and a backup; all with three replicas."""
    monkeypatch.chdir(tmp_path)
    settled(cluster)
    with Client(cluster.urls[0], timeout=20) as nats:
        for name in nats.ok("STREAM.NAMES")["streams"] or []:
            nats.ok(f"STREAM.DELETE.{name}")
        for config in STREAMS:
            nats.ok(f"STREAM.CREATE.{config['name']}", {**config, "num_replicas": 3})
        for name in ("C", "GOES", "R", "P"):
            config = {**(ways.PINNING if name == "P" else ways.CONSUMER)}
            config.update(name=name, durable_name=name)
            nats.ok(f"CONSUMER.CREATE.S.{name}", {"stream_name": "S", "config": config})
        messages = [("s.x", b"x"), ("s.y", b"x"), ("s.y", b"x"), ("E", b"x")]
        for subject, data in [*messages, ways.ENTRY, *ways.stored(b"hello")[1:]]:
            assert json.loads(nats.request(subject, data))["seq"]
    result = run(named("jetstream_backup"), streams=["E"], path="saved")
    assert not result.get("failed"), result
    return snapshot(cluster)


def named(module):
    return import_module(f"ansible_collections.nats.jetstream.plugins.modules.{module}")


def snapshot(cluster):
    """Return the configuration of every stream and consumer that is not ephemeral."""
    found = {}
    with Client(next(one.url for one in cluster.servers if one.is_running), timeout=20) as nats:
        for info in nats.ok("STREAM.LIST")["streams"]:
            name = info["config"]["name"]
            found[name] = nats.ok(f"STREAM.INFO.{name}")["config"]
            for one in nats.ok(f"CONSUMER.LIST.{name}")["consumers"]:
                if one["config"].get("durable_name"):
                    found[f"{name}/{one['name']}"] = one["config"]
    return found


def settled(cluster, patience=60):
    """Return when every stream and consumer has a leader and all of its replicas again."""
    cluster.wait_for_leader(patience)
    deadline = time.monotonic() + patience
    with Client(cluster.urls[0], timeout=20) as nats:
        while True:
            groups = [info.get("cluster") or {} for info in nats.ok("STREAM.LIST")["streams"]]
            whole = [
                one.get("leader") and all(r["current"] for r in one.get("replicas") or [])
                for one in groups
            ]
            if all(whole):
                return
            assert time.monotonic() < deadline, groups
            time.sleep(0.2)


def each():
    for module, tasks in TASKS.items():
        for args in tasks:
            yield module, args


def test_every_module_is_tried():
    assert sorted(TASKS) == sorted(p.stem for p in (ROOT / "plugins" / "modules").glob("*.py"))


@pytest.mark.parametrize("left", size(["the meta leader"], ["the meta leader", "another"]))
def test_no_quorum(left, filled, run, cluster, tmp_path):
    leader = cluster.wait_for_leader()
    others = [one for one in cluster.servers if one is not leader]
    stays = leader if left == "the meta leader" else others[0]
    down = [one for one in cluster.servers if one is not stays]
    answered, unsure, wrong = 0, set(), []
    for one in down:
        one.kill()
    try:
        for module, args in each():
            begun = time.monotonic()
            result = run(named(module), **{**HASTE, **args})
            took = time.monotonic() - begun
            problem = unfit(module, result, took, stays)
            if problem:
                wrong.append(f"{module} {args}: {problem}: {result.get('msg', result)}")
            answered += not result.get("failed")
            if MAY_BE.search(str(result.get("msg"))):
                unsure.update(WRITES.get(module, lambda args: [])(args))
    finally:
        for one in down:
            one.start()
    assert wrong == [], "\n".join(wrong)
    assert answered < len(list(each())) // 3
    settled(cluster)
    # A write that was not answered may come true; what was refused is as it was.
    after = snapshot(cluster)
    assert {name for name in {*filled, *after} if filled.get(name) != after.get(name)} <= unsure
    for module, args in each():
        result = run(named(module), **{**PATIENCE, **args})
        assert not result.get("failed"), (module, args, result["msg"])
    found = snapshot(cluster)
    assert {"NEW", "KV_NEW", "OBJ_NEW", "S/NEW", "RESTORED", "MORE"} <= set(found)
    assert not {"GOES", "S/GOES"} & set(found)
    assert (found["S"]["max_age"], found["E"]["max_age"]) == (2 * HOUR, 3 * HOUR)
    assert {found[name]["description"] for name in ("KV_B", "OBJ_B", "S/C")} == {"other"}
    with Client(cluster.urls[0], timeout=20) as nats:
        assert nats.ok("STREAM.INFO.E")["state"]["messages"] == 0
        assert nats.ok("STREAM.INFO.RESTORED")["state"]["messages"] == 1
        last = nats.ok("STREAM.MSG.GET.KV_B", {"last_by_subj": "$KV.B.k"})["message"]
    assert base64.b64decode(last["data"]) == b"other"
    assert (tmp_path / "object").read_bytes() == b"other"


def unfit(module, result, took, stays):
    """Say what is wrong with how a module ended without a quorum, None when nothing is."""
    text = str(result.get("msg", ""))
    if took > BOUND:
        return f"took {took:.1f} s"
    if result.get("changed") and not MAY_BE.search(text):
        return "says that something was changed"
    if not result.get("failed"):
        return None if any(word in module for word in READS) else "says that all is well"
    if "Traceback" in json.dumps(result):
        return "ends with a traceback"
    if not CAME_BACK.search(text):
        return "does not say what came back"
    if not REASON.search(text):
        return "does not say why, and what to do"
    if stays.url not in text and "step down" not in text:
        return "does not say where"
    return None
