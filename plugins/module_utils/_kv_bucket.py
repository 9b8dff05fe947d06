# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Key-value buckets: the table of their settings, and how these lie in a stream (ADR-8).

What servers do was observed on 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

import re
from typing import Any, Optional

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
    Duration,
    Field,
    Integer,
    Listing,
    Name,
    Problem,
    Schema,
    Struct,
    Update,
    is_zero,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    SCHEMA as STREAM_SCHEMA,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    SOURCE,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    format_duration,
)

PREFIX = "KV_"
MAX_HISTORY = 64

_STREAM = STREAM_SCHEMA.by_name
_PARTS = SOURCE.by_name
_OWN_TRANSFORM = re.compile(r"\$KV\.[^.]+\.>\Z")


class _Source(Struct):
    """A source: a bucket by its name, or with transforms of its own any stream by its name."""

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        source = super().wire(value, place, problems)
        name, transforms = source.get("name", ""), source.get("subject_transforms")
        if not transforms:
            if name:
                BucketName(PREFIX).wire(name, f"{place}.name", problems)
        elif name.startswith(PREFIX) and _takes_bucket(transforms, name[len(PREFIX) :]):
            problems.append(
                Problem(
                    f"{place}.subject_transforms",
                    "are those of a bucket, which come by themselves: leave them out, and give the "
                    f"name {name[len(PREFIX) :]}",
                )
            )
        return source


def _takes_bucket(transforms: list[Config], origin: str) -> bool:
    one = transforms[0]
    return (
        len(transforms) == 1
        and one.get("src") == f"$KV.{origin}.>"
        and bool(_OWN_TRANSFORM.match(one.get("dest") or ""))
    )


# Placed in the order in which a declaration reads best.
SCHEMA = Schema(
    _STREAM["description"],
    Field("history", Integer(1, MAX_HISTORY), default=1),
    _STREAM["max_age"]._replace(name="ttl"),
    _STREAM["max_msg_size"]._replace(name="max_value_size"),
    _STREAM["max_bytes"],
    _STREAM["storage"],
    _STREAM["num_replicas"],
    _STREAM["placement"],
    _STREAM["compression"],
    _STREAM["republish"],
    _STREAM["mirror"]._replace(
        type=Struct(
            *(
                part._replace(type=BucketName(PREFIX)) if part.name == "name" else part
                for part in SOURCE.fields
            )
        ),
        # Another bucket of the same account has another name, and so the keys of its mirror begin
        # otherwise than those of a bucket of its own would.
        update=Update(
            "only removal (promotion), and only of a mirror with an external origin",
            lambda before, after: is_zero(after) and bool((before or {}).get("external")),
            since=(2, 12, 0),
            one_way=True,
        ),
    ),
    Field(
        "sources",
        Listing(
            _Source(
                Field("name", Name(), required=True),
                *(
                    _PARTS[name]
                    for name in (
                        "opt_start_seq",
                        "opt_start_time",
                        "subject_transforms",
                        "external",
                        "consumer",
                    )
                ),
            )
        ),
        # The entries of another bucket only get their place by a transform, which 2.9 drops.
        since=(2, 10, 0),
    ),
    Field("limit_marker_ttl", Duration(SECOND), since=(2, 11, 0)),
    _STREAM["metadata"],
)

SHAPE = Shape(
    PREFIX,
    ("$KV.{}.>",),
    {
        "history": "max_msgs_per_subject",
        "ttl": "max_age",
        "max_value_size": "max_msg_size",
        "limit_marker_ttl": "subject_delete_marker_ttl",
    },
    SCHEMA,
)


def canonical(config: Config) -> Config:
    """Return a stream's configuration with the options of the bucket for its fields.

    Options that a task mentions come without the name of a stream, and are canonical already.
    """
    if "name" not in config:
        return config
    shaped, bucket = SHAPE.options(config), SHAPE.bucket(config)
    if shaped.get("mirror"):
        shaped["mirror"] = {**shaped["mirror"], "name": SHAPE.bucket(shaped["mirror"])}
    if shaped.get("sources"):
        shaped["sources"] = [_source(one, bucket) for one in shaped["sources"]]
    return shaped


def _source(stored: Config, bucket: str) -> Config:
    """Return a source as it is declared: a bucket by its name, whose transform is understood."""
    name, transforms = stored["name"], stored.get("subject_transforms")
    origin = name[len(PREFIX) :] if name.startswith(PREFIX) else None
    bare = {part: value for part, value in stored.items() if part != "subject_transforms"}
    whole = not transforms and not stored.get("filter_subject") and origin == bucket
    if origin and (whole or transforms == own_transform(origin, bucket)):
        return {**bare, "name": origin}
    if transforms:
        return stored
    # Subjects as they are, which in a declaration has to be told from a bucket.
    subject = bare.pop("filter_subject", None) or ">"
    return {**bare, "subject_transforms": [{"src": subject, "dest": subject}]}


def own_transform(origin: str, bucket: str) -> list[Config]:
    """Return what brings the entries of one bucket into another."""
    return [{"src": f"$KV.{origin}.>", "dest": f"$KV.{bucket}.>"}]


def why_foreign(info: Info) -> Optional[str]:
    """Return why a stream that is called like a bucket cannot serve as one, None when it can."""
    config = info["config"]
    origin = (config.get("mirror") or {}).get("name")
    if config["name"].startswith(PREFIX) and (config.get("max_msgs_per_subject") or 0) < 1:
        return "its max_msgs_per_subject is below 1"
    if not origin:
        return is_foreign(SHAPE, info)
    if not config["name"].startswith(PREFIX) or not origin.startswith(PREFIX):
        return f"it is a mirror of {origin}, and only a bucket can mirror a bucket"
    return None


def status(info: Info) -> dict[str, Any]:
    """Return what a bucket holds; keys count until the last trace of them is gone."""
    state, config = info["state"], info["config"]
    return {
        "messages": state["messages"],
        "bytes": state["bytes"],
        "key_count": state.get("num_subjects", 0),
        "history": config["max_msgs_per_subject"],
        "ttl": format_duration(config.get("max_age") or 0),
        "is_mirror": bool(config.get("mirror")),
    }


def rules() -> Any:
    """Load what only a plan that writes needs."""
    from ansible_collections.nats.jetstream.plugins.module_utils._kv_bucket_rules import (
        RULES,
    )

    return RULES


KV_BUCKET = Kind(
    noun="key-value bucket",
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
    foreign=why_foreign,
    stream_of=lambda identity: SHAPE.stream(identity[0]),
)
