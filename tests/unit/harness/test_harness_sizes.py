# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nightly runs are larger, and they are the only ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness import run
from harness.paths import ROOT


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, 200), ({"NIGHTLY": ""}, 200), ({"NIGHTLY": "0"}, 200), ({"NIGHTLY": "1"}, 2000)],
    ids=["unset", "empty", "zero", "one"],
)
def test_the_environment_decides(environment, expected):
    rest = {name: value for name, value in os.environ.items() if name != "NIGHTLY"}
    code = "from harness.sizes import size; print(size(200, 2000))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(ROOT / "tests"),
        env={**rest, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) == expected


def test_nightly_is_test_with_larger_sizes(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "work", lambda: tmp_path)
    a_run, seen = run.Run(), []
    monkeypatch.setattr(run, "target_test", lambda one: seen.append(one.env.get("NIGHTLY")))
    run.target_nightly(a_run)
    assert seen == ["1"]
