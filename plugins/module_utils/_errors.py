# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What can go wrong, in words: every error of the collection, and what the server's mean.

A server's HTTP-like code is coarse (a wrong stream configuration is a 500), so err_code decides.
Codes and texts were observed on nats-server 2.9.10, 2.10.27 and 2.15.1 or read in its sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, Optional

MISSING = "missing"
EXISTS = "exists"
IMMUTABLE = "immutable"
LIMIT = "limit"
TRANSIENT = "transient"
DENIED = "denied"
UNSUPPORTED = "unsupported"
INVALID = "invalid"

MASK = "********"


class Meaning(NamedTuple):
    """The class of an err_code, and what to do about it in one sentence."""

    error_class: str
    advice: str = ""


# err_code, class, and the advice if there is any. A text, because a module that meets no error
# should not spend time on it.
_TABLE = """
10003 invalid
10004 transient The cluster was busy with an election or a change; run it again, or give retry_for
    more time.
10005 limit No server of the cluster fits: look at num_replicas and placement.
10008 transient The cluster has no leader for it: an election is under way, or most of its servers
    are down. Look at the servers, and run it again, or give retry_for more time.
10009 transient The cluster was busy with an election or a change; run it again, or give retry_for
    more time.
10010 invalid Only a cluster can do this.
10012 invalid
10013 transient A push consumer keeps its deliver_subject while somebody listens there.
10014 missing
10015 invalid
10016 invalid
10017 invalid durable_name and name have to be the same.
10018 invalid
10020 invalid
10023 limit The server has no memory or storage left for it.
10025 invalid The server does not know a field, or not its value.
10026 limit The stream's max_consumers or the account's limit is reached; from nats-server 2.15 on
    max_consumers=-1 means 1000, so give a number for more.
10027 limit The account may have no more streams.
10028 limit The account or the server has no memory left for it.
10030 invalid A mirror has to take the largest message of its origin.
10031 invalid A mirror cannot have sources.
10034 invalid A mirror cannot have subjects.
10035 invalid
10037 missing
10038 invalid
10039 denied JetStream is not enabled for this account; log in to one that has it.
10040 invalid
10041 transient The cluster was busy with an election or a change; run it again, or give retry_for
    more time.
10043 missing
10044 invalid
10047 limit The server has no storage left: look at max_bytes and its disk.
10049 invalid
10052 invalid
10053 limit
10055 immutable A mirror can only be removed (promoted), from nats-server 2.12 on.
10056 invalid
10057 invalid
10058 exists Somebody created it meanwhile; run it again.
10059 missing
10060 invalid Another stream stores the subject; look at domain and api_prefix.
10061 immutable
10062 invalid
10065 invalid Take the subject away from the other stream first.
10069 invalid Consumers have more than the new consumer_limits allow.
10074 invalid More than 1 replica needs a cluster.
10075 invalid No other server can take the replica.
10076 denied JetStream is switched off on this server.
10077 limit The stream discards new messages and has no room left.
10079 invalid deliver_subject has to be a literal subject.
10080 invalid A push consumer has no max_waiting.
10081 invalid deliver_subject must not be one of the stream's subjects.
10082 invalid max_ack_pending needs acknowledgements (ack_policy).
10083 invalid idle_heartbeat has to be 100ms or more.
10084 invalid A stream with retention=workqueue takes only consumers that fit each other.
10086 invalid Only push consumers have it (deliver_subject).
10087 invalid max_waiting has to be positive.
10088 invalid Only push consumers have it (deliver_subject).
10089 invalid Only push consumers have it (deliver_subject).
10090 invalid Only push consumers have it (deliver_subject).
10093 invalid Filters have to be part of the stream's subjects on nats-server 2.9.
10094 invalid deliver_policy and opt_start_seq or opt_start_time do not fit.
10095 invalid sample_freq is a percentage such as 50 or 50%.
10098 invalid A stream with retention=workqueue takes only consumers that fit each other.
10099 invalid A stream with retention=workqueue takes only consumers that fit each other.
10100 invalid A stream with retention=workqueue takes only consumers that fit each other.
10101 invalid A stream with retention=workqueue takes only consumers that fit each other.
10103 invalid Choose another name.
10105 exists
10107 invalid Shorten the description.
10108 invalid flow_control needs idle_heartbeat.
10109 invalid A sealed stream stays as it is.
10110 invalid The stream has deny_purge set.
10113 limit This account wants every stream to have max_bytes.
10114 invalid max_batch has to be positive.
10115 invalid max_expires has to be 1ms or more.
10116 invalid backoff must not have more steps than max_deliver allows.
10117 limit Narrow subjects_filter.
10118 transient All servers that hold it are down.
10119 transient All servers that hold it are down.
10120 limit The account has no limits for this number of replicas.
10121 limit Lower max_ack_pending, or set it to 0 for the default.
10122 limit Lower max_bytes: the account limits it per stream.
10123 invalid Change num_replicas and placement one after the other.
10124 transient A move is under way; wait for its end.
10125 limit Lower max_batch.
10126 invalid A consumer cannot have more replicas than its stream.
10127 invalid Choose another name.
10128 invalid Choose another name.
10129 invalid
10130 exists Delete the stream, or restore under another name.
10131 invalid
10132 invalid
10133 invalid
10134 invalid On such a stream a consumer has the stream's number of replicas.
10135 invalid Shorten the metadata.
10136 invalid Give filter_subject or filter_subjects, not both.
10137 invalid Give filter_subject or filter_subjects, not both.
10138 invalid filter_subjects must not overlap.
10139 invalid A filter is empty.
10140 invalid The same source is there twice.
10141 invalid A source needs the name of a stream.
10142 invalid The mirror needs the name of a stream.
10143 invalid A mirror takes its sequences from its origin.
10144 invalid Give a source filter_subject or subject_transforms, not both.
10148 exists Somebody created it meanwhile; run it again.
10149 missing
10150 invalid Give the mirror filter_subject or subject_transforms, not both.
10153 limit Lower inactive_threshold: the stream's consumer_limits bound it.
10156 invalid Look at the destination of the subject transform.
10157 invalid
10159 invalid priority_policy needs priority_groups.
10160 invalid
10161 invalid A priority group needs a name.
10162 invalid A priority group has 1 to 16 characters of A-Z a-z 0-9 - _ / = .
10167 transient The cluster was busy with an election or a change; run it again, or give retry_for
    more time.
10178 invalid Only pull consumers have priority groups.
10183 invalid ack_wait has to be positive.
10184 invalid backoff has to be positive.
10185 unsupported The servers have to be upgraded first.
10194 unsupported It was made by a newer server; upgrade this one.
10195 unsupported It was made by a newer server; upgrade this one.
10196 invalid priority_groups need a priority_policy.
10197 invalid priority_timeout needs a priority_policy.
10198 invalid A mirror cannot have allow_atomic.
10202 transient The cluster was busy with an election or a change; run it again, or give retry_for
    more time.
10204 invalid
10213 invalid consumer of a source needs a name and a deliver_subject.
10218 invalid Only push consumers have it (deliver_subject).
10226 transient A change of its replicas is under way; wait for its end.
"""

