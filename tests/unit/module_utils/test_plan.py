# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan is pure: configurations in, a decision out. What servers do is in tests/conformance."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _consumer,
    _errors,
    _kind,
    _planning,
    _reconcile,
    _schema,
    _stream,
)

OLD = _schema.Server((2, 9, 10), False)
MIDDLE = _schema.Server((2, 10, 27), False)
NEW = _schema.Server((2, 15, 1), False)

STREAM = _stream.STREAM
CONSUMER = _consumer.CONSUMER

STATE = {
    "messages": 0,
    "bytes": 0,
    "first_seq": 1,
    "last_seq": 0,
    "last_ts": "2026-01-01T00:00:00Z",
    "consumer_count": 0,
}


def stored(**config):
    """An INFO answer of a stream as 2.15.1 gives it, with what it adds to every stream."""
    added = {
        "name": "S",
        "subjects": ["s.>"],
        "retention": "limits",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msgs_per_subject": -1,
        "max_msg_size": -1,
        "discard": "old",
        "storage": "file",
        "num_replicas": 1,
        "duplicate_window": 120 * 10**9,
        "compression": "none",
        "allow_direct": False,
        "mirror_direct": False,
        "sealed": False,
        "deny_delete": False,
        "deny_purge": False,
        "allow_rollup_hdrs": False,
        "consumer_limits": {},
        "allow_msg_ttl": False,
        "metadata": {"_nats.req.level": "0", "_nats.ver": "2.15.1", "_nats.level": "5"},
    }
    return {"config": {**added, **config}, "state": dict(STATE)}


def options(kind, **given_options):
    problems = []
    config = kind.schema.wire(given_options, "", problems)
    assert not problems
    return config


def plan(info, *, reset=(), server=NEW, extra=None, kind=STREAM, identity=("S",), **given_options):
    policy = {
        name: given_options.pop(name) for name in _reconcile.Policy._fields if name in given_options
    }
    return _reconcile.plan(
        kind,
        identity,
        _reconcile.Wanted(options(kind, **given_options), tuple(reset), extra or {}),
        _kind.Found(info),
        _schema.Context(server),
        _reconcile.Policy(**policy),
    )


def test_create_sends_what_is_said_and_nothing_else():
    made = plan(None, subjects=["s.>"], max_age="1h", description="", num_replicas=1)
    assert made.action == "create"
    assert made.config == {
        "name": "S",
        "subjects": ["s.>"],
        "max_age": 3600 * 10**9,
        "num_replicas": 1,
    }
    assert made.after == {"name": "S", "subjects": ["s.>"], "max_age": "1h"}
    assert made.changes == [
        {"option": "subjects", "before": None, "after": ["s.>"]},
        {"option": "max_age", "before": None, "after": "1h"},
    ]


def test_an_update_keeps_every_other_field_byte_for_byte():
    info = stored(
        max_age=60 * 10**9,
        duplicate_window=60 * 10**9,
        mirror_direct=True,
        x_future={"a": [1]},
        sources=[{"name": "O", "opt_start_time": "2024-01-01T02:00:00.1+02:00"}],
    )
    before = copy.deepcopy(info)
    made = plan(info, description="new")
    assert made.action == "update"
    assert made.config == {**info["config"], "description": "new"}
    assert info == before
    assert made.changes == [{"option": "description", "before": None, "after": "new"}]


def test_equal_is_none_and_reports_the_declaration():
    made = plan(stored(max_age=60 * 10**9, duplicate_window=60 * 10**9), max_age="1m", max_msgs=-1)
    assert (made.action, made.changes) == ("none", [])
    assert made.after == made.before == {"name": "S", "subjects": ["s.>"], "max_age": "1m"}


def test_a_declaration_is_accepted_back():
    info = stored(
        max_bytes=2**30,
        mirror=None,
        sources=[{"name": "O", "filter_subject": "o.a"}],
        republish={"src": ">", "dest": "r.>"},
        metadata={"team": "shop", "_nats.req.level": "0", "nats.jetstream/owner": "x"},
        subject_delete_marker_ttl=10**9,
        allow_msg_ttl=True,
        allow_rollup_hdrs=True,
    )
    declared = plan(info).after
    again = {name: value for name, value in declared.items() if name != "name"}
    assert plan(info, **again).action == "none"
    assert plan(info, update="replace", **again).action == "none"


def test_lowering_max_age_takes_the_duplicate_window_with_it():
    made = plan(stored(max_age=3600 * 10**9), max_age="1m")
    assert "duplicate_window" not in made.config
    assert [row["option"] for row in made.changes] == ["max_age", "duplicate_window"]


