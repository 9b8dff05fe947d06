# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What the rules of a kind are made of: checks, losses, and what a write has to do besides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Info,
    is_clustered,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
    is_reserved_metadata,
)


class Check(NamedTuple):
    """A rule that several fields must keep together, which every server refuses to break.

    It is asked only when one of its fields changes, so that an asset which breaks it already (made
    by a server that did not mind) can still be changed in other respects.
    """

    fields: tuple[str, ...]
    problem: Callable[[Config, Context], Optional[str]]


class Loss(NamedTuple):
    """Something that a plan would delete besides configuration.

    messages is None when the number cannot be known; at_most bounds it. plain tells whether the
    setting itself says that messages go, as a smaller limit does. place holds, for a consumer,
    how far it has come.
    """

    text: str
    messages: Optional[int] = 0
    at_most: int = 0
    consumers: int = 0
    plain: bool = True
    place: Optional[dict[str, int]] = None


class Migration(NamedTuple):
    """How an immutable difference is carried out without a loss of messages and places.

    action is what the plan then does. problems say why it cannot be done; facts are what is
    reported of it: messages, bytes, consumers, and downtime, the seconds that it may take, wait of
    them until nothing is left that the server would forget.
    """

    action: str
    problems: list[str] = []
    losses: list[Loss] = []
    warnings: list[str] = []
    facts: Optional[dict[str, Any]] = None


class Rules(NamedTuple):
    """What only a plan that writes asks of a kind, loaded when there is one.

    Functions that take a manager are coroutines; the others are pure.
    """

    checks: tuple[Check, ...]
    # (configuration): what forbids to create an asset like this, as opposed to changing one
    create_problems: Callable[[Config], list[Problem]]
    # (canonical configuration, identity): what a new asset must say beyond what the task mentions
    complete: Callable[[Config, Identity], Config]
    # (merged, changed, wanted, current, context): settings that follow from other settings, and
    # the spelling of the wire; merged is the wire configuration with the changes in canonical form
    derive: Callable[[Config, frozenset[str], Config, Config, Context], Config]
    # (before, after, info, context), both canonical: what an update deletes
    update_losses: Callable[[Config, Config, Info, Context], list[Loss]]
    # (info, context): what deleting the asset deletes
    delete_losses: Callable[[Info, Context], list[Loss]]
    # (info, configuration, context): what a recreate loses of the asset, and what to warn of
    recreate_losses: Callable[[Info, Config, Context], tuple[list[Loss], list[str]]]
    # (info, before, after, context), both canonical: how recreate=migrate would do it, and whether
    migration: Callable[[Info, Config, Config, Context], Migration]
    # (configuration, info, context): what a recreated asset has to carry on from the old one
    renew: Callable[[Config, Info, Context], Config]
    # (info): whether the asset holds nothing that a recreate would lose
    is_empty: Callable[[Info], bool]
    # (configuration, context): whether this server takes no update of the asset at all
    takes_no_update: Callable[[Config, Context], bool]
    # (plan): whether the decision needs the parent's configuration
    needs_parent: Callable[[Any], bool]
    # (manager, identity, context) -> the context with what is to be known of the parent, if it is
    read_parent: Callable[[Any, Identity, Context], Awaitable[Context]]
    # (manager, plan, dry) -> (problems, warnings) that only a look at other assets can tell; when
    # nothing is going to be sent (dry), also what the server would refuse by itself
    look: Callable[[Any, Any, bool], Awaitable[tuple[list[Problem], list[str]]]]
    # (manager, identity, configuration) -> INFO answer
    create: Callable[[Any, Identity, Config], Awaitable[Info]]
    # (manager, identity, configuration, names of the changed fields) -> INFO answer
    update: Callable[[Any, Identity, Config, frozenset[str]], Awaitable[Info]]
    # (manager, identity) -> whether there was something to delete
    delete: Callable[[Any, Identity], Awaitable[bool]]
    # (manager, plan) -> INFO answer; deletes and creates again, or restores, keeping what can be
    recreate: Callable[[Any, Any], Awaitable[Info]]


def check(
    rules: Rules, config: Config, changed: Iterable[str], context: Context, place: str = ""
) -> list[Problem]:
    """Return which rules a configuration breaks, among those that the change touches."""
    touched = frozenset(changed)
    prefix = f"{place}." if place else ""
    problems = []
    for rule in rules.checks:
        text = None if touched.isdisjoint(rule.fields) else rule.problem(config, context)
        if text:
            name = next(field for field in rule.fields if field in touched)
            problems.append(Problem(f"{prefix}{name}", text))
    return problems


def kept_metadata(wanted: Optional[dict[str, str]], current: Optional[dict[str, str]]) -> Config:
    """Return the wanted metadata with what the server and this collection keep in the current."""
    kept = {key: text for key, text in (current or {}).items() if is_reserved_metadata(key)}
    return {**(wanted or {}), **kept}


def is_settled(info: Info, told: bool = False) -> bool:
    """Say whether a clustered asset has a leader, current replicas and no change under way.

    2.15 shows a change that it has not finished as cluster.desired; older ones only through
    replicas that are not current. Right after a change, a busy cluster may answer without any
    cluster (seen on 2.15.1): nothing is settled then, if told says that there is one.
    """
    if not is_clustered(info):
        return not (told and "cluster" not in info)
    cluster = info["cluster"]
    replicas = cluster.get("replicas") or []
    current = all(one.get("current") and not one.get("offline") for one in replicas)
    wanted = info["config"].get("num_replicas") or 0
    return (
        bool(cluster.get("leader"))
        and current
        and not cluster.get("desired")
        and len(replicas) + 1 >= wanted
    )


async def wait_settled(
    read: Callable[[Any, Identity], Awaitable[Found]],
    manager: Any,
    identity: Identity,
    timeout: float,
    told: bool = False,
) -> Optional[Info]:
    """Read an asset until it is settled or timeout seconds are over; return the last INFO answer.

    Transient answers while a leader is elected are the manager's to repeat.
    """
    deadline, pause = time.monotonic() + timeout, 0.05
    while True:
        info = (await read(manager, identity)).info
        left = deadline - time.monotonic()
        if (info is not None and is_settled(info, told)) or left <= 0:
            return info
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, 1.0)
