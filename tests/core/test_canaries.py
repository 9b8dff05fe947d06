# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret comes out: planted in every option, file and variable, looked for everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path

import canaries
import pytest
import yaml
from ansible.module_utils import basic
from test_connect import unused_port
from ways import WAYS

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options
from ansible_collections.nats.jetstream.plugins.modules import jetstream_stream
from harness import collection
from harness.sizes import size

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))

# What a task does besides its way in, and whether it fails.
CASES = {
    "success": ({"name": "S", "max_age": "1h"}, False),
    "check": ({"name": "S", "max_age": "2h", "check": True}, False),
    "wrong value": ({"name": "S", "max_age": "soon"}, True),
    "unknown option": ({"name": "S", "no_such_option": 1}, True),
    "wrong choice": ({"name": "S", "retention": "limit"}, True),
    "refused by the server": ({"name": "S", "num_replicas": 3}, True),
    "missing option": ({}, True),
    "wrong connection option": ({"name": "S", "domain": "a.b", "timeout": "soon"}, True),
    "two logins": ({"name": "S", "user": "other", "password": "CanaryOther", "token": "t"}, True),
    "wrong account": ({"name": "S", "expect_account": "ELSEWHERE"}, True),
    "unchecked certificates": ({"name": "S", "state": "absent", "validate_certs": False}, False),
}


@pytest.fixture(scope="module")
def planted(newest_server, tmp_path_factory):
    behind = canaries.Servers(newest_server.binary, tmp_path_factory.mktemp("planted"))
    yield behind
    behind.close()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for variable in _connection_options.VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def log(monkeypatch):
    """What AnsibleModule writes to the system log."""
    lines = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda self, msg, log_args=None: lines.append((msg, log_args))
    )
    return lines


def run(way, monkeypatch, capfd, log, module=jetstream_stream, **args):
    """Run a module in this process; return the result after searching everything that came out."""
    with monkeypatch.context() as patch:
        for name, value in way.environ.items():
            patch.setenv(name, value)
        result = collection.run_module(module, **{**args, **way.args})
    search(way.secrets, json.dumps(result), str(result), str(log), *capfd.readouterr())
    return result


def search(secrets, *texts):
    for text in texts:
        for secret in secrets:
            for form in (secret, secret.lower(), json.dumps(secret)[1:-1]):
                assert form not in text, f"{secret[:14]}... came out"


def way_of(planted, number, place=None):
    return list(planted.ways(place))[number]


NAMES = [
    *("password", "password in the URL", "token", "token in the URL", "seed", "file of a seed"),
    *("credentials", "file", "JWT and seed", "client certificate", "context: password"),
    *("context: url", "context: token", "context: creds", "context: data", "context: jwt"),
    *("variables: password", "variables: URL", "variables: token", "variables: JWT and seed"),
    "variables: context",
]


def test_all_ways_are_tried(planted):
    ways = list(planted.ways())
    assert [way.name for way in ways] == NAMES
    given = {option for way in ways for option in way.args}
    assert set(_connection_options.SECRETS) <= given | {"password"}


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_nothing_comes_out(number, planted, monkeypatch, capfd, log):
    way = way_of(planted, number)
    for name, (args, fails) in CASES.items():
        result = run(way, monkeypatch, capfd, log, **args)
        assert bool(result.get("failed")) is fails, (name, result)
    assert log


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_nothing_comes_out_when_there_is_no_way_in(number, planted, monkeypatch, capfd, log):
    nobody = way_of(planted, number, f"127.0.0.1:{unused_port()}")
    result = run(nobody, monkeypatch, capfd, log, name="S")
    assert "nothing listens there" in result["msg"]
    with canaries.quoting_server() as place:
        result = run(way_of(planted, number, place), monkeypatch, capfd, log, name="S")
    assert "the login was refused" in result["msg"] or "did not offer TLS" in result["msg"]
    port = planted.ports["token" if "token" not in NAMES[number] else "users"]
    other = way_of(planted, number, f"127.0.0.1:{port}")
    assert run(other, monkeypatch, capfd, log, name="S")["failed"]


