# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no update can change, a recreate does: only when it may, and with the least that is lost."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
import time

import pytest
from independent import Account

from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._manager import JetStreamManager
from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream
from harness import client, servers

SECOND = 10**9
FOREVER = 3600 * SECOND
V210, V211, V214 = (2, 10), (2, 11), (2, 14)
FORETOLD = ("changed", "action", "changes", "diff", "declaration", "would_lose")


def filled(account, messages=3, **config):
    """A stream S with a durable and messages."""
    account.stream("S", **{"subjects": ["s.>"], "description": "d", **config})
    account.consumer("S", "C", description="of S", max_deliver=7)
    for _number in range(messages):
        account.store("s.a")


def picture(account):
    """Everything that a refused recreate must not have touched."""
    info = account.info("S")
    consumers = account.ok("CONSUMER.LIST.S")["consumers"]
    kept = [
        (one["created"], one["config"], one["ack_floor"], one["delivered"]) for one in consumers
    ]
    state = {name: info["state"][name] for name in ("messages", "first_seq", "last_seq")}
    return info["created"], info["config"], state, kept


def refused(account, run_module, module=jetstream_stream, checks=(True, False), **args):
    before = picture(account)
    for check in checks:
        result = run_module(module, **args, check=check)
        assert result.get("failed"), result
        assert picture(account) == before
    return result


def recreated(account, run_module, module=jetstream_stream, **args):
    """Do it as it was foretold."""
    before = picture(account)
    check = run_module(module, **args, check=True)
    assert check.get("action") == "recreate", check
    assert picture(account) == before
    done = run_module(module, **args)
    assert done.get("changed"), done
    for key in FORETOLD:
        assert check.get(key) == done.get(key), key
    assert run_module(module, **args)["changed"] is False
    return done


def hooked(monkeypatch, method, before):
    """Call before() when the engine is about to send a request of this sort."""
    original = getattr(JetStreamManager, method)

    async def wrapped(self, *args, **more):
        waiting = before(*args)
        if waiting is not None:
            await waiting
        return await original(self, *args, **more)

    monkeypatch.setattr(JetStreamManager, method, wrapped)


# --------------------------------------------------------------------------------------------------
# Whether
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("messages", [0, 3])
@pytest.mark.parametrize("policy", [{}, {"recreate": "never"}])
def test_never_is_the_default(messages, policy, account, run_module):
    filled(account, messages)
    args = {"name": "S", "storage": "memory", "retention": "workqueue", **policy}
    result = refused(account, run_module, **args)
    rows = {row["option"]: (row["current"], row["wanted"]) for row in result["immutable"]}
    assert rows == {"storage": ("file", "memory"), "retention": ("limits", "workqueue")}
    assert (result.get("would_lose") or {"messages": 0})["messages"] == messages
    assert "recreate" in result["msg"]


def test_if_empty_refuses_what_holds_messages(account, run_module):
    filled(account)
    result = refused(account, run_module, name="S", storage="memory", recreate="if_empty")
    assert [row["option"] for row in result["immutable"]] == ["storage"]
    assert result["would_lose"]["messages"] == 3


def test_if_empty_recreates_what_holds_none(account, run_module):
    filled(account, messages=0)
    consumer = account.stored("S", "C")
    done = recreated(account, run_module, name="S", storage="memory", recreate="if_empty")
    assert "would_lose" not in done
    assert account.stored("S")["storage"] == "memory"
    assert account.stored("S")["description"] == "d"
    assert account.stored("S", "C") == consumer


def test_if_empty_is_stopped_by_a_message(account, run_module, monkeypatch):
    """One that arrives after the plan was made and before the stream is deleted."""
    filled(account, messages=0)
    before = account.info("S")
    arrived = []

    def publish(*_request):
        if not arrived:
            arrived.extend(account.store("s.late"))

    hooked(monkeypatch, "try_request", publish)
    result = run_module(jetstream_stream, name="S", storage="memory", recreate="if_empty")
    assert result.get("failed"), result
    assert "1 messages arrived" in result["msg"]
    after = account.info("S")
    assert (after["created"], after["config"]) == (before["created"], before["config"])
    assert after["state"]["messages"] == 1
    account.store("s.later")


