# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations: what no update can change, with every message, sequence, consumer and place kept."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import time
from pathlib import Path

import pytest
import speaking
import yaml
from independent import Account
from snapshots import V210, V215, acknowledge, filled, nats_command, picture

from ansible_collections.nats.jetstream.plugins.module_utils import _drain, _move, _restore
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_kv_bucket,
    jetstream_object_bucket,
    jetstream_stream,
)
from harness import client
from harness.publishers import Publisher

HERE = Path(__file__).parent
COLUMNS = ((2, 9), (2, 10), (2, 15))
FORETOLD = ("changed", "action", "changes", "diff", "declaration")
SECOND = 10**9
SHORT = SECOND // 10  # a duplicate_window that is over soon


@pytest.fixture
def migrate(run_module, tmp_path):
    """``migrate(retention="workqueue")`` the stream S, with its snapshots in ``migrate.path``."""

    def run(**args):
        given = {"name": "S", "recreate": "migrate", "migrate_path": str(run.path), **args}
        return run_module(jetstream_stream, **given)

    run.path = tmp_path / "migrations"
    return run


@pytest.fixture
def fresh(own_server):
    """An account on a server that never had a stream: no mirror begins with what was there once."""
    with client.Client(own_server.url) as nats:
        yield Account(nats, own_server)


def good(result):
    assert not result.get("failed"), result
    return result


def failed(result):
    assert result.get("failed"), result
    return result["msg"]


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def without(seen, *fields):
    """A picture without these settings, and without what the server keeps for itself."""
    config = {name: one for name, one in seen["config"].items() if name not in fields}
    return {**seen, "config": config}


# --------------------------------------------------------------------------------------------------
# Every row of the table that must recreate
# --------------------------------------------------------------------------------------------------


def identity(row):
    return row["id"]


def must_recreate(name):
    """Each row that must recreate, with its letters on the three servers."""
    for row in yaml.safe_load((HERE / name).read_text()):
        expect = row["expect"]
        letters = [expect] * 3 if isinstance(expect, str) else expect
        if any(one.startswith("R") for one in letters):
            yield row, letters


def recreated_on(release, letters):
    column = max(index for index, one in enumerate(COLUMNS) if one <= release)
    return letters[column].startswith("R")


# A mirror has the messages of its origin and no others.
OTHER_ORIGIN = {"S64": "a mirror of O has", "S65": "a mirror of OD has"}


def refusal(row, release):
    """What is said of a row that no restore can carry, as observed of each server; else nothing."""
    if row["id"] in OTHER_ORIGIN:
        return OTHER_ORIGIN[row["id"]]
    return "without its messages" if release < V215 and "memory" in str(row) else ""


def until(seen, last_seq):
    """A picture of the messages up to a sequence, and of what does not depend on later ones."""
    places = {
        name: {key: one for key, one in place.items() if key != "num_pending"}
        for name, place in seen["consumers"].items()
    }
    deleted = [seq for seq in seen["state"]["deleted"] or [] if seq <= last_seq]
    messages = {seq: one for seq, one in seen["messages"].items() if seq <= last_seq}
    return {"config": seen["config"], "deleted": deleted, "messages": messages, "places": places}


