# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Reading key-value buckets as ADR-8 of NATS has them: keys by filter, entries, and their history.

Keys come from the stream's own count of its subjects, so no consumer is made for them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    JetStreamError,
    NoJetStream,
    PermissionDenied,
)
from ansible_collections.nats.jetstream.plugins.module_utils._messages import (
    Message,
    direct_get,
    direct_last,
    leader_get,
)
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    MAX_NAME,
    subject_problem,
)

IN_FLIGHT = 64
STREAM_PREFIX = "KV_"
MAX_BUCKET = MAX_NAME - len(STREAM_PREFIX)
# A server reads no more than 4096 bytes of a line. The key is on one, with the bucket twice.
MAX_KEY = 3000
_TOO_LONG = f"has {{}} characters, at most {MAX_KEY} can be sent to a server"
DEFAULT_API = "$JS.API"
OPERATION, MARKER_REASON = "KV-Operation", "Nats-Marker-Reason"
PUT, DELETE, PURGE = "put", "delete", "purge"
# What the server writes itself when the last value of a key ran out or was removed, from 2.11 on.
_OPERATIONS = {"DEL": DELETE, "PURGE": PURGE, "Remove": DELETE, "MaxAge": PURGE, "Purge": PURGE}

_BUCKET = re.compile(r"[a-zA-Z0-9_-]+")
_KEY = re.compile(r"[-/_=.a-zA-Z0-9]+")
_FILTER = re.compile(r"[-/_=.a-zA-Z0-9*>]+")


# --------------------------------------------------------------------------------------------------
# Names
# --------------------------------------------------------------------------------------------------


def bucket_problem(name: str) -> Optional[str]:
    """Return why no bucket can have this name, None when one can."""
    if not name:
        return "is empty"
    if not _BUCKET.fullmatch(name):
        return f"{name!r} is no name of a bucket, which has only letters, digits, _ and -"
    if len(name) > MAX_BUCKET:
        return f"has {len(name)} characters, a server accepts at most {MAX_BUCKET}"
    return None


def key_problem(key: str) -> Optional[str]:
    """Return why no entry can have this key, None when one can."""
    if not key:
        return "is empty"
    if len(key) > MAX_KEY:
        return _TOO_LONG.format(len(key))
    if not _KEY.fullmatch(key):
        return f"{key!r} is no key, which has only letters, digits and - / _ = ."
    if "" in key.split("."):
        return f"{key!r} has a dot too many: none comes first, last, or after another"
    if key.startswith("_kv"):
        return f"{key!r} begins with _kv, which is reserved"
    return None


def filter_problem(pattern: str) -> Optional[str]:
    """Return why this can match no key, None when it can. ``*`` and ``>`` are whole tokens."""
    if len(pattern) > MAX_KEY:
        return _TOO_LONG.format(len(pattern))
    if pattern and not _FILTER.fullmatch(pattern):
        return f"{pattern!r} matches no key, which has only letters, digits and - / _ = ."
    if any(len(token) > 1 and set("*>") & set(token) for token in pattern.split(".")):
        return f"{pattern!r} has a wildcard inside a token; * and > stand between dots"
    return subject_problem(pattern)


def is_filter(pattern: str) -> bool:
    return bool(set("*>") & set(pattern.split(".")))


# --------------------------------------------------------------------------------------------------
# Buckets
# --------------------------------------------------------------------------------------------------


class Bucket(NamedTuple):
    """A bucket as its stream's INFO tells it.

    ``stored`` is the prefix of its subjects in the stream, ``sent`` that of the subjects on which
    is written: for a mirror, that of its origin.
    """

    name: str
    info: dict[str, Any]
    stored: str
    sent: str

    @property
    def stream(self) -> str:
        return f"{STREAM_PREFIX}{self.name}"

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.info["config"]
        return config

    @property
    def is_mirror(self) -> bool:
        return bool(self.config.get("mirror"))

    @property
    def is_only_copy(self) -> bool:
        """Whether no replica can be behind, so that a direct get tells what the leader knows."""
        replicas = (self.info.get("cluster") or {}).get("replicas")
        return (self.config.get("num_replicas") or 1) == 1 and not replicas


async def find_bucket(manager: Any, name: str) -> Optional[Bucket]:
    """Return a bucket, None if there is none; raise JetStreamError for a stream that is none."""
    try:
        info = await manager.stream_info(f"{STREAM_PREFIX}{name}")
    except ApiError as error:
        if error.error_class == MISSING:
            return None
        raise
    if info["config"].get("max_msgs_per_subject", 0) < 1:
        raise JetStreamError(
            f"the stream {STREAM_PREFIX}{name} is no bucket: its max_msgs_per_subject, the history "
            "of a bucket, is not 1 or more"
        )
    return bucket_of(manager, name, info)


def bucket_of(manager: Any, name: str, info: dict[str, Any]) -> Bucket:
    """Return the bucket of a name that a stream's INFO tells of."""
    stored, sent = prefixes(name, info["config"], manager.connection.prefix)
    return Bucket(name, info, stored, sent)


