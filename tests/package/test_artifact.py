# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the tarball, and that it does its work where nothing else is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from litter import STRAY

from harness import client, paths, servers, stage, venvs

# Whoever adds a file or folder at the top decides here whether it is published.
PUBLISHED = {
    *("CHANGELOG.md", "CHANGELOG.rst", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "COPYING"),
    *("LICENSES", "README.md", "REUSE.toml", "changelogs", "docs", "extensions", "meta"),
    *("playbooks", "plugins", "requirements.txt", "roles", "tests"),
}
KEPT_BACK = {
    *(".ansible-lint", ".ci", ".github", ".gitignore", ".pre-commit-config.yaml", ".yamllint"),
    *("Makefile", "galaxy.yml", "noxfile.py", "pyproject.toml"),
}
OF_GALAXY = {"FILES.json", "MANIFEST.json"}
# The folders without which it has to work; the rest may be deleted.
NEEDED = {"meta", "plugins", "roles", "playbooks"}

# Type of ansible-doc -> where its plugins are.
DOCUMENTED = {
    "module": "plugins/modules",
    "lookup": "plugins/lookup",
    "filter": "plugins/filter",
}

# While Galaxy imports a collection, its linter cannot find it by its name. `make lint` does.
NOT_YET_THERE = "WARNING: ERROR    Failed to find nats.jetstream.provision playbook."

PLAYBOOK = """\
- name: One of everything
  hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{python}"
  module_defaults:
    group/nats.jetstream.jetstream:
      servers: ["{url}"]
  tasks:
    - name: A stream
      nats.jetstream.jetstream_stream: {{name: ORDERS, subjects: [orders.>], max_age: 30d}}

    - name: An environment from the role
      ansible.builtin.include_role:
        name: nats.jetstream.jetstream_environment
      vars:
        jetstream_environment_streams:
          - {{name: BILLS, subjects: [bills.>]}}
        jetstream_environment_kv_buckets:
          - name: settings
            entries: [{{key: theme, value: dark}}]

    - name: The lookup and the filter
      ansible.builtin.assert:
        that:
          - lookup('nats.jetstream.kv', 'theme', bucket='settings', servers=['{url}']) == 'dark'
          - "'BILLS' in ({{'streams': [{{'name': 'BILLS'}}]}} | nats.jetstream.topology)"
"""


def names_in(artifact: Path) -> set[str]:
    with tarfile.open(artifact) as tar:
        return {member.name.removeprefix("./") for member in tar if member.isfile()}


def test_the_artifact_has_the_version_of_galaxy_yml(artifact):
    galaxy = yaml.safe_load((paths.ROOT / "galaxy.yml").read_text())
    assert artifact.name == f"nats-jetstream-{galaxy['version']}.tar.gz"


def test_every_file_at_the_top_is_published_or_kept_back():
    tops = {path.parts[0] for path in stage.files()}
    assert tops <= PUBLISHED | KEPT_BACK


def test_the_artifact_has_what_is_published_and_nothing_else(artifact):
    published = {str(path) for path in stage.files() if path.parts[0] in PUBLISHED}
    assert names_in(artifact) == published | OF_GALAXY


def test_the_artifact_has_no_stray_file(artifact):
    """Which the above says, too, but only of the strays that were there."""
    with tarfile.open(artifact) as tar:
        members = tar.getmembers()
    assert not {member.name for member in members} & set(STRAY)
    assert not [member.name for member in members if member.issym() or member.islnk()]
    assert artifact.stat().st_size < 20_000_000  # Galaxy takes no larger one


@pytest.fixture(scope="module")
def installed(install, tmp_path_factory):
    """A path that holds this collection and nothing else."""
    path = tmp_path_factory.mktemp("installed")
    install(path)
    return path


def test_what_is_installed_is_what_was_built(installed, command):
    output = command(
        "ansible-galaxy", "collection", "verify", "--offline", "nats.jetstream", path=installed
    )
    assert "Successfully verified" in output