@pytest.mark.parametrize("secret", _connection_options.SECRETS)
@pytest.mark.parametrize(
    "value",
    [
        "CanaryText",
        ["CanaryList", "CanaryOther"],
        {"CanaryKey": "CanaryValue"},
        1234567890123,
        "Canary\nSecondLineOfTheCanary\n",
        "Canary ü \x07 \x1b[0m",
    ],
    ids=["text", "list", "dict", "number", "lines", "signs"],
)
def test_a_secret_of_any_type_beside_an_unknown_option(secret, value, monkeypatch, capfd, log):
    for beside in ({"no_such_option": 1}, {}):
        args = {"servers": ["nats://127.0.0.1:1"], secret: value, **beside}
        planted = canaries.Way("", args, {}, _connection_options.secrets_in({secret: value}))
        result = run(planted, monkeypatch, capfd, log, name="S")
        assert result["failed"]
        assert "Traceback" not in str(result)


@pytest.mark.parametrize(
    "text",
    [
        "htp://u:CanaryPass@h",
        "nats://u:CanaryPass@h:port",
        "nats://u:CanaryPass@h,nats://u:CanaryPass@i",
        "u:CanaryPass@h@i:x",
        "nats://CanaryPass@",
    ],
)
@pytest.mark.parametrize("form", [list, str, lambda text: {text: 1}], ids=["list", "str", "dict"])
def test_a_secret_in_what_is_no_url(text, form, monkeypatch, capfd, log):
    args = {"servers": [text] if form is list else form(text)}
    way = canaries.Way("", args, {}, {"CanaryPass"})
    assert run(way, monkeypatch, capfd, log, name="S", no_such_option=1)["failed"]
    assert run(way, monkeypatch, capfd, log, name="S")["failed"]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_keeps_them(name, planted, monkeypatch, capfd, log):
    module = import_module(f"ansible_collections.nats.jetstream.plugins.modules.{name}")
    for number in (1, 6, 10):
        way = way_of(planted, number)
        for args in ({}, {"no_such_option": 1}, {"stream": "S", "name": "S", "bucket": "S"}):
            run(way, monkeypatch, capfd, log, module, **args)


# ---- a playbook


