# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What can go wrong, in words: every error of the collection, and what the server's mean.

A server's HTTP-like code is coarse (a wrong stream configuration is a 500), so err_code decides.
Codes and texts were observed on nats-server 2.9.10, 2.10.27 and 2.15.1 or read in its sources.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple, Optional

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


_WAIT = "The cluster was busy with an election or a change; run it again, or give retry_for more time."
_NAMES = "Choose another name."
_PUSH = "Only push consumers have it (deliver_subject)."
_WORKQUEUE = "A stream with retention=workqueue takes only consumers that fit each other."

MEANINGS: dict[int, Meaning] = {
    10003: Meaning(INVALID),
    10004: Meaning(TRANSIENT, _WAIT),
    10005: Meaning(LIMIT, "No server of the cluster fits: look at num_replicas and placement."),
    10008: Meaning(TRANSIENT, _WAIT),
    10009: Meaning(TRANSIENT, _WAIT),
    10010: Meaning(INVALID, "Only a cluster can do this."),
    10012: Meaning(INVALID),
    10013: Meaning(
        TRANSIENT, "A push consumer keeps its deliver_subject while somebody listens there."
    ),
    10014: Meaning(MISSING),
    10015: Meaning(INVALID),
    10016: Meaning(INVALID),
    10017: Meaning(INVALID, "durable_name and name have to be the same."),
    10018: Meaning(INVALID),
    10020: Meaning(INVALID),
    10023: Meaning(LIMIT, "The server has no memory or storage left for it."),
    10025: Meaning(INVALID, "The server does not know a field, or not its value."),
    10026: Meaning(
        LIMIT,
        "The stream's max_consumers or the account's limit is reached; from nats-server 2.15 on "
        "max_consumers=-1 means 1000, so give a number for more.",
    ),
    10027: Meaning(LIMIT, "The account may have no more streams."),
    10028: Meaning(LIMIT, "The account or the server has no memory left for it."),
    10030: Meaning(INVALID, "A mirror has to take the largest message of its origin."),
    10031: Meaning(INVALID, "A mirror can not have sources."),
    10034: Meaning(INVALID, "A mirror can not have subjects."),
    10035: Meaning(INVALID),
    10037: Meaning(MISSING),
    10038: Meaning(INVALID),
    10039: Meaning(
        DENIED, "JetStream is not enabled for this account; log in to one that has it."
    ),
    10040: Meaning(INVALID),
    10041: Meaning(TRANSIENT, _WAIT),
    10044: Meaning(INVALID),
    10047: Meaning(LIMIT, "The server has no storage left: look at max_bytes and its disk."),
    10049: Meaning(INVALID),
    10052: Meaning(INVALID),
    10053: Meaning(LIMIT),
    10055: Meaning(IMMUTABLE, "A mirror can only be removed (promoted), from nats-server 2.12 on."),
    10056: Meaning(INVALID),
    10057: Meaning(INVALID),
    10058: Meaning(EXISTS, "Somebody created it meanwhile; run it again."),
    10059: Meaning(MISSING),
    10061: Meaning(IMMUTABLE),
    10062: Meaning(INVALID),
    10065: Meaning(INVALID, "Take the subject away from the other stream first."),
    10069: Meaning(INVALID, "Consumers have more than the new consumer_limits allow."),
    10074: Meaning(INVALID, "More than 1 replica needs a cluster."),
    10075: Meaning(INVALID, "No other server can take the replica."),
    10076: Meaning(DENIED, "JetStream is switched off on this server."),
    10079: Meaning(INVALID, "deliver_subject has to be a literal subject."),
    10080: Meaning(INVALID, "A push consumer has no max_waiting."),
    10081: Meaning(INVALID, "deliver_subject must not be one of the stream's subjects."),
    10082: Meaning(INVALID, "max_ack_pending needs acknowledgements (ack_policy)."),
    10083: Meaning(INVALID, "idle_heartbeat has to be 100ms or more."),
    10084: Meaning(INVALID, _WORKQUEUE),
    10086: Meaning(INVALID, _PUSH),
    10087: Meaning(INVALID, "max_waiting has to be positive."),
    10088: Meaning(INVALID, _PUSH),
    10089: Meaning(INVALID, _PUSH),
    10090: Meaning(INVALID, _PUSH),
    10093: Meaning(INVALID, "Filters have to be part of the stream's subjects on nats-server 2.9."),
    10094: Meaning(INVALID, "deliver_policy and opt_start_seq or opt_start_time do not fit."),
    10095: Meaning(INVALID, "sample_freq is a percentage such as 50 or 50%."),
    10098: Meaning(INVALID, _WORKQUEUE),
    10099: Meaning(INVALID, _WORKQUEUE),
    10100: Meaning(INVALID, _WORKQUEUE),
    10101: Meaning(INVALID, _WORKQUEUE),
    10103: Meaning(INVALID, _NAMES),
    10105: Meaning(EXISTS),
    10107: Meaning(INVALID, "Shorten the description."),
    10108: Meaning(INVALID, "flow_control needs idle_heartbeat."),
    10109: Meaning(INVALID, "A sealed stream stays as it is."),
    10110: Meaning(INVALID, "The stream has deny_purge set."),
    10113: Meaning(LIMIT, "This account wants every stream to have max_bytes."),
    10114: Meaning(INVALID, "max_batch has to be positive."),
    10115: Meaning(INVALID, "max_expires has to be 1ms or more."),
    10116: Meaning(INVALID, "backoff must not have more steps than max_deliver allows."),
    10117: Meaning(LIMIT, "Narrow subjects_filter."),
    10118: Meaning(TRANSIENT, "All servers that hold it are down."),
    10119: Meaning(TRANSIENT, "All servers that hold it are down."),
    10120: Meaning(LIMIT, "The account has no limits for this number of replicas."),
    10121: Meaning(LIMIT, "Lower max_ack_pending, or set it to 0 for the default."),
    10122: Meaning(LIMIT, "Lower max_bytes: the account limits it per stream."),
    10123: Meaning(INVALID, "Change num_replicas and placement one after the other."),
    10124: Meaning(TRANSIENT, "A move is under way; wait for its end."),
    10125: Meaning(LIMIT, "Lower max_batch."),
    10126: Meaning(INVALID, "A consumer can not have more replicas than its stream."),
    10127: Meaning(INVALID, _NAMES),
    10128: Meaning(INVALID, _NAMES),
    10129: Meaning(INVALID),
    10130: Meaning(EXISTS, "Delete the stream, or restore under another name."),
    10131: Meaning(INVALID),
    10132: Meaning(INVALID),
    10133: Meaning(INVALID),
    10134: Meaning(INVALID, "On such a stream a consumer has the stream's number of replicas."),
    10135: Meaning(INVALID, "Shorten the metadata."),
    10136: Meaning(INVALID, "Give filter_subject or filter_subjects, not both."),
    10138: Meaning(INVALID, "filter_subjects must not overlap."),
    10139: Meaning(INVALID, "A filter is empty."),
    10140: Meaning(INVALID, "The same source is there twice."),
    10141: Meaning(INVALID, "A source needs the name of a stream."),
    10142: Meaning(INVALID, "The mirror needs the name of a stream."),
    10143: Meaning(INVALID, "A mirror takes its sequences from its origin."),
    10144: Meaning(INVALID, "Give a source filter_subject or subject_transforms, not both."),
    10148: Meaning(EXISTS, "Somebody created it meanwhile; run it again."),
    10149: Meaning(MISSING),
    10150: Meaning(INVALID, "Give the mirror filter_subject or subject_transforms, not both."),
    10153: Meaning(LIMIT, "Lower inactive_threshold: the stream's consumer_limits bound it."),
    10156: Meaning(INVALID, "Look at the destination of the subject transform."),
    10157: Meaning(INVALID),
    10159: Meaning(INVALID, "priority_policy needs priority_groups."),
    10160: Meaning(INVALID),
    10161: Meaning(INVALID, "A priority group needs a name."),
    10162: Meaning(INVALID, "A priority group has 1 to 16 characters of A-Z a-z 0-9 - _ / = ."),
    10167: Meaning(TRANSIENT, _WAIT),
    10178: Meaning(INVALID, "Only pull consumers have priority groups."),
    10183: Meaning(INVALID, "ack_wait has to be positive."),
    10184: Meaning(INVALID, "backoff has to be positive."),
    10185: Meaning(UNSUPPORTED, "The servers have to be upgraded first."),
    10194: Meaning(UNSUPPORTED, "It was made by a newer server; upgrade this one."),
    10195: Meaning(UNSUPPORTED, "It was made by a newer server; upgrade this one."),
    10196: Meaning(INVALID, "priority_groups need a priority_policy."),
    10197: Meaning(INVALID, "priority_timeout needs a priority_policy."),
    10198: Meaning(INVALID, "A mirror can not have allow_atomic."),
    10202: Meaning(TRANSIENT, _WAIT),
    10204: Meaning(INVALID),
    10213: Meaning(INVALID, "consumer of a source needs a name and a deliver_subject."),
    10218: Meaning(INVALID, _PUSH),
    10226: Meaning(TRANSIENT, "A change of its replicas is under way; wait for its end."),
}

