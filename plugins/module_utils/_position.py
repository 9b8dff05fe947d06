# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""How far a consumer has come and for whom, for the modules that change just that.

The requests behind them are newer than the oldest servers, which never answer what they do not
know. So the server is judged first.
"""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._asset import (
    asked_server,
    server_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import (
    keeps_place,
    place,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Problem,
    Release,
    Server,
    release_text,
)

Place = dict[str, int]


async def needs(session: Any, since: Release, what: str) -> Server:
    """Return the server that decides, or raise Refused when it is older than what is needed.

    Where that is another one than the server connected to, the account is asked for its level.
    """
    server = server_of(session.connection)
    if server.clustered is not False or server.knows(since) is None:
        server = await asked_server(server, session.manager)
    if server.knows(since) is False:
        text = f"{what} needs nats-server {release_text(since)} or newer, this is {server.text}"
        raise Refused(f"{text}. Nothing was sent", [Problem("", text)])
    return server


async def consumer(session: Any) -> Optional[Info]:
    """Return INFO of the consumer of a task; None, with a warning, where check mode finds none."""
    stream, name = session.params["stream"], session.params["name"]
    try:
        return dict(await session.manager.consumer_info(stream, name))
    except ApiError as error:
        if error.error_class != MISSING or not session.check_mode:
            raise
        session.module.warn(
            f"the consumer {name} of stream {stream} does not exist yet; an earlier task has to "
            "create it"
        )
        return None


def pinned(info: Info, group: str) -> Optional[str]:
    """Return the client that is pinned in a priority group, None when there is none."""
    groups = info["config"].get("priority_groups") or []
    if group not in groups:
        has = f"it has {', '.join(groups)}" if groups else "it has none"
        text = f"the consumer {info['name']} has no priority group {group!r}; {has}"
        raise Refused(text, [Problem("group", text)])
    rows = info.get("priority_groups") or []
    clients = (row.get("pinned_client_id") for row in rows if row.get("group") == group)
    return next(clients, None) or None


def goal(info: Info, seq: Optional[int], server: Server) -> int:
    """Return the sequence that a reset lets a consumer go on with; raise Refused if it cannot."""
    if seq is None:
        return place(info)["ack_floor"] + 1
    if not keeps_place(info["config"], seq - 1, server._replace(release=(2, 14, 0))):
        policy, start = info["config"].get("deliver_policy"), info["config"].get("opt_start_seq")
        text = f"its deliver_policy is {policy}" + (f", from {start} on" if start else "")
        raise Refused(
            f"the consumer {info['name']} cannot go on with sequence {seq}: {text}",
            [Problem("seq", text)],
        )
    return seq


def is_at(at: Place, goal: int) -> bool:
    """Say whether a consumer delivers that sequence next, with nothing left to acknowledge."""
    settled = at["delivered"] == at["ack_floor"] == goal - 1
    return settled and not at["num_ack_pending"] and not at["num_redelivered"]


def diff(info: Info, before: Place, goal: int) -> dict[str, str]:
    """Return the diff of a reset, which is known beforehand."""
    header = f"place of consumer {info['name']} of stream {info['stream_name']}"
    lines = "ack_floor: {}\ndelivered: {}\nnum_ack_pending: {}\n"
    changed = not is_at(before, goal)
    names = ("ack_floor", "delivered", "num_ack_pending")
    old = lines.format(*(before[name] for name in names))
    return {
        "before": old,
        "after": lines.format(goal - 1, goal - 1, 0) if changed else old,
        "before_header": header,
        "after_header": header,
    }