def pages() -> list[tuple[str, str]]:
    found = [
        (kind, f"nats.jetstream.{file.stem}")
        for kind, folder in DOCUMENTED.items()
        for file in (paths.ROOT / folder).glob("*.py")
        if not file.stem.startswith("_")
    ]
    return found + [("role", f"nats.jetstream.{role.name}") for role in roles()]


def roles() -> list[Path]:
    return sorted(path for path in (paths.ROOT / "roles").iterdir() if path.is_dir())


@pytest.mark.parametrize("kind", sorted({kind for kind, _name in pages()}))
def test_every_page_is_there(kind, installed, command):
    wanted = sorted(name for other, name in pages() if other == kind)
    listed = json.loads(
        command("ansible-doc", "-t", kind, "-l", "-j", "nats.jetstream", path=installed)
    )
    assert sorted(listed) == wanted
    text = command("ansible-doc", "-t", kind, *wanted, path=installed)
    shown = json.loads(command("ansible-doc", "-t", kind, "-j", *wanted, path=installed))
    assert sorted(shown) == wanted
    for name in wanted:
        assert name.upper() in text.upper()


def play(command, path: Path, folder: Path, url: str) -> str:
    file = folder / "playbook.yml"
    file.write_text(PLAYBOOK.format(python=sys.executable, url=url))
    return command("ansible-playbook", "-i", "localhost,", str(file), path=path)


def test_a_playbook_runs_from_there(installed, command, newest_server, tmp_path):
    with servers.Server(newest_server.binary) as server, client.Client(server.url) as nats:
        play(command, installed, tmp_path, server.url)
        assert set(nats.ok("STREAM.NAMES")["streams"]) == {"ORDERS", "BILLS", "KV_settings"}
        assert nats.ok("STREAM.INFO.ORDERS")["config"]["max_age"] == 30 * 86400 * 10**9
        assert "changed=0" in play(command, installed, tmp_path, server.url)


def test_the_playbook_of_the_collection_runs_from_there(
    installed, command, newest_server, tmp_path
):
    declared = {"streams": [{"name": "SHOP", "subjects": ["shop.>"]}]}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(declared))
    with servers.Server(newest_server.binary) as server, client.Client(server.url) as nats:
        settings = {
            "jetstream_environment_files": str(tmp_path / "shop.yml"),
            "jetstream_environment_connection": {"servers": [server.url]},
            "ansible_python_interpreter": sys.executable,
        }
        command(
            *("ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(settings)),
            "nats.jetstream.provision",
            path=installed,
        )
        assert nats.ok("STREAM.INFO.SHOP")["config"]["subjects"] == ["shop.>"]


def test_it_works_with_nothing_but_what_is_needed(install, command, newest_server, tmp_path):
    """Distributions delete the rest (requirements of the Ansible community package)."""
    path = tmp_path / "lean"
    for entry in install(path).iterdir():
        if entry.name in NEEDED:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    assert {entry.name for entry in (path / "ansible_collections/nats/jetstream").iterdir()} == (
        NEEDED
    )
    with servers.Server(newest_server.binary) as server, client.Client(server.url) as nats:
        play(command, path, tmp_path, server.url)
        assert set(nats.ok("STREAM.NAMES")["streams"]) == {"ORDERS", "BILLS", "KV_settings"}


def test_galaxy_would_import_it(artifact, tmp_path):
    """With the importer of Galaxy itself, which brings old versions of tools: its own place."""
    python = venvs.environment("galaxy-importer", Path(sys.executable), ["galaxy-importer"])
    path = f"{python.parent}:/usr/bin:/bin"
    done = subprocess.run(
        [str(python), "-m", "galaxy_importer.main", str(artifact)],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Importer processing completed successfully" in done.stdout, done.stdout
    assert "ansible-lint run complete" in done.stdout
    findings = re.findall("^(?:WARNING|ERROR).*", done.stdout, re.MULTILINE)
    assert set(findings) <= {NOT_YET_THERE}
