# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any environment to any other: the plan is what happens, once, and to nothing else."""

from __future__ import annotations

import base64
import time
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness import sizes

SETTINGS = settings(
    max_examples=sizes.size(12, 400),
    deadline=None,
    # Every example is a dozen runs against a server, so what fails is shown as it was found.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STREAMS = ("A", "B", "C", "D", "E")
BUCKETS = ("x", "y")
TOKENS = tuple(f"t{number}" for number in range(7))
MINE = ("MINE", "WATCHED")
DAY = 86400 * 10**9
# Option, what a user writes, what the server keeps. None of them deletes what is stored, and none
# is below a default that a limit of the server can move, as that counts as the default.
SETTINGS_OF_STREAMS = (
    ("max_age", "2d", "max_age", 2 * DAY),
    ("max_msgs", 5000, "max_msgs", 5000),
    ("max_bytes", "5MiB", "max_bytes", 5 * 2**20),
    ("max_msg_size", "64KiB", "max_msg_size", 2**16),
    ("discard", "new", "discard", "new"),
    ("duplicate_window", "5m", "duplicate_window", 300 * 10**9),
    ("allow_direct", True, "allow_direct", True),
    ("description", "drawn", "description", "drawn"),
)
SETTINGS_OF_CONSUMERS = (
    ("ack_wait", "90s", "ack_wait", 90 * 10**9),
    ("max_deliver", 7, "max_deliver", 7),
    ("max_ack_pending", 5000, "max_ack_pending", 5000),
    ("description", "drawn", "description", "drawn"),
)


def some(settings_: tuple[Any, ...]) -> st.SearchStrategy[dict[str, Any]]:
    chosen = st.lists(st.sampled_from(settings_), unique_by=lambda one: one[0], max_size=3)
    return chosen.map(lambda ones: {one[0]: one[1] for one in ones})


CONSUMERS = st.dictionaries(st.sampled_from("cde"), some(SETTINGS_OF_CONSUMERS), max_size=2).map(
    lambda drawn: [{"name": name, **options} for name, options in sorted(drawn.items())]
)
ENTRIES = st.dictionaries(st.sampled_from("kmn"), st.sampled_from(["1", "2"]), max_size=2).map(
    lambda drawn: [{"key": key, "value": value} for key, value in sorted(drawn.items())]
)


@st.composite
def environments(draw: Any) -> dict[str, Any]:
    """Streams that share out some subjects, one token whole or in two halves; what sources them."""
    names = draw(st.lists(st.sampled_from(STREAMS), unique=True, min_size=1))
    subjects: dict[str, list[str]] = {name: [] for name in names}
    for token in TOKENS:
        for subject in draw(st.sampled_from(((f"{token}.>",), (f"{token}.a", f"{token}.b.>")))):
            owner = draw(st.sampled_from([*names, None]))
            if owner:
                subjects[owner].append(subject)
    streams = []
    for name in names:
        entry = {"name": name, **draw(some(SETTINGS_OF_STREAMS)), "consumers": draw(CONSUMERS)}
        # Without any, a stream has its name as its subject.
        streams.append({**entry, "subjects": draw(st.permutations(subjects[name] or [name]))})
    if draw(st.booleans()):
        origins = draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=2))
        streams.append({"name": "ALL", "sources": [{"name": one} for one in origins]})
    if draw(st.booleans()):
        streams.append({"name": "COPY", "mirror": {"name": draw(st.sampled_from(names))}})
    buckets = draw(st.lists(st.sampled_from(BUCKETS), unique=True))
    return {
        "streams": draw(st.permutations(streams)),
        "kv_buckets": [
            {"name": name, "history": draw(st.sampled_from([3, 5])), "entries": draw(ENTRIES)}
            for name in buckets
        ],
        "object_buckets": [{"name": "files"}] if draw(st.booleans()) else [],
    }


POLICIES = st.fixed_dictionaries(
    {
        "update": st.sampled_from(["merge", "replace"]),
        "prune": st.sampled_from(["none", "owned"]),
        "concurrency": st.sampled_from([1, 32]),
    }
)


def fill(account: Any, declared: dict[str, Any]) -> None:
    """Store a message on each subject, and wait until mirrors and sources have them, too."""
    for name in account.streams():
        for subject in account.subjects(name):
            if subject.startswith("t") or subject == name:
                account.store(subject.replace(">", "z"))
    for entry in declared["streams"]:
        mirror = [entry["mirror"]] if "mirror" in entry else []
        origins = [one["name"] for one in entry.get("sources", mirror)]
        deadline = time.monotonic() + 60
        while origins and account.messages(entry["name"]) < sum(map(account.messages, origins)):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def bystanders(account: Any) -> None:
    account.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine.>"], "max_msgs": 9})
    account.nats.ok("STREAM.CREATE.WATCHED", {"name": "WATCHED", "subjects": ["watched"]})
    config = {"durable_name": "mine", "ack_policy": "explicit", "max_deliver": 3}
    body = {"stream_name": "WATCHED", "config": config}
    account.nats.ok("CONSUMER.DURABLE.CREATE.WATCHED.mine", body)
    account.store("mine.1", "mine.2", "watched")


def everything(account: Any, names: Any) -> dict[str, Any]:
    """Return configuration, age and messages of streams, and their consumers, by raw requests."""
    out = {}
    for name in names:
        info = account.nats.ok(f"STREAM.INFO.{name}")
        state = info["state"]
        messages = []
        for seq in range(state["first_seq"], state["last_seq"] + 1):
            message = account.nats.api(f"STREAM.MSG.GET.{name}", {"seq": seq}).get("message")
            if message:
                messages.append((seq, message["subject"], message.get("data"), message["time"]))
        consumers = {
            one: account.nats.ok(f"CONSUMER.INFO.{name}.{one}") for one in account.consumers(name)
        }
        ages = {one: (info["created"], info["config"]) for one, info in consumers.items()}
        out[name] = {
            "config": info["config"],
            "created": info["created"],
            "messages": messages,
            "consumers": ages,
        }
    return out


