# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task does not mention survives to the last byte, whoever made the asset.

Every field that a server knows is set by raw JSON, over a few assets because some exclude each
other, with values that are easily bent: odd nanoseconds, a time with a zone and nine digits, lists
in no order. Then one option is changed.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream

SECOND = 10**9
START = "2024-01-01T02:00:00.123456789+02:00"
V210, V211, V212, V214 = (2, 10), (2, 11), (2, 12), (2, 14)

# Since when servers know what they did not always know; older ones drop it.
SINCE = {
    "allow_atomic": V212,
    "allow_batched": V214,
    "allow_msg_counter": V212,
    "allow_msg_schedules": V212,
    "allow_msg_ttl": V211,
    "compression": V210,
    "consumer_limits": V210,
    "filter_subjects": V210,
    "first_seq": V210,
    "metadata": V210,
    "pause_until": V211,
    "persist_mode": V212,
    "priority_groups": V211,
    "priority_policy": V211,
    "priority_timeout": V211,
    "subject_delete_marker_ttl": V211,
    "subject_transform": V210,
}

PLAIN = {
    "description": "made by hand",
    "max_msgs": 1001,
    "max_msgs_per_subject": 101,
    "max_bytes": 1000003,
    "max_age": 3600 * SECOND + 7,
    "max_msg_size": 1003,
    "duplicate_window": 61 * SECOND + 3,
    "no_ack": True,
    "num_replicas": 1,
    "placement": {"cluster": "c", "tags": ["b", "a"]},
    "allow_direct": True,
    "compression": "s2",
    "metadata": {"z": "1", "a": "2", "nats.jetstream/owner": "shop"},
}
STREAMS = {
    "normal": {
        **PLAIN,
        "subjects": ["s.b.>", "s.a"],
        "retention": "interest",
        "max_consumers": 11,
        "discard": "new",
        "discard_new_per_subject": True,
        "first_seq": 1001,
        "subject_transform": {"src": "s.b.>", "dest": "s.c.>"},
        "republish": {"src": "s.a", "dest": "r.a", "headers_only": True},
        "deny_delete": True,
        "deny_purge": True,
        "consumer_limits": {"inactive_threshold": 3600 * SECOND + 11, "max_ack_pending": 7},
        "allow_msg_ttl": True,
        "allow_atomic": True,
        "allow_batched": True,
    },
    "memory": {**PLAIN, "subjects": ["s.>"], "storage": "memory", "compression": None},
    "workqueue": {**PLAIN, "subjects": ["s.>"], "retention": "workqueue"},
    "markers": {**PLAIN, "subjects": ["s.>"], "subject_delete_marker_ttl": 61 * SECOND + 1},
    "schedules": {**PLAIN, "subjects": ["s.>"], "allow_msg_schedules": True},
    "counter": {**PLAIN, "subjects": ["s.>"], "allow_msg_counter": True, "no_ack": None},
    "async": {**PLAIN, "subjects": ["s.>"], "persist_mode": "async", "allow_rollup_hdrs": True},
    "sources": {
        **PLAIN,
        "subjects": ["s.>"],
        "sources": [
            {"name": "OD", "opt_start_seq": 3, "filter_subject": "od.x"},
            {"name": "O", "opt_start_time": START},
            {
                "name": "FAR",
                "external": {"api": "far.api", "deliver": "far.deliver"},
                "subject_transforms": [
                    {"src": "b.>", "dest": "s.b.>"},
                    {"src": "a.>", "dest": "s.a.>"},
                ],
            },
        ],
    },
    "mirror": {
        **PLAIN,
        "mirror": {"name": "O", "opt_start_time": START, "filter_subject": "o.x"},
        "duplicate_window": None,
    },
    "external_mirror": {
        **PLAIN,
        "mirror": {"name": "FAR", "external": {"api": "far.api", "deliver": "far.deliver"}},
        "mirror_direct": True,
        "duplicate_window": None,
    },
    "sealed": {**PLAIN, "subjects": ["s.b", "s.a"], "sealed": True},
}
STREAM_CHANGES = {
    "description": "changed",
    "max_msgs": 1000,
    "allow_direct": False,
    "metadata": {"a": "3", "n": "new"},
}

COMMON = {
    "description": "made by hand",
    "max_deliver": 11,
    "filter_subject": "s.a",
    "sample_freq": "50%",
    "max_ack_pending": 101,
    "ack_wait": 31 * SECOND + 3,
    "headers_only": True,
    "num_replicas": 1,
    "metadata": {"z": "1", "a": "2", "nats.jetstream/owner": "shop"},
}
CONSUMERS = {
    "pull": {
        **COMMON,
        "filter_subject": None,
        "filter_subjects": ["s.b", "s.a"],
        "replay_policy": "original",
        "backoff": [SECOND + 1, 5 * SECOND + 1],
        "ack_wait": SECOND + 1,
        "max_waiting": 101,
        "max_batch": 11,
        "max_expires": 5 * SECOND + 1,
        "max_bytes": 1003,
        "inactive_threshold": 3600 * SECOND + 7,
        "deliver_group": "nobody",
        "mem_storage": True,
        "priority_policy": "pinned_client",
        "priority_groups": ["g"],
        "priority_timeout": 61 * SECOND + 1,
    },
    "push": {
        **COMMON,
        "deliver_subject": "d.x",
        "deliver_group": "g",
        "rate_limit_bps": 10007,
        "ack_policy": "all",
    },
    "heartbeats": {
        **COMMON,
        "deliver_subject": "d.x",
        "flow_control": True,
        "idle_heartbeat": 5 * SECOND + 1,
    },
    "by_time": {**COMMON, "deliver_policy": "by_start_time", "opt_start_time": START},
    "by_time_in_utc": {
        **COMMON,
        "deliver_policy": "by_start_time",
        "opt_start_time": "2024-01-01T00:00:00.123456789Z",
    },
    "by_sequence": {**COMMON, "deliver_policy": "by_start_sequence", "opt_start_seq": 5},
    "by_subject": {**COMMON, "deliver_policy": "last_per_subject", "ack_policy": "none"},
    "ephemeral": {**COMMON, "durable_name": None, "inactive_threshold": 3600 * SECOND + 7},
    "old_request": {**COMMON, "name": None},
    "paused": {**COMMON, "pause_until": "2099-01-01T02:00:00.1234567+02:00"},
}
CONSUMERS["by_subject"]["ack_wait"] = None
CONSUMER_CHANGES = {
    "description": "changed",
    "max_deliver": 12,
    "max_ack_pending": 100,
    "headers_only": False,
    "metadata": {"a": "3", "n": "new"},
}