@pytest.mark.parametrize("recreate", ["if_empty", "always"])
def test_data_loss_forbid(recreate, account, run_module):
    filled(account)
    args = {"name": "S", "storage": "memory", "recreate": recreate, "data_loss": "forbid"}
    assert refused(account, run_module, **args)["would_lose"]["messages"] == 3
    # Without messages nothing is lost.
    account.ok("STREAM.PURGE.S")
    recreated(account, run_module, **args)


@pytest.mark.parametrize("update", ["merge", "replace"])
def test_only_a_written_option_recreates(update, account, run_module):
    """Storage, counters and limits of consumers that are not mentioned stay as they are."""
    filled(account, storage="memory", max_consumers=5, deny_delete=True)
    before = account.stored("S")
    args = {"name": "S", "update": update, "recreate": "always", "subjects": ["s.>"]}
    run_module(jetstream_stream, **args)
    after = account.stored("S")
    assert (after["storage"], after["deny_delete"]) == (before["storage"], True)
    assert account.state("S")["messages"] == 3


# --------------------------------------------------------------------------------------------------
# How
# --------------------------------------------------------------------------------------------------


def test_always_starts_anew_where_the_old_one_ended(account, run_module):
    filled(account, messages=5)
    done = recreated(account, run_module, name="S", storage="memory", recreate="always")
    assert done["would_lose"]["messages"] == 5
    state = account.state("S")
    assert state["messages"] == 0
    (first,) = account.store("s.a")
    # 2.9 cannot be told where to start.
    assert first == (6 if account.release >= V210 else 1)
    assert account.info("S", "C")["num_pending"] == 1


@pytest.mark.parametrize("declared, first", [(100, 100), (3, 6)], ids=["higher", "lower"])
def test_declared_first_seq(declared, first, account, run_module):
    filled(account, messages=5)
    args = {"name": "S", "storage": "memory", "recreate": "always", "first_seq": declared}
    if account.release < V210:
        assert refused(account, run_module, **args)["problems"][0]["place"] == "first_seq"
        return
    recreated(account, run_module, **args)
    assert account.store("s.a") == [first]


def test_consumers_come_back(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "plain")
    account.consumer("S", "filtered", filter_subject="s.a", backoff=[SECOND + 1], max_deliver=5)
    account.consumer("S", "pushed", deliver_subject="d.x", idle_heartbeat=SECOND, flow_control=True)
    account.consumer("S", "silent", ack_policy="none", inactive_threshold=FOREVER)
    account.consumer("S", "named", durable_name=None, inactive_threshold=FOREVER)
    names = ["plain", "filtered", "pushed", "silent", "named"]
    if account.release >= V210:
        account.consumer("S", "several", filter_subjects=["s.b", "s.c"], metadata={"a": "1"})
        names.append("several")
    if account.release >= V211:
        account.consumer("S", "paused", pause_until="2099-01-01T00:00:00Z")
        account.consumer("S", "pinned", priority_policy="overflow", priority_groups=["g"])
        names += ["paused", "pinned"]
    account.store("s.a", "s.b")
    before = {name: account.stored("S", name) for name in names}
    recreated(account, run_module, name="S", storage="memory", recreate="always")
    assert {name: account.stored("S", name) for name in names} == before
    assert account.state("S")["consumer_count"] == len(names)
    if account.release >= V211:
        assert account.info("S", "paused")["paused"]


def test_publishers_get_no_acknowledgement_for_what_is_lost(
    account, server, run_module, monkeypatch
):
    """Whatever is acknowledged once the purge begins is in the new stream."""
    filled(account, messages=20)
    closed = threading.Event()
    hooked(monkeypatch, "purge_stream", lambda *_args: closed.set())
    # Long enough for a publisher to meet a stream without subjects, and then none at all.
    hooked(monkeypatch, "delete_stream", lambda *_args: asyncio.sleep(0.1))
    hooked(monkeypatch, "add_stream", lambda *_args: asyncio.sleep(0.1))
    acknowledged, errors, stop = [], [], threading.Event()

    def publish():
        with client.Client(server.url) as publisher:
            number = 0
            while not stop.is_set():
                number += 1
                late = closed.is_set()
                try:
                    answer = json.loads(publisher.request("s.p", str(number)))
                except client.NatsError as error:
                    errors.append(error)
                    time.sleep(0.001)
                    continue
                if late and "error" not in answer:
                    acknowledged.append((answer["seq"], number))

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        result = run_module(jetstream_stream, name="S", storage="memory", recreate="always")
        time.sleep(0.1)
    finally:
        stop.set()
        thread.join()
    assert result.get("action") == "recreate", result
    assert len(errors) > 10 and len(acknowledged) > 10
    stored = [answer["message"] for answer in messages(account)]
    assert [message["seq"] for message in stored] == [seq for seq, _number in acknowledged]


