# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release is cut in a scratch repository, and everything that should stop one does."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from harness import release, stage

VERSION = release.galaxy_version(stage.ROOT)
AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


@pytest.fixture
def scratch(tmp_path):
    """The checkout as it is, in a repository of its own."""
    root = stage.export(tmp_path / "scratch")
    release.git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


def commit(root: Path) -> None:
    release.git(root, "add", "-A")
    release.git(root, *AUTHOR, "commit", "-q", "-m", "All")


def run(_name: str, words: list[str], cwd: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for ansible-doc
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_a_release_is_cut(scratch, tmp_path):
    assert release.problems(scratch, VERSION) == []
    artifact = release.cut(scratch, tmp_path / "release", run, tool)
    changes = yaml.safe_load((scratch / "changelogs" / "changelog.yaml").read_text())
    released = changes["releases"][VERSION]
    assert released["changes"]["release_summary"]
    assert not list((scratch / "changelogs" / "fragments").glob("*.yml"))
    if VERSION == "1.0.0":  # what is new in the first release is everything
        named = {module["name"] for module in released["modules"]}
        assert named == {path.stem for path in (scratch / "plugins/modules").glob("*.py")}
        assert {role["name"] for role in released["objects"]["role"]} == {
            path.name for path in (scratch / "roles").iterdir()
        }
    for name in ("CHANGELOG.md", "CHANGELOG.rst"):
        assert f"v{VERSION}" in (scratch / name).read_text().replace("\\", "")
    with tarfile.open(artifact) as tar:
        assert {"CHANGELOG.md", "CHANGELOG.rst", "MANIFEST.json"} <= set(tar.getnames())
    assert str(artifact) in release.next_steps(VERSION, artifact)
    # Only the changelog has changed, and the steps to undo it do so.
    release.git(scratch, "restore", ".")
    release.git(scratch, "clean", "-q", "-f", "CHANGELOG.md", "CHANGELOG.rst")
    assert release.problems(scratch, VERSION) == []


def test_the_same_is_not_released_twice(scratch, tmp_path):
    release.cut(scratch, tmp_path / "release", run, tool)
    commit(scratch)
    release.git(scratch, *AUTHOR, "tag", "-a", VERSION, "-m", VERSION)
    found = "\n".join(release.problems(scratch, VERSION))
    assert f"the tag {VERSION} is there already" in found
    assert f"changelog.yaml has {VERSION} already" in found
    assert "changelogs/fragments is empty" in found


def test_nothing_older_is_released(scratch, tmp_path):
    release.cut(scratch, tmp_path / "release", run, tool)
    (scratch / "galaxy.yml").write_text(
        (scratch / "galaxy.yml").read_text().replace(f"version: {VERSION}", "version: 0.9.0")
    )
    commit(scratch)
    assert any("is newer" in problem for problem in release.problems(scratch, "0.9.0"))


def test_all_that_is_missing_is_said_at_once(scratch):
    for fragment in (scratch / "changelogs" / "fragments").glob("*.yml"):
        fragment.write_text(fragment.read_text().replace("release_summary:", "trivial:"))
    found = release.problems(scratch, "7.0.0")
    assert len(found) == 3
    assert f"galaxy.yml has version {VERSION}, not 7.0.0" in found
    assert any(problem.startswith("not everything is committed: ") for problem in found)
    assert any("release_summary" in problem for problem in found)


@pytest.mark.parametrize("version", ["", "1.0", "v1.0.0", "1.0.0 "])
def test_what_is_no_version(scratch, version):
    (problem,) = release.problems(scratch, version)
    assert "no semantic version" in problem


def test_versions_have_an_order():
    ordered = ["0.9.0", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"]
    assert max(ordered, key=release.key) == "1.10.0"
    assert sorted(set(ordered), key=release.key) == ordered
