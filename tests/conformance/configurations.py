# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random configurations of streams and consumers, most of which a server takes.

Every field has its values. Of most draws is taken away what this release does not know and what
excludes each other; a few are left as they came, so that refusals are looked at as well. What is
possible is written down here once more, and in other words than the collection's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM

Options = dict[str, Any]
Release = tuple[int, ...]

SPANS = st.sampled_from(["1s", "90s", "1h30m", "2d", "100ms", "61s1ns", 30])
# Nothing that a test stores is as old as these.
AGES = st.sampled_from([0, "1h30m", "2d", "1w", 3600, "1y"])
COUNTS = st.sampled_from([-1, 1, 2, 10, 1000])
SIZES = st.sampled_from(["unlimited", 1000, "10KiB", "5MB", "1GiB"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
FLAGS = st.booleans()


def chosen(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def some(*values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=len(values))


SOURCE = st.one_of(
    st.builds(lambda name: {"name": name}, chosen("O", "OD", "MISSING")),
    st.builds(
        lambda name, start: {"name": name, "opt_start_seq": start},
        chosen("O", "OD"),
        st.integers(1, 9),
    ),
    st.just({"name": "O", "filter_subject": "o.a"}),
    st.just({"name": "O", "opt_start_time": "2024-01-01T02:00:00.123456789+02:00"}),
    st.just({"name": "OD", "subject_transforms": [{"src": "od.>", "dest": "s.c.>"}]}),
    st.just({"name": "FAR", "external": {"api": "far.api", "deliver": "far.deliver"}}),
    st.just({"name": "O", "consumer": {"name": "given", "deliver_subject": "given.o"}}),
)
PLACEMENT = st.one_of(
    st.just({}),
    st.builds(lambda tags: {"tags": tags}, some("a", "B")),
    st.just({"cluster": "X"}),
    st.just({"preferred": "n1"}),
)
MUTABLE = {
    "subjects": st.lists(chosen("s.a", "s.b", "s.c.>", "s.d.*"), unique=True, min_size=1),
    "description": TEXTS,
    "max_msgs": COUNTS,
    "max_msgs_per_subject": COUNTS,
    "max_bytes": SIZES,
    "max_age": AGES,
    "max_msg_size": SIZES,
    "max_consumers": COUNTS,
    "discard": chosen("old", "new"),
    "discard_new_per_subject": FLAGS,
    "no_ack": FLAGS,
    "compression": chosen("none", "s2"),
    "placement": PLACEMENT,
    "sources": st.lists(SOURCE, max_size=2),
    "republish": chosen(
        {"src": ">", "dest": "r.>"},
        {"dest": "r.>", "headers_only": True},
        {"src": "s.a", "dest": "r.a"},
    ),
    "subject_transform": chosen(
        {"src": "s.a", "dest": "t.a"}, {"src": "s.*", "dest": "t.{{wildcard(1)}}"}, {"dest": "t.>"}
    ),
    "allow_direct": FLAGS,
    "allow_rollup_hdrs": FLAGS,
    "consumer_limits": chosen(
        {}, {"max_ack_pending": 5}, {"max_ack_pending": 5, "inactive_threshold": "1h"}
    ),
    "allow_atomic": FLAGS,
    "allow_batched": FLAGS,
    "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
}
STREAM_FIELDS = {
    **MUTABLE,
    "retention": chosen("limits", "interest", "workqueue"),
    "storage": chosen("file", "memory"),
    "num_replicas": chosen(1, 1, 1, 1, 1, 3),
    "duplicate_window": st.one_of(st.just(0), SPANS),
    "first_seq": chosen(0, 1, 100),
    "deny_delete": FLAGS,
    "deny_purge": FLAGS,
    "sealed": FLAGS,
    "allow_msg_ttl": FLAGS,
    "subject_delete_marker_ttl": chosen(0, "1s", "90s"),
    "allow_msg_counter": FLAGS,
    "allow_msg_schedules": FLAGS,
    "persist_mode": chosen("default", "async"),
    "mirror": SOURCE,
    "mirror_direct": FLAGS,
}
CONSUMER_FIELDS = {
    "description": TEXTS,
    "durable": chosen(True, True, True, False),
    "ack_policy": chosen("explicit", "explicit", "explicit", "all", "none", "flow_control"),
    "ack_wait": SPANS,
    "max_deliver": COUNTS,
    "backoff": st.lists(SPANS, max_size=3),
    "filter_subject": chosen("", "s.a", "s.*", ">"),
    "filter_subjects": st.lists(chosen("s.a", "s.b", "s.c.>"), unique=True),
    "sample_freq": chosen("", "0", "50", "50%"),
    "max_ack_pending": chosen(-1, 0, 5, 1000, 2000),
    "max_waiting": chosen(0, 5, 512),
    "max_batch": COUNTS,
    "max_expires": st.one_of(st.just(0), SPANS),
    "max_bytes": chosen(0, 1000, "1MiB"),
    "headers_only": FLAGS,
    "inactive_threshold": st.one_of(st.just(0), chosen("1h", "2d")),
    "deliver_policy": chosen(
        "all", "all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"
    ),
    "opt_start_seq": chosen(0, 1, 5),
    "opt_start_time": chosen("2024-01-01T00:00:00Z", "2024-01-01T02:00:00.5+02:00"),
    "replay_policy": chosen("instant", "original"),
    "deliver_subject": chosen("", "d.x", "d.y"),
    "deliver_group": chosen("", "g"),
    "rate_limit_bps": chosen(0, 1000),
    "flow_control": FLAGS,
    "idle_heartbeat": st.one_of(st.just(0), chosen("1s", "90s")),
    "num_replicas": chosen(0, 1, 0, 1, 3),
    "mem_storage": FLAGS,
    "priority_policy": chosen("none", "overflow", "pinned_client", "prioritized"),
    "priority_groups": chosen([], ["g"]),
    "priority_timeout": st.one_of(st.just(0), SPANS),
    # In UTC, as servers rewrite it.
    "pause_until": chosen("2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
    "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
}
# What a setting needs beside it, so that it is not always taken away for the lack of it.
NEEDED: tuple[tuple[str, Any, Options], ...] = (
    ("discard_new_per_subject", True, {"discard": "new", "max_msgs_per_subject": 10}),
    ("durable", False, {"inactive_threshold": "1h"}),
    ("deliver_policy", "by_start_sequence", {"opt_start_seq": 5}),
    ("deliver_policy", "by_start_time", {"opt_start_time": "2024-01-01T00:00:00Z"}),
    ("deliver_policy", "last_per_subject", {"filter_subject": "s.a"}),
    ("ack_policy", "flow_control", {"deliver_subject": "d.x"}),
    ("flow_control", True, {"deliver_subject": "d.x", "idle_heartbeat": "1s"}),
    ("rate_limit_bps", 1000, {"deliver_subject": "d.x"}),
    ("priority_policy", "overflow", {"priority_groups": ["g"]}),
    ("priority_policy", "pinned_client", {"priority_groups": ["g"]}),
    ("priority_policy", "prioritized", {"priority_groups": ["g"]}),
)
# Streams for consumers: what they set moves the defaults of a consumer, or limits it.
PARENTS = chosen(
    {},
    {},
    {"retention": "interest"},
    {"retention": "workqueue"},
    {"consumer_limits": {"max_ack_pending": 2000, "inactive_threshold": 2 * 86400 * 10**9}},
    {"consumer_limits": {"max_ack_pending": 5}},
)


def fewer(
    fields: Mapping[str, st.SearchStrategy[Any]], count: int = 6, least: int = 0
) -> st.SearchStrategy[Options]:
    """Some of the fields only: most combinations of many are refused for one of them."""
    return (
        st.lists(st.sampled_from(sorted(fields)), unique=True, min_size=least, max_size=count)
        .map(lambda names: {name: fields[name] for name in names})
        .flatmap(st.fixed_dictionaries)
    )


def streams(draw: Any, release: Release, base: Options | None = None) -> Options:
    """Draw a stream, or changes of the one that base declares."""
    drawn = draw(fewer(STREAM_FIELDS, count=9, least=2))
    if base is None and "mirror" not in drawn:
        drawn = {"subjects": ["s.a"], **drawn}
    if draw(chosen("as it came", *["possible"] * 7)) == "as it came":
        return drawn
    known = _known(_with_needed(drawn), STREAM.schema.by_name, release)
    return _without(_stream_conflicts, known, base or {}, release, base is None)


def consumers(draw: Any, release: Release, parent: Options, base: Options | None = None) -> Options:
    """Draw a consumer of a stream with this configuration, or changes of the one in base."""
    drawn = draw(fewer(CONSUMER_FIELDS, count=9, least=2))
    if draw(chosen("as it came", *["possible"] * 7)) == "as it came":
        return drawn
    known = _known(_with_needed(drawn), CONSUMER.schema.by_name, release)
    return _without(_consumer_conflicts, known, base or {}, release, parent)


def _with_needed(drawn: Options) -> Options:
    for name, value, needed in NEEDED:
        if drawn.get(name) == value:
            drawn = {**needed, **drawn}
    return drawn


def _known(drawn: Options, by_name: Mapping[str, Any], release: Release) -> Options:
    """Take away what came with a later release, inside of values as well."""

    def too_new(value: Any, kind: Any) -> bool:
        if isinstance(value, list) and hasattr(kind, "item"):
            return any(too_new(one, kind.item) for one in value)
        if isinstance(value, dict) and hasattr(kind, "by_name"):
            return any(
                kind.by_name[name].since > release or too_new(one, kind.by_name[name].type)
                for name, one in value.items()
            )
        newer = getattr(kind, "newer", {})
        return isinstance(value, str) and newer.get(value, release) > release

    return {
        name: value
        for name, value in drawn.items()
        if by_name[name].since <= release and not too_new(value, by_name[name].type)
    }


def _without(conflicts: Any, drawn: Options, base: Options, *about: Any) -> Options:
    """Take away of what was drawn, until nothing in it is in conflict with the whole."""
    left = dict(drawn)
    while True:
        whole = {**base, **left}
        names = {name for group in conflicts(whole, *about) for name in group}.intersection(left)
        if not names:
            return left
        for name in names:
            del left[name]


def _stream_conflicts(c: Options, release: Release, fresh: bool) -> Iterator[tuple[str, ...]]:
    """Yield the names of settings that are not possible beside the others."""
    if c.get("mirror"):
        yield ("subjects", "sources", "first_seq", "allow_atomic", "allow_batched", "retention")
        yield ("subject_delete_marker_ttl", "allow_msg_counter", "allow_msg_schedules")
    if not c.get("mirror"):
        yield ("mirror_direct",)
    if c.get("num_replicas") == 3:
        yield ("num_replicas",)
    if fresh and c.get("sealed"):
        yield ("sealed",)
    if (c.get("placement") or {}).get("preferred") and release >= (2, 15):
        yield ("placement",)
    if c.get("discard_new_per_subject") and (
        c.get("discard") != "new" or c.get("max_msgs_per_subject", -1) < 1
    ):
        yield ("discard_new_per_subject", "discard", "max_msgs_per_subject")
    if c.get("deny_purge"):
        yield ("allow_rollup_hdrs", "subject_delete_marker_ttl", "allow_msg_schedules")
    if c.get("allow_msg_counter") or c.get("allow_msg_schedules"):
        yield ("discard", "discard_new_per_subject", "sources")
    if c.get("allow_msg_counter"):
        yield ("allow_msg_ttl", "allow_msg_schedules", "retention", "subject_delete_marker_ttl")
    if c.get("persist_mode") == "async":
        yield ("storage", "allow_atomic")
    if c.get("max_age") and c.get("duplicate_window"):
        yield ("duplicate_window",)
    origins = [source["name"] for source in c.get("sources") or []]
    if len(set(origins)) < len(origins):
        yield ("sources",)


def _consumer_conflicts(c: Options, release: Release, parent: Options) -> Iterator[tuple[str, ...]]:
    push, flow = c.get("deliver_subject"), c.get("ack_policy") == "flow_control"
    if push:
        yield ("max_waiting", "max_batch", "max_expires", "max_bytes")
        yield ("priority_policy", "priority_groups", "priority_timeout")
    else:
        yield ("rate_limit_bps", "flow_control", "idle_heartbeat")
    if flow and not push:
        yield ("ack_policy",)
    if flow:
        yield ("ack_wait", "backoff", "max_deliver", "idle_heartbeat", "flow_control")
        yield ("max_ack_pending",)
    if c.get("ack_policy") == "none":
        yield ("max_ack_pending", "ack_wait", "backoff")
    if c.get("flow_control") and not c.get("idle_heartbeat"):
        yield ("flow_control",)
    policy = c.get("deliver_policy", "all")
    for start, option in (
        ("by_start_sequence", "opt_start_seq"),
        ("by_start_time", "opt_start_time"),
    ):
        if policy == start and not c.get(option):
            yield ("deliver_policy",)
        if policy != start:
            yield (option,)
    if "filter_subject" in c and "filter_subjects" in c:
        yield ("filter_subjects",)
    if policy == "last_per_subject" and not (c.get("filter_subject") or c.get("filter_subjects")):
        yield ("deliver_policy",)
    if release < (2, 10) and c.get("filter_subject") == ">":
        yield ("filter_subject",)
    steps, most = len(c.get("backoff") or []), c.get("max_deliver", -1)
    if steps and (0 < most < steps or (release < (2, 10) and most <= steps)):
        yield ("backoff",)
    if c.get("priority_policy", "none") == "none":
        yield ("priority_groups", "priority_timeout")
    elif not c.get("priority_groups"):
        yield ("priority_policy",)
    if c.get("durable") is False and not c.get("inactive_threshold"):
        yield ("durable",)
    if c.get("num_replicas") == 3:
        yield ("num_replicas",)
    limits = parent.get("consumer_limits") or {}
    if limits.get("inactive_threshold") is None and limits:
        yield ("inactive_threshold",)
    if limits and push and c.get("ack_policy") == "none":
        yield ("deliver_subject",)
    if limits and c.get("max_ack_pending", 0) > limits["max_ack_pending"]:
        yield ("max_ack_pending",)
    if parent.get("retention") == "workqueue" and not flow:
        yield ("ack_policy",)
    if parent.get("retention") == "workqueue":
        yield ("deliver_policy", "opt_start_seq", "opt_start_time")
