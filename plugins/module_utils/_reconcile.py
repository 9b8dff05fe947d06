# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""From what is wanted and what is there to a plan, and from the plan to the server.

``plan`` is pure: it decides everything that is reported, in check mode and in a run. ``apply``
does what a plan says and looks at the answer.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Info,
    Kind,
    Loss,
    check,
    is_settled,
    wait_settled,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    AT_CREATION,
    Config,
    Context,
    Field,
    Problem,
    Release,
    asks_default,
    is_zero,
    nearest,
    release_text,
    without_zeros,
)

# The oldest release whose API level tells more than its version does.
LEVELS_SINCE: Release = (2, 11, 0)


class Wanted(NamedTuple):
    """What a task mentions: wire values, fields to set back, and fields sent as they are."""

    config: Config
    reset: tuple[str, ...] = ()
    extra: Config = {}


class Policy(NamedTuple):
    """How far the engine may go."""

    state: str = "present"
    update: str = "merge"
    recreate: str = "never"
    data_loss: str = "warn"
    recovery_path: Optional[str] = None
    wait: bool = True
    wait_timeout: float = 60.0


class Plan(NamedTuple):
    """What will be done to one asset, and all that is reported of it.

    before and after are declarations; changes lists option, before and after. config is the wire
    configuration to send, current the INFO answer the plan was made from.
    """

    kind: Kind
    identity: Identity
    policy: Policy
    context: Context
    action: str
    before: Config
    after: Config
    changes: list[dict[str, Any]]
    changed: frozenset[str]
    wanted: Config
    extra: Config
    config: Config
    current: Optional[Info]
    losses: tuple[Loss, ...] = ()
    warnings: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    parent_missing: bool = False

    @property
    def current_config(self) -> Config:
        return self.current["config"] if self.current else {}

    @property
    def title(self) -> str:
        """The asset in words: ``stream ORDERS``, ``consumer billing of stream ORDERS``."""
        return title(self.kind, self.identity)

    def touches(self, field: str) -> bool:
        """Say whether the plan writes the asset with another value of the field."""
        return self.action in ("create", "update", "recreate") and field in self.changed


