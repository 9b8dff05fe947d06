# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Plans that write: what is sent, what is reported of it, what it loses, and what forbids it.

Pure, as all planning is. Loaded once something differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import Refused
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity, Info, Kind
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    Plan,
    names_of,
    owner_of,
    title,
)
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import unfinished
from ansible_collections.nats.jetstream.plugins.module_utils._rules import (
    Loss,
    Migration,
    check,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    AT_CREATION,
    OWNER_METADATA,
    RECREATING_METADATA,
    Config,
    Field,
    Problem,
    is_zero,
    release_text,
    unknown_fields,
    without_zeros,
)


def create(draft: Plan, mentioned: Config, extra: Config) -> Plan:
    """Return the plan to make an asset that is not there."""
    kind, context, rules = draft.kind, draft.context, draft.kind.rules()
    made = rules.complete(mentioned, draft.identity)
    config = _marked(draft, rules.derive(made, frozenset(mentioned), mentioned, {}, context))
    draft = draft._replace(wanted=mentioned, extra=extra, config={**without_zeros(config), **extra})
    problems = kind.schema.unknown_to(_spelt(kind, draft.config), context.server)
    problems += _unknown(draft)
    return _reported(draft, "create", problems + rules.create_problems(draft.config))


def change(draft: Plan, differing: list[Field]) -> Plan:
    """Return the plan to change what differs, by an update or a recreate."""
    kind, context, stored = draft.kind, draft.context, draft.current_config
    names = frozenset(field.name for field in differing)
    merged = {**stored, **{name: draft.wanted[name] for name in names}}
    config = kind.rules().derive(merged, names, draft.wanted, stored, context)
    config = {
        name: value for name, value in config.items() if name not in names or not is_zero(value)
    }
    before, draft = draft, draft._replace(config=_marked(draft, {**config, **draft.extra}))
    draft = draft._replace(wanted=_possible(draft))
    if not _difference(draft):
        return before
    old = _spelt(kind, stored)
    new = {name: value for name, value in _spelt(kind, config).items() if old.get(name) != value}
    problems = kind.schema.unknown_to(new, context.server) + _unknown(draft)
    current = kind.canonical(stored)
    stuck, final = kind.rules().takes_no_update(current, context), kind.canonical(config)
    immutable = [
        field
        for field in differing
        if stuck
        or not field.update.in_place(
            field.value_in(current, context), field.value_in(final, context), context.server
        )
    ]
    if immutable and not problems:
        return _recreate(draft, immutable)
    return _reported(draft, "update", problems)


def _unknown(draft: Plan) -> list[Problem]:
    """Return what extra_config has that this server would drop without a word."""
    return unknown_fields(draft.kind.wire, _said(draft), draft.context.server, "extra_config")


def _said(draft: Plan) -> Config:
    """Return what a task says in extra_config, without the subjects that a bucket gets back."""
    return {name: value for name, value in draft.extra.items() if name not in draft.kind.taken}


def _possible(draft: Plan) -> Config:
    """Return what is wanted without what update=replace cannot set back beside the rest."""
    kind, final = draft.kind, draft.kind.canonical(draft.config)
    return {
        name: value
        for name, value in draft.wanted.items()
        if name not in draft.unsaid
        or not kind.schema.differs(kind.schema.by_name[name], {name: value}, final, draft.context)
    }


def delete(draft: Plan) -> Plan:
    """Return the plan to delete an asset that is there."""
    losses = draft.kind.rules().delete_losses(draft.current, draft.context)
    return guarded(draft._replace(action="delete", losses=tuple(losses)))


def of_another_owner(draft: Plan, owner: Optional[str]) -> Refused:
    return Refused(
        f"the {draft.title} belongs to the owner {owner!r}, not to {draft.policy.owner!r}; "
        "adopt=true takes it over"
    )


def unfinished_move(kind: Kind, identity: Identity, info: Info, mark: str) -> Refused:
    text = unfinished(info["config"]["name"], mark)
    return Refused.because(title(kind, identity), [Problem(kind.identity[-1], text)])


def of_another_kind(kind: Kind, identity: Identity, info: Info) -> Refused:
    text = f"{info['config']['name']} is no {kind.noun}: {kind.foreign(info)}"
    return Refused.because(
        title(kind, identity),
        [Problem(kind.identity[-1], f"the stream {text}; use jetstream_stream for it")],
    )


