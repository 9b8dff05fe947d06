# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations: what no update can change, with every message, sequence, consumer and place kept."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from pathlib import Path

import pytest
import yaml
from independent import Account
from snapshots import V210, V215, acknowledge, filled, nats_command, picture

from ansible_collections.nats.jetstream.plugins.module_utils import _restore
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_kv_bucket,
    jetstream_object_bucket,
    jetstream_stream,
)
from harness import client

HERE = Path(__file__).parent
COLUMNS = ((2, 9), (2, 10), (2, 15))
FORETOLD = ("changed", "action", "changes", "diff", "declaration")
SECOND = 10**9


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


def must_recreate(name):
    found = []
    for row in yaml.safe_load((HERE / name).read_text()):
        expect = row["expect"]
        letters = [expect] * 3 if isinstance(expect, str) else expect
        if any(one.startswith("R") for one in letters):
            found.append(pytest.param(row, letters, id=row["id"]))
    return found


# A mirror has the messages of its origin and no others.
OTHER_ORIGIN = {"S64", "S65"}


def kept_by(account, row):
    """Say whether a restore can carry the row: what is observed of each server."""
    if row["id"] in OTHER_ORIGIN:
        return False
    return account.release >= V215 or "memory" not in str(row)


class Publisher(threading.Thread):
    """Publishes numbered messages, each with its identity until it is acknowledged."""

    def __init__(self, url, subject):
        super().__init__()
        self.url, self.subject = url, subject
        self.ending, self.sequences = threading.Event(), []

    def run(self):
        with client.Client(self.url) as nats:
            while not self.ending.is_set():
                number = len(self.sequences)
                name = f"{self.subject}-{number}"
                try:
                    answer = json.loads(nats.request(self.subject, str(number), msg_id=name))
                except (client.NatsError, TimeoutError):
                    time.sleep(0.005)
                    continue
                if "error" in answer:  # a counter takes no text
                    continue
                self.sequences.append(answer["seq"])
                time.sleep(0.002)

    def __enter__(self):
        self.start()
        wait_for(lambda: len(self.sequences) > 10)
        return self

    def __exit__(self, *_error):
        self.ending.set()
        self.join()

    def goes_on(self):
        """What nobody acknowledged until now is published to the end, and more."""
        done = len(self.sequences)
        wait_for(lambda: len(self.sequences) > done + 10)


def until(seen, last_seq):
    """A picture of the messages up to a sequence, and of what does not depend on later ones."""
    places = {
        name: {key: one for key, one in place.items() if key != "num_pending"}
        for name, place in seen["consumers"].items()
    }
    deleted = [seq for seq in seen["state"]["deleted"] or [] if seq <= last_seq]
    messages = {seq: one for seq, one in seen["messages"].items() if seq <= last_seq}
    return {"config": seen["config"], "deleted": deleted, "messages": messages, "places": places}


