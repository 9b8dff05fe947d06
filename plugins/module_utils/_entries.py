# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What the entries of a bucket should be, and what that takes.

First everything is read and decided, and whatever can be refused is refused, all of it at once;
then only differences are written. No value becomes part of an error or a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._kv import (
    DELETE,
    IN_FLIGHT,
    OPERATION,
    PURGE,
    Bucket,
    Entry,
    bucket_problem,
    count_revisions,
    filter_problem,
    key_problem,
    read_entries,
)
from ansible_collections.nats.jetstream.plugins.module_utils._payload import (
    Payload,
    for_diff,
    given,
    payload_of,
    same,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    UnitError,
    parse_duration,
)

PRESENT, ABSENT, PURGED = "present", "absent", "purged"
NONE, CREATE, UPDATE = "none", "create", "update"
TTL, ROLLUP = "Nats-TTL", "Nats-Rollup"
EXPECTED = "Nats-Expected-Last-Subject-Sequence"
# One list of all subjects is cheaper than looking for keys one by one that are not there, unless
# the bucket has this many times as many.
WORTH_A_LIST = 20
NAMED = 10  # how many keys an error names


class Wanted(NamedTuple):
    """What one entry should be. ttl is what the header says; expected a revision, 0 for none."""

    key: str
    state: str
    payload: Optional[Payload] = None
    ttl: Optional[str] = None
    expected: Optional[int] = None
    place: str = ""


class Step(NamedTuple):
    """What one key takes: none, create, update, delete, or purge."""

    key: str
    action: str
    current: Optional[Entry] = None
    data: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    pruned: bool = False
    place: str = ""

    @property
    def expected(self) -> int:
        """The revision that the write is made for."""
        return self.current.revision if self.current else 0

    @property
    def size(self) -> int:
        """How many bytes the message takes, headers included, as a server counts them."""
        pairs = [*self.headers, (EXPECTED, str(self.expected))]
        block = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        return len(self.data) + len(f"NATS/1.0\r\n{block}\r\n".encode())


# --------------------------------------------------------------------------------------------------
# From options
# --------------------------------------------------------------------------------------------------


