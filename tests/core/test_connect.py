# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way in that there is, and every way in which it fails: fast, and with its own sentence."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from certificates import Authority
from connecting import connect, with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import servers

AT_ONCE = 1.0  # s; generous, what fails at once takes milliseconds
SECRET = "p@ss/w:rd%1"
QUOTED = "p%40ss%2Fw%3Ard%251"


def failure(*urls, within=AT_ONCE, **given):
    """Return the text of the failure to connect, after checking its time and its discretion."""
    started = time.monotonic()
    with pytest.raises(_errors.JetStreamError) as failed:
        connect(*urls, **given)
    assert time.monotonic() - started < within
    for text in (str(failed.value), repr(failed.value), str(failed.value.result())):
        assert SECRET not in text and QUOTED not in text
    return str(failed.value)


@contextlib.contextmanager
def listener(greeting=b""):
    """A port where somebody says a greeting and nothing else, and notes what it is told."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _address = server.accept()
                    client.sendall(greeting)
                    with contextlib.suppress(OSError):
                        while data := client.recv(4096):
                            heard.append(data)

        threading.Thread(target=serve, daemon=True).start()
        yield f"nats://127.0.0.1:{server.getsockname()[1]}", heard


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls_server(authority, newest_server):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    config = {"tls": {"cert_file": certificate, "key_file": key}}
    with servers.Server(newest_server.binary, config=config) as running:
        yield running.url.replace("tls://", "nats://")


USERS = {
    "accounts": {
        "A": {
            "jetstream": "enabled",
            "users": [
                {"user": "u", "password": SECRET},
                {
                    "user": "mute",
                    "password": "mute",
                    "permissions": {"publish": {"deny": ["$JS.API.STREAM.CREATE.>"]}},
                },
                {
                    "user": "deaf",
                    "password": "deaf",
                    "permissions": {"subscribe": {"allow": ["_MINE.>"]}},
                },
            ],
            "exports": [{"service": "$JS.API.>", "response_type": "stream"}],
        },
        "B": {
            "users": [{"user": "b", "password": "b"}],
            "imports": [
                {"service": {"account": "A", "subject": "$JS.API.>"}, "to": "JS.fromA.API.>"}
            ],
        },
    }
}


@pytest.fixture(scope="module")
def users_server(newest_server):
    with servers.Server(newest_server.binary, config=USERS) as running:
        yield running.url.partition("://")[2]


def test_greeting(server):
    connection = connect(server.url)
    assert connection.greeting["version"] == server.version
    assert connection.prefix == "$JS.API"


def test_refused():
    assert "nothing listens there" in failure(f"nats://127.0.0.1:{unused_port()}")


def test_nobody_speaks():
    with listener() as (url, _heard):
        assert "no NATS greeting within 1 s" in failure(url, within=2.5)


def test_unknown_name():
    assert "the name is not known" in failure("nats://nosuchhost.invalid:4222", within=5)


def test_monitoring_port(newest_server):
    with servers.Server(newest_server.binary, config={"http": "127.0.0.1:-1"}) as running:
        ports = [line for line in running.log().splitlines() if "http monitor" in line]
        port = ports[0].rpartition(":")[2].strip()
        text = failure(f"nats://127.0.0.1:{port}", within=2.5)
    assert "no NATS greeting" in text or "something other than NATS" in text


def test_login_refused(users_server):
    for given in ({"user": "u", "password": "wrong" + SECRET}, {"token": SECRET}):
        assert "the login was refused" in failure(f"nats://{users_server}", **given)
    assert "the login was refused" in failure(f"nats://u:wrong{QUOTED}@{users_server}")


def test_login_by_options_and_by_url(users_server):
    assert connect(f"nats://{users_server}", user="u", password=SECRET)
    connection = connect(f"nats://u:{QUOTED}@{users_server}")
    assert QUOTED not in connection.url


def test_token_in_the_url(newest_server):
    config = {"authorization": {"token": SECRET}}
    with servers.Server(newest_server.binary, config=config) as running:
        place = running.url.partition("://")[2].rpartition("@")[2]
        assert connect(f"nats://{QUOTED}@{place}")
        assert connect(f"nats://{place}", token=SECRET)
        assert "the login was refused" in failure(f"nats://x{QUOTED}@{place}")


def test_the_first_server_that_answers_is_taken(server):
    dead = f"nats://127.0.0.1:{unused_port()}"
    with listener() as (silent, _heard):
        assert connect(dead, silent, server.url).url == server.url


def test_every_dead_server_is_told_with_its_reason():
    first, second = unused_port(), unused_port()
    text = failure(f"nats://127.0.0.1:{first}", f"nats://127.0.0.1:{second}")
    assert f":{first}: connection refused" in text and f":{second}: connection refused" in text


def test_tls(tls_server, authority):
    for given in ({"ca_path": authority.path}, {"ca": authority.pem}, {"validate_certs": False}):
        assert connect(tls_server, **given)
        assert connect(tls_server.replace("nats://", "tls://"), **given)


def test_tls_without_the_authority(tls_server):
    assert "certificate not accepted" in failure(tls_server, within=4)
    assert "certificate not accepted" in failure(tls_server.replace("nats", "tls"), within=4)


def test_tls_of_another_authority(tls_server, tmp_path):
    other = Authority(tmp_path, "another authority")
    assert "certificate not accepted" in failure(tls_server, ca_path=other.path, within=4)


def test_tls_under_another_name(authority, newest_server):
    certificate, key = authority.issue("nats.example")
    config = {"tls": {"cert_file": certificate, "key_file": key}}
    with servers.Server(newest_server.binary, config=config) as running:
        url = running.url
        assert "certificate not accepted" in failure(url, ca_path=authority.path, within=4)
        assert connect(url, ca_path=authority.path, tls_hostname="nats.example")


def test_no_authority_in_the_file(tls_server, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    assert "ca_path" in failure(tls_server, ca_path=str(empty))
    assert "ca_path" in failure(tls_server, ca_path=str(tmp_path / "missing.pem"))


def test_nothing_is_said_in_plaintext_where_tls_was_asked_for(authority):
    greeting = {"server_id": "X", "version": "2.15.1", "max_payload": 1024, "headers": True}
    line = b"INFO " + json.dumps(greeting).encode() + b"\r\n"
    for given in ({}, {"ca_path": authority.path}, {"tls_hostname": "x"}):
        with listener(line) as (url, heard):
            text = failure(url.replace("nats://", "tls://"), user="u", password=SECRET, **given)
            assert "did not offer TLS" in text
            time.sleep(0.05)
            assert heard == []


def test_client_certificate_wanted(authority, newest_server):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority.path, "verify": True}
    with servers.Server(newest_server.binary, config={"tls": files}) as running:
        text = failure(running.url, ca_path=authority.path, within=2.5)
    assert "client certificate" in text or "TLS failed" in text


def request_failure(kind, url, work, within=AT_ONCE, **given):
    started = time.monotonic()
    with pytest.raises(kind) as failed:
        with_manager(work, url, **given)
    assert time.monotonic() - started < within
    return str(failed.value)


def test_publish_denied(users_server):
    text = request_failure(
        _errors.PermissionDenied,
        f"nats://mute:mute@{users_server}",
        lambda manager: manager.add_stream({"name": "S"}),
    )
    assert "STREAM.CREATE.S" in text and "permission" in text


def test_inbox_denied(users_server):
    url = f"nats://deaf:deaf@{users_server}"
    text = request_failure(_errors.PermissionDenied, url, lambda manager: manager.account_info())
    assert "inbox_prefix" in text
    assert with_manager(lambda manager: manager.account_info(), url, inbox_prefix="_MINE")


def test_an_imported_account(users_server):
    url = f"nats://b:b@{users_server}"

    async def work(manager):
        await manager.add_stream({"name": "IMPORTED", "subjects": ["imported"]})
        return await manager.stream_names()

    assert with_manager(work, url, api_prefix="JS.fromA.API") == ["IMPORTED"]


def test_an_account_without_jetstream(newest_server):
    accounts = {
        "A": {"jetstream": "enabled", "users": [{"user": "a", "password": "a"}]},
        "B": {"users": [{"user": "b", "password": "b"}]},
    }
    with servers.Server(newest_server.binary, config={"accounts": accounts}) as running:
        place = running.url.partition("://")[2]
        text = request_failure(
            _errors.ApiError, f"nats://b:b@{place}", lambda manager: manager.account_info()
        )
    assert "10039" in text and "log in to one that has it" in text


def test_no_jetstream(newest_server):
    with servers.Server(newest_server.binary, config={"jetstream": None}) as running:
        text = request_failure(
            _errors.NoJetStream, running.url, lambda manager: manager.account_info()
        )
    assert "JetStream is switched off" in text


def test_domain(newest_server):
    config = {"jetstream": {"domain": "hub"}}
    with servers.Server(newest_server.binary, config=config) as running:
        assert with_manager(lambda manager: manager.account_info(), running.url, domain="hub")
        text = request_failure(
            _errors.NoJetStream,
            running.url,
            lambda manager: manager.account_info(),
            within=4,
            domain="rim",
        )
    assert "$JS.rim.API.INFO" in text and "domain" in text


SCRIPT = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from harness import collection
collection.make_importable()
from ansible_collections.nats.jetstream.plugins.module_utils import _connection, _errors
from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options

params = dict.fromkeys(_connection_options.ARGUMENT_SPEC)
params.update(servers=[{url!r}], validate_certs=True)
params.update(connect_timeout=1.0, timeout=2.0, retry_for=0.0)

async def main():
    options, problems = _connection_options.from_params(params)
    try:
        connection = await _connection.open_connection(options)
    except _errors.ConnectFailed:
        return
    await connection.request("INFO", b"", 2.0)
    await connection.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("which", ["good", "refused", "tls"])
def test_nothing_leaks_and_nothing_is_printed(which, server, tls_server):
    urls = {
        "good": server.url,
        "refused": f"nats://127.0.0.1:{unused_port()}",
        "tls": tls_server,
    }
    tests = str(Path(__file__).resolve().parents[1])
    script = SCRIPT.format(tests=tests, url=urls[which])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "default::ResourceWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    # What nats-py itself does that its authors deprecated is not ours to print.
    said = [
        line for line in done.stderr.splitlines() if "ResourceWarning" in line or "Error" in line
    ]
    assert (done.returncode, said) == (0, [])
