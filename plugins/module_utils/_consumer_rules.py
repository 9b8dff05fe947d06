# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Consumers: the rules that a table cannot say. Loaded when a plan writes.

What servers do was observed on 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

import contextlib
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import (
    FLOW_HEARTBEAT,
    SCHEMA,
    canonical,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    JetStreamError,
    PermissionDenied,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity, Info
from ansible_collections.nats.jetstream.plugins.module_utils._rules import (
    Check,
    Loss,
    Migration,
    Rules,
    kept_metadata,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
    Server,
    is_zero,
)
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    covers,
    first_overlap,
    overlaps,
)

PUSH_ONLY = ("deliver_group", "rate_limit_bps", "flow_control", "idle_heartbeat")
PULL_ONLY = (
    "max_waiting",
    "max_batch",
    "max_expires",
    "max_bytes",
    "priority_policy",
    "priority_groups",
    "priority_timeout",
)
_START = {"by_start_sequence": "opt_start_seq", "by_start_time": "opt_start_time"}
MADE_ANEW = ("create", "recreate")
# What a stream may not take of its consumers, and the values that every stream takes.
_TAKEN_BY_ALL = {
    "max_ack_pending": 0,
    "inactive_threshold": 0,
    "num_replicas": 1,
    "ack_policy": "explicit",
    "deliver_policy": "all",
}


# --------------------------------------------------------------------------------------------------
# What a server refuses, said before it is asked
# --------------------------------------------------------------------------------------------------


def _mode_problem(config: Config, context: Context) -> Optional[str]:
    # deliver_group is stored on pull consumers too, and does nothing there.
    wrong: tuple[str, ...] = PUSH_ONLY[1:]
    mode = "pull consumer (deliver_subject is not set)"
    if config.get("deliver_subject"):
        wrong, mode = PULL_ONLY, "push consumer (deliver_subject is set)"
    given = [name for name in wrong if not is_zero(config.get(name)) and config[name] != "none"]
    return f"{' and '.join(given)} cannot be set on a {mode}" if given else None


def _flow_problem(config: Config, context: Context) -> Optional[str]:
    by_policy = config.get("ack_policy") == "flow_control"
    if by_policy and not config.get("deliver_subject"):
        return "ack_policy=flow_control needs a push consumer (deliver_subject)"
    if by_policy:
        timing = [name for name in ("ack_wait", "backoff") if not is_zero(config.get(name))]
        timing += ["max_deliver"] if (config.get("max_deliver") or 0) > 0 else []
        if timing:
            return f"ack_policy=flow_control excludes {' and '.join(timing)}"
        return (
            "ack_policy=flow_control needs a limit in max_ack_pending"
            if (config.get("max_ack_pending") or 0) < 0
            else None
        )
    if config.get("flow_control") and not config.get("idle_heartbeat"):
        return "flow_control needs idle_heartbeat"
    return None


def _pending_problem(config: Config, context: Context) -> Optional[str]:
    acknowledges = (config.get("ack_policy") or "none") != "none"
    if (
        config.get("deliver_subject")
        and not acknowledges
        and (config.get("max_ack_pending") or 0) > 0
    ):
        return "needs acknowledgements (ack_policy) on a push consumer (err_code 10082)"
    return None


def _start_problem(config: Config, context: Context) -> Optional[str]:
    policy = config.get("deliver_policy", "all")
    needed = _START.get(policy)
    if needed and is_zero(config.get(needed)):
        return f"deliver_policy={policy} needs {needed}"
    for other, option in _START.items():
        if other != policy and not is_zero(config.get(option)):
            return f"{option} needs deliver_policy={other}"
    if policy == "last_per_subject" and not config.get("filter_subjects"):
        return "deliver_policy=last_per_subject needs a filter, such as >"
    return None


def _backoff_problem(config: Config, context: Context) -> Optional[str]:
    steps, deliveries = len(config.get("backoff") or []), config.get("max_deliver") or -1
    if not steps:
        return None
    if context.server.knows((2, 10, 0)) is False:
        if deliveries <= steps:
            return f"nats-server {context.server.text} needs max_deliver above the {steps} steps"
    elif 0 < deliveries < steps:
        return f"has {steps} steps, more than max_deliver ({deliveries})"
    return None


