# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Object buckets: the table of their settings, and how these lie in a stream (ADR-20).

What servers do was observed on 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._bucket import (
    BucketName,
    Shape,
    is_foreign,
    reader,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Info,
    Kind,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Schema,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    SCHEMA as STREAM_SCHEMA,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import format_duration

PREFIX = "OBJ_"

_STREAM = STREAM_SCHEMA.by_name

# Placed in the order in which a declaration reads best.
SCHEMA = Schema(
    _STREAM["description"],
    _STREAM["max_age"]._replace(name="ttl"),
    _STREAM["max_bytes"],
    _STREAM["storage"],
    _STREAM["num_replicas"],
    _STREAM["placement"],
    _STREAM["compression"],
    _STREAM["sealed"],
    _STREAM["metadata"],
)

SHAPE = Shape(PREFIX, ("$O.{}.C.>", "$O.{}.M.>"), {"ttl": "max_age"}, SCHEMA)


def canonical(config: Config) -> Config:
    """Return a stream's configuration with the options of the bucket for its fields."""
    return SHAPE.options(config)


def status(info: Info) -> dict[str, Any]:
    """Return what a bucket holds; messages are the chunks and the descriptions of objects."""
    state, config = info["state"], info["config"]
    return {
        "messages": state["messages"],
        "bytes": state["bytes"],
        "ttl": format_duration(config.get("max_age") or 0),
        "sealed": bool(config.get("sealed")),
    }


def rules() -> Any:
    """Load what only a plan that writes needs."""
    from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket_rules import (
        RULES,
    )

    return RULES


OBJECT_BUCKET = Kind(
    noun="object bucket",
    answer="stream",
    schema=SCHEMA,
    identity=("name",),
    aliases={"name": ["bucket"]},
    read=reader(SHAPE),
    identify=lambda info: (SHAPE.bucket(info["config"]),),
    canonical=canonical,
    spelling=lambda config: config,
    rules=rules,
    naming=BucketName(PREFIX),
    taken=SHAPE.taken(),
    wire=SHAPE.wire(),
    foreign=lambda info: is_foreign(SHAPE, info),
    stream_of=lambda identity: SHAPE.stream(identity[0]),
)
