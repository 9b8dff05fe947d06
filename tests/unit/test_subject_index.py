# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils._subject_index import SubjectIndex
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import overlaps

TOKENS = st.lists(st.sampled_from(["a", "b", "c", "*"]), min_size=1, max_size=4)
SUBJECTS = st.builds(
    lambda tokens, tail: ".".join(tokens + tail), TOKENS, st.sampled_from([[], [">"]])
)


@given(st.lists(SUBJECTS, max_size=12), SUBJECTS)
def test_it_finds_what_comparing_each_with_each_finds(subjects, asked):
    index = SubjectIndex()
    for number, subject in enumerate(subjects):
        index.add(subject, str(number))
    found = sorted((entry.subject, entry.owner) for entry in index.overlapping(asked))
    expected = [(one, str(i)) for i, one in enumerate(subjects) if overlaps(one, asked)]
    assert found == sorted(expected)


def test_a_lone_wildcard_meets_everything():
    index = SubjectIndex()
    index.add(">", "all")
    index.add("a.b", "one")
    assert {entry.owner for entry in index.overlapping("a.b")} == {"all", "one"}
    assert {entry.owner for entry in index.overlapping(">")} == {"all", "one"}
