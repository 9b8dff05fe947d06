# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""A whole environment in one task: read, plan, put in order, carry out, look again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import (
    AccountPlan,
    Failure,
    Item,
    Pruning,
    between_consumers,
    plan_account,
    plan_pruning,
)
from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._declared import (
    SECTIONS,
    Declared,
    Section,
    read_declaration,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Identity,
    Info,
    is_clustered,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import (
    Inputs,
    Session,
    counted,
)
from ansible_collections.nats.jetstream.plugins.module_utils._order import (
    ENOUGH,
    Order,
    order,
)
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    Plan,
    Policy,
    owner_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Name,
    Problem,
    Server,
    release_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey, survey

ASSETS: dict[str, Any] = {
    section.name: {"type": "list", "elements": "dict", "default": []} for section in SECTIONS
}
ARGUMENT_SPEC: dict[str, Any] = {
    **ASSETS,
    "defaults": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "update": {"type": "str", "choices": ["merge", "replace"], "default": "merge"},
    "recreate": {
        "type": "str",
        "choices": ["never", "migrate", "if_empty", "always"],
        "default": "never",
    },
    "migrate_path": {"type": "path"},
    "migrate_max_bytes": {"type": "str"},
    "recovery_path": {"type": "path"},
    "data_loss": {"type": "str", "choices": ["warn", "forbid", "allow"], "default": "warn"},
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "prune": {"type": "str", "choices": ["none", "owned", "all"], "default": "none"},
    "prune_names": {"type": "list", "elements": "str", "default": []},
    "prune_max": {"type": "int", "default": 10},
    "prune_nonempty": {"type": "bool", "default": False},
    "expect_plan": {"type": "str"},
    "max_moves": {"type": "int", "default": 4},
    "concurrency": {"type": "int", "default": 32},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "str", "default": "60s"},
}
OWNER_SINCE = (2, 10, 0)
DELETING = ("recreate", "migrate")  # and making anew, which is looked at before
LOOKS = (0.1, 0.3, 1.0)  # s, before the looks that follow a final look that finds a difference
RESUMED_AT_ONCE = 4  # streams whose migration was ended


class EnvironmentFailed(JetStreamError):
    """Something of an environment could not be done; the result says what was and what was not."""

    def __init__(self, message: str, told: dict[str, Any]) -> None:
        super().__init__(message)
        self.told = told

    def result(self) -> dict[str, Any]:
        return self.told


class Intent(NamedTuple):
    """What a task declares, and the entries of each bucket that has any: (Declared, [Wanted])."""

    declared: list[Declared]
    entries: list[tuple[Declared, list[Any]]]


class Work(NamedTuple):
    """What is to be done, and what it was planned from. fillings are the entries of buckets."""

    planned: AccountPlan
    ordered: Order
    found: Survey
    server: Server
    fillings: list[Any]
    resumed: tuple[Any, ...] = ()  # what became of migrations that were ended, each a Left

    @property
    def failures(self) -> list[Failure]:
        return [*self.planned.failures, *self.ordered.failures]

    @property
    def titles(self) -> list[str]:
        """What something is to be done to."""
        assets = [item.plan.title for item in self.planned.to_do]
        return [*assets, *(filling.title for filling in self.fillings)]


def validate(params: Mapping[str, Any], inputs: Inputs) -> Intent:
    """Return what is declared; add everything that is wrong with it and the options beside it."""
    problems = inputs.problems
    declared, entries = read_declaration(params, problems), []
    filled = [entry for entry in declared if entry.contents.get("entries")]
    if filled:
        from ansible_collections.nats.jetstream.plugins.module_utils._declared_entries import (
            wanted_of,
        )

        entries = [(entry, wanted_of(entry, problems)) for entry in filled]
    if params["owner"] is not None:
        Name().wire(params["owner"], "owner", problems)
    owner, prune, names = params["owner"], params["prune"], params["prune_names"]
    wrong = {
        "adopt": params["adopt"] and not owner and "needs owner",
        "prune": prune == "owned" and not owner and "owned needs owner",
        "prune_names": (prune == "all") != bool(names) and "belongs to prune=all, which needs it",
        "state": params["state"] == "absent" and prune != "none" and "absent excludes prune",
        "max_moves": params["max_moves"] < 1 and "must be 1 or more",
        "concurrency": not 1 <= params["concurrency"] <= 1024 and "must be from 1 to 1024",
        "prune_max": params["prune_max"] < 0 and "is negative",
    }
    problems += [Problem(place, text) for place, text in wrong.items() if text]
    return Intent(declared, entries)