class Refused(JetStreamError):
    """A plan that must not be carried out. Nothing was sent.

    problems lists place and text; immutable lists option, current and wanted of what only a
    recreate can change.
    """

    def __init__(
        self,
        message: str,
        problems: Optional[list[Problem]] = None,
        immutable: Optional[list[dict[str, Any]]] = None,
        would_lose: Optional[dict[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.problems = problems or []
        self.immutable = immutable or []
        self.would_lose = would_lose

    def result(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self.problems:
            out["problems"] = [problem._asdict() for problem in self.problems]
        if self.immutable:
            out["immutable"] = self.immutable
        if self.would_lose:
            out["would_lose"] = self.would_lose
        return out


class NotKept(JetStreamError):
    """The server accepted a write and kept something else than it was sent."""

    def __init__(self, message: str, fields: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.fields = fields

    def result(self) -> dict[str, Any]:
        return {"not_kept": self.fields}


class NotSettled(JetStreamError):
    """A write was accepted, and the cluster has not carried it out in time."""


# --------------------------------------------------------------------------------------------------
# Planning
# --------------------------------------------------------------------------------------------------


def plan(
    kind: Kind,
    identity: Identity,
    wanted: Wanted,
    found: Found,
    context: Context,
    policy: Policy,
) -> Plan:
    """Return what to do to one asset. Pure.

    Raises Refused when something is not possible on this server, can only be had by a recreate
    that is not allowed, or would lose what may not be lost.
    """
    draft = Plan(
        kind,
        identity,
        policy,
        context,
        action="none",
        before=declaration_of(kind, found.info, context) if found.info else {},
        after={},
        changes=[],
        changed=frozenset(),
        wanted={},
        extra={},
        config={},
        current=found.info,
        parent_missing=found.parent_missing,
    )
    if policy.state == "absent":
        return _plan_absent(draft)
    mentioned = _mentioned(kind, wanted)
    if found.info is None:
        return _plan_create(draft, mentioned, wanted.extra)
    return _plan_present(draft, mentioned, wanted.extra)


def _plan_absent(draft: Plan) -> Plan:
    if draft.current is None:
        return draft
    losses = draft.kind.delete_losses(draft.current)
    return _guarded(draft._replace(action="delete", losses=tuple(losses)))


def _plan_create(draft: Plan, mentioned: Config, extra: Config) -> Plan:
    kind, context = draft.kind, draft.context
    made = kind.complete(mentioned, draft.identity)
    config = kind.derive(made, frozenset(mentioned), mentioned, {}, context)
    draft = draft._replace(wanted=mentioned, extra=extra, config={**without_zeros(config), **extra})
    problems = kind.schema.unknown_to(draft.config, context.server)
    if draft.config.get("sealed"):
        text = "a stream can not be created sealed; create it, fill it, then seal it"
        problems.append(Problem("sealed", text))
    return _reported(draft, "create", problems)


def _plan_present(draft: Plan, mentioned: Config, extra: Config) -> Plan:
    kind, context, stored = draft.kind, draft.context, draft.current_config
    current = kind.canonical(stored)
    if draft.policy.update == "replace":
        mentioned = {**_unmentioned(kind, mentioned, current, context), **mentioned}
    extra = {name: value for name, value in extra.items() if stored.get(name) != value}
    differing = [
        field
        for field in kind.schema.fields
        if field.name in mentioned and kind.schema.differs(field, mentioned, current, context)
    ]
    draft = draft._replace(after=draft.before, wanted=mentioned, extra=extra, config=stored)
    if not differing and not extra:
        return draft
    names = frozenset(field.name for field in differing)
    merged = {**stored, **{name: mentioned[name] for name in names}}
    config = kind.derive(merged, names, mentioned, stored, context)
    config = {
        name: value for name, value in config.items() if name not in names or not is_zero(value)
    }
    draft = draft._replace(config={**config, **extra})
    if not _difference(draft):
        return draft
    new = {name: value for name, value in config.items() if stored.get(name) != value}
    problems = kind.schema.unknown_to(new, context.server)
    immutable = [
        field
        for field in differing
        if not field.update.in_place(
            field.value_in(current, context), mentioned[field.name], context.server
        )
    ]
    if immutable and not problems:
        return _plan_recreate(draft, immutable)
    return _reported(draft, "update", problems)


def _plan_recreate(draft: Plan, immutable: list[Field]) -> Plan:
    kind, context, policy = draft.kind, draft.context, draft.policy
    info = draft.current or {}
    current = kind.canonical(draft.current_config)
    rows = [
        {
            "option": field.name,
            "current": field.type.human(field.value_in(current, context)),
            "wanted": field.type.human(field.value_in(draft.wanted, context)),
            "in_place": _in_place_words(field),
        }
        for field in immutable
    ]
    text = "; ".join(
        f"{row['option']} from {row['current']!r} to {row['wanted']!r}" for row in rows
    )
    first = {
        name: value
        for name, value in draft.wanted.items()
        if kind.schema.by_name[name].update is AT_CREATION and not is_zero(value)
    }
    renewed = kind.renew({**without_zeros(draft.config), **first}, info, context)
    losses, warnings = kind.recreate_losses(info, renewed, context)
    if policy.recreate == "never":
        raise Refused(
            f"the {draft.title} can not be changed in place on nats-server {context.server.text}: "
            f"{text}. Only recreate=if_empty or recreate=always may delete it and create it again",
            immutable=rows,
            would_lose=would_lose(losses),
        )
    if policy.recreate == "if_empty" and not kind.is_empty(info):
        raise Refused(
            f"the {draft.title} has to be recreated to change {text}, and it is not empty "
            "(recreate=if_empty)",
            immutable=rows,
            would_lose=would_lose(losses),
        )
    draft = draft._replace(config=renewed, losses=tuple(losses), warnings=tuple(warnings))
    return _reported(draft, "recreate", [])


def _in_place_words(field: Field) -> str:
    since = field.update.since
    words = field.update.words
    return words if since == (2, 2, 0) else f"{words}, from nats-server {release_text(since)} on"


def _reported(draft: Plan, action: str, problems: list[Problem]) -> Plan:
    """Complete a plan that writes, or raise Refused with all problems at once."""
    kind, context = draft.kind, draft.context
    final = kind.canonical(draft.config)
    changed = _difference(draft)
    draft = draft._replace(action=action, changed=changed)
    problems = problems + check(kind, final, changed, context) + _overruled(draft, final)
    if problems:
        text = "; ".join(dict.fromkeys(map(str, problems)))
        raise Refused(f"the {draft.title} can not be like this: {text}", problems)
    if action == "update" and draft.current:
        before = kind.canonical(draft.current_config)
        draft = draft._replace(
            losses=tuple(kind.update_losses(before, final, draft.current, context))
        )
    declared = kind.schema.declaration(kind.spelling(final), context)
    draft = draft._replace(after={**_names(kind, draft.identity), **declared, **draft.extra})
    draft = draft._replace(
        changes=_changes(draft),
        unverified=_unverified(draft),
        warnings=(*draft.warnings, *_ineffective(draft, final)),
    )
    return _guarded(draft)


def _difference(draft: Plan) -> frozenset[str]:
    """Return the names of the settings that a plan changes, what follows from others included."""
    kind, context = draft.kind, draft.context
    if draft.current is None:
        return frozenset(kind.canonical(draft.config))
    before, after = kind.canonical(draft.current_config), kind.canonical(draft.config)
    return frozenset(
        field.name
        for field in kind.schema.fields
        if field.normal_in(before, context) != field.normal_in(after, context)
    ).union(draft.extra)


def _guarded(draft: Plan) -> Plan:
    """Hold the losses of a plan against data_loss, and put what goes through into warnings."""
    losses = [loss for loss in draft.losses if loss.at_most or loss.place or loss.consumers]
    text = "; ".join(_loss_text(loss) for loss in losses)
    lost = would_lose(losses)
    if losses and draft.policy.data_loss == "forbid":
        raise Refused(
            f"data_loss=forbid: {draft.action} of the {draft.title}: {text}", would_lose=lost
        )
    hidden = [loss for loss in losses if not loss.plain]
    if hidden and draft.policy.data_loss != "allow":
        raise Refused(
            f"the {draft.title} would lose messages that the setting does not plainly say: "
            f"{'; '.join(map(_loss_text, hidden))}. data_loss=allow accepts that",
            would_lose=lost,
        )
    warnings = draft.warnings
    if losses and draft.action == "update":
        warnings = (*warnings, f"{draft.title}: {text}")
    return draft._replace(losses=tuple(losses), warnings=warnings)


def _mentioned(kind: Kind, wanted: Wanted) -> Config:
    """Return the mentioned settings in canonical form; None stands for the default."""
    return kind.canonical({**wanted.config, **dict.fromkeys(wanted.reset)})


def _unmentioned(kind: Kind, mentioned: Config, current: Config, context: Context) -> Config:
    """Return (as to be set back) what update=replace takes away: what the server can set back."""
    together = {**current, **mentioned}
    return {
        field.name: None
        for field in kind.schema.fields
        if field.name not in mentioned
        and not field.update.one_way
        and not (field.ignored and field.ignored(current, context))
        and not field.counts_as_default(together, context)
        and field.update.in_place(
            field.value_in(current, context), field.default_in(together, context), context.server
        )
    }


def _overruled(draft: Plan, final: Config) -> list[Problem]:
    """Return the mentioned settings that other settings of the same configuration overrule."""
    schema, context = draft.kind.schema, draft.context
    return [
        Problem(name, "can not be had together with the other settings")
        for name, value in draft.wanted.items()
        for field in [schema.by_name[name]]
        if not asks_default(value) and schema.differs(field, {name: value}, final, context)
    ]


def _ineffective(draft: Plan, final: Config) -> tuple[str, ...]:
    """Return a warning for each mentioned setting that the server does not look at."""
    context = draft.context
    return tuple(
        f"{draft.title}: {name} has no effect together with the other settings"
        for name, value in draft.wanted.items()
        for field in [draft.kind.schema.by_name[name]]
        if field.ignored
        and not is_zero(value)
        and field.ignored(final, context)
        and field.type.normal(value) != field.normal_in(final, context)
    )


def _changes(draft: Plan) -> list[dict[str, Any]]:
    """Return option, before and after of every setting that changes, as people write them."""
    kind, context = draft.kind, draft.context

    def spelt(config: Config) -> Config:
        return kind.schema.human(kind.spelling(kind.canonical(config)), context)

    after = spelt(draft.config)
    if draft.current is None:
        before: Config = {}
        names = [name for name in kind.schema.by_name if name in draft.after]
    else:
        before = spelt(draft.current_config)
        names = [name for name in kind.schema.by_name if before[name] != after[name]]
    return [
        {"option": name, "before": before.get(name), "after": after[name]} for name in names
    ] + [
        {"option": name, "before": draft.current_config.get(name), "after": value}
        for name, value in draft.extra.items()
    ]


def _unverified(draft: Plan) -> tuple[str, ...]:
    """Return the changed settings whose rule was not observed on the server's release line."""
    fields, server = draft.kind.schema.by_name, draft.context.server
    names = draft.changed.intersection(fields) if draft.action == "update" else ()
    return (
        tuple(sorted(name for name in names if not server.observed(fields[name].update.since)))
        if server.release
        else ()
    )


def depends_on_level(kind: Kind, wanted: Wanted) -> bool:
    """Say whether something that is mentioned is judged by the API level."""
    fields = [kind.schema.by_name.get(name) for name in (*wanted.config, *wanted.reset)]
    return any(field and max(field.since, field.update.since) >= LEVELS_SINCE for field in fields)


def title(kind: Kind, identity: Identity) -> str:
    """Return the asset in words."""
    *parents, name = identity
    return f"{kind.noun} {name}" + "".join(f" of stream {parent}" for parent in parents)


def _names(kind: Kind, identity: Identity) -> Config:
    return dict(zip(kind.identity, identity))


def declaration_of(kind: Kind, info: Info, context: Context) -> Config:
    """Return what a task would have to say to get the asset of an INFO or LIST answer."""
    config = info["config"]
    names = {"name": info.get("name") or config.get("name"), "stream": info.get("stream_name")}
    identity = tuple(str(names[option]) for option in kind.identity)
    shaped = kind.spelling(kind.canonical(config))
    return {**_names(kind, identity), **kind.schema.declaration(shaped, context)}


def would_lose(losses: Any) -> Optional[dict[str, Any]]:
    """Return the losses as one result, None when there are none.

    messages is None when the number can not be known; messages_at_most bounds it.
    """
    losses = [loss for loss in losses if loss.at_most or loss.place or loss.consumers]
    if not losses:
        return None
    counts = [loss.messages for loss in losses]
    out: dict[str, Any] = {
        "messages": None if None in counts else max(counts),
        "messages_at_most": max(loss.at_most for loss in losses),
        "consumers": max(loss.consumers for loss in losses),
        "reasons": [loss.text for loss in losses],
    }
    for loss in losses:
        if loss.place:
            out["place"] = loss.place
    return out


def _loss_text(loss: Loss) -> str:
    if loss.place:
        done = ", ".join(f"{name} {count}" for name, count in loss.place.items())
        return f"{loss.text} ({done})"
    count = f"{loss.messages}" if loss.messages is not None else f"at most {loss.at_most}"
    consumers = f" and {loss.consumers} consumers" if loss.consumers else ""
    return f"{loss.text} ({count} messages{consumers})"


def unknown_names(kind: Kind, names: Any, place: str) -> list[Problem]:
    """Return which names are no settings of the kind, each with the nearest one."""
    known = kind.schema.by_name
    return [
        Problem(
            f"{place}[{index}]", f"{name!r} is no setting of a {kind.noun}{nearest(name, known)}"
        )
        for index, name in enumerate(names)
        if name not in known
    ]


# --------------------------------------------------------------------------------------------------
# Doing
# --------------------------------------------------------------------------------------------------


async def apply(drafted: Plan, manager: Any) -> Optional[Info]:
    """Do what a plan says; return the INFO answer of the asset afterwards, None when it is gone.

    Raises NotKept when the server accepted the write and keeps something else, and whatever the
    manager raises when the server refuses.
    """
    kind, identity = drafted.kind, drafted.identity
    if drafted.action == "none":
        return drafted.current
    if drafted.action == "delete":
        await kind.delete(manager, identity)
        return None
    if drafted.action == "create":
        info = await kind.create(manager, identity, drafted.config)
    elif drafted.action == "update":
        info = await kind.update(manager, identity, drafted.config, drafted.changed)
    else:
        info = await kind.recreate(manager, drafted)
    verify(drafted, info)
    if drafted.policy.wait and not is_settled(info):
        info = await _settled(drafted, manager)
    return info


def verify(drafted: Plan, info: Info) -> None:
    """Compare what was mentioned with an answer of the server; raise NotKept for what differs."""
    schema, context = drafted.kind.schema, drafted.context
    kept = drafted.kind.canonical(info["config"])
    bent = []
    for name in drafted.wanted:
        field = schema.by_name[name]
        if schema.differs(field, drafted.wanted, kept, context):
            bent.append(
                {
                    "option": name,
                    "wanted": field.type.human(field.value_in(drafted.wanted, context)),
                    "kept": field.type.human(field.value_in(kept, context)),
                }
            )
    bent += [
        {"option": name, "wanted": value, "kept": info["config"].get(name)}
        for name, value in drafted.extra.items()
        if info["config"].get(name) != value
    ]
    if bent:
        text = "; ".join(f"{b['option']} {b['wanted']!r}, kept {b['kept']!r}" for b in bent)
        raise NotKept(
            f"the server accepted the {drafted.action} of the {drafted.title} and keeps something "
            f"else: asked {text}. It may be too old for this, or have a limit of its own",
            bent,
        )


async def _settled(drafted: Plan, manager: Any) -> Info:
    """Wait for a leader and current replicas; raise NotSettled when they take too long."""
    timeout = drafted.policy.wait_timeout
    info = await wait_settled(drafted.kind.read, manager, drafted.identity, timeout)
    if info is None or not is_settled(info):
        cluster = (info or {}).get("cluster") or {}
        behind = [one["name"] for one in cluster.get("replicas") or [] if not one.get("current")]
        raise NotSettled(
            f"the {drafted.action} of the {drafted.title} was accepted, but after {timeout:g} s "
            f"it has {'leader ' + cluster['leader'] if cluster.get('leader') else 'no leader'}"
            f"{' and waits for ' + ', '.join(behind) if behind else ''}. It may still come; give "
            "wait_timeout more, or do not wait (wait=false)"
        )
    return info
