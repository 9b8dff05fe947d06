# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two halves of a run side by side, and what they leave behind.

Each in a process of its own: a run takes every other child of its process for one left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from harness.paths import ROOT

PROGRAM = """
import os, signal, sys, time
from harness.paths import ROOT
from harness.processes import adopt_orphans, beside, spawn
for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores the first
    signal.signal(number, signal.default_int_handler)
adopt_orphans()

def run(*command):
    return spawn(list(command), ROOT, dict(os.environ), None)

"""


def start(code):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + code],
        cwd=str(ROOT / "tests"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output(code):
    process = start(code)
    told, _nothing = process.communicate(timeout=60)
    assert process.returncode == 0, told
    return told.splitlines()


def test_both_halves_run_at_once_and_the_other_is_no_orphan():
    code = """
def other():
    seen = os.read(read, 1)  # comes only when the first half runs meanwhile
    return [run("sh", "-c", "exit 3"), seen.decode(), "x" * 100000]

read, write = os.pipe()
with beside(other) as result:
    assert run("true") == 0  # and ends what it left behind, but not the other half
    os.write(write, b"!")
    code, seen, much = result()
print(code, seen, len(much))
"""
    assert output(code) == ["3 ! 100000"]


def test_a_half_that_dies_is_told():
    code = """
with beside(lambda: os.kill(os.getpid(), signal.SIGKILL)) as result:
    print(result())
with beside(lambda: 1 / 0) as result:
    print(result())
"""
    told = output(code)
    assert (told[0], told[-1]) == ("None", "None")
    assert "ZeroDivisionError: division by zero" in told


def ended(file, patience=30):
    pid, deadline = int(file.read_text()), time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("half", ["spawned", "beside"])
def test_what_a_step_leaves_behind_is_ended(half, tmp_path):
    leave = f'run("sh", "-c", "sleep 600 & echo $! > {tmp_path}/pid")'
    code = f"""
if {half == "beside"}:
    with beside(lambda: {leave}) as result:
        pass
else:
    {leave}
"""
    (line,) = output(code)
    assert line.strip().startswith("ending a process that was left behind: ")
    assert ended(tmp_path / "pid")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(number, tmp_path):
    code = f"""
def wait(file):
    return run("sh", "-c", f"sleep 600 & echo $! > {{file}}.new; mv {{file}}.new {{file}}; wait")

with beside(lambda: wait("{tmp_path}/other")):
    wait("{tmp_path}/own")
"""
    process = start(code)
    files = [tmp_path / "own", tmp_path / "other"]
    deadline = time.monotonic() + 60
    while not all(file.exists() for file in files):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode
    assert all(ended(file) for file in files)
