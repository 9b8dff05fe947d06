# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations of a whole environment: what no update can change, with everything kept."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _drain, _restore
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError


@pytest.fixture
def half_done(account):
    """Streams that have to be migrated, with messages and a consumer."""
    for name in "ab":
        config = {"name": name.upper(), "subjects": [f"{name}.>"], "deny_delete": True}
        config["duplicate_window"] = 10**8
        account.nats.ok(f"STREAM.CREATE.{name.upper()}", config)
        account.store(*[f"{name}.x"] * 5)
    consumer = {"durable_name": "c", "name": "c", "ack_policy": "explicit"}
    account.nats.ok("CONSUMER.CREATE.A.c", {"stream_name": "A", "config": consumer})
    time.sleep(0.7)  # a migration need not wait any more, and foretells that every time
    return account


def declared(tmp_path, **more):
    return {
        "streams": [
            {"name": "A", "deny_delete": False, "consumers": [{"name": "c"}, {"name": "d"}]},
            {"name": "B", "deny_delete": False, "max_age": "1h"},
        ],
        "recreate": "migrate",
        "migrate_path": str(tmp_path / "private"),
        **more,
    }


def test_everything_stays(half_done, tmp_path):
    result = half_done.agrees(**declared(tmp_path))
    actions = {(row["name"], row["action"]) for row in result["plan"]}
    assert actions == {("A", "migrate"), ("d", "create"), ("B", "migrate")}
    assert result["summary"]["migrated"] == 2
    moved = next(row["migration"] for row in result["plan"] if row["name"] == "A")
    assert (moved["messages"], moved["consumers"]) == (5, 1)
    assert [half_done.messages(name) for name in "AB"] == [5, 5]
    assert half_done.consumers("A") == ["c", "d"]
    assert not half_done.state()["A"].get("deny_delete")
    assert not list((tmp_path / "private").iterdir())


def test_they_wait_side_by_side(half_done, tmp_path, monkeypatch):
    """Each until the others wait, too: one after the other, they would wait forever."""
    if tuple(map(int, half_done.nats.info["version"].split("."))) < (2, 15):
        pytest.skip("a migration waits for nothing, because a restore makes it forget nothing")
    for name in "ab":
        half_done.store(f"{name}.x")
    there, drained = set(), _drain.drained

    async def together(manager, name, left):
        there.add(name)
        while len(there) < 2:
            await asyncio.sleep(0.01)
        await drained(manager, name, left)

    monkeypatch.setattr(_drain, "drained", together)
    for name in "AB":
        config = half_done.nats.ok(f"STREAM.INFO.{name}")["config"]
        half_done.nats.ok(f"STREAM.UPDATE.{name}", {**config, "duplicate_window": 2 * 10**9})
    result = half_done.declare(**declared(tmp_path))
    assert not result.get("failed"), result["msg"]
    assert there == {"A", "B"}
    rows = [row for row in result["plan"] if row["action"] == "migrate"]
    assert all(0 < row["migration"]["wait"] <= 3 for row in rows)
    assert [half_done.messages(name) for name in "AB"] == [6, 6]


def test_too_large(half_done, tmp_path):
    before = half_done.state()
    result = half_done.declare(**declared(tmp_path, migrate_max_bytes="10B"))
    assert {one["place"] for one in result["failures"]} == {"streams[0]", "streams[1]"}
    assert half_done.state() == before


@pytest.fixture
def refused_twice(monkeypatch):
    """The server refuses two restores of each stream: of the new one, and of the old one."""
    give, broken = _restore.give, []

    async def breaks(manager, config, *args):
        if broken.count(config["name"]) < 2:
            broken.append(config["name"])
            raise ApiError("STREAM.RESTORE", 500, 10062, "forced")
        return await give(manager, config, *args)

    monkeypatch.setattr(_restore, "give", breaks)


def test_what_a_run_has_left_is_undone_first(refused_twice, half_done, tmp_path):
    args = declared(tmp_path)
    result = half_done.declare(**args)
    assert "nats stream restore" in result["msg"]
    assert half_done.streams() == []
    check = half_done.declare(check=True, **args)
    assert half_done.streams() == []
    result = half_done.declare(**args)
    assert not result.get("failed"), result["msg"]
    assert (check["plan"], check["changed"]) == (result["plan"], True)
    assert len(result["resumed"]) == 2
    assert all("its snapshot was restored" in told for told in result["resumed"])
    assert [half_done.messages(name) for name in "AB"] == [5, 5]
    assert half_done.consumers("A") == ["c", "d"]
    assert not half_done.declare(**args)["changed"]


def test_a_recovery_that_is_ended_may_have_begun_something(
    refused_twice, half_done, tmp_path, monkeypatch
):
    """Nothing is under way after a refusal, and the next run need not wait; the one after must."""
    args = declared(tmp_path)
    half_done.declare(**args)
    journals = [json.loads(path.read_text()) for path in tmp_path.glob("private/*/journal.json")]
    assert [journal["settled"] for journal in journals] == [True, True]

    class Ended(BaseException):
        pass

    async def ended(*_args):
        raise Ended

    monkeypatch.setattr(_restore, "give", ended)
    with pytest.raises(Ended):
        half_done.declare(**args)
    journals = [json.loads(path.read_text()) for path in tmp_path.glob("private/*/journal.json")]
    assert [journal["settled"] for journal in journals] == [False, False]
