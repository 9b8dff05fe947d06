# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Waiting until a server has forgotten by itself what a restore would make it forget.

For as long as its duplicate_window, a stream knows the Nats-Msg-Id of what it has stored. 2.15
looks for them in a restored stream before there is a message in it, and so knows none (observed on
2.15.1; 2.9.10 and 2.10.27 keep them). A publisher whose acknowledgement was lost, and that tries
again after the restore, would store its message twice. So the stream first takes no new message,
and still answers to the old ones, until the window is over for the last of them. Then nothing is
known that could be forgotten.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Release,
    Server,
    parse_release,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import parse_instant

V215 = (2, 15, 0)
VERSION_METADATA = "_nats.ver"  # of the server that leads a stream, from 2.11 on
MOST = 300  # s; a longer wait is refused
# s; a server forgets up to 50 ms late, and two servers of a cluster may tell of one message with
# times that differ a little (17 ms seen, of a stream in memory without interest).
SLACK = 0.5
LOOK_EVERY = 1.0  # s
SECOND = 10**9

# Seconds from an INFO answer on until the server has forgotten what it would forget with a restore.
Remaining = Callable[[Info], float]


def remaining(info: Info, server: Server) -> float:
    """Return for how many seconds a server knows a Nats-Msg-Id that a restore makes it forget.

    It counts from the last message, which may be deleted or consumed by now: 2.15.1 knows its id
    all the same, and tells the time of it. A mirror and a sealed stream take nothing of anybody.
    """
    config, state = info["config"], info["state"]
    window = config.get("duplicate_window") or 0
    if config.get("mirror") or config.get("sealed") or not config.get("subjects"):
        return 0.0
    if not _forgets(config, server) or not window or not state.get("last_seq"):
        return 0.0
    now = parse_instant(info["ts"]) if info.get("ts") else time.time_ns()
    return max(0.0, (parse_instant(state["last_ts"]) + window - now) / SECOND + SLACK)


def _forgets(config: Config, server: Server) -> bool:
    """Say whether the server that decides, or the one that leads the stream, is known to forget."""
    return server.knows(V215) is True or (_leader(config) or ()) >= V215


def _leader(config: Config) -> Optional[Release]:
    """Return the release of the server that leads a stream, None before 2.11."""
    return parse_release((config.get("metadata") or {}).get(VERSION_METADATA) or "")


def is_too_long(seconds: float) -> bool:
    return seconds > MOST + SLACK


def waiting(server: Server, accepted: bool) -> Remaining:
    """Return what tells for how many seconds a migration waits, from now on.

    When it is accepted that a server forgets, that is nothing where a wait is not possible, or
    gets too long. Otherwise it is what is necessary, even so.
    """
    started = time.monotonic()

    def left(info: Info) -> float:
        seconds = remaining(info, server)
        altogether = seconds + time.monotonic() - started
        possible = not obstacle(info["config"]) and not is_too_long(altogether - LOOK_EVERY)
        return seconds if possible or not accepted else 0.0

    return left


def obstacle(config: Config) -> str:
    """Return why a stream cannot take no message and answer to those that it has; else nothing."""
    if config.get("allow_msg_counter"):
        return "a counter takes no discard=new"
    if config.get("allow_msg_schedules"):
        return "a stream with schedules takes no discard=new"
    return ""


def danger(config: Config) -> str:
    """Return why a stream must not be told to take no message, by its INFO answer; else nothing.

    2.9.10 removes every message then. 2.10.27 does not, and does not tell its version either. In
    the answer to STREAM.LIST, no server tells it.
    """
    if _leader(config):
        return ""
    return "the server that leads it is older than 2.11 and may remove messages with discard=new"


def holding(config: Config) -> Config:
    """Return a configuration under which a stream takes no message and keeps all that it has.

    Ids are looked at before the room that is left, and with discard=new a limit removes nothing.
    (The size of a message is looked at before its id, so max_msg_size would not do.) A single
    server lets a message in that takes the place of a larger one of its subject. Several ask their
    leader, who does not; their limit stays, so that none of them removes what others keep.
    """
    out = {**config, "discard": "new", "max_bytes": 1}
    if _is_single(config):
        out.update(max_msgs_per_subject=-1, discard_new_per_subject=False)
    return out


def _is_single(config: Config) -> bool:
    return (config.get("num_replicas") or 1) == 1


async def drained(manager: Any, name: str, left: Remaining) -> None:
    """Return when a stream that takes no message has forgotten the ids of those that it took.

    Raises JetStreamError for a wait that is too long.
    """
    info: Info = await manager.stream_info(name)
    first, started = info, time.monotonic()
    while (seconds := left(info)) > 0:
        if is_too_long(seconds + time.monotonic() - started - LOOK_EVERY):
            raise JetStreamError(too_long(seconds))
        await asyncio.sleep(min(seconds, LOOK_EVERY))
        info = await manager.stream_info(name)
        if _is_single(info["config"]):
            # From then on it has stored nothing. It acknowledges what no consumer has an interest
            # in, and does not store that either.
            info = {**info, "state": first["state"]}


def too_long(seconds: float, window: Optional[str] = None) -> str:
    """Return why there is no such wait, and what to do."""
    until = f"its duplicate_window{f' of {window}' if window else ''} is over"
    return (
        f"nats-server forgets with a restore which Nats-Msg-Id it has stored, and {until} in "
        f"{seconds:.0f} s, more than the {MOST} s for which a migration waits. {WHAT_TO_DO}"
    )


WHAT_TO_DO = (
    "Stop publishing for so long, lower duplicate_window before, or let data_loss=allow accept "
    "that a publisher which tries again may store its message twice"
)
