# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Streams: the rules that a table cannot say. Loaded when a plan writes.

What servers do was observed on 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

import time
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    NotSettled,
    PermissionDenied,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Identity,
    Info,
    is_clustered,
)
from ansible_collections.nats.jetstream.plugins.module_utils._rules import (
    Check,
    Loss,
    Migration,
    Rules,
    is_settled,
    kept_metadata,
    wait_settled,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
    is_zero,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    SOURCE,
    default_subjects,
    read,
)
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    first_overlap,
    overlaps,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    format_duration,
    format_size,
    parse_instant,
)

MOVE_TIMEOUT = 60.0  # s; for a step between two updates that belong together
MIRROR_EXCLUDES = (
    "subjects",
    "sources",
    "first_seq",
    "allow_atomic",
    "allow_batched",
    "allow_msg_schedules",
    "subject_delete_marker_ttl",
)


# --------------------------------------------------------------------------------------------------
# What a server refuses, said before it is asked
# --------------------------------------------------------------------------------------------------


def _subjects_problem(config: Config, context: Context) -> Optional[str]:
    subjects = config.get("subjects") or []
    meeting = first_overlap(subjects)
    if meeting:
        return f"{meeting[0]!r} and {meeting[1]!r} overlap"
    if config.get("no_ack") and context.server.knows((2, 10, 0)) is not False:
        return None
    # 2.9 takes these for itself: its streams then answer API requests with acknowledgements.
    internal = [one for one in subjects if overlaps(one, "$JS.API.>") or overlaps(one, "$SYS.>")]
    if internal:
        return (
            f"{internal[0]!r} captures the server's own requests; a stream may only do so with "
            "no_ack, from nats-server 2.10 on"
        )
    return None


def _mirror_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("mirror"):
        return None
    both = [name for name in MIRROR_EXCLUDES if not is_zero(config.get(name))]
    if both:
        return f"a mirror cannot also have {' or '.join(both)} (use reset to clear a stored one)"
    return _source_problem(config["mirror"])


def _sources_problem(config: Config, context: Context) -> Optional[str]:
    sources = config.get("sources") or []
    if any(one.get("name") == config.get("name") and not one.get("external") for one in sources):
        return "a stream cannot source itself"
    # Where to start does not tell two sources apart (10140); 2.9 takes them all the same.
    origins = [{**one, "opt_start_seq": 0, "opt_start_time": ""} for one in sources]
    twice = len({SOURCE.normal(one) for one in origins}) < len(origins)
    if twice and context.server.knows((2, 10, 0)) is not False:
        return "the same source is listed twice"
    return next((text for text in map(_source_problem, sources) if text), None)


def _source_problem(source: Config) -> Optional[str]:
    if source.get("filter_subject") and source.get("subject_transforms"):
        return "filter_subject and subject_transforms exclude each other: give the filter as src"
    starts = [
        name
        for name in ("opt_start_seq", "opt_start_time", "filter_subject")
        if not is_zero(source.get(name))
    ]
    if source.get("consumer") and starts:
        return f"consumer excludes {' and '.join(starts)}: the consumer has them"
    return None


def _replicas_problem(config: Config, context: Context) -> Optional[str]:
    # Servers 2.9 and 2.10 store it, and lose the stream when they start again.
    if (config.get("num_replicas") or 1) > 1 and context.server.clustered is False:
        return "more than 1 replica needs a cluster, and this server is standalone (err_code 10074)"
    return None


def _window_problem(config: Config, context: Context) -> Optional[str]:
    age, window = config.get("max_age") or 0, config.get("duplicate_window") or 0
    if 0 < age < window:
        return f"{format_duration(window)} is larger than max_age ({format_duration(age)})"
    return None


def _discard_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("discard_new_per_subject"):
        return None
    if config.get("discard") != "new" or (config.get("max_msgs_per_subject") or 0) < 1:
        return "discard_new_per_subject needs discard=new and max_msgs_per_subject of 1 or more"
    return None


def _purge_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("deny_purge"):
        return None
    needing = ("subject_delete_marker_ttl", "allow_msg_schedules", "allow_rollup_hdrs")
    both = [name for name in needing if not is_zero(config.get(name))]
    return f"deny_purge excludes {' and '.join(both)}" if both else None