class Row:
    """A row of the table as a stream of its name, with a mirror and a stream that sources it."""

    def __init__(self, row, account, migrate):
        self.name, self.account = row["id"], account
        self.subject = self.name.lower()
        text = json.dumps([row["first"], row["second"]])
        for wild in ("s.>", "r.>"):
            text = text.replace(f'"{wild}"', f'"{wild[0]}{self.subject[1:]}.>"')
        first, second = json.loads(text)
        self.first = {name: value for name, value in first.items() if value is not None}
        self.second = second
        self.mirrored, self.queue = "mirror" in first, second.get("retention") == "workqueue"
        options = {name: value for name, value in second.items() if value is not None}
        options["reset"] = [name for name, value in second.items() if value is None]
        self.args = {"name": self.name, "data_loss": "allow", **options}
        self.migrate = lambda **more: migrate(**self.args, **more)
        forgets = account.release >= V215
        self.waits = forgets and not self.mirrored and self.name not in NOT_WAITED_FOR
        self.forgets = forgets and not self.waits

    def __repr__(self):
        return f"{self.name} on {self.account.server.version}"

    def prepare(self):
        """1,000 messages with holes, and two consumers half way."""
        account, name = self.account, self.name
        if self.mirrored:
            account.stream(name, **self.first)
            wait_for(lambda: account.state(name)["messages"] == account.state("O")["messages"])
            for consumer in ("half", "some"):
                account.consumer(name, consumer, max_ack_pending=2000)
                acknowledge(account, name, consumer, 400)
        else:
            window = {"duplicate_window": SECOND} if self.waits else {}
            filled(account, name, **{"messages": 1000, "size": 50, **window, **self.first})
        if self.queue:  # which takes each message to one of them
            account.ok(f"CONSUMER.DELETE.{name}.half")
            account.consumer(name, "half", filter_subject=f"{self.subject}.0")
            acknowledge(account, name, "half", 150)
        account.stream(f"M-{name}", mirror={"name": name})
        account.stream(f"D-{name}", sources=[{"name": name}])

    def check_followers(self):
        count = self.account.state(self.name)["messages"]
        names = (f"M-{self.name}", f"D-{self.name}")
        wait_for(lambda: all(self.account.state(one)["messages"] == count for one in names))

    def check_migration(self):
        """Every message, sequence and place stays, and a publisher loses and doubles nothing."""
        account, name, migrate = self.account, self.name, self.migrate
        self.check_followers()
        self.before = picture(account, name)
        check = migrate(check=True)
        assert picture(account, name) == self.before
        lossy = None if self.forgets else 0.02
        with Publisher(account.server.url, f"{self.subject}.p", lossy) as publisher:
            if not self.mirrored:  # which takes nothing before it is promoted
                publisher.goes_on()
            stored = len(publisher.sequences) - 1
            done = good(migrate())
            if "allow_msg_counter" not in self.second:
                publisher.goes_on()
        if self.waits:  # nobody may have published for a while then, and now somebody has
            _then, now = (one["diff"].pop("after_header") for one in (check, done))
            assert "a wait" in now
        for key in FORETOLD:
            assert check.get(key) == done.get(key), key
        assert done["action"] == "migrate"
        assert done["migration"].keys() == check["migration"].keys()
        if stored > 0 and "allow_msg_counter" not in self.second:
            self.check_retries(publisher, stored, done)
        self.after = picture(account, name)
        self.check_kept(done.get("would_lose"))
        new = [
            number_of(one)
            for seq, one in self.after["messages"].items()
            if seq > self.before["state"]["last_seq"]
        ]
        assert new == list(range(len(publisher.sequences)))
        again = good(migrate())
        assert (again["changed"], again["action"]) == (False, "none")
        acknowledge(account, name, "half", 1)

    def check_retries(self, publisher, number, done):
        """Who did not get the acknowledgement of what was stored before the move, gets it now.

        2.15 no longer knows after a restore what it stored before. So a migration waits until it
        would not have known that without a restore either; or says so, where it cannot wait.
        """
        said = " ".join(text for text in done["warnings"] if "Nats-Msg-Id" in text)
        assert bool(said) == (self.waits or self.forgets)
        assert bool(done["migration"]["wait"]) == self.waits
        assert ("stores its message twice" in said) == self.forgets
        if said:
            return
        answer = publisher.publish(self.account.nats, number)
        assert (answer["seq"], answer.get("duplicate")) == (publisher.sequences[number], True)

    def check_kept(self, lost):
        last_seq = self.before["state"]["last_seq"]
        changed = {*self.second, "duplicate_window"}
        kept, wanted = (
            until(without(one, *changed), last_seq) for one in (self.after, self.before)
        )
        if not lost:
            assert kept == wanted
            return
        # 2.15 applies the retention at once to what was consumed before, as it says.
        gone = wanted["messages"].keys() - kept["messages"].keys()
        assert 0 < len(gone) <= lost["messages_at_most"]
        assert kept["messages"].items() <= wanted["messages"].items()
        assert kept["places"] == wanted["places"]

    def check_followers_went_on(self):
        """The mirror and the stream that sources it have all that was there and all that came."""
        account, name, mirror, sourcing = (
            self.account,
            self.name,
            f"M-{self.name}",
            f"D-{self.name}",
        )
        self.store_last()
        everything = {**self.before["messages"], **self.after["messages"]}
        everything.update(picture(account, name)["messages"])
        if self.queue:  # of which each message goes to one of the two
            wait_for(lambda: self.has_last(mirror) or self.has_last(sourcing))
        else:
            wait_for(lambda: self.has_last(mirror) and self.has_last(sourcing))
        mirrored, sourced = (picture(account, one)["messages"] for one in (mirror, sourcing))
        data, copied = ([one["data"] for one in seen.values()] for seen in (everything, sourced))
        if self.queue:
            assert {*data} <= {*copied, *(one["data"] for one in mirrored.values())}
        else:
            assert mirrored == everything
            again = len(copied) - len(data)
            assert copied[again:] == data
            # 2.15 copies all again, as it was said.
            assert copied[:again] == data[:again]
            assert bool(again) == (account.release >= V215)

    def store_last(self):
        """Store a message that can be told from the others."""
        subject = f"{self.subject}.last"
        if "allow_msg_counter" not in self.second:
            self.account.store(subject)
            return
        headers = b"NATS/1.0\r\nNats-Incr: 1\r\n\r\n"
        head = f"HPUB {subject} {len(headers)} {len(headers)}\r\n".encode()
        self.account.nats._send(head + headers + b"\r\n")
        wait_for(lambda: self.has_last(self.name))

    def has_last(self, stream):
        found = self.account.api(
            f"STREAM.MSG.GET.{stream}", {"last_by_subj": f"{self.subject}.last"}
        )
        return "message" in found


