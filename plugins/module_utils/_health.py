# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What is wrong with a stream, a consumer or an account, judged by the server's own answer. Pure.

Observed on 2.9.10, 2.10.27 and 2.15.1: the replica on a server that died is current for 10 s more.
A mirror whose origin's server died shows no error, only that it hears nothing; where the origin was
deleted, 2.9 shows an error, and the others hear nothing either.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info, is_clustered
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    UnitError,
    format_duration,
    parse_duration,
    parse_instant,
)

Row = dict[str, Any]

_COUNTS: dict[str, Any] = {
    "replica_lag": {"type": "int", "default": 1000},
    "fill": {"type": "int", "default": 90},
}
_OF_STREAMS: dict[str, Any] = {
    "source_lag": {"type": "int", "default": 1000},
    "source_silence": {"type": "str", "default": "1m"},
}
_OF_CONSUMERS: dict[str, Any] = {
    "pending": {"type": "int"},
    "redelivered": {"type": "int", "default": 0},
    "ack_silence": {"type": "str", "default": "5m"},
}


def thresholds_spec(streams: bool = False, consumers: bool = False) -> dict[str, Any]:
    """Return the argument spec of the option thresholds."""
    options = {
        **_COUNTS,
        **(_OF_STREAMS if streams else {}),
        **(_OF_CONSUMERS if consumers else {}),
    }
    return {"thresholds": {"type": "dict", "apply_defaults": True, "options": options}}


class Thresholds(NamedTuple):
    """From where on something is a problem: counts, percent, and nanoseconds."""

    replica_lag: int = 1000
    fill: int = 90
    source_lag: int = 1000
    source_silence: int = 60 * 10**9
    pending: Optional[int] = None
    redelivered: int = 0
    ack_silence: int = 300 * 10**9


def read_thresholds(params: Mapping[str, Any], problems: list[Problem]) -> Thresholds:
    """Return what the option thresholds says; add what is wrong with it."""
    found = {}
    for name, value in params["thresholds"].items():
        place = f"thresholds.{name}"
        if name.endswith("silence"):
            try:
                found[name] = parse_duration(value)
            except UnitError as error:
                problems.append(Problem(place, str(error)))
        elif name == "fill" and not 1 <= value <= 100:
            problems.append(Problem(place, f"{value} is not a percentage from 1 to 100"))
        elif value is not None and value < 0:
            problems.append(Problem(place, f"{value} is negative"))
        else:
            found[name] = value
    return Thresholds(**found)


def unreachable(stream: str) -> Row:
    """Return the health of a stream of which a listing has no more than the name, or a stub."""
    text = f"stream {stream}: its servers did not answer, so nothing else is known of it"
    return summary([_row("unreachable", text, stream)])


def of_stream(info: Info, limits: Thresholds) -> Row:
    """Return ``ok`` and ``problems`` of a stream from its INFO or LIST answer."""
    stream = info["config"]["name"]
    rows = [*_replicas(info, limits), *_origins(info, limits), *_room(info, limits)]
    return summary(_of(f"stream {stream}", row, stream=stream) for row in rows)


def of_consumer(info: Info, limits: Thresholds) -> Row:
    """Return ``ok`` and ``problems`` of a consumer from its INFO or LIST answer."""
    rows = [*_replicas(info, limits), *_progress(info, limits)]
    stream, name = info["stream_name"], info["name"]
    title = f"consumer {name} of stream {stream}"
    return summary(_of(title, row, stream=stream, consumer=name) for row in rows)


def of_account(account: Info, limits: Thresholds) -> Row:
    """Return ``ok`` and ``problems`` of an account from what it uses and may use."""
    tiers = {"": account, **(account.get("tiers") or {})}
    return summary(
        _of("the account", row)
        for name, tier in tiers.items()
        for row in _account_room(name, tier, limits.fill)
    )


def summary(rows: Iterable[Row]) -> Row:
    problems = list(rows)
    return {"ok": not problems, "problems": problems}


def together(parts: Iterable[Row]) -> Row:
    """Return one health of several."""
    return summary(row for part in parts for row in part["problems"])


def _of(title: str, row: Row, **named: str) -> Row:
    """Return a problem that says, in words and by name, what it is a problem of."""
    return {**row, "text": f"{title}: {row['text']}", **named}


def _row(
    problem: str,
    text: str,
    stream: Optional[str] = None,
    about: Optional[str] = None,
    value: Optional[int] = None,
    limit: Optional[int] = None,
) -> Row:
    return {
        "problem": problem,
        "text": text,
        "stream": stream,
        "consumer": None,
        "about": about,
        "value": value,
        "limit": limit,
    }