def test_metadata_is_one_value_and_reserved_keys_stay():
    info = stored(metadata={"a": "1", "b": "2", "_nats.ver": "x", "nats.jetstream/owner": "shop"})
    made = plan(info, metadata={"a": "1"})
    assert made.config["metadata"] == {"a": "1", "_nats.ver": "x", "nats.jetstream/owner": "shop"}
    assert plan(info, reset=["metadata"]).config["metadata"] == {
        "_nats.ver": "x",
        "nats.jetstream/owner": "shop",
    }


def test_reset_sets_back_and_a_default_is_nothing_to_set_back():
    assert plan(stored(), reset=["max_age", "republish"]).action == "none"
    made = plan(stored(max_age=3600 * 10**9), reset=["max_age"])
    assert made.action == "update"
    assert "max_age" not in made.config


def test_a_window_that_a_limit_may_have_lowered_counts_as_the_default():
    lowered = stored(duplicate_window=60 * 10**9)
    assert plan(lowered, duplicate_window=0).action == "none"
    assert plan(lowered, duplicate_window="2m").action == "update"
    assert plan(stored(duplicate_window=300 * 10**9), duplicate_window=0).action == "update"


def test_replace_takes_away_what_can_be_set_back_and_nothing_else():
    info = stored(
        description="d",
        max_msgs=5,
        storage="memory",
        deny_delete=True,
        first_seq=7,
        metadata={"a": "1", "nats.jetstream/owner": "shop"},
    )
    made = plan(info, update="replace", subjects=["s.>"])
    assert made.action == "update"
    changed = {row["option"] for row in made.changes}
    assert changed == {"description", "max_msgs", "metadata"}
    assert made.config["storage"] == "memory"
    assert made.config["deny_delete"] is True
    assert made.config["first_seq"] == 7


def test_replace_never_promotes_a_mirror():
    info = stored(mirror={"name": "O"}, subjects=None, duplicate_window=0)
    assert plan(info, update="replace").action == "none"
    assert plan(info, reset=["mirror"]).action == "update"


@pytest.mark.parametrize(
    ("field", "before", "after", "server"),
    [
        ("storage", "file", "memory", NEW),
        ("retention", "limits", "workqueue", NEW),
        ("retention", "limits", "interest", OLD),
        ("max_consumers", -1, 5, MIDDLE),
        ("deny_delete", True, False, NEW),
        ("mirror", {"name": "O"}, {"name": "P"}, NEW),
        ("republish", None, {"dest": "r.>"}, OLD),
    ],
)
def test_what_no_update_can_change_is_refused_with_both_values(field, before, after, server):
    with pytest.raises(_errors.Refused) as refused:
        subjects = None if field == "mirror" else ["s.>"]
        plan(stored(**{"subjects": subjects, field: before}), server=server, **{field: after})
    assert [row["option"] for row in refused.value.immutable] == [field]
    assert "recreate" in str(refused.value)


def test_between_observed_lines_the_server_is_asked_and_the_plan_says_so():
    made = plan(stored(), max_consumers=5, server=_schema.Server((2, 12, 1), False))
    assert made.action == "update"
    assert made.unverified == ("max_consumers",)
    assert plan(stored(), max_consumers=5).unverified == ()


def test_recreate_only_when_allowed_and_only_if_empty():
    full = stored()
    full["state"].update(messages=3, last_seq=20, first_seq=18)
    for recreate in ("never", "if_empty"):
        with pytest.raises(_errors.Refused):
            plan(full, storage="memory", recreate=recreate)
    made = plan(full, storage="memory", recreate="always")
    assert made.action == "recreate"
    assert made.config["first_seq"] == 21
    assert _planning.would_lose(made.losses)["messages"] == 3
    assert "first_seq" not in plan(full, retention="interest", recreate="always", server=OLD).config
    with pytest.raises(_errors.Refused, match="data_loss=forbid"):
        plan(full, storage="memory", recreate="always", data_loss="forbid")


def test_what_can_not_be_created_is_not_recreated():
    with pytest.raises(_errors.Refused, match="cannot be created sealed"):
        plan(stored(), storage="memory", sealed=True, recreate="always")


def test_an_option_that_can_be_updated_is_not_recreated_because_recreate_is_allowed():
    assert plan(stored(), max_msgs=5, recreate="always").action == "update"