@pytest.mark.parametrize("row, letters", must_recreate("streams.yml"))
def test_row(row, letters, fresh, migrate):
    account, server = fresh, fresh.server
    column = max(index for index, one in enumerate(COLUMNS) if one <= account.release)
    if not letters[column].startswith("R"):
        pytest.skip("an update does it on this server, or it does not know the setting")
    account.stream("O", subjects=["o.>"])
    account.stream("OD", subjects=["od.>"], allow_direct=True)
    first = {name: value for name, value in row["first"].items() if value is not None}
    mirrored = "mirror" in first
    if mirrored:
        account.store(*["o.1"] * 1000)
        account.stream("S", **first)
        wait_for(lambda: account.state("S")["messages"] == 1000)
        account.consumer("S", "half", max_ack_pending=2000)
        acknowledge(account, "S", "half", 500)
    else:
        filled(account, messages=1000, size=50, **first)
        if row["second"].get("retention") == "workqueue":
            account.ok("CONSUMER.DELETE.S.some")
    account.stream("M", mirror={"name": "S"})
    account.stream("D", sources=[{"name": "S"}])
    count = account.state("S")["messages"]
    wait_for(lambda: [account.state(one)["messages"] for one in "MD"] == [count, count])
    before = picture(account)
    options = {name: value for name, value in row["second"].items() if value is not None}
    options["reset"] = [name for name, value in row["second"].items() if value is None]
    args = {**options, "data_loss": "allow", "servers": [server.url]}
    check = migrate(**args, check=True)
    assert picture(account) == before
    if not kept_by(account, row):
        assert "recreate=migrate" in failed(check)
        assert "recreate=migrate" in failed(migrate(**args))
        assert picture(account) == before
        return
    with Publisher(server.url, "o.p" if mirrored else "s.p") as publisher:
        done = good(migrate(**args))
        if "allow_msg_counter" not in row["second"]:
            publisher.goes_on()
    for key in FORETOLD:
        assert check.get(key) == done.get(key), key
    assert (done["action"], done["migration"].keys()) == ("migrate", check["migration"].keys())
    after, last_seq = picture(account), before["state"]["last_seq"]
    changed = {*row["second"], "duplicate_window"}
    kept, wanted = (until(without(one, *changed), last_seq) for one in (after, before))
    if done.get("would_lose"):
        # 2.15 applies the retention at once to what was consumed before, as it says.
        lost = wanted["messages"].keys() - kept["messages"].keys()
        assert 0 < len(lost) <= done["would_lose"]["messages_at_most"]
        assert kept["messages"].items() <= wanted["messages"].items()
        assert kept["places"] == wanted["places"]
        floor = after["consumers"]["half"]["ack_floor"]
        assert max(lost) <= floor
    else:
        assert kept == wanted
    new = [int(json_text(one)) for seq, one in after["messages"].items() if seq > last_seq]
    # Nothing is lost and nothing twice; a mirror that was promoted gets no more of its origin.
    assert new == list(range(len(new) if mirrored else len(publisher.sequences)))
    again = good(migrate(**args))
    assert (again["changed"], again["action"]) == (False, "none")
    assert not list(migrate.path.iterdir())
    acknowledge(account, "S", "half", 1)


def json_text(message):
    return base64.b64decode(message["data"]).decode()


# --------------------------------------------------------------------------------------------------
# Streams downstream
# --------------------------------------------------------------------------------------------------


def test_mirrors_go_on(account, migrate):
    """It takes them about ten seconds to notice."""
    account.stream("S", subjects=["s.>"], deny_delete=True)
    account.stream("M", mirror={"name": "S"})
    account.store(*["s.a"] * 20)
    wait_for(lambda: account.state("M")["messages"] == 20)
    good(migrate(deny_delete=False))
    account.store(*["s.b"] * 5)
    wait_for(lambda: account.state("M")["messages"] == 25)
    assert picture(account, "M")["messages"] == picture(account)["messages"]


def test_streams_that_source_it_are_named(account, migrate):
    """2.15 copies everything to them again; on 2.9 and 2.10 they go on."""
    account.stream("S", subjects=["s.>"], deny_delete=True)
    account.stream("D", sources=[{"name": "S"}])
    account.store(*["s.a"] * 20)
    wait_for(lambda: account.state("D")["messages"] == 20)
    before = picture(account)
    if account.release >= V215:
        for check in (True, False):
            assert "D will copy all its messages again" in failed(
                migrate(deny_delete=False, check=check)
            )
            assert picture(account) == before
        done = good(migrate(deny_delete=False, data_loss="allow"))
        assert any("D will copy" in text for text in done["warnings"])
    else:
        assert not good(migrate(deny_delete=False))["warnings"]
        account.store(*["s.b"] * 5)
        wait_for(lambda: account.state("D")["messages"] == 25)
    assert (
        without(picture(account), "deny_delete")["config"]
        == without(before, "deny_delete")["config"]
    )


# --------------------------------------------------------------------------------------------------
# Consumers
# --------------------------------------------------------------------------------------------------

# CONSUMER.RESET does not take these (10204), or the new settings begin behind the old place.
NO_PLACE = {"C41"}


@pytest.mark.parametrize("row, letters", must_recreate("consumers.yml"))
def test_consumer_row(row, letters, account, run_module):
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
    account.stream("S", subjects=["s.>"], deny_delete=True)
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
    filled(account, deny_delete=True)
    before = picture(account)
    failing(monkeypatch, 1)
    result = migrate(deny_delete=False)
    assert "the line was cut" in failed(result)
    assert "restored as it was" in result["msg"]
    assert picture(account) == before
    assert not list(migrate.path.iterdir())


@pytest.mark.parametrize("way", ["again", "by hand"])
def test_what_can_not_be_undone_is_kept(way, account, migrate, monkeypatch):
    filled(account, deny_delete=True)
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
    filled(account, deny_delete=True)
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
