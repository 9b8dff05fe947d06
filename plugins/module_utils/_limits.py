# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What an account may reserve, against what a plan would. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import (
    WRITES,
    Failure,
    Item,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Config, Problem
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey
from ansible_collections.nats.jetstream.plugins.module_utils._units import format_size


def beyond_limits(account: dict[str, Any], items: list[Item], found: Survey) -> Iterator[Failure]:
    """Yield what would exceed the account's limits: storage, memory, streams.

    A stream reserves max_bytes times its replicas. Accounts with tiers have the limits per number
    of replicas (``R1``, ``R3``), for one replica each. Limits of 0 or less mean none, as far as
    they are not tiers.
    """
    if not found.whole:
        return
    before = {name: info["config"] for name, info in found.streams.items()}
    after = _after(items, found)
    for name, part in (account.get("tiers") or {"": account}).items():
        limits = part.get("limits") or {}
        now, then = (
            [config for config in streams.values() if not name or _tier(config) == name]
            for streams in (before, after)
        )
        for storage, limit in (("file", "max_storage"), ("memory", "max_memory")):
            has, wanted = (
                sum(_reserved(one, bool(name)) for one in streams if _storage(one) == storage)
                for streams in (now, then)
            )
            most = limits.get(limit) or 0
            if 0 < most < wanted and wanted > has:
                yield _failure(
                    f"streams would reserve {format_size(wanted)} of {storage} storage with "
                    f"max_bytes{f' in tier {name}' if name else ''}, the account has "
                    f"{format_size(most)} (err_code 10047, 10028)",
                    "max_bytes",
                )
        most = limits.get("max_streams") or 0
        if 0 < most < len(then) and len(then) > len(now):
            yield _failure(
                f"there would be {len(then)} streams, the account may have {most} (err_code 10027)",
                "streams",
            )


def _after(items: list[Item], found: Survey) -> dict[str, Config]:
    """Return the configurations of all streams as they are going to be."""
    after = {name: info["config"] for name, info in found.streams.items()}
    for item in items:
        if item.is_consumer:
            continue
        if item.plan.action in WRITES:
            after[item.stream] = item.plan.config
        elif item.plan.action == "delete":
            after.pop(item.stream, None)
    return after


def _tier(config: Config) -> str:
    return f"R{config.get('num_replicas') or 1}"


def _storage(config: Config) -> str:
    return str(config.get("storage") or "file")


def _reserved(config: Config, in_tier: bool) -> int:
    size = max(config.get("max_bytes") or 0, 0)
    return size if in_tier else size * (config.get("num_replicas") or 1)


def _failure(text: str, place: str) -> Failure:
    return Failure(place, "account", Refused(text, [Problem(place, text)]))