def written(row: dict[str, Any]) -> set[str]:
    """Return by which requests a row of the plan may be carried out."""
    prefix = {"kv_bucket": "KV_", "object_bucket": "OBJ_"}.get(row["kind"], "")
    if row["kind"] == "consumer":
        action = {"create": "CREATE", "update": "CREATE", "delete": "DELETE"}[row["action"]]
        return {f"CONSUMER.{action}.{row['stream']}.{row['name']}"}
    return {f"STREAM.{row['action'].upper()}.{prefix}{row['name']}"}


def internal(request: str) -> bool:
    """Servers make and delete consumers for their own sources and mirrors."""
    kind, _action, _stream, *names = request.split(".")
    return kind == "CONSUMER" and names[0] not in ("c", "d", "e")


@SETTINGS
@given(before=environments(), after=environments(), policy=POLICIES)
def test_from_one_to_another(account, before, after, policy):
    account.empty()
    marks = account.version >= (2, 10)
    if not marks:
        policy = {**policy, "prune": "none"}
    options = {**policy, "prune_nonempty": True, "prune_max": 50, "data_loss": "allow"}
    if marks:
        options["owner"] = "shop"
    # A mirror that is one already cannot be pointed elsewhere, and no stream become one.
    options["recreate"] = "always"
    if options["prune"] == "none":
        # What is left would keep subjects that others are to have.
        kept_names = {one["name"] for one in after["streams"]}
        left = [one for one in before["streams"] if one["name"] not in kept_names]
        gone_too = [{"name": one["name"], "state": "absent"} for one in left]
        after = {**after, "streams": [*after["streams"], *gone_too]}
    bystanders(account)
    account.agrees(**{**options, "prune": "none"}, **before)
    fill(account, before)
    alone = everything(account, MINE)
    there = everything(account, account.streams())

    number = account.nats.subscribe("$JS.EVENT.ADVISORY.API")
    account.nats.flush()
    result = account.agrees(**options, **after)
    requests = account.advised(number)
    account.nats._send(f"UNSUB {number}\r\n".encode())

    assets = [row for row in result["plan"] if row["kind"] != "kv_entry"]
    recreated = {row["name"] for row in assets if row["action"] == "recreate"}
    # Exactly what the plan says was sent, and the server refused nothing of it. A recreate tries
    # its permissions with requests that are refused.
    plain = [
        (request, error)
        for request, error in requests
        if request.split(".")[2] not in recreated and not internal(request)
    ]
    assert [error for _request, error in plain if error] == []
    expected = set().union(*(written(row) for row in assets if row["name"] not in recreated))
    sent = {".".join(request.split(".")[:4]) for request, _error in plain}
    assert sent == expected
    # Nobody else's assets were touched, to the last byte.
    assert everything(account, MINE) == alone
    holds(account, after, options)
    # What was not recreated or deleted is the same, with every message.
    gone = {row["name"] for row in assets if row["action"] in ("recreate", "delete")}
    for name, old in there.items():
        own = name.removeprefix("KV_").removeprefix("OBJ_")
        if own in gone or name in ("ALL", "COPY") or name.startswith("KV_"):
            continue
        new = everything(account, [name])[name]
        assert new["created"] == old["created"]
        assert new["messages"] == old["messages"]
    if options["prune"] == "owned":
        declared = {one["name"] for one in after["streams"]} | set(MINE)
        declared |= {f"KV_{one['name']}" for one in after["kv_buckets"]}
        declared |= {f"OBJ_{one['name']}" for one in after["object_buckets"]}
        assert set(account.streams()) == declared


def holds(account: Any, declared: dict[str, Any], options: dict[str, Any]) -> None:
    """Compare what was declared with what the server has, without the collection."""
    state = account.state()
    for entry in declared["streams"]:
        if entry.get("state") == "absent":
            assert entry["name"] not in state
            continue
        config = state[entry["name"]]
        if "subjects" in entry:
            assert sorted(config["subjects"]) == sorted(entry["subjects"])
        if "mirror" in entry:
            assert config["mirror"]["name"] == entry["mirror"]["name"]
        names = sorted(one["name"] for one in config.get("sources") or [])
        assert names == sorted(one["name"] for one in entry.get("sources", [])) or not names
        kept(entry, config, SETTINGS_OF_STREAMS, options)
        for consumer in entry.get("consumers", []):
            config = state[f"{entry['name']}/{consumer['name']}"]
            kept(consumer, config, SETTINGS_OF_CONSUMERS, options)
    for bucket in declared["kv_buckets"]:
        assert state[f"KV_{bucket['name']}"]["max_msgs_per_subject"] == bucket["history"]
        for entry in bucket["entries"]:
            subject = f"$KV.{bucket['name']}.{entry['key']}"
            found = account.nats.ok(
                f"STREAM.MSG.GET.KV_{bucket['name']}", {"last_by_subj": subject}
            )
            assert base64.b64decode(found["message"]["data"]).decode() == entry["value"]


def kept(entry: dict[str, Any], config: dict[str, Any], table: Any, options: Any) -> None:
    for option, human, name, wire in table:
        if option in entry:
            assert entry[option] == human
            assert config.get(name) == wire, name
        elif options["update"] == "replace":
            assert config.get(name) != wire, name