def test_rows(fresh, migrate):
    """All on one server, because mirrors and sources need about ten seconds to notice."""
    fresh.stream("O", subjects=["o.>"])
    fresh.store(*["o.1"] * 1000)
    fresh.ok("STREAM.MSG.DELETE.O", {"seq": 7})
    rows = [
        Row(row, fresh, migrate)
        for row, letters in must_recreate("streams.yml")
        if recreated_on(fresh.release, letters) and not refusal(row, fresh.release)
    ]
    for row in rows:
        row.prepare()
    for row in rows:
        row.check_migration()
    assert not list(migrate.path.iterdir())
    for row in rows:
        row.check_followers_went_on()
    print(f"{len(rows)} rows: {rows}")
    assert len(rows) == ROWS[fresh.release[:2]]


# A stream with schedules cannot wait, so that the loss has to be accepted.
NOT_WAITED_FOR = {"S71"}
# How many rows a restore carries on each server.
ROWS = {(2, 9): 8, (2, 10): 5, (2, 15): 8}


MAYBE_REFUSED = [one for one, _letters in must_recreate("streams.yml") if refusal(one, (2, 9))]


@pytest.mark.parametrize("row", MAYBE_REFUSED, ids=identity)
def test_refused_rows(row, account, migrate):
    reason = refusal(row, account.release)
    if not reason:
        pytest.skip("a restore carries it on this server")
    account.stream("O", subjects=["o.>"])
    account.store(*["o.1"] * 1000)
    account.stream("OD", subjects=["od.>"], allow_direct=True)
    case = Row(row, account, migrate)
    case.prepare()
    before = picture(account, case.name)
    for check in (True, False):
        result = migrate(**case.args, check=check)
        assert "recreate=migrate" in failed(result)
        assert reason in result["msg"]
        assert picture(account, case.name) == before


def number_of(message):
    return int(base64.b64decode(message["data"]))


# --------------------------------------------------------------------------------------------------
# Streams downstream
# --------------------------------------------------------------------------------------------------


