# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What an account may reserve, against what a plan would, at its end and on its way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import (
    Failure,
    Item,
    limits_for,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._order import ENOUGH, Room
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import WRITES
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Config, Problem
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey
from ansible_collections.nats.jetstream.plugins.module_utils._units import format_size


class Limit(NamedTuple):
    """One limit of an account: a number of bytes of a storage, or (storage "") of streams.

    A stream reserves max_bytes times its replicas. Accounts with tiers have the limits per number
    of replicas (``R1``, ``R3``), for one replica each.
    """

    most: int
    tier: str
    storage: str

    def use(self, config: Config) -> int:
        """Return how much of it a stream uses; one that is not there (empty) uses nothing."""
        replicas = config.get("num_replicas") or 1
        if not config:
            return 0
        if self.tier and self.tier != f"R{replicas}":
            return 0
        if not self.storage:
            return 1
        if self.storage != (config.get("storage") or "file"):
            return 0
        return max(config.get("max_bytes") or 0, 0) * (1 if self.tier else replicas)

    def exceeded(self, wanted: int) -> Failure:
        place, tier = "streams", f" in tier {self.tier}" if self.tier else ""
        text = f"there would be {wanted} streams{tier}, the account may have {self.most}"
        codes = "10027"
        if self.storage:
            place, most = "max_bytes", format_size(self.most)
            text = (
                f"streams would reserve {format_size(wanted)} of {self.storage} storage with "
                f"max_bytes{tier}, the account has {most}"
            )
            codes = "10047, 10028"
        problem = Problem(place, f"{text} (err_code {codes})")
        return Failure(place, "account", Refused(problem.text, [problem]))


def beyond_limits(account: dict[str, Any], items: list[Item], found: Survey) -> Iterator[Failure]:
    """Yield what would exceed the account's limits: storage, memory, streams."""
    if not found.whole:
        return
    before = {name: info["config"] for name, info in found.streams.items()}
    after = {**before, **_after(items)}
    for limit in _limits(account):
        has, wanted = (
            sum(limit.use(one or {}) for one in streams.values()) for streams in (before, after)
        )
        if limit.most < wanted and wanted > has:
            yield limit.exceeded(wanted)


def beyond_each(account: dict[str, Any], items: list[Item]) -> Iterator[Failure]:
    """Yield the streams that would exceed what the account allows a single one."""
    for item in items:
        drafted = item.plan
        if item.is_consumer or drafted.action not in WRITES:
            continue
        new = drafted.action in ("create", "recreate")
        config, limits = drafted.config, limits_for(account, drafted.config)
        problems = []
        if limits is None and (new or drafted.touches("num_replicas")):
            text = f"the account has no limits for {config.get('num_replicas') or 1} replicas"
            problems.append(Problem("num_replicas", f"{text} (err_code 10120)"))
        for name, problem in (("max_bytes", _size_problem), ("max_consumers", _number_problem)):
            text = problem(config, limits or {}) if new or drafted.touches(name) else ""
            if text:
                problems.append(Problem(name, text))
        if problems:
            error = Refused.because(drafted.title, problems)
            yield Failure(item.place, drafted.title, error)


def _size_problem(stream: Config, limits: Mapping[str, Any]) -> str:
    size = stream.get("max_bytes") or 0
    if size <= 0:
        needs = limits.get("max_bytes_required")
        return "the account wants every stream to have it (err_code 10113)" if needs else ""
    kind = "memory" if stream.get("storage") == "memory" else "storage"
    most = limits.get(f"{kind}_max_stream_bytes") or 0
    if not 0 < most < size:
        return ""
    return (
        f"{format_size(size)} is more than the account allows a stream, {format_size(most)} "
        "(err_code 10122)"
    )


def _number_problem(stream: Config, limits: Mapping[str, Any]) -> str:
    most, wanted = limits.get("max_consumers") or 0, stream.get("max_consumers") or 0
    text = f"{wanted} is more than the account allows a stream, {most} (err_code 10026)"
    return text if 0 < most < wanted else ""


def room_in(account: dict[str, Any], items: list[Item], found: Survey) -> Room:
    """Return which items have to make room and which need it, if not everything fits at once."""
    makers: set[int] = set()
    takers: set[int] = set()
    if not found.whole:
        return ENOUGH
    after = _after(items)
    for limit in _limits(account):
        more = {
            index: limit.use(after[item.stream] or {}) - limit.use(item.plan.current_config)
            for index, item in enumerate(items)
            if not item.is_consumer and item.stream in after
        }
        has = sum(limit.use(info["config"]) for info in found.streams.values())
        if limit.most < has + sum(one for one in more.values() if one > 0):
            makers.update(index for index, one in more.items() if one < 0)
            takers.update(index for index, one in more.items() if one > 0)
    return Room(makers, takers - makers)


def _limits(account: dict[str, Any]) -> Iterator[Limit]:
    """Yield the limits there are; 0 or less means none."""
    for tier, part in (account.get("tiers") or {"": account}).items():
        limits = part.get("limits") or {}
        kinds = (("file", "max_storage"), ("memory", "max_memory"), ("", "max_streams"))
        for storage, name in kinds:
            most = limits.get(name) or 0
            if most > 0:
                yield Limit(most, tier, storage)


def _after(items: list[Item]) -> dict[str, Optional[Config]]:
    """Return the configurations of the streams that change, None for those that go."""
    return {
        item.stream: item.plan.config if item.plan.action in WRITES else None
        for item in items
        if not item.is_consumer and item.plan.action != "none"
    }
