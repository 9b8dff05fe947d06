# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The plan of a whole declaration: one plan per asset, and what assets say of each other. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._declared import (
    BY_NAME,
    Declared,
    Section,
    section_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Found, Identity, Info
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    WRITES,
    Plan,
    Policy,
    Wanted,
    owner_of,
    plan,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
    Server,
)
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey


class Item(NamedTuple):
    """One asset and what will be done to it.

    place is where it is declared; why says so of what is not declared. sealing is what a stream
    gets at the very end, when everything is in it. only_empty tells that a deletion is to be called
    off when something came meanwhile.
    """

    section: Section
    place: str
    plan: Plan
    why: str = ""
    sealing: Optional[Wanted] = None
    contents: Any = None
    only_empty: bool = False

    @property
    def identity(self) -> Identity:
        return self.plan.identity

    @property
    def stream(self) -> str:
        """The name of the stream that the asset is, or belongs to."""
        return self.section.prefix + self.identity[0]

    @property
    def is_consumer(self) -> bool:
        return self.section.kind is CONSUMER


class Failure(NamedTuple):
    """What cannot be done, or was not: where it is declared, in words what it is, and why."""

    place: str
    title: str
    error: JetStreamError


class AccountPlan(NamedTuple):
    """The assets of a declaration in its order, then those to be pruned."""

    items: list[Item]
    failures: list[Failure]
    warnings: list[str]

    @property
    def to_do(self) -> list[Item]:
        return [item for item in self.items if item.plan.action != "none" or item.sealing]


def plan_account(
    declared: list[Declared], found: Survey, server: Server, parents_may_come: bool = False
) -> AccountPlan:
    """Return what to do to each declared asset.

    parents_may_come: a stream that is neither there nor declared is a warning, as in check mode,
    where an earlier task may have it to create.
    """
    streams = [entry for entry in declared if entry.kind is not CONSUMER]
    consumers = [entry for entry in declared if entry.kind is CONSUMER]
    to_come = {
        entry.stream
        for entry in consumers
        if entry.policy.state == "present" and entry.identity not in found.consumers
    }
    out = AccountPlan([], [], [])
    for entry in streams:
        _add(out, entry, lambda entry=entry: _stream_item(entry, found, server, to_come))
    after = {item.stream: item for item in out.items}
    failed = {entry.stream for entry in streams if entry.stream not in after}
    for entry in consumers:
        _add(
            out,
            entry,
            lambda entry=entry: _consumer_item(
                entry, found, server, after, parents_may_come, failed, out.warnings
            ),
        )
    for item in out.items:
        out.warnings.extend(item.plan.warnings)
    return out


def _add(out: AccountPlan, entry: Declared, make: Any) -> None:
    try:
        item = make()
    except JetStreamError as error:
        out.failures.append(Failure(entry.place, entry.title, error))
    else:
        if item is not None:
            out.items.append(item)


def _stream_item(entry: Declared, found: Survey, server: Server, to_come: set[str]) -> Item:
    if entry.stream in found.missing:
        raise Refused(
            f"the {entry.title} is offline: its servers did not answer, so nothing is known of it. "
            "Bring them back first"
        )
    info, wanted = found.streams.get(entry.stream), entry.wanted
    if info and not info["state"].get("consumer_count") and entry.stream in to_come:
        # They come before a change of retention that would delete what nobody consumes.
        info = {**info, "state": {**info["state"], "consumer_count": 1}}
    sealing = None
    if info is None and wanted.config.get("sealed"):
        sealing = wanted
        config = {name: one for name, one in wanted.config.items() if name != "sealed"}
        wanted = wanted._replace(config=config)
    decided = plan(
        entry.kind, entry.identity, wanted, Found(info), Context(server), entry.policy, told=False
    )
    if decided.action == "none" or entry.policy.state == "absent":
        sealing = None
    return Item(entry.section, entry.place, decided, "", sealing, entry.contents)


