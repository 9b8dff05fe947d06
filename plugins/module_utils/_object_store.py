# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""One object as a task wants it: read what is stored, decide, send what differs, look again."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _objects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    ConnectionLost,
    JetStreamError,
    NotSent,
    Refused,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._messages import leader_get
from ansible_collections.nats.jetstream.plugins.module_utils._objects import Meta, Stored
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

PIECE = 1024 * 1024  # bytes that are read of a file at once


class Place(NamedTuple):
    """An object in a bucket."""

    bucket: str
    name: str

    def __str__(self) -> str:
        return f"object {self.name} in bucket {self.bucket}"


class Source(NamedTuple):
    """Where data come from: a text's bytes, or a file."""

    content: Optional[bytes] = None
    path: Optional[str] = None
    option: str = "src"  # where the path was said

    def opened(self) -> Any:
        """Return a binary file to read from; raise JetStreamError when there is none."""
        if self.path is None:
            return io.BytesIO(self.content or b"")
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise JetStreamError(self.unreadable(error)) from error

    def unreadable(self, error: OSError) -> str:
        return f"{self.option}: {self.path} cannot be read: {error.strerror}"


class Outcome(NamedTuple):
    """What was done, or would be: action is none, create, update, or delete.

    before and after are metas, None where nothing is known; sent are the bytes of data.
    """

    action: str
    before: Optional[Meta]
    after: Optional[Stored]
    sent: int = 0


def wishes(params: Mapping[str, Any]) -> tuple[_objects.Wanted, Optional[Source]]:
    """Return what a task with these options wants, and where the data come from, if any do."""
    link = params["link"] and {name: text for name, text in params["link"].items() if text}
    fields, size = _objects.wire_fields(params, []), _objects.chunk_size(params, [])
    source = None
    if params["content"] is not None:
        source = Source(content=params["content"].encode())
    elif params["src"] is not None:
        source = Source(path=params["src"])
    return _objects.Wanted(fields, None, link, size), source


def result(place: Place, outcome: Outcome, diff: bool) -> dict[str, Any]:
    """Return an outcome as the module returns it."""
    after = outcome.after
    found = {
        "changed": outcome.action != "none",
        "action": outcome.action,
        "sent": outcome.sent,
        "object": _objects.row(place.bucket, after) if after else None,
    }
    if diff:
        from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

        found["diff"] = {
            "before": to_yaml(_objects.shown(outcome.before)),
            "after": to_yaml(_objects.shown(after.meta if after else None)),
            "before_header": str(place),
            "after_header": str(place),
        }
    return found


async def data_of(source: Source) -> _objects.Data:
    """Return size and digest of a source, read piece by piece."""
    return await asyncio.to_thread(_data_of, source)


def _data_of(source: Source) -> _objects.Data:
    found, size = hashlib.sha256(), 0
    with source.opened() as file:
        try:
            while True:
                piece = file.read(PIECE)
                if not piece:
                    return _objects.Data(size, found.digest())
                found.update(piece)
                size += len(piece)
        except OSError as error:
            raise JetStreamError(source.unreadable(error)) from error


async def read_meta(manager: Any, place: Place) -> Optional[Stored]:
    """Return what the bucket's leader has of an object, markers of deleted ones included.

    Raises ApiError (missing) without the bucket.
    """
    subject = _objects.meta_subject(*place)
    message = await leader_get(manager, _objects.stream_of(place.bucket), {"last_by_subj": subject})
    return None if message is None else _objects.parse(place.bucket, message)


def without_bucket(error: ApiError, bucket: str) -> ApiError:
    """Return the server's answer that there is no stream in the words of buckets."""
    text = f"there is no bucket {bucket} ({error.description}). Create it first"
    return ApiError(error.request, error.code, error.err_code, text)


async def find(manager: Any, place: Place) -> Optional[Stored]:
    """Return an object that is there, None when it or its bucket is missing."""
    try:
        stored = await read_meta(manager, place)
    except ApiError as error:
        if error.error_class != MISSING:
            raise
        return None
    return stored if stored is not None and _objects.is_there(stored.meta) else None


async def follow(manager: Any, place: Place) -> tuple[Place, Optional[Stored]]:
    """Return the object that a place means after all links, and where it is.

    Raises JetStreamError for links that lead in a circle or to a whole bucket.
    """
    passed: list[Place] = []
    while True:
        stored = await find(manager, place)
        link = _objects.link_of(stored.meta) if stored else None
        if link is None:
            return place, stored
        passed.append(place)
        if "name" not in link:
            raise JetStreamError(
                f"{place} is a link to the whole bucket {link.get('bucket')}; name an object in it"
            )
        place = Place(link["bucket"], link["name"])
        if place in passed:
            way = " -> ".join(f"{one.bucket}/{one.name}" for one in [*passed, place])
            raise JetStreamError(f"{passed[0]} is a link that leads in a circle: {way}")


# --------------------------------------------------------------------------------------------------
# Present
# --------------------------------------------------------------------------------------------------


