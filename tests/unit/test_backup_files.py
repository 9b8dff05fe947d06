# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the files of a backup say of a stream."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files as files


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, (0, 1, 0)),
        ({"messages": 0, "first_seq": 0, "last_seq": 0}, (0, 1, 0)),
        ({"messages": 0, "first_seq": 1, "last_seq": 0}, (0, 1, 0)),
        ({"messages": 0, "first_seq": 0, "last_seq": 7}, (0, 8, 7)),
        ({"messages": 2, "first_seq": 3, "last_seq": 7}, (2, 3, 7)),
    ],
)
def test_an_empty_stream_begins_after_its_last_message(state, expected):
    assert tuple(files.span(state).values()) == expected