def _filter_problem(config: Config, context: Context) -> Optional[str]:
    filters = config.get("filter_subjects") or []
    if "" in filters:
        return "holds an empty filter"
    meeting = first_overlap(filters)
    if meeting:
        return f"{meeting[0]!r} and {meeting[1]!r} overlap"
    if context.server.knows((2, 10, 0)) is not False or not context.parent:
        return None
    subjects = context.parent.get("subjects") or []
    lost = [one for one in filters if not any(covers(wide, one) for wide in subjects)]
    if subjects and lost:
        return (
            f"{lost[0]!r} is not part of the stream's subjects ({', '.join(subjects)}), which "
            f"nats-server {context.server.text} needs (err_code 10093)"
        )
    return None


def _both_filters_problem(config: Config, context: Context) -> Optional[str]:
    # What is left of filter_subject after canonical() was given beside filter_subjects.
    return "excludes filter_subjects" if config.get("filter_subject") else None


def _deliver_problem(config: Config, context: Context) -> Optional[str]:
    target = config.get("deliver_subject")
    subjects = (context.parent or {}).get("subjects") or []
    if target and any(overlaps(target, one) for one in subjects):
        return "is one of the stream's own subjects, which would make a cycle"
    return None


def _priority_problem(config: Config, context: Context) -> Optional[str]:
    policy, groups = config.get("priority_policy") or "none", config.get("priority_groups")
    if policy == "none" and (groups or config.get("priority_timeout")):
        return "priority_groups and priority_timeout need a priority_policy"
    if policy != "none" and not groups:
        return f"priority_policy={policy} needs priority_groups"
    long = [group for group in groups or [] if not 0 < len(group) <= 16]
    return f"{long[0]!r} must have 1 to 16 characters" if long else None


def _replicas_problem(config: Config, context: Context) -> Optional[str]:
    replicas = config.get("num_replicas") or 0
    if replicas > 1 and context.server.clustered is False:
        return "more than 1 replica needs a cluster, and this server is standalone (err_code 10074)"
    return None


def _ephemeral_problem(config: Config, context: Context) -> Optional[str]:
    if not config.get("durable") and not config.get("inactive_threshold"):
        return "an ephemeral consumer (durable=false) needs inactive_threshold"
    return None


CHECKS = (
    Check(("deliver_subject", *PUSH_ONLY, *PULL_ONLY), _mode_problem),
    Check(
        (
            "flow_control",
            "idle_heartbeat",
            "ack_policy",
            "deliver_subject",
            "ack_wait",
            "backoff",
            "max_deliver",
            "max_ack_pending",
        ),
        _flow_problem,
    ),
    Check(("max_ack_pending", "ack_policy", "deliver_subject"), _pending_problem),
    Check(("deliver_policy", "opt_start_seq", "opt_start_time", "filter_subjects"), _start_problem),
    Check(("backoff", "max_deliver"), _backoff_problem),
    Check(("filter_subject",), _both_filters_problem),
    Check(("filter_subjects",), _filter_problem),
    Check(("deliver_subject",), _deliver_problem),
    Check(("priority_policy", "priority_groups", "priority_timeout"), _priority_problem),
    Check(("num_replicas",), _replicas_problem),
    Check(("durable", "inactive_threshold"), _ephemeral_problem),
)


def stream_problems(config: Config, stream: Config, server: Server) -> list[str]:
    """Return what a stream's configuration does not allow of a consumer's, as servers judge it.

    Both are wire configurations. Used before a stream is made anew, when every consumer has to
    come back.
    """
    problems = []
    workqueue = stream.get("retention") == "workqueue"
    if workqueue and config.get("ack_policy") not in ("explicit", "flow_control"):
        problems.append("a workqueue stream needs ack_policy=explicit (err_code 10084, 10098)")
    if workqueue and config.get("deliver_policy", "all") != "all":
        problems.append("a workqueue stream needs deliver_policy=all (err_code 10101)")
    limits = stream.get("consumer_limits") or {}
    for name, code in (("max_ack_pending", 10121), ("inactive_threshold", 10153)):
        most, has = limits.get(name) or 0, config.get(name) or 0
        if 0 < most < has:  # below 0 is unlimited, and taken
            problems.append(f"{name} {has} is above consumer_limits ({most}, err_code {code})")
    replicas, of_stream = config.get("num_replicas") or 0, stream.get("num_replicas") or 1
    if replicas > of_stream:
        problems.append(
            f"num_replicas {replicas} exceeds the stream's {of_stream} (err_code 10126)"
        )
    context, shaped = Context(server, stream), canonical(config)
    found = (_filter_problem(shaped, context), _deliver_problem(shaped, context))
    return problems + [text for text in found if text]