def messages(account):
    state = account.state("S")
    found = []
    for seq in range(state["first_seq"], state["last_seq"] + 1):
        answer = account.api("STREAM.MSG.GET.S", {"seq": seq})
        if "error" not in answer:
            found.append(answer)
    return found


def test_deny_purge_is_not_purged(account, run_module):
    filled(account, deny_purge=True)
    done = recreated(account, run_module, name="S", deny_purge=False, recreate="always")
    assert done["would_lose"]["messages"] == 3
    assert account.state("S")["messages"] == 0
    assert account.stored("S")["deny_purge"] is False


def test_sealed_is_not_purged(account, run_module):
    filled(account)
    run_module(jetstream_stream, name="S", sealed=True)
    assert account.stored("S")["sealed"]
    args = {"name": "S", "sealed": False, "recreate": "always"}
    done = recreated(account, run_module, **args)
    assert done["would_lose"]["messages"] == 3
    assert account.state("S")["messages"] == 0
    assert account.stored("S")["sealed"] is False
    account.store("s.a")


def test_streams_downstream_go_on(account, run_module):
    """One that sources it and one that mirrors it; it takes them about ten seconds to notice."""
    account.stream("S", subjects=["s.>"])
    account.store(*["s.a"] * 20)
    account.stream("D", sources=[{"name": "S"}])
    account.stream("M", mirror={"name": "S"})
    wait_for(lambda: [account.state(name)["messages"] for name in "DM"] == [20, 20], 30)
    done = run_module(jetstream_stream, name="S", storage="memory", recreate="always")
    assert done.get("action") == "recreate", done
    named = [text for text in done["warnings"] if "D, M" in text]
    if account.release < V210:
        # They never get what has a sequence below the old last one, which no setting can help.
        assert named
        return
    assert not named
    account.store(*["s.b"] * 5)
    wait_for(lambda: [account.state(name)["messages"] for name in "DM"] == [25, 25], 40)


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


# --------------------------------------------------------------------------------------------------
# What stops it before anything is deleted
# --------------------------------------------------------------------------------------------------

UNWELCOME = {
    "ack_none": ([{"ack_policy": "none"}], {"retention": "workqueue"}),
    "deliver_last": ([{"deliver_policy": "last"}], {"retention": "workqueue"}),
    "overlap": ([{}, {"filter_subject": "s.a"}], {"retention": "workqueue"}),
    # 2.9 drops filter_subjects, and the consumer gets everything: no less an overlap.
    "filters": (
        [{"filter_subjects": ["s.a", "s.b"]}, {"filter_subject": "s.*"}],
        {"retention": "workqueue"},
    ),
    "too_many": ([{}, {}], {"storage": "memory", "max_consumers": 1}),
    # 2.9 does not know these limits, which is as good a reason.
    "limits": (
        [{"max_ack_pending": 10}],
        {"storage": "memory", "consumer_limits": {"max_ack_pending": 5}},
    ),
}


@pytest.mark.parametrize("name", UNWELCOME)
def test_consumers_that_would_not_come_back(name, account, run_module):
    consumers, options = UNWELCOME[name]
    account.stream("S", subjects=["s.>"])
    for number, config in enumerate(consumers):
        account.consumer("S", f"C{number}", **config)
    account.store("s.a")
    args = {"name": "S", "recreate": "always", **options}
    assert refused(account, run_module, **args)["problems"]


PERMISSIONS = {
    "delete": "STREAM.DELETE.S",
    "create": "STREAM.CREATE.S",
    "purge": "STREAM.PURGE.S",
    "update": "STREAM.UPDATE.S",
    "consumers": "CONSUMER.CREATE.S.>",
}

# A password is blotted out wherever its text occurs, so it is none that does.
USER = {"user": "u", "password": "not a word of any configuration"}


def limited(server, denied="", limits=None):
    """A server with a user who may not send one of the API's requests, or with limits."""
    user = dict(USER)
    if denied:
        user["permissions"] = {"publish": {"deny": [f"$JS.API.{denied}"]}}
    admin = {"user": "a", "password": "a"}
    jetstream = limits or {"max_memory": 2**30, "max_file": 2**30}
    accounts = {"A": {"jetstream": jetstream, "users": [user, admin]}}
    return servers.Server(server.binary, {"accounts": accounts})


