# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The asynchronous JetStream management core: every API call a coroutine, dictionaries in and out.

It sends JSON of its own over a connection, because nats-py's classes drop fields that the server
knows and cut nanoseconds. Answers that mean "not now" are repeated, paged answers are read to their
end, and a write that timed out is looked at before it is sent again: servers of a cluster without
quorum have carried out a create after its timeout (observed on 2.10.27 and 2.15.1).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Callable, Optional, Protocol, TypeVar

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    TRANSIENT,
    ApiError,
    ConnectionLost,
    InvalidRequest,
    JetStreamError,
    NoJetStream,
    NotSent,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    name_problem,
    subject_problem,
)

Config = dict[str, Any]
Answer = dict[str, Any]
T = TypeVar("T")

NO_RESPONDERS_FOR = 2.0  # s; right after a start or an election nobody listens for a moment
FIRST_PAUSE, LONGEST_PAUSE = 0.03, 2.0  # s, between two attempts
SHORTEST_ATTEMPT = 0.05  # s, for the last one before the deadline
MAX_IN_REQUEST = 3000  # bytes of a filter, beside two names, a prefix and a reply on a line of 4096
ANSWER_TYPE = "io.nats.jetstream.api."


class Transport(Protocol):
    """What the manager needs of a connection."""

    prefix: str
    greeting: dict[str, Any]

    async def request(self, api: str, payload: bytes, timeout: float) -> bytes:
        """Return the answer to a request; timeout is in seconds."""

    async def request_message(
        self, subject: str, payload: bytes, timeout: float, headers: Any = None
    ) -> Any:
        """Return the message that answers another; timeout is in seconds."""

    async def reopen(self) -> None:
        """Connect again after the connection was lost."""


