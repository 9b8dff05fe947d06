# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to be supported is said the same everywhere, and is what `make matrix` runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.nats.jetstream.plugins.doc_fragments import _connection
from harness import matrix, paths, servers

ROOT = paths.ROOT
OLDEST_CORE = next(iter(matrix.CONTROLLERS))
OLDEST_PYTHON = matrix.PYTHONS[0]
# Known to ansible-core, and only run where there is one.
NEXT_PYTHON = "3.14"
FIRST_RELEASE = (1, 0, 0)


def loaded(*names: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*names).read_text())


def row(title: str) -> list[str]:
    """Return the cells of a table of README.md behind the one with this beginning."""
    (line,) = (
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith((f"| {title} |", f"| [{title}]"))
    )
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_table_of_ansible_core():
    supported, tested = row("ansible-core")
    assert supported == f"{OLDEST_CORE} or newer"
    assert tested.split(", ") == list(matrix.CONTROLLERS)
    assert loaded("meta", "runtime.yml")["requires_ansible"] == f">={OLDEST_CORE}.0"


def test_the_table_of_pythons():
    supported, tested = row("Python on the hosts that run the modules")
    assert supported == f"{OLDEST_PYTHON} or newer"
    assert [*tested.split(", "), NEXT_PYTHON] == list(matrix.PYTHONS)
    assert loaded("tests", "config.yml")["modules"]["python_requires"] == f">= {OLDEST_PYTHON}"
    assert f"python >= {OLDEST_PYTHON}" in requirements_of_modules()
    ruff = (ROOT / "pyproject.toml").read_text()
    assert f'target-version = "py{OLDEST_PYTHON.replace(".", "")}"' in ruff


def requirements_of_modules() -> list[str]:
    fragment: list[str] = yaml.safe_load(_connection.ModuleDocFragment.DOCUMENTATION)[
        "requirements"
    ]
    return fragment


def test_the_oldest_nats_py():
    oldest = matrix.OLDEST_NATS_PY
    version, _purpose = row("nats-py")
    assert version.startswith(f"{oldest} or newer")
    assert f"tested with {oldest} and " in version
    assert any(line.startswith(f"nats-py >= {oldest}") for line in requirements_of_modules())


@pytest.mark.parametrize(
    "file",
    [
        "requirements.txt",
        "meta/ee-requirements.txt",
        "tests/requirements.txt",
        "tests/integration/requirements.txt",
    ],
)
def test_a_file_of_requirements_has_the_oldest_nats_py(file):
    (line,) = re.findall("^nats-py.*$", (ROOT / file).read_text(), re.MULTILINE)
    assert line.replace(" ", "").startswith(f"nats-py>={matrix.OLDEST_NATS_PY}")


def test_the_table_of_servers():
    for version in servers.VERSIONS:
        release = ".".join(version.split(".")[:2])
        assert row(release)[0] == version


def added(file: Path) -> list[tuple[int, ...]]:
    found = re.findall(r"version_added: *[\"']?([\d.]+)", file.read_text())
    return [tuple(map(int, version.split("."))) for version in found]


def test_nothing_was_added_before_the_first_release_or_after_the_next_one():
    """What is new has the version of galaxy.yml: the changelog finds it by that."""
    upcoming = tuple(map(int, loaded("galaxy.yml")["version"].partition("-")[0].split(".")))
    folders = [ROOT / "plugins", ROOT / "roles"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    wrong = {
        str(file.relative_to(ROOT)): version
        for file in files
        if file.suffix in (".py", ".yml")
        for version in added(file)
        if not FIRST_RELEASE <= version <= upcoming
    }
    assert not wrong