def room_problem(stream: Config, consumers: int, of_account: int = 0) -> Optional[str]:
    """Return why a stream does not take so many consumers, None if it does.

    of_account is the account's max_consumers, which on 2.9.10, 2.10.27 and 2.15.1 is one for each
    stream. What 2.15 takes for no limit (1000, or as the server is configured) is not to be seen.
    """
    own = stream.get("max_consumers") or 0
    limits = {"max_consumers": own, "the account": of_account}
    who, most = min(
        ((who, most) for who, most in limits.items() if most > 0),
        key=lambda one: one[1],
        default=("", consumers),
    )
    if consumers <= most:
        return None
    return f"would have {consumers} consumers, and {who} allows {most} (err_code 10026)"


def workqueue_problems(configs: list[Config]) -> list[str]:
    """Return which consumers a workqueue stream does not take beside each other.

    Each message goes to one consumer there, so their filters may not meet (err_code 10099, 10100).
    """
    filters = [
        (config.get("name") or config.get("durable_name"), one)
        for config in configs
        for one in canonical(config).get("filter_subjects") or [">"]
    ]
    return [
        f"the filters of {name} and {other} overlap, which a workqueue stream does not take"
        for index, (name, one) in enumerate(filters)
        for other, another in filters[index + 1 :]
        if name != other and overlaps(one, another)
    ]


# --------------------------------------------------------------------------------------------------
# Settings that follow from other settings
# --------------------------------------------------------------------------------------------------


def complete(config: Config, identity: Identity) -> Config:
    """Return a new consumer's configuration with its defaults: durable, ack_policy explicit.

    A server takes ack_policy none when it is not told, while clients and commands send explicit.
    """
    return {"name": identity[1], "durable": True, "ack_policy": "explicit", **config}


def derive(
    merged: Config, changed: frozenset[str], wanted: Config, current: Config, context: Context
) -> Config:
    """Return the wire configuration to send, with what follows from the changed settings."""
    config = dict(merged)
    if "filter_subjects" in changed:
        filters = config.pop("filter_subjects", None) or []
        config.pop("filter_subject", None)
        if len(filters) == 1:
            config["filter_subject"] = filters[0]  # the spelling that every server knows
        elif filters:
            config["filter_subjects"] = filters
    if "durable" in config:
        name = config.setdefault("name", config.pop("durable_name", None))
        if config.pop("durable") is not False:
            config["durable_name"] = name
    if "metadata" in changed:
        config["metadata"] = kept_metadata(wanted.get("metadata"), current.get("metadata"))
    if "ack_policy" in changed:
        # What the old policy made the server fill in is not kept for the new one.
        for name in ("ack_wait", "max_ack_pending"):
            if is_zero(wanted.get(name)) and SCHEMA.by_name[name].is_default(current, context):
                config.pop(name, None)
    if config.get("ack_policy") == "flow_control":
        config.update(flow_control=True, idle_heartbeat=FLOW_HEARTBEAT)
    if config.get("backoff"):
        config["ack_wait"] = config["backoff"][0]
    elif "backoff" in changed and is_zero(wanted.get("ack_wait")):
        config.pop("ack_wait", None)
    if "priority_policy" in changed and (config.get("priority_policy") or "none") == "none":
        for name in ("priority_policy", "priority_groups", "priority_timeout"):
            if is_zero(wanted.get(name)) or name == "priority_policy":
                config.pop(name, None)
    if "deliver_subject" in changed:
        for name in PULL_ONLY if config.get("deliver_subject") else PUSH_ONLY:
            if is_zero(wanted.get(name)):
                config.pop(name, None)
    if (config.get("max_batch") or 0) < 0:
        del config["max_batch"]  # 2.9 and 2.10 refuse -1; left out it is unlimited
    return config


