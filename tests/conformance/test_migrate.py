# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations: what no update can change, with every message, sequence, consumer and place kept."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path

import pytest
import yaml
from snapshots import V215, acknowledge, filled, picture

from ansible_collections.nats.jetstream.plugins.modules import jetstream_stream
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


def good(result):
    assert not result.get("failed"), result
    return result


def failed(result):
    assert result.get("failed"), result
    return result["msg"]


def wait_for(condition, seconds=90):
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
        self.ending, self.errors, self.sequences = threading.Event(), 0, []

    def run(self):
        with client.Client(self.url) as nats:
            while not self.ending.is_set():
                number = len(self.sequences)
                name = f"{self.subject}-{number}"
                try:
                    answer = json.loads(nats.request(self.subject, str(number), msg_id=name))
                except client.NatsError:
                    self.errors += 1
                    time.sleep(0.005)
                    continue
                if "error" in answer:  # a counter takes no text
                    self.errors += 1
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
def test_row(row, letters, account, server, migrate):
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
    args = {**options, "data_loss": "allow"}
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
    assert mirrored or publisher.errors
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
