# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role nats_server writes, read by the servers: all versions accept and understand it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import operators
import pytest
import yaml
from certificates import Authority

from ansible_collections.nats.jetstream.plugins.plugin_utils._server_config import (
    RELOADABLE,
    RELOADABLE_OF_CLUSTER,
    config_text,
)
from harness import blocks, client, collection, servers
from harness.paths import ROOT

ROLE = ROOT / "roles" / "nats_server"
BINARIES = os.environ["NATS_SERVERS"].split(os.pathsep)
OPERATOR = operators.Operator()

# Variables of the role by name. Files are those of the folder in which the servers read them.
TLS = {"cert_file": "server.pem", "key_file": "server-key.pem", "ca_file": "authority.pem"}
USERS = [{"user": "shop", "password": '$word "x" \\ # {'}, {"user": "7", "password": "0o7"}]
CASES = {
    "nothing": {},
    "without JetStream": {"nats_server_jetstream": False},
    "limits": {
        "nats_server_max_memory_store": "512MiB",
        "nats_server_max_file_store": "1.5TiB",
        "nats_server_domain": "hub",
    },
    "IPv6": {"nats_server_host": "::1", "nats_server_http": "[::1]:8222"},
    "users": {"nats_server_authorization": {"users": USERS, "timeout": 0.5}},
    "token": {"nats_server_authorization": {"token": "$2a"}},
    "accounts": {
        "nats_server_accounts": {
            "A shop": {
                "jetstream": {"max_memory": "1MiB", "max_file": "unlimited", "max_streams": 5},
                "users": USERS,
                "exports": [{"stream": "orders.>"}],
            },
            'say "hi"': {"imports": [{"stream": {"account": "A shop", "subject": "orders.>"}}]},
            "SYS": {"users": [{"user": "admin", "password": "include"}]},
        },
        "nats_server_system_account": "SYS",
        "nats_server_no_auth_user": "shop",
    },
    "TLS": {"nats_server_tls": {**TLS, "verify": True, "timeout": 5}},
    "cluster": {
        "nats_server_cluster_name": "shop",
        "nats_server_cluster_routes": ["nats://r:%24x@127.0.0.1:6222", "nats://r:%24x@h:6222"],
        "nats_server_cluster_authorization": {"user": "r", "password": "$x"},
        "nats_server_cluster_tls": TLS,
    },
    "operator in memory": {
        "nats_server_operator": OPERATOR.config["operator"],
        "nats_server_system_account": OPERATOR.system.public,
        "nats_server_resolver": "MEMORY",
        "nats_server_resolver_preload": OPERATOR.config["resolver_preload"],
    },
    "operator, full": {
        "nats_server_operator": "operator.jwt",
        "nats_server_system_account": OPERATOR.system.public,
        "nats_server_resolver": {"type": "full", "allow_delete": True, "interval": "2m"},
        "nats_server_resolver_preload": OPERATOR.config["resolver_preload"],
    },
    "operator, elsewhere": {
        "nats_server_operator": "operator.jwt",
        "nats_server_resolver": "URL(http://127.0.0.1:9/jwt/v1/accounts/)",
    },
    "settings": {
        "nats_server_settings": {
            "max_payload": "8MiB",
            "write_deadline": "10s",
            "jetstream": {"max_outstanding_catchup": "64MiB"},
            "websocket": {"port": 8443, "no_tls": True},
            "leafnodes": {"port": 7422, "remotes": [{"url": "nats-leaf://u:p@h:7422"}]},
            "log_file": None,
        }
    },
}


def documented():
    """Yield the variables of each playbook in the guide and in the README of the role."""
    for file in (ROOT / "docs/docsite/rst/guide_server.rst", ROLE / "README.md"):
        for block in blocks.blocks_of(file.read_text()):
            if block.kind == "playbook":
                for play in yaml.load(block.text, blocks.Loader):
                    for task in play["tasks"]:
                        if task.get("ansible.builtin.import_role", {}).get("name") == (
                            "nats.jetstream.nats_server"
                        ):
                            yield f"{file.stem} {block.line} {play['name']}", task.get("vars", {})


CASES.update(documented())
VARIABLES = {
    "nats_server_prefix": "/home/shop/nats",
    "role_path": str(ROLE),
    "_nats_server_binary": "/usr/bin/nats-server",
    "system_account_key": OPERATOR.system.public,
    "system_account_jwt": OPERATOR.config["resolver_preload"][OPERATOR.system.public],
    "_nats_server_found": {"stdout_lines": ["1000", "3", "3", "{}"]},
    "ansible_facts": {"user_dir": "/home/shop", "service_mgr": "systemd"},
    **dict.fromkeys(
        ["vaulted_password", "vaulted_key", "vaulted_route_password", "vaulted_system_password"],
        "s3cret",
    ),
}