async def put(
    manager: Any,
    place: Place,
    wanted: _objects.Wanted,
    source: Optional[Source],
    check: bool,
    warn: Callable[[str], None],
) -> Outcome:
    """Let an object be as a task wants it. In check mode nothing is written."""
    found, config = await _look(manager, place, check, warn)
    current = found.meta if found is not None and _objects.is_there(found.meta) else None
    if source is not None:
        wanted = wanted._replace(data=await _source_data(source, check, warn))
    sends = wanted.data is not None and not _objects.holds(current, wanted.data)
    if current is not None and wanted.data is not None and not sends:
        sends = await _has_gaps(manager, place, current)
    if current is None and wanted.data is None and wanted.link is None:
        text = f"there is no {place}; give it src, content or link"
        if not check:
            raise JetStreamError(text)
        warn(f"{text}, unless an earlier task creates it")
    after = _objects.desired(*place, current, wanted, sends)
    if current is not None and not sends and _objects.same(current, after):
        return Outcome("none", current, found)
    action = "create" if current is None else "update"
    sent = _objects.size_of(after) if sends else 0
    await _refuse(manager, place, config, current, after, sent)
    if wanted.link is not None and wanted.link != _objects.link_of(current or {}):
        await _check_link(manager, place, wanted.link, check, warn)
    if check:
        return Outcome(action, current, Stored(after), sent)
    stored = await _write(manager, place, found, after, source if sends else None)
    return Outcome(action, current, stored, sent)


async def _look(
    manager: Any, place: Place, check: bool, warn: Callable[[str], None]
) -> tuple[Optional[Stored], Optional[dict[str, Any]]]:
    """Return what there is, and the configuration of the bucket's stream (None: no bucket yet)."""
    stream = _objects.stream_of(place.bucket)
    try:
        found, info = await asyncio.gather(read_meta(manager, place), manager.stream_info(stream))
    except ApiError as error:
        if error.error_class != MISSING:
            raise
        if not check:
            raise without_bucket(error, place.bucket) from error
        warn(f"the bucket {place.bucket} does not exist yet; an earlier task has to create it")
        return None, None
    return found, info["config"]


async def _source_data(source: Source, check: bool, warn: Callable[[str], None]) -> _objects.Data:
    if check and source.path is not None and not os.path.exists(source.path):
        warn(f"{source.path} does not exist yet; an earlier task has to create it")
        return _objects.Data(0, None)
    return await data_of(source)


async def _has_gaps(manager: Any, place: Place, meta: Meta) -> bool:
    """Say whether chunks of an object are missing, so that nobody can read it."""
    subject = _objects.chunk_subject(place.bucket, meta.get("nuid") or "")
    if not _objects.chunks_of(meta):
        return False
    info = await manager.stream_info(_objects.stream_of(place.bucket), subjects_filter=subject)
    stored = sum((info["state"].get("subjects") or {}).values())
    return bool(stored != _objects.chunks_of(meta))


async def _refuse(
    manager: Any,
    place: Place,
    config: Optional[dict[str, Any]],
    current: Optional[Meta],
    after: Meta,
    sent: int,
) -> None:
    """Raise Refused for what the server would refuse, or what would lose an object."""
    problems = list(_limits(manager.connection.max_payload, config or {}, after, sent))
    if config is not None:
        problems += _closed(config, place)
    if current is not None and _objects.link_of(after) and not _objects.link_of(current):
        text = f"{place} has data, which a link would replace; make it absent first"
        problems.append(Problem("link", text))
    if problems:
        raise Refused.because(str(place), problems)


def _closed(config: dict[str, Any], place: Place) -> list[Problem]:
    """Return why nothing can be written to a bucket at all."""
    if config.get("sealed"):
        text = f"{place.bucket} is sealed, so that nothing in it can be changed any more"
        return [Problem("bucket", text)]
    if not config.get("allow_rollup_hdrs"):
        text = f"the stream {config['name']} has no allow_rollup_hdrs, which a bucket needs"
        return [Problem("bucket", text)]
    return []


def _limits(max_payload: int, config: dict[str, Any], after: Meta, sent: int) -> Any:
    """Yield what is larger than the server or the bucket takes."""
    chunk = min(sent, _objects.chunk_size_of(after))
    largest, name = max_payload, "the server's max_payload"
    of_stream = config.get("max_msg_size") or -1
    if 0 < of_stream < largest:
        largest, name = of_stream, "the bucket's max_msg_size"
    if chunk > largest:
        text = f"chunks of {chunk} bytes are larger than {name} of {largest} bytes"
        yield Problem("chunk_size", f"{text}; make them smaller")
    size = len(_objects.encode(after)) + HEADERS
    if size > largest:
        text = f"with description, headers and metadata the object's own message has {size} bytes"
        yield Problem("metadata", f"{text}, more than {name} of {largest} bytes")
    max_bytes = config.get("max_bytes") or -1
    if 0 < max_bytes < sent:
        text = f"{sent} bytes of data are more than the bucket's max_bytes of {max_bytes} bytes"
        yield Problem("bucket", text)


HEADERS = 128  # bytes, at most, of a meta's own headers, with the nuid and digest to come