def prefixes(name: str, config: dict[str, Any], api: str = DEFAULT_API) -> tuple[str, str]:
    """Return the prefixes of the subjects that a bucket stores, and of those it is written with.

    Behind a domain or an API prefix the subjects to write stand below that; those of a mirror
    whose origin is behind another prefix stand below the other one.
    """
    mirror = config.get("mirror") or {}
    origin = mirror.get("name", "")
    if origin.startswith(STREAM_PREFIX):
        name = origin[len(STREAM_PREFIX) :]
    stored = f"$KV.{name}."
    through = (mirror.get("external") or {}).get("api") or (api if api != DEFAULT_API else "")
    return stored, f"{through}.{stored}" if through else stored


# --------------------------------------------------------------------------------------------------
# Entries
# --------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One revision of a key. operation is put, delete, or purge; created is RFC 3339."""

    key: str
    revision: int
    created: str
    operation: str
    data: bytes

    @property
    def is_live(self) -> bool:
        return self.operation == PUT


def entry_of(message: Message, bucket: Bucket) -> Entry:
    headers = message.headers
    mark = headers.get(OPERATION) or headers.get(MARKER_REASON) or ""
    key = message.subject[len(bucket.stored) :]
    return Entry(key, message.seq, message.time, _OPERATIONS.get(mark, PUT), message.data)


async def count_revisions(
    manager: Any, bucket: Bucket, filters: Optional[Iterable[str]] = None
) -> dict[str, int]:
    """Return how many revisions, markers included, each key has that matches a filter.

    All keys without filters. The stream's leader tells it.
    """
    found: dict[str, int] = {}
    patterns = {">"} if filters is None else set(filters)
    for pattern in sorted({">"} if ">" in patterns else patterns):
        subject = f"{bucket.stored}{pattern}"
        info = await manager.stream_info(bucket.stream, subjects_filter=subject)
        subjects = info["state"].get("subjects") or {}
        found.update((name[len(bucket.stored) :], count) for name, count in subjects.items())
    return found


class Reader:
    """Reads entries of a bucket, by direct gets where they will do.

    sure: what is read decides a write, so nothing that may be behind is asked. A direct get that
    finds nothing, or was answered by a mirror, is asked of the leader again.
    """

    def __init__(self, manager: Any, bucket: Bucket, sure: bool) -> None:
        self.manager, self.bucket = manager, bucket
        self.direct = bool(bucket.config.get("allow_direct")) and (bucket.is_only_copy or not sure)

    async def last(self, key: str) -> Optional[Entry]:
        """Return the last revision of a key, which may be a marker."""
        subject, stream = f"{self.bucket.stored}{key}", self.bucket.stream
        message = await self._directly(lambda: direct_last(self.manager, stream, subject))
        if message is None:
            message = await leader_get(self.manager, stream, {"last_by_subj": subject})
        return message and entry_of(message, self.bucket)

    async def revisions(self, key: str, at_most: int) -> list[Entry]:
        """Return the revisions of a key that are kept, the oldest first."""
        found: list[Entry] = []
        subject, stream = f"{self.bucket.stored}{key}", self.bucket.stream
        while len(found) < at_most:
            request = {
                "seq": found[-1].revision + 1 if found else 1,
                "next_by_subj": subject,
            }
            message = await self._directly(
                lambda request=request: direct_get(self.manager, stream, request)  # type: ignore[misc]
            )
            if message is None:
                message = await leader_get(self.manager, stream, request)
            if message is None:
                break
            found.append(entry_of(message, self.bucket))
        return found

    async def _directly(self, ask: Callable[[], Awaitable[Optional[Message]]]) -> Optional[Message]:
        if not self.direct:
            return None
        try:
            return await ask()
        except (NoJetStream, PermissionDenied):
            self.direct = False  # an API that is imported need not have it
            return None


async def read_entries(
    manager: Any, bucket: Bucket, keys: Iterable[str], sure: bool = True
) -> dict[str, Entry]:
    """Return the last revisions of those keys that have any, markers included."""
    reader = Reader(manager, bucket, sure)
    found: dict[str, Entry] = {}

    async def read(key: str) -> None:
        entry = await reader.last(key)
        if entry is not None:
            found[key] = entry

    await in_flight(read, keys)
    return found


async def read_history(
    manager: Any, bucket: Bucket, counts: dict[str, int]
) -> dict[str, list[Entry]]:
    """Return all revisions of keys; counts says how many each has."""
    reader = Reader(manager, bucket, sure=False)
    found: dict[str, list[Entry]] = {}

    async def read(key: str) -> None:
        found[key] = await reader.revisions(key, counts[key])

    await in_flight(read, counts)
    return found


async def in_flight(work: Callable[[Any], Awaitable[None]], tasks: Iterable[Any]) -> None:
    """Work on many things at a time. The first error ends it: what is under way is finished."""
    waiting = iter(tasks)
    errors: list[BaseException] = []

    async def worker() -> None:
        for task in waiting:
            if errors:
                return
            try:
                await work(task)
            except JetStreamError as error:
                errors.append(error)

    await asyncio.gather(*(worker() for _number in range(IN_FLIGHT)))
    if errors:
        raise errors[0]