# Where one err_code stands for several things, the server's text tells them apart.
_TEXTS: tuple[tuple[int, tuple[str, ...], Meaning], ...] = (
    (10005, ("peer offline",), Meaning(TRANSIENT, "A server of the cluster is down.")),
    # Seen about once in 300 on 2.15.1 when a create follows the delete of the last file stream.
    (10049, ("error creating store for stream",), Meaning(TRANSIENT, _WAIT)),
    (
        10052,
        ("can not change", "can not cancel", "can not unseal", "can not be disabled"),
        Meaning(IMMUTABLE, "Only a recreate can change it."),
    ),
    (
        10012,
        ("can not be updated", "can not update", "can not change"),
        Meaning(IMMUTABLE, "Only a recreate can change it."),
    ),
)


def meaning(err_code: Optional[int], description: str = "") -> Meaning:
    """Return the class and the advice for an error of the server; unknown ones are INVALID."""
    text = description.lower()
    for code, parts, found in _TEXTS:
        if code == err_code and any(part in text for part in parts):
            return found
    return MEANINGS.get(err_code or 0, Meaning(INVALID))


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


class ConnectionLost(JetStreamError):
    """The connection ended while a request was under way, or before."""


class RequestTimeout(JetStreamError):
    """A request was not answered in time. It may have been carried out."""


class PermissionDenied(JetStreamError):
    """The server does not let this user send a request, or receive its answer."""


class NoJetStream(JetStreamError):
    """Nothing listens to the JetStream API under this prefix."""


class MissingLibrary(JetStreamError):
    """A Python package is not there."""
