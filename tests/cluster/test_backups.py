# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups and migrations in a cluster: streams that are offline, replicas, a leader that goes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time

import operators
import pytest
from accounts import stepped_down

from ansible_collections.nats.jetstream.plugins.module_utils import _drain, _move, _restore
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_backup,
    jetstream_restore,
    jetstream_stream,
)
from harness import client, collection, servers, sizes
from harness.between import RESTORE_ANSWER, RESTORE_END, Between, Fault
from harness.publishers import Publisher

PATIENCE = {"timeout": "5s", "retry_for": "120s", "wait_timeout": "120s"}
MESSAGES = 300
SECOND = 10**9
WINDOW = SECOND // 10  # ns; a migration waits until it is over


@pytest.fixture
def nats(cluster):
    """A patient connection to a server that no test here ends; nothing stays but the cluster."""
    with client.Client(cluster.urls[0], timeout=30) as connection:
        yield connection
        for name in connection.ok("STREAM.NAMES")["streams"] or []:
            connection.ok(f"STREAM.DELETE.{name}")


def good(result):
    assert not result.get("failed"), result["msg"]
    return result


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def answers(nats, stream):
    """Say whether a stream has a leader; without one, nobody answers."""
    try:
        return "error" not in json.loads(nats.request(f"$JS.API.STREAM.INFO.{stream}", timeout=2))
    except TimeoutError:
        return False


# --------------------------------------------------------------------------------------------------
# Offline
# --------------------------------------------------------------------------------------------------


def test_offline_streams_are_left_out(run, cluster, nats, tmp_path):
    """Named they fail the task, once the others are there; what a pattern matches is skipped."""
    leader = cluster.wait_for_leader()
    down = next(one for one in cluster.servers[1:] if one is not leader)
    up = [server.url for server in cluster.servers if server is not down]
    nats.ok("STREAM.CREATE.THREE", {"name": "THREE", "num_replicas": 3})
    away, others = [], []
    while len(away) < 2:
        name = f"ONE{len(away + others)}"
        at = nats.ok(f"STREAM.CREATE.{name}", {"name": name})["cluster"]["leader"]
        (away if at == down.name else others).append(name)
    options = {"path": str(tmp_path / "b"), "timeout": "1s", "retry_for": "1s"}
    good(run(jetstream_backup, path=options["path"], streams=away[:1]))
    down.kill()
    try:
        wait_for(lambda: answers(nats, "THREE"))
        for check in (True, False):
            whole = good(run(jetstream_backup, **options, servers=up, check=check))
            rows = {row["name"]: row for row in whole["streams"]}
            assert {name for name in rows if rows[name]["action"] == "backup"} == {"THREE", *others}
            assert {rows[name]["action"] for name in away} == {"skipped"}
            assert all("offline" in rows[name]["reason"] for name in away)
            assert len([text for text in whole["warnings"] if "is offline" in text]) == 2
            assert whole["changed"]
            assert (tmp_path / "b" / "THREE").exists() != check
        again = good(run(jetstream_backup, **options, servers=up))
        assert not again["changed"]
        named = run(jetstream_backup, **options, servers=up, streams=["THREE", *away])
        assert named["failed"] and not named.get("changed")
        assert "2 of 3 streams could not be backed up" in named["msg"]
        actions = {row["name"]: row["action"] for row in named["streams"]}
        assert actions == {"THREE": "none", **dict.fromkeys(away, "failed")}
    finally:
        down.start()
        cluster.wait_for_leader()
    assert (tmp_path / "b" / away[0] / "backup.json").exists()
    args = {"path": options["path"], "streams": away}
    done = good(run(jetstream_backup, **args, **PATIENCE_OF_BACKUPS))
    assert [row["action"] for row in done["streams"]] == ["none", "backup"]


PATIENCE_OF_BACKUPS = {name: PATIENCE[name] for name in ("timeout", "retry_for")}


# --------------------------------------------------------------------------------------------------
# Replicas
# --------------------------------------------------------------------------------------------------


FILTERS = {"all": "s.>", "some": "s.1"}


