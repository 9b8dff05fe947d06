# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of every module run as they stand, in their order, on a server of their own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from playing import play

from harness import paths, servers

MODULES = sorted(path.stem for path in (paths.ROOT / "plugins" / "modules").glob("*.py"))
LOOKUPS = sorted(path.stem for path in (paths.ROOT / "plugins" / "lookup").glob("*.py"))
NEEDING_A_CLUSTER = {"jetstream_step_down"}

ACCOUNTS = {
    "accounts": {
        "APP": {"jetstream": "enabled", "users": [{"user": "app", "password": "app"}]},
        "SYS": {"users": [{"user": "system", "password": "opens-the-door"}]},
    },
    "system_account": "SYS",
    "no_auth_user": "app",
}

PLAYBOOK = """\
- name: The examples
  hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{python}"
    nats_servers:
      - "{url}"
    system_password: "opens-the-door"
    nats_jetstream_servers: "{{{{ nats_servers }}}}"
  module_defaults:
    group/nats.jetstream.jetstream:
      servers: "{{{{ nats_servers }}}}"
  tasks:
{tasks}
"""


@pytest.fixture
def fresh_server(
    request: pytest.FixtureRequest, newest_server: servers.Server
) -> Iterator[servers.Server]:
    callspec = getattr(request.node, "callspec", None)
    if callspec and callspec.params.get("module") in NEEDING_A_CLUSTER:
        with servers.Cluster(binary=newest_server.binary, config=ACCOUNTS) as cluster:
            yield cluster.servers[0]
        return
    with servers.Server(newest_server.binary) as running:
        yield running


def playbook(module: str, url: str, folder: Path, kind: str = "modules") -> Path:
    literals = import_module(f"ansible_collections.nats.jetstream.plugins.{kind}.{module}")
    tasks = textwrap.indent(literals.EXAMPLES.strip().removeprefix("---"), "    ")
    file = folder / f"{module}.yml"
    file.write_text(PLAYBOOK.format(python=sys.executable, url=url, tasks=tasks))
    return file


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run(module, fresh_server, tmp_path):
    file = playbook(module, fresh_server.url, tmp_path)
    output = play(file)
    assert "[WARNING]" not in output, output


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_can_be_checked_before_anything_is_there(module, fresh_server, tmp_path):
    play(playbook(module, fresh_server.url, tmp_path), "--check", "--diff")


@pytest.mark.parametrize("name", LOOKUPS)
def test_the_examples_of_a_lookup_run(name, fresh_server, tmp_path):
    output = play(playbook(name, fresh_server.url, tmp_path, "lookup"))
    assert "[WARNING]" not in output, output
