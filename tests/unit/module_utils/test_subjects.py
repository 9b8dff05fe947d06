# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils import _subjects as subjects

# Every literal subject of up to three tokens over two words, to try matches on.
LITERALS = [".".join(words) for size in (1, 2, 3) for words in itertools.product("ab", repeat=size)]
PATTERNS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=3).flatmap(
    lambda tokens: st.sampled_from([".".join(tokens), ".".join([*tokens[:-1], ">"])])
)


def matches(pattern, literal):
    """The definition, token by token, to hold the shorter functions against."""
    wanted, given_tokens = pattern.split("."), literal.split(".")
    if wanted[-1] == ">":
        wanted, rest = wanted[:-1], given_tokens[len(wanted) - 1 :]
        if not rest:
            return False
        given_tokens = given_tokens[: len(wanted)]
    return len(wanted) == len(given_tokens) and all(
        one in ("*", other) for one, other in zip(wanted, given_tokens)
    )


@given(PATTERNS, PATTERNS)
def test_overlaps_means_that_a_message_can_match_both(one, other):
    both = any(matches(one, word) and matches(other, word) for word in LITERALS)
    there_and_back = {subjects.overlaps(*pair) for pair in ((one, other), (other, one))}
    assert len(there_and_back) == 1
    if both:
        assert subjects.overlaps(one, other)
    elif ">" not in one + other:
        assert not subjects.overlaps(one, other)


@given(PATTERNS, PATTERNS)
def test_covers_means_that_all_of_the_narrow_match_the_wide(wide, narrow):
    if subjects.covers(wide, narrow):
        assert all(matches(wide, word) for word in LITERALS if matches(narrow, word))


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [("a.>", "a", False), ("a.>", "a.b", True), (">", "a", True), ("a.*", "*.b", True)],
)
def test_overlaps(one, other, meet):
    assert subjects.overlaps(one, other) is meet


def test_first_overlap():
    assert subjects.first_overlap(["a", "b.>", "c", "b.x"]) == ("b.>", "b.x")
    assert subjects.first_overlap(["a", "b"]) is None
    assert subjects.first_overlap(["a", "a"]) == ("a", "a")


def test_first_overlap_of_many():
    many = [f"s.{number}" for number in range(20000)]  # compared each with each: two minutes
    assert subjects.first_overlap(many) is None
    assert subjects.first_overlap([*many, "b.>", "c", "b.x"]) == ("b.>", "b.x")
    assert subjects.first_overlap([*many, "s.7"]) == ("s.7", "s.7")


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a*", ">", "a/b", "a\\b", "a\tb", "n" * 256])
def test_bad_names(name):
    assert subjects.name_problem(name)


@pytest.mark.parametrize("name", ["A", "n" * 255, "Ä-1_$x"])
def test_good_names(name):
    assert subjects.name_problem(name) is None


@pytest.mark.parametrize("subject", ["", "a..b", ".a", "a.", "a b", "a.>.b"])
def test_bad_subjects(subject):
    assert subjects.subject_problem(subject)


def test_literal_subjects():
    assert subjects.subject_problem("a.*", wildcards=False)
    assert subjects.subject_problem("a.b", wildcards=False) is None
    assert subjects.subject_problem("a*.b>", wildcards=False) is None  # no wildcards inside a token