def _republish_problem(config: Config, context: Context) -> Optional[str]:
    republish = config.get("republish") or {}
    src, dest = republish.get("src") or ">", republish.get("dest")
    subjects = config.get("subjects") or default_subjects(config, context)
    met = [one for one in subjects if dest and overlaps(one, dest)]
    if met:
        return f"the destination {dest!r} overlaps the stream's own {met[0]!r}"
    if not dest or context.server.knows((2, 10, 0)) is not False:
        return None
    if not any(overlaps(one, src) for one in subjects):
        text = f"the source {src!r} meets no subject of the stream"
        return f"{text}, which nats-server {context.server.text} needs"
    return None


def _mirror_direct_problem(config: Config, context: Context) -> Optional[str]:
    if config.get("mirror_direct") and not config.get("mirror"):
        return "has a meaning for mirrors only, and this stream has no mirror"
    return None


def _schedules_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("allow_msg_schedules"):
        return None
    if config.get("sources"):
        return "excludes sources"
    if context.server.knows((2, 15, 0)) and config.get("discard") == "new":
        return "excludes discard=new"
    return None


def _counter_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("allow_msg_counter"):
        return None
    if config.get("discard") == "new" or config.get("allow_msg_ttl") or config.get("mirror"):
        return "excludes discard=new, allow_msg_ttl and mirror"
    if config.get("allow_msg_schedules"):
        return "excludes allow_msg_schedules"
    if config.get("retention", "limits") != "limits":
        return "needs retention=limits"
    return None


def _persist_problem(config: Config, context: Context) -> Optional[str]:
    if config.get("persist_mode") != "async":
        return None
    if (
        config.get("storage") == "memory"
        or config.get("allow_atomic")
        or (config.get("num_replicas") or 1) > 1
    ):
        return "async needs file storage, one replica, and no allow_atomic"
    return None


def _preferred_problem(config: Config, context: Context) -> Optional[str]:
    if (config.get("placement") or {}).get("preferred") and context.server.knows((2, 15, 0)):
        return (
            "preferred is for leader elections only, servers refuse it in a stream (err_code 10052)"
        )
    return None


CHECKS = (
    Check(("subjects", "no_ack"), _subjects_problem),
    Check(("mirror", *MIRROR_EXCLUDES), _mirror_problem),
    Check(("sources",), _sources_problem),
    Check(("num_replicas",), _replicas_problem),
    Check(("duplicate_window", "max_age"), _window_problem),
    Check(("discard_new_per_subject", "discard", "max_msgs_per_subject"), _discard_problem),
    Check(
        ("deny_purge", "subject_delete_marker_ttl", "allow_msg_schedules", "allow_rollup_hdrs"),
        _purge_problem,
    ),
    Check(("republish", "subjects", "mirror", "sources"), _republish_problem),
    Check(("mirror_direct",), _mirror_direct_problem),
    Check(
        (
            "allow_msg_counter",
            "discard",
            "allow_msg_ttl",
            "allow_msg_schedules",
            "retention",
            "mirror",
        ),
        _counter_problem,
    ),
    Check(("allow_msg_schedules", "discard", "sources"), _schedules_problem),
    Check(("persist_mode", "storage", "allow_atomic", "num_replicas"), _persist_problem),
    Check(("placement",), _preferred_problem),
)


# --------------------------------------------------------------------------------------------------
# Settings that follow from other settings
# --------------------------------------------------------------------------------------------------


def create_problems(config: Config) -> list[Problem]:
    if not config.get("sealed"):
        return []
    return [Problem("sealed", "a stream cannot be created sealed; create it, fill it, seal it")]


def derive(
    merged: Config, changed: frozenset[str], wanted: Config, current: Config, context: Context
) -> Config:
    """Return the merged configuration with what servers would change, or refuse, by themselves."""
    config = dict(merged)
    window, age = config.get("duplicate_window") or 0, config.get("max_age") or 0
    if 0 < age < window and is_zero(wanted.get("duplicate_window")):
        del config["duplicate_window"]  # the server then takes max_age
    if "metadata" in changed:
        config["metadata"] = kept_metadata(wanted.get("metadata"), current.get("metadata"))
    if "mirror" in changed and config.get("mirror"):
        _leave_out(config, wanted, "duplicate_window")
        if config.get("subjects") == [config.get("name")]:
            _leave_out(config, wanted, "subjects")
    if config.get("subject_delete_marker_ttl"):
        config.update(allow_msg_ttl=True, allow_rollup_hdrs=True)
    if config.get("allow_msg_schedules"):
        config.update(allow_rollup_hdrs=True)
    if config.get("sealed"):
        config.update(discard="new", deny_delete=True, deny_purge=True, allow_rollup_hdrs=False)
        config.pop("max_age", None)
    return config