class ProcessList(threading.Thread):
    """Reads the command lines of all processes until it is stopped, as anybody on the host can."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.stopped = set(), threading.Event()

    def run(self):
        while not self.stopped.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue
            time.sleep(0.03)


def play(ways):
    """Return a play with every way and, among them, every case twice; and its variables."""
    tasks, values, cases = [], {}, list(CASES.items())
    for number, way in enumerate(ways):
        values[f"way{number}"] = way.args
        for name, (args, _fails) in (cases[0], cases[1 + number % (len(cases) - 1)]):
            given = {key: f"{{{{ way{number}['{key}'] }}}}" for key in way.args}
            rest = {key: value for key, value in args.items() if key != "check"}
            tasks.append(
                {
                    "name": f"{way.name} - {name}",
                    "nats.jetstream.jetstream_stream": {**rest, **given},
                    "ignore_errors": True,
                    "check_mode": bool(args.get("check")),
                }
            )
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], values


@pytest.fixture
def home():
    """Everything is written here. Its path is short, as ansible-core makes a socket in it."""
    with tempfile.TemporaryDirectory(prefix="c") as folder:
        yield Path(folder)


def played(book, values, home, given, pipelining=True, **exported):
    """Run a play with all verbosity; return its output, and everything else that could be seen."""
    tool = Path(sys.executable).with_name("ansible-playbook")
    if not tool.exists():
        pytest.skip("ansible-playbook is not installed beside this Python")
    given.mkdir()
    (given / "play.yml").write_text(yaml.safe_dump(book))
    (given / "vars.yml").write_text(yaml.safe_dump(values))
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        **exported,
        "HOME": str(home),
        "TMPDIR": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(collection.tree()),
        "ANSIBLE_LOG_PATH": str(home / "log"),
        "ANSIBLE_PIPELINING": str(pipelining),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    watcher = ProcessList()
    watcher.start()
    command = [str(tool), "-i", "localhost,", "-c", "local", "-vvvv", "--diff", "-e", "@vars.yml"]
    done = subprocess.run(
        [*command, "-e", f"ansible_python_interpreter={sys.executable}", "play.yml"],
        cwd=str(given),
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    watcher.stopped.set()
    watcher.join()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stdout + done.stderr
    written = [path for path in home.rglob("*") if path.is_file()]
    assert home / "log" in written and len(watcher.seen) > 10
    texts = [path.read_bytes().decode(errors="replace") for path in written]
    return done.stdout, (done.stdout, done.stderr, *watcher.seen, *map(str, written), *texts)


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_playbook_with_all_there_is_to_see(pipelining, planted, tmp_path, home):
    ways = list(planted.ways())
    exported = next(way for way in ways if way.name == "variables: password")
    ways = [way for way in ways if not way.environ] + [exported]
    book, values = play(ways)
    told, texts = played(book, values, home, tmp_path / "given", pipelining, **exported.environ)
    assert told.count("TASK [") == len(book[0]["tasks"])
    assert "ignored=0" not in told and "failed=0" in told
    search({secret for way in ways for secret in way.secrets}, *texts)


# ---- every module, the lookup, the filters and the role


DECLARED = {
    "streams": [{"name": "S", "subjects": ["s.>"], "consumers": [{"name": "C"}]}],
    "kv_buckets": [{"name": "B", "entries": [{"key": "k", "value": "v"}]}],
    "object_buckets": [{"name": "B"}],
}


def everything(home, way):
    """Return a play in which every module connects, and everything else that has a way in."""
    given = {key: f"{{{{ way['{key}'] }}}}" for key in way.args}
    # Another way may have made it anew, and this one is to do that too.
    tasks = [{"nats.jetstream.jetstream_stream": {"name": "S", "state": "absent", **given}}]
    tasks.append({"nats.jetstream.jetstream_environment": {**given, **DECLARED}})
    for index, module in enumerate(MODULES):
        args = WAYS[module][0][1] if module in WAYS else {"stream": "S"}
        args = {**args, "path": str(home / "backups")} if module == "jetstream_backup" else args
        each = ({}, {"no_such_option": 1})
        for beside in size(each[index % 2 :][:1], each):
            task = {f"nats.jetstream.{module}": {**args, **beside, **given}}
            tasks.append({**task, "ignore_errors": True})
    recreate = {"storage": "memory", "recreate": "always", "recovery_path": str(home / "recovery")}
    tasks.append({"nats.jetstream.jetstream_stream": {"name": "S", **recreate, **given}})
    names = ", ".join(f"{key}=way['{key}']" for key in way.args)
    for text in (
        f"{{{{ lookup('nats.jetstream.kv', 'k', bucket='B', {names}) | length }}}}",
        f"{{{{ lookup('nats.jetstream.kv', 'k', bucket='NONE', {names}) }}}}",
        "{{ declared | nats.jetstream.topology | length }}",
        "{{ {'authorization': {'password': 'x'}} | nats.jetstream.server_config | length }}",
    ):
        tasks.append({"ansible.builtin.debug": {"msg": text}, "ignore_errors": True})
    role = {f"jetstream_environment_{name}": value for name, value in DECLARED.items()}
    role["jetstream_environment_connection"] = "{{ way }}"
    role["jetstream_environment_report_path"] = str(home / "report.md")
    role["jetstream_environment_report_json_path"] = str(home / "report.json")
    include = {"name": "nats.jetstream.jetstream_environment"}
    tasks.append({"ansible.builtin.include_role": include, "vars": role})
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]


@pytest.mark.parametrize("number", size((1,), range(len(NAMES))), ids=lambda number: NAMES[number])
def test_everything_that_connects(number, planted, tmp_path, home):
    way = way_of(planted, number)
    values = {"way": way.args, "declared": DECLARED}
    told, texts = played(everything(home, way), values, home, tmp_path / "given", **way.environ)
    for written in ("report.md", "report.json", "recovery"):
        assert (home / written).stat().st_size
    assert list((home / "backups").rglob("backup.json"))
    assert told.count("no_such_option") >= len(MODULES) // 2
    search(way.secrets, *texts)
