# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The default of every field, one by one: what a fresh asset has is the default, spelt out or
reset, and a reset brings a setting back to what the server gives a new asset by itself."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM
from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream

SECOND = 10**9
ALL, V210, V211, V212, V214 = (2, 2), (2, 10), (2, 11), (2, 12), (2, 14)

# What a server gives by itself, as a user would write it. Of mirror, republish and
# subject_transform there is no empty form: their default is only reached by reset.
STREAM_DEFAULTS = {
    "description": [""],
    "subjects": [["S"], []],
    "retention": ["limits"],
    "storage": ["file"],
    "num_replicas": [1],
    "max_msgs": [-1, 0],
    "max_msgs_per_subject": [-1, 0],
    "max_bytes": ["unlimited", -1, 0, "-1"],
    "max_age": ["0s", 0, "0"],
    "max_msg_size": ["unlimited", -1],
    "max_consumers": [-1, 0],
    "discard": ["old"],
    "discard_new_per_subject": [False],
    "duplicate_window": ["2m", "120s", 120, "0s"],
    "no_ack": [False],
    "compression": ["none"],
    "first_seq": [0],
    "placement": [{}, {"tags": []}, {"cluster": ""}],
    "mirror": [],
    "mirror_direct": [False],
    "sources": [[]],
    "subject_transform": [],
    "republish": [],
    "allow_direct": [False],
    "allow_rollup_hdrs": [False],
    "deny_delete": [False],
    "deny_purge": [False],
    "sealed": [False],
    "consumer_limits": [{}, {"max_ack_pending": 0, "inactive_threshold": "0s"}],
    "allow_msg_ttl": [False],
    "subject_delete_marker_ttl": ["0s"],
    "allow_msg_counter": [False],
    "allow_atomic": [False],
    "allow_msg_schedules": [False],
    "persist_mode": ["default"],
    "allow_batched": [False],
    "metadata": [{}],
}

CONSUMER_DEFAULTS = {
    "description": [""],
    "durable": [True],
    "deliver_policy": ["all"],
    "opt_start_seq": [0],
    "opt_start_time": [],
    "ack_policy": ["none"],
    "ack_wait": ["0s"],
    "max_deliver": [-1, 0],
    "backoff": [[]],
    "filter_subject": [""],
    "filter_subjects": [[]],
    "replay_policy": ["instant"],
    "sample_freq": ["", "0", "0%"],
    "max_ack_pending": [0],
    "max_waiting": [512, 0],
    "max_batch": [-1, 0],
    "max_expires": ["0s"],
    "max_bytes": [0, "0"],
    "headers_only": [False],
    "inactive_threshold": ["0s"],
    "deliver_subject": [""],
    "deliver_group": [""],
    "rate_limit_bps": [0],
    "flow_control": [False],
    "idle_heartbeat": ["0s"],
    "num_replicas": [0],
    "mem_storage": [False],
    "priority_policy": ["none"],
    "priority_groups": [[]],
    "priority_timeout": ["0s"],
    "pause_until": ["2001-01-01T00:00:00Z"],
    "metadata": [{}],
}
# With acknowledgements, as a consumer has them that a task makes.
ACKNOWLEDGING = {"ack_policy": ["explicit"], "ack_wait": ["30s"], "max_ack_pending": [1000]}

# What the wire shows where it does not leave the default out. Another spelling of the same is in
# the same set: 2.9 and 2.10 know no level, and keep no compression.
WIRE = {
    "ack_wait": {30 * SECOND},
    "compression": {"none"},
    "deliver_policy": {"all"},
    "discard": {"old"},
    "duplicate_window": {120 * SECOND},
    "max_ack_pending": {1000},
    "max_bytes": {-1},
    "max_consumers": {-1},
    "max_deliver": {-1},
    "max_msg_size": {-1},
    "max_msgs": {-1},
    "max_msgs_per_subject": {-1},
    "max_waiting": {512},
    "num_replicas": {0, 1},
    "priority_timeout": {120 * SECOND},
    "replay_policy": {"instant"},
    "retention": {"limits"},
    "storage": {"file"},
    "subjects": {"S"},
}


