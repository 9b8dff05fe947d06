# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Whether a connection leads where the task expects it. Loaded when a task expects something."""

from __future__ import annotations

import json
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    JetStreamError,
    NoJetStream,
    PermissionDenied,
    RequestTimeout,
    WrongPlace,
)

WHO_AM_I = "$SYS.REQ.USER.INFO"


async def check_place(
    connection: Any, cluster: Optional[str], account: Optional[str], timeout: float
) -> Optional[str]:
    """Return the account if it was asked for; raise WrongPlace where something else is expected."""
    found = connection.greeting.get("cluster")
    if cluster is not None and found != cluster:
        is_in = f"the cluster {found!r}" if found else "no cluster"
        raise WrongPlace(
            f"expect_cluster is {cluster!r}, and {connection.url} is in {is_in}; "
            "nothing was read or written"
        )
    if account is None or account == connection.account:  # a JWT told it
        return None
    names = await account_names(connection, timeout)
    if account not in names:
        raise WrongPlace(
            f"expect_account is {account!r}, and the user of {connection.url} belongs to "
            f"{' or '.join(map(repr, names))}; nothing was read or written"
        )
    return names[0]


async def account_names(connection: Any, timeout: float) -> list[str]:
    """Return what the server calls the account: its identity, and its name where it has one."""
    try:
        answer = json.loads(await connection.request_subject(WHO_AM_I, b"", timeout))
    except NoJetStream as error:
        raise JetStreamError(
            f"expect_account cannot be checked: nobody answers on {WHO_AM_I}, which needs "
            "nats-server 2.10 or newer; nothing was read or written"
        ) from error
    except (PermissionDenied, RequestTimeout) as error:
        raise JetStreamError(
            f"expect_account cannot be checked: {error}; nothing was read or written"
        ) from error
    data = answer.get("data") or {}
    return [name for name in (data.get("account"), data.get("account_name")) if name] or ["none"]
