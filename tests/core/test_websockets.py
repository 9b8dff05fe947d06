# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Websockets, with TLS and without; and what fails on the way in."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from certificates import Authority
from connecting import DEFAULTS, connect, with_manager
from test_connect import AT_ONCE, QUOTED, SECRET, failure, listener, unused_port

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options, _errors
from harness import servers

pytest.importorskip("aiohttp", reason="websockets need the Python package aiohttp")

TESTS = Path(__file__).resolve().parents[1]
USERS = {"users": [{"user": "u", "password": SECRET}]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def at(running, scheme):
    return f"{scheme}://{running.ports['websocket'][0].partition('://')[2]}"


@pytest.fixture(scope="module")
def plain(server):
    listen = {"listen": "127.0.0.1:-1", "no_tls": True}
    config = {"websocket": listen, "authorization": USERS}
    with servers.Server(server.binary, config=config) as running:
        yield running


@pytest.fixture(scope="module")
def encrypted(server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    tls = {"cert_file": certificate, "key_file": key}
    config = {"websocket": {"listen": "127.0.0.1:-1", "tls": tls}, "authorization": USERS}
    with servers.Server(server.binary, config=config) as running:
        yield running


async def much(manager):
    """Bring large requests, large answers, and many at once through."""
    text = "x" * 200_000
    config = {"name": "WS", "subjects": ["ws"], "description": "y" * 4000}
    await manager.add_stream(config)
    await manager.connection.publish("ws", text.encode())
    infos = await asyncio.gather(*(manager.stream_info("WS") for _number in range(50)))
    message = await manager.get_last_msg("WS", "ws")
    await manager.delete_stream("WS")
    return {info["config"]["description"] for info in infos}, len(message["data"])


def test_without_tls(plain):
    for url in (at(plain, "ws"), f"{at(plain, 'ws')}/"):
        descriptions, size = with_manager(much, url, user="u", password=SECRET)
        assert descriptions == {"y" * 4000} and size > 200_000
    place = at(plain, "ws").partition("://")[2]
    assert connect(f"ws://u:{QUOTED}@{place}").url == f"ws://{place}"


def test_with_tls(encrypted, authority):
    login = {"user": "u", "password": SECRET}
    for given in ({"ca": authority.pem}, {"ca_path": authority.path}, {"validate_certs": False}):
        assert with_manager(much, at(encrypted, "wss"), **login, **given)
    assert connect(at(encrypted, "ws"), ca=authority.pem, **login).url.startswith("wss://")
    named = f"wss://localhost:{at(encrypted, 'wss').rpartition(':')[2]}"
    assert connect(named, ca=authority.pem, tls_hostname="localhost", **login)


def test_certificates_that_are_not_accepted(encrypted, authority, tmp_path):
    url = at(encrypted, "wss")
    assert "certificate not accepted" in failure(url, within=4)
    other = Authority(tmp_path, "another authority")
    assert "certificate not accepted" in failure(url, ca=other.pem, within=4)
    found = failure(url, ca=authority.pem, tls_hostname="other.example", within=4)
    assert "certificate not accepted" in found and "tls_hostname" in found


def test_a_certificate_of_the_user(newest_server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    tls = {"cert_file": certificate, "key_file": key, "ca_file": authority.path, "verify": True}
    config = {"websocket": {"listen": "127.0.0.1:-1", "tls": tls}}
    with servers.Server(newest_server.binary, config=config) as running:
        own = authority.issue("alice")
        given = {"client_cert_path": own[0], "client_key_path": own[1], "ca": authority.pem}
        assert connect(at(running, "wss"), **given)
        assert "certificate" in failure(at(running, "wss"), ca=authority.pem, within=2.5)


def test_what_fails(plain, encrypted, newest_server):
    assert "nothing listens there" in failure(f"ws://127.0.0.1:{unused_port()}")
    assert "name is not known" in failure("ws://nosuchhost.invalid", within=5)
    assert "login was refused" in failure(at(plain, "ws"), user="u", password="x" + SECRET)
    assert "login was refused" in failure(at(plain, "ws"))
    found = failure(at(encrypted, "ws"), user="u", password=SECRET, within=2.5)
    assert "no websocket" in found
    found = failure(at(plain, "wss"), user="u", password=SECRET, within=2.5)
    assert "TLS failed" in found
    found = failure(f"ws://127.0.0.1:{newest_server.port}", within=2.5)
    assert "no websocket" in found
    with listener() as (url, _heard):
        found = failure(url.replace("nats", "ws"), within=2.5)
        assert "no NATS greeting within 1 s" in found
    found = failure(at(plain, "nats"), within=2.5)
    assert "no NATS greeting" in found


def test_a_redirection_ends_nothing_in_plaintext(plain):
    """A server with TLS that sends its clients to one without."""
    place = at(plain, "http")
    answer = f"HTTP/1.1 302 Found\r\nLocation: {place}/\r\nContent-Length: 0\r\n\r\n".encode()
    with listener(answer) as (url, _heard):
        found = failure(url.replace("nats", "ws"), user="u", password=SECRET, within=2.5)
    assert "no websocket" in found


def test_the_end_of_the_server_is_found(server):
    config = {"websocket": {"listen": "127.0.0.1:-1", "no_tls": True}}
    with servers.Server(server.binary, config=config) as running:

        async def work(manager):
            await manager.account_info()
            asked = asyncio.ensure_future(manager.connection.request("NOBODY.HEARS", b"", 20.0))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            running.kill()
            with pytest.raises(_errors.ConnectionLost):
                await asked
            return time.monotonic() - started

        assert with_manager(work, at(running, "ws"), retry_for=0.0) < AT_ONCE


def test_tls_first_is_not_for_websockets():
    params = {**DEFAULTS, "servers": ["wss://h"], "tls_first": True}
    assert _connection_options.from_params(params, {})[1] == [
        ("tls_first", "is not for websockets (ws:// and wss://)")
    ]


SCRIPT = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from harness import collection
collection.make_importable()
if {absent}:
    sys.modules["aiohttp"] = None
from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection, _connection_options, _errors
)
params = dict.fromkeys(_connection_options.ARGUMENT_SPEC)
params.update(servers=["ws://u:canary@{place}"], validate_certs=True)
params.update(connect_timeout=1.0, timeout=2.0, retry_for=0.0)

async def main():
    options, problems = _connection_options.from_params(params, {{}})
    try:
        connection = await _connection.open_connection(options)
    except _errors.JetStreamError as error:
        return print(error)
    try:
        await connection.request("INFO", b"", 2.0)
    finally:
        await connection.close()
    print("done")

asyncio.run(main())
"""


def said(place, absent=False):
    script = SCRIPT.format(tests=str(TESTS), place=place, absent=absent)
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "default::ResourceWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "Warning" in line or "Err" in line]
    theirs = [line for line in complaints if "DeprecationWarning" in line]
    assert (done.returncode, [line for line in complaints if line not in theirs]) == (0, [])
    return done.stdout.strip()


def test_nothing_stays_open(newest_server):
    login = {"authorization": {"user": "u", "password": "canary"}}
    listen = {"websocket": {"listen": "127.0.0.1:-1", "no_tls": True}}
    with servers.Server(newest_server.binary, config={**listen, **login}) as running:
        assert said(at(running, "ws").partition("://")[2]) == "done"
    other = {"authorization": {"user": "u", "password": "other"}}
    with servers.Server(newest_server.binary, config={**listen, **other}) as running:
        assert "login was refused" in said(at(running, "ws").partition("://")[2])
    assert "nothing listens" in said(f"127.0.0.1:{unused_port()}")


def test_without_the_package_its_name_and_the_option_are_told():
    told = said("127.0.0.1:1", absent=True)
    assert told.startswith("servers: ws://127.0.0.1:1 needs the Python package aiohttp")
    assert "canary" not in told and "pip install aiohttp" in told