@pytest.mark.parametrize(
    ("given_options", "named"),
    [
        ({"num_replicas": 3}, "num_replicas"),
        ({"subjects": ["a.>", "a.b"]}, "subjects"),
        ({"subjects": [">"]}, "subjects"),
        ({"max_age": "1m", "duplicate_window": "2m"}, "duplicate_window"),
        ({"discard_new_per_subject": True}, "discard_new_per_subject"),
        ({"deny_purge": True, "allow_rollup_hdrs": True}, "deny_purge"),
        ({"mirror": {"name": "O"}, "subjects": ["x"]}, "mirror"),
        ({"republish": {"dest": "s.x.>"}, "subjects": ["s.>"]}, "republish"),
        ({"sealed": True}, "sealed"),
        ({"persist_mode": "async", "storage": "memory"}, "persist_mode"),
        ({"allow_msg_counter": True, "discard": "new"}, "allow_msg_counter"),
        ({"sources": [{"name": "O"}, {"name": "O"}]}, "sources"),
        ({"mirror_direct": True}, "mirror_direct"),
    ],
)
def test_what_every_server_refuses_is_refused_before(given_options, named):
    with pytest.raises(_errors.Refused) as refused:
        plan(None, **given_options)
    assert named in [problem.place for problem in refused.value.problems]


def test_all_problems_at_once():
    with pytest.raises(_errors.Refused) as refused:
        plan(None, num_replicas=3, discard_new_per_subject=True, compression="s2", server=OLD)
    assert {problem.place for problem in refused.value.problems} == {
        "compression",
        "num_replicas",
        "discard_new_per_subject",
    }


def test_a_rule_that_was_broken_before_does_not_stop_another_change():
    odd = stored(subjects=["$SYS.>"])
    assert plan(odd, description="x").action == "update"


def test_losses():
    info = stored()
    info["state"].update(messages=10, bytes=1000, num_subjects=1, last_seq=10)
    info.update(ts="2026-01-01T01:00:00Z")
    info["state"].update(first_ts="2026-01-01T00:00:00Z")
    made = plan(info, max_msgs=4)
    assert _planning.would_lose(made.losses)["messages"] == 6
    assert any("6 messages" in warning for warning in made.warnings)
    assert _planning.would_lose(plan(info, max_age="1m").losses) == {
        "messages": None,
        "messages_at_most": 10,
        "consumers": 0,
        "reasons": ["max_age 1m deletes the older"],
    }
    assert plan(info, max_age="2h").losses == ()
    assert plan(info, max_msgs_per_subject=3).losses[0].messages == 7
    with pytest.raises(_errors.Refused, match="data_loss=forbid"):
        plan(info, max_msgs=4, data_loss="forbid")
    with pytest.raises(_errors.Refused, match="data_loss=allow"):
        plan(info, retention="interest")
    assert plan(info, retention="interest", data_loss="allow").action == "update"


def test_extra_config_is_compared_and_sent_as_it_is():
    made = plan(stored(), extra={"x_new": 5})
    assert made.config["x_new"] == 5
    assert made.changes == [{"option": "x_new", "before": None, "after": 5}]
    assert made.after["extra_config"] == {"x_new": 5}
    assert plan(stored(x_new=5), extra={"x_new": 5}).action == "none"


def consumer(**config):
    added = {
        "durable_name": "C",
        "name": "C",
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": 30 * 10**9,
        "max_deliver": -1,
        "replay_policy": "instant",
        "max_waiting": 512,
        "max_ack_pending": 1000,
        "num_replicas": 0,
        "metadata": {"_nats.req.level": "0"},
    }
    return {"config": {**added, **config}, "name": "C", "stream_name": "S"}


def plan_consumer(info, **given_options):
    return plan(info, kind=CONSUMER, identity=("S", "C"), **given_options)


def test_a_consumer_is_durable_and_acknowledges_unless_told_otherwise():
    assert plan_consumer(None).config == {
        "name": "C",
        "durable_name": "C",
        "ack_policy": "explicit",
    }
    made = plan_consumer(None, durable=False, inactive_threshold="1m", ack_policy="none")
    assert made.config == {"name": "C", "ack_policy": "none", "inactive_threshold": 60 * 10**9}
    with pytest.raises(_errors.Refused, match="inactive_threshold"):
        plan_consumer(None, durable=False)


@pytest.mark.parametrize(
    ("filters", "sent"),
    [
        (["s.a"], {"filter_subject": "s.a"}),
        (["s.a", "s.b"], {"filter_subjects": ["s.a", "s.b"]}),
        ([], {}),
    ],
)
def test_filters_have_one_meaning_and_two_spellings(filters, sent):
    for start in ({"filter_subject": "s.x"}, {"filter_subjects": ["s.x"]}):
        made = plan_consumer(consumer(**start), filter_subjects=filters)
        named = {name: value for name, value in made.config.items() if name.startswith("filter")}
        assert named == sent
    kept = consumer(filter_subjects=["s.x"])
    assert plan_consumer(kept, filter_subject="s.x").action == "none"
    assert plan_consumer(kept, description="d").config["filter_subjects"] == ["s.x"]


