# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The snapshot protocol: the data of a stream from a server to a file, and back.

A server sends a snapshot in chunks and waits for their acknowledgements, so that no more than a
window of them is ever under way; a restore is sent with as many unanswered chunks at most. So the
memory it takes depends on the window and not on the stream.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, BinaryIO, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    ConnectionLost,
    JetStreamError,
    PermissionDenied,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present

ACK_SUBJECTS = "$JS.SNAPSHOT.ACK.>"
RESTORE_SUBJECTS = "$JS.SNAPSHOT.RESTORE.>"

CHUNK_SIZE = 512 * 1024  # bytes
IDLE = 15.0  # s; a server gives up after 2 s (2.9, 2.10) or 5 s without an acknowledgement
CHECKED = 8 * 1024 * 1024  # bytes/s; how fast at least a server looks through a stream
RESTORE_WINDOW = 8  # chunks
TAKEN_WITHIN = 10.0  # s; a server gives up a restore in which nothing moves for 5 s

# A server that has all of a restore unpacks it, and then reads it once more (2.9, 2.10). So the
# time that it is given grows with what it has to do, as on a disk that is slow.
WORK_TIME = 60.0  # s; and for each byte:
WORKED_OFF = 4 * 1024 * 1024  # bytes/s
AGAIN = 2.0  # s; before the server gives the restore up
ALIKE = 5  # looks that far apart; what they find unchanged is not worked at any more
NO_RESPONDERS, DONE = "503", "204"

_IMPORT = (
    "Through an account that imports $JS.API.> alone it is not possible: connect to the account "
    "that has the stream, or import and export {subjects} too"
)


class SnapshotFailed(JetStreamError):
    """A snapshot or a restore that a server or the way to it did not bring to its end."""


class Unanswered(SnapshotFailed):
    """A restore that a server has all of, and of which nobody knows what becomes of it."""


class Request(NamedTuple):
    """What is asked of a snapshot. chunk_size and window_size are bytes; None leaves it open."""

    consumers: bool = True
    check: bool = False
    chunk_size: int = CHUNK_SIZE
    window_size: Optional[int] = None

    def body(self, inbox: str) -> dict[str, Any]:
        body: dict[str, Any] = {"deliver_subject": inbox, "chunk_size": self.chunk_size}
        if not self.consumers:
            body["no_consumers"] = True
        if self.check:
            body["jsck"] = True
        if self.window_size:
            body["window_size"] = self.window_size
        return body


async def take(
    manager: Any, stream: str, request: Request, write: Callable[[bytes], Any]
) -> dict[str, Any]:
    """Hand the archive of a stream to write, chunk by chunk; return the config and state it has.

    write runs in a thread, one chunk at a time. Raises SnapshotFailed when the server breaks off,
    PermissionDenied when the acknowledgements may not be sent, and what write raises.
    """
    connection, loop = manager.connection, asyncio.get_running_loop()
    inbox = connection.new_inbox()
    async with await connection.subscribe(inbox) as listener:
        listener.watch(ACK_SUBJECTS)
        timeout = max(manager.timeout, IDLE)
        if request.check:  # before 2.15 a server answers when it has looked through all of it
            timeout += (await manager.stream_info(stream))["state"]["bytes"] / CHECKED
        answer: dict[str, Any] = await manager.snapshot_request(
            stream, request.body(inbox), timeout
        )
        parts = 0
        try:
            while True:
                message = await listener.next(IDLE)
                if not message.data:
                    _check_end(stream, message)
                    return {"config": answer["config"], "state": answer["state"]}
                # Before it is written: the server counts the seconds until it comes.
                if message.reply:
                    parts += 1
                    _check_part(stream, parts, message.reply)
                    await connection.publish(message.reply, b"")
                await loop.run_in_executor(None, write, bytes(message.data))
        except RequestTimeout as error:
            raise SnapshotFailed(
                f"the server accepted the snapshot of stream {stream} and sent nothing for "
                f"{IDLE:g} s. {_IMPORT.format(subjects=ACK_SUBJECTS)}"
            ) from error


