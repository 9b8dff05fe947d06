# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that expects a cluster or an account does nothing anywhere else."""

from __future__ import annotations

import json
import time

import pytest
from connecting import connect, with_manager
from operators import Operator
from test_connect import AT_ONCE

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from ansible_collections.nats.jetstream.plugins.modules import jetstream_stream
from harness import client, collection, servers

NO_INFO = {"publish": {"deny": ["$SYS.>"]}}
ACCOUNTS = {
    name: {
        "jetstream": "enabled",
        "users": [
            {"user": name, "password": name},
            {"user": f"{name}-mute", "password": "mute", "permissions": NO_INFO},
        ],
    }
    for name in ("SHOP", "TEST")
}


@pytest.fixture(scope="module")
def shop(server):
    """A server of two accounts that calls itself part of a cluster, without being one."""
    cluster = {"name": "east", "listen": "127.0.0.1:-1"}
    config = {"accounts": ACCOUNTS, "cluster": cluster}
    with servers.Server(server.binary, config={**config, "jetstream": None}) as running:
        yield running


@pytest.fixture
def accounts(server):
    with servers.Server(server.binary, config={"accounts": ACCOUNTS}) as running:
        yield running


def refused(url, **given):
    started = time.monotonic()
    with pytest.raises(_errors.JetStreamError) as failed:
        connect(url, **given)
    assert time.monotonic() - started < AT_ONCE
    return str(failed.value)


def test_the_cluster(shop, server):
    login = {"user": "SHOP", "password": "SHOP"}
    assert connect(shop.url, expect_cluster="east", **login).greeting["cluster"] == "east"
    text = refused(shop.url, expect_cluster="west", **login)
    assert "expect_cluster is 'west'" in text and "is in the cluster 'east'" in text
    assert text.endswith("nothing was read or written")
    assert "is in no cluster" in refused(server.url, expect_cluster="west")


def test_the_account(accounts, server):
    login = {"user": "SHOP", "password": "SHOP"}
    if server.version.startswith("2.9."):
        text = refused(accounts.url, expect_account="SHOP", **login)
        assert "needs nats-server 2.10 or newer" in text
        return
    assert connect(accounts.url, expect_account="SHOP", **login).account == "SHOP"
    text = refused(accounts.url, expect_account="TEST", **login)
    assert "expect_account is 'TEST'" in text and "belongs to 'SHOP'" in text
    assert text.endswith("nothing was read or written")
    text = refused(accounts.url, expect_account="SHOP", user="SHOP-mute", password="mute")
    assert "$SYS.REQ.USER.INFO" in text and "permission" in text


def test_the_account_of_a_jwt_by_its_key_and_by_its_name(server):
    operator = Operator()
    jwt, seed = operator.user()
    with servers.Server(server.binary, config=operator.config) as running:
        given = {"jwt": jwt, "nkey_seed": seed}
        key = operator.account.public
        assert connect(running.url, expect_account=key, **given).account == key
        with client.Client(running.url, jwt=operator.user(bearer_token=True)[0]) as nats:
            try:
                told = json.loads(nats.request("$SYS.REQ.USER.INFO"))["data"]
            except client.NoResponders:
                told = {}
        if "account_name" in told:
            assert connect(running.url, expect_account="APP", **given).account == key
        assert "expect_account" in refused(running.url, expect_account="OTHER", **given)


def test_nothing_is_read_or_written_elsewhere(accounts, server):
    """Not even asked: the server counts what it gets."""
    url = accounts.url.replace("://", "://TEST:TEST@")
    for expected in ({"expect_cluster": "prod"}, {"expect_account": "SHOP"}):
        for state in ("present", "absent"):
            for check in (True, False):
                result = collection.run_module(
                    jetstream_stream, check=check, servers=[url], name="S", state=state, **expected
                )
                assert result["failed"] and not result.get("changed")
                assert "nothing was read or written" in result["msg"]
                assert not {"diff", "stream"} & set(result)
    with client.Client(url) as nats:
        info = nats.ok("INFO")
    # The asking itself is the first request to the API that is counted.
    assert (info["streams"], info["api"]["total"]) == (0, 0)


def test_another_place_after_a_loss(server):
    """The next server in the list belongs to another cluster."""

    def config(name):
        return {"cluster": {"name": name, "listen": "127.0.0.1:-1"}, "jetstream": None}

    with (
        servers.Server(server.binary, config("east")) as east,
        servers.Server(server.binary, config("west")) as west,
    ):

        async def work(manager):
            east.kill()
            with pytest.raises(_errors.ConnectionLost):
                await manager.connection.request("NOBODY.HEARS", b"", 5.0)
            await manager.stream_names()

        with pytest.raises(_errors.JetStreamError, match="is in the cluster 'west'"):
            with_manager(work, east.url, west.url, expect_cluster="east", retry_for=0.5)
