# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The last message of a subject as a task wants it: comparing, refusing, publishing, deleting.

What a stream cannot take is told from its INFO before anything is published, so that check mode
and a run say the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    ConnectionLost,
    JetStreamError,
    NoJetStream,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._headers import (
    VERSION,
    Headers,
    header_problem,
)
from ansible_collections.nats.jetstream.plugins.module_utils._messages import (
    EXPECTED_SUBJECT_SEQUENCE,
    Duplicate,
    Message,
    direct_get,
    last_after_all,
    leader_get,
    publish_after,
)
from ansible_collections.nats.jetstream.plugins.module_utils._payload import (
    Payload,
    for_diff,
    payload_of,
    payload_spec,
    same,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    covers,
    name_problem,
    subject_problem,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    UnitError,
    parse_duration,
    parse_instant,
)

OWN = "nats-"  # what the server gives a meaning to
EXPECTED_STREAM, MSG_ID, TTL = "Nats-Expected-Stream", "Nats-Msg-Id", "Nats-TTL"
MARKER = "Nats-Marker-Reason"
NEVER = "never"
MAX_SEQ = 2**64 - 1
OF_PRESENT = (*payload_spec("data"), "headers", "msg_id", "ttl")  # options that absent has not

Pairs = list[tuple[str, str]]


class Wanted(NamedTuple):
    """A message to be the last one of its subject. Headers that are None are not looked at."""

    subject: str
    payload: Payload
    headers: Optional[Pairs] = None
    msg_id: Optional[str] = None
    ttl: Optional[str] = None  # as in the header: whole seconds, or "never"


# --------------------------------------------------------------------------------------------------
# Options
# --------------------------------------------------------------------------------------------------


def validate(params: Mapping[str, Any], problems: list[Problem]) -> Optional[Wanted]:
    """Return the message that is to be present; add everything that is wrong with the options."""
    wanted = None
    found = {"stream": name_problem(params["stream"])}
    if params["subject"] is not None:
        found["subject"] = subject_problem(params["subject"], wildcards=False)
    if params["seq"] is not None:
        found["seq"] = seq_problem(params["seq"])
    if params["state"] == "present":
        wanted = _read(params, problems)
        found.setdefault("subject", "is required with state=present")
        if params["seq"] is not None:
            found["seq"] = "has a meaning with state=absent only"
    else:
        found.setdefault("seq", "is required with state=absent")
        for option in OF_PRESENT:
            if params[option] is not None:
                found[option] = "has a meaning with state=present only"
    problems += [Problem(place, text) for place, text in found.items() if text]
    return wanted


def seq_problem(seq: int) -> Optional[str]:
    """Return why no message can have this sequence, None when one can."""
    return None if 1 <= seq <= MAX_SEQ else f"{seq} is no sequence: they begin with 1"


def _read(params: Mapping[str, Any], problems: list[Problem]) -> Optional[Wanted]:
    payload = payload_of(params, "", problems, "data")
    headers = header_pairs(params["headers"], problems)
    ttl, msg_id = ttl_text(params["ttl"], problems), params["msg_id"]
    if msg_id is not None:
        wrong = "is empty" if not msg_id.strip() else header_problem(MSG_ID, msg_id)
        problems += [Problem("msg_id", wrong)] if wrong else []
    return None if payload is None else Wanted(params["subject"], payload, headers, msg_id, ttl)


def header_pairs(headers: Optional[Mapping[str, Any]], problems: list[Problem]) -> Optional[Pairs]:
    """Return the option as pairs, None if it is not given; add what cannot be sent."""
    if headers is None:
        return None
    pairs: Pairs = []
    for name, values in headers.items():
        place = f"headers.{name}"
        for value in values if isinstance(values, list) else [] if values is None else [values]:
            if isinstance(value, (dict, list)) or value is None:
                problems.append(Problem(place, "is neither a text nor a list of texts"))
                continue
            text = str(value).lower() if isinstance(value, bool) else str(value)
            wrong = header_problem(str(name), text)
            if wrong:
                problems.append(Problem(place, wrong))
            elif text != text.strip():
                problems.append(Problem(place, f"{text!r} has white space at its ends"))
            pairs.append((str(name), text))
        if str(name).lower().startswith(OWN):
            instead = {"nats-msg-id": "; use msg_id", "nats-ttl": "; use ttl"}
            text = f"has a meaning for the server{instead.get(str(name).lower(), '')}"
            problems.append(Problem(place, text))
    return pairs


def ttl_text(ttl: Optional[str], problems: list[Problem]) -> Optional[str]:
    """Return the option as the header has it, None if it is not given or wrong."""
    if ttl is None or ttl == NEVER:
        return ttl
    try:
        seconds, rest = divmod(parse_duration(ttl), SECOND)
    except UnitError as error:
        problems.append(Problem("ttl", str(error)))
        return None
    if rest or not seconds:
        problems.append(Problem("ttl", f"{ttl!r} is no number of whole seconds from 1s on"))
        return None
    return str(seconds)


