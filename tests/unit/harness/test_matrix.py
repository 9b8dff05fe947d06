# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the matrix meet what they promise, and its scenario leaves no module out."""

from __future__ import annotations

import itertools

import pytest

from harness import matrix, paths, servers

NATS_PYS = (matrix.OLDEST_NATS_PY, "2.16.0")


def impossible(one: tuple[int, str], other: tuple[int, str]) -> bool:
    """A Python that this ansible-core does not manage."""
    return one[0] == 0 and other[0] == 1 and other[1] not in matrix.MANAGED[one[1]]


def test_any_two_versions_meet():
    rows = list(matrix.rows(NATS_PYS, servers.VERSIONS))
    axes = [tuple(matrix.CONTROLLERS), matrix.PYTHONS, NATS_PYS, servers.VERSIONS]
    # 3.14 is in two rows only, as two versions of ansible-core know it.
    axes[1] = tuple(python for python in matrix.PYTHONS if python != "3.14")
    for first, second in itertools.combinations(range(4), 2):
        wanted = {
            ((first, a), (second, b)) for a, b in itertools.product(axes[first], axes[second])
        }
        met = {((first, row[first]), (second, row[second])) for row in rows}
        assert {pair for pair in wanted if not impossible(*pair)} <= met
    assert {row.python for row in rows} == set(matrix.PYTHONS)


def test_the_small_slice_has_every_version_once():
    rows = list(matrix.small(NATS_PYS, servers.VERSIONS))
    assert {row.core for row in rows} == set(matrix.CONTROLLERS)
    assert {row.python for row in rows} == {"3.9", "3.10", "3.11", "3.12", "3.13"}
    assert {(row.nats_py, row.server) for row in rows} == set(
        itertools.product(NATS_PYS, servers.VERSIONS)
    )
    assert all(row.python in matrix.MANAGED[row.core] for row in rows)
    assert len(rows) == len(matrix.CONTROLLERS)


@pytest.mark.parametrize("server", [("2.15.1",), ("2.10.27", "2.15.1")])
def test_fewer_servers_will_do(server):
    assert {row.server for row in matrix.rows(NATS_PYS, server)} == set(server)


def test_the_scenario_has_every_module():
    scenario = matrix.SCENARIO.read_text()
    modules = {path.stem for path in (paths.ROOT / "plugins" / "modules").glob("*.py")}
    missing = {name for name in modules if f"nats.jetstream.{name}:\n" not in scenario}
    assert not missing, f"add a short task to {matrix.SCENARIO.relative_to(paths.ROOT)}"


def outcome(ok: bool | None, told: str) -> matrix.Outcome:
    row = matrix.Row("2.16", "3.9", "2.8.0", "2.9.10")
    return matrix.Outcome(row, "2.16.19", "3.12", ok, told)


def test_the_table_says_what_was_not_run():
    text = matrix.table([outcome(True, "9 tasks"), outcome(None, "no Python 3.9 here")])
    assert text.splitlines()[1].endswith("2.9.10       ok: 9 tasks")
    assert text.splitlines()[2].endswith("2.9.10       not run: no Python 3.9 here")


def test_nothing_run_is_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(matrix, "binaries", lambda: {"2.15.1": paths.ROOT})
    monkeypatch.setattr(matrix.stage, "pythons", dict)
    assert matrix.main(["--small"]) == 1
    assert "0 ok, 0 failed, 6 not run" in capsys.readouterr().out
