# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The entries of key-value buckets that a declaration has: what they take, and writing them.

They come when all assets are there. No value of an entry becomes part of a result; what would be
approved without them is approved with their seal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import Failure, Item
from ansible_collections.nats.jetstream.plugins.module_utils._declared import Declared
from ansible_collections.nats.jetstream.plugins.module_utils._entries import (
    NONE,
    Step,
    Wanted,
    decide,
    wanted_entries,
    write,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kv import Bucket, bucket_of
from ansible_collections.nats.jetstream.plugins.module_utils._messages import LostRace
from ansible_collections.nats.jetstream.plugins.module_utils._payload import payload_spec
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import WRITES
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Choice,
    Field,
    Integer,
    Problem,
    Schema,
    Text,
    nearest,
)
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey, gathered

ENTRY = Schema(
    Field("key", Text()),
    Field("state", Choice("present", "absent", "purged")),
    Field("base64", Text()),
    Field("src", Text()),
    Field("ttl", Text()),
    Field("expected_revision", Integer(0)),
)
OPTIONS = {*ENTRY.by_name, *payload_spec()}
BUCKETS_AT_ONCE = 8  # each has many requests on their way
SEAL_ROUNDS = 100_000


class Filling(NamedTuple):
    """The entries of one bucket that change. place is where the bucket is declared.

    wanted are all that are declared.
    """

    place: str
    bucket: Bucket
    steps: list[Step]
    wanted: list[Wanted]

    @property
    def title(self) -> str:
        return f"entries of bucket {self.bucket.name}"


class Filled(NamedTuple):
    """How many entries were written, and why others were not."""

    done: int
    failures: list[Failure]
    not_tried: list[dict[str, Any]]


def wanted_of(declared: Declared, problems: list[Problem]) -> list[Wanted]:
    """Return the entries that a bucket is to have, and add everything that is wrong with them.

    One that is to be absent has none, whatever is declared.
    """
    place, given = f"{declared.place}.entries", declared.contents.get("entries") or []
    if not isinstance(given, list):
        problems.append(Problem(place, "must be a list"))
        return []
    before, entries = len(problems), []
    for index, one in enumerate(given):
        where = f"{place}[{index}]"
        if not isinstance(one, dict):
            problems.append(Problem(where, "must be a dictionary"))
            continue
        for name in sorted(map(str, set(one) - OPTIONS)):
            text = f"is no option of an entry{nearest(name, OPTIONS)}"
            problems.append(Problem(f"{where}.{name}", text))
        entries.append({**one, **ENTRY.wire(one, where, problems)})
    # Their numbers are those of the declaration only if none is missing.
    wanted = wanted_entries(entries, problems, place=place) if len(problems) == before else []
    return wanted if declared.policy.state == "present" else []


async def plan_entries(
    manager: Any,
    wanted: Iterable[tuple[Declared, list[Wanted]]],
    items: Iterable[Item],
    found: Survey,
) -> tuple[list[Filling], list[Failure]]:
    """Return what changes in which bucket, and what cannot be so.

    Buckets are judged by what they are going to be.
    """
    by_stream = {item.stream: item for item in items if not item.is_consumer}
    asked = [(entry, some) for entry, some in wanted if some and entry.stream in by_stream]

    async def look(one: tuple[Declared, list[Wanted]]) -> Any:
        entry, some = one
        bucket = _bucket_after(manager, entry, by_stream[entry.stream], found)
        try:
            if bucket.is_mirror:
                text = "belong to the origin of a mirror; declare them there"
                raise Refused.because(entry.title, [Problem(f"{entry.place}.entries", text)])
            steps = await decide(manager, bucket, some)
        except JetStreamError as error:
            return Failure(entry.place, f"entries of bucket {bucket.name}", error)
        changing = [step for step in steps if step.action != NONE]
        return Filling(entry.place, bucket, changing, some)

    seen = await gathered(BUCKETS_AT_ONCE, asked, look)
    fillings = [one for one in seen if isinstance(one, Filling) and one.steps]
    return fillings, [one for one in seen if isinstance(one, Failure)]


