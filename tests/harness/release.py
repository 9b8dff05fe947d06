# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cuts a release: what stands in its way, the changelog, the artifact, and what is left to do.

Nothing leaves this machine, and nothing is committed: a try is undone by git.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

from . import stage
from .paths import NAME, NAMESPACE

# Semantic versioning; a pre-release (1.2.0-rc.1) has a hyphen.
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?")


def problems(root: Path, version: str) -> list[str]:
    """Return all that stands in the way of this release of the checkout in ``root``."""
    if not VERSION.fullmatch(version):
        return [f"VERSION={version!r} is no semantic version; say make release VERSION=1.2.3"]
    found = []
    declared = galaxy_version(root)
    if declared != version:
        found.append(f"galaxy.yml has version {declared}, not {version}")
    if changes := git(root, "status", "--porcelain").splitlines():
        found.append(f"not everything is committed: {', '.join(line[3:] for line in changes[:5])}")
    if git(root, "tag", "--list", version, f"v{version}").strip():
        found.append(f"the tag {version} is there already")
    released = versions_released(root)
    if version in released:
        found.append(f"changelogs/changelog.yaml has {version} already")
    newer = [other for other in released if key(other) > key(version)]
    if newer:
        found.append(f"{', '.join(newer)} was released before, and is newer")
    fragments = sorted((root / "changelogs" / "fragments").glob("*.y*ml"))
    if not fragments:
        found.append("changelogs/fragments is empty: nothing has changed, or nobody said what")
    elif not any(has_summary(path) for path in fragments):
        found.append(
            f"no fragment has a release_summary: write changelogs/fragments/{version}.yml with one"
        )
    return found


def galaxy_version(root: Path) -> str:
    found = re.search(r"^version: *(\S+)", (root / "galaxy.yml").read_text(), re.MULTILINE)
    return found.group(1).strip("\"'") if found else "none"


def versions_released(root: Path) -> list[str]:
    """Read without a YAML parser, as this runs before there is one."""
    text = (root / "changelogs" / "changelog.yaml").read_text().partition("\nreleases:")[2]
    return [name.strip("\"'") for name in re.findall(r"^  ([^\s:]+):", text, re.MULTILINE)]


def key(version: str) -> tuple[int, int, int, int, str]:
    """Order versions; a pre-release comes before its release."""
    found = VERSION.fullmatch(version)
    if not found:
        return (0, 0, 0, 0, version)
    major, minor, patch = (int(number) for number in found.groups()[:3])
    return (major, minor, patch, 0 if found.group(4) else 1, found.group(4) or "")


def has_summary(fragment: Path) -> bool:
    return bool(re.search(r"^release_summary:", fragment.read_text(), re.MULTILINE))


def git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def cut(
    root: Path,
    target: Path,
    command: Callable[[str, list[str], Path], str],
    tool: Callable[[str], str],
) -> Path:
    """Collect the fragments into the changelog, and build the artifact into ``target``.

    ``command`` runs a command by its name, words, and folder, and raises when it fails; ``tool``
    returns the path of a program. Returns the path of the artifact.
    """
    command("release changelog", [tool("antsibull-changelog"), "release"], root)
    shutil.rmtree(str(target), ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="nats-jetstream-") as folder:
        source = stage.export(Path(folder) / "source", root)
        build = [tool("ansible-galaxy"), "collection", "build", "--output-path", str(target)]
        command("release build", build, source)
    return target / f"{NAMESPACE}-{NAME}-{galaxy_version(root)}.tar.gz"


def next_steps(version: str, artifact: Path) -> str:
    major, minor, _patch, _pre = VERSION.fullmatch(version).groups()  # type: ignore[union-attr]
    return f"""\
{artifact}

Nothing is published yet. Read CHANGELOG.md, and then:

  make package                              # the artifact, installed and imported
  git add -A && git commit -m 'Release {version}'
  git tag -a {version} -m 'nats.jetstream {version}'
  git push origin main {version}
  ansible-galaxy collection publish {artifact}

After that, let galaxy.yml have the next version ({major}.{int(minor) + 1}.0), and commit it.

To undo this instead: git restore . && git clean -f CHANGELOG.md CHANGELOG.rst
"""