def takes_no_update(config: Config, context: Context) -> bool:
    """2.9 refuses every update of a consumer with a start time, the same time in it or not."""
    return bool(config.get("opt_start_time")) and context.server.knows((2, 10, 0)) is False


def needs_parent(plan: Any) -> bool:
    """Say whether the stream's configuration decides something.

    It moves the defaults of what asks for them, 2.9 checks filters against its subjects, and its
    retention tells whether messages go with a consumer.
    """
    wanted, changed, server = plan.wanted, plan.changed, plan.context.server
    if plan.action in ("delete", "recreate") and not is_empty(plan.current):
        return True
    if server.knows((2, 10, 0)) is False and "filter_subjects" in changed:
        return True
    written = wanted if plan.action == "create" else changed
    return any(
        is_zero(wanted.get(name))
        for name in ("max_ack_pending", "inactive_threshold")
        if name in written
    )


# --------------------------------------------------------------------------------------------------
# What is lost
# --------------------------------------------------------------------------------------------------


def update_losses(before: Config, after: Config, info: Info, context: Context) -> list[Loss]:
    """An update loses nothing: messages and the place stay."""
    return []


def place(info: Info) -> dict[str, int]:
    """Return how far a consumer has come."""
    return {
        "ack_floor": info.get("ack_floor", {}).get("stream_seq", 0),
        "delivered": info.get("delivered", {}).get("stream_seq", 0),
        "num_pending": info.get("num_pending", 0),
        "num_ack_pending": info.get("num_ack_pending", 0),
        "num_redelivered": info.get("num_redelivered", 0),
    }


def delete_losses(info: Info, context: Context) -> list[Loss]:
    if is_empty(info):
        return []
    forgotten = Loss("the consumer's place in the stream is forgotten", place=place(info))
    return [forgotten, *_kept_for(info, context)]


def _kept_for(info: Info, context: Context) -> list[Loss]:
    """Return the messages that an interest stream keeps for this consumer, perhaps for it alone."""
    kept = info.get("num_pending", 0) + info.get("num_ack_pending", 0)
    if (context.parent or {}).get("retention") != "interest" or not kept:
        return []
    return [Loss("messages that the stream keeps for this consumer alone go with it", None, kept)]


def keeps_place(config: Config, floor: int, server: Server) -> bool:
    """Say whether CONSUMER.RESET can put a new consumer where the old one was.

    The request came with 2.14; observed on 2.15.1, it is refused (10204) for the policies last,
    new and last_per_subject, and below the start sequence.
    """
    policy = config.get("deliver_policy", "all")
    if policy == "by_start_sequence" and floor + 1 < (config.get("opt_start_seq") or 0):
        return False
    allowed = policy in ("all", "by_start_sequence", "by_start_time")
    return allowed and server.knows((2, 14, 0)) is True


def recreate_losses(info: Info, config: Config, context: Context) -> tuple[list[Loss], list[str]]:
    """Return the place, where it cannot be kept, and what comes again where it can."""
    if is_empty(info):
        return [], []
    at, kept = place(info), _kept_for(info, context)
    if not keeps_place(config, at["ack_floor"], context.server):
        return [Loss("the consumer starts over, its place is forgotten", place=at), *kept], []
    again = max(at["delivered"] - at["ack_floor"] - at["num_ack_pending"], 0)
    text = f"up to {again} messages acknowledged above the ack floor come again"
    return kept, [text] if again else []


def migration(info: Info, before: Config, after: Config, context: Context) -> Migration:
    """A consumer has no snapshot of its own: it is recreated and put back to its place."""
    if is_empty(info):
        return Migration("recreate")
    if not keeps_place(after, place(info)["ack_floor"], context.server):
        text = "the consumer would forget its place"
        if context.server.knows((2, 14, 0)) is True:
            text = f"{text}, which cannot be given back to one with these settings (err_code 10204)"
        else:
            text = f"{text}, which nats-server {context.server.text} cannot give back (2.14 can)"
        return Migration("recreate", [text])
    losses, warnings = recreate_losses(info, after, context)
    hidden = [loss._replace(plain=False) for loss in losses]
    return Migration("recreate", [], hidden, warnings)


