# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Whether all servers of a cluster are of one release. Loaded before a stream is restored there.

While a cluster is upgraded, a restore may go wrong without a word. Observed with 2.15.1: beside it,
a follower of 2.9.10 gets nothing of a restored stream and calls itself current, and 2.10.27 cannot
read what it has written ("invalid tar header").
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    PermissionDenied,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import parse_release

# Every server answers, to any account, that knows the account (2.9.10, 2.10.27, 2.15.1).
WHO_IS_THERE = "$SYS.REQ.ACCOUNT.PING.CONNZ"
FIRST = 2.0  # s for the first answer
PAUSE = 0.25  # s after an answer without another one, until all have answered; more if far away
API = "$JS.API"


async def mixed(connection: Any) -> str:
    """Return that a cluster has servers of several releases, and which; nothing if not.

    Nor if it cannot be seen: the user may not ask, or the streams are in another domain.
    """
    cluster = connection.greeting.get("cluster")
    if not cluster or connection.prefix != API:
        return ""
    names: dict[str, list[str]] = defaultdict(list)
    for name, version in sorted((await _versions(connection, cluster)).items()):
        names[version].append(name)
    if len({(parse_release(version) or ())[:2] for version in names}) < 2:
        return ""
    told = "; ".join(f"{version}: {', '.join(those)}" for version, those in sorted(names.items()))
    return (
        f"the servers of the cluster {cluster} are not of one release ({told}), and then one of "
        "them may refuse what another one has written, or hold an empty replica"
    )


async def _versions(connection: Any, cluster: str) -> dict[str, str]:
    """Return the versions of the servers of a cluster by their names, of those that tell it."""
    told: dict[str, str] = {}
    inbox, started, patience = connection.new_inbox(), time.monotonic(), FIRST
    async with await connection.subscribe(inbox, WHO_IS_THERE) as listener:
        await connection.publish(WHO_IS_THERE, b'{"limit": 1}', inbox)
        while True:
            try:
                message = await listener.next(patience)
            except (PermissionDenied, RequestTimeout):
                return told
            if not message.data:  # nobody listens there
                return told
            patience = patience if told else max(PAUSE, time.monotonic() - started)
            server = json.loads(message.data).get("server") or {}
            if server.get("cluster") == cluster:
                told[server["name"]] = server["ver"]
