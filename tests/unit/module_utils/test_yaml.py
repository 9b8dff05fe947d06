# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

WORDS = st.text(max_size=12) | st.sampled_from(
    [
        "yes",
        "NO",
        "~",
        "null",
        "1e5",
        "0x1f",
        "orders.>",
        "*",
        "30d",
        "1:30",
        "- a",
        "#x",
        "2024-01-01",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_a_reader_gets_back_what_was_written(value):
    assert (yaml.safe_load(to_yaml(value)) or {}) == value


def test_it_reads_like_a_task():
    text = to_yaml(
        {"name": "S", "subjects": ["s.>", "t.>"], "max_age": "30d", "mirror": {"name": "O"}}
    )
    assert text == ("name: S\nsubjects:\n  - s.>\n  - t.>\nmax_age: 30d\nmirror:\n  name: O\n")