# A declaration is long and may hold secret values.
shown = counted(*ASSETS)


async def manage(session: Session) -> dict[str, Any]:
    """Make the account be as declared, unless in check mode; return the module's result."""
    params = session.params
    work = await _planned(session)
    # Loaded here: what finds nothing to do has little to report.
    from ansible_collections.nats.jetstream.plugins.module_utils import _environment_result

    told = _environment_result.told(work, session.module._diff)
    before = {**told, "changed": any(left.changed for left in work.resumed)}
    if work.failures:
        raise _failed("Nothing was changed", work.failures, before)
    expected = params["expect_plan"]
    if expected and expected != told["plan_digest"]:
        raise EnvironmentFailed(
            "expect_plan: the plan is not the expected one: its digest is "
            f"{told['plan_digest']}, expected was {expected}. Nothing was changed; look at the "
            "plan, and approve it anew",
            before,
        )
    texts = [*(left.told for left in work.resumed), *work.planned.warnings]
    for warning in dict.fromkeys(texts):
        session.module.warn(warning)
    if session.check_mode or not told["plan"]:
        return told
    return await _carried_out(session, work, told)


async def _carried_out(session: Session, work: Work, told: dict[str, Any]) -> dict[str, Any]:
    from ansible_collections.nats.jetstream.plugins.module_utils import _environment_result
    from ansible_collections.nats.jetstream.plugins.module_utils._carry_out import carry_out, seal

    params, items = session.params, work.planned.items
    folder = params["recovery_path"]
    if folder and any(item.plan.action in DELETING for item in items):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    outcome = await carry_out(
        session.manager, items, work.ordered, params["concurrency"], params["max_moves"]
    )
    filled = None
    if work.fillings:
        from ansible_collections.nats.jetstream.plugins.module_utils._declared_entries import fill

        undone = {index for index, item in enumerate(items) if item.plan.action != "none"}
        undone -= set(outcome.done)
        failed = {failure.place for failure in outcome.failures}
        undone |= {index for index, item in enumerate(items) if item.place in failed}
        filled = await fill(session.manager, work.fillings, items, undone)
    outcome = await seal(session.manager, items, outcome)
    told = _environment_result.afterwards(told, work, outcome, filled)
    failures = [*outcome.failures, *(filled.failures if filled else ())]
    if failures:
        made = sum(told["summary"][name] for name in _environment_result.CHANGED)
        raise _failed(f"{made} of {len(told['plan'])} changes were made", failures, told)
    try:
        again = await _looked_again(session)
    except JetStreamError as error:
        text = f"all changes were made, but after that the account could not be looked at: {error}"
        raise EnvironmentFailed(f"{text}. Run it again", told) from error
    if again.titles or again.failures:
        text = f"the environment was made so, and someone else changes it meanwhile: {again.titles}"
        raise _failed(text, again.failures, {**told, "differs_again": again.titles})
    return told


async def _looked_again(session: Session) -> Work:
    """Return what is still to be done now that all is done: nothing, if nobody interferes."""
    again = await _planned(session)
    for pause in LOOKS:
        if not again.titles and not again.failures:
            break
        # Another run of the same declaration may be in the middle of something.
        await asyncio.sleep(pause)
        again = await _planned(session)
    return again