# Where one err_code stands for several things, the server's text tells them apart. The second is
# seen about once in 300 on 2.15.1, and on 2.10.27, when a create follows the delete of the last
# file stream.
_BY_TEXT = (
    (10005, "peer offline", TRANSIENT, "A server of the cluster is down."),
    (10049, "error creating store for stream", TRANSIENT, "Run it again."),
    (10052, "can not change", IMMUTABLE, "Only a recreate can change it."),
    (10052, "can not cancel", IMMUTABLE, "Only a recreate can change it."),
    (10052, "can not unseal", IMMUTABLE, "Only a recreate can change it."),
    (10052, "can not be disabled", IMMUTABLE, "Only a recreate can change it."),
    (
        10064,
        "in progress",
        TRANSIENT,
        "Another snapshot of the stream is under way, or one that was broken off is not forgotten "
        "yet (5 s).",
    ),
    (10064, "no impl", UNSUPPORTED, "Streams in memory have snapshots from nats-server 2.15 on."),
    (10012, "can not be updated", IMMUTABLE, "Only a recreate can change it."),
    (10012, "can not change", IMMUTABLE, "Only a recreate can change it."),
)


def meaning(err_code: Optional[int], description: str = "") -> Meaning:
    """Return the class and the advice for an error of the server; unknown ones are INVALID."""
    text = description.lower()
    for code, part, error_class, advice in _BY_TEXT:
        if code == err_code and part in text:
            return Meaning(error_class, advice)
    return meanings().get(err_code or 0, Meaning(INVALID))


