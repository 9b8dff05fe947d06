# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Streams: the table of their fields, and the few rules that a table cannot say.

Releases are those of nats-server whose configuration first had the field. What servers do was
observed on 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Kind,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    AT_CREATION,
    NEVER,
    TO_TRUE,
    Boolean,
    Choice,
    Config,
    Context,
    Duration,
    Field,
    Instant,
    Integer,
    Listing,
    Name,
    Schema,
    Size,
    StringMap,
    Struct,
    Subject,
    Text,
    Update,
    is_zero,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    MILLISECOND,
    SECOND,
)

DUPLICATE_WINDOW = 120 * SECOND


def default_subjects(config: Config, context: Context) -> list[str]:
    return [] if config.get("mirror") or config.get("sources") else [config.get("name", "")]


def _default_duplicate_window(config: Config, context: Context) -> int:
    """The window of 120 s or max_age; none for mirrors, nor, from 2.14 on, with sources."""
    if config.get("mirror"):
        return 0
    if config.get("sources") and context.server.knows((2, 14, 0)):
        return 0
    return min(DUPLICATE_WINDOW, config.get("max_age") or DUPLICATE_WINDOW)


def _when_sealed(config: Config, context: Context) -> bool:
    # A sealed stream has these fixed by the server, whatever is sent.
    return bool(config.get("sealed"))


def _follows_origin(config: Config, context: Context) -> bool:
    # Where the server sees the origin of a mirror, it takes over the origin's allow_direct.
    mirror = config.get("mirror") or {}
    return bool(mirror) and not mirror.get("external")


def _default_mirror_direct(config: Config, context: Context) -> bool:
    return bool(config.get("mirror_direct")) if _follows_origin(config, context) else False


def _never_compared(config: Config, context: Context) -> bool:
    return True


_TRANSFORM = Struct(
    Field("src", Text()),
    Field("dest", Text(), required=True),
)

SOURCE = Struct(
    Field("name", Name(), required=True),
    Field("opt_start_seq", Integer()),
    Field("opt_start_time", Instant()),
    Field("filter_subject", Subject()),
    Field("subject_transforms", Listing(_TRANSFORM), since=(2, 10, 0)),
    Field(
        "external",
        Struct(
            Field("api", Subject(wildcards=False), required=True),
            Field("deliver", Subject(wildcards=False)),
        ),
    ),
    Field(
        "consumer",
        Struct(
            Field("name", Name(), required=True),
            Field("deliver_subject", Subject(wildcards=False), required=True),
        ),
        since=(2, 14, 0),
    ),
)