def _failed(text: str, failures: list[Failure], told: dict[str, Any]) -> EnvironmentFailed:
    from ansible_collections.nats.jetstream.plugins.module_utils import _environment_result

    rows = _environment_result.failure_rows(failures)
    words = "; ".join(f"{row['place']}: {row['msg']}" for row in rows[:20])
    more = f"; and {len(rows) - 20} more" if len(rows) > 20 else ""
    problem = f": {words}{more}" if rows else ""
    return EnvironmentFailed(f"{text}{problem}", {**told, "failures": rows})


# --------------------------------------------------------------------------------------------------
# Planning
# --------------------------------------------------------------------------------------------------


async def _planned(session: Session) -> Work:
    """Read what is there and return what to do, without doing it."""
    params, manager = session.params, session.manager
    declared, entries = session.wanted
    concerned = {entry.stream for entry in declared}
    owner = params["owner"] if params["prune"] == "owned" else None
    pruned = params["prune_names"] if params["prune"] == "all" else []
    reading = {entry.stream for entry in declared if entry.kind is CONSUMER}
    if params["prune"] != "none":
        reading |= concerned

    def with_consumers(name: str, info: Info) -> bool:
        return name in reading or (owner is not None and owner_of(info["config"]) == owner)

    resumed = await _resumed(session)
    found = await survey(
        manager, concerned, with_consumers, params["concurrency"], params["prune"] != "none"
    )
    if session.check_mode:
        _as_resumed(found, resumed)
    server = server_of(session.connection)
    clustered = next((is_clustered(info) for info in found.streams.values()), server.clustered)
    server = server._replace(clustered=clustered)
    if params["owner"] and server.knows(OWNER_SINCE) is False:
        text = f"needs nats-server 2.10, this is {server.text}: older ones keep no metadata"
        raise Refused(f"owner {text}", [Problem("owner", text)])
    account: Optional[dict[str, Any]] = None
    planned = plan_account(declared, found, server, session.check_mode)
    if planned.to_do or planned.failures:
        account = await _account(manager)
        level = ((account or {}).get("api") or {}).get("level")
        if level and (clustered or session.connection.prefix != "$JS.API"):
            told = server._replace(release=release_of(server.text if server.release else "", level))
            if told != server:
                server = told
                planned = plan_account(declared, found, server, session.check_mode)
    if params["prune"] != "none":
        planned = _with_pruned(planned, declared, found, server, params, owner, pruned)
    planned.failures.extend(between_consumers(planned.items, found, account))
    room = ENOUGH
    if account and planned.to_do:
        from ansible_collections.nats.jetstream.plugins.module_utils import _limits

        planned.failures.extend(_limits.beyond_limits(account, planned.items, found))
        planned.failures.extend(_limits.beyond_each(account, planned.items))
        room = _limits.room_in(account, planned.items, found)
    looked = await _looked(manager, planned, found)
    fillings: list[Any] = []
    if entries:
        from ansible_collections.nats.jetstream.plugins.module_utils._declared_entries import (
            plan_entries,
        )

        fillings, failures = await plan_entries(manager, entries, looked.items, found)
        looked.failures.extend(failures)
    ordered = order(looked.items, found, server, room)
    return Work(looked, ordered, found, server, fillings, tuple(resumed.values()))


async def _resumed(session: Session) -> dict[str, Any]:
    """Finish or undo migrations that were ended, by stream; in check mode say what a run would."""
    declared, _entries = session.wanted
    migrating = [
        entry
        for entry in declared
        if entry.policy.recreate == "migrate"
        and entry.policy.state == "present"
        and entry.kind.stream_of
    ]
    if not migrating:
        return {}
    from ansible_collections.nats.jetstream.plugins.module_utils import _move

    gate = asyncio.Semaphore(RESUMED_AT_ONCE)

    async def resumed(entry: Declared) -> Any:
        path = entry.policy.migrate_path
        async with gate:
            return await _move.resume(session.manager, entry.stream, path, dry=session.check_mode)

    # Side by side: each may have to wait until the server has given up what was under way.
    lefts = await asyncio.gather(*map(resumed, migrating), return_exceptions=True)
    for left in lefts:
        if isinstance(left, BaseException):
            raise left
    return {entry.stream: left for entry, left in zip(migrating, lefts) if left}