def filled(nats, **config):
    """A stream of three replicas with holes, and with two consumers half way."""
    config = {"name": "S", "subjects": ["s.>"], "num_replicas": 3, **config}
    nats.ok("STREAM.CREATE.S", {"duplicate_window": WINDOW, **config})
    for number in range(MESSAGES):
        nats.request(f"s.{number % 3}", str(number), msg_id=str(number))
    for seq in (2, 7, 8):
        nats.ok("STREAM.MSG.DELETE.S", {"seq": seq})
    for name, subject in FILTERS.items():
        consumer = {"durable_name": name, "ack_policy": "explicit", "filter_subject": subject}
        nats.ok(f"CONSUMER.CREATE.S.{name}", {"stream_name": "S", "config": consumer})
        wait_for(
            lambda name=name: nats.ok(f"CONSUMER.INFO.S.{name}").get("cluster", {}).get("leader")
        )
        sid, left, pull = (
            nats.subscribe(f"_INBOX.{name}"),
            40,
            f"$JS.API.CONSUMER.MSG.NEXT.S.{name}",
        )
        while left:
            nats.publish(pull, str(left).encode(), f"_INBOX.{name}")
            with contextlib.suppress(TimeoutError):  # its leader does not listen yet
                while left:
                    nats.request(nats.next(sid, timeout=2).reply, b"+ACK")
                    left -= 1


def picture(nats):
    """Each message, and each consumer with its place; what a replica may know later is waited for.

    A new leader counts what is pending when it has caught up.
    """
    found = None
    while True:
        last, found = found, _look(nats)
        if found == last:
            return found
        time.sleep(0.3)


def counted(seen):
    """Return a picture with what is pending by its messages.

    A leader that was elected while messages were acknowledged may count it wrong (12 too many were
    seen with 2.15.1).
    """

    def pending(name, delivered):
        return sum(
            seq > delivered and FILTERS[name] in ("s.>", message["subject"])
            for seq, message in seen["messages"].items()
        )

    consumers = {
        name: (floor, delivered, pending(name, delivered), replicas)
        for name, (floor, delivered, _told, replicas) in seen["consumers"].items()
    }
    return {**seen, "consumers": consumers}