def with_subjects(
    draft: Plan, taken: list[str], mentioned: Config, extra: Config
) -> tuple[Config, Config]:
    """Return what is mentioned, and the subjects that a recreate took which did not end.

    Whoever mentions none means those that the stream had, and so does who speaks of a bucket.
    """
    if "subjects" in draft.kind.schema.by_name:
        return {"subjects": taken, **mentioned}, extra
    return mentioned, {**extra, "subjects": taken}


def _spelt(kind: Kind, config: Config) -> Config:
    """Return a wire configuration with the names and the spellings that a user would choose."""
    return kind.spelling(kind.canonical(config))


def _marked(draft: Plan, config: Config) -> Config:
    """Return the wire configuration with the mark of the owner, where there is one.

    Without the one of a recreate that did not end: what is written has its subjects.
    """
    metadata = config.get("metadata") or {}
    if RECREATING_METADATA in metadata:
        kept = {key: text for key, text in metadata.items() if key != RECREATING_METADATA}
        config = {**config, "metadata": kept}
    owner = draft.policy.owner
    if owner is None:
        return config
    return {**config, "metadata": {**(config.get("metadata") or {}), OWNER_METADATA: owner}}


def _recreate(draft: Plan, immutable: list[Field]) -> Plan:
    kind, context, policy = draft.kind, draft.context, draft.policy
    rules = kind.rules()
    info = draft.current or {}
    current, final = kind.canonical(draft.current_config), kind.canonical(draft.config)
    rows = [
        {
            "option": field.name,
            "current": field.type.human(field.value_in(current, context)),
            "wanted": field.type.human(field.value_in(final, context)),
            "in_place": _in_place_words(field),
        }
        for field in immutable
    ]
    text = "; ".join(
        f"{row['option']} from {row['current']!r} to {row['wanted']!r}" for row in rows
    )
    moved = rules.migration(info, current, final, context)
    if policy.recreate == "migrate":
        return _migrate(draft, moved, text, rows)
    first = {
        name: value
        for name, value in draft.wanted.items()
        if kind.schema.by_name[name].update is AT_CREATION and not is_zero(value)
    }
    unknown = kind.schema.unknown_to(first, context.server)
    renewed = rules.renew({**without_zeros(draft.config), **first}, info, context)
    losses, warnings = rules.recreate_losses(info, renewed, context)
    if policy.recreate == "never":
        raise Refused(
            f"the {draft.title} cannot be changed in place on nats-server {context.server.text}: "
            f"{text}. {_ways(moved)}",
            immutable=rows,
            would_lose=would_lose(losses),
        )
    if policy.recreate == "if_empty" and not rules.is_empty(info):
        raise Refused(
            f"the {draft.title} has to be recreated to change {text}, and it is not empty "
            "(recreate=if_empty)",
            immutable=rows,
            would_lose=would_lose(losses),
        )
    draft = draft._replace(config=renewed, losses=tuple(losses), warnings=tuple(warnings))
    return _reported(draft, "recreate", unknown + rules.create_problems(renewed))


def _ways(moved: Migration) -> str:
    again = "Only recreate=if_empty or recreate=always may delete it and create it again"
    if moved.problems:
        return again
    return f"recreate=migrate can do that and keep what it has. {again}"


def _migrate(draft: Plan, moved: Migration, text: str, rows: list[dict[str, Any]]) -> Plan:
    """Return the plan to carry out an immutable difference that loses nothing, or next to it."""
    if moved.problems:
        raise Refused(
            f"the {draft.title} has to be recreated to change {text}, and recreate=migrate cannot "
            f"do that: {'; '.join(moved.problems)}. Only recreate=if_empty or recreate=always may "
            "delete it and create it again",
            [Problem("recreate", problem) for problem in moved.problems],
            immutable=rows,
        )
    draft = draft._replace(
        config=without_zeros(draft.config),
        losses=tuple(moved.losses),
        warnings=tuple(moved.warnings),
        migration=_waiting(draft, moved.facts),
    )
    return _reported(draft, moved.action, [])


