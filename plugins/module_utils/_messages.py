# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Single messages of a stream: reading one, and publishing one for sure.

What is needed of a manager: its connection, ``repeated`` and ``get_msg``.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    ConnectionLost,
    JetStreamError,
    NoJetStream,
    NotSent,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._headers import (
    Headers,
    parse_headers,
)

EXPECTED_SUBJECT_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"
WRONG_LAST_SEQUENCE = (10071, 10164)  # 10164: the one of a constant, from 2.11 on
NOT_FOUND, EMPTY_REQUEST = "404", "408"


class Message(NamedTuple):
    """A stored message. time is RFC 3339 in UTC, as the server tells it."""

    subject: str
    seq: int
    time: str
    headers: Headers
    data: bytes


def stored_message(answer: dict[str, Any]) -> Message:
    """Return the message of a MSG.GET answer (its ``message`` part)."""
    return Message(
        answer["subject"],
        answer["seq"],
        answer.get("time", ""),
        parse_headers(base64.b64decode(answer["hdrs"])) if answer.get("hdrs") else Headers(),
        base64.b64decode(answer.get("data") or ""),
    )


def direct_message(answer: Any) -> Optional[Message]:
    """Return the message of a DIRECT.GET answer, None when there is none.

    Raises JetStreamError for what is neither.
    """
    headers = answer.headers or Headers()
    if headers.status == NOT_FOUND:
        return None
    if headers.status or not headers.get("Nats-Sequence"):
        raise JetStreamError(
            f"a direct get was refused: {headers.status} {headers.get('Description', '')}".strip()
        )
    own = ("Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp")
    # The server puts its own at the end; a republished message has older ones before them.
    told = {name: headers.everything(name)[-1] for name in own if name in headers}
    kept = list(headers.pairs)
    while kept and kept[-1][0] in (*own, "Nats-Num-Pending", "Nats-Last-Sequence"):
        name, _value = kept.pop()
        if name == own[0]:
            break
    return Message(
        told["Nats-Subject"],
        int(told["Nats-Sequence"]),
        told.get("Nats-Time-Stamp", ""),
        Headers(kept),
        bytes(answer.data),
    )


async def direct_get(
    manager: Any, stream: str, request: dict[str, Any], once: bool = False
) -> Optional[Message]:
    """Return a message by DIRECT.GET (seq, last_by_subj, or next_by_subj), None if there is none.

    Any replica answers, so it may be a moment behind; the stream needs allow_direct. With once,
    nothing is repeated that nobody answered.
    """
    connection = manager.connection
    subject, payload = f"{connection.prefix}.DIRECT.GET.{stream}", json.dumps(request).encode()
    answer = await manager.repeated(
        lambda timeout: connection.request_message(subject, payload, timeout),
        deadline=0.0 if once else None,
    )
    return direct_message(answer)


async def leader_get(manager: Any, stream: str, request: dict[str, Any]) -> Optional[Message]:
    """Return a message as the stream's leader knows it, None if there is none.

    request is one of MSG.GET: seq, last_by_subj, or next_by_subj with or without seq.
    """
    try:
        return stored_message(await manager.read_msg(stream, request))
    except ApiError as error:
        if error.err_code == 10037 or (error.error_class == MISSING and error.err_code != 10059):
            return None
        raise


async def direct_last(manager: Any, stream: str, subject: str) -> Optional[Message]:
    """Return the last message of a subject by DIRECT.GET, None if there is none.

    None too when a mirror has answered for the stream, as it may be behind.
    """
    connection = manager.connection
    asked = f"{connection.prefix}.DIRECT.GET.{stream}.{subject}"
    answer = await manager.repeated(lambda timeout: connection.request_message(asked, b"", timeout))
    message = direct_message(answer)
    if message is None or answer.headers.everything("Nats-Stream")[-1:] != [stream]:
        return None
    return message


async def last_of(get: Any, manager: Any, stream: str, subject: str) -> Optional[Message]:
    """Return the last message of a subject, None if there is none; get is one of the two above."""
    found: Optional[Message] = await get(manager, stream, {"last_by_subj": subject})
    return found or await last_after_all(get, manager, stream, subject)


