# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifact as it would be published: built among litter, installed into an empty path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from litter import STRAY

from harness import stage

Command = Callable[..., str]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """``command("ansible-doc", "-l", path=installed)`` runs a tool of .venv; it has to succeed.

    ``path`` is the only place where collections are found; the output is returned.
    """
    home = tmp_path_factory.mktemp("home")
    (home / "ansible.cfg").write_text("[defaults]\n")

    def run(tool: str, *words: str, path: Path | None = None, cwd: Path | None = None) -> str:
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(path or home / "nothing"),
            "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "100",
        }
        done = subprocess.run(
            [str(Path(sys.executable).with_name(tool)), *words],
            cwd=str(cwd or home),
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{tool} {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def artifact(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tarball, built among the litter of a checkout that is worked in."""
    source = stage.export(tmp_path_factory.mktemp("source"))
    for name in STRAY:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("stray\n")
    target = tmp_path_factory.mktemp("artifact")
    command("ansible-galaxy", "collection", "build", "--output-path", str(target), cwd=source)
    (tarball,) = target.iterdir()
    return tarball


@pytest.fixture(scope="session")
def install(command: Command, artifact: Path) -> Callable[[Path], Path]:
    """Install the tarball into an empty path, and return where the collection is in it."""

    def run(path: Path) -> Path:
        command(
            *("ansible-galaxy", "collection", "install", "--offline", "-p", str(path)),
            str(artifact),
            path=path,
        )
        return path / "ansible_collections" / "nats" / "jetstream"

    return run
