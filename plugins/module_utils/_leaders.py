# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Who leads a stream, a consumer or the whole cluster, and letting somebody else do it.

A group is what elects a leader: the replicas of a stream or a consumer, or the servers of a
cluster. Observed on clusters of 2.9.10, 2.10.27 and 2.15.1.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._asset import (
    asked_server,
    server_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    ApiError,
    NoJetStream,
    NotSettled,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info, is_clustered
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem, Server

# Older servers refuse to be told who should lead, with 10003 or 10005.
PREFERRED_SINCE = (2, 11, 0)
META_STATE = "$SYS.REQ.SERVER.PING.JSZ"
ANSWER_WITHIN = 1.0  # s; only the meta leader answers, and during an election nobody does
GRACE = 3.0  # s, in which a group elects; after that the old leader is taken for elected again
ELECTIONS = 3  # how often a group is asked to elect the preferred server


class Led(NamedTuple):
    """A group: its name in words, its leader if it has one, and what is said of the others."""

    title: str
    leader: Optional[str]
    others: dict[str, dict[str, Any]]

    @property
    def servers(self) -> str:
        return ", ".join(sorted({*self.others, *([self.leader] if self.leader else [])}))


class Group(NamedTuple):
    """How to look at a group, and how to ask it for another leader: (preferred) -> None."""

    read: Callable[[], Awaitable[Led]]
    step_down: Callable[[Optional[str]], Awaitable[None]]


def stream_group(manager: Any, stream: str) -> Group:
    async def read() -> Led:
        return _of_asset(f"stream {stream}", await manager.stream_info(stream))

    async def step_down(preferred: Optional[str]) -> None:
        await manager.stream_leader_stepdown(stream, preferred)

    return Group(read, step_down)


def consumer_group(manager: Any, stream: str, name: str) -> Group:
    async def read() -> Led:
        info = await manager.consumer_info(stream, name)
        return _of_asset(f"consumer {name} of stream {stream}", info)

    async def step_down(preferred: Optional[str]) -> None:
        await manager.consumer_leader_stepdown(stream, name, preferred)

    return Group(read, step_down)


def meta_group(manager: Any) -> Group:
    async def read() -> Led:
        return await _of_cluster(manager)

    return Group(read, manager.meta_leader_stepdown)


def _of_asset(title: str, info: Info) -> Led:
    if not is_clustered(info):
        raise Refused(
            f"the {title} is on a standalone server: it has no replicas that could elect another "
            "leader. Only a cluster can do this"
        )
    cluster = info["cluster"]
    others = {one["name"]: one for one in cluster.get("replicas") or []}
    return Led(title, cluster.get("leader") or None, others)


async def _of_cluster(manager: Any) -> Led:
    """Ask the meta leader of itself, which only a user of the system account may."""

    if manager.connection.prefix != "$JS.API":
        raise Refused(
            "a meta leader is asked for in the system account of its own cluster; domain and "
            "api_prefix lead elsewhere"
        )

    async def ask(timeout: float) -> Any:
        payload = json.dumps({"leader_only": True}).encode()
        within = min(timeout, ANSWER_WITHIN)
        try:
            return await manager.connection.request_subject(META_STATE, payload, within)
        except NoJetStream as error:
            raise Refused(
                "only a user of the system account may ask for another meta leader, and nothing "
                f"answers this one on {META_STATE}: log in to that account"
            ) from error

    state = (json.loads(await manager.repeated(ask)).get("data") or {}).get("meta_cluster")
    if not state:
        raise Refused(
            "a standalone server answered, which has no meta leader. Only a cluster can do this"
        )
    others = {one["name"]: one for one in state.get("replicas") or []}
    return Led(f"cluster {state.get('name')}", state.get("leader") or None, others)


async def look(group: Group, patience: float) -> Led:
    """Return a group as soon as it has a leader, or as it is after patience seconds."""
    deadline, pause = time.monotonic() + patience, 0.05
    while True:
        led = await group.read()
        left = deadline - time.monotonic()
        if led.leader or left <= 0:
            return led
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, 1.0)


