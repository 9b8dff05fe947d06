# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the scenario under other versions of ansible-core, Python, nats-py, and nats-server.

``matrix.py [--small]`` prints a table with one line for each combination. Its axes are what the
collection claims to support; a test holds the claims of README.md and meta against them. Two
versions of any two axes meet in one line at least; ``--small`` has every version of each axis once.
"""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import client, collection, servers, stage, venvs
from harness.paths import ROOT, work

SCENARIO = ROOT / "tests" / "matrix" / "scenario.yml"
# ansible-core -> the Pythons that it runs on, and those of hosts that it manages, as far as this
# collection has to do with them.
CONTROLLERS = {
    "2.16": ("3.12", "3.11", "3.10"),
    "2.17": ("3.12", "3.11", "3.10"),
    "2.18": ("3.13", "3.12", "3.11"),
    "2.19": ("3.13", "3.12", "3.11"),
    "2.20": ("3.13", "3.12", "3.14"),
    "2.21": ("3.13", "3.12", "3.14"),
}
MANAGED = {
    "2.16": ("3.9", "3.10", "3.11", "3.12"),
    "2.17": ("3.9", "3.10", "3.11", "3.12"),
    "2.18": ("3.9", "3.10", "3.11", "3.12", "3.13"),
    "2.19": ("3.9", "3.10", "3.11", "3.12", "3.13"),
    "2.20": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
    "2.21": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
}
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
OLDEST_NATS_PY = "2.8.0"
LONGEST = 1200  # s; half a minute on a machine of its own
# What the scenario leaves behind, as an independent client sees it.
STREAMS = {"KEPT", "KV_settings", "OBJ_files"}
RECAP = re.compile(r"^\S+ +: ok=(\d+) +changed=\d+ +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


class Row(NamedTuple):
    """One combination: versions, as they were asked for."""

    core: str
    python: str
    nats_py: str
    server: str


class Outcome(NamedTuple):
    """What became of a row; versions as they were found, and ``ok`` None if it was not run."""

    row: Row
    core: str
    controller: str
    ok: bool | None
    told: str


def nats_pys() -> tuple[str, str]:
    """The oldest that is supported, and the one of .venv, which is the newest."""
    return (OLDEST_NATS_PY, importlib.metadata.version("nats-py"))


def binaries() -> dict[str, Path]:
    """Version -> binary: those that the runner found, or all that the tests are made for."""
    named = [path for path in os.environ.get("NATS_SERVERS", "").split(os.pathsep) if path]
    paths = map(Path, named) if named else map(servers.find_server, servers.VERSIONS)
    return {servers.version_of(path): path for path in paths}


def rows(nats_py: Sequence[str], server: Sequence[str]) -> Iterator[Row]:
    """Each ansible-core with each Python that it manages; the other two axes go round."""
    for first, core in enumerate(CONTROLLERS):
        for second, python in enumerate(PYTHONS):
            if python in MANAGED[core]:
                number = first + second
                yield Row(core, python, nats_py[number % 2], server[number % len(server)])


def small(nats_py: Sequence[str], server: Sequence[str]) -> Iterator[Row]:
    """One row for each ansible-core, with all of the other axes among them."""
    for number, core in enumerate(CONTROLLERS):
        supported = [python for python in PYTHONS[:5] if python in MANAGED[core]]
        python = supported[number % len(supported)]
        yield Row(core, python, nats_py[number % 2], server[number % len(server)])


def run(row: Row, binary: Path, found: dict[str, Path]) -> Outcome:
    """Run the scenario for one row, on a server of its own. ``found``: version -> Python."""
    controllers = [version for version in CONTROLLERS[row.core] if version in found]
    if row.python not in found:
        return Outcome(row, row.core, "", None, f"no Python {row.python} here")
    if not controllers:
        wanted = " or ".join(CONTROLLERS[row.core])
        return Outcome(row, row.core, "", None, f"no Python {wanted} here")
    try:
        controller = venvs.environment(
            f"core-{row.core}",
            found[controllers[0]],
            # The lookup runs on the controller.
            [f"ansible-core~={row.core}.0", f"nats-py=={nats_pys()[1]}"],
        )
        managed = venvs.environment(
            f"managed-{row.python}", found[row.python], [f"nats-py=={row.nats_py}"]
        )
    except venvs.NotInstalled as error:
        return Outcome(row, row.core, controllers[0], None, str(error))
    core = installed(controller, "ansible-core")
    with servers.Server(binary) as server:
        with tempfile.TemporaryDirectory(prefix="nats-jetstream-") as folder:
            ok, told = play(controller, managed, server, Path(folder))
        if ok:
            ok, told = look(server.url, told)
    return Outcome(row, core, controllers[0], ok, told)


def installed(python: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def play(controller: Path, managed: Path, server: servers.Server, folder: Path) -> tuple[bool, str]:
    """Return whether the playbook succeeded, and how many tasks did or what stopped it."""
    settings = folder / "ansible.cfg"
    settings.write_text("[defaults]\n")
    env = {
        **os.environ,
        "PATH": f"{controller.parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(collection.tree()),
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    env.pop("VIRTUAL_ENV", None)
    told = {
        "url": server.url,
        "server": server.version,
        "folder": str(folder),
        "ansible_python_interpreter": str(managed),
    }
    command = [str(controller.with_name("ansible-playbook")), "-i", "one,", str(SCENARIO)]
    done = subprocess.run(
        [*command, "-e", json.dumps(told)],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    (work() / "log").mkdir(parents=True, exist_ok=True)
    name = f"matrix-{controller.parents[1].name}-{managed.parents[1].name}.log"
    (work() / "log" / name).write_text(done.stdout)
    recap = RECAP.search(done.stdout)
    if done.returncode or not recap or recap.group(2) != "0" or recap.group(3) != "0":
        fatal = re.search(r"^(?:fatal|failed|ERROR|\[ERROR\]).*", done.stdout, re.MULTILINE)
        return False, fatal.group()[:300] if fatal else f"exit code {done.returncode}"
    return True, f"{recap.group(1)} tasks"


def look(url: str, told: str) -> tuple[bool, str]:
    """Ask the server itself what the scenario left behind."""
    with client.Client(url) as nats:
        found = set(nats.ok("STREAM.NAMES")["streams"] or [])
        if found != STREAMS:
            return False, f"the server has {sorted(found)} instead of {sorted(STREAMS)}"
        max_age = nats.ok("STREAM.INFO.KEPT")["config"]["max_age"]
        if max_age != 2 * 3600 * 10**9:
            return False, f"the server has a max_age of {max_age} ns instead of 2 h"
    return True, told


HEAD = ("ansible-core", "Python", "managed Python", "nats-py", "nats-server", "result")


def table(outcomes: list[Outcome]) -> str:
    lines = [HEAD]
    for row, core, controller, ok, told in outcomes:
        result = "not run" if ok is None else "ok" if ok else "FAILED"
        versions = (core, controller or "-", row.python, row.nats_py, row.server)
        lines.append((*versions, f"{result}: {told}"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths)), line[-1]])
        for line in lines
    )


def main(words: list[str]) -> int:
    binary = binaries()
    wanted = (small if "--small" in words else rows)(nats_pys(), list(binary))
    found = stage.pythons()
    started = time.monotonic()

    def one(row: Row) -> Outcome:
        try:
            outcome = run(row, binary[row.server], found)
        except Exception as error:  # the other rows still have something to say
            outcome = Outcome(row, row.core, "", False, repr(error)[:300])
        # Where V=1 shows it, for patience; the table says it again.
        print(f"{' '.join(row)}: {outcome.told}", file=sys.stderr, flush=True)
        return outcome

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(one, wanted))
    print(table(outcomes))
    failed = [outcome for outcome in outcomes if outcome.ok is False]
    ran = [outcome for outcome in outcomes if outcome.ok is not None]
    print(
        f"{len(ran) - len(failed)} ok, {len(failed)} failed, {len(outcomes) - len(ran)} not run, "
        f"{time.monotonic() - started:.0f} s"
    )
    return 0 if ran and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