def test_streams_that_source_it_are_named(account, migrate):
    """2.15 copies everything to them again; on 2.9 and 2.10 they go on."""
    account.stream("S", subjects=["s.>"], deny_delete=True, duplicate_window=SHORT)
    account.stream("D", sources=[{"name": "S"}])
    account.store(*["s.a"] * 20)
    before = picture(account)
    args = {"deny_delete": False}
    if account.release < V215:
        assert not good(migrate(**args))["warnings"]
        return
    for check in (True, False):
        assert "D will copy all its messages again" in failed(migrate(**args, check=check))
        assert picture(account) == before
    done = good(migrate(**args, data_loss="allow"))
    assert any("D will copy" in text for text in done["warnings"])


def test_streams_that_take_from_a_work_queue_are_named(account, migrate):
    account.stream("S", subjects=["s.>"], duplicate_window=SHORT)
    account.stream("M", mirror={"name": "S"})
    account.store("s.a")
    for check in (True, False):
        text = failed(migrate(retention="workqueue", check=check))
        assert "M will take away from the work queue" in text
        assert account.stored("S")["retention"] == "limits"
    done = good(migrate(retention="workqueue", data_loss="allow"))
    assert any("M will take away" in text for text in done["warnings"])


@pytest.mark.parametrize("followed", [False, True])
def test_a_mirror_is_promoted_while_its_origin_stores(followed, account, migrate):
    """It has what its snapshot has; those that mirror it may have more, and are named."""
    if account.release >= V215:
        pytest.skip("an update promotes it")
    account.stream("O", subjects=["o.>"])
    account.stream("S", mirror={"name": "O"})
    if followed:
        account.stream("M", mirror={"name": "S"})
    with Publisher(account.server.url, "o.p") as publisher:
        publisher.goes_on()
        wait_for(lambda: account.state("S")["messages"] > 10)
        if followed:
            assert "M may have got more of O than" in failed(migrate(reset=["mirror"]))
            assert account.stored("S")["mirror"]["name"] == "O"
        done = good(migrate(reset=["mirror"], data_loss="allow" if followed else "warn"))
        publisher.goes_on()
    assert any("O stores during the migration" in text for text in done["warnings"])
    assert any("M may have got more" in text for text in done["warnings"]) == followed
    kept, origin = (picture(account, one)["messages"] for one in "SO")
    assert kept.items() <= origin.items()
    assert list(kept) == list(range(1, len(kept) + 1))


# --------------------------------------------------------------------------------------------------
# Consumers
# --------------------------------------------------------------------------------------------------

# CONSUMER.RESET does not take these (10204), or the new settings begin behind the old place.
NO_PLACE = {"C41"}


@pytest.mark.parametrize(
    "row", [one for one, _letters in must_recreate("consumers.yml")], ids=identity
)
def test_consumer_row(row, account, run_module):
    """Recreated and put back to its place on 2.15, refused before."""
    account.stream("S", subjects=["s.>"])
    account.store(*["s.a"] * 40)
    first = {name: value for name, value in row["first"].items() if value is not None}
    if "idle_heartbeat" in first:
        first["idle_heartbeat"] = 5 * SECOND
    account.consumer("S", "C", **first)
    pushed = first.get("deliver_subject")
    if pushed:
        sid = account.nats.subscribe(pushed)
        for _number in range(10):
            message = account.nats.next(sid)
            account.nats.request(message.reply, b"+ACK")
        account.nats._send(f"UNSUB {sid}\r\n".encode())
    else:
        acknowledge(account, "S", "C", 10)
    floor = account.info("S", "C")["ack_floor"]["stream_seq"]
    before = account.info("S", "C")["config"]
    options = {name: value for name, value in row["second"].items() if value is not None}
    options["reset"] = [name for name, value in row["second"].items() if value is None]
    args = {"stream": "S", "name": "C", "recreate": "migrate", **options}
    check = run_module(jetstream_consumer, **args, check=True)
    assert account.info("S", "C")["config"] == before
    if account.release < V215 or row["id"] in NO_PLACE:
        assert "recreate=migrate" in failed(check)
        assert "place" in failed(run_module(jetstream_consumer, **args))
        assert account.info("S", "C")["config"] == before
        return
    done = good(run_module(jetstream_consumer, **args))
    assert (check["action"], done["action"]) == ("recreate", "recreate")
    assert account.info("S", "C")["ack_floor"]["stream_seq"] == floor
    assert good(run_module(jetstream_consumer, **args))["changed"] is False


