# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Replacing a stream by an archive, with an archive of the old one as the way back.

Subjects away, so that publishers get an error and not an acknowledgement for what is deleted next;
a snapshot that is whole and of what the stream holds; delete; restore; compare; subjects back. What
fails after the delete is undone with the snapshot. A journal beside the snapshot says how far it
came, so that the next run finishes or undoes what a run that was killed left.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files as files
from ansible_collections.nats.jetstream.plugins.module_utils import _restore
from ansible_collections.nats.jetstream.plugins.module_utils._backup import (
    left_out,
    look_at,
    write,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    JetStreamError,
)
from ansible_collections.nats.jetstream.plugins.module_utils._expected import account_names
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Server,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._snapshot import Request

JOURNAL, OLD = "journal.json", "old"
LOOKS, PAUSE = 5, 0.2  # how often a stream may change under the snapshot, s between two looks
SPARE = 64 * 1024 * 1024  # bytes of disk to leave, and for what is not messages

Info = dict[str, Any]


class Move(NamedTuple):
    """What is to become of a stream: which backup (None: its own snapshot), under which config.

    folder is a directory of ours for the snapshot and the journal.
    """

    name: str
    config: Config
    server: Server
    folder: str
    backup: Optional[files.Backup] = None
    may_lose: int = 0


class MoveFailed(JetStreamError):
    """A stream could not be replaced; recovery has the configurations and, if kept, a snapshot."""

    def __init__(self, message: str, recovery: dict[str, Any], cause: BaseException) -> None:
        super().__init__(message)
        self.recovery, self.cause = recovery, cause

    def result(self) -> dict[str, Any]:
        told = self.cause.result() if isinstance(self.cause, JetStreamError) else {}
        return {**told, "recovery": self.recovery}


# --------------------------------------------------------------------------------------------------
# Where
# --------------------------------------------------------------------------------------------------


async def folder_for(manager: Any, name: str, path: Optional[str]) -> str:
    """Return the directory for moving a stream: the same one for a later run, and nobody else's.

    Two accounts and two clusters may have streams of the same name.
    """
    connection = manager.connection
    greeting = connection.greeting
    place = greeting.get("cluster") or greeting.get("server_name") or connection.url
    account = await _account(manager)
    key = hashlib.sha256(repr((place, connection.prefix, account)).encode()).hexdigest()[:12]
    base = path or os.path.join(tempfile.gettempdir(), f"nats.jetstream-{os.getuid()}")
    return os.path.join(base, f"{name}-{key}")


async def _account(manager: Any) -> str:
    """Return the account of the user, empty where the server does not tell (2.9)."""
    try:
        return (await account_names(manager.connection, manager.timeout))[0]
    except JetStreamError:
        return ""


def make_private(folder: str) -> None:
    """Make a directory for its owner alone; refuse one that somebody else put there."""
    base = os.path.dirname(folder)
    os.makedirs(base, 0o700, exist_ok=True)
    for path in (base, folder):
        if path == folder:
            os.makedirs(path, 0o700, exist_ok=True)
        found = os.lstat(path)
        shared = path == folder or os.path.basename(path).startswith("nats.jetstream-")
        if not stat.S_ISDIR(found.st_mode) or (shared and found.st_uid != os.getuid()):
            raise JetStreamError(f"{path} is not a directory of this user")
    os.chmod(folder, 0o700)


def room_problem(folder: str, size: int) -> Optional[str]:
    """Return what to say when a snapshot of so many bytes may not fit on the disk."""
    path = folder
    while not os.path.isdir(path):
        path = os.path.dirname(path) or "/"
    found = os.statvfs(path)
    free = found.f_bavail * found.f_frsize
    if free < size + SPARE:
        return f"{path} has {free} bytes free, and the stream has {size}"
    return None


# --------------------------------------------------------------------------------------------------
# Doing it
# --------------------------------------------------------------------------------------------------


