# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Backups as files: one directory per stream, as the ``nats`` command has them too.

``backup.json`` holds the configuration and the state of the stream, ``stream.arc.s2`` (from
nats-server 2.15 on) or ``stream.tar.s2`` the archive. ``manifest.json`` is ours: checksums, and
what the stream looked like. ``previous`` holds older generations, each a directory like that.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._archive import (
    ARCHIVE,
    TAR,
    BadArchive,
    Contents,
    look_into,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import name_problem

META, MANIFEST, PREVIOUS = "backup.json", "manifest.json", "previous"
ARCHIVES = {ARCHIVE: "stream.arc.s2", TAR: "stream.tar.s2"}
PARTIAL = "stream.part"
LARGEST_META = 64 * 1024 * 1024  # bytes
PIECE = 1024 * 1024  # bytes, to read at a time


class BadBackup(JetStreamError):
    """A directory that holds no backup, or one that is not whole."""


def span(state: Mapping[str, Any]) -> dict[str, int]:
    """Return how many messages a stream has and the sequences of its first and last.

    An empty stream begins after its last message. Servers say so, or that it begins at 0, of the
    same stream before and after a restart or a restore (seen on 2.10.27 and 2.15.1).
    """
    held = {field: int(state.get(field) or 0) for field in ("messages", "first_seq", "last_seq")}
    return held if held["messages"] else {**held, "first_seq": held["last_seq"] + 1}


class Backup(NamedTuple):
    """A backup that was found whole. manifest is empty when something else made it."""

    path: str
    archive: str
    size: int
    config: dict[str, Any]
    state: dict[str, Any]
    contents: Contents
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.config["name"])


# --------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------


def is_backup(path: str) -> bool:
    return os.path.isfile(os.path.join(path, META))


def read_manifest(path: str) -> dict[str, Any]:
    """Return what we wrote of a backup, nothing when something else made it."""
    try:
        return read_json(os.path.join(path, MANIFEST))
    except FileNotFoundError:
        return {}