class JetStreamManager:
    """Every call of the JetStream management API.

    timeout (s) bounds one attempt, retry_for (s) all attempts of a call together. Calls raise
    ApiError with the server's words, and what the connection raises; InvalidRequest for what must
    not be sent.
    """

    def __init__(
        self, connection: Transport, timeout: float = 5.0, retry_for: float = 30.0
    ) -> None:
        self.connection, self.timeout, self.retry_for = connection, timeout, retry_for

    # ---- account

    async def account_info(self) -> Answer:
        return await self._read("INFO")

    # ---- streams

    async def add_stream(self, config: Config) -> Answer:
        """Create a stream; a create that timed out and was carried out returns what is there."""
        name = _named(config["name"])
        return await self._write(f"STREAM.CREATE.{name}", config, f"STREAM.INFO.{name}")

    async def update_stream(self, config: Config) -> Answer:
        """Replace a stream's configuration as a whole: what is left out goes to its default."""
        return await self._write(f"STREAM.UPDATE.{_named(config['name'])}", config)

    async def delete_stream(self, name: str) -> bool:
        """Delete a stream; return whether there was one."""
        return await self._delete(f"STREAM.DELETE.{_named(name)}", f"STREAM.INFO.{name}")

    async def stream_info(
        self, name: str, subjects_filter: Optional[str] = None, deleted_details: bool = False
    ) -> Answer:
        """Return INFO; with a filter all matching subjects are in state.subjects, with counts."""
        body: Config = {"deleted_details": True} if deleted_details else {}
        if subjects_filter:
            body["subjects_filter"] = subjects_filter
        request = f"STREAM.INFO.{_named(name)}"
        answer = await self._read(request, body or None)
        subjects = answer["state"].get("subjects") or {}
        while subjects_filter and len(subjects) < (answer.get("total") or 0):
            page = await self._read(request, {**body, "offset": len(subjects)})
            more = page["state"].get("subjects") or {}
            if not more:
                break
            subjects.update(more)
        return answer

    async def streams_info(self, subject: Optional[str] = None) -> list[Answer]:
        """Return INFO of all streams, or of those whose subjects overlap one."""
        return [info async for info in self.streams_info_iterator(subject)]

    async def streams_info_iterator(self, subject: Optional[str] = None) -> AsyncIterator[Answer]:
        """Yield INFO of all streams, page by page."""
        async for info in self._pages("STREAM.LIST", "streams", _with_subject(subject)):
            yield info

    async def streams_listing(self) -> tuple[list[Answer], frozenset[str]]:
        """Return INFO of all streams, and the names of those whose servers did not answer.

        A stub in the list, without a state to believe, may stand for one that is missing.
        """
        streams: list[Answer] = []
        missing: set[str] = set()
        async for page in self._answers("STREAM.LIST", "streams"):
            streams += page.get("streams") or []
            missing.update(page.get("missing") or ())
        return streams, frozenset(missing)

    async def stream_names(self, subject: Optional[str] = None) -> list[str]:
        pages = self._pages("STREAM.NAMES", "streams", _with_subject(subject))
        return [name async for name in pages]

    async def find_stream_name_by_subject(self, subject: str) -> str:
        """Return the stream that stores a subject; raise ApiError (missing) when none does."""
        names = await self.stream_names(subject)
        if not names:
            raise ApiError("STREAM.NAMES", 404, 10059, f"no stream has the subject {subject}")
        return names[0]

    # ---- consumers

    async def add_consumer(
        self, stream: str, config: Config, action: Optional[str] = None
    ) -> Answer:
        """Create a consumer, or update it; action is ``create``, ``update`` or None for either.

        The request names the one filter there is, so that permissions can be given by filter, if
        it is short enough for a line. 2.9 does not know action and does either.
        """
        name = _named(config.get("name") or config["durable_name"])
        body = {"stream_name": stream, "config": config}
        if action:
            body["action"] = action
        request, look = f"CONSUMER.CREATE.{_named(stream)}.{name}", ""
        one = _subject(config.get("filter_subject") or ">", "filter_subject")
        if config.get("filter_subject") and len(one) <= MAX_IN_REQUEST:
            request += f".{one}"
        if action == "create":
            look = f"CONSUMER.INFO.{stream}.{name}"
        return await self._write(request, body, look)

    async def delete_consumer(self, stream: str, name: str) -> bool:
        """Delete a consumer; return whether there was one."""
        return await self._delete(
            f"CONSUMER.DELETE.{_named(stream)}.{_named(name)}", f"CONSUMER.INFO.{stream}.{name}"
        )

    async def consumer_info(self, stream: str, name: str) -> Answer:
        return await self._read(f"CONSUMER.INFO.{_named(stream)}.{_named(name)}")

    async def consumers_info(self, stream: str) -> list[Answer]:
        return [info async for info in self.consumers_info_iterator(stream)]

    async def consumers_info_iterator(self, stream: str) -> AsyncIterator[Answer]:
        """Yield INFO of all consumers of a stream, page by page."""
        async for info in self._pages(f"CONSUMER.LIST.{_named(stream)}", "consumers"):
            yield info

    async def consumer_names(self, stream: str) -> list[str]:
        pages = self._pages(f"CONSUMER.NAMES.{_named(stream)}", "consumers")
        return [name async for name in pages]

    async def pause_consumer(self, stream: str, name: str, pause_until: str) -> Answer:
        """Pause a consumer until an RFC 3339 time. Servers before 2.11 never answer this."""
        request = f"CONSUMER.PAUSE.{_named(stream)}.{_named(name)}"
        return await self._write(request, {"pause_until": pause_until})

    async def resume_consumer(self, stream: str, name: str) -> Answer:
        return await self._write(f"CONSUMER.PAUSE.{_named(stream)}.{_named(name)}", None)

    async def reset_consumer(self, stream: str, name: str, seq: Optional[int] = None) -> Answer:
        """Let a consumer go on at a sequence, or start over. Servers before 2.14 never answer."""
        request = f"CONSUMER.RESET.{_named(stream)}.{_named(name)}"
        return await self._write(request, {"seq": seq} if seq else None)

    async def unpin_consumer(self, stream: str, name: str, group: str) -> None:
        """Let a priority group choose another client. Servers before 2.11 never answer this."""
        await self._once(f"CONSUMER.UNPIN.{_named(stream)}.{_named(name)}", {"group": group})

    # ---- leaders

    async def stream_leader_stepdown(self, stream: str, preferred: Optional[str] = None) -> None:
        """Let the replicas of a stream elect another leader; 2.9 and 2.10 refuse preferred."""
        await self._once(f"STREAM.LEADER.STEPDOWN.{_named(stream)}", _placement(preferred))

    async def consumer_leader_stepdown(
        self, stream: str, name: str, preferred: Optional[str] = None
    ) -> None:
        request = f"CONSUMER.LEADER.STEPDOWN.{_named(stream)}.{_named(name)}"
        await self._once(request, _placement(preferred))

    async def meta_leader_stepdown(self, preferred: Optional[str] = None) -> None:
        """Let the servers of a cluster elect another meta leader; takes the system account."""
        await self._once("META.LEADER.STEPDOWN", _placement(preferred))

    # ---- messages

    async def get_msg(
        self, stream: str, seq: Optional[int] = None, next_by_subject: Optional[str] = None
    ) -> Answer:
        """Return a message by sequence, or the next one of a subject from there on."""
        body: Config = {"seq": seq} if seq else {}
        if next_by_subject:
            body["next_by_subj"] = next_by_subject
        return await self.read_msg(stream, body)

    async def get_last_msg(self, stream: str, subject: str) -> Answer:
        """Return the last message of a subject."""
        return await self.read_msg(stream, {"last_by_subj": subject})

    async def read_msg(self, stream: str, body: Config) -> Answer:
        """Return the message that a MSG.GET request means, as the stream's leader knows it."""
        message: Answer = (await self._read(f"STREAM.MSG.GET.{_named(stream)}", body))["message"]
        return message

    async def delete_msg(self, stream: str, seq: int, erase: bool = True) -> bool:
        """Delete a message, overwriting it unless told otherwise; return whether there was one."""
        body = {"seq": seq} if erase else {"seq": seq, "no_erase": True}
        return await self._delete(
            f"STREAM.MSG.DELETE.{_named(stream)}", f"STREAM.MSG.GET.{stream}", body, {"seq": seq}
        )

    async def purge_stream(
        self,
        stream: str,
        filter: Optional[str] = None,  # the name on the wire
        seq: Optional[int] = None,
        keep: Optional[int] = None,
    ) -> int:
        """Purge a stream and return how many messages went.

        A purge that was sent and not answered is not sent again, as its count would be lost;
        RequestTimeout or ConnectionLost says so.
        """
        body = _purge_body(filter, seq, keep)
        if seq in (0, 1):
            return 0  # 2.9 and 2.10 purge everything for seq 1
        request = f"STREAM.PURGE.{_named(stream)}"
        return int((await self._once(request, body))["purged"])

    # ---- snapshots

    async def snapshot_request(
        self, stream: str, body: Config, timeout: Optional[float] = None
    ) -> Answer:
        """Ask for a snapshot; return config and state. The data comes to deliver_subject."""
        request, payload = f"STREAM.SNAPSHOT.{_named(stream)}", json.dumps(body).encode()
        return await self.repeated(
            lambda _time: self._ask(request, payload, timeout or self.timeout),
            repeat_timeouts=False,
        )

    async def restore_request(
        self, config: Config, state: Config, timeout: Optional[float] = None
    ) -> Answer:
        """Ask for a restore; return the deliver_subject that takes the data."""
        request = f"STREAM.RESTORE.{_named(config['name'])}"
        payload = json.dumps({"config": config, "state": state}).encode()
        return await self.repeated(
            lambda _time: self._ask(request, payload, timeout or self.timeout),
            repeat_timeouts=False,
        )

    # ---- the ways of asking

    async def try_request(self, request: str, payload: bytes) -> Answer:
        """Send a payload as it is, once."""
        return await self._ask(request, payload, self.timeout)

    async def _read(self, request: str, body: Optional[Config] = None) -> Answer:
        return await self._repeated(request, body)

    async def _write(self, request: str, body: Optional[Config], look: str = "") -> Answer:
        """Send a write until it is answered.

        After a timeout or a lost connection the request ``look`` tells what is there; without it
        the write replaces everything, and sending it again changes nothing.
        """
        deadline, sent = self._deadline(), False
        while True:
            try:
                return await self._repeated(request, body, deadline, repeat_timeouts=False)
            except ApiError as error:
                if sent:
                    _still_unsure(error)
                raise
            except (RequestTimeout, ConnectionLost) as error:
                sent = sent or not isinstance(error, NotSent)
                self._give_up(error, sent, deadline)
                found = await self._look_after(error, deadline, look) if look else None
                if found is not None:
                    return found
            await asyncio.sleep(FIRST_PAUSE)

    async def _once(self, request: str, body: Optional[Config]) -> Answer:
        """Send a write whose repetition would do more; what was sent and not answered raises."""
        try:
            return await self._repeated(request, body, repeat_timeouts=False)
        except NotSent:
            raise
        except (RequestTimeout, ConnectionLost) as error:
            raise _unsure(error) from error

    async def _delete(
        self,
        request: str,
        look: str,
        body: Optional[Config] = None,
        look_body: Optional[Config] = None,
    ) -> bool:
        deadline, sent = self._deadline(), False
        while True:
            try:
                await self._repeated(request, body, deadline, repeat_timeouts=False)
                return True
            except ApiError as error:
                if error.error_class == MISSING or "no message found" in error.description:
                    return sent  # gone by what was sent before and not answered
                if sent:
                    _still_unsure(error)
                raise
            except (RequestTimeout, ConnectionLost) as error:
                sent = sent or not isinstance(error, NotSent)
                self._give_up(error, sent, deadline)
                if await self._look_after(error, deadline, look, look_body) is None:
                    return True
            await asyncio.sleep(FIRST_PAUSE)

    def _give_up(self, error: JetStreamError, sent: bool, deadline: float) -> None:
        """Raise the error of a write when it is too late for another attempt."""
        if isinstance(error, NotSent) or time.monotonic() >= deadline:
            if sent:
                raise _unsure(error) from error
            raise error

    async def _look_after(
        self, error: JetStreamError, deadline: float, request: str, body: Optional[Config] = None
    ) -> Optional[Answer]:
        """Return what is there after a write that was not answered, None if nothing is."""
        try:
            return await self._repeated(request, body, deadline)
        except ApiError as answer:
            if answer.error_class == MISSING:
                return None
            raise _unsure(error) from answer
        except (RequestTimeout, ConnectionLost) as unanswered:
            raise _unsure(error) from unanswered

    async def _pages(
        self, request: str, field: str, body: Optional[Config] = None
    ) -> AsyncIterator[Any]:
        """Yield the members of all pages."""
        async for page in self._answers(request, field, body):
            for member in page.get(field) or []:
                yield member

    async def _answers(
        self, request: str, field: str, body: Optional[Config] = None
    ) -> AsyncIterator[Answer]:
        """Yield all pages; the last one is empty or completes total."""
        offset = 0
        while True:
            page = await self._read(request, {**(body or {}), "offset": offset})
            yield page
            members = len(page.get(field) or [])
            offset += members
            if not members or offset >= page.get("total", 0):
                return

    async def _repeated(
        self,
        request: str,
        body: Optional[Config],
        deadline: Optional[float] = None,
        repeat_timeouts: bool = True,
    ) -> Answer:
        payload = b"" if body is None else json.dumps(body).encode()
        return await self.repeated(
            lambda timeout: self._ask(request, payload, timeout), deadline, repeat_timeouts
        )

    async def repeated(
        self,
        attempt: Callable[[float], Awaitable[T]],
        deadline: Optional[float] = None,
        repeat_timeouts: bool = True,
    ) -> T:
        """Make attempts until one has an answer that means something, or the deadline is over.

        attempt gets its timeout in seconds; deadline is a monotonic time, retry_for from now if
        not given. The first attempt may always take its timeout. A request that could not even be
        sent is repeated in any case.

        What the server said is raised rather than the silence of a last attempt that was too short.
        """
        started = time.monotonic()
        said: list[ApiError] = []
        deadline = self._deadline() if deadline is None else deadline
        pause = FIRST_PAUSE
        timeout = self.timeout
        while True:
            try:
                return await attempt(timeout)
            except JetStreamError as error:
                until = deadline
                if isinstance(error, NoJetStream):
                    until = min(deadline, started + NO_RESPONDERS_FOR)
                again = self._is_transient(error, repeat_timeouts)
                if not again or time.monotonic() + pause > until:
                    short = isinstance(error, RequestTimeout) and timeout < self.timeout
                    if said and short and repeat_timeouts:
                        raise said[-1] from error
                    raise
                said += [error] if isinstance(error, ApiError) else []
                if isinstance(error, ConnectionLost):
                    await self._reopen()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            timeout = min(self.timeout, max(deadline - time.monotonic(), SHORTEST_ATTEMPT))

    def _is_transient(self, error: JetStreamError, repeat_timeouts: bool) -> bool:
        if isinstance(error, ApiError):
            return error.error_class == TRANSIENT
        if isinstance(error, NoJetStream):
            return bool(self.connection.greeting.get("jetstream"))
        if isinstance(error, (RequestTimeout, ConnectionLost)):
            return repeat_timeouts or isinstance(error, NotSent)
        return False

    async def _reopen(self) -> None:
        """Connect again if the connection is gone; what stands in the way shows at the next try."""
        try:
            await self.connection.reopen()
        except JetStreamError:
            return

    async def _ask(self, request: str, payload: bytes, timeout: float) -> Answer:
        answer = _answer(request, await self.connection.request(request, payload, timeout))
        error = answer.get("error")
        if error:
            raise ApiError(
                request, error.get("code"), error.get("err_code"), error.get("description", "")
            )
        return answer

    def _deadline(self) -> float:
        return time.monotonic() + max(self.retry_for, 0.0)