def name_of(number, what):
    return f"case_{number}_{what}"


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """A folder with what Ansible makes of the variables of each case, and the files they name."""
    folder = tmp_path_factory.mktemp("role")
    Authority(folder, "authority").issue("server", "127.0.0.1")
    (folder / "operator.jwt").write_text(OPERATOR.config["operator"])
    texts = {"conf": "_nats_server_text", "shown": "_nats_server_shown"}
    scripts = {"sh": "_nats_server_control", "service": "_nats_server_unit"}
    tasks, names = [], []
    for number, case in enumerate(CASES.values()):
        for what, variable in {**texts, **(scripts if number == 0 else {})}.items():
            names.append(name_of(number, what))
            variables = {"nats_server_prefix": VARIABLES["nats_server_prefix"], **case}
            fact = {names[-1]: f"{{{{ {variable} }}}}"}
            tasks.append({"ansible.builtin.set_fact": fact, "vars": variables})
    content = "{{ dict(names | zip(query('ansible.builtin.vars', *names))) | to_json }}"
    copy = {"content": content, "dest": str(folder / "texts.json"), "mode": "0600"}
    tasks.append({"ansible.builtin.copy": copy, "vars": {"names": names}})
    files = [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    play.update(vars=VARIABLES, vars_files=files, tasks=tasks)
    play["vars"]["ansible_python_interpreter"] = sys.executable
    (folder / "playbook.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    (folder / "ansible.cfg").write_text("[defaults]\n")
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collection.tree()),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
    }
    (folder / "hosts").write_text("localhost\n[nats]\nn1\nn2\nn3\n")
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts", "playbook.yml"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, text in json.loads((folder / "texts.json").read_text()).items():
        (folder / name).write_text(text)
    return folder


def checked(binary, folder, file):
    command = [str(binary), "-t", "-c", file]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr + done.stdout


@pytest.mark.parametrize("case", CASES)
def test_every_version_accepts_what_the_role_writes(case, rendered):
    for binary in BINARIES:
        for what in ("conf", "shown"):
            code, output = checked(binary, rendered, name_of(list(CASES).index(case), what))
            assert code == 0, (binary, output)


def test_what_is_wrong_is_not_accepted(rendered):
    """So that the test above can fail."""
    (rendered / "wrong.conf").write_text("max_pendnig: 1\n")
    for binary in BINARIES:
        code, output = checked(binary, rendered, "wrong.conf")
        assert code != 0 and 'unknown field "max_pendnig"' in output


def test_the_supervisor_is_a_script(rendered):
    for shell in ("sh", "bash"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", str(rendered / name_of(0, "sh"))], check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_understands_the_unit(rendered, tmp_path):
    text = (rendered / name_of(0, "service")).read_text()
    unit = tmp_path / "nats-server.service"
    # It looks for what is started.
    unit.write_text(text.replace("/usr/bin/nats-server ", f"{sys.executable} "))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "nats-server.service" in line] == []


# --------------------------------------------------------------------------------------------------
# What the server makes of a text
# --------------------------------------------------------------------------------------------------

PASSWORDS = [
    *("", "$word", "$2a$nothashed", "${x}", 'double "', "single '", "back\\slash", "\\", '\\"'),
    *("# no comment", "// neither", "{", "}", "[", "]", "(", ")", ",", ";", ":", "=", "a b"),
    *("tab\t", "line\nbreak", "\r", "\x01\x7f", "é", "€", "𝄞", "include x", "true", "1k", "%24"),
]


@pytest.mark.parametrize("binary", BINARIES, ids=servers.version_of)
def test_the_server_reads_every_password_as_it_is(binary):
    users = [
        {"user": f"u{number}", "password": password}
        for number, password in enumerate(PASSWORDS)
        if password
    ]
    config = config_text({"authorization": {"users": users}})
    with servers.Server(binary, config) as server:
        for user in users:
            login = {"user": user["user"], "pass": user["password"]}
            with client.Client(server.url, **login) as connection:
                assert connection.info["auth_required"]
            with pytest.raises((client.NatsError, ConnectionError)):
                client.Client(server.url, **{**login, "pass": f"{user['password']}x"})


# --------------------------------------------------------------------------------------------------
# What a reload takes
# --------------------------------------------------------------------------------------------------