# Placed in the order in which a declaration reads best.
SCHEMA = Schema(
    Field("description", Text(max_bytes=4096), since=(2, 3, 3)),
    Field("subjects", Listing(Subject()), default=default_subjects, shown=True),
    Field(
        "retention",
        Choice("limits", "interest", "workqueue"),
        default="limits",
        update=Update(
            "between limits and interest",
            lambda before, after: {before, after} == {"limits", "interest"},
            since=(2, 10, 0),
        ),
    ),
    Field("storage", Choice("file", "memory"), default="file", update=NEVER),
    Field("num_replicas", Integer(1, 5), default=1, aliases=("replicas",)),
    Field("max_msgs", Integer(unlimited=True)),
    Field("max_msgs_per_subject", Integer(unlimited=True), since=(2, 3, 0)),
    Field("max_bytes", Size(unlimited=True)),
    Field("max_age", Duration(100 * MILLISECOND), ignored=_when_sealed),
    Field("max_msg_size", Size(maximum=2**31 - 1, unlimited=True)),
    Field(
        "max_consumers",
        Integer(unlimited=True),
        update=Update("in place", lambda before, after: True, since=(2, 12, 5)),
    ),
    Field("discard", Choice("old", "new"), default="old", ignored=_when_sealed),
    Field("discard_new_per_subject", Boolean(), since=(2, 9, 1)),
    Field(
        "duplicate_window",
        Duration(100 * MILLISECOND),
        default=_default_duplicate_window,
        moved=True,
    ),
    Field("no_ack", Boolean()),
    Field("compression", Choice("none", "s2"), since=(2, 10, 0), default="none"),
    Field("first_seq", Integer(), since=(2, 10, 0), update=AT_CREATION, ignored=_never_compared),
    Field(
        "placement",
        Struct(
            Field("cluster", Text()),
            Field("tags", Listing(Text(), fold_case=True)),
            Field("preferred", Text(), since=(2, 11, 0)),
        ),
    ),
    Field(
        "mirror",
        SOURCE,
        update=Update(
            "only removal (promotion)",
            lambda before, after: is_zero(after),
            since=(2, 12, 0),
            one_way=True,
        ),
    ),
    Field(
        "mirror_direct",
        Boolean(),
        since=(2, 9, 0),
        default=_default_mirror_direct,
        ignored=_follows_origin,
    ),
    Field("sources", Listing(SOURCE)),
    Field("subject_transform", _TRANSFORM, since=(2, 10, 0)),
    Field(
        "republish",
        Struct(
            Field("src", Subject(), default=">"),
            Field("dest", Subject(), required=True),
            Field("headers_only", Boolean()),
        ),
        since=(2, 8, 3),
        update=Update("in place", lambda before, after: True, since=(2, 10, 0)),
    ),
    Field("allow_direct", Boolean(), since=(2, 9, 0)),
    Field("allow_rollup_hdrs", Boolean(), since=(2, 6, 2), ignored=_when_sealed),
    Field("deny_delete", Boolean(), since=(2, 6, 2), update=TO_TRUE),
    Field("deny_purge", Boolean(), since=(2, 6, 2), update=TO_TRUE),
    Field("sealed", Boolean(), since=(2, 6, 2), update=TO_TRUE),
    Field(
        "consumer_limits",
        Struct(
            Field("inactive_threshold", Duration()),
            Field("max_ack_pending", Integer(minimum=-1)),
        ),
        since=(2, 10, 0),
    ),
    Field("allow_msg_ttl", Boolean(), since=(2, 11, 0), update=TO_TRUE),
    Field("subject_delete_marker_ttl", Duration(SECOND), since=(2, 11, 0)),
    Field("allow_msg_counter", Boolean(), since=(2, 12, 0), update=NEVER),
    Field("allow_atomic", Boolean(), since=(2, 12, 0)),
    Field("allow_msg_schedules", Boolean(), since=(2, 12, 0), update=TO_TRUE),
    Field(
        "persist_mode",
        Choice("default", "async"),
        since=(2, 12, 0),
        default="default",
        update=NEVER,
    ),
    Field("allow_batched", Boolean(), since=(2, 14, 0)),
    Field("metadata", StringMap(), since=(2, 10, 0)),
)


# Fields that stand beside the settings of a stream, and are none.
OF_REQUESTS = {
    "pedantic": "is no setting: it belongs to a request, and is not kept",
    "template_owner": "is obsolete, and refused by servers",
}


def one_spelling(config: Config) -> Config:
    """Streams have one spelling for everything."""
    return config


async def read(manager: Any, identity: Identity) -> Found:
    try:
        return Found(await manager.stream_info(identity[0]))
    except ApiError as error:
        if error.error_class == MISSING:
            return Found(None)
        raise


def rules() -> Any:
    """Load what only a plan that writes needs."""
    from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import RULES

    return RULES


STREAM = Kind(
    noun="stream",
    answer="stream",
    schema=SCHEMA,
    identity=("name",),
    aliases={},
    read=read,
    identify=lambda info: (info["config"]["name"],),
    canonical=one_spelling,
    spelling=one_spelling,
    rules=rules,
    taken=OF_REQUESTS,
    stream_of=lambda identity: identity[0],
)