def check(led: Led, preferred: Optional[str], server: Server) -> None:
    """Raise Refused for what is known to be impossible. Pure."""
    problem = _problem(led, preferred, server)
    if problem:
        place = "preferred" if preferred else ""
        text = f"the leader of the {led.title} cannot step down: {problem}"
        raise Refused(text, [Problem(place, problem)])


def _problem(led: Led, preferred: Optional[str], server: Server) -> Optional[str]:
    if preferred and server.knows(PREFERRED_SINCE) is False:
        return f"a preferred server needs nats-server 2.11 or newer, this is {server.text}"
    if not led.leader:
        return "there is none. An election is under way, or most of its servers are down"
    if preferred and preferred not in led.others:
        return f"the preferred server {preferred} is not one of its servers, {led.servers}"
    if preferred and not _could_lead(led.others[preferred]):
        return f"the preferred server {preferred} is offline or behind the others"
    if not led.others:
        return (
            f"it has a single replica, on {led.leader}, and nobody else could lead. Give it more "
            "replicas (num_replicas), or move it (placement)"
        )
    if not any(map(_could_lead, led.others.values())):
        return "all its other servers are offline or behind"
    return None


def _could_lead(replica: dict[str, Any]) -> bool:
    """2.15.1 says of a server that died that it is current for 10 s, and offline later still."""
    return bool(replica.get("current")) and not replica.get("offline")


async def elect(group: Group, led: Led, preferred: Optional[str], patience: float) -> str:
    """Let a group elect another leader; return its name when it is there.

    Raises NotSettled when nobody leads within patience seconds, or somebody else than preferred.
    """
    leader: Optional[str] = led.leader
    for _election in range(ELECTIONS):
        try:
            await group.step_down(preferred)
        except ApiError as error:
            if not preferred or "already leader" not in error.description:
                raise
        leader = await _elected(group, leader, preferred, patience)
        if not preferred or leader == preferred:
            return leader
    raise NotSettled(
        f"the leader of the {led.title} stepped down, and {leader} leads now instead of the "
        f"preferred server {preferred}. Run it again"
    )


async def _elected(
    group: Group, before: Optional[str], preferred: Optional[str], patience: float
) -> str:
    """Return who leads after an election; the one from before only if nobody else shows up."""
    started, pause = time.monotonic(), 0.05
    while True:
        led = await group.read()
        took = time.monotonic() - started
        new = led.leader and (led.leader == preferred or led.leader != before)
        if led.leader and (new or took >= min(GRACE, patience)):
            return led.leader
        if took >= patience:
            raise NotSettled(
                f"the leader of the {led.title} stepped down, and after {patience:g} s nobody "
                "leads. It may still come; give wait_timeout more, or do not wait (wait=false)"
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.5)


async def step_down(session: Any, group: Group, preferred: Optional[str]) -> dict[str, Any]:
    """Do what a task of jetstream_step_down says; return its result.

    session.wanted is how many seconds it waits for another leader.
    """
    led = await look(group, session.manager.retry_for)
    if preferred and led.leader == preferred:
        return _result(session, led, False, preferred)
    server = server_of(session.connection)
    if preferred and server.knows(PREFERRED_SINCE) is not True:
        server = await asked_server(server, session.manager)
    check(led, preferred, server)
    if session.check_mode:
        return _result(session, led, True, preferred)
    if not session.params["wait"]:
        await group.step_down(preferred)
        return _result(session, led, True, None)
    leader = await elect(group, led, preferred, session.wanted)
    if leader == led.leader:
        session.module.warn(f"{leader} stepped down as leader of the {led.title}, and leads again")
    return _result(session, led, True, leader)


def _result(session: Any, led: Led, changed: bool, leader: Optional[str]) -> dict[str, Any]:
    result: dict[str, Any] = {"changed": changed, "leader_before": led.leader, "leader": leader}
    if session.module._diff:
        header = f"leader of the {led.title}"
        result["diff"] = {
            "before": f"leader: {led.leader}\n",
            "after": f"leader: {leader or 'whoever is elected'}\n",
            "before_header": header,
            "after_header": header,
        }
    return result