def task_problems(params: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a task besides its entries, and what could empty a bucket."""
    found = [("bucket", bucket_problem(params["bucket"]))]
    patterns = params["keys"] or []
    found += [(f"keys[{index}]", filter_problem(one)) for index, one in enumerate(patterns)]
    if params["prune"] == "listed":
        found += [
            (name, "is empty, and prune=listed would remove too much; give at least one")
            for name in ("entries", "keys")
            if not params[name]
        ]
    if params["prune_max"] < 0:
        found.append(("prune_max", f"{params['prune_max']} is negative"))
    return [Problem(place, text) for place, text in found if text]


def wanted_entries(
    entries: Iterable[Mapping[str, Any]],
    problems: list[Any],
    state: str = PRESENT,
    place: str = "entries",
) -> list[Wanted]:
    """Return what a list of options wants, and add everything that is wrong to the problems."""
    found: dict[str, Wanted] = {}
    for index, options in enumerate(entries):
        wanted = wanted_entry(options, problems, state, f"{place}[{index}]")
        if wanted.key in found:
            problems.append(Problem(f"{place}[{index}].key", f"{wanted.key!r} is there twice"))
        found[wanted.key] = wanted
    return list(found.values())


def wanted_entry(
    options: Mapping[str, Any], problems: list[Any], state: str = PRESENT, place: str = ""
) -> Wanted:
    """Return what the options of one entry want; place is empty for those of the task itself."""
    inside = f"{place}." if place else ""
    key, state = options.get("key") or "", options.get("state") or state
    problem = key_problem(key)
    if problem:
        problems.append(Problem(f"{inside}key", problem))
    payload = None
    if state == PRESENT:
        payload = payload_of(options, place, problems)
    else:
        problems += [
            Problem(f"{inside}{name}", f"excludes state={state}") for name in given(options)
        ]
    expected = options.get("expected_revision")
    if expected is not None and expected < 0:
        problems.append(Problem(f"{inside}expected_revision", f"{expected} is negative"))
    ttl = None
    if options.get("ttl") is not None:
        try:
            ttl = _ttl(options["ttl"], state)
        except UnitError as error:
            problems.append(Problem(f"{inside}ttl", str(error)))
    return Wanted(key, state, payload, ttl, expected, place)


def _ttl(text: str, state: str) -> str:
    if state == ABSENT:
        raise UnitError("excludes state=absent; a marker that vanishes is made by state=purged")
    nanoseconds = parse_duration(text)
    if nanoseconds < SECOND or nanoseconds % SECOND:
        raise UnitError(f"{text!r} is no whole number of seconds, at least 1")
    return f"{nanoseconds // SECOND}s"


# --------------------------------------------------------------------------------------------------
# Deciding
# --------------------------------------------------------------------------------------------------


async def decide(
    manager: Any,
    bucket: Optional[Bucket],
    wanted: list[Wanted],
    filters: Optional[list[str]] = None,
    prune_max: int = 0,
) -> list[Step]:
    """Return the steps in their order; raise Refused for everything that cannot be done.

    Without a bucket nothing is there. filters tell which keys go that are not wanted, at most
    prune_max of them.
    """
    current: dict[str, Entry] = {}
    counts: dict[str, int] = {}
    if bucket is not None and bucket.info["state"]["messages"]:
        current, counts = await _read(manager, bucket, wanted, filters)
    listed = {one.key for one in wanted}
    problems: list[Any] = []
    steps = [_step(one, current.get(one.key), counts, problems) for one in wanted]
    unlisted = [key for key in sorted(current) if key not in listed and current[key].is_live]
    if len(unlisted) > prune_max:
        problems.append(_too_many(unlisted, prune_max))
    steps += [_removal(key, current[key], ABSENT)._replace(pruned=True) for key in unlisted]
    problems += _unfit(steps, bucket, manager.connection.max_payload)
    if problems:
        name = "" if bucket is None else f" of bucket {bucket.name}"
        text = "; ".join(map(str, problems))
        raise Refused(f"nothing was written, as the entries{name} cannot be so: {text}", problems)
    return steps


async def _read(
    manager: Any, bucket: Bucket, wanted: list[Wanted], filters: Optional[list[str]]
) -> tuple[dict[str, Entry], dict[str, int]]:
    """Return the last revisions of what is wanted and what is filtered, and counts where needed."""
    keys = {one.key for one in wanted}
    counts = await count_revisions(manager, bucket, filters) if filters else {}
    matching = set(counts)
    subjects = bucket.info["state"].get("num_subjects") or 0
    if len(keys) > IN_FLIGHT and subjects <= WORTH_A_LIST * len(keys):
        counts = await count_revisions(manager, bucket)
        keys &= set(counts)
    current = await read_entries(manager, bucket, sorted(keys | matching))
    marked = [
        one.key
        for one in wanted
        if one.state == PURGED
        and one.key not in counts
        and one.key in current
        and current[one.key].operation == PURGE
        and not bucket.is_mirror  # which need not roll up, and whose history is not ours
    ]
    if marked:
        counts = {**counts, **await count_revisions(manager, bucket, marked)}
    return current, counts


def _step(
    wanted: Wanted, current: Optional[Entry], counts: Mapping[str, int], problems: list[Any]
) -> Step:
    live = current if current is not None and current.is_live else None
    step = Step(wanted.key, NONE, current, place=wanted.place)
    if wanted.state == PRESENT and wanted.payload is not None:
        if not (live and same(wanted.payload, live.data)):
            action = UPDATE if live else CREATE
            step = step._replace(action=action, data=wanted.payload.data)
    elif wanted.state == ABSENT:
        if live:
            step = _removal(wanted.key, current, ABSENT)
    elif wanted.state == PURGED and _has_history(current, counts):
        step = _removal(wanted.key, current, PURGED)
    if wanted.ttl and step.action != NONE:
        step = step._replace(headers=(*step.headers, (TTL, wanted.ttl)))
    if step.action != NONE and wanted.expected is not None:
        allowed = {live.revision if live else 0, step.expected}
        if wanted.expected not in allowed:
            here = f"{wanted.place}.expected_revision" if wanted.place else "expected_revision"
            found = f"it has revision {live.revision}" if live else "it does not exist"
            problems.append(
                Problem(here, f"{wanted.key} was expected at {wanted.expected}, and {found}")
            )
    return step._replace(place=wanted.place)


def _has_history(current: Optional[Entry], counts: Mapping[str, int]) -> bool:
    """Say whether a purge would take anything away."""
    if current is None:
        return False
    return current.operation != PURGE or counts.get(current.key, 1) > 1


def _removal(key: str, current: Optional[Entry], state: str) -> Step:
    if state == PURGED:
        return Step(key, PURGE, current, headers=((OPERATION, "PURGE"), (ROLLUP, "sub")))
    return Step(key, DELETE, current, headers=((OPERATION, "DEL"),))


def _too_many(keys: list[str], most: int) -> Problem:
    return Problem(
        "prune_max",
        f"{len(keys)} keys are not listed and would be removed, and {most} may be: "
        f"{named(keys)}. Nothing is pruned; if they are to go, raise prune_max",
    )


def named(keys: list[str]) -> str:
    """Return the first of some keys for people, and how many more there are."""
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(keys[:NAMED]) + more


def _unfit(steps: list[Step], bucket: Optional[Bucket], max_payload: int) -> list[Any]:
    """Return why the server or the bucket would not take what is to be written."""
    config = {} if bucket is None else bucket.config
    largest = config.get("max_msg_size", -1)
    problems = []
    for step in steps:
        if step.action == NONE:
            continue
        for limit, whose in ((max_payload, "server's max_payload"), (largest, "bucket's limit")):
            if 0 <= limit < step.size:
                problems.append(_too_large(step, limit, whose))
        names = dict(step.headers)
        if TTL in names and bucket is not None and not config.get("allow_msg_ttl"):
            problems.append(_no_ttl(step, bucket))
        # A mirror of nats-server 2.9.10 and 2.10.27 never gets past a purge that it does not allow.
        if ROLLUP in names and bucket is not None and not config.get("allow_rollup_hdrs"):
            text = f"{step.key} cannot be purged: the stream has not set allow_rollup_hdrs"
            problems.append(Problem(step.place or "state", text))
    return problems


def _too_large(step: Step, limit: int, whose: str) -> Problem:
    text = (
        f"{step.key} has a value of {len(step.data)} bytes, {step.size} with the headers that it "
        f"is sent with, and the {whose} is {limit}"
    )
    return Problem(step.place or "value", text)


def _no_ttl(step: Step, bucket: Bucket) -> Problem:
    place = f"{step.place}.ttl" if step.place else "ttl"
    if bucket.is_mirror:
        return Problem(place, f"{bucket.name} is a mirror that has no ttl; write to its origin")
    return Problem(
        place,
        f"the bucket {bucket.name} takes no ttl for single entries: it needs allow_msg_ttl, which "
        "a bucket with limit_marker_ttl has, and nats-server 2.11 or newer",
    )


# --------------------------------------------------------------------------------------------------
# Telling
# --------------------------------------------------------------------------------------------------


def rows(steps: list[Step], written: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return a row for each key; written are the new revisions as far as there are any."""
    return [
        {
            "key": step.key,
            "action": step.action,
            "revision": (written.get(step.key) if step.action != NONE else step.expected or None),
            "previous_revision": step.expected or None,
            "pruned": step.pruned,
        }
        for step in steps
    ]


def diff(steps: list[Step], name: str) -> dict[str, str]:
    """Return the difference of the entries that change, large and binary ones as digests."""
    from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for step in steps:
        if step.action == NONE:
            continue
        if step.current is not None and step.current.is_live:
            before[step.key] = for_diff(step.current.data)
        elif step.action == PURGE:
            before[step.key] = None  # a marker over what a purge takes away
        if step.action in (CREATE, UPDATE):
            after[step.key] = for_diff(step.data)
    header = f"entries of bucket {name}"
    return {
        "before": to_yaml(before),
        "after": to_yaml(after),
        "before_header": header,
        "after_header": header,
    }


def returning(steps: list[Step], bucket: Optional[Bucket]) -> list[str]:
    """Return the keys whose value of before comes back when the new one has run out."""
    config = {} if bucket is None else bucket.config
    if config.get("subject_delete_marker_ttl") or config.get("max_msgs_per_subject", 1) < 2:
        return []
    return [step.key for step in steps if step.action == UPDATE and TTL in dict(step.headers)]


async def write(manager: Any, bucket: Bucket, steps: list[Step]) -> dict[str, int]:
    """Write what changes, what is pruned last; return the new revisions by key.

    Raises PartlyWritten for what fails, with what was written and what not.
    """
    changing = [step for step in steps if step.action != NONE]
    if not changing:
        return {}
    from ansible_collections.nats.jetstream.plugins.module_utils import _entries_apply

    return await _entries_apply.apply(manager, bucket, changing)
