# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Restoring streams from files: which ones, under which configuration, and whether at all."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files as files
from ansible_collections.nats.jetstream.plugins.module_utils import _restore
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError, Refused
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import matching, present
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import declaration_of
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import (
    INTERRUPTED,
    unfinished,
)
from ansible_collections.nats.jetstream.plugins.module_utils._releases import mixed
from ansible_collections.nats.jetstream.plugins.module_utils._rules import check
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    MOVING_METADATA,
    Config,
    Context,
    Problem,
    Server,
    is_reserved_metadata,
    is_zero,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM

PARALLEL = 4


class Options(NamedTuple):
    """How streams are restored. config is in the form of the wire."""

    name: Optional[str] = None
    config: Config = {}
    replace: bool = False
    data_loss: str = "warn"
    safety_path: Optional[str] = None
    dry: bool = False


class RestoreFailed(JetStreamError):
    """Some streams could not be restored; rows tells of all of them."""

    def __init__(
        self, rows: list[dict[str, Any]], errors: list[Exception], warnings: list[str]
    ) -> None:
        self.rows, self.errors = rows, errors
        bad = [row for row in rows if row["action"] == "failed"]
        text = "; ".join([*(f"{row['name']}: {row['reason']}" for row in bad), *warnings])
        super().__init__(f"{len(bad)} of {len(rows)} streams could not be restored: {text}")

    def result(self) -> dict[str, Any]:
        first = self.errors[0]
        told = first.result() if isinstance(first, JetStreamError) else {}
        pictures(self.rows)
        return {**told, "streams": self.rows}


def backups_in(path: str, streams: Optional[list[str]]) -> list[str]:
    """Return the directories of backups: the path itself, or those in it.

    Raises BadBackup when there is none, or one that is asked for by name is missing.
    """
    if files.is_backup(path):
        return [path]
    try:
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise files.BadBackup(f"path: {path} cannot be read: {error.strerror}") from error
    names = [name for name in names if files.is_backup(os.path.join(path, name))]
    found = matching(names, streams)
    missing = [name for name in streams or () if not set("*?[") & set(name) and name not in found]
    if missing:
        raise files.BadBackup(f"streams: {path} holds no backup of {', '.join(missing)}")
    if not names:
        raise files.BadBackup(f"path: {path} holds no backup")
    if not found:
        raise files.BadBackup(f"streams: none of the {len(names)} backups in {path} is meant")
    return [os.path.join(path, name) for name in found]


async def restore(
    manager: Any, paths: list[str], options: Options
) -> tuple[list[dict[str, Any]], list[str]]:
    """Restore backups; return a row for each, in order, and warnings.

    Everything is looked at before anything is sent that changes something; what is wrong with one
    backup or stream then stops all. Raises RestoreFailed when one failed later on.
    """
    server = await _restore.server_of(manager)
    loop = asyncio.get_running_loop()
    jobs = []
    for path in paths:
        # Its checksum may take a while, and the server wants its pings answered.
        backup = await loop.run_in_executor(None, files.read_backup, path)
        jobs.append(await _job(manager, backup, server, options))
    actions = {job.row["action"] for job in jobs}
    text = await mixed(manager.connection) if actions != {"none"} else ""
    if text and "replace" in actions:
        raise Refused(f"{text}: replace streams when all are of one release")
    warnings = [text] if text else []
    if options.dry:
        return [job.row for job in jobs], warnings
    gate = asyncio.Semaphore(PARALLEL)
    errors: list[Exception] = []

    async def one(job: Job) -> dict[str, Any]:
        async with gate:
            try:
                return await _do(manager, job, server, options)
            except (JetStreamError, OSError) as error:
                errors.append(error)
                return {**job.row, "action": "failed", "reason": str(error)}

    rows = list(await asyncio.gather(*(one(job) for job in jobs)))
    if errors:
        raise RestoreFailed(rows, errors, warnings)
    return rows, warnings


class Job(NamedTuple):
    """What is to be done with one backup."""

    backup: files.Backup
    config: Config
    current: Optional[dict[str, Any]]
    row: dict[str, Any]
    folder: Optional[str] = None


async def _job(manager: Any, backup: files.Backup, server: Server, options: Options) -> Job:
    config, problems = configured(backup, server, options)
    title = f"stream {config['name']}"
    if problems:
        raise Refused.because(title, problems)
    current, left = await _found(manager, config["name"], options)
    if current is None or options.replace:
        problems = await _overlaps(manager, config, current)
    if problems:
        raise Refused.because(title, problems)
    mark = _restore.mark_of(current)
    row = {
        "name": config["name"],
        "path": backup.path,
        "action": "restore",
        "messages": backup.state.get("messages", 0),
        "consumers": len(backup.contents.consumers),
        "bytes": backup.size,
        "duration": None,
        "would_lose": None,
        "reason": None,
        "resumed": left.told if left and left.changed else None,
        "before": current and mark is None and files.span(current["state"]),
        "after": files.span(backup.state),
    }
    if current is None or mark == INTERRUPTED:
        return Job(backup, config, current, row)
    if mark is not None and not options.replace:
        raise Refused(unfinished(config["name"], mark))
    if not options.replace or (mark is None and _is_same(backup, config, current, server)):
        state = current["state"]
        kept = {"messages": state["messages"], "consumers": state.get("consumer_count", 0)}
        return Job(
            backup, config, current, {**row, **kept, "action": "none", "after": row["before"]}
        )
    return await _replacing(manager, Job(backup, config, current, row), server, options)