def is_default(name, value):
    if value in (None, 0, "", False, [], {}):
        return True
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return not isinstance(value, (list, dict)) and value in WIRE.get(name, ())


def unchanged(run_module, module, identity, account, **args):
    before = account.info(*identity.values())["config"]
    for check in (True, False):
        result = run_module(module, **identity, **args, check=check)
        assert result.get("changed") is False, (args, result)
        assert (result["action"], result["changes"]) == ("none", [])
        assert account.info(*identity.values())["config"] == before


def fresh_stream(account):
    account.stream("S")
    return {"name": "S"}


def fresh_consumer(account, **config):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C", **{"ack_policy": None, **config})
    return {"stream": "S", "name": "C"}


def test_the_tables_name_every_field():
    assert set(STREAM_DEFAULTS) == set(STREAM.schema.by_name)
    assert set(CONSUMER_DEFAULTS) == set(CONSUMER.schema.by_name)
    assert set(STREAM_FULL) == set(STREAM.schema.by_name)
    assert set(CONSUMER_FULL) == set(CONSUMER.schema.by_name)


@pytest.mark.parametrize("name", STREAM_DEFAULTS)
def test_default_of_a_stream(name, account, run_module):
    identity = fresh_stream(account)
    assert is_default(name, account.stored("S").get(name))
    for value in STREAM_DEFAULTS[name]:
        unchanged(run_module, jetstream_stream, identity, account, **{name: value})
    unchanged(run_module, jetstream_stream, identity, account, reset=[name])


@pytest.mark.parametrize("name", CONSUMER_DEFAULTS)
def test_default_of_a_consumer(name, account, run_module):
    identity = fresh_consumer(account)
    assert name == "ack_policy" or is_default(name, account.stored("S", "C").get(name))
    for value in CONSUMER_DEFAULTS[name]:
        unchanged(run_module, jetstream_consumer, identity, account, **{name: value})
    unchanged(run_module, jetstream_consumer, identity, account, reset=[name])


@pytest.mark.parametrize("name", [name for name in CONSUMER_DEFAULTS if name != "ack_policy"])
def test_default_of_a_consumer_that_acknowledges(name, account, run_module):
    identity = fresh_consumer(account, ack_policy="explicit")
    for value in ACKNOWLEDGING.get(name, []) + CONSUMER_DEFAULTS[name]:
        unchanged(run_module, jetstream_consumer, identity, account, **{name: value})
    unchanged(run_module, jetstream_consumer, identity, account, reset=[name])


def test_all_defaults_at_once(account, run_module):
    identity = fresh_consumer(account)
    unchanged(run_module, jetstream_consumer, identity, account, reset=list(CONSUMER_DEFAULTS))
    unchanged(run_module, jetstream_consumer, identity, account, update="replace")
    spelt = {name: values[0] for name, values in CONSUMER_DEFAULTS.items() if values}
    unchanged(run_module, jetstream_consumer, identity, account, **spelt)
    account.clear()
    identity = fresh_stream(account)
    unchanged(run_module, jetstream_stream, identity, account, reset=list(STREAM_DEFAULTS))
    unchanged(run_module, jetstream_stream, identity, account, update="replace")
    spelt = {name: values[0] for name, values in STREAM_DEFAULTS.items() if values}
    unchanged(run_module, jetstream_stream, identity, account, **spelt)


@pytest.mark.parametrize(
    "config",
    [
        {"max_age": 60 * SECOND},  # takes the duplicate window along
        {"mirror": {"name": "O"}},
        {"sources": [{"name": "O"}]},
    ],
    ids=["max_age", "mirror", "sources"],
)
def test_defaults_that_follow_from_other_settings(config, account, run_module):
    account.stream("O", subjects=["o.>"])
    account.stream("S", **config)
    identity = {"name": "S"}
    (field,) = config
    others = [name for name in STREAM_DEFAULTS if name != field]
    for name in others:
        unchanged(run_module, jetstream_stream, identity, account, reset=[name])
    unchanged(run_module, jetstream_stream, identity, account, reset=others)


