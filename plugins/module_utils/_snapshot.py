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
from typing import Any, BinaryIO, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    JetStreamError,
    PermissionDenied,
    RequestTimeout,
)

ACK_SUBJECTS = "$JS.SNAPSHOT.ACK.>"
RESTORE_SUBJECTS = "$JS.SNAPSHOT.RESTORE.>"

CHUNK_SIZE = 512 * 1024  # bytes
IDLE = 15.0  # s; a server gives up after 2 s (2.9, 2.10) or 5 s without an acknowledgement
CHECK_TIMEOUT = 3600.0  # s; how long a server may look through a stream before it sends
FINISH_TIMEOUT = 3600.0  # s; how long a server may take to work off what was sent
RESTORE_WINDOW = 8  # chunks
NO_RESPONDERS, DONE = "503", "204"

_IMPORT = (
    "Through an account that imports $JS.API.> alone it is not possible: connect to the account "
    "that has the stream, or import and export {subjects} too"
)


class SnapshotFailed(JetStreamError):
    """A snapshot or a restore that a server or the way to it did not bring to its end."""


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
        timeout = CHECK_TIMEOUT if request.check else max(manager.timeout, IDLE)
        answer: dict[str, Any] = await manager.snapshot_request(
            stream, request.body(inbox), timeout
        )
        try:
            while True:
                message = await listener.next(IDLE)
                if not message.data:
                    _check_end(stream, message)
                    return {"config": answer["config"], "state": answer["state"]}
                # Before it is written: the server counts the seconds until it comes.
                if message.reply:
                    await connection.publish(message.reply, b"")
                await loop.run_in_executor(None, write, bytes(message.data))
        except RequestTimeout as error:
            raise SnapshotFailed(
                f"the server accepted the snapshot of stream {stream} and sent nothing for "
                f"{IDLE:g} s. {_IMPORT.format(subjects=ACK_SUBJECTS)}"
            ) from error


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


async def give(
    manager: Any, config: dict[str, Any], state: dict[str, Any], file: BinaryIO
) -> dict[str, Any]:
    """Send an archive under a configuration; return the answer to it, which is that of a create.

    Raises ApiError when the server refuses it, SnapshotFailed and PermissionDenied as take does.
    Whatever goes wrong once the server has taken something, the restore is ended on the server, so
    that what it leaves can be deleted.
    """
    name, connection = config["name"], manager.connection
    request = f"STREAM.RESTORE.{name}"
    answer = await manager.restore_request(config, state)
    subject, inbox = answer["deliver_subject"], connection.new_inbox()
    async with await connection.subscribe(inbox) as listener:
        listener.watch(RESTORE_SUBJECTS)
        sender = _Sender(connection, listener, request, subject, inbox)
        try:
            await sender.send(file)
            return await sender.finish(FINISH_TIMEOUT)
        except (PermissionDenied, asyncio.CancelledError):
            raise
        except BaseException:
            await _give_up(sender)
            raise


async def _give_up(sender: _Sender) -> None:
    """End a restore that is not whole, or else the server waits 5 s for the rest of it."""
    try:
        await sender.finish(sender.patience)
    except JetStreamError:
        return


class _Sender:
    """Sends the chunks of one restore, no more than a window of them without an answer."""

    patience = IDLE

    def __init__(
        self, connection: Any, listener: Any, request: str, subject: str, inbox: str
    ) -> None:
        self.connection, self.listener = connection, listener
        self.request, self.subject, self.inbox = request, subject, inbox
        self.unanswered = 0

    async def send(self, file: BinaryIO) -> None:
        size = min(CHUNK_SIZE, self.connection.max_payload)
        loop = asyncio.get_running_loop()
        while True:
            chunk = await loop.run_in_executor(None, file.read, size)
            if not chunk:
                break
            while self.unanswered >= RESTORE_WINDOW:
                await self._answered()
            await self.connection.publish(self.subject, chunk, reply=self.inbox)
            self.unanswered += 1
        while self.unanswered:
            await self._answered()

    async def finish(self, timeout: float) -> dict[str, Any]:
        """Say that this was all, and return what the server made of it."""
        await self.connection.publish(self.subject, b"", reply=self.inbox)
        while True:
            message = await self._next(timeout)
            if message.data:
                return self._checked(message)

    async def _answered(self) -> None:
        message = await self._next(self.patience)
        self.unanswered -= 1
        if message.data:
            self._checked(message)

    async def _next(self, timeout: float) -> Any:
        try:
            message = await self.listener.next(timeout)
        except RequestTimeout as error:
            raise SnapshotFailed(
                f"the server accepted {self.request} and did not answer to its data for "
                f"{timeout:g} s"
            ) from error
        if message.headers and message.headers.status == NO_RESPONDERS:
            raise SnapshotFailed(
                f"the server accepted {self.request} and does not take its data: it gave the "
                f"restore up, or the data does not get there. "
                f"{_IMPORT.format(subjects=RESTORE_SUBJECTS)}"
            )
        return message

    def _checked(self, message: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(message.data)
        error = answer.get("error")
        if error:
            raise ApiError(
                self.request, error.get("code"), error.get("err_code"), error.get("description", "")
            )
        return answer
