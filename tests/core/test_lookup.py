# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup on the controller takes the same ways in, and keeps the same secrets."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import operators
import pytest
import yaml

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options
from harness import client, collection, servers

BUCKET = {
    **{"name": "KV_B", "subjects": ["$KV.B.>"], "max_msgs_per_subject": 1},
    **{"allow_rollup_hdrs": True, "deny_delete": True, "allow_direct": True},
}
TASKS = [
    ({}, "of the context"),
    ({"credentials": "{{ creds }}"}, "of the credentials"),
    ({"user": "u", "password": "CanaryWrong"}, "FAILED"),
    ({"user": "u", "password": "CanaryRight"}, "of the user"),
]


@pytest.fixture
def home():
    """Its path is short, as ansible-core makes a socket in it."""
    with tempfile.TemporaryDirectory(prefix="l") as folder:
        yield Path(folder)


def test_a_lookup(newest_server, home, tmp_path):
    tool = Path(sys.executable).with_name("ansible-playbook")
    if not tool.exists():
        pytest.skip("ansible-playbook is not installed beside this Python")
    operator = operators.Operator()
    jwt, seed = operator.user()
    creds = operators.credentials(jwt, seed)
    users = {"authorization": {"users": [{"user": "u", "password": "CanaryRight"}]}}
    token = {"authorization": {"token": "CanaryToken"}}
    with (
        servers.Server(newest_server.binary, config=operator.config) as signed,
        servers.Server(newest_server.binary, config=users) as by_user,
        servers.Server(newest_server.binary, config=token) as by_token,
    ):
        bearer = operator.user(bearer_token=True)[0]
        for running, login, said in (
            (signed, {"jwt": bearer}, "of the credentials"),
            (by_user, {"user": "u", "pass": "CanaryRight"}, "of the user"),
            (by_token, {"auth_token": "CanaryToken"}, "of the context"),
        ):
            with client.Client(running.url, **login) as nats:
                nats.ok("STREAM.CREATE.KV_B", BUCKET)
                nats.request("$KV.B.k", said)
        path = home / "exported.json"
        path.write_text(f'{{"url": "{by_token.url}", "token": "CanaryToken"}}')
        urls = [None, signed.url, by_user.url, by_user.url]
        tasks = []
        for (given, _said), url in zip(TASKS, urls):
            options = {**given, **({"servers": url} if url else {}), "bucket": "B"}
            terms = "".join(
                f", {name}={value.strip('{} ') if '{' in value else repr(value)}"
                for name, value in options.items()
            )
            message = f"{{{{ lookup('nats.jetstream.kv', 'k'{terms}) }}}}"
            tasks.append({"ansible.builtin.debug": {"msg": message}, "ignore_errors": True})
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        (tmp_path / "play.yml").write_text(yaml.safe_dump(play))
        (tmp_path / "vars.yml").write_text(yaml.safe_dump({"creds": creds}))
        environ = {
            name: value
            for name, value in os.environ.items()
            if name not in _connection_options.VARIABLES and not name.startswith("ANSIBLE_")
        }
        environ.update(HOME=str(home), TMPDIR=str(home), ANSIBLE_NOCOLOR="1")
        environ.update(NATS_CONTEXT=str(path))
        environ.update(ANSIBLE_COLLECTIONS_PATH=str(collection.tree()))
        command = [str(tool), "-i", "localhost,", "-c", "local", "-e", "@vars.yml", "play.yml"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    ends = [part for part in done.stdout.split("TASK [")[1:] if "PLAY RECAP" not in part[:20]]
    for (_given, said), end in zip(TASKS, ends):
        assert ("the login was refused" if said == "FAILED" else said) in end, done.stdout
    told = done.stdout + done.stderr
    for secret in (seed, jwt, "CanaryToken"):
        assert secret not in told