@pytest.mark.parametrize("limits", [{"max_ack_pending": 7}, {"inactive_threshold": 3600 * SECOND}])
def test_defaults_that_the_stream_moves(limits, account, run_module):
    if account.release < V210:
        limits = {}  # a server without consumer_limits
    account.stream("S", subjects=["s.>"], consumer_limits=limits)
    account.consumer("S", "C")
    identity = {"stream": "S", "name": "C"}
    for name in set(CONSUMER_DEFAULTS) - {"ack_policy"}:
        unchanged(run_module, jetstream_consumer, identity, account, reset=[name])
    unchanged(
        run_module, jetstream_consumer, identity, account, update="replace", ack_policy="explicit"
    )


# --------------------------------------------------------------------------------------------------
# From set to reset
# --------------------------------------------------------------------------------------------------

START = "2024-01-01T02:00:00.123456789+02:00"
LATER = "2099-01-01T00:00:00Z"

# field: since which release, what the asset is made from, and what a reset of the field does:
# "back" to the default, with the fields that go along; "refused" (another setting needs it);
# "immutable" (no update does it), "nothing" (it has no meaning once the asset is made).
STREAM_FULL = {
    "description": (ALL, {"description": "d"}, "back"),
    "subjects": (ALL, {"subjects": ["s.b", "s.a"]}, "back"),
    "retention": (V210, {"retention": "interest"}, "back"),
    "storage": (ALL, {"storage": "memory"}, "immutable"),
    "num_replicas": (ALL, {"num_replicas": 1}, "nothing"),
    "max_msgs": (ALL, {"max_msgs": 10}, "back"),
    "max_msgs_per_subject": (ALL, {"max_msgs_per_subject": 2}, "back"),
    "max_bytes": (ALL, {"max_bytes": 10000}, "back"),
    "max_age": (ALL, {"max_age": 60 * SECOND + 1, "duplicate_window": SECOND}, "back"),
    "max_msg_size": (ALL, {"max_msg_size": 100}, "back"),
    "max_consumers": (V212, {"max_consumers": 3}, "back"),
    "discard": (ALL, {"discard": "new"}, "back"),
    "discard_new_per_subject": (
        ALL,
        {"discard": "new", "max_msgs_per_subject": 2, "discard_new_per_subject": True},
        "back",
    ),
    # A stored window below the default may come from a limit of the server, and counts as it.
    "duplicate_window": (ALL, {"duplicate_window": 180 * SECOND}, "back"),
    "no_ack": (ALL, {"no_ack": True}, "back"),
    "compression": (V210, {"compression": "s2"}, "back"),
    "first_seq": (V210, {"first_seq": 100}, "nothing"),
    "placement": (ALL, {"placement": {"cluster": "c", "tags": ["t"]}}, "back"),
    "mirror": (V212, {"mirror": {"name": "O"}}, "back subjects duplicate_window"),
    "mirror_direct": (
        ALL,
        {"mirror": {"name": "X", "external": {"api": "api.x"}}, "mirror_direct": True},
        "back",
    ),
    "sources": (ALL, {"sources": [{"name": "O"}], "subjects": ["s.a"]}, "back"),
    "subject_transform": (V210, {"subject_transform": {"src": ">", "dest": "t.>"}}, "back"),
    "republish": (V210, {"republish": {"src": ">", "dest": "r.>"}, "subjects": ["s.>"]}, "back"),
    "allow_direct": (ALL, {"allow_direct": True}, "back"),
    "allow_rollup_hdrs": (ALL, {"allow_rollup_hdrs": True}, "back"),
    "deny_delete": (ALL, {"deny_delete": True}, "immutable"),
    "deny_purge": (ALL, {"deny_purge": True}, "immutable"),
    "sealed": (ALL, {"sealed": True}, "immutable"),
    "consumer_limits": (V210, {"consumer_limits": {"max_ack_pending": 5}}, "back"),
    "allow_msg_ttl": (V211, {"allow_msg_ttl": True}, "immutable"),
    # The server falls back to no rollup along with it unless that is sent, and it is.
    "subject_delete_marker_ttl": (V211, {"subject_delete_marker_ttl": SECOND}, "back"),
    "allow_msg_counter": (V212, {"allow_msg_counter": True}, "immutable"),
    "allow_atomic": (V212, {"allow_atomic": True}, "back"),
    "allow_msg_schedules": (V212, {"allow_msg_schedules": True}, "immutable"),
    "persist_mode": (V212, {"persist_mode": "async"}, "immutable"),
    "allow_batched": (V214, {"allow_batched": True}, "back"),
    "metadata": (V210, {"metadata": {"a": "1"}}, "back"),
}
# Set on every stream above unless it has its own value or excludes them: what may not move.
COMPANY = {
    "description": "company",
    "max_msgs": 1000,
    "max_age": 3600 * SECOND + 7,
    "duplicate_window": 5 * SECOND + 3,
    "allow_direct": True,
}
PUSH = {"deliver_subject": "d.x"}
PRIORITY = {"priority_policy": "pinned_client", "priority_groups": ["g"]}
CONSUMER_FULL = {
    "description": (ALL, {"description": "d"}, "back"),
    "durable": (ALL, {"durable_name": None, "inactive_threshold": 3600 * SECOND}, "durable"),
    "deliver_policy": (
        ALL,
        {"deliver_policy": "last"},
        "immutable",
    ),
    "opt_start_seq": (
        ALL,
        {"deliver_policy": "by_start_sequence", "opt_start_seq": 5},
        "immutable",
    ),
    "opt_start_time": (
        ALL,
        {"deliver_policy": "by_start_time", "opt_start_time": START},
        "immutable",
    ),
    "ack_policy": (ALL, {"ack_policy": "all"}, "immutable"),
    "ack_wait": (ALL, {"ack_wait": 7 * SECOND + 1}, "back"),
    "max_deliver": (ALL, {"max_deliver": 5}, "back"),
    "backoff": (ALL, {"backoff": [SECOND, 5 * SECOND], "max_deliver": 5}, "back ack_wait"),
    "filter_subject": (ALL, {"filter_subject": "s.a"}, "back"),
    "filter_subjects": (V210, {"filter_subjects": ["s.b", "s.a"]}, "back"),
    "replay_policy": (ALL, {"replay_policy": "original"}, "immutable"),
    "sample_freq": (ALL, {"sample_freq": "50%"}, "back"),
    # A smaller one may come from a limit of the server, and counts as the default.
    "max_ack_pending": (ALL, {"max_ack_pending": 2000}, "back"),
    "max_waiting": (ALL, {"max_waiting": 5}, "immutable"),
    # The default is a limit of the server, which no answer tells.
    "max_batch": (ALL, {"max_batch": 5}, "nothing"),
    "max_expires": (ALL, {"max_expires": SECOND + 1}, "back"),
    "max_bytes": (ALL, {"max_bytes": 1000}, "back"),
    "headers_only": (ALL, {"headers_only": True}, "back"),
    "inactive_threshold": (ALL, {"inactive_threshold": 3600 * SECOND}, "back"),
    "deliver_subject": (ALL, PUSH, "immutable"),
    "deliver_group": (ALL, {**PUSH, "deliver_group": "g"}, "back"),
    "rate_limit_bps": (ALL, {**PUSH, "rate_limit_bps": 1000}, "back"),
    "flow_control": (ALL, {**PUSH, "flow_control": True, "idle_heartbeat": SECOND}, "immutable"),
    "idle_heartbeat": (ALL, {**PUSH, "idle_heartbeat": SECOND}, "immutable"),
    "num_replicas": (ALL, {"num_replicas": 1}, "back"),
    "mem_storage": (ALL, {"mem_storage": True}, "immutable"),
    "priority_policy": (
        V211,
        {**PRIORITY, "priority_timeout": SECOND},
        "back priority_groups priority_timeout",
    ),
    "priority_groups": (V211, PRIORITY, "refused"),
    "priority_timeout": (V211, {**PRIORITY, "priority_timeout": SECOND}, "back"),
    "pause_until": (V211, {"pause_until": LATER}, "back"),
    "metadata": (V210, {"metadata": {"a": "1"}}, "back"),
}
CONSUMER_COMPANY = {
    "description": "company",
    "max_deliver": 9,
    "ack_wait": 17 * SECOND + 3,
    "sample_freq": "20%",
    "filter_subject": "s.a",
}


