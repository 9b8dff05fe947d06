# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An environment and what it is to become, which takes every sort of step; and looking at it."""

from __future__ import annotations

from typing import Any

BEFORE: dict[str, Any] = {
    "streams": [
        # Swapped, passed around, moved, split; what is in them stays there.
        {"name": "SWAP1", "subjects": ["one"]},
        {"name": "SWAP2", "subjects": ["two"]},
        {"name": "RING1", "subjects": ["r1", "x1"]},
        {"name": "RING2", "subjects": ["r2", "x2"]},
        {"name": "RING3", "subjects": ["r3", "x3"]},
        {"name": "WIDE", "subjects": ["wide.>"]},
        {"name": "OLD", "subjects": ["old.>"]},
        {
            "name": "JOBS",
            "subjects": ["jobs.>"],
            "retention": "workqueue",
            "consumers": [
                {"name": "a", "filter_subject": "jobs.1"},
                {"name": "b", "filter_subject": "jobs.2"},
            ],
        },
        {"name": "STAYS", "subjects": ["stays"], "consumers": [{"name": "gone"}, {"name": "c"}]},
    ],
    "kv_buckets": [{"name": "settings", "entries": [{"key": "old", "value": "1"}]}],
}
AFTER: dict[str, Any] = {
    "streams": [
        {"name": "ALL", "sources": [{"name": "NEW0"}, {"name": "NEW1"}]},
        {"name": "COPY", "mirror": {"name": "ALL"}},
        *(
            {"name": f"NEW{number}", "subjects": [f"old.{number}"], "consumers": [{"name": "c"}]}
            for number in range(6)
        ),
        {"name": "SWAP1", "subjects": ["two"]},
        {"name": "SWAP2", "subjects": ["one"], "max_msgs": 500},
        {"name": "RING1", "subjects": ["r2", "x1"]},
        {"name": "RING2", "subjects": ["r3", "x2"]},
        {"name": "RING3", "subjects": ["r1", "x3"]},
        {"name": "NARROW", "subjects": ["wide.b.>"]},
        {"name": "WIDE", "subjects": ["wide.a.>"]},
        {"name": "OLD", "state": "absent"},
        {
            "name": "JOBS",
            "consumers": [
                {"name": "a", "filter_subject": "jobs.2"},
                {"name": "b", "filter_subject": "jobs.1"},
            ],
        },
        {
            "name": "STAYS",
            "max_age": "1d",
            "consumers": [{"name": "gone", "state": "absent"}, {"name": "c", "max_deliver": 5}],
        },
        {"name": "SEALED", "subjects": ["sealed"], "sealed": True, "consumers": [{"name": "c"}]},
    ],
    "kv_buckets": [
        {
            "name": "settings",
            "history": 3,
            "entries": [{"key": f"k{number}", "value": "v" * number} for number in range(20)],
        }
    ],
    "object_buckets": [{"name": "files", "max_bytes": "1MiB"}],
}
STORED = ("one", "two", "two", "r1", "r2", "x3", "wide.a.1", "wide.b.1", "jobs.1", "stays")
KEPT = ("SWAP1", "SWAP2", "RING1", "RING2", "RING3", "WIDE", "JOBS", "STAYS")
WRITES = 45  # about as many requests write on the way from BEFORE to AFTER


def came_to_its_end(account: Any) -> None:
    """A run does the rest, and the one after it nothing; no message is lost on the way."""
    account.agrees(**AFTER)
    assert account.subjects("SWAP1") == ["two"] and account.subjects("SWAP2") == ["one"]
    assert sorted(account.subjects("RING3")) == ["r1", "x3"]
    assert account.state()["SEALED"]["sealed"]
    assert account.nats.ok("STREAM.INFO.KV_settings")["state"]["messages"] >= 21
    assert not [one for one in account.streams() if one.startswith("OLD")]
    assert account.messages("MINE") == 1
    assert {name: account.messages(name) for name in KEPT} == {
        "SWAP1": 1,
        "SWAP2": 2,
        "RING1": 1,
        "RING2": 1,
        "RING3": 1,
        "WIDE": 2,
        "JOBS": 1,
        "STAYS": 1,
    }