def read_meta(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return configuration and state of a backup; raise BadBackup when it has none."""
    file = os.path.join(path, META)
    try:
        found = read_json(file)
    except OSError as error:
        raise BadBackup(f"{path} holds no backup: {file}: {error.strerror}") from error
    config, state = found.get("config"), found.get("state")
    if not isinstance(config, dict) or not isinstance(state, dict):
        raise BadBackup(f"{file} holds no configuration and state of a stream")
    problem = name_problem(str(config.get("name") or ""))
    if problem:
        raise BadBackup(f"{file}: the name {problem}")
    numbers = ("messages", "bytes", "first_seq", "last_seq")
    if not all(isinstance(state.get(number, 0), int) for number in numbers):
        raise BadBackup(f"{file} holds no state of a stream")
    return config, state


def read_backup(path: str) -> Backup:
    """Return a backup after looking at all of it; raise BadBackup for what is wrong with it."""
    config, state = read_meta(path)
    manifest = read_manifest(path)
    found = [name for name in ARCHIVES.values() if os.path.isfile(os.path.join(path, name))]
    if len(found) != 1:
        which = " and ".join(found) or f"neither {' nor '.join(ARCHIVES.values())}"
        raise BadBackup(f"{path} holds {which}; a backup has one archive")
    archive = os.path.join(path, found[0])
    size, expected = os.path.getsize(archive), manifest.get("bytes")
    if expected is not None and expected != size:
        raise BadBackup(f"{archive} has {size} bytes, and {expected} were written")
    expected = manifest.get("sha256")
    if expected is not None and digest(archive) != expected:
        raise BadBackup(f"{archive} is not what was written: its SHA-256 differs")
    try:
        contents = look_into(archive)
    except BadArchive as error:
        raise BadBackup(str(error)) from error
    backup = Backup(path, archive, size, config, state, contents, manifest)
    _compare(backup)
    return backup


def _compare(backup: Backup) -> None:
    """Hold the state inside the archive against the one beside it, where there is one inside."""
    inside, beside = backup.contents.state, backup.state
    if not inside:
        return
    for (name, one), other in zip(span(inside).items(), span(beside).values()):
        if one != other:
            raise BadBackup(
                f"{backup.archive} and {META} do not belong together: {name} is {one} and {other}"
            )


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(PIECE)
            if not piece:
                return sha.hexdigest()
            sha.update(piece)


def read_json(file: str) -> dict[str, Any]:
    with open(file, "rb") as opened:
        if os.fstat(opened.fileno()).st_size > LARGEST_META:
            raise BadBackup(f"{file} is larger than it can be")
        try:
            found = json.loads(opened.read())
        except ValueError as error:
            raise BadBackup(f"{file} holds no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadBackup(f"{file} holds no JSON object")
    return found


# --------------------------------------------------------------------------------------------------
# Writing
# --------------------------------------------------------------------------------------------------


class Writer:
    """Takes the chunks of an archive, in a directory that only its owner can read."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        remove(folder)
        os.mkdir(folder, 0o700)
        self.file = _create(os.path.join(folder, PARTIAL))
        self.sha, self.size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.sha.update(chunk)
        self.size += len(chunk)

    def finish(self, config: dict[str, Any], state: dict[str, Any]) -> Backup:
        """Close the archive, look into it, and return the backup, with nothing but what it is."""
        _flush(self.file)
        part = os.path.join(self.folder, PARTIAL)
        contents = look_into(part)
        archive = os.path.join(self.folder, ARCHIVES[contents.kind])
        os.rename(part, archive)
        write_json(os.path.join(self.folder, META), {"config": config, "state": state})
        backup = Backup(self.folder, archive, self.size, config, state, contents, {})
        _compare(backup)
        return backup

    def close(self) -> None:
        self.file.close()


def write_json(path: str, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    with _create(f"{path}.part") as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")
        _flush(file)
    os.replace(f"{path}.part", path)


def _create(path: str) -> BinaryIO:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    return os.fdopen(handle, "wb", buffering=0)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def remove(path: str) -> None:
    """Remove a directory of ours, if it is there."""
    if os.path.lexists(path):
        shutil.rmtree(path)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Make a directory, and be the only one of us that writes there.

    The lock is on the directory itself: the nats command wants nothing but directories in it.
    """
    os.makedirs(path, 0o700, exist_ok=True)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JetStreamError(f"another task is writing to {path}; let it end first") from error
        yield
    finally:
        os.close(handle)


# --------------------------------------------------------------------------------------------------
# Generations
# --------------------------------------------------------------------------------------------------


def beside(folder: str, what: str) -> str:
    """Return a directory next to one, hidden: ``.ORDERS.new``."""
    parent, name = os.path.split(folder)
    return os.path.join(parent, f".{name}.{what}")


def install(new: str, folder: str, keep: int) -> None:
    """Put a new backup in its place; the one there becomes the newest of the previous ones."""
    tidy(folder, keep)
    if os.path.lexists(folder):
        os.rename(folder, beside(folder, "old"))
    os.rename(new, folder)
    tidy(folder, keep)


def tidy(folder: str, keep: int) -> None:
    """Finish what a run that was killed began, and keep so many generations."""
    old, previous = beside(folder, "old"), os.path.join(folder, PREVIOUS)
    if os.path.lexists(old) and not os.path.lexists(folder):
        os.rename(old, folder)
    if os.path.lexists(old):
        older = os.path.join(old, PREVIOUS)
        if os.path.isdir(older) and not os.path.lexists(previous):
            os.rename(older, previous)
        if keep > 1:
            os.makedirs(previous, 0o700, exist_ok=True)
            os.rename(old, os.path.join(previous, _stamp(old)))
        else:
            remove(old)
    if os.path.isdir(previous):
        for name in sorted(os.listdir(previous), reverse=True)[keep - 1 :]:
            remove(os.path.join(previous, name))
        if not os.listdir(previous):
            os.rmdir(previous)


def generations(folder: str) -> int:
    """Return how many backups a directory of a stream holds."""
    previous = os.path.join(folder, PREVIOUS)
    return int(is_backup(folder)) + (len(os.listdir(previous)) if os.path.isdir(previous) else 0)


def _stamp(folder: str) -> str:
    """Return when a backup was taken as a name that sorts, one that is not there yet."""
    taken: Optional[float] = read_manifest(folder).get("taken_at")
    at = float(taken or os.path.getmtime(os.path.join(folder, META)))
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(at)) + f".{int(at * 1e6) % 1_000_000:06d}Z"