def _leave_out(config: Config, wanted: Config, name: str) -> None:
    if is_zero(wanted.get(name)):
        config.pop(name, None)


def complete(config: Config, identity: Identity) -> Config:
    """Return the configuration with the name; nothing else is added to what a task says."""
    return {"name": identity[0], **config}


# --------------------------------------------------------------------------------------------------
# What is lost
# --------------------------------------------------------------------------------------------------


def update_losses(before: Config, after: Config, info: Info, context: Context) -> list[Loss]:
    """Return what lowered limits and a change of retention delete, as far as it can be known."""
    state = info["state"]
    stored = state["messages"]
    if not stored:
        return []
    losses = []
    # From 2.10 on (observed on 2.10.27 and 2.15.1) a stream that discards new messages keeps the
    # stored ones when a limit is lowered; 2.9.10 deletes them.
    keeps = after.get("discard") == "new" and context.server.knows((2, 10, 0)) is not False
    most = _limit(after, "max_msgs")
    if most < min(stored, _limit(before, "max_msgs")) and not keeps:
        losses.append(Loss(f"max_msgs {most} deletes the oldest", stored - most, stored - most))
    size = _limit(after, "max_bytes")
    if size < min(state["bytes"], _limit(before, "max_bytes")) and not keeps:
        losses.append(Loss(f"max_bytes {format_size(size)} deletes the oldest", None, stored))
    age = _limit(after, "max_age")
    if age < _limit(before, "max_age") and _oldest(info) >= age:
        losses.append(Loss(f"max_age {format_duration(age)} deletes the older", None, stored))
    each = _limit(after, "max_msgs_per_subject")
    if each < min(stored, _limit(before, "max_msgs_per_subject")):
        subjects = state.get("num_subjects") or 1
        if stored > subjects * each or subjects > 1:
            known = stored - each if subjects == 1 else None
            most = stored - min(each, stored) if subjects == 1 else stored - subjects
            if most > 0:
                losses.append(Loss(f"max_msgs_per_subject {each} deletes the oldest", known, most))
    if (before.get("retention"), after.get("retention")) == ("limits", "interest"):
        losses.append(_interest_loss(state))
    return losses


def _interest_loss(state: Config) -> Loss:
    stored = state["messages"]
    if state.get("consumer_count"):
        text = "retention interest deletes what every consumer has acknowledged or does not want"
        return Loss(text, None, stored)
    text = "retention interest deletes every message, because the stream has no consumer"
    return Loss(text, stored, stored, plain=False)


def _limit(config: Config, name: str) -> int:
    value = config.get(name) or 0
    return value if value > 0 else 2**63


def _oldest(info: Info) -> int:
    """Return how many nanoseconds old the first message is, by the server's clock if told."""
    first = info["state"].get("first_ts")
    if not first:
        return 2**63
    # 2.9 does not tell its time.
    now = parse_instant(info["ts"]) if info.get("ts") else time.time_ns()
    return now - parse_instant(first)


def delete_losses(info: Info, context: Context) -> list[Loss]:
    state = info["state"]
    messages, consumers = state["messages"], state.get("consumer_count", 0)
    if not messages and not consumers:
        return []
    return [Loss("the stream goes with all it has", messages, messages, consumers)]


def recreate_losses(info: Info, config: Config, context: Context) -> tuple[list[Loss], list[str]]:
    """A recreate loses the messages; the consumers are put back."""
    messages = info["state"]["messages"]
    return [Loss("recreate deletes the messages", messages, messages)] if messages else [], []


def migration(info: Info, before: Config, after: Config, context: Context) -> Migration:
    # Loaded when it is needed: an ordinary task has no use for it.
    from ansible_collections.nats.jetstream.plugins.module_utils import _migration

    return _migration.migration(info, before, after, context)


def renew(config: Config, info: Info, context: Context) -> Config:
    """Return the configuration with the sequence at which the new stream goes on.

    Streams that source or mirror it remember sequences: observed on 2.10.27, they never get a
    later message below the old one. Mirrors number as their origin does, and 2.9 cannot be told.
    """
    if config.get("mirror") or context.server.knows((2, 10, 0)) is False:
        return config
    next_seq = info["state"]["last_seq"] + 1
    return {**config, "first_seq": max(next_seq, config.get("first_seq") or 0)}


def is_empty(info: Info) -> bool:
    return bool(info["state"]["messages"] == 0)


# --------------------------------------------------------------------------------------------------
# The server
# --------------------------------------------------------------------------------------------------