async def last_after_all(get: Any, manager: Any, stream: str, subject: str) -> Optional[Message]:
    """Return the last message of a subject of which the server says that there is none.

    Once the last message was deleted, servers may say so although there are earlier ones: for > all
    of them, for other subjects 2.9.10 and 2.10.27. They do tell the next message from a sequence
    on, so that is asked until there is no later one.
    """
    request: dict[str, Any] = {"seq": 1, "next_by_subj": subject}
    found, later, step = None, await get(manager, stream, request), 1
    while later is not None:
        found, request["seq"] = later, later.seq + step
        later, step = await get(manager, stream, request), step * 2
    end = request["seq"]
    while found is not None and found.seq + 1 < end:
        request["seq"] = (found.seq + end) // 2
        later = await get(manager, stream, request)
        if later is None:
            end = request["seq"]
        else:
            found = later
    return found


async def publish(
    manager: Any, subject: str, data: bytes, headers: Optional[Headers] = None
) -> dict[str, Any]:
    """Publish once and return the acknowledgement: stream, seq, duplicate, domain.

    Raises ApiError when the stream refuses, JetStreamError when no stream stores the subject,
    RequestTimeout or ConnectionLost when it is not known whether the message was stored.
    """
    connection = manager.connection

    async def attempt(timeout: float) -> Any:
        return await connection.request_message(subject, data, timeout, headers)

    try:
        answer = await manager.repeated(attempt, repeat_timeouts=False)
    except NoJetStream as error:
        raise JetStreamError(f"no stream stores the subject {subject}") from error
    try:
        ack = json.loads(answer.data)
        refused = ack.get("error")
    except (ValueError, AttributeError) as error:
        raise JetStreamError(
            f"{subject} was answered by something other than a stream: {answer.data[:200]!r}"
        ) from error
    if refused:
        raise ApiError(
            f"publish to {subject}",
            refused.get("code"),
            refused.get("err_code"),
            refused.get("description", ""),
        )
    return dict(ack)


async def publish_after(
    manager: Any,
    stream: str,
    subject: str,
    data: bytes,
    headers: Headers,
    expected: int,
    stored: Optional[str] = None,
) -> int:
    """Publish if the last message of the subject still has this sequence (0: there is none).

    Returns the sequence of the new message. Without an answer the subject is read before anything
    is sent again. Raises LostRace when someone else wrote meanwhile, and Duplicate when the server
    has the message's Nats-Msg-Id already. ``stored`` is the subject in the stream, where it is
    another one.
    """
    sent = Headers([*headers.pairs, (EXPECTED_SUBJECT_SEQUENCE, str(expected))])
    deadline, unsure = time.monotonic() + manager.retry_for, False
    while True:
        failure: JetStreamError = LostRace(subject, expected)
        try:
            ack = await publish(manager, subject, data, sent)
            if not ack.get("duplicate"):
                return int(ack["seq"])
            failure, again = Duplicate(subject, int(ack["seq"])), False
            if not unsure:
                raise failure
        except ApiError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise
            if not unsure:
                raise failure from error
            again = False
        except (RequestTimeout, ConnectionLost) as error:
            if isinstance(error, NotSent) or time.monotonic() >= deadline:
                raise
            unsure = again = True
        try:
            last = await leader_get(manager, stream, {"last_by_subj": stored or subject})
        except (RequestTimeout, ConnectionLost) as lost:
            if unsure:
                kind = RequestTimeout if isinstance(lost, RequestTimeout) else ConnectionLost
                raise kind(f"{lost}; the message for {subject} may have been stored") from lost
            raise
        if last is not None and last.data == data and last.headers.pairs == sent.pairs:
            return last.seq
        if not again or (last.seq if last else 0) != expected:
            raise failure


class LostRace(JetStreamError):
    """Someone else wrote between the reading and the writing."""

    def __init__(self, subject: str, expected: int) -> None:
        super().__init__(
            f"{subject} was written by someone else meanwhile: its last sequence is no longer "
            f"{expected}. Nothing was written; run again to compare with what is there now"
        )
        self.subject, self.expected = subject, expected


class Duplicate(JetStreamError):
    """The server has a message with the same Nats-Msg-Id, so it did not store this one."""

    def __init__(self, subject: str, seq: int) -> None:
        super().__init__(
            f"the message for {subject} was not stored: the server takes it for a duplicate of "
            f"message {seq}, which has the same message id and is younger than the stream's "
            "duplicate_window. Use another message id, or wait"
        )
        self.subject, self.seq = subject, seq
