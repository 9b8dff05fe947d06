# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The data of an object on their way to a stream and from it, a bounded number of chunks ahead."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncGenerator
from typing import Any, Callable, NamedTuple

from ansible_collections.nats.jetstream.plugins.module_utils import _objects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    TRANSIENT,
    ApiError,
    ConnectionLost,
    JetStreamError,
    RequestTimeout,
)

IN_FLIGHT = 4 * 1024 * 1024  # bytes that are sent and not acknowledged
HEARTBEAT = 1_000_000_000  # ns
ABANDONED = 30_000_000_000  # ns after which a server drops a consumer that nobody listens to
NOT_NOW = (ConnectionLost, RequestTimeout)
AGAIN = 0.5  # s between two attempts


class Changed(JetStreamError):
    """What was read the second time is not what was read the first time."""


class _Chunk(NamedTuple):
    """A delivered chunk and its sequence in the stream."""

    data: bytes
    seq: int


# --------------------------------------------------------------------------------------------------
# Sending
# --------------------------------------------------------------------------------------------------


async def send(
    manager: Any, bucket: str, meta: _objects.Meta, opened: Callable[[], Any]
) -> _objects.Meta:
    """Send the data of an object, and return its meta with the nuid under which they are stored.

    opened returns the source as a binary file. What was sent is purged when not all of it could be
    stored; what may pass is tried again from the start until retry_for is over. Raises Changed when
    the source has not the digest that meta has.
    """
    deadline = None
    while True:
        sent = {**meta, "nuid": _objects.new_nuid()}
        try:
            await _send_once(manager, bucket, sent, opened)
            return sent
        except BaseException as error:
            await purge_after(manager, bucket, sent["nuid"], error)
            if not _may_pass(error):
                raise
            if deadline is None:
                deadline = time.monotonic() + manager.retry_for
            elif time.monotonic() > deadline:
                raise
        await asyncio.sleep(AGAIN)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, ApiError):
        return error.error_class == TRANSIENT
    return isinstance(error, NOT_NOW)