async def move(manager: Any, wanted: Move) -> Info:
    """Replace a stream; return the INFO answer of the new one.

    Raises MoveFailed once something was changed; its text says what the stream is now.
    """
    before = await look_at(manager, wanted.name)
    old = before["config"]
    recovery: dict[str, Any] = {"stream": old, "consumers": _configs(before)}
    journal = {
        "name": wanted.name,
        "created": before["created"],
        "old": old,
        "new": wanted.config,
        "source": wanted.backup.path if wanted.backup else None,
        "may_lose": wanted.may_lose,
    }
    step = "the stream is as it was"
    try:
        _write_journal(wanted.folder, journal)
        try:
            await _quiet(manager, wanted.name, old)
            snapshot, look = await _snapshot(manager, wanted, old)
            _write_journal(wanted.folder, {**journal, "consumers": look["consumers"]})
        except BaseException:
            await _loud(manager, old)
            raise
        step = "the stream was deleted"
        try:
            await manager.delete_stream(wanted.name)
            await _restore.wait_gone(manager, wanted.name)
            info = await _put_new(manager, wanted, snapshot, look["consumers"])
        except BaseException:
            step = await _undo(manager, wanted, before, snapshot, look["consumers"])
            raise
        files.remove(wanted.folder)
        return info
    except (JetStreamError, OSError) as error:
        if step == "the stream was deleted":
            path = os.path.join(wanted.folder, OLD)
            step = (
                f"{step} and could not be restored. Its snapshot is {path}: run the task again, "
                f"or restore it by hand with: nats backup restore stream {path}"
            )
            recovery["path"] = path
        else:
            files.remove(wanted.folder)
        raise MoveFailed(
            f"the stream {wanted.name} could not be replaced: {_text(error)}. Now {step}",
            recovery,
            error,
        ) from error


def _write_journal(folder: str, journal: Mapping[str, Any]) -> None:
    files.write_json(os.path.join(folder, JOURNAL), dict(journal))


async def _undo(
    manager: Any,
    wanted: Move,
    before: Mapping[str, Any],
    snapshot: files.Backup,
    consumers: Mapping[str, Any],
) -> str:
    """Bring the old stream back after a failure, and say in words what was done."""
    left = await present(manager.stream_info(wanted.name))
    mark = _restore.mark_of(left)
    if left is not None and mark is None:
        if left["created"] != before["created"]:
            raise JetStreamError(f"somebody made a stream {wanted.name} meanwhile")
        await _loud(manager, before["config"])
        return "the stream is as it was"
    if left is not None:
        await manager.delete_stream(wanted.name)
        await _restore.wait_gone(manager, wanted.name)
    config, mark = without_zeros(snapshot.config), f"old {wanted.folder}"
    await _restore.put(manager, snapshot, config, wanted.server, mark, consumers)
    return "the stream was restored as it was"


