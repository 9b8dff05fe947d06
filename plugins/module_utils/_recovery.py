# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What a recreate does before it deletes: write down what is there, and try the permissions."""

from __future__ import annotations

import json
import os
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    JetStreamError,
)

INTERRUPTED = "restore"  # the mark of a restore that is not part of something larger


class RecreateFailed(JetStreamError):
    """A recreate that did not come to its end; recovery holds what was there before."""

    def __init__(self, message: str, recovery: dict[str, Any], cause: JetStreamError) -> None:
        super().__init__(message)
        self.recovery = recovery
        self.cause = cause

    def result(self) -> dict[str, Any]:
        return {**self.cause.result(), "recovery": self.recovery}


def unfinished(name: str, mark: str) -> str:
    """Return what to say of a stream that carries the mark of a task that was ended."""
    side, _space, folder = mark.partition(" ")
    if side == INTERRUPTED:
        return (
            f"the stream {name} is what a task left that was ended while it restored it; restore "
            "it again, which replaces what is there"
        )
    return (
        f"the stream {name} is what a task left that was ended while it replaced or migrated it; "
        f"run that task again. What it needs is in {folder}, on the host where it ran"
    )


def write_recovery(path: Optional[str], recovery: dict[str, Any]) -> None:
    """Write the recovery as JSON to a file that only its owner can read; nothing without a path.

    Raises JetStreamError when that is not possible, which is before anything was deleted.
    """
    if not path:
        return
    try:
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, 0o600)  # the mode above is for new files only
            json.dump(recovery, file, indent=2, sort_keys=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise JetStreamError(
            f"recovery_path {path} cannot be written, so nothing was deleted: {error.strerror}"
        ) from error


async def try_permissions(manager: Any, requests: list[tuple[str, bytes]]) -> None:
    """Send requests that a server has to refuse for what they say, to see that they may be sent.

    Each is a pair of API name and payload. Raises PermissionDenied or RequestTimeout when the user
    may not send one. Observed on 2.9.10, 2.10.27 and 2.15.1: a delete with a payload is refused
    (10038), so is a create or update under another name (10056), and a purge by sequence and count
    at once (10003). They are only sent where the real request would follow.
    """
    for name, payload in requests:
        try:
            await manager.try_request(name, payload)
        except ApiError:
            continue


def mismatch(**body: Any) -> bytes:
    """Return a payload whose name is not the one of the request, which no server accepts."""
    return json.dumps(body).encode()