async def _send_once(
    manager: Any, bucket: str, meta: _objects.Meta, opened: Callable[[], Any]
) -> None:
    connection = manager.connection
    subject, chunk_size = _objects.chunk_subject(bucket, meta["nuid"]), _objects.chunk_size_of(meta)
    window = max(2, IN_FLIGHT // chunk_size)
    found, sent, acknowledged = hashlib.sha256(), 0, 0
    inbox = connection.new_inbox()
    async with await connection.subscribe(inbox, subject) as acks:
        try:
            with opened() as source:
                while True:
                    data = source.read(chunk_size)
                    if not data:
                        break
                    found.update(data)
                    await connection.publish(subject, data, inbox)
                    sent += 1
                    while sent - acknowledged >= window:
                        _judge(subject, await acks.next(manager.timeout))
                        acknowledged += 1
            if found.digest() != _objects.digest_of(meta) or sent != _objects.chunks_of(meta):
                raise Changed(
                    f"the source of {meta['name']} changed while it was sent; nothing of it was "
                    "kept. Run again when nobody writes to it"
                )
            while acknowledged < sent:
                _judge(subject, await acks.next(manager.timeout))
                acknowledged += 1
        except BaseException:
            # A purge may overtake what the server has not stored yet, so that is waited for.
            with contextlib.suppress(JetStreamError):
                while acknowledged < sent:
                    await acks.next(manager.timeout)
                    acknowledged += 1
            raise


def _judge(subject: str, message: Any) -> None:
    """Raise what an acknowledgement says is wrong."""
    headers = message.headers
    if headers is not None and headers.status == "503":
        raise JetStreamError(f"no stream stores the subject {subject}")
    try:
        answer = json.loads(message.data)
        refused = answer.get("error")
    except (ValueError, AttributeError) as error:
        raise JetStreamError(
            f"{subject} was answered by something other than a stream: {message.data[:200]!r}"
        ) from error
    if refused:
        words = refused.get("code"), refused.get("err_code"), refused.get("description", "")
        raise ApiError(f"a chunk on {subject}", *words)


async def purge(manager: Any, bucket: str, nuid: str) -> None:
    """Remove the chunks of one object. Nobody else writes to their subject, so it is repeatable."""
    body = json.dumps({"filter": _objects.chunk_subject(bucket, nuid)}).encode()
    request = f"STREAM.PURGE.{_objects.stream_of(bucket)}"
    await manager.repeated(lambda timeout: manager.try_request(request, body))


async def purge_after(manager: Any, bucket: str, nuid: str, cause: BaseException) -> None:
    """Remove the chunks of an object that was not stored; say so with the cause if that fails."""
    try:
        if isinstance(cause, NOT_NOW):
            await asyncio.sleep(AGAIN)  # for what is on its way to the stream
        await purge(manager, bucket, nuid)
    except JetStreamError as error:
        raise JetStreamError(
            f"{cause}; chunks that were sent are left on {_objects.chunk_subject(bucket, nuid)}, "
            f"because they could not be purged: {error}"
        ) from cause


# --------------------------------------------------------------------------------------------------
# Receiving
# --------------------------------------------------------------------------------------------------


async def receive(
    manager: Any, bucket: str, meta: _objects.Meta, write: Callable[[bytes], Any]
) -> None:
    """Hand the data of an object to write, chunk by chunk and in order.

    Raises JetStreamError when chunks are missing, when nothing comes any more for retry_for seconds
    although something should, and when the digest is another one than the object's.
    """
    found, size, after = hashlib.sha256(), 0, 0
    left = _objects.chunks_of(meta) if _objects.size_of(meta) else 0
    deadline = None
    while left:
        chunks = _delivered(manager, bucket, meta, left, after)
        try:
            async for chunk in chunks:
                found.update(chunk.data)
                write(chunk.data)
                size, after, left, deadline = size + len(chunk.data), chunk.seq, left - 1, None
                if not left:
                    break
        except NOT_NOW:
            # The next consumer is told at once what there is, so this ends when chunks are missing.
            if deadline is None:
                deadline = time.monotonic() + manager.retry_for
            elif time.monotonic() > deadline:
                raise
            await asyncio.sleep(min(AGAIN, manager.retry_for))
        finally:
            await chunks.aclose()
    stored = _objects.digest_of(meta)
    if size != _objects.size_of(meta) or (stored is not None and stored != found.digest()):
        raise JetStreamError(
            f"object {meta['name']} in bucket {bucket} is damaged: its data have {size} bytes and "
            f"the SHA-256 digest {found.hexdigest()}, not {_objects.size_of(meta)} bytes and "
            f"{stored.hex() if stored else 'none'}. Put it again"
        )


async def _delivered(
    manager: Any, bucket: str, meta: _objects.Meta, left: int, after: int
) -> AsyncGenerator[_Chunk, None]:
    """Yield what follows a sequence; end when something was lost on the way.

    A push consumer with flow control: the server sends as fast as the chunks are written, and no
    more than a window ahead. It is deleted at the end; the server drops it when nobody is there to
    do so.
    """
    connection, stream = manager.connection, _objects.stream_of(bucket)
    if connection.is_lost:
        await connection.reopen()
    subject, inbox = _objects.chunk_subject(bucket, meta["nuid"]), connection.new_inbox()
    config = {
        "name": f"object-{_objects.new_nuid()}",
        "deliver_subject": inbox,
        "deliver_policy": "all",
        "ack_policy": "none",
        "max_deliver": 1,
        "filter_subject": subject,
        "flow_control": True,
        "idle_heartbeat": HEARTBEAT,
        "inactive_threshold": ABANDONED,
        "mem_storage": True,
        "num_replicas": 1,
    }
    if after:
        config.update(deliver_policy="by_start_sequence", opt_start_seq=after + 1)
    async with await connection.subscribe(inbox) as listener:
        info = await manager.add_consumer(stream, config)
        try:
            # What was delivered by now is pending no more.
            there = info["num_pending"] + info["delivered"]["consumer_seq"]
            if there < left:
                total = _objects.chunks_of(meta)
                raise JetStreamError(
                    f"object {meta['name']} in bucket {bucket} is damaged: {left - there} of its "
                    f"{total} chunks are missing. Put it again"
                )
            expected = 1
            while True:
                message = await _next_chunk(connection, listener, manager.timeout)
                delivered, chunk = _placed(message)
                if delivered != expected:
                    return
                expected += 1
                yield chunk
        finally:
            with contextlib.suppress(JetStreamError):
                await asyncio.shield(_delete_consumer(manager, stream, config["name"]))


async def _delete_consumer(manager: Any, stream: str, name: str) -> None:
    if manager.connection.is_lost:
        return  # the server drops it
    try:
        await manager.try_request(f"CONSUMER.DELETE.{stream}.{name}", b"")
    except ApiError as error:
        if error.error_class != MISSING:
            raise


async def _next_chunk(connection: Any, listener: Any, timeout: float) -> Any:
    """Return the next message with data; answer the flow control on the way.

    Heartbeats do not count as something: they go on when a chunk was deleted meanwhile.
    """
    until = time.monotonic() + timeout
    while True:
        message = await listener.next(max(until - time.monotonic(), 0.001))
        headers = message.headers
        if headers is None or not headers.status:
            return message
        stalled = message.reply or headers.get("Nats-Consumer-Stalled")
        if stalled:
            await connection.publish(stalled, b"")


def _placed(message: Any) -> tuple[int, _Chunk]:
    """Return how many messages its consumer has delivered with this one, and the chunk.

    From the subject for the acknowledgement: the last five tokens, or seven with a random one at
    the end, are deliveries, sequences in the stream and of the consumer, time, and pending.
    """
    tokens = message.reply.split(".")
    fields = tokens[-5:] if len(tokens) < 11 else tokens[6:11]
    _times, seq, delivered, _when, _pending = map(int, fields)
    return delivered, _Chunk(message.data, seq)
