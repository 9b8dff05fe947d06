# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""A module that manages one asset, whatever its kind: options in, plan, apply, result out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._connection import Connection
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Kind,
    is_clustered,
)
from ansible_collections.nats.jetstream.plugins.module_utils._manager import JetStreamManager
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._options import (
    extra_problems,
    reset_problems,
)
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    WRITES,
    Plan,
    Policy,
    Wanted,
    plan,
    title,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Context,
    Problem,
    Release,
    Server,
    release_of,
)

# The oldest release whose API level tells more than its version does.
LEVELS_SINCE: Release = (2, 11, 0)

POLICY_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "update": {"type": "str", "choices": ["merge", "replace"], "default": "merge"},
    "reset": {"type": "list", "elements": "str", "default": []},
    "recreate": {
        "type": "str",
        "choices": ["never", "migrate", "if_empty", "always"],
        "default": "never",
    },
    "recovery_path": {"type": "path"},
    "data_loss": {"type": "str", "choices": ["warn", "forbid", "allow"], "default": "warn"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "str", "default": "60s"},
    "extra_config": {"type": "dict", "default": {}},
}


MIGRATE_SPEC: dict[str, Any] = {
    "migrate_path": {"type": "path"},
    "migrate_max_bytes": {"type": "str"},
}


def run_asset(kind: Kind) -> None:
    """Run the module of a kind."""
    identity = {
        option: {"type": "str", "required": True, "aliases": kind.aliases.get(option, [])}
        for option in kind.identity
    }
    run(
        {**identity, **kind.schema.argument_spec(), **policy_spec(kind)},
        lambda session: manage(kind, session),
        lambda params, inputs: validate(kind, params, inputs),
    )


def policy_spec(kind: Kind) -> dict[str, Any]:
    """Return the options that say how far the engine may go with an asset of a kind."""
    return {**POLICY_SPEC, **(MIGRATE_SPEC if kind.stream_of else {})}


def validate(kind: Kind, params: Mapping[str, Any], inputs: Inputs) -> tuple[Wanted, Policy]:
    """Return what the options ask for; add everything that is wrong with them."""
    problems = inputs.problems
    for option in kind.identity:
        kind.naming.wire(params[option], option, problems)
    config = kind.schema.wire(params, "", problems)
    wait_timeout = inputs.seconds(params, "wait_timeout")
    mentioned = [name for name in kind.schema.by_name if params.get(name) is not None]
    reset, extra = params["reset"] or [], params["extra_config"] or {}
    problems += reset_problems(kind, reset, mentioned)
    problems += extra_problems(kind, extra)
    policy = Policy(
        state=params["state"],
        update=params["update"],
        recreate=params["recreate"],
        data_loss=params["data_loss"],
        recovery_path=params["recovery_path"],
        migrate_path=params.get("migrate_path"),
        migrate_max_bytes=inputs.size(params, "migrate_max_bytes") if kind.stream_of else None,
        wait=params["wait"],
        wait_timeout=wait_timeout,
    )
    return Wanted(config, tuple(reset), extra), policy


def _depends_on_level(kind: Kind, wanted: Wanted) -> bool:
    """Say whether something that is mentioned is judged by the API level."""
    if wanted.extra:
        return True
    fields = [kind.schema.by_name.get(name) for name in (*wanted.config, *wanted.reset)]
    return any(field and max(field.since, field.update.since) >= LEVELS_SINCE for field in fields)


async def manage(kind: Kind, session: Session) -> dict[str, Any]:
    """Plan one asset, do it unless in check mode, and return the module's result."""
    manager = session.manager
    wanted, policy = session.wanted
    identity: Identity = tuple(session.params[option] for option in kind.identity)
    found = await kind.read(manager, identity)
    left = None
    if policy.recreate == "migrate" and policy.state == "present" and kind.stream_of:
        found, left = await _resumed(kind, identity, found, policy, session)
    decided = await decide(kind, identity, wanted, found, policy, session)
    info = found.info
    if decided.action != "none" and not session.check_mode:
        info = await _apply(decided, manager)
    for warning in decided.warnings:
        session.module.warn(warning)
    result = _result(decided, info, session.module._diff)
    if left:
        session.module.warn(left.told)
        result.update(changed=result["changed"] or left.changed, resumed=left.told)
    return result


