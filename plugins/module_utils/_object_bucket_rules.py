# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Object buckets: the rules that a table cannot say. Loaded when a plan writes."""

from __future__ import annotations

from ansible_collections.nats.jetstream.plugins.module_utils._bucket_rules import (
    bucket_rules,
    follow_ttl,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity
from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket import SHAPE
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import (
    derive as derive_stream,
)

# What ADR-20 says of every new bucket. One that another client has made otherwise stays as it is.
FIXED: Config = {
    "max_msgs": -1,
    "max_consumers": -1,
    "discard": "new",
    "allow_rollup_hdrs": True,
    "allow_direct": True,
}


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
    config = SHAPE.fields(merged)
    follow_ttl(config, changed, current)
    if "sealed" in changed and not config.get("sealed"):
        # What the seal brought with it; only a recreate gets here.
        config.update(deny_delete=False, deny_purge=False, allow_rollup_hdrs=True)
    return derive_stream(config, changed, wanted, current, context)


RULES = bucket_rules(SHAPE, SHAPE.fields, complete, derive)
