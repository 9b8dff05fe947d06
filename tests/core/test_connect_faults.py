# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of a connection that are less usual, each with its own sentence and in its time."""

from __future__ import annotations

import re
import socket
import time

import pytest
from certificates import Authority
from connecting import connect, with_manager
from test_connect import AT_ONCE, QUOTED, SECRET, failure, listener, unused_port

from ansible_collections.nats.jetstream.plugins.module_utils import _connection, _errors
from harness import servers

TIMEOUT = 1.0  # s, what conftest.py gives connect_timeout
WAITED_FOR = 1.5 * TIMEOUT + 1


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_name_with_several_addresses_that_refuse():
    text = failure(f"nats://localhost:{unused_port()}")
    assert "connection refused; nothing listens there" in text
    assert "Multiple exceptions" not in text


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_ipv6(newest_server):
    with servers.Server(newest_server.binary, config={"host": "::1"}) as running:
        connection = connect(f"nats://[::1]:{running.port}")
        assert connection.url == f"nats://[::1]:{running.port}"
    assert "[::1]" in failure(f"nats://[::1]:{unused_port()}")


@pytest.mark.parametrize(
    ("config", "listens", "word"),
    [
        ({"jetstream": None, "cluster": {"listen": "127.0.0.1:-1"}}, "route", "route port"),
        ({"leafnodes": {"listen": "127.0.0.1:-1"}}, "leafnode", "leaf"),
    ],
)
def test_the_port_of_routes_or_leaf_nodes(newest_server, config, listens, word):
    with servers.Server(newest_server.binary, config=config) as running:
        pattern = rf"Listening for {listens} connections on [\d.]+:(\d+)"
        found = re.search(pattern, running.log())
        assert found
        text = failure(f"nats://127.0.0.1:{found[1]}")
    assert word in text and "this is not the port for clients" in text


def test_a_monitoring_port_is_no_long_wait(newest_server):
    with servers.Server(newest_server.binary, config={"http": "127.0.0.1:-1"}) as running:
        port = running.ports["monitoring"][0].rpartition(":")[2]
        text = failure(f"nats://127.0.0.1:{port}", within=WAITED_FOR)
    assert "no NATS greeting" in text and "wrong port" in text


def test_somebody_else_answers():
    with listener(b"SSH-2.0-OpenSSH_9.2p1\r\n") as (url, heard):
        failure(url, user="u", password=SECRET, within=WAITED_FOR)
        time.sleep(0.05)
        assert SECRET.encode() not in b"".join(heard)


def test_a_full_server(newest_server):
    with servers.Server(newest_server.binary, config={"max_connections": 1}) as running:

        async def two(manager):
            await manager.account_info()
            return await _connection.open_connection(manager.connection.options)

        started = time.monotonic()
        # Which of the two is a race between the server's last word and its hanging up.
        words = "maximum connections exceeded|take no more connections"
        with pytest.raises(_errors.ConnectFailed, match=words):
            with_manager(two, running.url)
        assert time.monotonic() - started < AT_ONCE


def test_all_kinds_of_dead_servers_are_told_in_their_order(newest_server):
    login = {"authorization": {"user": "u", "password": SECRET}}
    with (
        servers.Server(newest_server.binary, config=login) as locked,
        listener() as (silent, _unused),
    ):
        place = locked.url.partition("://")[2]
        urls = [f"nats://127.0.0.1:{unused_port()}", silent, f"nats://u:hidden@{place}"]
        text = failure(*urls, "nats://nosuchhost.invalid", within=5, connect_timeout=0.3)
        reasons = ["nothing listens", "no NATS greeting", "login was refused", "not known"]
        places = [text.index(reason) for reason in reasons]
        assert places == sorted(places)
        assert "hidden" not in text
        urls[2] = f"nats://u:{QUOTED}@{place}"
        assert connect(*urls, connect_timeout=0.3).url == f"nats://{place}"


def test_each_address_has_its_own_login(newest_server):
    """What one server is told of the user, another one is not."""
    with servers.Server(newest_server.binary) as open_to_all:
        line = b'INFO {"server_id": "X", "version": "2.15.1", "max_payload": 1024}\r\n'
        with listener(line) as (url, heard):
            place = url.partition("://")[2]
            urls = [f"nats://mine:{'x' * 20}@{place}", open_to_all.url]
            assert connect(*urls, connect_timeout=0.3).url == open_to_all.url
            assert b"x" * 20 in b"".join(heard)
        with listener(line) as (url, heard):
            failure(url, "nats://other:y@127.0.0.1:1", connect_timeout=0.3)
            assert b"other" not in b"".join(heard) and b'"user"' not in b"".join(heard)


def test_a_plain_server_without_checks(server):
    assert connect(server.url, validate_certs=False).greeting["version"] == server.version


def test_tls_in_time_on_every_server(server, authority):
    """Every server: what succeeds, and what fails at once."""
    certificate, key = authority.issue("localhost", "127.0.0.1")
    config = {"tls": {"cert_file": certificate, "key_file": key}}
    with servers.Server(server.binary, config=config) as running:
        url = f"nats://127.0.0.1:{running.port}"
        assert with_manager(lambda m: m.account_info(), url, ca_path=authority.path)
        assert "ca_path" in failure(url, within=WAITED_FOR)
        named = f"nats://localhost:{running.port}"
        assert connect(named, ca=authority.pem)
        text = failure(url, ca=authority.pem, tls_hostname="other.example", within=WAITED_FOR)
        assert "other.example" in text and "tls_hostname" in text


def test_tls_first_is_told(newest_server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key, "handshake_first": True}
    with servers.Server(newest_server.binary, config={"tls": files}) as running:
        url = f"tls://127.0.0.1:{running.port}"
        text = failure(url, ca_path=authority.path, within=WAITED_FOR)
    assert "wants TLS first" in text


def test_a_loss_during_tls_is_found(newest_server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    config = {"tls": {"cert_file": certificate, "key_file": key}}
    with servers.Server(newest_server.binary, config=config) as running:

        async def work(manager):
            await manager.account_info()
            running.kill()
            started = time.monotonic()
            with pytest.raises(_errors.ConnectionLost):
                await manager.connection.request("NOBODY.HEARS", b"", 20.0)
            return time.monotonic() - started

        url = f"tls://127.0.0.1:{running.port}"
        assert with_manager(work, url, ca_path=authority.path, retry_for=0.0) < AT_ONCE