def _waiting(draft: Plan, facts: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """Return the facts of a migration that waits only where it can, when data_loss accepts that."""
    if not facts or not facts["wait"] or draft.policy.data_loss != "allow" or not draft.current:
        return facts
    from ansible_collections.nats.jetstream.plugins.module_utils._drain import waiting

    wait = math.ceil(waiting(draft.context.server, True)(draft.current))
    return {**facts, "downtime": facts["downtime"] - facts["wait"] + wait, "wait": wait}


def _in_place_words(field: Field) -> str:
    since = field.update.since
    words = field.update.words
    return words if since == (2, 2, 0) else f"{words}, from nats-server {release_text(since)} on"


def _reported(draft: Plan, action: str, problems: list[Problem]) -> Plan:
    """Complete a plan that writes, or raise Refused with all problems at once."""
    kind, context, rules = draft.kind, draft.context, draft.kind.rules()
    final = kind.canonical(draft.config)
    changed = _difference(draft)
    problems = problems + check(rules, final, changed, context) + _overruled(draft, final)
    if problems:
        raise Refused.because(draft.title, problems)
    if action == "update" and draft.current:
        before = kind.canonical(draft.current_config)
        draft = draft._replace(
            losses=tuple(rules.update_losses(before, final, draft.current, context))
        )
    declared = kind.schema.declaration(kind.spelling(final), context)
    mark = {"owner": draft.policy.owner} if draft.policy.owner else {}
    extra = {"extra_config": _said(draft)} if _said(draft) else {}
    after = {**names_of(kind, draft.identity), **declared, **mark, **extra}
    draft = draft._replace(action=action, changed=changed, after=after)
    draft = draft._replace(
        changes=_changes(draft),
        unverified=_unverified(draft),
        warnings=(*draft.warnings, *_ineffective(draft, final), *_given_back(draft)),
    )
    return guarded(draft)


def _difference(draft: Plan) -> frozenset[str]:
    """Return the names of the settings that a plan changes, what follows from others included."""
    kind, context = draft.kind, draft.context
    if draft.current is None:
        return frozenset(kind.canonical(draft.config))
    before, after = kind.canonical(draft.current_config), kind.canonical(draft.config)
    marks = {"owner"} if owner_of(before) != owner_of(after) else set()
    return frozenset(
        field.name
        for field in kind.schema.fields
        if field.normal_in(before, context) != field.normal_in(after, context)
    ).union(draft.extra, marks)


def guarded(draft: Plan) -> Plan:
    """Hold the losses of a plan against data_loss, and put what goes through into warnings."""
    if not draft.losses:
        return draft
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


def _overruled(draft: Plan, final: Config) -> list[Problem]:
    """Return the mentioned settings that other settings of the same configuration overrule."""
    schema, context = draft.kind.schema, draft.context
    return [
        Problem(name, "cannot be had together with the other settings")
        for name, value in draft.wanted.items()
        for field in [schema.by_name[name]]
        if schema.differs(field, {name: value}, final, context)
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


def _given_back(draft: Plan) -> tuple[str, ...]:
    """Return a warning that says what a declaration, which has no subjects, cannot show."""
    if "subjects" not in draft.extra.keys() - _said(draft).keys():
        return ()
    return (f"{draft.title}: gets the subjects back that a recreate took which did not end",)


def _changes(draft: Plan) -> list[dict[str, Any]]:
    """Return option, before and after of every setting that changes, as people write them."""
    kind, context = draft.kind, draft.context

    def spelt(config: Config) -> Config:
        return kind.schema.human(_spelt(kind, config), context)

    if draft.current is None:
        before, after = {}, draft.after
        names = [name for name in draft.after if name in kind.schema.by_name]
    else:
        before, after = spelt(draft.current_config), spelt(draft.config)
        names = [name for name in kind.schema.by_name if before[name] != after[name]]
    return (
        [{"option": name, "before": before.get(name), "after": after[name]} for name in names]
        + [
            {"option": name, "before": draft.current_config.get(name), "after": value}
            for name, value in draft.extra.items()
        ]
        + [
            {"option": "owner", "before": was, "after": now}
            for was, now in [(owner_of(draft.current_config), owner_of(draft.config))]
            if was != now
        ]
    )


def _unverified(draft: Plan) -> tuple[str, ...]:
    """Return the changed settings whose rule was not observed on the server's release line."""
    fields, server = draft.kind.schema.by_name, draft.context.server
    names = draft.changed.intersection(fields) if draft.action == "update" else ()
    return (
        tuple(sorted(name for name in names if not server.observed(fields[name].update.since)))
        if server.release
        else ()
    )


def would_lose(losses: Iterable[Loss]) -> Optional[dict[str, Any]]:
    """Return the losses as one result, None when there are none.

    messages is None when the number cannot be known; messages_at_most bounds it.
    """
    losses = [loss for loss in losses if loss.at_most or loss.place or loss.consumers]
    if not losses:
        return None
    counts = [loss.messages for loss in losses]
    out: dict[str, Any] = {
        "messages": None if None in counts else max(filter(None, counts), default=0),
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
