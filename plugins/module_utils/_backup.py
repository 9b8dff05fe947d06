# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Backing streams up: which ones, whether it is needed, and what a backup leaves out."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files as files
from ansible_collections.nats.jetstream.plugins.module_utils._archive import BadArchive
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    TRANSIENT,
    UNSUPPORTED,
    ApiError,
    JetStreamError,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import (
    is_glob,
    matching,
    present,
)
from ansible_collections.nats.jetstream.plugins.module_utils._snapshot import (
    Request,
    SnapshotFailed,
    take,
)

PREFIXES = {"streams": "", "kv_buckets": "KV_", "object_buckets": "OBJ_"}
LISTING = 10.0  # s; a server waits 4 s for the others before it answers
SILENT = object()
NO_SNAPSHOT = (10064, UNSUPPORTED)  # what 2.9 and 2.10 answer for streams in memory


class Options(NamedTuple):
    """How streams are backed up. keep counts generations, parallel streams at a time.

    named are the streams that are asked for by name, and not by a pattern.
    """

    path: str
    request: Request = Request()
    keep: int = 1
    only_if_changed: bool = False
    parallel: int = 4
    dry: bool = False
    named: frozenset[str] = frozenset()


class BackupFailed(JetStreamError):
    """Some streams could not be backed up; rows tells of all of them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        bad = [row for row in rows if row["action"] == "failed"]
        self.rows = rows
        text = "; ".join(f"{row['name']}: {row['reason']}" for row in bad)
        super().__init__(f"{len(bad)} of {len(rows)} streams could not be backed up: {text}")

    def result(self) -> dict[str, Any]:
        pictures(self.rows)
        return {"streams": self.rows}


# --------------------------------------------------------------------------------------------------
# Which
# --------------------------------------------------------------------------------------------------


def wanted(params: Mapping[str, Any]) -> list[str]:
    """Return the names and patterns of streams that are asked for; all when none are."""
    names = [
        f"{prefix}{name}" for option, prefix in PREFIXES.items() for name in params[option] or ()
    ]
    asked = any(params[option] is not None for option in PREFIXES)
    return names if asked else ["*"]


class Chosen(NamedTuple):
    """Which streams are backed up, which named ones do not exist, and which gave no answer."""

    names: list[str]
    missing: list[str]
    silent: frozenset[str]


async def chosen(manager: Any, names: Iterable[str]) -> Chosen:
    """Return the streams that names and patterns mean.

    Streams are only listed where a pattern is given.
    """
    patterns = [name for name in names if is_glob(name)]
    plain = list(dict.fromkeys(name for name in names if not is_glob(name)))

    async def look(name: str) -> Any:
        try:
            return await present(manager.stream_info(name))
        except JetStreamError as error:
            if not _unanswered(error):
                raise
            return SILENT

    answers = dict(zip(plain, await asyncio.gather(*(look(name) for name in plain))))
    found = [name for name, answer in answers.items() if answer is not None]
    if patterns:
        found += matching(await manager.stream_names(), patterns)
    silent = frozenset(name for name, answer in answers.items() if answer is SILENT)
    missing = [name for name, answer in answers.items() if answer is None and name not in found]
    return Chosen(list(dict.fromkeys(found)), missing, silent)


def _unanswered(error: Exception) -> bool:
    """Say whether a request went on getting no answer, or "not now" for one."""
    later = isinstance(error, ApiError) and error.error_class == TRANSIENT
    return later or isinstance(error, RequestTimeout)


class _Offline:
    """The streams that no server answers for, which a listing tells.

    It is asked for once, when a stream went without an answer for as long as the task may wait.
    """

    def __init__(self, manager: Any) -> None:
        self.manager, self.names = manager, frozenset[str]()
        self._lock, self._asked = asyncio.Lock(), False

    async def has(self, name: str) -> bool:
        async with self._lock:
            if not self._asked:
                manager = copy.copy(self.manager)
                manager.timeout = max(manager.timeout, LISTING)
                with contextlib.suppress(JetStreamError):  # not allowed to list, for example
                    self.names = (await manager.streams_listing())[1]
                self._asked = True
        return name in self.names


# --------------------------------------------------------------------------------------------------
# One after the other, several at a time
# --------------------------------------------------------------------------------------------------


async def back_up(
    manager: Any, names: list[str], options: Options, silent: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Back streams up; return a row for each, in order. Raises BackupFailed when one failed.

    silent are those that are known to give no answer.
    """
    gate, offline = asyncio.Semaphore(options.parallel), _Offline(manager)

    async def one(name: str) -> dict[str, Any]:
        async with gate:
            row = {"name": name, "path": os.path.join(options.path, name), **_EMPTY}
            if name in offline.names or (name in silent and await offline.has(name)):
                return {**row, **_is_offline(name, options)}
            try:
                return {**row, **await _one(manager, name, row["path"], options)}
            except (JetStreamError, OSError) as error:
                if _unanswered(error) and await offline.has(name):
                    return {**row, **_is_offline(name, options)}
                return {**row, **_why(error, options.path)}

    with contextlib.ExitStack() as locked:
        if not options.dry:
            try:
                locked.enter_context(files.locked(options.path))
            except OSError as error:
                text = f"path: {options.path} cannot be written: {error.strerror}"
                raise JetStreamError(text) from error
        rows = list(await asyncio.gather(*(one(name) for name in names)))
    if any(row["action"] == "failed" for row in rows):
        raise BackupFailed(rows)
    return rows