def _check_part(stream: str, number: int, reply: str) -> None:
    """Raise SnapshotFailed when another chunk came than the one after the last.

    A server ends the subject of an acknowledgement with the size of the chunk and its number.
    """
    *_subject, came = reply.split(".")
    if reply.startswith(ACK_SUBJECTS[:-1]) and came.isdigit() and int(came) != number:
        raise SnapshotFailed(
            f"a part of the snapshot of stream {stream} was lost on the way: number {came} came "
            f"instead of number {number}"
        )


def _check_end(stream: str, message: Any) -> None:
    """Raise SnapshotFailed when the last message says that the snapshot is not whole.

    2.9 ends without a status, whatever happened; the archive shows whether it is whole.
    """
    headers = message.headers
    status = headers.status if headers else ""
    if status and status != DONE:
        text = f"{status} {headers.get('Description', '')}".strip()
        advice = (
            f": the acknowledgements did not get to it. {_IMPORT.format(subjects=ACK_SUBJECTS)}"
            if status == "408"
            else ""
        )
        raise SnapshotFailed(
            f"the server broke off the snapshot of stream {stream}: {text}{advice}"
        )


async def give(manager: Any, config: dict[str, Any], state: dict[str, Any], file: BinaryIO) -> None:
    """Send an archive under a configuration; return when the server has made a stream of it.

    Whether it is what was sent is not looked at. Raises ApiError when the server refuses it,
    SnapshotFailed and PermissionDenied as take does, Unanswered when the server may still be at
    work. When the file cannot be read any more, the restore is ended on the server, so that what
    it leaves can be deleted.
    """
    request = f"STREAM.RESTORE.{config['name']}"
    answer = await manager.restore_request(config, state)
    async with _Sender(manager.connection, request, answer["deliver_subject"]) as sender:
        try:
            await sender.send(file)
            await _finish(manager, config["name"], sender, int(state.get("bytes") or 0))
        except (JetStreamError, asyncio.CancelledError):
            raise  # the server has ended it, or does so when it hears nothing more
        except BaseException:
            await _give_up(sender)
            raise


async def _finish(manager: Any, name: str, sender: _Sender, size: int) -> None:
    """Say that this was all, and return when the server has made a stream of size bytes of it.

    The end, or the answer to it, may get lost, with the connection or without. So the end is said
    again while a server that missed it still waits for it. When nobody listens there any more, the
    restore is over. Otherwise the server is at work, or was, and the stream tells: it is there when
    it is whole (2.9, 2.10), or from the start on, and grows (2.15).
    """
    answered = await sender.end(AGAIN)
    deadline = time.monotonic() + WORK_TIME + max(size, sender.sent) / WORKED_OFF
    if sender.is_cut:
        await _look(manager, name, sender)  # which connects again
        await sender.listen()
    # Never a third time: 2.9 and 2.10 have room for one end besides the one they work on. The next
    # one blocks what reads this connection, in a cluster what reads a route, for ever.
    answered = answered or await sender.end(AGAIN)
    found, alike = None, 0
    while not answered:
        before, found = found, await _look(manager, name, sender)
        alike = alike + 1 if found == before else 0
        is_late = time.monotonic() > deadline
        if found and (sender.is_over or alike >= ALIKE or is_late):
            return
        if is_late or (sender.is_over and alike >= ALIKE):
            kind = SnapshotFailed if sender.is_over else Unanswered
            raise kind(
                f"the server did not answer to the end of {sender.request}, and has no such stream"
            )
        answered = await sender.answered(AGAIN)


async def _look(manager: Any, name: str, sender: _Sender) -> Any:
    """Return what changes while a server works at a stream, None while it has none.

    Raises Unanswered when nobody tells.
    """
    try:
        info = await present(manager.stream_info(name))
    except PermissionDenied:
        raise
    except JetStreamError as error:
        raise Unanswered(
            f"the server did not answer to the end of {sender.request}, so that the stream may "
            f"have been restored; looking for it failed, too: {error}"
        ) from error
    return info and (info["created"], info["config"], info["state"])


