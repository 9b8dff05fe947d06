# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Deleting a consumer and creating it again, at its place where the server can do that."""

from __future__ import annotations

from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import (
    is_empty,
    keeps_place,
    place,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError, JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info
from ansible_collections.nats.jetstream.plugins.module_utils._recovery import (
    RecreateFailed,
    mismatch,
    try_permissions,
    write_recovery,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import without_zeros

INVALID_RESET = 10204


async def recreate_consumer(manager: Any, plan: Any) -> Info:
    """Carry out a plan to recreate a consumer; return the INFO answer of the new one.

    Raises RecreateFailed, with the recovery, for what goes wrong from the delete on, and the plain
    error for what goes wrong before.
    """
    stream, name = plan.identity
    info = await manager.consumer_info(stream, name)
    if plan.policy.recreate == "if_empty" and not is_empty(info):
        raise JetStreamError(
            f"the {plan.title} was used meanwhile, and recreate=if_empty gives up no place"
        )
    old = {**info["config"], "name": name}
    recovery = {"stream_name": stream, "consumers": [old], "places": [place(info)]}
    requests = _requests(stream, name, plan.config)
    if _can_go_back(plan, info, plan.config):
        requests.append((f"CONSUMER.RESET.{stream}.{name}", b"-"))  # refused as no JSON (10025)
    await try_permissions(manager, requests)
    write_recovery(plan.policy.recovery_path, recovery)
    step = "the consumer may be deleted"
    try:
        await manager.delete_consumer(stream, name)
        step = "the consumer was deleted"
        try:
            answer: Info = await manager.add_consumer(stream, plan.config, action="create")
        except JetStreamError:
            await manager.add_consumer(stream, without_zeros(old), action="create")
            await _go_back(manager, plan, info, old)
            step = "the consumer was created again as it was before"
            raise
        step = "the consumer was recreated"
        return await _go_back(manager, plan, info, plan.config) or answer
    except JetStreamError as error:
        reason = str(error).rstrip(".")
        raise RecreateFailed(
            f"recreating the {plan.title} failed, {step}: {reason}. Its configuration and its "
            "place are in recovery",
            recovery,
            error,
        ) from error


def _requests(stream: str, name: str, config: dict[str, Any]) -> list[tuple[str, bytes]]:
    body = mismatch(stream_name=f"{stream}x", config={})
    one = config.get("filter_subject")
    filtered = f".{one}" if one else ""
    return [
        (f"CONSUMER.CREATE.{stream}.{name}{filtered}", body),
        (f"CONSUMER.DELETE.{stream}.{name}", b"-"),
    ]


async def _go_back(manager: Any, plan: Any, before: Info, config: dict[str, Any]) -> Any:
    """Put the new consumer behind what the old one has seen acknowledged, where possible."""
    if not _can_go_back(plan, before, config):
        return None
    try:
        await manager.reset_consumer(*plan.identity, place(before)["ack_floor"] + 1)
    except ApiError as error:
        # The first message from the start time on is above the floor, and the consumer is there.
        if error.err_code != INVALID_RESET or config.get("deliver_policy") != "by_start_time":
            raise
    return await manager.consumer_info(*plan.identity)


def _can_go_back(plan: Any, before: Info, config: dict[str, Any]) -> bool:
    floor = place(before)["ack_floor"]
    return not is_empty(before) and keeps_place(config, floor, plan.context.server)
