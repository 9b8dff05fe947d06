# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Entries as those see them who only read: the info module and the lookup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._kv import (
    Bucket,
    Entry,
    bucket_problem,
    count_revisions,
    filter_problem,
    read_entries,
    read_history,
)
from ansible_collections.nats.jetstream.plugins.module_utils._payload import shown


def problems_of(bucket: str, filters: Iterable[str]) -> list[tuple[str, str]]:
    """Return (place, text) of what can name no bucket and match no keys."""
    found = [("bucket", bucket_problem(bucket))]
    found += [(f"keys[{index}]", filter_problem(one)) for index, one in enumerate(filters)]
    return [(place, text) for place, text in found if text]


async def read(
    manager: Any,
    bucket: Bucket,
    filters: Optional[Iterable[str]] = None,
    history: bool = False,
    deleted: bool = False,
    encoding: Optional[str] = None,
    values: bool = True,
) -> list[dict[str, Any]]:
    """Return rows of the entries that match a filter, all without filters, by key and revision.

    Raises JetStreamError for a value that does not have the encoding.
    """
    counts = await count_revisions(manager, bucket, filters)
    if history:
        revisions = await read_history(manager, bucket, counts)
    else:
        last = await read_entries(manager, bucket, counts, sure=False)
        revisions = {key: [entry] for key, entry in last.items()}
    return [
        row(entry, len(revisions[key]) - place, encoding, values)
        for key in sorted(revisions)
        for place, entry in enumerate(revisions[key], 1)
        if deleted or entry.is_live
    ]


def row(entry: Entry, delta: int, encoding: Optional[str], values: bool) -> dict[str, Any]:
    """Return an entry as a result shows it; delta is the number of newer revisions."""
    told = {
        "key": entry.key,
        "size": len(entry.data),
        "revision": entry.revision,
        "created": entry.created,
        "operation": entry.operation,
        "delta": delta,
    }
    if values and entry.is_live:
        told.update(shown(entry.data, encoding, f"the value of {entry.key}"))
    return told