def _consumer_item(
    entry: Declared,
    found: Survey,
    server: Server,
    after: dict[str, Item],
    parents_may_come: bool,
    failed: set[str],
    warnings: list[str],
) -> Optional[Item]:
    """Return the item of a consumer, None when it goes with its stream."""
    stream = entry.stream
    parent, item = found.streams.get(stream), after.get(stream)
    comes = item is not None and item.plan.action in WRITES
    if item is not None and item.plan.action == "delete":
        return None
    missing = parent is None and not comes
    if missing and entry.policy.state == "present" and stream not in failed:
        text = f"the {entry.title} cannot be: the stream {stream} is neither there nor declared"
        if not parents_may_come or stream in found.missing:
            raise Refused(text, [Problem(f"{entry.place}.stream", "does not exist")])
        warnings.append(f"{text}; an earlier task has to create it")
    shaped = stream_after(item, parent)
    read = Found(found.consumers.get(entry.identity), parent_missing=missing)
    context = Context(server)
    decided = plan(
        entry.kind, entry.identity, entry.wanted, read, context, entry.policy, told=False
    )
    if decided.action == "none":
        return Item(entry.section, entry.place, decided)
    rules = entry.kind.rules()
    if rules.needs_parent(decided) and shaped is not None:
        context = context._replace(parent=shaped)
        decided = plan(entry.kind, entry.identity, entry.wanted, read, context, entry.policy)
    if decided.action in WRITES and shaped is not None:
        texts = _refused_by(shaped, decided, server)
        if item is not None and parent is not None and is_first(decided, item.plan):
            texts = texts or _too_early(_refused_by(parent["config"], decided, server))
        if texts:
            raise Refused.because(entry.title, [Problem(entry.place, text) for text in texts])
    return Item(entry.section, entry.place, decided)


def stream_after(item: Optional[Item], info: Optional[Info]) -> Optional[Config]:
    """Return the wire configuration that a stream is going to have, None if it is not known."""
    if item is not None and item.plan.action in WRITES:
        return item.plan.config
    return info["config"] if info else None


def is_first(consumer: Plan, stream: Plan) -> bool:
    """Say whether a consumer is created before its stream is changed.

    A stream that is to keep what consumers want must have them by then.
    """
    return (
        consumer.action == "create"
        and stream.action in ("update", "migrate")
        and "retention" in stream.changed
        and stream.config.get("retention") == "interest"
    )


def _too_early(texts: Iterable[Optional[str]]) -> list[str]:
    """Return what a stream does not allow of consumers that come before its own change."""
    return [
        f"{text}, until the stream is changed. That comes after its new consumers, as retention "
        "becomes interest and would delete what they want. Change retention in a later run"
        for text in texts
        if text
    ]


def _refused_by(stream: Config, decided: Plan, server: Server) -> list[str]:
    from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import (
        stream_problems,
    )

    return stream_problems(decided.config, stream, server)


def between_consumers(
    items: list[Item], found: Survey, account: Optional[dict[str, Any]]
) -> Iterator[Failure]:
    """Yield the streams that do not take their consumers beside each other.

    items are those that go as well. account is what the server says of it, None if it may not be
    asked.
    """
    first_of: dict[str, Item] = {}
    made_anew: set[str] = set()
    too_early: set[str] = set()
    after = {item.stream: item for item in items if not item.is_consumer}
    for item in items:
        if item.is_consumer and item.plan.action in WRITES:
            first_of.setdefault(item.stream, item)
            if item.plan.action != "update":
                made_anew.add(item.stream)
            if item.stream in after and is_first(item.plan, after[item.stream].plan):
                too_early.add(item.stream)
    if not first_of:
        return
    from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import (
        room_problem,
        workqueue_problems,
    )

    consumers = _consumers_after(first_of, items, found)
    for stream, first in first_of.items():
        config = stream_after(after.get(stream), found.streams.get(stream)) or {}
        texts: list[str] = []
        if config.get("retention") == "workqueue":
            texts += workqueue_problems(consumers[stream])
        if stream in made_anew:
            most = (limits_for(account or {}, config) or {}).get("max_consumers") or 0
            count = len(consumers[stream])
            texts += filter(None, [room_problem(config, count, most)])
            if stream in too_early and not texts:
                now = found.streams[stream]["config"]
                texts += _too_early([room_problem(now, count, most)])
        if texts:
            error = Refused.because(
                f"stream {stream}", [Problem(first.place, text) for text in texts]
            )
            yield Failure(first.place, first.plan.title, error)


def limits_for(account: Mapping[str, Any], stream: Config) -> Optional[Mapping[str, Any]]:
    """Return the limits of an account that hold for a stream with so many replicas.

    None if the account has tiers, and none of that number.
    """
    tiers = account.get("tiers")
    if not tiers:
        return account.get("limits") or {}
    tier = tiers.get(f"R{stream.get('num_replicas') or 1}")
    return None if tier is None else tier.get("limits") or {}