async def _give_up(sender: _Sender) -> None:
    """End a restore that is not whole, or else the server waits 5 s for the rest of it."""
    try:
        await sender.end(TAKEN_WITHIN)
    except JetStreamError:
        return


class _Sender:
    """Sends the chunks of one restore, no more than a window of them without an answer.

    sent is in bytes. is_over says that nobody takes what is sent any more, is_cut that the
    connection was lost after the end was sent, or with it.
    """

    def __init__(self, connection: Any, request: str, subject: str) -> None:
        self.connection, self.request, self.subject = connection, request, subject
        self.unanswered = self.sent = self.ends = 0
        self.is_over = self.is_cut = False

    async def __aenter__(self) -> _Sender:
        await self.listen()
        return self

    async def __aexit__(self, *cause: object) -> None:
        await self.listener.close()

    async def listen(self) -> None:
        """Listen to answers, on the connection that there is now."""
        self.inbox, self.is_cut = self.connection.new_inbox(), False
        self.listener = await self.connection.subscribe(self.inbox)
        self.listener.watch(RESTORE_SUBJECTS)

    async def send(self, file: BinaryIO) -> None:
        size = min(CHUNK_SIZE, self.connection.max_payload)
        loop = asyncio.get_running_loop()
        while True:
            chunk = await loop.run_in_executor(None, file.read, size)
            if not chunk:
                break
            while self.unanswered >= RESTORE_WINDOW:
                await self._took()
            await self.connection.publish(self.subject, chunk, reply=self.inbox)
            self.unanswered += 1
            self.sent += len(chunk)
        while self.unanswered:
            await self._took()

    async def end(self, timeout: float) -> bool:
        """Say that this was all; return whether it was answered that there is a stream now."""
        self.ends += 1
        try:
            await self.connection.publish(self.subject, b"", reply=self.inbox)
        except ConnectionLost:
            self.is_cut = True
            return False
        return await self.answered(timeout)

    async def answered(self, timeout: float) -> bool:
        """Return whether the answer to the end comes within some seconds."""
        until = time.monotonic() + timeout
        while not self.is_cut:
            try:
                message = await self.listener.next(max(0.0, until - time.monotonic()))
            except RequestTimeout:
                return False
            except ConnectionLost:
                self.is_cut = True
                return False
            # After the second end: the first one got there, and its answer may yet come.
            if self.ends > 1 and _is_nobody(message):
                self.is_over = True
                return False
            if self._checked(message):
                return True
        await asyncio.sleep(timeout)
        return False

    async def _took(self) -> None:
        """Wait until the server has taken a chunk."""
        try:
            message = await self.listener.next(TAKEN_WITHIN)
        except RequestTimeout as error:
            raise SnapshotFailed(
                f"the server accepted {self.request} and did not answer to its data for "
                f"{TAKEN_WITHIN:g} s"
            ) from error
        self.unanswered -= 1
        self._checked(message)

    def _checked(self, message: Any) -> Any:
        """Return an answer, None when it just says that a chunk was taken; or raise its error."""
        if _is_nobody(message):
            raise SnapshotFailed(
                f"the server accepted {self.request} and does not take its data: it gave the "
                f"restore up, or the data does not get there. "
                f"{_IMPORT.format(subjects=RESTORE_SUBJECTS)}"
            )
        if not message.data:
            return None
        if message.data.startswith(b"-ERR"):  # when a server before 2.15 cannot write a chunk
            raise SnapshotFailed(f"the server broke off {self.request}: {message.data.decode()}")
        answer = json.loads(message.data)
        error = answer.get("error")
        if error:
            raise ApiError(
                self.request, error.get("code"), error.get("err_code"), error.get("description", "")
            )
        return answer


def _is_nobody(message: Any) -> bool:
    return bool(message.headers) and message.headers.status == NO_RESPONDERS