def _as_resumed(found: Survey, resumed: dict[str, Any]) -> None:
    """Let a survey show what would be there after a run has finished or undone migrations."""
    for name, left in resumed.items():
        if left.info is not None:
            found.streams[name] = left.info
        for consumer, info in left.consumers.items():
            found.consumers.setdefault((name, consumer), info)


async def _account(manager: Any) -> Optional[dict[str, Any]]:
    try:
        return dict(await manager.account_info())
    except JetStreamError:
        return None  # not allowed to ask: the server judges what is sent


def _with_pruned(
    planned: AccountPlan,
    declared: list[Declared],
    found: Survey,
    server: Server,
    params: Mapping[str, Any],
    owner: Optional[str],
    names: list[str],
) -> AccountPlan:
    if found.missing:
        text = (
            f"nothing is pruned while servers are down: the listing misses "
            f"{', '.join(sorted(found.missing))}"
        )
        failure = Failure("prune", "prune", Refused(text, [Problem("prune", text)]))
        return planned._replace(failures=[*planned.failures, failure])

    def picks(section: Section, identity: Identity, info: Info) -> bool:
        if owner is not None:
            return owner_of(info["config"]) == owner
        return any(fnmatchcase("/".join(identity), glob) for glob in names) and (
            section.kind is not CONSUMER or any("/" in glob for glob in names)
        )

    pruning = Pruning(
        picks,
        params["prune_max"],
        params["prune_nonempty"],
        Policy(state="absent", data_loss=params["data_loss"]),
        None if params["adopt"] else owner,
    )
    pruned = plan_pruning(declared, found, server, pruning)
    return AccountPlan(
        [*planned.items, *pruned.items],
        [*planned.failures, *pruned.failures],
        [*planned.warnings, *pruned.warnings],
    )


async def _looked(manager: Any, planned: AccountPlan, found: Survey) -> AccountPlan:
    """Look at what only the server can tell: before a recreate; and at origins that are nowhere."""
    items, failures, warnings = [], list(planned.failures), list(planned.warnings)
    coming = {item.stream for item in planned.items if not item.is_consumer}
    for item in planned.items:
        warnings += _strangers(item, coming, found)
        if item.plan.action in DELETING:
            # Subjects and origins are looked at here, for all assets together.
            seen = {"subjects", "mirror", "sources"}
            narrowed = item.plan._replace(changed=item.plan.changed - seen)
            try:
                problems, more = await item.plan.kind.rules().look(manager, narrowed, False)
                if problems:
                    raise Refused.because(item.plan.title, problems)
                warnings += more
                if item.plan.action == "migrate":
                    item = item._replace(plan=await _counted(manager, item.plan))
            except JetStreamError as error:
                failures.append(Failure(item.place, item.plan.title, error))
        items.append(item)
    return AccountPlan(items, failures, warnings)


async def _counted(manager: Any, decided: Plan) -> Plan:
    from ansible_collections.nats.jetstream.plugins.module_utils import _migrate

    counted: Plan = await _migrate.counted(manager, decided)
    return counted


def _strangers(item: Item, coming: set[str], found: Survey) -> list[str]:
    """Return a warning for each new origin of a stream that is neither there nor declared."""
    from ansible_collections.nats.jetstream.plugins.module_utils._order import origins

    if item.is_consumer or not found.whole:
        return []
    if not (item.plan.touches("mirror") or item.plan.touches("sources")):
        return []
    return [
        f"{item.plan.title}: the stream {name!r} it takes messages from is neither there nor "
        "declared; messages come once it is there"
        for name in origins(item.plan.config)
        if name not in found.streams and name not in coming
    ]