def picture_like(nats, seen, seconds=60):
    """Return a picture as soon as it is the one that was seen, or what it is after a while.

    A consumer may count nothing as pending until the server that leads it has the messages.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = picture(nats)
        if found == seen or time.monotonic() > deadline:
            return found


def _look(nats, name="S"):
    info = nats.ok(f"STREAM.INFO.{name}", {"deleted_details": True})
    state = {one: info["state"].get(one) for one in ("messages", "first_seq", "last_seq")}
    messages = {}
    for seq in range(state["first_seq"], state["last_seq"] + 1):
        answer = nats.api(f"STREAM.MSG.GET.{name}", {"seq": seq})
        if "message" in answer:
            messages[seq] = answer["message"]
    consumers = {
        one["name"]: (
            one["ack_floor"]["stream_seq"],
            one["delivered"]["stream_seq"],
            one["num_pending"],
            len(one["cluster"].get("replicas") or ()),
        )
        for one in nats.ok(f"CONSUMER.LIST.{name}")["consumers"]
    }
    replicas = len(info["cluster"].get("replicas") or ())
    return {"state": state, "messages": messages, "consumers": consumers, "replicas": replicas}


# What the meta leader steps down before, during a migration.
STEPS = {
    "nothing": None,
    "the snapshot": (_move, "write"),
    "the wait for the end of the old one": (_restore, "wait_gone"),
    "the restore": (_restore, "give"),
    "the subjects": (_restore, "finish"),
}


@pytest.mark.parametrize("before", sizes.size(["nothing", "the restore"], list(STEPS)))
def test_migrate(before, run, cluster, nats, tmp_path, monkeypatch):
    filled(nats, deny_purge=True)
    seen, stepped = counted(picture(nats)), []
    if STEPS[before]:
        room, name = STEPS[before]
        step = getattr(room, name)

        async def after_a_step_down(*args, **more):
            if not stepped:
                stepped.append(before)
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, stepped_down, cluster)
            return await step(*args, **more)

        monkeypatch.setattr(room, name, after_a_step_down)
    options = {"name": "S", "recreate": "migrate", "migrate_path": str(tmp_path / "m"), **PATIENCE}
    done = good(run(jetstream_stream, **options, deny_purge=False))
    assert done["action"] == "migrate"
    assert stepped == ([before] if STEPS[before] else [])
    assert picture_like(nats, seen) == seen
    config = nats.ok("STREAM.INFO.S")["config"]
    assert not config.get("deny_purge") and config["subjects"] == ["s.>"]
    assert not good(run(jetstream_stream, **options, deny_purge=False))["changed"]
    assert json.loads(nats.request("s.0", b"more"))["seq"] == MESSAGES + 1


# What happens while a migration waits for the end of the window, and to how many replicas.
STEPS_DOWN, KILLED = "its leader steps down", "its leader is killed"
MEANWHILE = [(1, "nothing"), (3, STEPS_DOWN), (3, "nothing"), (3, KILLED)]


@pytest.mark.parametrize(("replicas", "meanwhile"), sizes.size(MEANWHILE[:2], MEANWHILE))
def test_nothing_is_stored_twice(replicas, meanwhile, run, cluster, nats, tmp_path, monkeypatch):
    """By publishers that lose every first acknowledgement, whoever leads the stream."""
    # Not S: a restore whose meta leader steps down may make its consumers later, in a new S.
    config = {"subjects": ["s.>"], "num_replicas": replicas, "deny_purge": True}
    # An election after a kill takes seconds, and whoever asks after the window is not known.
    window = (20 if meanwhile == KILLED else 3) * SECOND
    limits = {"max_msgs_per_subject": 10**6, "duplicate_window": window}
    nats.ok("STREAM.CREATE.T", {"name": "T", **config, **limits})
    wait_for(lambda: stores(nats, "s.first"))
    before, answers = nats.ok("STREAM.INFO.T")["config"], []

    def publish(subject, name):
        """Publish until somebody answers; a cluster without a leader does not."""
        while True:
            with contextlib.suppress(client.NoResponders, TimeoutError):
                answers.append(json.loads(nats.request(subject, name, timeout=1, msg_id=name)))
                return
            time.sleep(0.05)

    async def hold(*args):
        await loop().run_in_executor(None, publish, "s.lost", "lost")
        return await held(*args)

    def within():
        leader = nats.ok("STREAM.INFO.T")["cluster"]["leader"]
        if meanwhile == STEPS_DOWN:
            nats.ok("STREAM.LEADER.STEPDOWN.T")
        if meanwhile == KILLED:
            server = next(one for one in cluster.servers if one.name == leader)
            if server is not cluster.servers[0]:
                server.kill()
                server.start()
        publish("s.lost", "lost")
        publish("s.new", "new")

    async def drain(*args):
        await loop().run_in_executor(None, within)
        return await drained(*args)

    loop, held, drained = asyncio.get_running_loop, _move._hold, _drain.drained
    monkeypatch.setattr(_move, "_hold", hold)
    monkeypatch.setattr(_drain, "drained", drain)
    options = {"name": "T", "recreate": "migrate", "migrate_path": str(tmp_path / "m"), **PATIENCE}
    url = cluster.urls[0]
    with Publisher(url, "s.now", 0.0) as quick, Publisher(url, "s.later", 0.3) as slow:
        slow.goes_on(2)
        done = good(run(jetstream_stream, **options, deny_purge=False))
        quick.goes_on()
        slow.goes_on(2)
    assert done["migration"]["wait"] > 0
    first, repeated, new = answers
    assert (repeated.get("seq"), repeated.get("duplicate")) == (first["seq"], True)
    assert new["error"]["err_code"] == 10077
    after = nats.ok("STREAM.INFO.T")["config"]
    assert {**after, "metadata": {}} == {**before, "deny_purge": False, "metadata": {}}
    stored = _look(nats, "T")["messages"].values()
    for one in (quick, slow):
        numbers = [
            int(base64.b64decode(message["data"]))
            for message in stored
            if message["subject"] == one.subject
        ]
        # Of the last one, nobody may have asked again.
        assert numbers in (list(range(one.tried)), list(range(len(one.sequences))))


def test_consumers_with_fewer_replicas(run, nats, tmp_path):
    """A server that has the stream may lack them; a migration is refused, a backup says so."""
    filled(nats, deny_purge=True)
    config = {"durable_name": "one", "ack_policy": "explicit", "num_replicas": 1}
    nats.ok("CONSUMER.CREATE.S.one", {"stream_name": "S", "config": config})
    seen = picture(nats)
    options = {"name": "S", "recreate": "migrate", "migrate_path": str(tmp_path / "m"), **PATIENCE}
    for check in (True, False):
        refused = run(jetstream_stream, **options, deny_purge=False, check=check)
        assert refused["failed"] and "consumer one" in refused["msg"]
        assert "fewer replicas than the stream" in refused["msg"]
        assert picture(nats) == seen
    args = {"path": str(tmp_path / "b"), "streams": ["S"], **PATIENCE_OF_BACKUPS}
    (row,) = good(run(jetstream_backup, **args))["streams"]
    held, left_out = row["consumers"], [one["consumer"] for one in row["left_out"]]
    assert (held, left_out) in ((3, []), (2, ["one"]))


def test_backup_and_restore(run, cluster, nats, tmp_path):
    """With the replicas that the stream had, and with fewer; the end is lost, or its answer."""
    filled(nats)
    seen = counted(picture(nats))
    args = {"path": str(tmp_path / "b"), "streams": ["S"], **PATIENCE_OF_BACKUPS}
    good(run(jetstream_backup, **args))
    end, answer = ("request lost", RESTORE_END), ("answer lost", RESTORE_ANSWER)
    for config, replicas, (what, pattern) in ({}, 2, end), ({"num_replicas": 1}, 0, answer):
        nats.ok("STREAM.DELETE.S")
        path = str(tmp_path / "b" / "S")
        with Between(cluster.servers[0]) as between:
            between.disturb(Fault(what, pattern=pattern))
            through = {"servers": [between.url], "path": path, "config": config}
            done = good(run(jetstream_restore, **through, **PATIENCE_OF_BACKUPS))
        assert done["changed"] and between.happened
        places = {name: (*place[:3], replicas) for name, place in seen["consumers"].items()}
        expected = {**seen, "replicas": replicas, "consumers": places}
        assert picture_like(nats, expected) == expected


# --------------------------------------------------------------------------------------------------
# Room
# --------------------------------------------------------------------------------------------------

MIB = 1 << 20


def tiered(operator, **tiers):
    """Let the account of an operator have so many bytes of disk and of memory in each tier."""
    limits = {
        name: {"disk_storage": disk, "mem_storage": memory, "streams": -1, "consumer": -1}
        for name, (disk, memory) in tiers.items()
    }
    account = {"type": "account", "limits": {**operators.UNLIMITED, "wildcards": True}}
    account["limits"]["tiered_limits"] = limits
    token = operators.jwt(operator.key, operator.account, "APP", account)
    operator.config["resolver_preload"][operator.account.public] = token
    return operator


def stores(nats, subject):
    """Publish to a new stream, of which other servers may not know yet; say whether it took it."""
    try:
        return b"seq" in nats.request(subject, bytes(100 * 1024))
    except client.NoResponders:
        return False


def test_an_account_with_tiers_that_is_nearly_full(newest_server, tmp_path):
    """Where there is no room, it is said beforehand, and nothing was done."""
    operator = tiered(operators.Operator(), R1=(4 * MIB, MIB), R3=(MIB, MIB))
    bearer = operator.user(bearer_token=True)[0]
    with (
        servers.Cluster(binary=newest_server.binary, config=operator.config) as cluster,
        client.Client(cluster.urls[0], timeout=20, jwt=bearer) as nats,
    ):
        config = {"name": "S", "subjects": ["s.>"], "deny_purge": True}
        config["duplicate_window"] = WINDOW
        wait_for(lambda: "error" not in nats.api("STREAM.CREATE.S", config))
        wait_for(lambda: stores(nats, "s.0"))
        for number in range(1, 30):
            nats.request(f"s.{number}", bytes(100 * 1024))
        seen = _look(nats)
        options = {"name": "S", "recreate": "migrate", "migrate_path": str(tmp_path / "m")}
        options.update(PATIENCE, servers=cluster.urls, jwt=bearer)
        for args, said in (
            ({"storage": "memory"}, "1MiB of memory storage left in its tier R1"),
            ({"deny_purge": False, "num_replicas": 3}, "1MiB of file storage left in its tier R3"),
        ):
            for check in (True, False):
                refused = collection.run_module(jetstream_stream, **options, **args, check=check)
                assert refused["failed"] and said in refused["msg"], refused
                assert nats.ok("STREAM.INFO.S")["config"]["deny_purge"]
                assert _look(nats) == seen
        done = good(collection.run_module(jetstream_stream, **options, deny_purge=False))
        assert done["action"] == "migrate"
        assert _look(nats) == seen
        # What the server refuses is said before anything is done, too.
        args = {"path": str(tmp_path / "b"), **PATIENCE_OF_BACKUPS, "servers": cluster.urls}
        good(collection.run_module(jetstream_backup, **args, jwt=bearer))
        args.update(path=str(tmp_path / "b" / "S"), jwt=bearer, config={"num_replicas": 3})
        nats.ok("STREAM.DELETE.S")
        refused = collection.run_module(jetstream_restore, **args)
        assert refused["failed"], refused
        assert nats.api("STREAM.INFO.S")["error"]["code"] == 404