# --------------------------------------------------------------------------------------------------
# What is refused, and what fails
# --------------------------------------------------------------------------------------------------


def test_refused_before_anything_is_done(account, migrate):
    filled(account, deny_delete=True)
    account.consumer("S", "none", ack_policy="none")
    before, created = picture(account), account.info("S")["created"]
    for args, place in (
        ({"migrate_max_bytes": "1KiB", "deny_delete": False}, "migrate_max_bytes"),
        ({"retention": "workqueue", "data_loss": "allow"}, "consumer none"),
        ({"max_consumers": 1, "deny_delete": False}, "max_consumers"),
    ):
        for check in (True, False):
            result = migrate(**args, check=check)
            assert place in [one["place"] for one in result["problems"]], result
            assert (picture(account), account.info("S")["created"]) == (before, created)
    result = migrate(deny_delete=False, migrate_path="/proc/none")
    assert result.get("failed"), result
    assert (picture(account), account.info("S")["created"]) == (before, created)


def test_what_new_limits_remove_is_counted(account, migrate):
    account.stream("S", subjects=["s.>"], deny_delete=True, duplicate_window=SHORT)
    account.store(*["s.a"] * 20)
    args = {"deny_delete": False, "max_msgs": 5}
    assert "data_loss=forbid" in failed(migrate(**args, data_loss="forbid"))
    assert account.state("S")["messages"] == 20
    done = good(migrate(**args))
    assert done["would_lose"]["messages"] == 15
    state = account.state("S")
    assert (state["messages"], state["first_seq"], state["last_seq"]) == (5, 16, 20)


def test_interest_without_consumers(account, migrate):
    account.stream("S", subjects=["s.>"], deny_delete=True)
    account.store(*["s.a"] * 5)
    args = {"deny_delete": False, "retention": "interest"}
    assert "no consumer" in failed(migrate(**args))
    assert account.state("S")["messages"] == 5


def failing(monkeypatch, times):
    """Let so many restores break off."""
    give, calls = _restore.give, []

    async def broken(*args):
        calls.append(args)
        if len(calls) <= times:
            raise JetStreamError("the line was cut")
        return await give(*args)

    monkeypatch.setattr(_restore, "give", broken)


def test_what_fails_is_undone(account, migrate, monkeypatch):
    filled(account, deny_delete=True, duplicate_window=SHORT)
    before = picture(account)
    failing(monkeypatch, 1)
    result = migrate(deny_delete=False)
    assert "the line was cut" in failed(result)
    assert "restored as it was" in result["msg"]
    assert picture(account) == before
    assert not list(migrate.path.iterdir())


@pytest.mark.parametrize("way", ["again", "by hand"])
def test_what_can_not_be_undone_is_kept(way, account, migrate, monkeypatch):
    filled(account, deny_delete=True, duplicate_window=SHORT)
    before = picture(account)
    failing(monkeypatch, 2)
    result = migrate(deny_delete=False)
    path = result["recovery"]["path"]
    assert f"nats stream restore {path}" in failed(result)
    assert account.info("S") is None
    if way == "by hand":
        program = nats_command()
        if program is None:
            pytest.skip("the nats command is not on this machine (NATS_CLI or PATH)")
        line = [program, "--server", account.server.url, "stream", "restore", path]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert picture(account) == before
        return
    done = good(migrate(deny_delete=False))
    assert "its snapshot was restored" in done["resumed"]
    after = picture(account)
    assert without(after, "deny_delete") == without(before, "deny_delete")
    assert not list(migrate.path.iterdir())


def test_a_stream_that_somebody_made_meanwhile(account, migrate, monkeypatch):
    """It is not touched, and neither is the snapshot."""
    filled(account, deny_delete=True, duplicate_window=SHORT)
    failing(monkeypatch, 2)
    path = migrate(deny_delete=False)["recovery"]["path"]
    account.stream("S", subjects=["s.>"], deny_delete=True)
    account.store("s.a")
    before = picture(account)
    for check in (True, False):
        assert path in failed(migrate(deny_delete=False, check=check))
        assert picture(account) == before
    assert Path(path, "backup.json").exists()


