# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Replacing a stream by an archive, with an archive of the old one as the way back.

The archive is a backup, or the one of the old stream itself, put back under another configuration.

Messages refused until nothing is left that the restore makes the server forget; subjects away, so
that publishers get an error and not an acknowledgement for what is deleted next; a snapshot that is
whole and of what the stream holds; delete; restore; compare; subjects back. What fails after the
delete is undone with the snapshot. A journal beside the snapshot says how far it came, so that the
next run finishes or undoes what a run that was killed left.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files as files
from ansible_collections.nats.jetstream.plugins.module_utils import _drain, _restore
from ansible_collections.nats.jetstream.plugins.module_utils._backup import (
    left_out,
    look_at,
    write,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    JetStreamError,
    NoJetStream,
    PermissionDenied,
)
from ansible_collections.nats.jetstream.plugins.module_utils._expected import account_names
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import unfinished
from ansible_collections.nats.jetstream.plugins.module_utils._restore import (
    ABANDONED_AFTER,
    can_mark,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Server,
    without_zeros,
)
from ansible_collections.nats.jetstream.plugins.module_utils._snapshot import Request

JOURNAL, OLD = "journal.json", "old"
# How far a move has come, in its journal. Until DELETING the stream is the one that it was.
BEGUN, DELETING, DONE = "begun", "deleting", "done"
LOOKS, PAUSE = 5, 0.1  # how often a stream may change under the snapshot, s between two looks
# What a mark says that a stream is: the old one that takes no messages, the new one, or the old one
# put back.
QUIET, NEW, ORIGINAL = "quiet", "new", "old"
CALM_FOR, CALM_WITHIN = 0.3, 15.0  # s without a change, and how long to wait for that
SPARE = 64 * 1024 * 1024  # bytes of disk to leave, and for what is not messages

Info = dict[str, Any]
MOST_GAPS = 100_000  # which a server lists in one answer


