# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The order in which the assets of an account are changed, and the moves of subjects. Pure.

Two streams cannot have overlapping subjects, not even for a moment. So a subject that moves leaves
the one and joins the other right after, one request behind the other; in a ring somebody leaves
first, for a subject that nobody uses if nothing else is left. The same goes for the filters of the
consumers of a workqueue stream.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import (
    Failure,
    Item,
    is_first,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import WRITES
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Problem,
    Server,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import default_subjects
from ansible_collections.nats.jetstream.plugins.module_utils._subject_index import SubjectIndex
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import overlaps
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey


class Move(NamedTuple):
    """A subject that goes from one item (by index) to another: of a stream, or of a filter."""

    subject: str
    origin: int
    target: int


class Step(NamedTuple):
    """One request: an item's plan, or (leaving is not None) giving up subjects ahead of it.

    leaving holds the subjects that stay until then; when it is empty, one that nobody uses does.
    """

    item: int
    leaving: Optional[tuple[str, ...]] = None


class Unit(NamedTuple):
    """Steps that follow each other without a pause, and the units that have to be done before.

    One without steps is there to be waited for.
    """

    steps: tuple[Step, ...]
    after: frozenset[int]


class Room(NamedTuple):
    """Which items (by index) make room, and which need it, when the account is nearly full."""

    makers: AbstractSet[int]
    takers: AbstractSet[int]


ENOUGH = Room(frozenset(), frozenset())


class Order(NamedTuple):
    """What is to be done; moves are those of subjects between streams."""

    units: list[Unit]
    moves: list[Move]
    failures: list[Failure]


def order(items: list[Item], found: Survey, server: Server, room: Room = ENOUGH) -> Order:
    """Return the units of work for the items that have something to do."""
    doing = [index for index, item in enumerate(items) if item.plan.action != "none"]
    moves, hard, failures = _subject_edges(items, doing, found)
    hard |= _consumer_edges(items, doing)
    soft = _origin_edges(items, doing)
    passing = [*moves, *_filter_moves(items, doing, found, server)]
    groups = _groups(doing, passing)
    steps = []
    for group in groups:
        one, failure = _sequence(items, group, passing)
        steps.append(one)
        if failure:
            failures.append(failure)
    return Order(_units(groups, steps, hard, soft, room), moves, failures)


# --------------------------------------------------------------------------------------------------
# Subjects
# --------------------------------------------------------------------------------------------------


def subjects_before(item: Item) -> list[str]:
    """Return the subjects that a stream has, or the filters of a consumer, none if it has none."""
    if item.is_consumer:
        return filters(item.plan.current_config)
    return list(item.plan.current_config.get("subjects") or [])


def subjects_after(item: Item) -> list[str]:
    config: Config = item.plan.config
    return list(config.get("subjects") or default_subjects(config, item.plan.context))


def _gained(item: Item) -> list[str]:
    if item.is_consumer or item.plan.action not in WRITES:
        return []
    before = set(subjects_before(item))
    return [subject for subject in subjects_after(item) if subject not in before]


def _subject_edges(
    items: list[Item], doing: list[int], found: Survey
) -> tuple[list[Move], set[tuple[int, int]], list[Failure]]:
    """Return the moves, which deletes come before which writes, and what would overlap for good."""
    streams = {items[index].stream: index for index in doing if not items[index].is_consumer}
    gaining = {index: _gained(items[index]) for index in streams.values()}
    gaining = {index: gained for index, gained in gaining.items() if gained}
    if not gaining:
        return [], set(), []
    now, new = SubjectIndex(), SubjectIndex()
    for name, info in found.streams.items():
        for subject in info["config"].get("subjects") or []:
            now.add(subject, name)
    for index, gained in gaining.items():
        for subject in gained:
            new.add(subject, items[index].stream)
    moves: list[Move] = []
    edges: set[tuple[int, int]] = set()
    failures: list[Failure] = []
    for index, gained in gaining.items():
        item, problems = items[index], []
        for subject in gained:
            for other in now.overlapping(subject):
                if other.owner == item.stream:
                    continue
                origin = streams.get(other.owner)
                if origin is not None and items[origin].plan.action == "delete":
                    edges.add((origin, index))
                elif origin is not None and _gives_up(items[origin], subject):
                    moves.append(Move(other.subject, origin, index))
                else:
                    problems.append(
                        Problem(
                            f"{item.place}.subjects",
                            f"{subject!r} overlaps {other.subject!r} of the stream {other.owner}, "
                            "which keeps it (err_code 10065)",
                        )
                    )
            problems += [
                Problem(
                    f"{item.place}.subjects",
                    f"{subject!r} overlaps {other.subject!r} of the stream {other.owner}",
                )
                for other in new.overlapping(subject)
                if other.owner != item.stream
            ]
        if problems:
            error = Refused.because(item.plan.title, problems)
            failures.append(Failure(item.place, item.plan.title, error))
    return list(dict.fromkeys(moves)), edges, failures


def _gives_up(item: Item, subject: str) -> bool:
    return item.plan.action in WRITES and not any(
        overlaps(one, subject) for one in subjects_after(item)
    )


def _groups(doing: list[int], moves: list[Move]) -> list[list[int]]:
    """Return the items in groups that subjects move within; most are alone."""
    joined = {index: index for index in doing}

    def root(index: int) -> int:
        while joined[index] != index:
            joined[index] = joined[joined[index]]
            index = joined[index]
        return index

    for move in moves:
        joined[root(move.origin)] = root(move.target)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in doing:
        groups[root(index)].append(index)
    return list(groups.values())


def _sequence(
    items: list[Item], group: list[int], moves: list[Move]
) -> tuple[tuple[Step, ...], Optional[Failure]]:
    """Return the steps of a group: who gives a subject comes before who gets it."""
    if len(group) == 1:
        return (Step(group[0]),), None
    waits: dict[int, set[int]] = {index: set() for index in group}
    for move in moves:
        if move.target in waits:
            waits[move.target].add(move.origin)
    steps: list[Step] = []
    while waits:
        free = next((index for index, others in waits.items() if not others & waits.keys()), None)
        if free is not None:
            del waits[free]
            steps.append(Step(free))
            continue
        blocked = {origin for others in waits.values() for origin in others}
        leaver = next(
            (one for one in waits if one in blocked and items[one].plan.action == "update"), None
        )
        if leaver is None:
            first = items[next(iter(waits))]
            error = Refused(
                f"the {first.plan.title} is part of a ring of subjects that move, and all streams "
                "of the ring would be recreated; move the subjects first, recreate in another run"
            )
            return tuple(steps), Failure(first.place, first.plan.title, error)
        given = {move.subject for move in moves if move.origin == leaver}
        kept = [one for one in subjects_before(items[leaver]) if one not in given]
        steps.append(Step(leaver, tuple(kept)))
        for others in waits.values():
            others.discard(leaver)
    return tuple(steps), None


# --------------------------------------------------------------------------------------------------
# What comes before what
# --------------------------------------------------------------------------------------------------


def _consumer_edges(items: list[Item], doing: list[int]) -> set[tuple[int, int]]:
    """Return the edges between streams and their consumers, and among the consumers of a stream.

    Deletes come first, as they make room. Then comes the stream, unless the consumers have to be
    there, or to be changed, before it is.
    """
    streams = {items[index].stream: index for index in doing if not items[index].is_consumer}
    of_stream: dict[str, list[int]] = defaultdict(list)
    for index in doing:
        if items[index].is_consumer:
            of_stream[items[index].stream].append(index)
    edges = set()
    for stream, consumers in of_stream.items():
        parent = streams.get(stream)
        deletes = [one for one in consumers if items[one].plan.action == "delete"]
        writes = [one for one in consumers if items[one].plan.action != "delete"]
        for one in consumers:
            if parent is None:
                continue
            first = one in deletes or _before_its_stream(items[parent], items[one])
            edges.add((one, parent) if first else (parent, one))
        if deletes and writes:
            # A chain says the same as each with each, with fewer edges.
            edges.update(zip(deletes, deletes[1:]))
            edges.update((deletes[-1], one) for one in writes)
    return edges


def _before_its_stream(stream: Item, consumer: Item) -> bool:
    """Say whether a consumer is written before its stream is updated.

    A stream that is to keep what consumers want must have them by then; one that allows consumers
    less must not have any that has more.
    """
    if is_first(consumer.plan, stream.plan):
        return True
    changed, after = stream.plan.changed, stream.plan.config
    updates = (stream.plan.action, consumer.plan.action) == ("update", "update")
    if updates and "consumer_limits" in changed:
        before = stream.plan.current_config.get("consumer_limits") or {}
        limits = after.get("consumer_limits") or {}
        return any(
            0 < (limits.get(name) or 0) < (before.get(name) or 2**63)
            for name in ("max_ack_pending", "inactive_threshold")
        )
    return False


def filters(config: Config) -> list[str]:
    """Return the filters of a consumer, by its wire configuration."""
    one = config.get("filter_subject")
    return [one] if one else list(config.get("filter_subjects") or [])


def _filter_moves(
    items: list[Item], doing: list[int], found: Survey, server: Server
) -> Iterator[Move]:
    """Yield the filters that go from one consumer of a workqueue stream to another.

    Servers refuse filters that meet, also for the moment between two requests (err_code 10099,
    10100). Observed: 2.9.10 looks at them when a consumer is created, and not when it is changed.
    """
    of_stream: dict[str, list[int]] = defaultdict(list)
    for index in doing:
        item = items[index]
        info = found.streams.get(item.stream) if item.is_consumer else None
        if info and info["config"].get("retention") == "workqueue":
            of_stream[item.stream].append(index)
    for consumers in of_stream.values():
        givers = [one for one in consumers if items[one].plan.action in ("update", "recreate")]
        lenient = server.knows((2, 10, 0)) is False
        takers = [
            one
            for one in consumers
            if items[one].plan.action != "delete"
            and not (lenient and items[one].plan.action == "update")
        ]
        for giver in givers:
            for taker in takers:
                wanted = filters(items[taker].plan.config) or [">"]
                for one in subjects_before(items[giver]) or [">"]:
                    if giver != taker and any(overlaps(one, other) for other in wanted):
                        yield Move(one, giver, taker)


def _origin_edges(items: list[Item], doing: list[int]) -> set[tuple[int, int]]:
    """Return which streams are made before those that mirror or source them."""
    made = {
        items[index].stream: index
        for index in doing
        if not items[index].is_consumer
        and items[index].plan.action in ("create", "recreate", "migrate")
    }
    return {
        (made[name], index)
        for index in doing
        if not items[index].is_consumer and items[index].plan.action in WRITES
        for name in origins(items[index].plan.config)
        if made.get(name, index) != index
    }


def origins(config: Config) -> list[str]:
    """Return the streams of the same account that a stream takes messages from."""
    mirror, sources = config.get("mirror"), config.get("sources") or []
    return [one["name"] for one in ([mirror] if mirror else sources) if not one.get("external")]


def _units(
    groups: list[list[int]],
    steps: list[tuple[Step, ...]],
    hard: Iterable[tuple[int, int]],
    soft: Iterable[tuple[int, int]],
    room: Room,
) -> list[Unit]:
    """Return the groups with what each waits for.

    A soft edge is left out where it would close a circle: an origin may come later. So is waiting
    for room, which goes over a unit without steps.
    """
    of_item = {index: number for number, group in enumerate(groups) for index in group}
    makers = {of_item[index] for index in room.makers if index in of_item}
    takers = {of_item[index] for index in room.takers if index in of_item} - makers
    if makers and takers:
        groups, steps = [*groups, []], [*steps, ()]
    waits: list[set[int]] = [set() for _group in groups]
    extra: list[set[int]] = [set() for _group in groups]
    if makers and takers:
        extra[-1] |= makers
        for number in takers:
            extra[number].add(len(groups) - 1)
    for edges, into in ((hard, waits), (soft, extra)):
        for before, after in edges:
            if of_item[before] != of_item[after]:
                into[of_item[after]].add(of_item[before])
    left: set[int] = set(range(len(groups)))
    done: set[int] = set()
    ready = [one for one in left if not waits[one] and not extra[one]]
    followers: dict[int, list[int]] = defaultdict(list)
    for number in left:
        for other in waits[number] | extra[number]:
            followers[other].append(number)
    while left:
        if not ready:
            stuck = next((one for one in sorted(left) if waits[one] <= done), min(left))
            extra[stuck] &= done
            if not waits[stuck] <= done:
                waits[stuck] &= done  # never seen: two rules that contradict each other
            ready = [stuck]
        number = ready.pop()
        if number in done:
            continue
        done.add(number)
        left.discard(number)
        ready += [
            one for one in followers[number] if one in left and (waits[one] | extra[one]) <= done
        ]
    return [Unit(one, frozenset(waits[number] | extra[number])) for number, one in enumerate(steps)]