def _replicas(info: Info, limits: Thresholds) -> Iterable[Row]:
    """Judge the leader and the other replicas; without a cluster there are none."""
    if not is_clustered(info):
        return
    cluster = info["cluster"]
    others = cluster.get("replicas") or []
    if not cluster.get("leader"):
        yield _row("no_leader", "it has no leader, so it takes and delivers nothing")
    for one in others:
        name, lag = one["name"], one.get("lag") or 0
        if one.get("offline"):
            yield _row("replica_offline", f"the replica on {name} is offline", about=name)
        elif not one.get("current"):
            text = f"the replica on {name} is not current"
            yield _row("replica_not_current", text, about=name, value=lag)
        elif lag > limits.replica_lag:
            text = f"the replica on {name} is {lag} operations behind"
            yield _row("replica_lag", text, about=name, value=lag, limit=limits.replica_lag)
    has, wanted = len(others) + bool(cluster.get("leader")), info["config"].get("num_replicas") or 0
    if cluster.get("leader") and has < wanted:
        text = f"it has {has} of {wanted} replicas"
        yield _row("replicas_missing", text, value=has, limit=wanted)


def _origins(info: Info, limits: Thresholds) -> Iterable[Row]:
    """Judge the streams that this one copies from."""
    mirror = [("mirror", info["mirror"])] if info.get("mirror") else []
    for sort, origin in [*mirror, *(("source", one) for one in info.get("sources") or [])]:
        name, lag, active = origin["name"], origin.get("lag") or 0, origin.get("active")
        words = "the origin" if sort == "mirror" else "the source"
        if origin.get("error"):
            said = origin["error"].get("description") or origin["error"]
            yield _row(f"{sort}_error", f"{words} {name} cannot be read: {said}", about=name)
        if lag > limits.source_lag:
            text = f"{words} {name} is {lag} messages ahead"
            yield _row(f"{sort}_lag", text, about=name, value=lag, limit=limits.source_lag)
        if active is not None and (active < 0 or active > limits.source_silence):
            since = "yet" if active < 0 else f"for {_rounded(active)}"
            yield _row(
                f"{sort}_silent",
                f"nothing was heard of {words} {name} {since}",
                about=name,
                value=active,
                limit=limits.source_silence,
            )


def _room(info: Info, limits: Thresholds) -> Iterable[Row]:
    """Judge limits at which something is refused, or deleted before it was consumed.

    A stream that keeps its newest messages (retention limits, discard old) is full as a rule.
    """
    config, state = info["config"], info["state"]
    rolls = config.get("retention") == "limits" and config.get("discard", "old") == "old"
    pairs = [] if rolls else [("max_msgs", state["messages"]), ("max_bytes", state["bytes"])]
    pairs.append(("max_consumers", state.get("consumer_count") or 0))
    for name, used in pairs:
        yield from _nearly("nearly_full", name, used, config.get(name) or -1, limits.fill)


def _nearly(problem: str, name: str, used: int, limit: int, fill: int) -> Iterable[Row]:
    if limit > 0 and used * 100 >= limit * fill:
        text = f"{used} of {limit} are reached ({name})"
        yield _row(problem, text, about=name, value=used, limit=limit)


def _progress(info: Info, limits: Thresholds) -> Iterable[Row]:
    config, again = info["config"], info.get("num_redelivered") or 0
    pending, unacknowledged = info.get("num_pending") or 0, info.get("num_ack_pending") or 0
    if limits.pending is not None and pending > limits.pending:
        text = f"{pending} messages wait to be delivered"
        yield _row("pending", text, value=pending, limit=limits.pending)
    if again > limits.redelivered:
        text = f"{again} messages were delivered more than once and are still not acknowledged"
        yield _row("redelivered", text, value=again, limit=limits.redelivered)
    silence, allowed = _silence(info), max(limits.ack_silence, *_patience(config))
    if unacknowledged and silence is not None and silence > allowed:
        yield _row(
            "acks_stuck",
            f"{unacknowledged} messages wait to be acknowledged, and for {_rounded(silence)} "
            "none was delivered or acknowledged",
            value=silence,
            limit=allowed,
        )
    most = config.get("max_ack_pending") or -1
    yield from _nearly("nearly_full", "max_ack_pending", unacknowledged, most, limits.fill)
    waiting, room = info.get("num_waiting") or 0, config.get("max_waiting") or -1
    yield from _nearly("nearly_full", "max_waiting", waiting, room, limits.fill)


def _patience(config: Mapping[str, Any]) -> list[int]:
    """Return how long the consumer itself waits for an acknowledgement."""
    return [config.get("ack_wait") or 0, *(config.get("backoff") or ())]


def _silence(info: Info) -> Optional[int]:
    """Return for how long nothing was delivered or acknowledged (ns), None if nothing ever was.

    Servers from 2.10 on say what time it is for them; for older ones our own clock has to do.
    """
    times = [info.get(part, {}).get("last_active") for part in ("delivered", "ack_floor")]
    instants = [parse_instant(one) for one in times if one]
    now = parse_instant(info["ts"]) if info.get("ts") else time.time_ns()
    return now - max(instants) if instants else None


def _account_room(tier: str, account: Info, fill: int) -> Iterable[Row]:
    """Judge the limits of an account. That of consumers is one for each stream, not for all."""
    may = account.get("limits") or {}
    for used, most in (
        ("memory", "max_memory"),
        ("storage", "max_storage"),
        ("streams", "max_streams"),
    ):
        name = f"{tier} {most}".strip()
        yield from _nearly("nearly_full", name, account.get(used) or 0, may.get(most) or -1, fill)


def _rounded(nanoseconds: int) -> str:
    return format_duration(nanoseconds // 10**9 * 10**9)