async def _resumed(
    kind: Kind, identity: Identity, found: Found, policy: Policy, session: Session
) -> tuple[Found, Any]:
    """Finish or undo what an earlier migration has left; in check mode say what comes of that."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _move

    name = kind.stream_of(identity) if kind.stream_of else ""
    left = await _move.resume(session.manager, name, policy.migrate_path, dry=session.check_mode)
    if left is None:
        return found, None
    if session.check_mode:
        return Found(left.info), left
    return await kind.read(session.manager, identity), left


async def _apply(decided: Plan, manager: JetStreamManager) -> Optional[dict[str, Any]]:
    from ansible_collections.nats.jetstream.plugins.module_utils._apply import apply

    return await apply(decided, manager)


async def decide(
    kind: Kind,
    identity: Identity,
    wanted: Wanted,
    found: Found,
    policy: Policy,
    session: Session,
) -> Plan:
    """Return the plan, asking the server only for what the decision needs."""
    manager = session.manager
    context = Context(server_of(session.connection, found))
    elsewhere = _level_may_differ(
        kind, wanted, context, session.connection, policy.recreate == "migrate"
    )
    try:
        decided = plan(kind, identity, wanted, found, context, policy)
        unsure = elsewhere and decided.action in WRITES
    except Refused:
        if not elsewhere:
            raise
        unsure = True
    if unsure:
        context = context._replace(server=await asked_server(context.server, manager))
        decided = plan(kind, identity, wanted, found, context, policy)
    if decided.action == "none":
        return decided
    rules = kind.rules()
    if rules.needs_parent(decided):
        context = await rules.read_parent(manager, identity, context)
        decided = plan(kind, identity, wanted, found, context, policy)
    if decided.action in WRITES:
        problems, warnings = await rules.look(manager, decided, session.check_mode)
        if problems:
            raise Refused.because(decided.title, problems)
        decided = decided._replace(warnings=(*decided.warnings, *warnings))
    if decided.action == "migrate":
        from ansible_collections.nats.jetstream.plugins.module_utils import _migrate

        decided = await _migrate.counted(manager, decided)
    if decided.action == "create" and decided.parent_missing:
        return _without_parent(decided, session.check_mode)
    return decided


def _without_parent(decided: Plan, check_mode: bool) -> Plan:
    text = f"the stream {decided.identity[0]} does not exist"
    if not check_mode:
        raise Refused(
            f"the {decided.title} cannot be created: {text}. Create the stream first",
            [Problem("stream", text)],
        )
    warning = f"{decided.title}: {text} yet; an earlier task has to create it"
    return decided._replace(warnings=(*decided.warnings, warning))


def server_of(connection: Connection, found: Optional[Found] = None) -> Server:
    """Return the server to judge by, from its greeting and from what it told of the asset.

    Behind a domain or an API prefix another server decides, of which nothing is known yet.
    """
    greeting, info = connection.greeting, found.info if found else None
    clustered = is_clustered(info) if info else "cluster" in greeting
    if connection.prefix != "$JS.API":
        return Server(None, clustered if info else None)
    return Server(release_of(greeting.get("version", ""), greeting.get("api_lvl")), clustered)


def _level_may_differ(
    kind: Kind, wanted: Wanted, context: Context, connection: Connection, migrating: bool
) -> bool:
    """Say whether another server than the one connected to decides about what is mentioned."""
    elsewhere = context.server.clustered or connection.prefix != "$JS.API"
    depends = migrating or _depends_on_level(kind, wanted)
    return bool(elsewhere) and depends


async def asked_server(server: Server, manager: JetStreamManager) -> Server:
    """Return the server with the release that the account's answer tells, if it tells one."""
    try:
        account = await manager.account_info()
    except JetStreamError:
        return server
    level = (account.get("api") or {}).get("level")
    version = server.text if server.release else ""
    return server._replace(release=release_of(version, level) if level else server.release)


def _result(decided: Plan, info: Optional[dict[str, Any]], diff: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": decided.action != "none",
        "action": decided.action,
        "changes": decided.changes,
        "declaration": decided.after,
        decided.kind.answer: info,
    }
    if decided.losses:
        from ansible_collections.nats.jetstream.plugins.module_utils._planning import would_lose

        result["would_lose"] = would_lose(decided.losses)
    if decided.migration:
        result["migration"] = decided.migration
    if decided.unverified:
        result["unverified"] = list(decided.unverified)
    if diff:
        from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

        named = title(decided.kind, decided.identity)
        result["diff"] = {
            "before": to_yaml(decided.before),
            "after": to_yaml(decided.after),
            "before_header": named,
            "after_header": f"{named} ({decided.said})",
        }
    return result
