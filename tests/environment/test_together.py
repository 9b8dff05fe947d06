# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs at the same time: of one declaration they both succeed, of two it is told.

A gate before the server holds both until both have come to the same place.
"""

from __future__ import annotations

import contextlib
import threading

import pytest
from long_way import AFTER, came_to_its_end
from processes import PATIENCE, Gate, Run

from harness import client, sizes

LIST = b"$JS.API.STREAM.LIST"
HELD = {"timeout": f"{PATIENCE:g}s"}  # what waits at the gate is not asked for a second time
STREAMS = 30


class Meeting:
    """Lets two connections on only when both are about to list the streams for the n-th time.

    Who is alone goes on: a run that failed does not list them again.
    """

    def __init__(self, *numbers: int) -> None:
        self._numbers, self._lists = numbers, {0: 0, 1: 0}
        self._barrier = threading.Barrier(2)

    def __call__(self, connection: int, data: bytes) -> None:
        if not data:
            self._barrier.abort()
        if LIST not in data or connection not in self._lists:
            return
        self._lists[connection] += 1
        if self._lists[connection] in self._numbers:
            with contextlib.suppress(threading.BrokenBarrierError):
                self._barrier.wait(PATIENCE)


@pytest.mark.parametrize("again", range(sizes.size(1, 40)))
def test_of_one_declaration(begun, own_server, again):
    """Both begin to read at the same moment, and then do the same."""
    with (
        Gate(own_server, Meeting(1)) as gate,
        Run(gate.url, **HELD, **AFTER) as one,
        Run(gate.url, **HELD, **AFTER) as other,
    ):
        results = [one.result(), other.result()]
    for result in results:
        assert not result.get("failed"), result["msg"]
        assert result["failures"] == result["not_tried"] == []
    assert begun.declare(**AFTER)["plan"] == []
    came_to_its_end(begun)


def wanting(max_msgs: int) -> dict[str, object]:
    return {
        "streams": [
            {"name": f"S{number:02}", "subjects": [f"s{number}"], "max_msgs": max_msgs}
            for number in range(STREAMS)
        ]
    }


def test_of_two_declarations(own_server, account_on):
    """Both have written everything when they look again: one at least sees what it did not want.

    A server may answer an update with what the other run has made of it right after; then the run
    fails for that.
    """
    with client.Client(own_server.url) as nats:
        account = account_on(own_server, nats)
        account.agrees(**wanting(1))
        with (
            Gate(own_server, Meeting(1, 2)) as gate,
            Run(gate.url, **HELD, **wanting(10)) as one,
            Run(gate.url, **HELD, **wanting(20)) as other,
        ):
            results = {10: one.result(), 20: other.result()}
        kept = {name: config["max_msgs"] for name, config in account.state().items()}
    assert set(kept.values()) <= {10, 20}
    assert any(result.get("failed") for result in results.values())
    for wanted, result in results.items():
        others = sorted(f"stream {name}" for name, most in kept.items() if most != wanted)
        assert bool(result.get("failed")) == bool(others)
        overtaken = {f"stream S{row['place'][8:-1]:>02}" for row in result["failures"]}
        assert overtaken <= set(others)
        assert sorted(result.get("differs_again", [])) == ([] if overtaken else others)
        if others:
            assert "someone else changes it" in result["msg"]
            assert result["changed"] is True


def test_what_someone_else_does_meanwhile(own_server, account_on):
    """A stream is changed by hand between the last write and the final look."""
    with client.Client(own_server.url) as nats:
        account = account_on(own_server, nats)
        seen = []

        def look(connection: int, data: bytes) -> None:
            if LIST not in data:
                return
            seen.append(connection)
            if len(seen) == 2:
                config = account.state()["S03"]
                account.nats.ok("STREAM.UPDATE.S03", {**config, "max_msgs": 99})

        with Gate(own_server, look) as gate, Run(gate.url, **HELD, **wanting(10)) as run:
            result = run.result()
        assert result["failed"] and result["changed"]
        assert result["differs_again"] == ["stream S03"]
        assert result["summary"]["created"] == STREAMS
        account.agrees(**wanting(10))


def test_what_is_repaired_before_the_last_look(own_server, account_on):
    """Another run of the same may be in the middle of a move: the look is repeated."""
    with client.Client(own_server.url) as nats:
        account = account_on(own_server, nats)
        seen = []

        def look(connection: int, data: bytes) -> None:
            if LIST not in data:
                return
            seen.append(connection)
            if len(seen) in (2, 3):
                most = {2: 99, 3: 10}[len(seen)]
                config = account.state()["S03"]
                account.nats.ok("STREAM.UPDATE.S03", {**config, "max_msgs": most})

        with Gate(own_server, look) as gate, Run(gate.url, **HELD, **wanting(10)) as run:
            result = run.result()
        assert not result.get("failed"), result
        assert len(seen) == 3