def _named(name: str) -> str:
    problem = name_problem(name)
    if problem:
        raise InvalidRequest([f"the name {problem}"])
    return name


def _subject(subject: str, called: str = "the subject") -> str:
    problem = subject_problem(subject)
    if problem:
        raise InvalidRequest([f"{called} {problem}"])
    return subject


def _with_subject(subject: Optional[str]) -> Config:
    return {} if subject is None else {"subject": _subject(subject)}


def _answer(request: str, payload: bytes) -> Answer:
    """Return an answer of the API; something else may have answered, such as a stream of ">"."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and str(answer.get("type", "")).startswith(ANSWER_TYPE):
        return answer
    raise JetStreamError(
        f"{request} was answered by something other than the JetStream API: {payload[:200]!r}; "
        "does a stream or a service listen to its subjects?"
    )


def _still_unsure(error: ApiError) -> None:
    """Say the same of an answer that means "not now", when an earlier attempt was not answered."""
    if error.error_class == TRANSIENT:
        error.args = (f"{error} An earlier attempt was not answered; it may have been carried out",)


def _unsure(error: JetStreamError) -> JetStreamError:
    """Say of a write that was sent and not answered that it may have been carried out."""
    if isinstance(error, RequestTimeout):
        return RequestTimeout(f"{error.message}; it may have been carried out", error.advice)
    return ConnectionLost(f"{error}; it may have been carried out")


def _placement(preferred: Optional[str]) -> Optional[Config]:
    return {"placement": {"preferred": preferred}} if preferred else None


def _purge_body(
    subject: Optional[str], seq: Optional[int], keep: Optional[int]
) -> Optional[Config]:
    """Return the request, or refuse what servers 2.9 and 2.10 take for a purge of everything."""
    problems = []
    if subject is not None and subject_problem(subject):
        problems.append(f"filter: {subject_problem(subject)}")
    if seq is not None and seq < 0:
        problems.append(f"seq: {seq} is negative")
    if keep is not None and keep < 1:
        problems.append(f"keep: {keep} would keep nothing")
    if seq is not None and keep is not None:
        problems.append("seq and keep exclude each other")
    if problems:
        raise InvalidRequest(problems)
    body = {"filter": subject, "seq": seq, "keep": keep}
    return {name: value for name, value in body.items() if value is not None} or None