@pytest.fixture
def work(server):
    """Start a limited server; return what the administrator sees of it, and the user's login."""
    opened = []

    def start(**args):
        running = limited(server, **args)
        opened.append(running.stop)
        nats = client.Client(running.url.replace("//", "//a:a@"))
        opened.append(nats.close)
        login = {
            "servers": [running.url],
            "user": "u",
            "password": "not a word of any configuration",
        }
        return Account(nats, running), login

    yield start
    for close in reversed(opened):
        close()


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_missing_permissions(permission, work, run_module):
    account, login = work(denied=PERMISSIONS[permission])
    filled(account)
    args = {"name": "S", "storage": "memory", "recreate": "always", **login}
    refused(account, run_module, checks=(False,), **args)
    account.store("s.still")


def test_recovery_is_written_before(account, run_module, monkeypatch, tmp_path):
    filled(account)
    path = tmp_path / "recovery.json"
    seen = []

    def look(*_args):
        seen.append(json.loads(path.read_text()))

    hooked(monkeypatch, "update_stream", look)
    hooked(monkeypatch, "delete_stream", look)
    before = account.info("S")["config"], account.info("S", "C")["config"]
    args = {"name": "S", "storage": "memory", "recreate": "always", "recovery_path": str(path)}
    run_module(jetstream_stream, **args, check=True)
    assert not path.exists()
    done = run_module(jetstream_stream, **args)
    assert done.get("action") == "recreate", done
    assert len(seen) == 2
    for recovery in seen:
        assert recovery["stream"] == before[0]
        assert [one["name"] for one in recovery["consumers"]] == ["C"]
        assert recovery["consumers"][0]["max_deliver"] == before[1]["max_deliver"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_recovery_hides_an_older_file(account, run_module, tmp_path):
    """A file that others can read is none after it was written."""
    filled(account)
    path = tmp_path / "recovery.json"
    path.write_text("old")
    path.chmod(0o644)
    args = {"name": "S", "storage": "memory", "recreate": "always", "recovery_path": str(path)}
    assert run_module(jetstream_stream, **args).get("action") == "recreate"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["stream"]["name"] == "S"


@pytest.mark.parametrize("name", ["missing/recovery.json", "."])
def test_recovery_that_can_not_be_written(name, account, run_module, tmp_path):
    filled(account)
    path = str(tmp_path / name)
    args = {"name": "S", "storage": "memory", "recreate": "always", "recovery_path": path}
    result = refused(account, run_module, checks=(False,), **args)
    assert "nothing was deleted" in result["msg"]
    account.store("s.still")


# --------------------------------------------------------------------------------------------------
# What fails on the way
# --------------------------------------------------------------------------------------------------


def test_refused_create_brings_the_old_one_back(work, run_module, tmp_path):
    """The account's memory is less than the new stream reserves, which only its CREATE tells."""
    account, login = work(limits={"max_memory": 2**20, "max_file": 2**30})
    filled(account)
    path = tmp_path / "recovery.json"
    before = account.stored("S"), account.stored("S", "C")
    args = {"name": "S", "storage": "memory", "max_bytes": "5MiB", "recreate": "always", **login}
    assert run_module(jetstream_stream, **args, check=True).get("action") == "recreate"
    result = run_module(jetstream_stream, **args, recovery_path=str(path))
    assert result.get("failed"), result
    assert result["err_code"] in (10028, 10023, 10047), result
    assert result["recovery"]["stream"]["name"] == "S"
    assert [one["name"] for one in result["recovery"]["consumers"]] == ["C"]
    assert json.loads(path.read_text()) == result["recovery"]
    after = account.stored("S")
    after.pop("first_seq", None)
    assert (after, account.stored("S", "C")) == before
    assert account.store("s.a") == [4 if account.release >= V210 else 1]


def test_refused_delete_brings_the_subjects_back(account, run_module, monkeypatch):
    """Something else happens between the purge and the delete."""
    filled(account)
    before = account.stored("S"), account.stored("S", "C")

    def fail(*_args):
        raise ApiError("STREAM.DELETE.S", 500, 10051, "forced")

    hooked(monkeypatch, "delete_stream", fail)
    result = run_module(jetstream_stream, name="S", storage="memory", recreate="always")
    assert result.get("failed") and result["recovery"], result
    assert (account.stored("S"), account.stored("S", "C")) == before
    account.store("s.a")


@pytest.mark.parametrize("args", [{}, {"max_msgs": 9}, {"storage": "memory", "recreate": "always"}])
def test_the_next_run_finds_the_subjects(args, account, run_module, monkeypatch):
    """The run is ended between the purge and the delete: as by a kill, nothing is given back."""
    filled(account)

    class Ended(BaseException):
        pass

    def end(*_args):
        raise Ended

    with monkeypatch.context() as patch:
        hooked(patch, "delete_stream", end)
        with pytest.raises(Ended):
            run_module(jetstream_stream, name="S", storage="memory", recreate="always")
    assert account.stored("S")["subjects"][0].startswith("recreating.S.")
    if account.release < V210:
        return  # it keeps no notes, and the documentation says so
    foretold = run_module(jetstream_stream, name="S", **args, check=True)
    done = run_module(jetstream_stream, name="S", **args)
    assert done["changed"] and done["changes"] == foretold["changes"]
    stored = account.stored("S")
    assert stored["subjects"] == ["s.>"]
    assert not [key for key in stored.get("metadata", {}) if "recreating" in key]
    assert run_module(jetstream_stream, name="S", **args)["changed"] is False
    account.store("s.a")


# --------------------------------------------------------------------------------------------------
# Consumers
# --------------------------------------------------------------------------------------------------


def take(account, count):
    """Take messages from the consumer C, and return them unacknowledged."""
    inbox = f"taken.{time.monotonic_ns()}"
    sid = account.nats.subscribe(inbox)
    body = json.dumps({"batch": count, "expires": 2 * SECOND}).encode()
    account.nats.publish("$JS.API.CONSUMER.MSG.NEXT.S.C", body, inbox)
    return [account.nats.next(sid) for _number in range(count)]


def sequence(message):
    """The sequence in the stream, from $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>..."""
    return int(message.reply.split(".")[5])


def acknowledge(account, taken):
    for message in taken:
        account.nats.request(message.reply, b"+ACK")


def used(account, stored=20, done=10, **config):
    account.stream("S", subjects=["s.>"], **config)
    account.consumer("S", "C", description="d", max_deliver=7)
    account.store(*["s.a"] * stored)
    acknowledge(account, take(account, done))
    assert account.info("S", "C")["ack_floor"]["stream_seq"] == done


C = {"module": jetstream_consumer, "stream": "S", "name": "C"}


@pytest.mark.parametrize("recreate", ["never", "if_empty"])
def test_consumer_that_is_used_is_not_recreated(recreate, account, run_module):
    used(account)
    result = refused(account, run_module, **C, max_waiting=5, recreate=recreate)
    row = result["immutable"][0]
    assert (row["option"], row["current"], row["wanted"]) == ("max_waiting", 512, 5)


def test_consumer_with_pending_messages_is_not_empty(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C")
    account.store("s.a")
    refused(account, run_module, **C, max_waiting=5, recreate="if_empty")


def test_empty_consumer_is_recreated(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C", description="d", filter_subject="s.a")
    done = recreated(account, run_module, **C, max_waiting=5, recreate="if_empty")
    assert "would_lose" not in done
    stored = account.stored("S", "C")
    assert (stored["max_waiting"], stored["description"], stored["filter_subject"]) == (
        5,
        "d",
        "s.a",
    )


def test_consumer_keeps_its_place_where_it_can(account, run_module):
    used(account)
    done = recreated(account, run_module, **C, max_waiting=5, recreate="always")
    stored = account.stored("S", "C")
    assert (stored["max_waiting"], stored["deliver_policy"], stored["max_deliver"]) == (5, "all", 7)
    if account.release >= V214:
        assert "would_lose" not in done
        assert account.info("S", "C")["ack_floor"]["stream_seq"] == 10
        assert account.info("S", "C")["num_pending"] == 10
        assert sequence(take(account, 1)[0]) == 11
    else:
        assert done["would_lose"]["place"]["ack_floor"] == 10
        assert sequence(take(account, 1)[0]) == 1


def test_what_was_acknowledged_above_the_floor_comes_again(account, run_module):
    used(account)
    taken = take(account, 3)
    acknowledge(account, taken[1:])
    done = recreated(account, run_module, **C, max_waiting=5, recreate="always")
    if account.release >= V214:
        assert any("2 messages" in text for text in done["warnings"]), done["warnings"]
        assert [sequence(one) for one in take(account, 3)] == [11, 12, 13]
    else:
        assert done["would_lose"]["place"]["num_ack_pending"] == 1


@pytest.mark.parametrize("policy", ["last", "new"])
def test_place_that_no_reset_can_keep(policy, account, run_module):
    """The server does not reset a consumer that is to start at the end."""
    used(account)
    args = {"deliver_policy": policy, "recreate": "always"}
    done = recreated(account, run_module, **C, **args)
    assert done["would_lose"]["place"]["ack_floor"] == 10
    account.store("s.z")
    args = {"max_waiting": 7, "recreate": "always", "data_loss": "forbid"}
    assert refused(account, run_module, **C, **args)["would_lose"]["place"]["num_pending"]


def test_consumer_with_data_loss_forbid(account, run_module):
    used(account)
    args = {"max_waiting": 5, "recreate": "always", "data_loss": "forbid"}
    if account.release >= V214:
        recreated(account, run_module, **C, **args)
    else:
        refused(account, run_module, **C, **args)


def test_messages_that_only_the_consumer_kept(account, run_module):
    """On an interest stream they go with the consumer, before the new one is there."""
    account.stream("S", subjects=["s.>"], retention="interest")
    account.consumer("S", "C")
    account.store(*["s.a"] * 10)
    args = {**C, "max_waiting": 5, "recreate": "always"}
    refused(account, run_module, **args, data_loss="forbid")
    assert account.state("S")["messages"] == 10
    check = run_module(**args, check=True)
    done = run_module(**args)
    assert check["would_lose"] == done["would_lose"]
    assert check["would_lose"]["messages_at_most"] == 10


def test_refused_consumer_comes_back(account, run_module, tmp_path):
    """A workqueue takes explicit acknowledgements only, which the server tells at the CREATE."""
    path = tmp_path / "recovery.json"
    account.stream("S", subjects=["s.>"], retention="workqueue")
    account.consumer("S", "C", description="d", max_deliver=7)
    account.store(*["s.a"] * 20)
    acknowledge(account, take(account, 10))
    before = account.stored("S", "C")
    args = {"ack_policy": "all", "recreate": "always", "recovery_path": str(path)}
    result = run_module(**C, **args)
    assert result.get("failed"), result
    assert account.stored("S", "C") == before
    # On a workqueue all that was acknowledged is gone, so the place is the same everywhere.
    assert sequence(take(account, 1)[0]) == 11
    if "problems" not in result:
        recovery = result["recovery"]
        assert recovery["consumers"][0]["description"] == "d"
        assert recovery["places"][0]["ack_floor"] == 10
        assert json.loads(path.read_text()) == recovery
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_failed_create_puts_the_consumer_at_its_place(account, run_module, monkeypatch):
    used(account)
    before = account.stored("S", "C")
    calls = []

    def fail_once(*args):
        calls.append(args)
        if len(calls) == 1:
            raise ApiError("CONSUMER.CREATE.S.C", 500, 10012, "forced")

    hooked(monkeypatch, "add_consumer", fail_once)
    result = run_module(**C, max_waiting=5, recreate="always")
    assert result.get("failed") and result["recovery"], result
    assert account.stored("S", "C") == before
    assert sequence(take(account, 1)[0]) == (11 if account.release >= V214 else 1)


CONSUMER_PERMISSIONS = {
    "delete": ("CONSUMER.DELETE.S.C", (2, 2)),
    "create": ("CONSUMER.CREATE.S.C", (2, 2)),
    "reset": ("CONSUMER.RESET.S.C", V214),
}


@pytest.mark.parametrize("permission", CONSUMER_PERMISSIONS)
def test_missing_permissions_for_a_consumer(permission, work, run_module):
    denied, since = CONSUMER_PERMISSIONS[permission]
    account, login = work(denied=denied)
    used(account)
    args = {**C, "max_waiting": 5, "recreate": "always", **login}
    if account.release < since:  # a request that these servers do not have
        recreated(account, run_module, **args)
        return
    refused(account, run_module, checks=(False,), **args)
    assert sequence(take(account, 1)[0]) == 11


def test_consumer_recovery_that_can_not_be_written(account, run_module, tmp_path):
    used(account)
    path = str(tmp_path / "missing" / "recovery.json")
    args = {"max_waiting": 5, "recreate": "always", "recovery_path": path}
    refused(account, run_module, checks=(False,), **C, **args)