async def _found(manager: Any, name: str, options: Options) -> tuple[Optional[dict[str, Any]], Any]:
    """Return the stream that is there, once what an earlier run has left of it is in order."""
    left = None
    if options.replace:
        from ansible_collections.nats.jetstream.plugins.module_utils import _move

        left = await _move.resume(manager, name, options.safety_path, options.dry)
    if left and options.dry:
        return left.info, left
    return await present(manager.stream_info(name)), left


async def _overlaps(
    manager: Any, config: Config, current: Optional[Mapping[str, Any]]
) -> list[Problem]:
    """Return which subjects other streams have: servers find that out after the delete (2.15)."""
    # Loaded already, by what the configuration was derived with.
    from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import stream_with

    before = current["config"].get("subjects") or [] if current else []
    subjects = [one for one in config.get("subjects") or [] if one not in before]
    found = [await stream_with(manager, one, config["name"]) for one in subjects]
    return [Problem("config.subjects", text) for text in found if text]


async def _replacing(manager: Any, job: Job, server: Server, options: Options) -> Job:
    """Return the job to replace a stream that is there; raise Refused when it must not be."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _move

    current = job.current or {}
    messages, name = current["state"]["messages"], job.config["name"]
    lost = {"messages": messages, "consumers": current["state"].get("consumer_count", 0)}
    row = {**job.row, "action": "replace", "would_lose": lost if any(lost.values()) else None}
    if messages and options.data_loss == "forbid":
        raise Refused(
            f"data_loss=forbid: replacing the stream {name} deletes its {messages} messages",
            would_lose=row["would_lose"],
        )
    problems = []
    if current["config"].get("storage") == "memory" and server.knows(_restore.V215) is not True:
        text = f"nats-server {server.text} makes no snapshot of it, so there is no way back"
        problems.append(Problem("replace", f"{text}; delete the stream first"))
    folder = await _move.folder_for(manager, name, options.safety_path)
    room = _move.room_problem(folder, current["state"]["bytes"])
    problems += [Problem("safety_path", room)] if room else []
    if problems:
        raise Refused.because(f"stream {name}", problems)
    if not options.dry:
        await _restore.try_out(manager, job.config, job.backup.state)
    return job._replace(row=row, folder=folder)


async def _do(manager: Any, job: Job, server: Server, options: Options) -> dict[str, Any]:
    started = time.monotonic()
    if job.row["action"] == "none":
        return job.row
    if job.row["action"] == "restore":
        if job.current is not None:  # what a restore left that was killed
            await manager.delete_stream(job.config["name"])
            await _restore.wait_gone(manager, job.config["name"])
        expected = _restore.Expected(bent=_bent_on(server))
        info = await _restore.put(manager, job.backup, job.config, server, INTERRUPTED, expected)
    else:
        info = await _replace(manager, job, server)
    state = info["state"]
    return {
        **job.row,
        "messages": state["messages"],
        "consumers": state.get("consumer_count", 0),
        "duration": round(time.monotonic() - started, 3),
    }


async def _replace(manager: Any, job: Job, server: Server) -> dict[str, Any]:
    from ansible_collections.nats.jetstream.plugins.module_utils import _move

    wanted = _move.Move(
        job.config["name"],
        job.config,
        server,
        str(job.folder),
        job.backup,
        bent=_bent_on(server),
    )
    return await _move.move(manager, wanted)


def _bent_on(server: Server) -> Callable[[Config, Config], list[str]]:
    """Return what names the settings that a server has stored otherwise than they were sent.

    A stream that is being restored has other subjects, no seal, and a mark in its metadata.
    """
    context, apart = Context(server), ("subjects", "metadata", "sealed")

    def bent(config: Config, stored: Config) -> list[str]:
        return [
            field.name
            for field in STREAM.schema.fields
            if field.name not in apart
            and not (field.ignored and field.ignored(config, context))
            and field.normal_in(config, context) != field.normal_in(stored, context)
            and not (field.is_default(config, context) and field.counts_as_default(stored, context))
        ]

    return bent


def configured(
    backup: files.Backup, server: Server, options: Options
) -> tuple[Config, list[Problem]]:
    """Return the configuration to restore under, and everything that is wrong with it."""
    rules, context = STREAM.rules(), Context(server)
    stored = {
        **backup.config,
        "metadata": {
            key: text
            for key, text in (backup.config.get("metadata") or {}).items()
            if key != MOVING_METADATA
        },
    }
    wanted = options.config
    metadata = {k: v for k, v in stored["metadata"].items() if is_reserved_metadata(k)}
    merged = {**stored, **wanted, "name": options.name or backup.name}
    if "metadata" in wanted:
        merged["metadata"] = {**wanted["metadata"], **metadata}
    changed = frozenset(wanted)
    config = without_zeros(rules.derive(merged, changed - {"metadata"}, wanted, stored, context))
    problems = _restore.unsuitable(backup, config, server)
    problems += STREAM.schema.unknown_to(config, server)
    problems += check(rules, STREAM.canonical(config), changed, context, "config")
    return config, problems


def _is_same(
    backup: files.Backup, config: Config, current: Mapping[str, Any], server: Server
) -> bool:
    """Say whether a stream holds what the backup holds, under the same configuration."""
    context = Context(server)
    declared = [
        declaration_of(STREAM, {"config": one}, context) for one in (config, current["config"])
    ]
    states = [
        (
            files.span(one),
            one.get("num_deleted") or 0,
            is_zero(one.get("last_ts")) or one["last_ts"],
        )
        for one in (backup.state, current["state"])
    ]
    return declared[0] == declared[1] and states[0] == states[1]


def pictures(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the pictures out of rows; return what the streams hold, before and after."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for row in rows:
        for side, name in ((before, "before"), (after, "after")):
            held = row.pop(name, None)
            if held:
                side[row["name"]] = held
    return before, after