def _consumers_after(
    streams: Container[str], items: list[Item], found: Survey
) -> dict[str, list[Config]]:
    """Return the wire configurations of all consumers that streams will have."""
    own = {item.identity: item.plan for item in items if item.is_consumer}
    out: dict[str, list[Config]] = defaultdict(list)
    for (stream, name), info in found.consumers.items():
        if stream in streams and (stream, name) not in own:
            out[stream].append({**info["config"], "name": name})
    for (stream, name), decided in own.items():
        if stream in streams and decided.action != "delete":
            config = decided.config if decided.action in WRITES else decided.current_config
            out[stream].append({**config, "name": name})
    return out


# --------------------------------------------------------------------------------------------------
# Pruning
# --------------------------------------------------------------------------------------------------


class Pruning(NamedTuple):
    """What of the undeclared is to go: a function of section, identity and info, and its stops.

    With an owner, no consumer of another owner goes with its stream.
    """

    picks: Any
    most: int = 10
    nonempty: bool = False
    policy: Policy = Policy(state="absent")
    owner: Optional[str] = None


def plan_pruning(
    declared: list[Declared],
    found: Survey,
    server: Server,
    pruning: Pruning,
) -> AccountPlan:
    """Return what of the undeclared goes, and the failures that stop it all."""
    known = {entry.identity for entry in declared if entry.kind is CONSUMER}
    streams = {entry.stream for entry in declared if entry.kind is not CONSUMER}
    out = AccountPlan([], [], [])
    gone = set()
    for section, identity, info in undeclared(found, known, streams):
        if identity[0] in gone or not pruning.picks(section, identity, info):
            continue
        decided = plan(
            section.kind, identity, Wanted({}), Found(info), Context(server), pruning.policy
        )
        out.items.append(
            Item(section, "prune", decided, "is not declared", only_empty=not pruning.nonempty)
        )
        if section.kind is not CONSUMER:
            gone.add(section.prefix + identity[0])
    out.failures.extend(_stops(out.items, pruning))
    if pruning.owner is not None:
        out.failures.extend(_guests(out.items, found, pruning.owner))
    return out


def undeclared(
    found: Survey, known: set[Identity], streams: set[str]
) -> Iterator[tuple[Section, Identity, Info]]:
    """Yield the streams and buckets that no entry means, and then the durable consumers.

    known are the consumers, streams the streams that entries mean, those of buckets among them.
    Names with a $ belong to the server or to other clients; ephemeral consumers to who made them.
    """
    for name, info in found.streams.items():
        if name not in streams and "$" not in name:
            section = section_of(info)
            yield section, (name[len(section.prefix) :],), info
    for identity, info in found.consumers.items():
        durable = info["config"].get("durable_name")
        if durable and "$" not in "".join(identity) and identity not in known:
            yield BY_NAME["consumers"], identity, info


def _stops(items: list[Item], pruning: Pruning) -> Iterator[Failure]:
    titles = [item.plan.title for item in items]
    if len(items) > pruning.most:
        text = (
            f"{len(items)} assets would be pruned, prune_max allows {pruning.most}: "
            f"{', '.join(titles[:20])}{' and more' if len(titles) > 20 else ''}. Is something "
            "missing from the declaration?"
        )
        yield Failure("prune_max", "prune", Refused(text, [Problem("prune_max", text)]))
    for item in items:
        empty = item.plan.kind.rules().is_empty(item.plan.current)
        if not pruning.nonempty and not empty:
            text = f"the {item.plan.title} would be pruned, and it is not empty (prune_nonempty)"
            yield Failure(
                "prune_nonempty", item.plan.title, Refused(text, [Problem("prune_nonempty", text)])
            )


def _guests(items: list[Item], found: Survey, owner: str) -> Iterator[Failure]:
    """Yield the streams that would take consumers with them that another owner has marked."""
    pruned = {item.stream: item for item in items if not item.is_consumer}
    for (stream, name), info in found.consumers.items():
        marked = owner_of(info["config"])
        if stream in pruned and marked not in (None, owner):
            title = pruned[stream].plan.title
            text = f"the {title} would be pruned, and its consumer {name} belongs to {marked!r}"
            yield Failure("prune", title, Refused(text, [Problem("prune", text)]))
