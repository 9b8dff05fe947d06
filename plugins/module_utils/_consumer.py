# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Consumers: the table of their fields, and the few rules that a table cannot say.

Releases are those of nats-server whose configuration first had the field. What servers do was
observed on 2.9.10, 2.10.27 and 2.15.1.

Two things have several spellings on the wire and one while they are compared: the filters
(``filter_subject``, ``filter_subjects``) become the list, and ``durable_name`` beside ``name``
becomes ``durable``.
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._errors import MISSING, ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Kind,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    NEVER,
    Boolean,
    Choice,
    Config,
    Context,
    Duration,
    Field,
    Instant,
    Integer,
    Listing,
    Percentage,
    Schema,
    Size,
    StringMap,
    Subject,
    Text,
    Update,
    is_zero,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    MILLISECOND,
    SECOND,
    parse_instant,
)

ACK_WAIT = 30 * SECOND
EPHEMERAL_THRESHOLD = 5 * SECOND
PINNED_TIMEOUT = 120 * SECOND
FLOW_HEARTBEAT = SECOND  # the only one that servers take with ack_policy flow_control
MAX_ACK_PENDING = 1000
MAX_WAITING = 512
STREAM_NOT_FOUND = 10059


def _acknowledges(config: Config) -> bool:
    return config.get("ack_policy") in ("explicit", "all")


def _of_stream(context: Context, name: str, otherwise: int) -> int:
    limits = (context.parent or {}).get("consumer_limits") or {}
    return limits.get(name) or otherwise


def _default_ack_wait(config: Config, context: Context) -> int:
    backoff = config.get("backoff")
    return backoff[0] if backoff else ACK_WAIT if _acknowledges(config) else 0


def _default_max_ack_pending(config: Config, context: Context) -> int:
    own = MAX_ACK_PENDING if (config.get("ack_policy") or "none") != "none" else 0
    return _of_stream(context, "max_ack_pending", own)


def _default_inactive_threshold(config: Config, context: Context) -> int:
    # What does not say durable, or sets it back, is durable.
    own = EPHEMERAL_THRESHOLD if config.get("durable") is False else 0
    return _of_stream(context, "inactive_threshold", own)


def _default_max_waiting(config: Config, context: Context) -> int:
    return 0 if config.get("deliver_subject") else MAX_WAITING


def _default_priority_timeout(config: Config, context: Context) -> int:
    return PINNED_TIMEOUT if config.get("priority_policy") == "pinned_client" else 0


def _default_heartbeat(config: Config, context: Context) -> int:
    return FLOW_HEARTBEAT if config.get("ack_policy") == "flow_control" else 0


def _default_flow_control(config: Config, context: Context) -> bool:
    return config.get("ack_policy") == "flow_control"


def _with_backoff(config: Config, context: Context) -> bool:
    # The first step of the backoff replaces it on every server.
    return bool(config.get("backoff"))