def test_other_tasks_leave_a_marked_stream_alone(account, run_module):
    if account.release < V210:
        pytest.skip("2.9 keeps no metadata that could say so")
    metadata = {"nats.jetstream/restoring": "quiet /var/lib/there"}
    account.stream("S", subjects=["moving.S.1"], metadata=metadata)
    before = picture(account)
    for check in (True, False):
        result = run_module(jetstream_stream, name="S", subjects=["s.>"], check=check)
        assert "/var/lib/there" in failed(result)
        assert picture(account) == before
    assert good(run_module(jetstream_stream, name="S", state="absent"))["changed"]


# --------------------------------------------------------------------------------------------------
# Buckets
# --------------------------------------------------------------------------------------------------


def test_a_seal_is_broken(account, run_module, tmp_path):
    """Of an object bucket, on every server."""
    args = {"name": "B", "recreate": "migrate", "migrate_path": str(tmp_path / "m")}
    good(run_module(jetstream_object_bucket, name="B"))
    account.store("$O.B.C.x", "$O.B.M.y")
    good(run_module(jetstream_object_bucket, name="B", sealed=True))
    before = picture(account, "OBJ_B")
    done = good(run_module(jetstream_object_bucket, **args, sealed=False))
    assert done["action"] == "migrate"
    after = picture(account, "OBJ_B")
    assert (after["messages"], after["state"]) == (before["messages"], before["state"])
    account.store("$O.B.C.z")
    again = good(run_module(jetstream_object_bucket, **args, sealed=False))
    assert again["changed"] is False


def test_a_bucket_to_memory(account, run_module, tmp_path):
    args = {"name": "B", "recreate": "migrate", "migrate_path": str(tmp_path / "m")}
    good(run_module(jetstream_kv_bucket, name="B", history=3))
    account.ok("STREAM.UPDATE.KV_B", {**account.stored("KV_B"), "duplicate_window": SHORT})
    account.store("$KV.B.a", "$KV.B.a", "$KV.B.b")
    before = picture(account, "KV_B")
    result = run_module(jetstream_kv_bucket, **args, storage="memory")
    after = picture(account, "KV_B")
    assert after["messages"] == before["messages"]
    if account.release < V215:
        assert "without its messages" in failed(result)
        assert after == before
        return
    assert good(result)["action"] == "migrate"
    assert account.stored("KV_B")["storage"] == "memory"


# --------------------------------------------------------------------------------------------------
# What a server knows of what it stored
# --------------------------------------------------------------------------------------------------

LIMITED = {"max_msgs": 10**6, "max_bytes": 10**8, "max_msgs_per_subject": 10**6}
NEVER_TWICE = {
    "limits": {**LIMITED, "discard": "new", "discard_new_per_subject": True},
    "memory": {"storage": "memory"},
    "rollups": {"max_msgs_per_subject": 10**6, "allow_rollup_hdrs": True},
}


@pytest.mark.parametrize("config", NEVER_TWICE)
def test_nothing_is_stored_twice(config, account, migrate):
    """By publishers that lose every first acknowledgement, from before to after."""
    config = NEVER_TWICE[config]
    if account.release < V215 and "storage" in config:
        pytest.skip("it makes no snapshot of a stream in memory")
    if account.release < V210:
        config = {name: value for name, value in config.items() if name in ("max_msgs", "storage")}
    account.stream("S", subjects=["s.>"], duplicate_window=2 * SECOND, deny_delete=True, **config)
    before = account.stored("S")
    url = account.server.url
    with Publisher(url, "s.now", 0.0) as quick, Publisher(url, "s.later", 0.2) as slow:
        slow.goes_on(3)
        done = good(migrate(deny_delete=False))
        quick.goes_on()
        slow.goes_on(3)
    assert bool(done["migration"]["wait"]) == (account.release >= V215)
    assert account.stored("S") == {**before, "deny_delete": False}
    stored = picture(account)["messages"].values()
    for one in (quick, slow):
        numbers = [number_of(message) for message in stored if message["subject"] == one.subject]
        # Of the last one, nobody may have asked again.
        assert numbers in (list(range(one.tried)), list(range(len(one.sequences))))