_EMPTY: dict[str, Any] = {
    "messages": None,
    "consumers": None,
    "bytes": None,
    "sha256": None,
    "duration": None,
    "left_out": [],
    "reason": None,
}


def _is_offline(name: str, options: Options) -> dict[str, Any]:
    """Return action and reason: without a stream that is asked for by name, a backup failed."""
    reason = (
        "it is offline: no server that has it answers. The servers that hold it are down, or most "
        "of the cluster is: look at them, and run the task again. An earlier backup of it stays"
    )
    return {"action": "failed" if name in options.named else "skipped", "reason": reason}


def _why(error: Exception, path: str) -> dict[str, Any]:
    """Return action and reason of a stream that was not backed up."""
    if isinstance(error, ApiError) and (error.err_code, error.error_class) == NO_SNAPSHOT:
        reason = "this server makes no snapshots of streams in memory, nats-server 2.15 does"
        return {"action": "skipped", "reason": reason}
    if isinstance(error, ApiError) and error.error_class == MISSING:
        return {"action": "skipped", "reason": "the stream was deleted meanwhile"}
    if isinstance(error, OSError):
        return {"action": "failed", "reason": f"{path} cannot be written: {error.strerror}"}
    return {"action": "failed", "reason": str(error)}


async def _one(manager: Any, name: str, folder: str, options: Options) -> dict[str, Any]:
    started = time.monotonic()
    look = await look_at(manager, name)
    before = last(folder)
    row = {"before": before["seen"]["state"] if before.get("seen") else None, "after": look}
    if options.only_if_changed and is_same(folder, before, look, options.request):
        kept = {field: before.get(field) for field in ("bytes", "sha256", "consumers", "left_out")}
        return {**row, **kept, **_counts(look), "action": "none"}
    if os.path.lexists(folder) and not files.is_backup(folder) and os.listdir(folder):
        raise JetStreamError(f"{folder} holds something other than a backup; it is left alone")
    if options.dry:
        if look["config"].get("storage") == "memory":
            await _try(manager, name)
        return {**row, **_counts(look), "action": "backup"}
    written = await write(manager, name, files.beside(folder, "new"), look, options.request)
    files.install(written.path, folder, options.keep)
    return {
        **row,
        "action": "backup",
        "messages": written.state["messages"],
        "consumers": len(written.contents.consumers),
        "bytes": written.size,
        "sha256": written.manifest["sha256"],
        "duration": round(time.monotonic() - started, 3),
        "left_out": written.manifest["left_out"],
    }


def _counts(look: Mapping[str, Any]) -> dict[str, Any]:
    return {"messages": look["state"]["messages"]}


async def _try(manager: Any, name: str) -> None:
    """Ask for a snapshot that goes nowhere, which a server that makes none refuses at once."""
    try:
        await manager.snapshot_request(
            name, {"deliver_subject": manager.connection.new_inbox(), "no_consumers": True}
        )
    except ApiError as error:
        if (error.err_code, error.error_class) == NO_SNAPSHOT:
            raise