SCHEMA = Schema(
    Field("description", Text(max_bytes=4096), since=(2, 3, 3)),
    Field("durable", Boolean(), default=True),
    Field(
        "deliver_policy",
        Choice("all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"),
        default="all",
        update=NEVER,
    ),
    Field("opt_start_seq", Integer(), update=NEVER),
    Field("opt_start_time", Instant(), update=NEVER),
    Field(
        "ack_policy",
        Choice("none", "all", "explicit", "flow_control", newer={"flow_control": (2, 14, 0)}),
        default="none",
        update=NEVER,
        shown=True,
    ),
    Field("ack_wait", Duration(), default=_default_ack_wait, ignored=_with_backoff),
    Field("max_deliver", Integer(unlimited=True)),
    Field("backoff", Listing(Duration(), ordered=True), since=(2, 7, 1)),
    Field("filter_subject", Subject()),
    Field("filter_subjects", Listing(Subject()), since=(2, 10, 0)),
    Field("replay_policy", Choice("instant", "original"), default="instant", update=NEVER),
    Field("sample_freq", Percentage()),
    Field(
        "max_ack_pending",
        Integer(minimum=0, unlimited=True),
        default=_default_max_ack_pending,
        moved=True,
    ),
    Field("max_waiting", Integer(), default=_default_max_waiting, update=NEVER),
    Field(
        "max_batch",
        Integer(unlimited=True),
        since=(2, 7, 0),
        moved=True,
        aliases=("max_request_batch",),
    ),
    Field(
        "max_expires",
        Duration(MILLISECOND),
        since=(2, 7, 0),
        aliases=("max_request_expires",),
    ),
    Field("max_bytes", Size(), since=(2, 8, 3), aliases=("max_request_max_bytes",)),
    Field("headers_only", Boolean(), since=(2, 6, 2)),
    Field("inactive_threshold", Duration(), since=(2, 7, 0), default=_default_inactive_threshold),
    Field(
        "deliver_subject",
        Subject(wildcards=False),
        update=Update(
            "another subject, but not push to pull or back",
            lambda before, after: is_zero(before) == is_zero(after),
        ),
    ),
    Field("deliver_group", Text(), since=(2, 4, 0)),
    Field("rate_limit_bps", Integer()),
    Field("flow_control", Boolean(), default=_default_flow_control, update=NEVER),
    Field(
        "idle_heartbeat",
        Duration(100 * MILLISECOND),
        default=_default_heartbeat,
        update=NEVER,
    ),
    Field("num_replicas", Integer(0, 5), since=(2, 8, 3), aliases=("replicas",)),
    # 2.9 and 2.10 store a change without moving anything.
    Field("mem_storage", Boolean(), since=(2, 8, 3), update=NEVER),
    Field(
        "priority_policy",
        Choice(
            "none",
            "overflow",
            "pinned_client",
            "prioritized",
            newer={"prioritized": (2, 12, 0)},
        ),
        since=(2, 11, 0),
        default="none",
    ),
    Field("priority_groups", Listing(Text()), since=(2, 11, 0)),
    Field("priority_timeout", Duration(), since=(2, 11, 0), default=_default_priority_timeout),
    Field("pause_until", Instant(), since=(2, 11, 0)),
    Field("metadata", StringMap(), since=(2, 10, 0)),
)


# What servers use among themselves.
INTERNAL = (
    Field("direct", Boolean()),
    Field("sourcing", Boolean(), since=(2, 14, 0)),
)


def canonical(config: Config) -> Config:
    """Return a configuration in the spelling that is compared; takes wire and mentioned options."""
    shaped = dict(config)
    if "filter_subject" in shaped and not (
        shaped["filter_subject"] and shaped.get("filter_subjects")
    ):
        one = shaped.pop("filter_subject")
        shaped["filter_subjects"] = [one] if one else shaped.get("filter_subjects") or []
    if "durable_name" in shaped or "name" in shaped:
        shaped["durable"] = bool(shaped.pop("durable_name", ""))
        shaped.pop("name", None)
    if shaped.get("deliver_policy") == "undefined":
        shaped["deliver_policy"] = "all"
    if shaped.get("pause_until") and parse_instant(shaped["pause_until"]) <= time.time_ns():
        shaped["pause_until"] = ""  # a pause that is over is no pause
    return shaped


def spelling(config: Config) -> Config:
    """Return a canonical configuration with a single filter spelt filter_subject."""
    filters = config.get("filter_subjects") or []
    return (
        {**config, "filter_subject": filters[0], "filter_subjects": []}
        if len(filters) == 1
        else config
    )


async def read(manager: Any, identity: Identity) -> Found:
    try:
        return Found(await manager.consumer_info(*identity))
    except ApiError as error:
        if error.error_class == MISSING:
            return Found(None, parent_missing=error.err_code == STREAM_NOT_FOUND)
        raise


def rules() -> Any:
    """Load what only a plan that writes needs."""
    from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import RULES

    return RULES


CONSUMER = Kind(
    noun="consumer",
    answer="consumer",
    schema=SCHEMA,
    identity=("stream", "name"),
    aliases={"name": ["durable_name"]},
    read=read,
    identify=lambda info: (info["stream_name"], info["name"]),
    canonical=canonical,
    spelling=spelling,
    rules=rules,
    wire=INTERNAL,
)
