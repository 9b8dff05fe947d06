# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in the middle of an upgrade, where a restore goes wrong without a word."""

from __future__ import annotations

import contextlib
import time

import pytest
from accounts import PASSWORD, as_user

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_backup,
    jetstream_restore,
    jetstream_stream,
)
from harness import client, collection, servers

OLD, NEW = "2.10.27", "2.15.1"
USERS = [
    {"user": "all", "password": PASSWORD},
    {
        "user": "few",
        "password": PASSWORD,
        "permissions": {"publish": {"allow": ["$JS.API.>", "$JS.SNAPSHOT.>"]}},
    },
]


@pytest.fixture(scope="module")
def cluster():
    config = {"authorization": {"users": USERS}, "no_auth_user": "all"}
    with servers.Cluster(binary=servers.find_server(OLD), config=config) as running:
        for server in running.servers[:2]:
            server.shutdown()
            server.binary = servers.find_server(NEW)
            server.start()
            running.wait_for_leader()
        yield running


@pytest.fixture
def stream(cluster):
    """A connection beside which there is a stream S with messages and something immutable."""
    config = {"name": "S", "subjects": ["s"], "deny_delete": True}
    with client.Client(cluster.urls[0], timeout=30) as nats:
        deadline = time.monotonic() + 30
        # The leader may not have heard of every server's room yet.
        while "error" in nats.api("STREAM.CREATE.S", config) and time.monotonic() < deadline:
            time.sleep(0.2)
        for _number in range(5):
            store(nats)
        yield nats
        nats.api("STREAM.DELETE.S")


def store(nats):
    """Publish until the stream takes it: other servers may not know of its subject yet."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(client.NoResponders):
            return nats.request("s", b"x")
        time.sleep(0.1)
    raise AssertionError("nobody takes a message on s")


@pytest.fixture
def run(cluster):
    def call(module, user="all", **args):
        # All of them at once: the first one answers, and it is a new one.
        urls = [as_user(url, user) for url in cluster.urls]
        return collection.run_module(module, servers=urls, **args)

    return call


def is_told(text):
    return f"are not of one release ({OLD}: n3; {NEW}: n1, n2)" in text


def test_a_migration_waits_for_the_upgrade(stream, run, tmp_path):
    args = {"name": "S", "deny_delete": False, "recreate": "migrate"}
    args["migrate_path"] = str(tmp_path)
    before = stream.ok("STREAM.INFO.S")
    for check in (True, False):
        result = run(jetstream_stream, **args, check=check)
        assert result["failed"] and not result.get("changed")
        assert is_told(result["msg"]) and "data_loss=allow accepts that" in result["msg"]
    after = stream.ok("STREAM.INFO.S")
    assert (after["created"], after["config"]) == (before["created"], before["config"])
    accepted = run(jetstream_stream, **args, data_loss="allow", check=True)
    assert accepted["action"] == "migrate"
    assert any(is_told(one) for one in accepted["warnings"])


def test_a_restore_waits_for_the_upgrade(stream, run, tmp_path):
    """What is there is not replaced; what is not there is made, with a warning."""
    assert run(jetstream_backup, path=str(tmp_path))["changed"]
    args = {"path": str(tmp_path / "S"), "check": True}
    assert not run(jetstream_restore, **args)["changed"]
    store(stream)
    replaced = run(jetstream_restore, **args, replace=True)
    assert replaced["failed"] and is_told(replaced["msg"])
    while "error" not in stream.api("STREAM.INFO.S"):
        stream.api("STREAM.DELETE.S")  # which such a cluster may not find in the first moment
        time.sleep(0.1)
    anew = run(jetstream_restore, **args)
    assert anew["changed"] and any(is_told(one) for one in anew["warnings"])


def test_who_may_not_ask_is_not_told(stream, run, tmp_path):
    args = {"name": "S", "deny_delete": False, "recreate": "migrate"}
    args["migrate_path"] = str(tmp_path)
    result = run(jetstream_stream, "few", **args, check=True)
    assert result.get("action") == "migrate", result
    assert not any(is_told(one) for one in result["warnings"])