def parts(config):
    """Return the text of every field, and of metadata what is not the server's."""
    config = dict(config)
    metadata = config.pop("metadata", {})
    config["metadata"] = {k: v for k, v in metadata.items() if not k.startswith("_nats.")}
    # Requests of old put no name into the configuration; the one that updates does.
    if config.get("durable_name"):
        config["name"] = config["durable_name"]
    # The server writes a pause in UTC as soon as the consumer is updated.
    if "pause_until" in config:
        assert config["pause_until"][:13] in ("2099-01-01T02", "2099-01-01T00")
        config["pause_until"] = config["pause_until"][13:].rstrip("Z").partition("+")[0]
    return {name: json.dumps(value) for name, value in config.items()}


def has(account, config, stored):
    """The asset is what this test is about: everything that the server knows was kept."""
    for name, value in config.items():
        if value is not None and account.release >= SINCE.get(name, ()):
            assert name in stored, name


def changes_one(account, run_module, module, identity, option, value):
    names = tuple(identity.values())
    given = {option: value}
    before = parts(account.info(*names)["config"])
    if account.release < SINCE.get(option, ()):
        for check in (True, False):
            assert run_module(module, **identity, **given, check=check)["problems"]
        assert parts(account.info(*names)["config"]) == before
        return
    check = run_module(module, **identity, **given, check=True)
    assert parts(account.info(*names)["config"]) == before
    done = run_module(module, **identity, **given)
    assert (done.get("changed"), done.get("action")) == (True, "update"), done
    for key in ("changed", "action", "changes", "diff", "declaration"):
        assert check[key] == done[key], key
    assert [change["option"] for change in done["changes"]] == [option]
    after = parts(account.info(*names)["config"])
    if option == "metadata":  # the owner's mark is only the owner's to change
        value = {**value, "nats.jetstream/owner": "shop"}
        assert json.loads(after.pop(option)) == value
    elif value is False:
        assert json.loads(after.pop(option, "false")) is False
    else:
        assert json.loads(after.pop(option)) == value
    before.pop(option)
    assert after == before
    assert run_module(module, **identity, **given)["changed"] is False


@pytest.fixture
def origins(account):
    account.stream("O", subjects=["o.>"])
    account.stream("OD", subjects=["od.>"], allow_direct=True)
    return account


@pytest.mark.parametrize("name", STREAMS)
def test_stream_survives(name, origins, run_module):
    config = {key: value for key, value in STREAMS[name].items() if value is not None}
    origins.stream("S", **{key: value for key, value in config.items() if key != "sealed"})
    if "sealed" in config:  # no server creates one
        fixed = {"discard": "new", "deny_delete": True, "deny_purge": True, "max_age": 0}
        stored = origins.info("S")["config"]
        origins.ok("STREAM.UPDATE.S", {**stored, **fixed, "sealed": True})
    has(origins, config, origins.info("S")["config"])
    for option, value in STREAM_CHANGES.items():
        if option == "allow_direct" and name == "mirror":
            value = True  # the origin has none, and so has the mirror not
            origins.ok("STREAM.UPDATE.S", {**origins.info("S")["config"], "allow_direct": False})
        changes_one(origins, run_module, jetstream_stream, {"name": "S"}, option, value)


@pytest.mark.parametrize("name", CONSUMERS)
def test_consumer_survives(name, account, run_module):
    config = CONSUMERS[name]
    account.stream("S", subjects=["s.>"])
    if name == "old_request":
        body = {"durable_name": "C", "ack_policy": "explicit", **config}
        body = {key: value for key, value in body.items() if value is not None}
        account.ok("CONSUMER.DURABLE.CREATE.S.C", {"stream_name": "S", "config": body})
        assert ("name" in account.info("S", "C")["config"]) == (account.release >= V211)
    else:
        account.consumer("S", "C", **config)
    has(account, config, account.info("S", "C")["config"])
    identity = {"stream": "S", "name": "C"}
    if "opt_start_time" in config and account.release < V210:
        takes_no_update(account, run_module, identity)
        return
    for option, value in CONSUMER_CHANGES.items():
        changes_one(account, run_module, jetstream_consumer, identity, option, value)


def takes_no_update(account, run_module, identity):
    """2.9 takes no update of a consumer with a start time, the same time in it or not."""
    config = account.info("S", "C")["config"]
    body = {"stream_name": "S", "config": {**config, "max_deliver": 12}}
    assert account.api("CONSUMER.CREATE.S.C", body)["error"]["err_code"] == 10012
    assert run_module(jetstream_consumer, **identity, max_deliver=11)["changed"] is False
    for check in (False, True):
        result = run_module(jetstream_consumer, **identity, max_deliver=12, check=check)
        assert result.get("failed"), (check, result)
        assert account.info("S", "C")["config"] == config
