# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that opens, asks and closes leaves nothing open and says nothing, whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from certificates import Authority
from test_connect import unused_port

from harness import servers

TESTS = Path(__file__).resolve().parents[1]

# Reads from standard input what to do. Kills with a signal what it is told to.
SCRIPT = """
import asyncio, gc, json, os, sys

task = json.load(sys.stdin)
sys.path.insert(0, task["tests"])
from harness import collection

collection.make_importable()
package = "ansible_collections.nats.jetstream.plugins.module_utils."
names = ("_connection", "_connection_options", "_manager", "_errors")
connection, choices, manager, errors = (
    __import__(package + name, fromlist=["x"]) for name in names
)

async def main():
    params = {**dict.fromkeys(choices.ARGUMENT_SPEC), **task["params"]}
    options, problems = choices.from_params(params)
    assert not problems
    try:
        opened = await connection.open_connection(options)
    except errors.ConnectFailed as error:
        return str(error)
    try:
        jetstream = manager.JetStreamManager(opened, options.timeout, options.retry_for)
        await jetstream.account_info()
        if task["kill"]:
            os.kill(task["kill"], 9)
            try:
                await jetstream.account_info()
            except errors.ConnectionLost as error:
                return str(error)
        if task["silence"]:
            try:
                await jetstream.try_request("NOBODY.HEARS", b"")
            except errors.RequestTimeout as error:
                return str(error)
        return "done"
    finally:
        await opened.close()

print(asyncio.run(main()))
gc.collect()
"""


def lines(url, kill=None, silence=False, **given):
    """Return what a process prints, and what it complains of with every warning on."""
    params = {"servers": [url], "validate_certs": True, "connect_timeout": 1.0}
    params.update(timeout=0.5, retry_for=0.5, **given)
    task = {"tests": str(TESTS), "params": params, "kill": kill, "silence": silence}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *THEIRS, "-c", SCRIPT],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


# nats-py calls what newer Pythons deprecate.
THEIRS = ["-W", "default::DeprecationWarning"] if sys.version_info >= (3, 12) else []


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls_server(newest_server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    config = {"tls": {"cert_file": certificate, "key_file": key}}
    with servers.Server(newest_server.binary, config=config) as running:
        yield f"tls://127.0.0.1:{running.port}"


def test_after_work(newest_server):
    assert lines(newest_server.url) == ("done", "")


def test_after_work_with_tls(tls_server, authority):
    assert lines(tls_server, ca_path=authority.path) == ("done", "")


def test_after_a_failed_handshake(tls_server):
    said, complaints = lines(tls_server)
    assert "certificate not accepted" in said and complaints == ""


def test_after_a_refused_login(newest_server):
    config = {"authorization": {"user": "u", "password": "p"}}
    with servers.Server(newest_server.binary, config=config) as running:
        said, complaints = lines(running.url)
    assert "login was refused" in said and complaints == ""


def test_after_a_refused_connection():
    said, complaints = lines(f"nats://127.0.0.1:{unused_port()}")
    assert "connection refused" in said and complaints == ""


def test_after_a_request_without_an_answer(newest_server):
    said, complaints = lines(newest_server.url, silence=True)
    assert "no answer to $JS.API.NOBODY.HEARS" in said and complaints == ""


def test_after_the_end_of_the_server(newest_server):
    with servers.Server(newest_server.binary) as running:
        said, complaints = lines(running.url, kill=running.pid)
    assert "was lost" in said and complaints == ""