def meanings() -> dict[int, Meaning]:
    """Return the table by err_code."""
    rows = [line.split(" ", 2) for line in re.sub(r"\n +", " ", _TABLE).strip().split("\n")]
    return {int(code): Meaning(*rest) for code, *rest in rows}


class JetStreamError(Exception):
    """The base of every error of the collection; its text is meant for people."""

    def result(self) -> dict[str, Any]:
        """Return what a module adds to its failure for machines to read."""
        return {}


class ApiError(JetStreamError):
    """The server answered a request with an error."""

    def __init__(
        self, request: str, code: Optional[int], err_code: Optional[int], description: str
    ) -> None:
        self.request, self.code, self.err_code = request, code, err_code
        self.description = description
        self.error_class, self.advice = meaning(err_code, description)
        number = f" (err_code {err_code})" if err_code else f" (code {code})" if code else ""
        advice = f" {self.advice}" if self.advice else ""
        super().__init__(f"the server refused {request}: {description}{number}.{advice}")

    def result(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "err_code": self.err_code,
            "error_class": self.error_class,
            "description": self.description,
            "request": self.request,
        }


class InvalidRequest(JetStreamError):
    """Something was refused before anything was sent; problems holds everything wrong at once.

    A problem is whatever has ``place`` and ``text``, or a plain text.
    """

    def __init__(self, problems: Iterable[Any]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(map(str, self.problems)))

    def result(self) -> dict[str, Any]:
        rows = [
            {"place": getattr(one, "place", ""), "text": getattr(one, "text", str(one))}
            for one in self.problems
        ]
        return {"problems": rows}


class ConnectFailed(JetStreamError):
    """No server could be connected to; reasons holds (address, reason) of each that was tried."""

    def __init__(self, reasons: list[tuple[str, str]]) -> None:
        self.reasons = reasons
        tried = "; ".join(f"{address}: {reason}" for address, reason in reasons)
        super().__init__(f"no connection to NATS: {tried}")

    def result(self) -> dict[str, Any]:
        return {"tried": [{"server": address, "reason": why} for address, why in self.reasons]}


class WrongPlace(JetStreamError):
    """The connection leads to another cluster or account than the task expects."""


class ConnectionLost(JetStreamError):
    """The connection ended while a request was under way, or before."""


class NotSent(ConnectionLost):
    """The connection was lost before, so a request was not sent at all."""


class RequestTimeout(JetStreamError):
    """A request was not answered in time. It may have been carried out.

    advice says what silence can mean here, and what to do.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        self.message, self.advice = message, advice
        super().__init__(f"{message}. {advice}" if advice else message)


class PermissionDenied(JetStreamError):
    """The server does not let this user send a request, or receive its answer."""


class NoJetStream(JetStreamError):
    """Nothing listens to the JetStream API under this prefix."""


class MissingLibrary(JetStreamError):
    """A Python package is not there."""


class Refused(JetStreamError):
    """A plan that must not be carried out. Nothing was sent.

    problems lists place and text; immutable lists option, current and wanted of what only a
    recreate can change.
    """

    def __init__(
        self,
        message: str,
        problems: Optional[list[Any]] = None,
        immutable: Optional[list[dict[str, Any]]] = None,
        would_lose: Optional[dict[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.problems = problems or []
        self.immutable = immutable or []
        self.would_lose = would_lose

    @classmethod
    def because(cls, title: str, problems: list[Any]) -> Refused:
        """Refuse an asset for everything that is wrong with it."""
        text = "; ".join(dict.fromkeys(map(str, problems)))
        return cls(f"the {title} cannot be like this: {text}", problems)

    def result(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self.problems:
            out["problems"] = [problem._asdict() for problem in self.problems]
        if self.immutable:
            out["immutable"] = self.immutable
        if self.would_lose:
            out["would_lose"] = self.would_lose
        return out


class NotKept(JetStreamError):
    """The server accepted a write and kept something else than it was sent."""

    def __init__(self, message: str, fields: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.fields = fields

    def result(self) -> dict[str, Any]:
        return {"not_kept": self.fields}


class NotSettled(JetStreamError):
    """A write was accepted, and the cluster has not carried it out in time."""
