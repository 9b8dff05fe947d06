# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The objects of a bucket, read without leaving a consumer on the server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _objects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import (
    each,
    matching,
    present,
)
from ansible_collections.nats.jetstream.plugins.module_utils._messages import leader_get


async def one(manager: Any, bucket: str, name: str, deleted: bool) -> list[dict[str, Any]]:
    """Return the object of a name, as a list; nothing when it or the bucket is missing."""
    subject = _objects.meta_subject(bucket, name)
    message = await present(
        leader_get(manager, _objects.stream_of(bucket), {"last_by_subj": subject})
    )
    return _rows(bucket, [] if message is None else [_objects.parse(bucket, message)], deleted)


async def many(
    manager: Any,
    bucket: str,
    globs: Optional[Iterable[str]],
    deleted: bool,
    warn: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return the objects whose names match, by name; no bucket has none.

    What holds no information on an object is warned of and left out.
    """
    stream = _objects.stream_of(bucket)
    info = await present(manager.stream_info(stream, subjects_filter=_objects.all_metas(bucket)))
    state = info["state"] if info else {}
    subjects = {_objects.name_of(subject): subject for subject in state.get("subjects") or ()}

    async def read(name: str) -> Optional[_objects.Stored]:
        message = await leader_get(manager, stream, {"last_by_subj": subjects[name]})
        try:
            return None if message is None else _objects.parse(bucket, message)
        except JetStreamError as error:
            warn(str(error))
            return None

    return _rows(bucket, await each(matching(sorted(subjects), globs), read), deleted)


def _rows(bucket: str, found: list[_objects.Stored], deleted: bool) -> list[dict[str, Any]]:
    return [
        _objects.row(bucket, stored)
        for stored in found
        if deleted or _objects.is_there(stored.meta)
    ]
