# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Writing entries, many at a time, each for the revision that was read before."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._entries import Step, named, rows
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ConnectionLost,
    JetStreamError,
    NotSent,
    NotSettled,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._headers import Headers
from ansible_collections.nats.jetstream.plugins.module_utils._kv import Bucket, in_flight
from ansible_collections.nats.jetstream.plugins.module_utils._messages import (
    LostRace,
    publish_after,
)

POLL = 0.02  # s, between two looks at a mirror


class PartlyWritten(JetStreamError):
    """A write failed; rows says of each key whether it was written, None if that is not known."""

    def __init__(
        self,
        bucket: Bucket,
        steps: list[Step],
        written: dict[str, int],
        failed: dict[str, JetStreamError],
    ) -> None:
        self.cause = next(iter(failed.values()))
        lost = [key for key, error in failed.items() if isinstance(error, LostRace)]
        why = str(self.cause)
        if isinstance(self.cause, LostRace):
            why = (
                f"someone else wrote {named(lost)} after it was read; run again to compare with "
                "what is there now"
            )
        unsure = sum(1 for error in failed.values() if _is_unsure(error))
        rest = len(steps) - len(written) - unsure
        counts = [f"{rest} not"] if rest else []
        counts += [f"{unsure} may have been"] if unsure else []
        super().__init__(
            f"{len(written)} of {len(steps)} changes to bucket {bucket.name} were written, "
            f"{', '.join(counts)}, {named(list(failed))} first: {why}"
        )
        self.rows = [
            {**row, "written": _was_written(row["key"], written, failed)}
            for row in rows(steps, written)
        ]

    def result(self) -> dict[str, Any]:
        changed = any(row["written"] is not False for row in self.rows)
        return {**self.cause.result(), "entries": self.rows, "changed": changed}


def _was_written(
    key: str, written: dict[str, int], failed: dict[str, JetStreamError]
) -> Optional[bool]:
    return None if _is_unsure(failed.get(key)) else key in written


def _is_unsure(error: Optional[JetStreamError]) -> bool:
    """Say whether a write was sent and not answered."""
    return isinstance(error, (RequestTimeout, ConnectionLost)) and not isinstance(error, NotSent)


async def apply(manager: Any, bucket: Bucket, steps: list[Step]) -> dict[str, int]:
    """Write all steps; the first failure ends it, and nothing is pruned after one.

    Returns the new revisions by key. Raises PartlyWritten.
    """
    written: dict[str, int] = {}
    failed: dict[str, JetStreamError] = {}

    async def write(step: Step) -> None:
        try:
            written[step.key] = await publish_after(
                manager,
                bucket.stream,
                f"{bucket.sent}{step.key}",
                step.data,
                Headers(step.headers),
                step.expected,
                f"{bucket.stored}{step.key}",
            )
        except JetStreamError as error:
            failed[step.key] = error
            raise

    try:
        await in_flight(write, [step for step in steps if not step.pruned])
        await in_flight(write, [step for step in steps if step.pruned])
    except JetStreamError as error:
        raise PartlyWritten(bucket, steps, written, failed) from error
    if bucket.is_mirror:
        await _arrived(manager, bucket, max(written.values()))
    return written


async def _arrived(manager: Any, bucket: Bucket, revision: int) -> None:
    """Wait until a mirror has what was written to its origin, so that who reads it next sees it."""
    deadline = time.monotonic() + manager.timeout
    while (await manager.stream_info(bucket.stream))["state"]["last_seq"] < revision:
        if time.monotonic() >= deadline:
            raise NotSettled(
                f"everything was written to the origin of {bucket.name}, and the mirror has not "
                f"got it within {manager.timeout:g} s"
            )
        await asyncio.sleep(POLL)