def _text(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the snapshot'} can not be written: {error.strerror}"
    return str(error).rstrip(".")


def _configs(look: Mapping[str, Any]) -> list[Config]:
    return [{**one["config"], "name": name} for name, one in look["consumers"].items()]


def quiet_subject(name: str) -> str:
    return f"moving.{name}.{secrets.token_hex(8)}"


async def _quiet(manager: Any, name: str, old: Config) -> None:
    """Take the subjects away; a sealed stream takes no messages anyway, and no update."""
    if old.get("subjects") and not old.get("sealed"):
        await manager.update_stream({**old, "subjects": [quiet_subject(name)]})


async def _loud(manager: Any, old: Config) -> None:
    if old.get("subjects") and not old.get("sealed"):
        await manager.update_stream(old)


async def _snapshot(manager: Any, wanted: Move, old: Config) -> tuple[files.Backup, Any]:
    """Return a snapshot and the picture of the stream that it holds.

    Clients may still acknowledge, and other streams send; it is taken again until nothing moved.
    """
    flows = bool(old.get("mirror") or old.get("sources"))
    request, folder = Request(), os.path.join(wanted.folder, OLD)
    for _look in range(LOOKS):
        look = await look_at(manager, wanted.name)
        snapshot = await write(manager, wanted.name, folder, look, request)
        missing = left_out(look, snapshot, request)
        if missing:
            text = "; ".join(f"{one['consumer']}: {one['reason']}" for one in missing)
            raise JetStreamError(f"the server leaves consumers out of its snapshots ({text})")
        after = await look_at(manager, wanted.name)
        if _same(look, after, flows) and _holds(snapshot, look, flows):
            return snapshot._replace(config={**snapshot.config, **_subjects(old)}), look
        await asyncio.sleep(PAUSE)
    raise JetStreamError(
        "its consumers go on acknowledging, or something else changes it; stop their clients or "
        "pause the consumers meanwhile"
    )


def _subjects(old: Config) -> Config:
    return {"subjects": old["subjects"]} if old.get("subjects") else {}


def _same(look: Any, after: Any, flows: bool) -> bool:
    if flows:
        return bool(look["consumers"] == after["consumers"])
    return bool(look == after)


def _holds(snapshot: files.Backup, look: Any, flows: bool) -> bool:
    """Say whether the snapshot is of what was seen just before and just after it."""
    names = () if flows else ("messages", "first_seq", "last_seq")
    return all(snapshot.state.get(one, 0) == look["state"].get(one, 0) for one in names)


async def _put_new(
    manager: Any, wanted: Move, snapshot: files.Backup, consumers: Mapping[str, Any]
) -> Info:
    mark = f"new {wanted.folder}"
    backup, places = (wanted.backup, None) if wanted.backup else (snapshot, consumers)
    config = wanted.config
    return await _restore.put(manager, backup, config, wanted.server, mark, places, wanted.may_lose)


# --------------------------------------------------------------------------------------------------
# After a run that was killed
# --------------------------------------------------------------------------------------------------


def journal_of(folder: str) -> Optional[dict[str, Any]]:
    """Return the journal of a move that did not come to its end, None without one."""
    try:
        return files.read_json(os.path.join(folder, JOURNAL))
    except (OSError, JetStreamError):
        return None


async def recover(manager: Any, server: Server, folder: str, journal: Mapping[str, Any]) -> str:
    """Finish or undo a move that did not come to its end; return what was done, in words."""
    name, old, new = journal["name"], journal["old"], journal["new"]
    info = await _settled(manager, name)
    mark = _restore.mark_of(info)
    done = "nothing was left to do"
    if info is None:
        await _restored(manager, server, folder, journal)
        done = "its snapshot was restored"
    elif mark is not None:
        side = mark.partition(" ")[0]
        if await _is_whole(manager, folder, journal, side):
            await _restore.finish(manager, new if side == "new" else without_zeros(old))
            done = "it was finished" if side == "new" else "its snapshot was restored"
        else:
            await manager.delete_stream(name)
            await _restore.wait_gone(manager, name)
            await _restored(manager, server, folder, journal)
            done = "its snapshot was restored"
    elif any(one.startswith(f"moving.{name}.") for one in info["config"].get("subjects") or ()):
        await manager.update_stream(old)
        done = "it got its subjects back"
    files.remove(folder)
    return f"an earlier task that replaced stream {name} did not come to its end: {done}"


async def _settled(manager: Any, name: str) -> Optional[Info]:
    """Return INFO once no restore can be under way any more that somebody began and left."""
    deadline = time.monotonic() + _restore.ABANDONED_AFTER
    while True:
        info: Optional[Info] = await present(manager.stream_info(name))
        if info is not None or time.monotonic() > deadline:
            return info
        await asyncio.sleep(PAUSE)


async def _restored(manager: Any, server: Server, folder: str, journal: Mapping[str, Any]) -> None:
    snapshot = _old_of(folder, journal)
    config = without_zeros(journal["old"])
    places = journal.get("consumers")
    await _restore.put(manager, snapshot, config, server, f"old {folder}", places)


def _old_of(folder: str, journal: Mapping[str, Any]) -> files.Backup:
    snapshot = files.read_backup(os.path.join(folder, OLD))
    return snapshot._replace(config={**snapshot.config, **_subjects(journal["old"])})


async def _is_whole(manager: Any, folder: str, journal: Mapping[str, Any], side: str) -> bool:
    """Say whether a stream that is marked was restored to its end."""
    source = journal.get("source") if side == "new" else None
    backup = files.read_backup(source) if source else _old_of(folder, journal)
    places = None if source else journal.get("consumers")
    config, may_lose = journal[side], journal.get("may_lose", 0) if side == "new" else 0
    try:
        await _restore.check(manager, backup, config, places, may_lose)
        return True
    except (_restore.Differs, ApiError):
        return False
