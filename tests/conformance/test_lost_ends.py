# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a snapshot or a restore is lost on a connection that stays, and with one.

A server may take long for some of its answers; nobody waits that long for one that is lost.
"""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from snapshots import filled, picture

from ansible_collections.nats.jetstream.plugins.module_utils import _snapshot
from ansible_collections.nats.jetstream.plugins.modules import jetstream_backup, jetstream_restore
from harness import collection
from harness.between import RESTORE_ANSWER, RESTORE_END, Between, Fault

DATA = "$JS.SNAPSHOT.RESTORE."
ENDS = [Fault(what, pattern=RESTORE_END) for what in ("request lost", "cut within request")]
ANSWERS = [Fault(what, pattern=RESTORE_ANSWER) for what in ("answer lost", "cut before answer")]
SNAPSHOT = Fault("request lost", pattern=re.compile(rb"^PUB \$JS\.API\.STREAM\.SNAPSHOT\."))
CHUNK = Fault("answer lost", pattern=re.compile(rb"^MSG \S+ \S+ \$JS\.SNAPSHOT\.ACK\.\S+\.2 "))
BOUND = 30.0  # s; it was an hour


@pytest.fixture
def between(account, server):
    filled(account)
    with Between(server) as between:
        yield between


def run(between, module, fault=None, **args):
    """Run a module over a connection with a fault; it ends soon."""
    between.disturb(fault)
    started = time.monotonic()
    result = collection.run_task(module, {"servers": [between.url], **args})
    assert time.monotonic() - started < BOUND
    assert between.happened == (fault is not None)
    return result


def restored(account, between, fault, path):
    """Restore S; return how many messages of data the server was sent for one restore, at most."""
    account.ok("STREAM.DELETE.S")
    result = run(between, jetstream_restore, fault, path=path)
    assert not result.get("failed"), result["msg"]
    assert result["streams"][0]["action"] == "restore"
    # 2.15 now and then needs another attempt, which has a subject of its own.
    return max(Counter(one for one in between.asked if one.startswith(DATA)).values())


def test_the_end_of_a_restore_or_its_answer_is_lost(account, between, tmp_path):
    before, path = picture(account), str(tmp_path)
    run(between, jetstream_backup, path=path)
    messages = restored(account, between, None, path)
    for fault in (*ENDS, *ANSWERS):
        assert restored(account, between, fault, path) == messages + 1, fault
        assert picture(account) == before, fault


def test_the_end_is_said_twice_while_a_server_works(account, between, tmp_path, monkeypatch):
    """The second one has no answer then; a third one would stop 2.9 and 2.10 from reading."""
    for number in range(150):
        config = {"durable_name": f"C{number}", "name": f"C{number}", "ack_policy": "explicit"}
        body = {"stream_name": "S", "config": config}
        account.ok(f"CONSUMER.CREATE.S.C{number}", body)
    before, path = picture(account), str(tmp_path)
    run(between, jetstream_backup, path=path)
    messages = restored(account, between, None, path)
    monkeypatch.setattr(_snapshot, "AGAIN", 0.05)
    monkeypatch.setattr(_snapshot, "ALIKE", 20)
    for fault in (None, ANSWERS[0]):
        assert restored(account, between, fault, path) <= messages + 1
        assert picture(account) == before


def test_the_request_of_a_checked_snapshot_is_lost(between, tmp_path, monkeypatch):
    monkeypatch.setattr(_snapshot, "IDLE", 1.0)
    args = {"timeout": "1s", "retry_for": "1s", "path": str(tmp_path), "check": True}
    result = run(between, jetstream_backup, SNAPSHOT, **args)
    assert "no answer to $JS.API.STREAM.SNAPSHOT.S" in result["msg"]
    assert not run(between, jetstream_backup, **args).get("failed")


def test_a_part_of_a_snapshot_is_lost(between, tmp_path):
    result = run(between, jetstream_backup, CHUNK, path=str(tmp_path), chunk_size="1KiB")
    assert "was lost on the way: number 3 came instead of number 2" in result["msg"]
    assert not list(tmp_path.iterdir())