ACCOUNTS = {"A": {"jetstream": "enabled", "users": [{"user": "a", "password": "b"}]}}
CHANGES = {
    "accounts": ACCOUNTS,
    "authorization": {"user": "a", "password": "b"},
    "client_advertise": "127.0.0.1:9",
    "connect_error_reports": 10,
    "debug": True,
    "log_file": "FOLDER/other.log",
    "logfile": "FOLDER/another.log",
    "logtime": False,
    "logtime_utc": True,
    "mappings": {"a": "b"},
    "max_connections": 10,
    "max_control_line": 2048,
    "max_payload": 2000000,
    "max_traced_msg_len": 10,
    "pid_file": "FOLDER/other.pid",
    "ping_interval": "1m",
    "ping_max": 3,
    "reconnect_error_reports": 10,
    "server_tags": ["a"],
    "tls": TLS,
    "trace": True,
    "trace_verbose": True,
    "write_deadline": "5s",
}
CHANGES_OF_CLUSTER = {
    "advertise": "127.0.0.1:9",
    "authorization": {"user": "a", "password": "b"},
    "cluster_advertise": "127.0.0.1:9",
    "connect_retries": 7,
    "no_advertise": True,
    "permissions": {"import": ["x"]},
    "routes": ["nats://127.0.0.1:9"],
    "tls": TLS,
}
NEEDING_A_RESTART = {
    "max_pending": 20000000,
    "http": "127.0.0.1:-1",
    "server_name": "other",
    "lame_duck_duration": "40s",
    "no_auth_user": "a",
}


def test_each_reloadable_setting_is_tried():
    of_operators = {"resolver_preload"}  # below
    assert set(CHANGES) | of_operators == RELOADABLE
    assert set(CHANGES_OF_CLUSTER) == RELOADABLE_OF_CLUSTER
    assert not set(NEEDING_A_RESTART) & RELOADABLE


class Reloading:
    """A server whose file is replaced: what it is started with, and what it says to a change."""

    def __init__(self, binary, start, folder):
        self.folder = folder
        self.start = {"log_file": str(folder / "first.log"), **start}
        self.server = servers.Server(binary, self.start)
        self.file = self.server.dir / "server.conf"
        self.original = self.file.read_text()

    def logs(self):
        return "".join(
            file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log"))
        )

    def says(self, changes):
        """Return what the log says of a reload, or None if this version does not know it."""
        kept = [
            line
            for line in self.original.splitlines()
            if line.partition(":")[0] not in changes and line
        ]
        if "logfile" in changes:
            kept = [line for line in kept if not line.startswith("log_file:")]
        text = "\n".join([*kept, config_text(changes).replace("FOLDER", str(self.folder))])
        (self.folder / "candidate").write_text(text)
        code, output = checked(self.server.binary, self.folder, "candidate")
        if code:
            assert "unknown field" in output, output
            return None
        return self.reload(text)

    def reload(self, text):
        before = self.outcomes()
        self.file.write_text(text)
        os.kill(self.server.pid, signal.SIGHUP)
        deadline = time.monotonic() + 120
        while len(self.outcomes()) == len(before):
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.01)
        return next(iter((Counter(self.outcomes()) - Counter(before)).elements()))

    def outcomes(self):
        return re.findall(r".*(?:Reloaded server configuration|ailed to reload).*", self.logs())


@pytest.fixture(params=BINARIES, ids=servers.version_of)
def reloading(request, tmp_path):
    """``reloading(start)``: a server of each version that is to be reloaded."""
    Authority(tmp_path, "authority").issue("server", "127.0.0.1")
    running = []

    def begin(start):
        running.append(Reloading(request.param, start, tmp_path))
        return running[-1]

    yield begin
    for one in running:
        one.server.stop()


def in_folder(settings, folder):
    """Paths of certificates are relative to the folder of the test, not to that of the server."""
    return yaml.safe_load(
        re.sub(r"([\w-]+\.pem)", rf"{folder}/\1", yaml.safe_dump(settings, sort_keys=False))
    )


def test_a_running_server_takes_what_is_reloadable(reloading, tmp_path):
    running = reloading({})
    known = 0
    for name, value in CHANGES.items():
        said = running.says(in_folder({name: value}, tmp_path))
        assert said is None or "Reloaded server configuration" in said, (name, said)
        known += said is not None
        assert "Reloaded" in running.reload(running.original), name
    assert known >= len(CHANGES) - 1  # logtime_utc is newer than the oldest


def test_a_running_server_of_a_cluster_takes_what_is_reloadable(reloading, tmp_path):
    cluster = {"name": "C", "listen": "127.0.0.1:-1"}
    running = reloading({"cluster": cluster, "jetstream": None})
    for name, value in CHANGES_OF_CLUSTER.items():
        said = running.says(in_folder({"cluster": {**cluster, name: value}}, tmp_path))
        assert said is None or "Reloaded server configuration" in said, (name, said)
        assert "Reloaded" in running.reload(running.original), name


def test_a_running_server_of_an_operator_takes_accounts(reloading):
    running = reloading(OPERATOR.config)
    fewer = dict(list(OPERATOR.config["resolver_preload"].items())[:2])
    assert "Reloaded" in running.says({"resolver_preload": fewer})


def test_other_settings_need_a_restart(reloading):
    running = reloading({"accounts": ACCOUNTS})
    for name, value in NEEDING_A_RESTART.items():
        assert "config reload not supported" in running.says({name: value}), name