def test_backoff_and_ack_wait():
    second = 10**9
    made = plan_consumer(consumer(), backoff=["1s", "5s"])
    assert made.config["ack_wait"] == second
    assert [row["option"] for row in made.changes] == ["ack_wait", "backoff"]
    with_backoff = consumer(backoff=[second, 5 * second], ack_wait=second)
    assert plan_consumer(with_backoff, ack_wait="30s").action == "none"
    back = plan_consumer(with_backoff, backoff=[])
    assert "ack_wait" not in back.config
    assert {"option": "ack_wait", "before": "1s", "after": "30s"} in back.changes


def test_a_priority_policy_goes_with_its_groups():
    info = consumer(priority_policy="overflow", priority_groups=["g"])
    made = plan_consumer(info, priority_policy="none")
    assert not {"priority_policy", "priority_groups"} & set(made.config)


def test_pull_to_push_is_a_recreate_that_drops_what_only_pull_has():
    with pytest.raises(_errors.Refused):
        plan_consumer(consumer(), deliver_subject="d.x")
    made = plan_consumer(consumer(), deliver_subject="d.x", recreate="always")
    assert made.action == "recreate"
    assert "max_waiting" not in made.config
    back = plan_consumer(
        consumer(deliver_subject="d.x", max_waiting=None, idle_heartbeat=10**9, flow_control=True),
        reset=["deliver_subject"],
        recreate="always",
    )
    assert not {"idle_heartbeat", "flow_control", "deliver_subject"} & set(back.config)


def test_a_pause_that_is_over_is_no_pause():
    over = consumer(pause_until="2020-01-01T00:00:00Z")
    assert plan_consumer(over, reset=["pause_until"]).action == "none"
    assert plan_consumer(consumer(), pause_until="2020-01-01T00:00:00Z").action == "none"
    ahead = consumer(pause_until="2999-01-01T02:00:00+02:00")
    assert plan_consumer(ahead, pause_until="2999-01-01T00:00:00Z").action == "none"
    assert plan_consumer(ahead, reset=["pause_until"]).action == "update"


def test_where_a_recreated_consumer_starts():
    used = consumer()
    used.update(
        delivered={"consumer_seq": 10, "stream_seq": 12},
        ack_floor={"consumer_seq": 8, "stream_seq": 8},
        num_pending=5,
        num_ack_pending=1,
        num_redelivered=0,
    )
    kept = plan_consumer(used, max_waiting=5, recreate="always")
    assert kept.losses == ()
    assert any("3 messages" in warning for warning in kept.warnings)
    lost = plan_consumer(used, max_waiting=5, recreate="always", server=MIDDLE)
    assert _planning.would_lose(lost.losses)["place"]["ack_floor"] == 8
    with pytest.raises(_errors.Refused, match="not empty"):
        plan_consumer(used, max_waiting=5, recreate="if_empty")


def test_absent():
    assert plan(None, state="absent").action == "none"
    assert plan(stored(), state="absent").action == "delete"
    full = stored()
    full["state"].update(messages=2)
    assert _planning.would_lose(plan(full, state="absent").losses)["messages"] == 2
    with pytest.raises(_errors.Refused):
        plan(full, state="absent", data_loss="forbid")


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["", "a", "b"]),
        "max_msgs": st.sampled_from([-1, 0, 5, 9]),
        "max_age": st.sampled_from(["0", "1m", "1h", "30d"]),
        "max_bytes": st.sampled_from(["-1", "1MiB", "3GiB"]),
        "discard": st.sampled_from(["old", "new"]),
        "duplicate_window": st.sampled_from(["0", "30s"]),
        "metadata": st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
        "republish": st.sampled_from([{"dest": "r.>"}, {"src": "s.>", "dest": "r.>"}]),
        "placement": st.sampled_from([{}, {"tags": ["x", "Y"]}, {"cluster": "c"}]),
        "sources": st.sampled_from([[], [{"name": "O"}], [{"name": "O"}, {"name": "P"}]]),
        "allow_direct": st.booleans(),
        "subject_delete_marker_ttl": st.sampled_from(["0", "1s"]),
        "consumer_limits": st.sampled_from([{}, {"max_ack_pending": 5}]),
    },
)


@given(SETTINGS, SETTINGS, st.sampled_from(["merge", "replace"]), st.sampled_from([MIDDLE, NEW]))
def test_what_a_plan_sends_needs_no_second_plan(first, second, update, server):
    if server is MIDDLE:
        first.pop("subject_delete_marker_ttl", None)
        second.pop("subject_delete_marker_ttl", None)
    created = plan(None, server=server, subjects=["s.>"], **first)
    info = {"config": created.config, "state": dict(STATE)}
    assert plan(info, server=server, subjects=["s.>"], **first).action == "none"
    changed = plan(info, server=server, update=update, subjects=["s.>"], **second)
    after = {"config": changed.config, "state": dict(STATE)}
    again = plan(after, server=server, update=update, subjects=["s.>"], **second)
    assert again.action == "none"
    assert again.before == changed.after
