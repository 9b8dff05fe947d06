# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations and restores that are killed at any step: the next run ends with everything there."""

from __future__ import annotations

import base64
import random
import subprocess
import time

import pytest
from independent import Account
from snapshots import SECOND, V215, filled, picture

from ansible_collections.nats.jetstream.plugins.modules import jetstream_backup, jetstream_stream
from harness import client, killed
from harness.publishers import Publisher
from harness.sizes import size

# On each of three servers, so 6 migrations in an ordinary run, and 30 of everything in a long one.
POINTS = {"migrate": size(2, 10), "replace": size(1, 10), "restore": size(1, 10)}
SERVER_POINTS = size(1, 10)
WITH_DYING_SERVERS = size(("migrate", "restore"), ("migrate", "replace", "restore"))


@pytest.fixture
def hurt(own_server):
    """An account on a server that may be killed."""
    with client.Client(own_server.url) as nats:
        yield Account(nats, own_server)


class Case:
    """A module run that has something to lose: how it begins, and what has to be there at last."""

    def __init__(self, run_module, folder, url):
        self.run_module, self.folder, self.url = run_module, folder, url

    def prepare(self, account, window=2):
        """Return what has to be there after a run that was not killed, or after the next one."""
        account.clear()
        # A migration waits for its end, so that some are killed in that time.
        window *= SECOND
        filled(account, messages=200, size=2000, deny_delete=True, duplicate_window=window)
        return picture(account)

    def leaves_nothing(self):
        assert list((self.folder / "private").iterdir()) == []


class Migrate(Case):
    module = "jetstream_stream"

    @property
    def args(self):
        return {
            "name": "S",
            "deny_delete": False,
            "recreate": "migrate",
            "migrate_path": str(self.folder / "private"),
        }

    def agrees(self, before, after):
        assert after["config"].pop("deny_delete") is False
        assert before["config"].pop("deny_delete") is True
        assert after == before


class Replace(Case):
    """A restore over a stream that is something else by now."""

    module = "jetstream_restore"

    @property
    def args(self):
        return {
            "path": str(self.folder / "backup" / "S"),
            "replace": True,
            "safety_path": str(self.folder / "private"),
        }

    def prepare(self, account):
        before = super().prepare(account)
        args = {"servers": [self.url], "path": str(self.folder / "backup"), "streams": ["S"]}
        saved = self.run_module(jetstream_backup, **args)
        assert not saved.get("failed"), saved
        account.store("s.1", "s.2")
        return before

    def agrees(self, before, after):
        assert after == before


class Restore(Replace):
    """A restore of a stream that is not there."""

    def prepare(self, account):
        before = super().prepare(account)
        account.ok("STREAM.DELETE.S")
        return before

    def leaves_nothing(self):
        assert not (self.folder / "private").exists()


CASES = {"migrate": Migrate, "replace": Replace, "restore": Restore}


@pytest.fixture
def case(name, run_module, tmp_path, own_server):
    return CASES[name](run_module, tmp_path, own_server.url)


def points(case, account, count):
    """Run once to the end to count the steps; return some of them, and say which."""
    before = case.prepare(account)
    args = {**case.args, "servers": [case.url]}
    total, result = killed.run(case.module, **args)
    assert not result.get("failed"), result
    case.agrees(before, picture(account))
    seed = random.randrange(1 << 30)
    chosen = sorted(random.Random(seed).sample(range(2, total + 1), count))
    print(f"seed {seed}: steps {chosen} of {total}")
    return chosen, args


def ends_well(case, account, before, args):
    result = killed.run(case.module, **args)[1]
    assert not result.get("failed"), result
    case.agrees(before, picture(account))
    case.leaves_nothing()
    again = killed.run(case.module, **args)[1]
    assert again["changed"] is False
    account.store("s.1")


@pytest.mark.parametrize("name", CASES)
def test_the_run_is_killed(name, case, hurt):
    chosen, args = points(case, hurt, POINTS[name])
    for step in chosen:
        before = case.prepare(hurt)
        while killed.run(case.module, step, **args)[0]:
            # It came to its end: how often it looks whether something moves depends on the machine.
            step -= 10
            before = case.prepare(hurt)
        ends_well(case, hurt, before, args)


@pytest.mark.parametrize("name", WITH_DYING_SERVERS)
def test_the_server_is_killed(name, case, hurt):
    server = hurt.server
    chosen, args = points(case, hurt, SERVER_POINTS)
    for step in chosen:
        with client.Client(server.url) as nats:
            before = case.prepare(Account(nats, server))
        killed.run(case.module, step, server.pid, **args, retry_for="1s")
        server.kill()
        server.start()
        with client.Client(server.url) as nats:
            ends_well(case, Account(nats, server), before, args)


@pytest.mark.parametrize("victim", ["the run", "the server"])
def test_killed_while_it_waits(victim, run_module, tmp_path, hurt):
    """The stream takes no messages until the next run, which ends with everything stored once."""
    if hurt.release < V215:
        pytest.skip("a migration waits for nothing, because a restore makes it forget nothing")
    case, server = Migrate(run_module, tmp_path, hurt.server.url), hurt.server
    # A server that is away for longer than the window knows nothing when it is back.
    before = case.prepare(hurt, 2 if victim == "the run" else 10)
    args = {**case.args, "servers": [case.url], "retry_for": "1s"}
    with Publisher(server.url, "s.p", 0.02) as publisher:
        publisher.goes_on()
        with subprocess.Popen(
            killed.command(case.module, **args), stdout=subprocess.DEVNULL
        ) as run:
            wait_until_it_waits(hurt, run)
            (run if victim == "the run" else server).kill()
            assert (run.wait() == 0) == (victim == "the server")
        if victim == "the server":
            server.start()
        with client.Client(server.url) as nats:
            account = Account(nats, server)
            assert account.stored("S")["max_bytes"] == 1
            assert "maximum bytes exceeded" in nats.request("s.new", "x", msg_id="new").decode()
            check = run_module(jetstream_stream, **args, check=True)
            assert "it takes messages again" in check["resumed"]
            result = killed.run(case.module, **args)[1]
            assert result.get("resumed") == check["resumed"], result
            publisher.goes_on()
            publisher.ending.set()
            publisher.join()
            after = picture(account)
    case.leaves_nothing()
    stored = [one for one in after["messages"].values() if one["subject"] == publisher.subject]
    numbers = [int(base64.b64decode(one["data"])) for one in stored]
    # Of the last one, nobody may have asked again.
    assert numbers in (list(range(publisher.tried)), list(range(len(publisher.sequences))))
    assert after["config"] == {**before["config"], "deny_delete": False}
    assert after["messages"].items() >= before["messages"].items()


def wait_until_it_waits(account, run):
    deadline = time.monotonic() + 60
    while account.stored("S")["max_bytes"] != 1:
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