async def look(manager: Any, plan: Any, dry: bool) -> tuple[list[Problem], list[str]]:
    """Look for other streams with the new subjects, and for origins that are not there.

    A user who may not list streams is left to the server's own answer.
    """
    name, config = plan.identity[0], plan.config
    problems: list[Problem] = []
    warnings: list[str] = []
    if plan.action == "recreate":
        # Loaded when it is needed: an ordinary task has no use for it.
        from ansible_collections.nats.jetstream.plugins.module_utils._recreate_stream import (
            look_before,
        )

        problems, warnings = await look_before(manager, plan)
    if plan.action == "migrate":
        from ansible_collections.nats.jetstream.plugins.module_utils import _migrate

        problems, warnings = await _migrate.look_before(manager, plan)
    if plan.touches("subjects"):
        before = plan.current_config.get("subjects") or []
        after = config.get("subjects") or default_subjects(config, plan.context)
        for subject in after:
            other = None if subject in before else await stream_with(manager, subject, name)
            if other:
                problems.append(Problem("subjects", other))
    for field in ("mirror", "sources"):
        if plan.touches(field):
            sources = config.get(field) or []
            for source in [sources] if isinstance(sources, dict) else sources:
                if not source.get("external") and not (await read(manager, (source["name"],))).info:
                    warnings.append(
                        f"{field}: the stream {source['name']!r} does not exist on this server; "
                        "messages come once it does"
                    )
    return problems, warnings


async def stream_with(manager: Any, subject: str, own: str) -> Optional[str]:
    """Return what to say of another stream that has an overlapping subject, None without one."""
    try:
        names = await manager.stream_names(subject)
        for name in names:
            found = (await read(manager, (name,))).info if name != own else None
            # In a cluster a mirror is found by its name, so the subjects are looked at.
            for other in (found or {"config": {}})["config"].get("subjects") or []:
                if overlaps(subject, other):
                    return (
                        f"{subject!r} overlaps {other!r} of the stream {name} (err_code 10065): "
                        "take it away there first"
                    )
    except (PermissionDenied, RequestTimeout):
        return None
    return None


async def create(manager: Any, identity: Identity, config: Config) -> Info:
    info: Info = await manager.add_stream(config)
    return info


async def update(manager: Any, identity: Identity, config: Config, changed: frozenset[str]) -> Info:
    """Send the update; a cluster takes a move and another number of replicas one by one only.

    More replicas may only have room where the stream moves to, and fewer have to be there before
    it moves to where only few have room.
    """
    if {"num_replicas", "placement"} <= changed:
        info = await manager.stream_info(identity[0])
        if is_clustered(info):
            before, wanted = info["config"], config.get("num_replicas") or 1
            grows = wanted > (before.get("num_replicas") or 1)
            later, first = ("num_replicas", "placement") if grows else ("placement", "num_replicas")
            await manager.update_stream(without_zeros({**config, later: before.get(later)}))
            reached = await wait_settled(read, manager, identity, MOVE_TIMEOUT)
            if reached is None or not is_settled(reached):
                raise NotSettled(
                    f"{first} of the stream {identity[0]} was changed, and after "
                    f"{MOVE_TIMEOUT:g} s it still has no leader, or a replica that is not current; "
                    f"{later} was not changed. Run it again"
                )
    updated: Info = await manager.update_stream(config)
    return updated


async def delete(manager: Any, identity: Identity) -> bool:
    return bool(await manager.delete_stream(identity[0]))


async def recreate(manager: Any, plan: Any) -> Info:
    if plan.action == "migrate":
        from ansible_collections.nats.jetstream.plugins.module_utils import _migrate

        return await _migrate.migrate_stream(manager, plan)
    from ansible_collections.nats.jetstream.plugins.module_utils._recreate_stream import (
        recreate_stream,
    )

    return await recreate_stream(manager, plan)


async def read_parent(manager: Any, identity: Identity, context: Context) -> Context:
    """Streams have no parent."""
    return context


RULES = Rules(
    checks=CHECKS,
    create_problems=create_problems,
    complete=complete,
    derive=derive,
    update_losses=update_losses,
    delete_losses=delete_losses,
    recreate_losses=recreate_losses,
    migration=migration,
    renew=renew,
    is_empty=is_empty,
    takes_no_update=lambda config, context: False,
    needs_parent=lambda plan: False,
    read_parent=read_parent,
    look=look,
    create=create,
    update=update,
    delete=delete,
    recreate=recreate,
)
