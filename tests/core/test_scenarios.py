# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault through a whole module in a process of its own: one JSON object, one sentence.

In its time, without a traceback, and without a word on standard error.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import operators
import pytest
from certificates import Authority
from connecting import Proxy
from test_connect import listener, unused_port

from harness import client, servers

TESTS = Path(__file__).resolve().parents[1]
START = 4.0  # s for a Python to start on a busy machine, beside what a fault may take
TIMES = {"connect_timeout": "500ms", "timeout": "500ms", "retry_for": "0s"}

SCRIPT = """
import json, sys
task = json.load(sys.stdin)
sys.path.insert(0, task["tests"])
from harness import collection
collection.make_importable()
from importlib import import_module
module = import_module("ansible_collections.nats.jetstream.plugins.modules." + task["module"])
task["args"]["_ansible_module_name"] = module.__name__
with collection._module_args(task["args"]):
    module.main()
"""


def run(module="jetstream_stream", **args):
    """Return the result and how long it took."""
    task = {"tests": str(TESTS), "module": module, "args": {**TIMES, **args}}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    took = time.monotonic() - started
    assert done.stderr == "", done.stderr
    # Ansible's own print begins with an empty line.
    assert "\n" not in done.stdout.strip() and "Traceback" not in done.stdout, done.stdout
    return json.loads(done.stdout), took


def failure(within, words, **args):
    result, took = run(**{"name": "S", **args})
    assert result["failed"] is True and not result.get("changed")
    for word in words if isinstance(words, tuple) else (words,):
        assert re.search(word, result["msg"]), result["msg"]
    assert "exception" not in result
    assert took < within + START
    return result


