# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role nats_server as it is run, up to a server that does not: checks, archives, removals.

Servers that run are in the scenarios of molecule.
"""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from harness import collection
from harness.paths import ROOT

BINARY = os.environ["NATS_SERVERS"].split(os.pathsep)[-1]
# What a check leaves out, because it is done with files that a check does not fetch.
NOT_FORETOLD = {"Fetch the archive", "Unpack the archive"}


class Site:
    """An archive as that of a release, at an address: who asks for it is counted."""

    def __init__(self, folder: Path) -> None:
        make = ROOT / "extensions" / "molecule" / "make.py"
        archive = folder / "release.tar.gz"
        subprocess.run([sys.executable, make, "archive", archive, BINARY], check=True)
        self.checksum = (folder / "release.tar.gz.sha256").read_text().strip()
        self.asked = 0
        site = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args) -> None:
                super().__init__(*args, directory=str(folder))

            def do_GET(self) -> None:
                site.asked += 1
                super().do_GET()

            def log_message(self, *args) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/release.tar.gz"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Ran(NamedTuple):
    code: int
    text: str
    changed: list[str]  # names of tasks


class Host:
    """A folder in which the role does everything, and what it has there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "nats"
        (folder / "hosts").write_text("n1 ansible_connection=local\n")
        (folder / "ansible.cfg").write_text("[defaults]\n")

    def run(self, *options: str, **variables: object) -> Ran:
        """Run the role with variables that are named without ``nats_server_``."""
        given = {
            **{"state": "stopped", "prefix": str(self.prefix), "service_manager": "process"},
            **{"install_method": "binary", "binary": BINARY, "max_file_store": "1GiB"},
            **variables,
        }
        task = {
            "name": "NATS",
            "ansible.builtin.import_role": {"name": "nats.jetstream.nats_server"},
            "vars": {f"nats_server_{name}": value for name, value in given.items()},
        }
        play = {"hosts": "n1", "gather_facts": False, "tasks": [task]}
        play["vars"] = {"ansible_python_interpreter": sys.executable}
        (self.folder / "playbook.yml").write_text(yaml.safe_dump([play]))
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collection.tree()),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "no_proxy": "127.0.0.1",
        }
        command = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts", "playbook.yml"]
        done = subprocess.run(
            [*command, *options],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        return Ran(done.returncode, text, list(changed_tasks(text)))

    def files(self) -> dict[str, object]:
        """Return what is there: kinds and times of all that is below the prefix."""
        return {
            str(path.relative_to(self.prefix)): (path.lstat().st_mode, path.lstat().st_mtime_ns)
            for path in sorted(self.prefix.rglob("*"))
        }


def changed_tasks(text: str) -> Iterator[str]:
    for part in re.split(r"^TASK ", text, flags=re.MULTILINE)[1:]:
        name = part.partition("]")[0].rpartition(" : ")[2]
        if re.search(r"^changed: ", part, re.MULTILINE):
            yield name


@pytest.fixture
def host(tmp_path) -> Host:
    return Host(tmp_path)


def test_a_check_foretells_what_a_run_does(host, site):
    """And shows it, without what is secret."""
    before = site.asked
    given = {
        **{"install_method": "archive", "archive": site.url},
        **{"archive_checksum": site.checksum, "authorization": {"token": "first-canary"}},
    }
    foretold = host.run("--check", "--diff", **given)
    assert foretold.code == 0, foretold.text
    assert not host.prefix.exists()
    assert site.asked == before

    real = host.run("--diff", **given)
    assert real.code == 0, real.text
    assert set(real.changed) - set(foretold.changed) == NOT_FORETOLD
    assert set(foretold.changed) <= set(real.changed)
    assert site.asked == before + 1
    link = host.prefix / "bin" / "nats-server"
    digest = site.checksum.partition(":")[2]
    assert link.resolve() == (host.prefix / "opt" / digest[:16] / "nats-server").resolve()
    assert link.read_bytes() == Path(BINARY).read_bytes()
    assert "first-canary" in (host.prefix / "etc" / "nats-server.conf").read_text()

    files = host.files()
    again = host.run("--check", "--diff", **given)
    assert (again.code, again.changed) == (0, []), again.text
    given.update(authorization={"token": "second-canary"}, port=4223)
    other = host.run("--check", "--diff", "-vvv", **given)
    assert other.code == 0, other.text
    assert "Write the configuration" in other.changed
    assert re.search(r"^-port: 4222$.*^\+port: 4223$", other.text, re.MULTILINE | re.DOTALL)
    assert "canary" not in foretold.text + real.text + other.text
    assert host.files() == files
    assert site.asked == before + 1


def test_an_archive_with_another_checksum_is_refused(host, site):
    wrong = "sha256:" + "0" * 64
    ran = host.run(install_method="archive", archive=site.url, archive_checksum=wrong)
    assert ran.code != 0
    assert "checksum" in ran.text and "0" * 64 in ran.text
    assert [path for path in host.prefix.rglob("*") if path.is_file()] == []
    assert "Fetch the archive" not in ran.changed


@contextmanager
def unchangeable(folder: Path) -> Iterator[None]:
    """Let nobody make or remove entries of a folder; root needs more than a mode to be kept out."""
    if os.geteuid():
        folder.chmod(0o555)
    elif not shutil.which("chattr") or subprocess.call(["chattr", "+i", folder]):
        pytest.skip("the file system has no attribute that keeps root out")
    try:
        yield
    finally:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["chattr", "-i", folder], check=True)


def test_what_others_have_stays_and_what_may_not_be_removed_is_a_failure(host):
    assert host.run().code == 0
    note = host.prefix / "etc" / "note.txt"
    note.write_text("Mine.")
    with unchangeable(host.prefix):
        refused = host.run(state="absent")
    assert refused.code != 0
    assert re.search("Permission denied|Operation not permitted", refused.text)
    again = host.run(state="absent")
    assert again.code == 0, again.text
    assert set(host.files()) == {"data", "etc", "etc/note.txt", "log"}