@pytest.fixture
def in_the_wait(monkeypatch):
    """``in_the_wait(before, within)`` calls one just before a migration waits, one just then."""

    def calls(before, within):
        async def hold(*args):
            await asyncio.get_running_loop().run_in_executor(None, before)
            return await held(*args)

        async def drain(*args):
            await asyncio.get_running_loop().run_in_executor(None, within)
            return await drained(*args)

        held, drained = _move._hold, _drain.drained
        monkeypatch.setattr(_move, "_hold", hold)
        monkeypatch.setattr(_drain, "drained", drain)

    return calls


def waiting(account, window=2 * SECOND, **config):
    """A stream that a migration waits for."""
    account.stream("S", subjects=["s.>"], deny_delete=True, duplicate_window=window, **config)
    account.store("s.a", "s.a", "s.b")


def test_while_it_waits(account, migrate, in_the_wait):
    """It answers to what is repeated, takes nothing new, and consumers go on."""
    if account.release < V215:
        pytest.skip("it need not wait, because a restore makes it forget nothing")
    waiting(account, max_msgs_per_subject=2, allow_rollup_hdrs=True)
    account.consumer("S", "half")
    answers = []

    def publish(name):
        answers.append(json.loads(account.nats.request("s.a", "lost", msg_id=name)))

    def within():
        assert account.stored("S")["metadata"]["nats.jetstream/restoring"].startswith("quiet ")
        publish("lost")
        publish("new")
        answers.append(json.loads(account.nats.request("s.a", "")))
        acknowledge(account, "S", "half", 2)

    in_the_wait(lambda: publish("lost"), within)
    done = good(migrate(deny_delete=False))
    first, repeated, new, unnamed = answers
    assert (repeated["seq"], repeated.get("duplicate")) == (first["seq"], True)
    assert new["error"]["err_code"] == unnamed["error"]["err_code"] == 10077
    publish("new")
    assert answers[-1]["seq"] == first["seq"] + 1
    assert account.info("S", "half")["ack_floor"]["consumer_seq"] == 2
    wait, rest = done["migration"]["wait"], done["migration"]["downtime"]
    assert 0 < wait <= 3 and rest > wait
    (said,) = (text for text in done["warnings"] if "Nats-Msg-Id" in text)
    assert "takes no new messages" in said and "duplicate_window of 2s" in said


def test_sources_wait_as_well(account, migrate):
    """What an origin stores in the meantime comes afterwards, once and in order."""
    if account.release < V215:
        pytest.skip("it need not wait, because a restore makes it forget nothing")
    account.stream("O", subjects=["o.>"])
    waiting(account, SECOND, sources=[{"name": "O"}])
    with Publisher(account.server.url, "o.p") as origin:
        origin.goes_on()
        wait_for(lambda: account.state("S")["messages"] > 10)
        account.store("s.a")
        assert good(migrate(deny_delete=False))["migration"]["wait"]
        origin.goes_on()
    count = len(origin.sequences)
    wait_for(lambda: account.state("S")["messages"] >= count + 4)
    messages = picture(account)["messages"].values()
    assert [number_of(one) for one in messages if one["subject"] == "o.p"] == list(range(count))


def test_what_no_consumer_wants_prolongs_nothing(account, migrate):
    """It is acknowledged and not stored, so that the last message seems to be a new one always."""
    if account.release < V215:
        pytest.skip("it need not wait, because a restore makes it forget nothing")
    waiting(account, SECOND, retention="interest")
    account.consumer("S", "all", filter_subject="s.wanted")
    account.store("s.wanted")
    with Publisher(account.server.url, "s.p") as publisher:
        publisher.goes_on()
        assert good(migrate(deny_delete=False))["migration"]["wait"]
        publisher.goes_on()
    assert account.state("S")["messages"] == 1


