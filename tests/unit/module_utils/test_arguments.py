# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments on which AnsibleModule would end with a traceback, or with no name."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.validation import check_type_dict

from ansible_collections.nats.jetstream.plugins.module_utils._arguments import argument_problems

SPEC = {
    "name": {"type": "str", "aliases": ["called"]},
    "count": {"type": "int"},
    "most": {"type": "int", "default": 10},
    "counts": {"type": "list", "elements": "int"},
    "path": {"type": "path"},
    "placement": {
        "type": "dict",
        "options": {"tags": {"type": "list", "elements": "str"}, "weight": {"type": "int"}},
    },
    "sources": {
        "type": "list",
        "elements": "dict",
        "options": {"external": {"type": "dict", "options": {"api": {"type": "str"}}}},
    },
    "thresholds": {
        "type": "dict",
        "options": {"lag": {"type": "int", "default": 1}, "other": {"type": "int"}},
    },
    "free": {"type": "dict"},
}


def places(**params):
    return [problem.place for problem in argument_problems(params, SPEC, check_type_dict)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"name": "a\ud800"}, ["name"]),
        ({"called": "\udfff"}, ["called"]),
        ({"free": {"a": [{"\ud800": 1}]}}, ["free"]),
        ({"no_such_\ud800": 1}, ["no_such_?"]),
        ({"count": float("inf")}, ["count"]),
        ({"count": float("nan")}, ["count"]),
        ({"count": "-Infinity"}, ["count"]),
        ({"count": "9" * 400}, ["count"]),
        ({"count": "9" * 5000}, ["count"]),
        ({"count": 2**70}, ["count"]),
        ({"count": 10**400}, ["count"]),
        ({"count": [0, [1, 2], 3]}, ["count"]),
        ({"count": True, "thresholds": {"lag": False}}, ["count", "thresholds.lag"]),
        ({"count": {"a": 1}}, ["count"]),
        ({"counts": [1, float("inf")]}, ["counts[1]"]),
        ({"path": "a\0b"}, ["path"]),
        ({"most": None}, ["most"]),
        ({"thresholds": {"lag": None, "other": None}}, ["thresholds.lag"]),
        ({"placement": 1}, ["placement"]),
        ({"placement": "words"}, ["placement"]),
        ({"placement": ["a"]}, ["placement"]),
        ({"placement": {"weight": float("inf")}}, ["placement.weight"]),
        ({"sources": ["words", {"external": True}]}, ["sources[0]", "sources[1].external"]),
        ({"sources": "words"}, ["sources[0]"]),
        ({"sources": [None]}, ["sources[0]"]),
        ({"sources": 5}, ["sources[0]"]),
    ],
)
def test_what_is_refused(params, expected):
    assert places(**params) == expected


@pytest.mark.parametrize(
    "params",
    [
        {
            "name": "ü 👩‍👩‍👧",
            "count": "12",
            "counts": [1, "2"],
            "path": "a",
            "free": {"a": {"b": 1}},
        },
        {"name": None, "placement": None, "sources": None},
        {"count": 2**64 - 1, "name": "\0"},
        {"placement": "weight=1", "sources": [{"external": {"api": "x"}}]},
        {"placement": '{"weight": 1}', "no_such": {"a": 1}},
        {"_ansible_version": "\ud800"},
    ],
)
def test_what_is_left_to_ansible(params):
    assert places(**params) == []


def test_a_value_is_never_quoted():
    problems = argument_problems({"placement": "canary"}, SPEC, check_type_dict)
    assert problems and "canary" not in str(problems)