@contextlib.contextmanager
def full_backlog():
    """A port that answers no SYN: its queue is full, and nobody takes from it."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _number in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        time.sleep(0.1)
        yield f"nats://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls(authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    return {"cert_file": certificate, "key_file": key}


@pytest.fixture
def started(newest_server):
    """``started(config)`` -> the address of a server that has it."""
    with contextlib.ExitStack() as stack:

        def start(**config):
            running = stack.enter_context(servers.Server(newest_server.binary, config=config))
            start.server = running
            return f"nats://127.0.0.1:{running.port}"

        yield start


def test_nothing_listens():
    url = f"nats://127.0.0.1:{unused_port()}"
    failure(0.5, (re.escape(url), "connection refused; nothing listens there"), servers=[url])


def test_nobody_answers_at_all():
    with full_backlog() as url:
        failure(1.5, ("within 0.5 s", "cannot be reached"), servers=[url])


def test_nobody_says_a_word():
    with listener() as (url, _heard):
        failure(1.5, ("no NATS greeting within 0.5 s", "wrong port"), servers=[url])


def test_an_unknown_name():
    failure(5, "the name is not known", servers=["nats://nosuchhost.invalid"])


def test_other_ports(started):
    listen = "127.0.0.1:-1"
    websocket = {"listen": listen, "no_tls": True}
    started(http=listen, websocket=websocket, leafnodes={"listen": listen})
    server = started.server
    for kind, words in (("monitoring", "wrong port"), ("websocket", "wrong port|something other")):
        failure(1.5, words, servers=[server.ports[kind][0].partition("://")[2]])
    found = re.search(r"Listening for leafnode connections on [\d.]+:(\d+)", server.log())
    failure(1.5, "not the port for clients", servers=[f"127.0.0.1:{found[1]}"])


def test_certificates(started, tls, authority, tmp_path):
    url = started(tls=tls)
    words = "certificate not accepted.*look at ca, ca_path and tls_hostname"
    failure(2, words, servers=[url])
    failure(2, words, servers=[url], ca_path=Authority(tmp_path, "another").path)
    failure(2, words, servers=[url], ca=authority.pem, tls_hostname="other.example")
    failure(1, "ca_path holds no certificates", servers=[url], ca_path="/dev/null")


def test_tls_where_there_is_none(newest_server, authority):
    words = "did not offer TLS, which was asked for; nothing was sent to it"
    login = {"user": "u", "password": "canary"}
    failure(1, words, servers=[newest_server.url.replace("nats:", "tls:")], **login)
    failure(1, words, servers=[newest_server.url], ca=authority.pem, **login)
    failure(1, "TLS failed", servers=[newest_server.url], tls_first=True, **login)


def test_client_certificates(started, tls, authority):
    url = started(tls={**tls, "ca_file": authority.path, "verify": True})
    failure(2, "client certificate", servers=[url], ca=authority.pem)


def test_logins(started):
    operator = operators.Operator()
    jwt, seed = operator.user(expires=time.time() - 60)
    by_jwt = started(**operator.config)
    words = "the login was refused; look at jwt and nkey_seed; the JWT ends at"
    failure(1, words, servers=[by_jwt], jwt=jwt, nkey_seed=seed)
    other = operator.user()[1]
    words = "nkey_seed: is not the seed of jwt"
    failure(1, words, servers=[by_jwt], jwt=jwt, nkey_seed=other)
    by_user = started(authorization={"user": "u", "password": "secret word"})
    words = "the login was refused; look at user and password"
    failure(1, words, servers=[by_user], user="u", password="another word")
    failure(1, "the login was refused; look at token", servers=[by_user], token="a token")
    failure(1, "the login was refused; the server wants a login", servers=[by_user])


def test_permissions(started):
    few = {"publish": {"deny": ["$JS.API.STREAM.CREATE.>"]}}
    deaf = {"subscribe": {"allow": ["_MINE.>"]}}
    users = [
        {"user": "few", "password": "opens it", "permissions": few},
        {"user": "deaf", "password": "opens it", "permissions": deaf},
    ]
    url = started(authorization={"users": users})
    words = (re.escape(url), r"\$JS\.API\.STREAM\.CREATE\.S: ", "jetstream_stream publishes")
    failure(1, words, servers=[url], user="few", password="opens it")
    words = "set inbox_prefix to one that the user may subscribe to"
    failure(1, words, servers=[url], user="deaf", password="opens it")


def test_no_jetstream(started):
    url = started(jetstream=None)
    words = ("nothing answers on", "JetStream is switched off")
    failure(1, words, servers=[url])
    accounts = {
        "A": {"jetstream": "enabled", "users": [{"user": "a", "password": "opens it"}]},
        "B": {"users": [{"user": "b", "password": "opens it"}]},
    }
    url = started(accounts=accounts)
    words = (re.escape(url), "err_code 10039", "log in to one that has it")
    result = failure(1, words, servers=[url], user="b", password="opens it")
    assert result["err_code"] == 10039 and result["error_class"] == "denied"


def test_another_domain(newest_server):
    for given in ({"domain": "rim"}, {"api_prefix": "JS.other.API"}):
        words = ("nothing answers on", "domain or api_prefix is wrong")
        failure(3, words, servers=[newest_server.url], **given)


def test_the_server_is_killed_in_the_midst(started):
    """A proxy swallows the answer, and the server dies while the module waits for it."""
    started()
    proxy = Proxy(started.server.port)
    proxy.swallow(b"stream_create_response")

    def kill():
        while not proxy.swallowed:
            time.sleep(0.01)
        started.server.kill()

    threading.Thread(target=kill, daemon=True).start()
    failure(1.5, ("was lost|within", "may have been carried out"), servers=[proxy.url])
    proxy.close()


def test_the_network_stalls(started):
    """The server is there and answers nothing any more."""
    url = started()
    with client.Client(url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S"})
    started.server._process.send_signal(signal.SIGSTOP)
    try:
        failure(1.5, "no NATS greeting within 0.5 s", servers=[url])
    finally:
        started.server._process.send_signal(signal.SIGCONT)
    proxy = Proxy(started.server.port)
    proxy.swallow(b"stream_info_response")
    words = ("no answer to .*STREAM.INFO.S within 0.5 s", re.escape(proxy.url))
    failure(1.5, words, servers=[proxy.url])
    proxy.close()


def test_a_server_in_lame_duck_mode(started):
    """It takes no more connections, and sends its clients away."""
    started(lame_duck_duration="30s", lame_duck_grace_period="1s")
    url = f"nats://127.0.0.1:{started.server.port}"
    started.server._process.send_signal(signal.SIGUSR2)
    deadline = time.monotonic() + 5
    while "lame duck" not in started.server.log().lower() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    failure(1.5, "connection refused; nothing listens there", servers=[url])


def test_dead_servers_are_told_and_the_living_one_is_taken(newest_server):
    dead = f"nats://127.0.0.1:{unused_port()}"
    with listener() as (silent, _heard):
        result = failure(1.5, (dead, silent), servers=[dead, silent])
        assert [one["server"] for one in result["tried"]] == [dead, silent]
        result, took = run("jetstream_info", servers=[dead, silent, newest_server.url])
    assert not result.get("failed") and took < 1.5 + START


def test_a_full_server(started):
    url = started(max_connections=1)
    with client.Client(url):
        failure(1.5, "maximum connections exceeded|take no more connections", servers=[url])
