# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments beside .venv, for what does not go together in one: kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .paths import cache


class NotInstalled(Exception):
    """A package cannot be had for this Python; the text ends with pip's last words."""


def environment(name: str, python: Path, packages: Sequence[str]) -> Path:
    """Return the interpreter of an environment with these packages, made at the first call.

    ``packages`` are requirements as pip takes them. An environment of another interpreter or with
    other requirements has another folder, so none is ever changed. Raises NotInstalled.
    """
    python = python.resolve()  # not by a link of a checkout, which may go away
    made_from = "\0".join([str(python), *packages])
    folder = cache() / "venvs" / f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"
    stamp = folder / "complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            shutil.rmtree(str(folder), ignore_errors=True)
            # One pip serves all: theirs would take longer to unpack than what they are made for.
            _run([str(python), "-m", "venv", "--without-pip", str(folder)])
            pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
            _run([*pip, "install", "-q", "--disable-pip-version-check", *packages])
            stamp.write_text(made_from)
    return folder / "bin" / "python"


def _run(command: list[str]) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstalled(lines[-1] if lines else f"{command[0]} failed")