async def write(
    manager: Any, name: str, folder: str, look: Mapping[str, Any], request: Request
) -> files.Backup:
    """Take a snapshot into a new directory; return it, with its manifest, when it is whole.

    Nothing stays of one that is not.
    """
    writer = files.Writer(folder)
    try:
        answer = await take(manager, name, request, writer.write)
        try:
            backup = writer.finish(answer["config"], answer["state"])
        except BadArchive as error:
            raise SnapshotFailed(
                f"the server broke off the snapshot of stream {name}, or a part of it was lost: "
                f"{error}"
            ) from error
        manifest = {
            "made_by": "nats.jetstream",
            "taken_at": time.time(),
            "server": manager.connection.greeting.get("version"),
            "archive": os.path.basename(backup.archive),
            "bytes": backup.size,
            "sha256": writer.sha.hexdigest(),
            "consumers": len(backup.contents.consumers),
            "left_out": left_out(look, backup, request),
            "with_consumers": request.consumers,
            "seen": look,
        }
        files.write_json(os.path.join(folder, files.MANIFEST), manifest)
        return backup._replace(manifest=manifest)
    except BaseException:
        writer.close()
        files.remove(folder)
        raise


# --------------------------------------------------------------------------------------------------
# What a stream looks like, and what of it is in a backup
# --------------------------------------------------------------------------------------------------


async def look_at(manager: Any, name: str) -> dict[str, Any]:
    """Return a picture of a stream: the same picture, the same stream with the same content."""
    info = await manager.stream_info(name)
    consumers = await manager.consumers_info(name)
    fields = ("messages", "bytes", "first_seq", "last_seq", "last_ts", "num_deleted")
    state = {**{field: info["state"].get(field) for field in fields}, **files.span(info["state"])}
    return {
        "created": info["created"],
        "config": info["config"],
        "state": state,
        "consumers": {one["name"]: place_of(one) for one in consumers},
    }


def place_of(consumer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a consumer and how far it has come."""
    pairs = {
        pair: {field: consumer[pair][field] for field in ("consumer_seq", "stream_seq")}
        for pair in ("delivered", "ack_floor")
    }
    counts = {field: consumer.get(field, 0) for field in ("num_ack_pending", "num_redelivered")}
    return {"config": consumer["config"], **pairs, **counts}


def last(folder: str) -> dict[str, Any]:
    """Return the manifest of the newest backup, nothing where there is none of ours."""
    try:
        return files.read_manifest(folder)
    except (JetStreamError, OSError):
        return {}


def is_same(
    folder: str, manifest: Mapping[str, Any], look: Mapping[str, Any], request: Request
) -> bool:
    """Say whether the newest backup is of what the stream is now, and is still there."""
    archive = os.path.join(folder, str(manifest.get("archive")))
    return bool(
        manifest.get("seen") == look
        and manifest.get("with_consumers") == request.consumers
        and files.is_backup(folder)
        and os.path.isfile(archive)
        and os.path.getsize(archive) == manifest.get("bytes")
    )


def left_out(
    look: Mapping[str, Any], backup: files.Backup, request: Request
) -> list[dict[str, str]]:
    """Return the consumers that the server did not put into a snapshot, each with a reason."""
    if not request.consumers:
        return []
    replicas = look["config"].get("num_replicas") or 1
    return [
        {"consumer": name, "reason": _reason(one["config"], replicas)}
        for name, one in look["consumers"].items()
        if name not in backup.contents.consumers
    ]


def _reason(config: Mapping[str, Any], replicas: int) -> str:
    if config.get("mem_storage"):
        return "its state is in memory, and nats-server 2.15 was the first to save that"
    if (config.get("num_replicas") or replicas) < replicas:
        return "it has fewer replicas than the stream, so the server that was asked may lack it"
    return "it was deleted meanwhile, or its server does not have it"


def warnings(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what backups do not hold, as sentences."""
    told = []
    for row in rows:
        if row["action"] == "skipped":
            told.append(f"stream {row['name']} was not backed up: {row['reason']}")
        for one in row["left_out"]:
            told.append(
                f"the backup of stream {row['name']} is without its consumer {one['consumer']}: "
                f"{one['reason']}"
            )
    return told


def pictures(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the pictures out of rows; return what the backups hold, before and after, by stream."""
    before, after = {}, {}
    for row in rows:
        old: Optional[dict[str, Any]] = row.pop("before", None)
        new = row.pop("after", None)
        if old:
            before[row["name"]] = files.span(old)
        if new or old:
            held = (new or {}).get("state") if row["action"] == "backup" else old
            after[row["name"]] = files.span(held or {})
    return before, after