def renew(config: Config, info: Info, context: Context) -> Config:
    """A new consumer carries nothing in its configuration."""
    return config


def is_empty(info: Info) -> bool:
    """Nothing was delivered, and nothing waits."""
    return not info.get("delivered", {}).get("consumer_seq") and not info.get("num_pending")


# --------------------------------------------------------------------------------------------------
# The server
# --------------------------------------------------------------------------------------------------


async def look(manager: Any, plan: Any, dry: bool) -> tuple[list[Problem], list[str]]:
    """Return what the stream does not take, which is asked where it may not take something.

    Without the permission to read the stream it is left to the server to refuse.
    """
    context = plan.context
    if context.parent is None and _stream_decides(plan, dry):
        with contextlib.suppress(PermissionDenied):
            context = await read_parent(manager, plan.identity, context)
    stream, others = context.parent, context.siblings or 0
    if stream is None:
        return [], []
    texts = stream_problems(plan.config, stream, context.server)
    if plan.action in MADE_ANEW:
        others -= plan.action == "recreate"
        texts += filter(None, [room_problem(stream, others + 1)])
    return [Problem("stream", text) for text in texts], []


def _stream_decides(plan: Any, dry: bool) -> bool:
    if plan.parent_missing:
        return False
    if dry and plan.action == "create":
        return True
    if plan.action in ("recreate", "migrate"):
        return True  # what cannot be created must not be deleted
    written = plan.changed if plan.action == "update" else plan.wanted
    return any(
        name in written and plan.config.get(name) not in (None, 0, harmless)
        for name, harmless in _TAKEN_BY_ALL.items()
    )


async def create(manager: Any, identity: Identity, config: Config) -> Info:
    info: Info = await manager.add_consumer(identity[0], config, action="create")
    return info


async def update(manager: Any, identity: Identity, config: Config, changed: frozenset[str]) -> Info:
    """Send the update, and the pause through its own request: updates ignore pause_until."""
    sent = {name: value for name, value in config.items() if name != "pause_until"}
    answer: Optional[Info] = None
    if changed - {"pause_until"}:
        answer = await manager.add_consumer(identity[0], sent, action="update")
        if "durable" in changed and not is_zero(answer["config"].get("inactive_threshold")):
            # What becomes durable without a threshold gets the 5 s of an ephemeral consumer for
            # it, on 2.9.10, 2.10.27 and 2.15.1; once it is durable, the same update takes them.
            answer = await manager.add_consumer(identity[0], sent, action="update")
    if "pause_until" in changed:
        if config.get("pause_until"):
            await manager.pause_consumer(*identity, config["pause_until"])
        else:
            await manager.resume_consumer(*identity)
        answer = None
    if answer is None:
        try:
            answer = await manager.consumer_info(*identity)
        except JetStreamError as error:
            text = "was accepted, but after that the consumer could not be looked at"
            error.args = (f"pause_until {text}: {error}. Run it again",)
            raise
    return answer


async def delete(manager: Any, identity: Identity) -> bool:
    return bool(await manager.delete_consumer(*identity))


async def recreate(manager: Any, plan: Any) -> Info:
    # Loaded when it is needed: an ordinary task has no use for it.
    from ansible_collections.nats.jetstream.plugins.module_utils._recreate_consumer import (
        recreate_consumer,
    )

    return await recreate_consumer(manager, plan)


async def read_parent(manager: Any, identity: Identity, context: Context) -> Context:
    try:
        info = await manager.stream_info(identity[0])
    except ApiError as error:
        if error.error_class == MISSING:
            return context
        raise
    siblings = info["state"].get("consumer_count", 0)
    return context._replace(parent=info["config"], siblings=siblings)


RULES = Rules(
    checks=CHECKS,
    create_problems=lambda config: [],
    complete=complete,
    derive=derive,
    update_losses=update_losses,
    delete_losses=delete_losses,
    recreate_losses=recreate_losses,
    migration=migration,
    renew=renew,
    is_empty=is_empty,
    takes_no_update=takes_no_update,
    needs_parent=needs_parent,
    read_parent=read_parent,
    look=look,
    create=create,
    update=update,
    delete=delete,
    recreate=recreate,
)