def test_what_fails_while_it_waits(account, migrate, in_the_wait):
    if account.release < V215:
        pytest.skip("it need not wait, because a restore makes it forget nothing")
    waiting(account, max_msgs_per_subject=2, max_bytes=10**6)
    before = picture(account)

    def fails():
        raise JetStreamError("the line was cut")

    in_the_wait(lambda: None, fails)
    text = failed(migrate(deny_delete=False))
    assert "the line was cut" in text and "the stream is as it was" in text
    assert picture(account) == before
    assert not list(migrate.path.iterdir())


DAY = 24 * 3600 * SECOND
TOO_LONG = {
    "a day": ({"duplicate_window": DAY}, "more than the 300 s"),
    "a counter": ({"allow_msg_counter": True}, "a counter takes no discard=new"),
    "schedules": ({"allow_msg_schedules": True}, "with schedules takes no discard=new"),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_what_is_not_waited_for(case, account, migrate):
    """It is refused, unless data_loss=allow accepts what may come of it."""
    if account.release < V215:
        pytest.skip("it need not wait, because a restore makes it forget nothing")
    config, said = TOO_LONG[case]
    account.stream("S", subjects=["s.>"], deny_delete=True, **config)
    if "allow_msg_counter" in config:
        speaking.publish(account.server.url, "s.a", b"", {"Nats-Incr": "1"})
    else:
        account.store("s.a")
    before = picture(account)
    for check in (True, False):
        result = migrate(deny_delete=False, check=check)
        assert said in failed(result) and "lower duplicate_window" in result["msg"]
        assert picture(account) == before
    check = good(migrate(deny_delete=False, data_loss="allow", check=True))
    done = good(migrate(deny_delete=False, data_loss="allow"))
    assert check["migration"] == done["migration"]
    assert done["migration"]["wait"] == 0
    assert any("stores its message twice" in text for text in done["warnings"])
    assert picture(account)["messages"] == before["messages"]


def nothing_published(account, **config):
    account.stream("S", subjects=["s.>"], deny_delete=True, **config)


def published_long_ago(account):
    waiting(account, SHORT)
    time.sleep(0.7)


def purged_long_ago(account):
    published_long_ago(account)
    account.ok("STREAM.PURGE.S")


def only_sources(account):
    account.stream("O", subjects=["s.>"])
    account.stream("S", sources=[{"name": "O"}], deny_delete=True)
    account.store("s.a")
    wait_for(lambda: account.state("S")["messages"] == 1)


def a_mirror(account):
    account.stream("O", subjects=["s.>"])
    account.stream("S", mirror={"name": "O"}, deny_delete=True)
    account.store("s.a")
    wait_for(lambda: account.state("S")["messages"] == 1)


@pytest.mark.parametrize(
    "prepare", [nothing_published, published_long_ago, purged_long_ago, only_sources, a_mirror]
)
def test_what_need_not_wait(prepare, account, migrate):
    prepare(account)
    done = good(migrate(deny_delete=False))
    assert done["migration"]["wait"] == 0
    assert not any("Nats-Msg-Id" in text for text in done["warnings"])


def test_what_was_consumed_is_known_as_well(account, migrate):
    """The window counts from messages that are gone."""
    account.stream(
        "S", subjects=["s.>"], retention="workqueue", deny_delete=True, duplicate_window=2 * SECOND
    )
    account.store("s.a")
    account.consumer("S", "all")
    acknowledge(account, "S", "all", 1)
    wait_for(lambda: account.state("S")["messages"] == 0)
    check = good(migrate(deny_delete=False, check=True))
    assert bool(check["migration"]["wait"]) == (account.release >= V215)


def test_published_in_the_moment_before(account, migrate, monkeypatch):
    """The window of what comes when nobody has published for long is waited for, too."""
    published_long_ago(account)
    silence, at = _move._silence, []

    async def published_first(*args):
        await asyncio.get_running_loop().run_in_executor(None, account.store, "s.c")
        at.append(time.monotonic())
        return await silence(*args)

    monkeypatch.setattr(_move, "_silence", published_first)
    done = good(migrate(deny_delete=False))
    assert done["migration"]["wait"] == 0
    assert account.state("S")["messages"] == 4
    if account.release >= V215:
        assert time.monotonic() - at[0] > 0.1  # its window
    elif account.release >= V210:
        assert account.stored("S")["duplicate_window"] == SHORT
