# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Doing what the plan of a whole declaration says, in its order, many at a time.

What fails stops what depends on it, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import Failure, Item
from ansible_collections.nats.jetstream.plugins.module_utils._apply import (
    healthy,
    is_move,
    settled,
    write,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    EXISTS,
    ApiError,
    JetStreamError,
    NotKept,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._order import Move, Order, Step, Unit
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import Wanted, plan

MEETING = (10065, 10099, 10100)  # err_codes of subjects and filters that overlap others
RACES = (0.1, 0.2, 0.4)  # s, roughly, until a move that met another run is looked at again


class Outcome(NamedTuple):
    """What was done: indexes of items; and why the rest was not."""

    done: list[int]
    failures: list[Failure]
    not_tried: list[int]


async def carry_out(
    manager: Any, items: list[Item], ordered: Order, concurrency: int, max_moves: int
) -> Outcome:
    """Do all units of work; return what became of each item."""
    return await _Work(manager, items, ordered, max_moves).run(concurrency)


async def seal(manager: Any, items: list[Item], outcome: Outcome) -> Outcome:
    """Give those streams their seal that could not be made with it, now that all is in them."""
    for index, item in enumerate(items):
        if item.sealing is None or index not in outcome.done:
            continue
        try:
            found = await item.plan.kind.read(manager, item.identity)
            context, policy = item.plan.context, item.plan.policy
            sealed = plan(item.plan.kind, item.identity, item.sealing, found, context, policy)
            await write(sealed, manager)
        except JetStreamError as error:
            outcome.failures.append(Failure(item.place, item.plan.title, error))
    return outcome


class _Lane:
    """Many write at the same time, or one alone."""

    def __init__(self) -> None:
        self.writing, self.first, self.idle = 0, asyncio.Lock(), asyncio.Event()
        self.idle.set()

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self.first:
            self.writing += 1
            self.idle.clear()
        try:
            yield
        finally:
            self.writing -= 1
            if not self.writing:
                self.idle.set()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self.first:
            await self.idle.wait()
            yield


class _Moving:
    """So many may move at the same time; more than that at once are all of them."""

    def __init__(self, most: int) -> None:
        self.most, self.free, self.next = most, asyncio.Semaphore(most), asyncio.Lock()

    @contextlib.asynccontextmanager
    async def taken(self, count: int) -> AsyncIterator[None]:
        count = min(count, self.most)
        if count:
            async with self.next:  # one after the other, or two would wait for each other
                for _one in range(count):
                    await self.free.acquire()
        try:
            yield
        finally:
            for _one in range(count):
                self.free.release()


class _Try(NamedTuple):
    """Which items the steps of a unit wrote, and which step failed, if one did."""

    done: list[int]
    position: int = 0
    error: Optional[JetStreamError] = None


class _Work:
    def __init__(self, manager: Any, items: list[Item], ordered: Order, max_moves: int) -> None:
        self.manager, self.items, self.units = manager, items, ordered.units
        self.moves = ordered.moves
        self.moving, self.lane = _Moving(max(1, max_moves)), _Lane()
        self.outcome = Outcome([], [], [])
        self.infos: dict[int, Optional[Info]] = {}
        self.left: set[int] = set()  # who gave up subjects ahead of its own plan
        self.ready: asyncio.Queue[Optional[int]] = asyncio.Queue()
        self.waiting = [len(unit.after) for unit in self.units]
        self.blocked: set[int] = set()
        self.followers: dict[int, list[int]] = defaultdict(list)
        for number, unit in enumerate(self.units):
            for before in unit.after:
                self.followers[before].append(number)

    async def run(self, concurrency: int) -> Outcome:
        self.open = len(self.units)
        for number, count in enumerate(self.waiting):
            if not count:
                self.ready.put_nowait(number)
        workers = [
            asyncio.ensure_future(self._worker())
            for _number in range(min(max(1, concurrency), self.open))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        return self.outcome

    async def _worker(self) -> None:
        while self.open:
            number = await self.ready.get()
            if number is None:
                break
            fine = number not in self.blocked and await self._unit(self.units[number])
            if number in self.blocked:
                self.outcome.not_tried.extend({step.item for step in self.units[number].steps})
            for follower in self.followers[number]:
                self.waiting[follower] -= 1
                if not fine:
                    self.blocked.add(follower)
                if not self.waiting[follower]:
                    self.ready.put_nowait(follower)
            self.open -= 1
        # Wakes the next worker, which has nothing to wait for any more either.
        self.ready.put_nowait(None)

    async def _unit(self, unit: Unit) -> bool:
        """Do the steps of a unit and wait for what they changed; return whether all is well.

        Steps that belong together have the server for themselves: between two of them publishers
        get errors.
        """
        steps = unit.steps
        movers = [
            one.item for one in steps if one.leaving is None and is_move(self.items[one.item].plan)
        ]
        async with self.moving.taken(len(movers)):
            for index in movers:
                try:
                    await healthy(self.items[index].plan, self.manager)
                except JetStreamError as error:
                    self._failed(index, error)
                    self.outcome.not_tried.extend({one.item for one in steps} - {index})
                    return False
            async with self.lane.alone() if len(steps) > 1 else self.lane.shared():
                if not await self._steps(unit):
                    return False
            return await self._settle(unit, movers)

    async def _steps(self, unit: Unit) -> bool:
        """Do the steps; return whether all were done.

        Another run of the same declaration may move the same subjects at this moment, and each is
        in the way of the other. What is as it should be a moment later is good enough.
        """
        tried = await self._tried(unit)
        for pause in RACES:
            if tried.error is None or not _is_race(unit, tried.error):
                break
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            tried = await self._made(unit) or await self._tried(unit)
        self.outcome.done.extend(tried.done)
        if tried.error is None:
            return True
        failed = unit.steps[tried.position].item
        self._failed(failed, tried.error)
        rest = {later.item for later in unit.steps[tried.position + 1 :]} - {failed}
        self.outcome.not_tried.extend(rest)
        await self._give_back(unit)
        return False

    async def _tried(self, unit: Unit) -> _Try:
        """Do the steps up to the first that fails."""
        done: list[int] = []
        for step in unit.steps:
            self.infos.pop(step.item, None)
            self.left.discard(step.item)
        for position, step in enumerate(unit.steps):
            try:
                await self._step(step, done)
            except JetStreamError as error:
                return _Try(done, position, error)
        return _Try(done)

    async def _made(self, unit: Unit) -> Optional[_Try]:
        """Return that all is done if another run has done it meanwhile."""
        items = list(dict.fromkeys(step.item for step in unit.steps))
        try:
            infos = {index: await self._as_planned(self.items[index]) for index in items}
        except JetStreamError:
            return None
        if None in infos.values():
            return None
        self.infos.update(infos)
        return _Try(items)

    async def _step(self, step: Step, done: list[int]) -> None:
        item = self.items[step.item]
        if step.leaving is not None:
            stays = list(step.leaving) or [f"moving.{item.stream}.{secrets.token_hex(8)}"]
            await self._leave(item, stays)
            self.left.add(step.item)
            return
        if item.only_empty:
            await self._still_empty(item)
        self.infos[step.item] = await self._written(item)
        done.append(step.item)

    async def _leave(self, item: Item, stays: list[str]) -> None:
        """Let a stream, or the filters of a consumer, have no more than these subjects."""
        config = item.plan.current_config
        if not item.is_consumer:
            await self.manager.update_stream({**config, "subjects": stays})
            return
        kept = {name: one for name, one in config.items() if not name.startswith("filter_subject")}
        some: dict[str, Any] = {"filter_subjects": stays}
        if len(stays) == 1:
            some = {"filter_subject": stays[0]}
        await self.manager.add_consumer(item.stream, {**kept, **some}, action="update")

    async def _still_empty(self, item: Item) -> None:
        """Refuse to prune what was empty when it was looked at, and is not any more."""
        kind = item.plan.kind
        info = (await kind.read(self.manager, item.identity)).info
        if info is not None and not kind.rules().is_empty(info):
            raise JetStreamError(
                f"the {item.plan.title} was not pruned, because it is not empty any more: "
                "something came after it was looked at (prune_nonempty)"
            )

    async def _written(self, item: Item) -> Optional[Info]:
        try:
            return await write(item.plan, self.manager)
        except ApiError as error:
            info = await self._as_planned(item) if error.error_class == EXISTS else None
            if info is None:
                raise
            return info

    async def _as_planned(self, item: Item) -> Optional[Info]:
        """Return the INFO answer of what is there if it is as planned: another run made it so.

        That run may have sealed it already.
        """
        kind, drafted = item.plan.kind, item.plan
        wanted = item.sealing or Wanted(drafted.wanted, (), drafted.extra)
        found = await kind.read(self.manager, item.identity)
        again = plan(kind, item.identity, wanted, found, drafted.context, drafted.policy)
        return found.info if again.action == "none" else None

    async def _settle(self, unit: Unit, movers: list[int]) -> bool:
        """Wait for what was written, in any case for what moves; return whether all came."""
        fine = True
        for index in dict.fromkeys(step.item for step in unit.steps):
            item, info = self.items[index], self.infos.get(index)
            if info is None or not (item.plan.policy.wait or index in movers):
                continue
            try:
                self.infos[index] = await settled(item.plan, self.manager, info)
            except JetStreamError as error:
                self._failed(index, error)
                fine = False
        return fine

    def _failed(self, index: int, error: JetStreamError) -> None:
        item = self.items[index]
        self.outcome.failures.append(Failure(item.place, item.plan.title, error))

    async def _give_back(self, unit: Unit) -> None:
        """Return subjects to the streams that left them for somebody who could not take them."""
        joined = {index for index in self.infos if self.infos[index] is not None}
        homeless: dict[int, list[Move]] = defaultdict(list)
        for step in unit.steps:
            if step.leaving is not None and step.item in self.left - joined:
                await self._filters_back(step.item)
        for move in self.moves:
            gone = move.origin in joined or move.origin in self.left
            if gone and move.target not in joined and self._is_in(unit, move.target):
                homeless[move.origin].append(move)
        for index, moves in homeless.items():
            item, info = self.items[index], self.infos.get(index)
            config = info["config"] if info else item.plan.current_config
            kept = config.get("subjects") or []
            if info is None:
                taken = {move.subject for move in self.moves if move.target in joined}
                kept = [subject for subject in kept if subject not in taken]
            back = list(dict.fromkeys([*kept, *(move.subject for move in moves)]))
            subjects = ", ".join(dict.fromkeys(move.subject for move in moves))
            others = _names(self.items[move.target].plan.title for move in moves)
            try:
                await self.manager.update_stream({**config, "subjects": back})
                told = f"{subjects} went back to it, because the {others} did not take it"
            except JetStreamError as error:
                told = (
                    f"{subjects} left it for the {others}, which did not take it, and going back "
                    f"failed: {error}. No stream stores it now"
                )
            self._failed(index, JetStreamError(f"the {item.plan.title}: {told}"))

    async def _filters_back(self, index: int) -> None:
        """Return to a consumer the filters that it left for others; streams are told more."""
        item = self.items[index]
        if not item.is_consumer:
            return
        try:
            config = item.plan.current_config
            await self.manager.add_consumer(item.stream, config, action="update")
        except JetStreamError as error:
            text = f"the {item.plan.title} left its filters for others and did not get them back"
            self._failed(index, JetStreamError(f"{text}: {error}"))

    def _is_in(self, unit: Unit, index: int) -> bool:
        return any(step.item == index for step in unit.steps)


def _is_race(unit: Unit, error: JetStreamError) -> bool:
    """Say whether another run that moves the same things may have been in the way."""
    meeting = isinstance(error, NotKept) or getattr(error, "err_code", None) in MEETING
    return meeting and len(unit.steps) > 1


def _names(titles: Iterable[str]) -> str:
    return " and the ".join(dict.fromkeys(titles))
