# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepares what ansible-test is particular about: a real copy, real Pythons, a get-pip."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
from pathlib import Path

from .paths import NAME, NAMESPACE, ROOT, work

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


def files(root: Path = ROOT) -> list[Path]:
    """Return the project's files, relative to its root: what git knows or would take."""
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
        names = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
        listed = [Path(name) for name in names.split("\0") if name]
        return sorted(path for path in set(listed) if (root / path).is_file())
    return sorted(_walk(root, root, _ignored(root)))


def _ignored(root: Path) -> list[str]:
    lines = (root / ".gitignore").read_text().splitlines()
    return [line.rstrip("/") for line in lines if line and not line.startswith("#")] + [".git"]


def _walk(root: Path, folder: Path, patterns: list[str]) -> list[Path]:
    found: list[Path] = []
    for entry in folder.iterdir():
        path = entry.relative_to(root)
        if any(fnmatch.fnmatch(t, p) for p in patterns for t in (entry.name, str(path))):
            continue
        if entry.is_dir() and not entry.is_symlink():
            found += _walk(root, entry, patterns)
        elif entry.is_file():
            found.append(path)
    return found


def stage() -> Path:
    """Copy the project to ``.../ansible_collections/nats/jetstream`` and return that folder.

    ansible-test follows no symbolic link, and inside another git tree it asks that one for its
    files, finds none, and succeeds with "All targets skipped". Its own output is kept: it holds
    virtual environments that take a minute to build.
    """
    target = work() / "stage" / "ansible_collections" / NAMESPACE / NAME
    wanted = set(files())
    for folder, subfolders, names in os.walk(str(target)):
        here = Path(folder).relative_to(target)
        if here == Path("tests"):
            subfolders[:] = [name for name in subfolders if name != "output"]
        for name in names:
            if here / name not in wanted:
                (target / here / name).unlink()
    export(target)
    for folder, _subfolders, _names in os.walk(str(target), topdown=False):
        if not os.listdir(folder) and "output" not in Path(folder).parts:
            os.rmdir(folder)
    return target


def export(target: Path, root: Path = ROOT) -> Path:
    """Copy the project's files, and nothing else that lies in the checkout, into a folder."""
    for path in files(root):
        (target / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy2(str(root / path), str(target / path), follow_symlinks=False)
    return target


def pythons() -> dict[str, Path]:
    """Return version -> interpreter that really runs. A pyenv shim may exist and not run."""
    roots = [Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))]
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for root in roots:
        folders += sorted(root.glob("versions/*/bin"))
    found = {}
    for version in PYTHONS:
        for folder in folders:
            program = folder / f"python{version}"
            if not is_shim(folder) and not _is_own(folder) and program.exists() and _runs(program):
                found[version] = program
                break
    return found


def is_shim(folder: Path) -> bool:
    return folder.name == "shims"


def _is_own(folder: Path) -> bool:
    """Say whether this project made the folder: what it is built with must not be inside of it."""
    return folder in (ROOT / ".venv" / "bin", work() / "pythons")


def _runs(program: Path) -> bool:
    # ssl: an interpreter without it can install nothing.
    command = [str(program), "-c", "import ssl, venv, zlib"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def python_folder(found: dict[str, Path]) -> Path:
    """Return a folder with these interpreters and nothing else, for PATH."""
    folder = work() / "pythons"
    folder.mkdir(parents=True, exist_ok=True)
    for version in PYTHONS:
        link = folder / f"python{version}"
        if link.is_symlink():
            link.unlink()
        if version in found:
            # Links of a virtual environment must keep their own path to find it.
            link.symlink_to(found[version])
    return folder


def seed_get_pip(python: Path) -> None:
    """Give ansible-test a get-pip of its own.

    It downloads that one script from a server of its project, past pip's configuration, which is
    no good on a machine that reaches packages only as pip is configured there.
    """
    for version in _pip_versions(python):
        folder = Path(os.path.expanduser("~/.ansible/test/cache"))
        script = folder / f"get_pip_{version.replace('.', '_')}.py"
        text = _GET_PIP.replace("VERSION", version)
        if script.exists() and (script.read_text() == text or not _is_ours(script)):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(python), "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary", ":all:", "-d", str(folder), f"pip=={version}"]
        subprocess.run(command, check=True)
        temporary = folder / f".{script.name}.{os.getpid()}"
        temporary.write_text(text)
        temporary.replace(script)


def _is_ours(script: Path) -> bool:
    return script.read_text().startswith('"""Stand-in')


def _pip_versions(python: Path) -> list[str]:
    """Which pip the installed ansible-test wants is only in its code; no option tells it."""
    code = "import importlib.util as u; print(u.find_spec('ansible_test').origin)"
    done = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    source = Path(done.stdout.strip()).parent / "_internal" / "python_requirements.py"
    return sorted(set(re.findall(r"\bpip='([\d.]+)'", source.read_text())))


_GET_PIP = '''\
"""Stand-in for get-pip.py: installs pip VERSION and what is asked for from the wheel beside."""
import os
import sys

wheel = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pip-VERSION-py3-none-any.whl")
sys.path.insert(0, wheel)
os.environ["PYTHONPATH"] = wheel  # for the processes that pip starts

if __name__ == "__main__":
    from pip._internal.cli.main import main

    unknown = ("--no-setuptools", "--no-wheel")  # options of get-pip, not of pip
    sys.exit(main(["install"] + [word for word in sys.argv[1:] if word not in unknown]))
'''
