# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _consumer,
    _kv_bucket,
    _object_bucket,
    _schema,
    _stream,
)

SERVER = _schema.Server((2, 15, 1), False)


@pytest.mark.parametrize(
    ("version", "level", "release"),
    [
        ("2.9.10", None, (2, 9, 10)),
        ("2.10.27", 0, (2, 10, 27)),
        ("2.15.1", 5, (2, 15, 1)),
        ("2.14.2-RC.1", 4, (2, 14, 2)),
        # A cluster in the middle of an upgrade: the meta leader is older, or newer.
        ("2.15.1", 1, (2, 11, 0)),
        ("2.11.3", 2, (2, 12, 0)),
        ("", 4, (2, 14, 0)),
        ("", None, None),
        # A level that this collection has never heard of.
        ("2.18.0", 8, (2, 18, 0)),
        ("strange", None, None),
    ],
)
def test_the_release_to_judge_by(version, level, release):
    assert _schema.release_of(version, level) == release


@pytest.mark.parametrize(
    ("release", "since", "observed"),
    [
        ((2, 9, 10), (2, 12, 5), True),
        ((2, 10, 27), (2, 12, 5), True),
        ((2, 15, 1), (2, 12, 5), True),
        ((2, 12, 1), (2, 12, 5), False),  # 2.10 lacks it, 2.15 has it
        ((2, 12, 1), (2, 10, 0), True),  # both have it
        ((2, 12, 1), (2, 16, 0), True),  # both lack it
        ((2, 16, 0), (2, 12, 5), True),
        ((2, 16, 0), (2, 17, 0), True),
        (None, (2, 10, 0), False),
    ],
)
def test_what_was_observed_on_a_line(release, since, observed):
    assert _schema.Server(release).observed(since) is observed


def wire(options):
    problems = []
    config = _stream.SCHEMA.wire(options, "streams[3]", problems)
    return config, [str(problem) for problem in problems]


def test_options_become_wire_values_and_null_is_unmentioned():
    options = {"max_age": "30d", "max_bytes": "1GiB", "max_msgs": -1, "description": None}
    assert wire(options) == (
        {"max_age": 2592000000000000, "max_bytes": 2**30, "max_msgs": -1},
        [],
    )


def test_every_problem_is_told_with_its_place():
    _config, problems = wire(
        {
            "max_age": "50ms",
            "retention": "limit",
            "sources": [{"name": "A"}, {"nam": "B", "opt_start_time": "yesterday"}],
            "subjects": ["a..b", "ok"],
            "metadata": {"_nats.x": "1", "a": ["b"]},
            "num_replicas": 6,
        }
    )
    places = [problem.split(": ")[0] for problem in problems]
    assert places == [
        "streams[3].subjects[0]",
        "streams[3].retention",
        "streams[3].num_replicas",
        "streams[3].max_age",
        "streams[3].sources[1].nam",
        "streams[3].sources[1].opt_start_time",
        "streams[3].sources[1].name",
        "streams[3].metadata._nats.x",
        "streams[3].metadata.a",
    ]
    assert any("did you mean name?" in problem for problem in problems)
    assert any("did you mean limits?" in problem for problem in problems)


EQUAL = [
    ("max_msgs", -5, -1),
    ("max_bytes", 0, -1),
    ("subjects", ["b", "a"], ["a", "b"]),
    ("placement", {"tags": ["B", "a"]}, {"tags": ["A", "b"]}),
    ("placement", {}, {"tags": []}),
    ("republish", {"dest": "r"}, {"src": ">", "dest": "r", "headers_only": False}),
    ("sources", [{"name": "A"}, {"name": "B"}], [{"name": "B"}, {"name": "A", "opt_start_seq": 0}]),
    (
        "mirror",
        {"name": "O", "opt_start_time": "2024-01-01T02:00:00+02:00"},
        {"name": "O", "opt_start_time": "2024-01-01T00:00:00.000Z"},
    ),
    ("metadata", {"a": "1", "_nats.ver": "2.15.1"}, {"a": "1"}),
    ("metadata", {"nats.jetstream/owner": "shop"}, {}),
    ("consumer_limits", {"max_ack_pending": 5, "inactive_threshold": 0}, {"max_ack_pending": 5}),
]


@pytest.mark.parametrize(("name", "one", "other"), EQUAL)
def test_what_means_the_same_is_equal(name, one, other):
    kind = _stream.SCHEMA.by_name[name].type
    assert kind.normal(one) == kind.normal(other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("subjects", ["a"], ["a", "b"]),
        ("sources", [{"name": "A"}], [{"name": "A"}, {"name": "A", "filter_subject": "x"}]),
        ("metadata", {"a": "1"}, {"a": "2"}),
        ("republish", {"dest": "r"}, {}),
    ],
)
def test_what_differs(name, one, other):
    kind = _stream.SCHEMA.by_name[name].type
    assert kind.normal(one) != kind.normal(other)


def test_a_sampling_frequency_needs_no_percent_sign():
    kind = _consumer.SCHEMA.by_name["sample_freq"].type
    assert kind.normal("50") == kind.normal("50%") == 50


def test_the_gate_names_field_and_release_and_lets_zeros_through():
    config = {
        "compression": "none",
        "allow_msg_ttl": False,
        "metadata": {"a": "1"},
        "mirror": {"name": "O", "subject_transforms": [{"src": "a", "dest": "b"}]},
    }
    old = _schema.Server((2, 9, 10))
    assert [str(one) for one in _stream.SCHEMA.unknown_to(config, old)] == [
        "mirror.subject_transforms: needs nats-server 2.10, this is 2.9.10",
        "metadata: needs nats-server 2.10, this is 2.9.10",
    ]
    assert _stream.SCHEMA.unknown_to(config, _schema.Server((2, 10, 27))) == []
    assert _stream.SCHEMA.unknown_to(config, _schema.Server(None)) == []


def test_newer_choices_are_gated_too():
    config = {"ack_policy": "flow_control"}
    problems = _consumer.SCHEMA.unknown_to(config, _schema.Server((2, 12, 0)))
    assert [problem.place for problem in problems] == ["ack_policy"]


KINDS = [
    _stream.STREAM,
    _consumer.CONSUMER,
    _kv_bucket.KV_BUCKET,
    _object_bucket.OBJECT_BUCKET,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_no_setting_has_a_default_in_the_argument_spec(kind):
    assert all("default" not in spec for spec in kind.schema.argument_spec().values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_checks_name_fields_that_exist(kind):
    named = {name for check in kind.rules().checks for name in check.fields}
    assert named <= set(kind.schema.by_name)


@pytest.mark.parametrize(
    ("note", "taken"),
    [
        ('["a.>", "b"]', ["a.>", "b"]),
        (None, None),
        ("[]", None),
        ("a.>", None),
        ('"a.>"', None),
        ("[1]", None),
        ('{"a": 1}', None),
    ],
)
def test_subjects_that_a_recreate_took(note, taken):
    """Whatever somebody else has written there is no reason to fail."""
    metadata = {} if note is None else {_schema.RECREATING_METADATA: note}
    assert _schema.subjects_taken({"name": "S", "metadata": metadata}) == taken