async def _check_link(
    manager: Any, place: Place, link: Any, check: bool, warn: Callable[[str], None]
) -> None:
    """Refuse a link to nothing or to a link, as other clients do; in check mode warn of nothing."""
    if "name" in link:
        target = Place(link["bucket"], link["name"])
        stored = await find(manager, target)
        missing = stored is None
        if stored is not None and _objects.link_of(stored.meta):
            text = f"{target} is a link itself; link to what it leads to"
            raise Refused.because(str(place), [Problem("link", text)])
    else:
        target, missing = f"bucket {link['bucket']}", False  # type: ignore[assignment]
        try:
            await manager.stream_info(_objects.stream_of(link["bucket"]))
        except ApiError as error:
            if error.error_class != MISSING:
                raise
            missing = True
    if missing and not check:
        raise Refused.because(str(place), [Problem("link", f"there is no {target} to link to")])
    if missing:
        warn(f"there is no {target} to link to yet; an earlier task has to create it")


async def _write(
    manager: Any, place: Place, found: Optional[Stored], after: Meta, source: Optional[Source]
) -> Stored:
    """Store the meta, before it the data if there is a source, and return what is stored then."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _object_transfer

    if source is not None:
        after = await _object_transfer.send(manager, place.bucket, after, source.opened)
    elif not after.get("nuid"):
        after = {**after, "nuid": _objects.new_nuid()}
    try:
        seq = await _publish_meta(manager, place, found, after)
    except BaseException as error:
        if source is None or not await _was_stored(manager, place, after, error):
            if source is not None:
                await _object_transfer.purge_after(manager, place.bucket, after["nuid"], error)
            raise
        if not isinstance(error, JetStreamError):
            raise
        seq = 0
    try:
        stored = await read_meta(manager, place)
    except JetStreamError as error:
        text = f"{place} was stored, but after that it could not be read"
        old = _old_chunks(found, after)
        if old:
            subject = _objects.chunk_subject(place.bucket, old)
            text += f", and the chunks that it had before are left on {subject}"
        raise JetStreamError(f"{text}: {error}") from error
    if stored is None or (stored.seq == seq and stored.meta != after):
        raise JetStreamError(f"{place} was stored and is not what was sent when read again")
    await _purge_old(manager, place, found, after)
    return stored


async def _was_stored(manager: Any, place: Place, meta: Meta, cause: BaseException) -> bool:
    """Say whether a meta whose publishing failed is there after all: it may need its chunks."""
    try:
        stored = await read_meta(manager, place)
    except JetStreamError as error:
        subject = _objects.chunk_subject(place.bucket, meta["nuid"])
        raise JetStreamError(
            f"{cause}; whether {place} was stored is not known, so its chunks were left on "
            f"{subject}: {error}"
        ) from cause
    return stored is not None and stored.meta.get("nuid") == meta["nuid"]


async def _publish_meta(manager: Any, place: Place, found: Optional[Stored], meta: Meta) -> int:
    from ansible_collections.nats.jetstream.plugins.module_utils._headers import Headers
    from ansible_collections.nats.jetstream.plugins.module_utils._messages import publish_after

    return await publish_after(
        manager,
        _objects.stream_of(place.bucket),
        _objects.meta_subject(*place),
        _objects.encode(meta),
        Headers([_objects.ROLLUP]),
        found.seq if found is not None else 0,
    )


def _old_chunks(found: Optional[Stored], after: Meta) -> Optional[str]:
    """Return the nuid of the chunks that an object had before and has no more."""
    old = found.meta.get("nuid") if found is not None and _objects.is_there(found.meta) else None
    return old if old and (old != after["nuid"] or after.get("deleted")) else None


async def _purge_old(manager: Any, place: Place, found: Optional[Stored], after: Meta) -> None:
    """Remove the chunks that the object had before."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _object_transfer

    old = _old_chunks(found, after)
    if not old:
        return
    try:
        await _object_transfer.purge(manager, place.bucket, old)
    except JetStreamError as error:
        what = "deleted" if after.get("deleted") else "stored"
        raise JetStreamError(
            f"{place} was {what}, but the chunks that it had before are left on "
            f"{_objects.chunk_subject(place.bucket, old)}: {error}"
        ) from error


# --------------------------------------------------------------------------------------------------
# Absent
# --------------------------------------------------------------------------------------------------


async def delete(manager: Any, place: Place, check: bool, warn: Callable[[str], None]) -> Outcome:
    """Delete an object: a marker stays, its chunks go."""
    found, config = await _look(manager, place, check, warn)
    if found is None or not _objects.is_there(found.meta):
        return Outcome("none", None, None)
    problems = _closed(config or {}, place)
    if problems:
        raise Refused.because(str(place), problems)
    if not check:
        marker = _objects.deleted(found.meta)
        try:
            await _publish_meta(manager, place, found, marker)
        except (ConnectionLost, RequestTimeout) as error:
            nuid = _old_chunks(found, marker)
            if nuid and not isinstance(error, NotSent):
                subject = _objects.chunk_subject(place.bucket, nuid)
                error.args = (f"{error}. If it was, the chunks are left on {subject}",)
            raise
        await _purge_old(manager, place, found, marker)
    return Outcome("delete", found.meta, None)
