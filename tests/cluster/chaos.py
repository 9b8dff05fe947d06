# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments that are applied while a cluster shakes, and a judge of what is said of it.

A ``Shake`` waits until so many writes of a run have been sent, as an independent client sees them,
and does its damage in a thread of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Callable, NamedTuple

from harness import servers
from harness.client import Client, NatsError, NoResponders

# A server ends with the thread that started it, so what starts one lives as long as the tests.
HANDS = ThreadPoolExecutor(1)
UNSURE = "it may have been carried out"
ACCEPTED = "was accepted, but after"  # and has not settled in time, or could not be looked at
NOT_NOW = (OSError, NatsError, NoResponders, ValueError)


def declared(count: int, generation: int) -> list[dict[str, Any]]:
    """Return an environment of streams with three replicas; every tenth has a consumer."""
    return [
        {
            "name": f"E{number}",
            "subjects": [f"e.{number}"],
            "num_replicas": 3,
            "max_msgs": 1000 + generation,
            **({} if number % 10 else {"consumers": [{"name": "C", "max_deliver": generation}]}),
        }
        for number in range(count)
    ]


class Seen(NamedTuple):
    """What an independent client finds: configurations, and (messages) by stream."""

    configs: dict[str, dict[str, Any]]
    messages: dict[str, int]


def patiently(cluster: servers.Cluster, ask: Callable[[Client], Any], patience: float = 90) -> Any:
    """Return what an independent client is told, as soon as the cluster has a clear answer."""
    deadline = time.monotonic() + patience
    while True:
        for server in cluster.servers:
            with suppress(*NOT_NOW), Client(server.url, timeout=5) as nats:
                answer = ask(nats)
                if answer is not None:
                    return answer
        assert time.monotonic() < deadline, "the cluster did not come back"
        time.sleep(0.2)


def look(cluster: servers.Cluster) -> Seen:
    """Look at all streams and consumers, once every stream has a leader and current replicas."""
    return patiently(cluster, _look)


def _look(nats: Client) -> Any:
    configs, messages = {}, {}
    listed = nats.ok("STREAM.LIST")
    assert listed["total"] <= 256
    if listed.get("missing") or len(listed["streams"]) != len(
        nats.ok("STREAM.NAMES")["streams"] or []
    ):
        return None
    for info in listed["streams"]:
        name, group = info["config"]["name"], info.get("cluster") or {}
        replicas = group.get("replicas") or []
        if not group.get("leader") or len(replicas) < info["config"]["num_replicas"] - 1:
            return None
        if not all(one["current"] for one in replicas) or group.get("desired"):
            return None
        configs[name], messages[name] = info["config"], info["state"]["messages"]
        if info["state"]["consumer_count"]:
            rows = nats.ok(f"CONSUMER.LIST.{name}")
            if rows.get("missing") or len(rows["consumers"]) != info["state"]["consumer_count"]:
                return None
            configs.update({f"{name}/{row['name']}": row["config"] for row in rows["consumers"]})
    return Seen(configs, messages)


def emptied(cluster: servers.Cluster) -> None:
    def delete(nats: Client) -> Any:
        for name in nats.ok("STREAM.NAMES")["streams"] or []:
            nats.api(f"STREAM.DELETE.{name}")
        return True if not nats.ok("STREAM.NAMES")["streams"] else None

    patiently(cluster, delete)


def stored(cluster: servers.Cluster, names: Iterable[str]) -> dict[str, int]:
    """Publish a message to each stream; return how many each has acknowledged."""
    counts = {}
    for name in names:
        subject = f"e.{name[1:]}"
        patiently(cluster, lambda nats, to=subject: json.loads(nats.request(to, b"x"))["seq"])
        counts[name] = 1
    return counts


class Shake:
    """Does its damage after so many writes: ``with Shake(cluster, damage, after=10): ...``"""

    def __init__(self, cluster: servers.Cluster, damage: Callable[[], None], after: int) -> None:
        self.cluster, self.damage, self.after = cluster, damage, after
        self.error: BaseException | None = None
        self.happened = threading.Event()
        self.over = threading.Event()
        self.watching = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Shake:
        self.thread.start()
        assert self.watching.wait(30)
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        self.thread.join(120)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            with Client(self.cluster.urls[-1]) as nats:
                number = nats.subscribe("$JS.API.STREAM.*.*")
                nats.flush()
                self.watching.set()
                writes = 0
                while writes < self.after and not self.over.is_set():
                    with suppress(TimeoutError):
                        message = nats.next(number, 0.2)
                        writes += message.subject.split(".")[3] in ("CREATE", "UPDATE")
            if writes >= self.after:
                self.happened.set()
                HANDS.submit(self.damage).result()
        except BaseException as error:
            self.error = error
            self.watching.set()


class Verdict(NamedTuple):
    """What became of a run: places that are done, open (named as such), and unsure (said so)."""

    converged: bool
    done: set[str]
    open: set[str]
    unsure: set[str]


def judge(result: dict[str, Any], streams: list[dict[str, Any]], seen: Seen) -> Verdict:
    """Compare what a result says of each asset with what is there; raise when they differ."""
    there = {place for place, asset in assets(streams) if is_as_declared(asset, seen)}
    if not result.get("failed"):
        missing = {place for place, _asset in assets(streams)} - there
        assert not missing, f"reported as done and not there: {missing}"
        return Verdict(True, there, set(), set())
    assert "Traceback" not in json.dumps(result), result
    assert result.get("msg"), result
    planned = {place_of(row) for row in result.get("plan", [])}
    failures = {row["place"]: row["msg"] for row in result.get("failures", [])}
    not_tried = {place_of(row) for row in result.get("not_tried", [])}
    unsure = {place for place, text in failures.items() if UNSURE in text}
    settling = {place for place, text in failures.items() if ACCEPTED in text}
    open_ = (set(failures) | not_tried) - unsure - settling
    reported = (planned - set(failures) - not_tried) | settling
    assert reported <= there, f"reported and did not happen: {reported - there}; {result['msg']}"
    silent = (there & planned) - reported - unsure
    assert not silent, f"happened and was not reported: {silent}; {result['msg']}"
    return Verdict(False, reported, open_, unsure)


def assets(streams: list[dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    for index, stream in enumerate(streams):
        yield f"streams[{index}]", stream
        for number, consumer in enumerate(stream.get("consumers", [])):
            yield f"streams[{index}].consumers[{number}]", {**consumer, "stream": stream["name"]}


def is_as_declared(asset: dict[str, Any], seen: Seen) -> bool:
    name = f"{asset['stream']}/{asset['name']}" if "stream" in asset else asset["name"]
    wanted = {key: value for key, value in asset.items() if key not in ("stream", "consumers")}
    config = seen.configs.get(name, {})
    return all(config.get(key) == value for key, value in wanted.items())


def place_of(row: dict[str, Any]) -> str:
    return str(row["place"])