def judge(account, run_module, module, identity, name, row):
    """Reset one field, and hold what the independent client sees against the row."""
    since, _config, effect = row
    word, *along = effect.split()
    names = tuple(identity.values())
    before = account.stored(*names)
    if word == "nothing" or (word != "durable" and name not in before):  # dropped by an old server
        unchanged(run_module, module, identity, account, reset=[name])
        return
    if account.release < since:
        word = "immutable"  # old servers know the field, and do not update it
    if word in ("immutable", "refused"):
        for check in (True, False):
            result = run_module(module, **identity, reset=[name], check=check)
            assert result.get("failed"), result
            assert result["immutable" if word == "immutable" else "problems"]
            assert account.stored(*names) == before
        return
    check = run_module(module, **identity, reset=[name], check=True)
    assert account.stored(*names) == before
    done = run_module(module, **identity, reset=[name])
    assert (done.get("changed"), done.get("action")) == (True, "update"), done
    for key in ("changed", "action", "changes", "diff", "declaration"):
        assert check[key] == done[key], key
    after = account.stored(*names)
    moved = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert moved == {"durable_name" if word == "durable" else name, *along}
    # One filter is spelt filter_subject, and reported as what it is.
    assert {row["option"] for row in done["changes"]} == {name, *along}
    assert word == "durable" or is_default(name, after.get(name)), after.get(name)
    unchanged(run_module, module, identity, account, reset=[name])


