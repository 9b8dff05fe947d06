# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Whether a stream can be migrated, what that loses, and how long it takes. Pure.

A migration takes a snapshot of a stream and restores it under another configuration, which may
differ in what no update can change. What servers do with it was observed on 2.9.10, 2.10.27 and
2.15.1.
"""

from __future__ import annotations

import math
from typing import Optional

from ansible_collections.nats.jetstream.plugins.module_utils._drain import remaining
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._rules import Loss, Migration
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Server,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import update_losses

V211, V215 = (2, 11, 0), (2, 15, 0)
# A stream is away while its snapshot is taken and restored: bytes per second, and for the rest.
RATE, REST = 32 * 1024 * 1024, 2.0


def migration(info: Info, before: Config, after: Config, context: Context) -> Migration:
    """Return whether and how a stream becomes another one with all it has."""
    state, wait = info["state"], math.ceil(remaining(info, context.server))
    facts = {
        "messages": state["messages"],
        "bytes": state["bytes"],
        "consumers": state.get("consumer_count", 0),
        "downtime": wait + math.ceil(REST + state["bytes"] / RATE),
        "wait": wait,
    }
    problems = _problems(before, after, context.server)
    return Migration("migrate", problems, losses(before, after, info, context), [], facts)


def _problems(before: Config, after: Config, server: Server) -> list[str]:
    problems = []
    was, becomes = (one.get("storage") or "file" for one in (before, after))
    if server.knows(V215) is not True:
        if was == "memory":
            problems.append(f"nats-server {server.text} makes no snapshot of a stream in memory")
        elif becomes == "memory":
            problems.append(
                f"nats-server {server.text} restores a stream in memory without its messages"
            )
    origin = after.get("mirror") or {}
    if origin and (before.get("mirror") or {}).get("name") != origin["name"]:
        problems.append(
            f"a mirror of {origin['name']} has the messages and the sequences of that stream, and "
            "not those that are here"
        )
    return problems


def losses(
    before: Config, after: Config, info: Info, context: Context, pending: Optional[int] = None
) -> list[Loss]:
    """Return what the new limits and retention remove, as they would remove it of any stream.

    pending is how many messages one of the consumers at least has still to get or to acknowledge,
    where that is known.
    """
    same = {**after, "retention": before.get("retention")}
    lost = update_losses(before, same, info, context)
    return lost + _retention_losses(before, after, info, context, pending or 0)


def _retention_losses(
    before: Config, after: Config, info: Info, context: Context, pending: int
) -> list[Loss]:
    was, becomes = (one.get("retention") or "limits" for one in (before, after))
    stored = info["state"]["messages"]
    if becomes in ("limits", was) or not stored:
        return []
    if not info["state"].get("consumer_count"):
        if becomes == "workqueue":
            return []
        text = "retention interest deletes every message, because the stream has no consumer"
        return [Loss(text, stored, stored, plain=False)]
    if context.server.knows(V211) is False:
        return []  # 2.9 and 2.10 keep what is there, and go by the retention from then on
    text = f"retention {becomes} deletes what every consumer has acknowledged or does not want"
    return [Loss(text, None, max(stored - pending, 0))]