def _bucket_after(manager: Any, entry: Declared, item: Item, found: Survey) -> Bucket:
    """Return a bucket as it is going to be: with its new settings, and empty if it is made anew."""
    info = found.streams.get(entry.stream) or {}
    if item.plan.action in WRITES:
        kept = info.get("state") if item.plan.action in ("update", "migrate") else None
        info = {**info, "config": item.plan.config, "state": kept or {"messages": 0}}
    return bucket_of(manager, entry.identity[0], info)


async def fill(
    manager: Any, fillings: list[Filling], items: list[Item], undone: Iterable[int]
) -> Filled:
    """Write the entries of all buckets, but of those (indexes of items) that are not as planned."""
    missing = {items[index].stream for index in undone}
    out = Filled(0, [], [])

    async def one(filling: Filling) -> int:
        if filling.bucket.stream in missing:
            out.not_tried.extend(rows(filling, without=("action", "changes")))
            return 0
        done, steps = 0, filling.steps
        while True:
            try:
                return done + len(await write(manager, filling.bucket, steps))
            except JetStreamError as error:
                done += sum(1 for row in error.result().get("entries", []) if row.get("written"))
                left = await _left(manager, filling, steps) if _is_race(error) else None
                if left is None:
                    out.failures.append(Failure(filling.place, filling.title, error))
                    return done
                steps = left

    return out._replace(done=sum(await gathered(BUCKETS_AT_ONCE, fillings, one)))


def _is_race(error: JetStreamError) -> bool:
    return isinstance(getattr(error, "cause", None), LostRace)


async def _left(manager: Any, filling: Filling, steps: list[Step]) -> Optional[list[Step]]:
    """Return what is left to do after somebody else was faster, None if that was not the same.

    Another run of the same declaration writes the same; what differs is not overwritten unseen.
    """
    before = {step.key: step.expected for step in steps}
    try:
        info = await manager.stream_info(filling.bucket.stream)
        bucket = bucket_of(manager, filling.bucket.name, info)
        decided = await decide(manager, bucket, filling.wanted)
    except JetStreamError:
        return None
    left = [step for step in decided if step.action != NONE]
    unseen = any(before.get(step.key) != step.expected for step in left)
    return None if unseen or len(left) >= len(steps) else left


def rows(filling: Filling, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return a row of the plan for each entry that changes."""
    return [
        {
            name: value
            for name, value in (
                ("kind", "kv_entry"),
                ("name", step.key),
                ("bucket", filling.bucket.name),
                ("place", step.place),
                ("action", step.action),
                ("changes", []),
            )
            if name not in without
        }
        for step in filling.steps
    ]


def seal(fillings: Iterable[Filling]) -> str:
    """Return what stands for all values that are written, slow to guess from.

    A plan that writes other values is another plan, but its digest is no place to look for them.
    """
    lines = sorted(
        f"{filling.bucket.name} {step.key} {hashlib.sha256(step.data).hexdigest()} {step.headers}"
        for filling in fillings
        for step in filling.steps
    )
    if not lines:
        return ""
    text = "\n".join(lines).encode()
    return hashlib.pbkdf2_hmac("sha256", text, b"plan of an environment", SEAL_ROUNDS).hex()


def diff(filling: Filling) -> dict[str, str]:
    """Return before and after of a bucket's entries: which key changes, and no value."""
    from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

    before = {
        step.key: f"revision {step.current.revision}"
        for step in filling.steps
        if step.current is not None
    }
    after = {
        step.key: f"{len(step.data)} bytes" if step.data or step.action in WRITES else step.action
        for step in filling.steps
    }
    return {
        "before": to_yaml(before),
        "after": to_yaml(after),
        "before_header": filling.title,
        "after_header": filling.title,
    }