# --------------------------------------------------------------------------------------------------
# Comparing
# --------------------------------------------------------------------------------------------------


def by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each name, in their order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def own_headers(message: Message) -> dict[str, list[str]]:
    """Return the headers by name, without those that have a meaning for the server."""
    return by_name(pair for pair in message.headers.pairs if not pair[0].lower().startswith(OWN))


def is_marker(message: Message) -> bool:
    """Say whether the server wrote this in place of a message that expired or was purged."""
    return MARKER in message.headers


def is_wanted(wanted: Wanted, last: Optional[Message]) -> bool:
    """Say whether the last message of the subject is as it should be."""
    if last is None or is_marker(last) or not same(wanted.payload, last.data):
        return False
    return wanted.headers is None or own_headers(last) == by_name(wanted.headers)


def shown(message: Optional[Message]) -> dict[str, Any]:
    """Return what a diff shows of a message that is there."""
    if message is None:
        return {}
    return _shown(message.subject, own_headers(message), message.data)


def shown_wanted(wanted: Wanted) -> dict[str, Any]:
    """Return what a diff shows of a message that was published, or would be."""
    return _shown(wanted.subject, by_name(wanted.headers or ()), wanted.payload.data)


def _shown(subject: str, headers: dict[str, list[str]], data: bytes) -> dict[str, Any]:
    return {
        "subject": subject,
        **({"headers": headers} if headers else {}),
        "data": for_diff(data),
    }


# --------------------------------------------------------------------------------------------------
# What a stream cannot take
# --------------------------------------------------------------------------------------------------


def undecidable(config: Mapping[str, Any], subject: str) -> Optional[str]:
    """Return why nothing can be said of the last message of a subject in this stream."""
    retention = config.get("retention")
    if retention in ("workqueue", "interest"):
        return (
            f"its retention is {retention}: messages are gone once they are acknowledged, so a "
            "second run would publish again"
        )
    if config.get("no_ack"):
        return "it has no_ack set: nothing would tell whether the message was stored"
    source = (config.get("subject_transform") or {}).get("src")
    if config.get("subject_transform") and covers(source or ">", subject):
        return f"its subject_transform stores {subject} under another subject"
    if config.get("allow_msg_counter"):
        return "it has allow_msg_counter set: its messages are numbers that the server adds up"
    return None


def obstacle(info: Mapping[str, Any], wanted: Wanted, size: int) -> Optional[str]:
    """Return why the stream would not take the message, as far as INFO tells; None if it would.

    INFO has to tell the subject's messages (subjects_filter).
    """
    config = info["config"]
    subjects, limit = config.get("subjects") or [], config.get("max_msg_size") or -1
    if config.get("mirror"):
        return f"it is a mirror of {config['mirror']['name']}; publish to that stream"
    if config.get("sealed"):
        return "it is sealed"
    if not any(covers(one, wanted.subject) for one in subjects):
        return f"it takes {', '.join(subjects) or 'no subjects'}, not the subject {wanted.subject}"
    if wanted.ttl and not config.get("allow_msg_ttl"):
        return "ttl needs allow_msg_ttl, which it does not have; servers know it from 2.11 on"
    if 0 < limit < size:
        return f"with its headers it has {size} bytes, the stream's max_msg_size is {limit}"
    return _full(config, info["state"], wanted.subject)


def _full(config: Mapping[str, Any], state: Mapping[str, Any], subject: str) -> Optional[str]:
    """Return why a stream that discards new messages has no room for one more."""
    if config.get("discard") != "new":
        return None
    each, every = config.get("max_msgs_per_subject") or -1, config.get("max_msgs") or -1
    at_limit = 0 < each <= (state.get("subjects") or {}).get(subject, 0)
    if at_limit and config.get("discard_new_per_subject"):
        return f"it discards new messages, and {subject} has the {each} that it may have"
    if not at_limit and 0 < every <= state["messages"]:
        return f"it discards new messages, and has the {every} that it may have"
    return None


