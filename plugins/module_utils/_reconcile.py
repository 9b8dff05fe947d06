# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""From what is wanted and what is there to a plan.

``plan`` is pure: it decides everything that is reported, in check mode and in a run, and does not
look at the server. What it takes to write is in ``_planning``, the doing in ``_apply``.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Info,
    Kind,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    MOVING_METADATA,
    OWNER_METADATA,
    Config,
    Context,
    is_zero,
    subjects_taken,
)

# The actions after which an asset has the configuration of the plan.
WRITES = ("create", "update", "recreate", "migrate")


class Wanted(NamedTuple):
    """What a task mentions: wire values, fields to set back, and fields sent as they are."""

    config: Config
    reset: tuple[str, ...] = ()
    extra: Config = {}


class Policy(NamedTuple):
    """How far the engine may go.

    With an owner the asset is to carry its mark; one of another owner is refused, unless adopt.
    """

    state: str = "present"
    update: str = "merge"
    recreate: str = "never"
    data_loss: str = "warn"
    recovery_path: Optional[str] = None
    migrate_path: Optional[str] = None
    migrate_max_bytes: Optional[int] = None
    wait: bool = True
    wait_timeout: float = 60.0
    owner: Optional[str] = None
    adopt: bool = False


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
    losses: tuple[Any, ...] = ()  # of Loss
    warnings: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    parent_missing: bool = False
    migration: Optional[dict[str, Any]] = None  # the facts of Migration
    # What update=replace sets back, as far as the other settings leave it to.
    unsaid: frozenset[str] = frozenset()

    @property
    def current_config(self) -> Config:
        return self.current["config"] if self.current else {}

    @property
    def title(self) -> str:
        """The asset in words: ``stream ORDERS``, ``consumer billing of stream ORDERS``."""
        return title(self.kind, self.identity)

    @property
    def said(self) -> str:
        """The action in words, with the time that a migration may take.

        How long it waits is another number a second later, and is not in a diff.
        """
        if not self.migration:
            return self.action
        wait = self.migration["wait"]
        seconds = f"up to {self.migration['downtime'] - wait} s without it"
        return f"{self.action}, {'a wait and then ' if wait else ''}{seconds}"

    def touches(self, field: str) -> bool:
        """Say whether the plan writes the asset with another value of the field."""
        return self.action in WRITES and field in self.changed


def plan(
    kind: Kind,
    identity: Identity,
    wanted: Wanted,
    found: Found,
    context: Context,
    policy: Policy,
    told: bool = True,
) -> Plan:
    """Return what to do to one asset. Pure.

    Who does not tell what stays as it is (told is false) gets no before and after for it: writing
    declarations takes longer than everything else.
    Raises Refused when something is not possible on this server, can only be had by a recreate
    that is not allowed, would lose what may not be lost, belongs to another owner, or is no asset
    of this kind.
    """
    if found.info and kind.foreign(found.info):
        raise _writing().of_another_kind(kind, identity, found.info)
    mark = mark_of(found.info["config"]) if found.info else None
    if mark and policy.state == "present":
        raise _writing().unfinished_move(kind, identity, found.info, mark)
    draft = Plan(
        kind,
        identity,
        policy,
        context,
        action="none",
        before={},
        after={},
        changes=[],
        changed=frozenset(),
        wanted={},
        extra={},
        config={},
        current=found.info,
        parent_missing=found.parent_missing,
    )
    marked = owner_of(draft.current_config)
    if policy.owner and marked not in (None, policy.owner) and not policy.adopt:
        raise _writing().of_another_owner(draft, marked)
    if policy.state == "absent":
        return draft if found.info is None else _writing().delete(_described(draft))
    mentioned, extra = _mentioned(kind, wanted), wanted.extra
    taken = subjects_taken(draft.current_config)
    if taken and kind.stream_of:
        mentioned, extra = _writing().with_subjects(draft, taken, mentioned, extra)
    if found.info is None:
        created: Plan = _writing().create(draft, mentioned, extra)
        return created
    stored = draft.current_config
    current = kind.canonical(stored)
    if policy.update == "replace":
        unsaid = _unmentioned(kind, mentioned, current, context)
        mentioned = {**unsaid, **mentioned}
        draft = draft._replace(unsaid=frozenset(unsaid))
    extra = {
        name: value for name, value in extra.items() if not is_literally(value, stored.get(name))
    }
    differing = [
        field
        for field in kind.schema.fields
        if field.name in mentioned and kind.schema.differs(field, mentioned, current, context)
    ]
    draft = draft._replace(wanted=mentioned, extra=extra, config=stored)
    differs = differing or extra or (policy.owner is not None and marked != policy.owner)
    if differs or told:
        draft = _described(draft)
        draft = draft._replace(after=draft.before)
    return _writing().change(draft, differing) if differs else draft


def _described(draft: Plan) -> Plan:
    """Return the plan with what is there, as a task would have to say it."""
    if draft.current is None:
        return draft
    before = declaration_of(draft.kind, draft.current, draft.context)
    marked = owner_of(draft.current_config)
    if draft.policy.owner and marked:
        before["owner"] = marked
    return draft._replace(before=before)


def _writing() -> Any:
    """Load the planning of writes: most tasks find that nothing differs."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _planning

    return _planning


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


def is_literally(value: Any, stored: Any) -> bool:
    """Say whether what extra_config has is stored; servers leave zeros out."""
    return bool(value == stored) or (is_zero(value) and is_zero(stored))


def title(kind: Kind, identity: Identity) -> str:
    """Return the asset in words."""
    *parents, name = identity
    return f"{kind.noun} {name}" + "".join(f" of stream {parent}" for parent in parents)


def mark_of(config: Config) -> Optional[str]:
    """Return the mark of a restore that is not finished, None when there is none."""
    return (config.get("metadata") or {}).get(MOVING_METADATA)


def owner_of(config: Config) -> Optional[str]:
    """Return the owner whose mark a wire configuration carries, None when it has none."""
    return (config.get("metadata") or {}).get(OWNER_METADATA)


def names_of(kind: Kind, identity: Identity) -> Config:
    return dict(zip(kind.identity, identity))


def declaration_of(kind: Kind, info: Info, context: Context) -> Config:
    """Return what a task would have to say to get the asset of an INFO or LIST answer."""
    shaped = kind.spelling(kind.canonical(info["config"]))
    return {**names_of(kind, kind.identify(info)), **kind.schema.declaration(shaped, context)}
