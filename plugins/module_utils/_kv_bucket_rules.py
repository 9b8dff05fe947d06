# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Key-value buckets: the rules that a table cannot say. Loaded when a plan writes."""

from __future__ import annotations

from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._bucket_rules import (
    bucket_rules,
    follow_ttl,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity
from ansible_collections.nats.jetstream.plugins.module_utils._kv_bucket import (
    SCHEMA,
    SHAPE,
    canonical,
    own_transform,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import (
    derive as derive_stream,
)

# What ADR-8 says of every new bucket. One that another client has made otherwise stays as it is.
FIXED: Config = {
    "max_msgs": -1,
    "max_consumers": -1,
    "max_msgs_per_subject": 1,
    "discard": "new",
    "allow_rollup_hdrs": True,
    "deny_delete": True,
    "allow_direct": True,
}

NOT_OF_MIRRORS = frozenset({"subjects", "first_seq"})


def complete(config: Config, identity: Identity) -> Config:
    """Return the configuration with what makes a new stream a bucket."""
    (bucket,) = identity
    return {
        "name": SHAPE.stream(bucket),
        "subjects": SHAPE.subjects_of(bucket),
        **FIXED,
        **config,
    }


def derive(
    merged: Config, changed: frozenset[str], wanted: Config, current: Config, context: Context
) -> Config:
    """Return the merged configuration as that of a stream, with what follows from the changes."""
    config = to_stream(merged, changed)
    if "mirror" in changed:
        # A mirror has no subjects, and its keys begin as those of its origin do.
        if config.get("mirror"):
            config = {name: config[name] for name in config if name not in NOT_OF_MIRRORS}
            config["mirror_direct"] = True
        else:
            config.pop("mirror_direct", None)
            config["subjects"] = SHAPE.subjects_of(SHAPE.bucket(config))
    if "sources" in changed:
        config["sources"] = _as_stored(config, current)
    follow_ttl(config, changed, current)
    return derive_stream(config, changed, wanted, current, context)


def _as_stored(config: Config, current: Config) -> list[Config]:
    """Return the sources, those that are stored already as they are.

    A server begins anew with a source that is only spelt in another way.
    """
    normal = SCHEMA.by_name["sources"].type.item.normal  # type: ignore[attr-defined]
    stored = current.get("sources") or []
    known = dict(zip(map(normal, canonical(current)["sources"]), stored)) if stored else {}
    wanted = config.get("sources") or []
    return (
        [known.get(normal(one), sent) for one, sent in zip(canonical(config)["sources"], wanted)]
        if wanted
        else []
    )


def to_stream(config: Config, turned: frozenset[str] = frozenset({"mirror", "sources"})) -> Config:
    """Return a configuration as that of a stream; of mirror and sources only what is ``turned``."""
    config, bucket = SHAPE.fields(config), SHAPE.bucket(config)
    mirror, sources = config.get("mirror"), config.get("sources")
    if "mirror" in turned and mirror:
        config["mirror"] = {**mirror, "name": SHAPE.stream(mirror["name"])}
    if "sources" in turned and sources:
        config["sources"] = [_stream_source(one, bucket) for one in sources]
    return config


def _stream_source(source: Config, bucket: str) -> Config:
    if source.get("subject_transforms"):
        return source
    origin = source["name"]
    named = {**source, "name": SHAPE.stream(origin)}
    # Between domains a bucket may have the name of its origin, and then the keys fit as they are.
    if origin == bucket and source.get("external"):
        return named
    return {**named, "subject_transforms": own_transform(origin, bucket)}


_RULES = bucket_rules(SHAPE, to_stream, complete, derive)


async def look(manager: Any, plan: Any, dry: bool) -> tuple[list[Problem], list[str]]:
    """Look at other assets as for every bucket, and at what a mirror would be after a promotion."""
    problems, warnings = await _RULES.look(manager, plan, dry)
    mirror = plan.current_config.get("mirror")
    if plan.action == "update" and mirror and "mirror" in plan.changed:
        origin = SHAPE.bucket(mirror)
        if origin != plan.identity[0]:
            text = f"its keys are those of {origin}, so only a bucket of that name could show them"
            problems = [*problems, Problem("mirror", text)]
    return problems, warnings


RULES = _RULES._replace(look=look)