class Move(NamedTuple):
    """What is to become of a stream: which backup (None: its own snapshot), under which config.

    folder is a directory of ours for the snapshot and the journal. may_lose tells from an INFO
    answer how many messages the configuration removes at most. forgets tells from one for how many
    seconds the server knows what it would forget, which is waited for; None forgets it.
    """

    name: str
    config: Config
    server: Server
    folder: str
    backup: Optional[files.Backup] = None
    may_lose: Optional[Callable[[Info], Awaitable[int]]] = None
    bent: Optional[Callable[[Config, Config], list[str]]] = None  # as in Expected
    forgets: Optional[_drain.Remaining] = None

    @property
    def done(self) -> str:
        return "replaced" if self.backup else "migrated"


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

    Two accounts and two clusters may have streams of the same name. A server outside of a cluster
    is known by its address: its name is another one after every start, unless it was given one.
    """
    connection = manager.connection
    place = connection.greeting.get("cluster") or connection.url
    account = await _account(manager)
    key = hashlib.sha256(repr((place, connection.prefix, account)).encode()).hexdigest()[:12]
    return os.path.join(base_of(path), f"{name}-{key}")


def base_of(path: Optional[str]) -> str:
    """Return the directory that holds those of all moves; without a path one for the user."""
    return path or os.path.join(tempfile.gettempdir(), f"nats.jetstream-{os.getuid()}")


async def _account(manager: Any) -> str:
    """Return the account of the user, empty where the server never tells (2.9).

    What fails for another reason may be told the next time, and then the directory was another one.
    """
    try:
        return (await account_names(manager.connection, manager.timeout))[0]
    except JetStreamError as error:
        if isinstance(error.__cause__, (NoJetStream, PermissionDenied)):
            return ""
        raise


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
    make_private(wanted.folder)
    with files.locked(wanted.folder):
        if journal_of(wanted.folder):
            raise JetStreamError(
                f"another task moved the stream {wanted.name} meanwhile and did not come to its "
                "end; run this task again"
            )
        try:
            return await _moved(manager, wanted)
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(wanted.folder)  # if nothing is in it


async def _moved(manager: Any, wanted: Move) -> Info:
    before = await manager.stream_info(wanted.name)
    consumers = (await look_at(manager, wanted.name))["consumers"]
    old = before["config"]
    recovery: dict[str, Any] = {
        "stream": old,
        "consumers": [{**one["config"], "name": name} for name, one in consumers.items()],
    }
    journal = {
        "name": wanted.name,
        "info": before,
        "new": wanted.config,
        "source": wanted.backup.path if wanted.backup else None,
    }
    state = _State(manager, wanted, before, journal)
    try:
        return await state.run()
    except (JetStreamError, OSError) as error:
        if state.path:
            recovery["path"] = state.path
        raise MoveFailed(
            f"the stream {wanted.name} could not be {wanted.done}: {_text(error)}. "
            f"Now {state.told}",
            recovery,
            error,
        ) from error


class _State:
    """One move on its way, and in words what the stream is by now.

    path is the snapshot, as long as it is the only thing that has what the stream held.
    """

    def __init__(self, manager: Any, wanted: Move, before: Info, journal: dict[str, Any]) -> None:
        self.manager, self.wanted, self.before = manager, wanted, before
        self.journal, self.old = journal, before["config"]
        self.told, self.path = "the stream is as it was", ""

    async def run(self) -> Info:
        manager, wanted = self.manager, self.wanted
        snapshot, look = await self._taken()
        try:
            await manager.delete_stream(wanted.name)
            await _restore.wait_gone(manager, wanted.name)
            info = await self._put_new(snapshot, look["consumers"])
        except BaseException as error:
            self.path = os.path.join(wanted.folder, OLD)
            self.told = (
                "the stream was deleted and could not be restored. Its snapshot is in "
                f"{self.path}: run the task again, or restore it by hand with: "
                f"nats stream restore {self.path}"
            )
            try:
                self.told = await self._undone(snapshot, look["consumers"])
            except JetStreamError as second:
                if all(isinstance(one, _restore.ENDED) for one in (error, second)):
                    self._write(DELETING, settled=True)
                raise
            self.path = ""
            close(wanted.folder, self.journal)
            raise
        close(wanted.folder, self.journal)
        return info

    async def _taken(self) -> tuple[files.Backup, Any]:
        """Return a snapshot of the stream that nobody publishes to any more, and its picture."""
        manager, wanted = self.manager, self.wanted
        try:
            self._write(BEGUN)
            await _silence(manager, wanted, self.before)
            snapshot, look = await _snapshot(manager, wanted, self.old)
            info = await manager.stream_info(wanted.name)
            self._write(
                DELETING,
                consumers=look["consumers"],
                gaps=await gaps_of(manager, info),
                may_lose=await wanted.may_lose(info) if wanted.may_lose else 0,
            )
            return snapshot, look
        except BaseException:
            self.told = (
                "the stream takes no messages, because it has another limit than its own "
                f"(max_bytes 1) or the subject {quiet_subject(wanted.name, '*')}; run the task "
                "again, which gives back what it had"
            )
            await _loud(manager, self.old)
            self.told = "the stream is as it was"
            close(wanted.folder, self.journal)
            raise

    def _write(self, step: str, **more: Any) -> None:
        self.journal.update(step=step, **more)
        _write_journal(self.wanted.folder, self.journal)

    async def _put_new(self, snapshot: files.Backup, consumers: Mapping[str, Any]) -> Info:
        wanted, journal = self.wanted, self.journal
        backup, expected = wanted.backup or snapshot, _restore.Expected()
        if not wanted.backup:
            expected = _restore.Expected(consumers, journal["may_lose"], journal["gaps"])
        expected = expected._replace(bent=wanted.bent)
        mark = f"{NEW} {wanted.folder}"
        return await _restore.put(
            self.manager, backup, wanted.config, wanted.server, mark, expected
        )

    async def _undone(self, snapshot: files.Backup, consumers: Mapping[str, Any]) -> str:
        """Bring the old stream back after a failure, and say in words what was done."""
        manager, wanted, name = self.manager, self.wanted, self.wanted.name
        left = await present(manager.stream_info(name))
        side = side_of(left, wanted.folder)
        if left is not None and side is None and can_mark(wanted.server):
            raise JetStreamError(f"somebody made a stream {name} meanwhile")
        if side == QUIET or (left is not None and is_quiet(left)):
            await _loud(manager, self.old)
            return "the stream is as it was"
        if left is not None:
            await manager.delete_stream(name)
            await _restore.wait_gone(manager, name)
        expected = _restore.Expected(consumers, 0, self.journal["gaps"])
        await _put_old(manager, wanted.server, wanted.folder, snapshot, expected)
        return "the stream was restored as it was"


async def _put_old(
    manager: Any, server: Server, folder: str, snapshot: files.Backup, expected: Any
) -> Info:
    config, mark = without_zeros(snapshot.config), f"{ORIGINAL} {folder}"
    return await _restore.put(manager, snapshot, config, server, mark, expected)


def _write_journal(folder: str, journal: Mapping[str, Any]) -> None:
    files.write_json(os.path.join(folder, JOURNAL), dict(journal))


def close(folder: str, journal: Mapping[str, Any]) -> None:
    """Remove what a move needed; killed on the way, it leaves a journal that says so."""
    with contextlib.suppress(OSError):
        _write_journal(folder, {**journal, "step": DONE})
    files.remove(folder)


def _text(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the snapshot'} cannot be written: {error.strerror}"
    return str(error).rstrip(".")


# --------------------------------------------------------------------------------------------------
# Quiet, and a snapshot of just that
# --------------------------------------------------------------------------------------------------


def quiet_subject(name: str, unique: str = "") -> str:
    return f"moving.{name}.{unique or secrets.token_hex(8)}"


def is_quiet(info: Info) -> bool:
    """Say whether a stream has no subjects but the one that it gets for a move."""
    start = quiet_subject(info["config"]["name"], "*")[:-1]
    return any(one.startswith(start) for one in info["config"].get("subjects") or ())


async def _silence(manager: Any, wanted: Move, before: Info) -> None:
    """Take the subjects away as soon as the server knows nothing that a restore makes it forget.

    Somebody may publish in the moment before the subjects go, and then that has to be waited for.
    """
    old, left = before["config"], wanted.forgets
    held = left is not None and left(before) > 0
    if left and held:
        await _hold(manager, wanted, old, left)
    await _quiet(manager, wanted, old)
    if left and not held and left(await manager.stream_info(wanted.name)) > 0:
        await _hold(manager, wanted, old, left)
        await _quiet(manager, wanted, old)


async def _hold(manager: Any, wanted: Move, old: Config, left: _drain.Remaining) -> None:
    """Let a stream take no message until it has forgotten those that it took."""
    obstacle = _drain.obstacle(old) or _drain.danger(old)
    if obstacle:
        raise JetStreamError(
            f"its duplicate_window is not over, and {obstacle}, under which the migration could "
            f"wait. {_drain.WHAT_TO_DO}"
        )
    await manager.update_stream(_as_quiet(wanted, _drain.holding(old)))
    await _drain.drained(manager, wanted.name, left)


def _as_quiet(wanted: Move, config: Config) -> Config:
    """Return a configuration with the mark of a stream that is the old one and takes no message."""
    if not can_mark(wanted.server):
        return config
    return _restore.with_mark(config, f"{QUIET} {wanted.folder}")


async def _quiet(manager: Any, wanted: Move, old: Config) -> None:
    """Take the subjects away, and wait until what was under way has come.

    A sealed stream takes no messages anyway, and no update.
    """
    if not old.get("sealed"):
        config = dict(old)
        if old.get("subjects"):
            config["subjects"] = [quiet_subject(wanted.name)]
        config = _as_quiet(wanted, config)
        if config != old:
            await manager.update_stream(config)
    last, since, deadline = None, time.monotonic(), time.monotonic() + CALM_WITHIN
    while time.monotonic() < deadline:
        seen = _still(await look_at(manager, wanted.name))
        if seen != last:
            last, since = seen, time.monotonic()
        elif time.monotonic() - since > CALM_FOR:
            return
        await asyncio.sleep(PAUSE)


async def _loud(manager: Any, old: Config) -> None:
    """Give a stream its subjects and limits back, and take its mark away."""
    if not old.get("sealed"):
        await manager.update_stream(old)


async def _snapshot(manager: Any, wanted: Move, old: Config) -> tuple[files.Backup, Any]:
    """Return a snapshot and the picture of the stream that it holds.

    Clients may still acknowledge, and other streams send; it is taken again until nothing moved.
    """
    request, folder = Request(), os.path.join(wanted.folder, OLD)
    for _look in range(LOOKS):
        look = await look_at(manager, wanted.name)
        snapshot = await write(manager, wanted.name, folder, look, request)
        missing = left_out(look, snapshot, request)
        if missing:
            text = "; ".join(f"{one['consumer']}: {one['reason']}" for one in missing)
            raise JetStreamError(f"the server leaves consumers out of its snapshots ({text})")
        after = await look_at(manager, wanted.name)
        if _still(look) == _still(after) and _holds(snapshot, look):
            return _with_config(snapshot, old), look
        await asyncio.sleep(PAUSE)
    raise JetStreamError(
        "its consumers go on acknowledging, or something else changes it; stop their clients or "
        "pause the consumers meanwhile"
    )


def _with_config(snapshot: files.Backup, old: Config) -> files.Backup:
    """Return a snapshot with the subjects that the stream had before, on the disk as well."""
    config = {**snapshot.config, "subjects": old.get("subjects"), "metadata": old.get("metadata")}
    config = {name: value for name, value in config.items() if value is not None}
    files.write_json(
        os.path.join(snapshot.path, files.META), {"config": config, "state": snapshot.state}
    )
    return snapshot._replace(config=config)


def _moves_by_itself(config: Config) -> tuple[str, ...]:
    """Return what of a state changes although nobody publishes."""
    if config.get("mirror") or config.get("sources"):
        return tuple(_STATE)
    if config.get("max_age") or config.get("allow_msg_ttl"):
        return ("messages", "bytes", "first_seq", "num_deleted")
    return ()


_STATE = ("messages", "bytes", "first_seq", "last_seq", "last_ts", "num_deleted")


def _still(look: Mapping[str, Any]) -> Any:
    """Return what of a picture stays the same as long as nothing is published or acknowledged."""
    moving = _moves_by_itself(look["config"])
    state = {name: value for name, value in look["state"].items() if name not in moving}
    return look["created"], look["config"], state, look["consumers"]


def _holds(snapshot: files.Backup, look: Any) -> bool:
    """Say whether the snapshot is of what was seen just before and just after it."""
    moving, held = _moves_by_itself(look["config"]), files.span(snapshot.state)
    return all(held[one] == look["state"][one] for one in held if one not in moving)


async def gaps_of(manager: Any, info: Info) -> Optional[list[int]]:
    """Return the sequences that a stream has lost, None where nobody can tell or compare them."""
    config, count = info["config"], info["state"].get("num_deleted") or 0
    if _moves_by_itself(config) or count > MOST_GAPS:
        return None
    if not count:
        return []
    detailed = await manager.stream_info(config["name"], deleted_details=True)
    return _restore.gaps_in(detailed["state"])


# --------------------------------------------------------------------------------------------------
# After a run that was killed
# --------------------------------------------------------------------------------------------------


def journal_of(folder: str) -> Optional[dict[str, Any]]:
    """Return the journal of a move that did not come to its end, None without one."""
    try:
        return files.read_json(os.path.join(folder, JOURNAL))
    except (OSError, JetStreamError):
        return None


NOTHING = "nothing was left to do"


class Left(NamedTuple):
    """What becomes of a move that did not come to its end: in words, and the stream after it."""

    told: str
    info: Optional[Info]
    consumers: dict[str, Info]
    changed: bool


async def resume(manager: Any, name: str, path: Optional[str], dry: bool) -> Optional[Left]:
    """Finish or undo what an earlier run has left of a stream, None when there is nothing.

    path is where that run kept its snapshot. dry says what it would bring, and does nothing.
    """
    try:
        if not any(entry.startswith(f"{name}-") for entry in os.listdir(base_of(path))):
            return None
    except OSError:
        return None
    folder = await folder_for(manager, name, path)
    if journal_of(folder) is None:
        return None
    server = await _restore.server_of(manager)
    with files.locked(folder):
        journal = journal_of(folder)
        return await recover(manager, server, folder, journal, dry) if journal else None


async def recover(
    manager: Any, server: Server, folder: str, journal: Mapping[str, Any], dry: bool = False
) -> Left:
    """Finish or undo a move that did not come to its end; dry says what that would bring.

    Raises JetStreamError when somebody else has made a stream of the name, whose messages are not
    those of the snapshot: then nothing is touched.
    """
    name, old, before = journal["name"], journal["info"]["config"], journal["info"]
    info = await _settled(manager, name, 0 if journal.get("settled") else ABANDONED_AFTER)
    if journal.get("settled") and not dry:  # until something is begun
        _write_journal(folder, {**journal, "settled": False})
    told, after = NOTHING, info
    side = side_of(info, folder)
    if journal["step"] == DONE:
        pass
    elif journal["step"] == BEGUN:
        if info is not None and (side == QUIET or is_quiet(info)):
            told, after = "it takes messages again", {**info, "config": old}
            if not dry:
                await _loud(manager, old)
    elif side == QUIET or (info is not None and side is None and is_quiet(info)):
        told, after = "it takes messages again", before
        if not dry:
            await _loud(manager, old)
    elif info is not None and side is None:
        _check_ours(info, folder, journal)
    elif side is not None and await _is_whole(manager, folder, journal, side):
        config = journal["new"] if side == NEW else old
        told = "it was finished" if side == NEW else "its snapshot was restored"
        after = {**(info or {}), "config": config}
        if not dry:
            after = await _restore.finish(manager, without_zeros(config))
    else:
        told, after = "its snapshot was restored", before
        if not dry:
            if info is not None:
                await manager.delete_stream(name)
                await _restore.wait_gone(manager, name)
            after = await _put_old(
                manager, server, folder, _old_of(folder, journal), _expected(journal)
            )
    if not dry:
        close(folder, journal)
    done = "replaced" if journal["source"] else "migrated"
    text = f"an earlier task that {done} stream {name} did not come to its end: {told}"
    consumers = {} if info is not None or after is None else _as_infos(name, journal)
    return Left(text, after, consumers, told != NOTHING)


def _as_infos(name: str, journal: Mapping[str, Any]) -> dict[str, Info]:
    """Return the consumers of a journal as their INFO answers."""
    return {
        consumer: {**place, "stream_name": name, "name": consumer}
        for consumer, place in (journal.get("consumers") or {}).items()
    }


def side_of(info: Optional[Info], folder: str) -> Optional[str]:
    """Return which side of a move in this folder a stream is, None when it has no mark.

    Raises JetStreamError when the mark is of a move in another folder.
    """
    mark = _restore.mark_of(info)
    if mark is None:
        return None
    side, _space, place = mark.partition(" ")
    if place != folder:
        raise JetStreamError(unfinished((info or {})["config"]["name"], mark))
    return side


def _check_ours(info: Info, folder: str, journal: Mapping[str, Any]) -> None:
    """Raise JetStreamError for a stream that does not have what the snapshot has.

    It carries no mark. So the move has ended but for its last line, or the stream is somebody's.
    """
    folders = [os.path.join(folder, OLD), *([journal["source"]] if journal["source"] else [])]
    states = [files.span(files.read_meta(one)[1]) for one in folders]
    if files.span(info["state"])["last_seq"] < min(state["last_seq"] for state in states):
        raise JetStreamError(
            f"somebody made a stream {journal['name']} while it was deleted, and it does not have "
            f"the messages of the old one. These are in {os.path.join(folder, OLD)}; restore them "
            f"(jetstream_restore with replace=true), or delete {folder} to give them up"
        )


async def _settled(manager: Any, name: str, within: float) -> Optional[Info]:
    """Return INFO once no restore can be under way any more that somebody began and left.

    within is how long one may be, in seconds.
    """
    deadline = time.monotonic() + within
    while True:
        info: Optional[Info] = await present(manager.stream_info(name))
        if info is not None or time.monotonic() > deadline:
            return info
        await asyncio.sleep(PAUSE)


def _old_of(folder: str, journal: Mapping[str, Any]) -> files.Backup:
    return files.read_backup(os.path.join(folder, OLD))


def _expected(journal: Mapping[str, Any], may_lose: int = 0) -> _restore.Expected:
    return _restore.Expected(journal["consumers"], may_lose, journal["gaps"])


async def _is_whole(manager: Any, folder: str, journal: Mapping[str, Any], side: str) -> bool:
    """Say whether a stream that is marked was restored to its end."""
    source, expected = journal["source"] if side == NEW else None, _restore.Expected()
    backup = files.read_backup(source or os.path.join(folder, OLD))
    if not source:
        expected = _expected(journal, journal["may_lose"] if side == NEW else 0)
    config = journal["new"] if side == NEW else journal["info"]["config"]
    try:
        await _restore.check(manager, backup, config, expected)
        return True
    except (_restore.Differs, ApiError):
        return False