# --------------------------------------------------------------------------------------------------
# Doing it
# --------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """What is there, whether a message has to be published, and with which headers.

    expected is what the server takes for the last sequence of the subject: 0 where it has forgotten
    that there is one, see last_after_all.
    """

    stream: str
    wanted: Wanted
    last: Optional[Message]
    expected: int
    publish: bool
    headers: Headers


async def plan(manager: Any, stream: str, wanted: Wanted, check_mode: bool = False) -> Plan:
    """Read and compare. Raises JetStreamError for what the stream cannot take.

    A message that is a duplicate of the one that it would replace is foretold in check mode only:
    otherwise the server says so, whose clock decides.
    """
    info = await manager.stream_info(stream, subjects_filter=wanted.subject)
    reason = undecidable(info["config"], wanted.subject)
    if reason:
        raise JetStreamError(f"the stream {stream} cannot be used like this: {reason}")
    told = await leader_get(manager, stream, {"last_by_subj": wanted.subject})
    last = told or await last_after_all(leader_get, manager, stream, wanted.subject)
    expected = told.seq if told else 0
    headers = sent_headers(stream, wanted)
    made = Plan(stream, wanted, last, expected, not is_wanted(wanted, last), headers)
    if made.publish:
        reason = obstacle(info, wanted, size(made)) or too_large(manager, made)
        if reason:
            raise JetStreamError(f"the stream {stream} cannot take the message: {reason}")
        if check_mode and last and _is_known(wanted, last, info):
            raise Duplicate(wanted.subject, last.seq)
    return made


def plan_unseen(manager: Any, stream: str, wanted: Wanted) -> Plan:
    """Plan for a stream that an earlier task may create."""
    made = Plan(stream, wanted, None, 0, True, sent_headers(stream, wanted))
    reason = too_large(manager, made)
    if reason:
        raise JetStreamError(f"the stream {stream} cannot take the message: {reason}")
    return made


def sent_headers(stream: str, wanted: Wanted) -> Headers:
    """Return the headers to publish with, but for the expected sequence."""
    own = ((MSG_ID, wanted.msg_id), (TTL, wanted.ttl), (EXPECTED_STREAM, stream))
    return Headers([*(wanted.headers or ()), *((name, value) for name, value in own if value)])


def size(plan: Plan) -> int:
    """Return how many bytes the message has for the limits of the stream and the server."""
    pairs = [*plan.headers.pairs, (EXPECTED_SUBJECT_SEQUENCE, str(plan.expected))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return len(plan.wanted.payload.data) + len(f"{VERSION}\r\n{lines}\r\n".encode())


def too_large(manager: Any, plan: Plan) -> Optional[str]:
    limit = manager.connection.max_payload
    if size(plan) <= limit:
        return None
    return f"with its headers it has {size(plan)} bytes, the server's max_payload is {limit}"


def _is_known(wanted: Wanted, last: Message, info: Mapping[str, Any]) -> bool:
    if not wanted.msg_id or last.headers.get(MSG_ID) != wanted.msg_id:
        return False
    # Servers before 2.10 do not tell the time.
    now = parse_instant(info["ts"]) if info.get("ts") else time.time_ns()
    return now - parse_instant(last.time) < int(info["config"].get("duplicate_window") or 0)


async def publish(manager: Any, plan: Plan) -> int:
    """Publish what is planned; return the sequence of the message.

    Raises LostRace when the subject has another last message by now, and Duplicate.
    """
    wanted = plan.wanted
    return await publish_after(
        manager, plan.stream, wanted.subject, wanted.payload.data, plan.headers, plan.expected
    )


async def deletable(
    manager: Any, stream: str, seq: int, subject: Optional[str] = None
) -> Optional[Message]:
    """Return the message that is to be deleted, None if there is none.

    Raises JetStreamError when it has another subject, or the stream does not let it go.
    """
    message = await leader_get(manager, stream, {"seq": seq})
    if message is None:
        return None
    if subject is not None and message.subject != subject:
        raise JetStreamError(
            f"message {seq} of the stream {stream} has the subject {message.subject}, not {subject}"
        )
    config = (await manager.stream_info(stream))["config"]
    for field in ("sealed", "deny_delete"):
        if config.get(field):
            raise JetStreamError(
                f"message {seq} of the stream {stream} cannot be deleted, it has {field} set"
            )
    return message


async def direct_or_why_not(
    manager: Any, stream: str, request: dict[str, Any]
) -> Optional[Message]:
    """Return a message by DIRECT.GET, None if there is none.

    Where nobody answers, the stream is asked why: raises ApiError when there is none, and
    JetStreamError when it does not allow it. Servers before 2.10 then leave the request alone.
    """
    try:
        return await direct_get(manager, stream, request, once=True)
    except (NoJetStream, RequestTimeout, ConnectionLost):
        config = (await manager.stream_info(stream))["config"]
        if not config.get("allow_direct"):
            raise JetStreamError(
                f"the stream {stream} cannot be read directly: it does not have allow_direct set"
            ) from None
        return await direct_get(manager, stream, request)


def only_warn(session: Any, error: ApiError) -> None:
    """Warn in check mode of a stream that is not there; raise any other error."""
    if error.error_class != MISSING or not session.check_mode:
        raise error
    stream = session.params["stream"]
    session.module.warn(f"the stream {stream} does not exist yet; an earlier task has to create it")