@pytest.mark.parametrize("name", STREAM_FULL)
def test_reset_of_a_stream(name, account, run_module):
    config = STREAM_FULL[name][1]
    account.stream("O", subjects=["o.>"], allow_direct=True)
    company = dict(COMPANY)
    if "mirror" in config:  # its window is none, and direct access is the origin's
        del company["duplicate_window"], company["allow_direct"]
    if name == "duplicate_window":
        del company["max_age"]  # which bounds it
    made = {**company, **config}
    account.stream("S", **{key: value for key, value in made.items() if key != "sealed"})
    if name == "sealed":  # no server creates one
        fixed = {"discard": "new", "deny_delete": True, "deny_purge": True, "max_age": 0}
        stored = account.info("S")["config"]
        account.ok("STREAM.UPDATE.S", {**stored, **fixed, "sealed": True})
    judge(account, run_module, jetstream_stream, {"name": "S"}, name, STREAM_FULL[name])


@pytest.mark.parametrize("name", CONSUMER_FULL)
def test_reset_of_a_consumer(name, account, run_module):
    account.stream("S", subjects=["s.>"])
    company = dict(CONSUMER_COMPANY)
    if name == "filter_subjects":
        del company["filter_subject"]  # one or the other
    account.consumer("S", "C", **{**company, **CONSUMER_FULL[name][1]})
    identity = {"stream": "S", "name": "C"}
    judge(account, run_module, jetstream_consumer, identity, name, CONSUMER_FULL[name])
