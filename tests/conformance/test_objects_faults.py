# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that go away while an object is on its way, and users who may not do everything."""

from __future__ import annotations

import contextlib
import hashlib
import io

import pytest
from object_store import Bucket

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _object_store,
    _object_transfer,
)
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_object,
    jetstream_object_fetch,
)
from harness import client, servers

SIZE = 64 * 2**20
DATA = hashlib.shake_128(b"far").digest(SIZE)


@contextlib.contextmanager
def seen(server, name="b"):
    """The bucket as a new connection of the independent client sees it."""
    with client.Client(server.url) as nats:
        yield Bucket(nats, server.url, name)


class Restarting(io.BytesIO):
    """A source in the middle of which something happens, once."""

    def __init__(self, data, happens):
        super().__init__(data)
        self.happens = happens

    def read(self, size=-1):
        if self.happens and self.tell() > SIZE // 2:
            self.happens.pop()()
        return super().read(size)


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_server_that_restarts_in_the_middle_of_a_put(
    how, own_server, run_module, monkeypatch, tmp_path
):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    happens = [lambda: away(own_server, how)]
    monkeypatch.setattr(
        _object_store.Source, "opened", lambda self: Restarting(DATA, sending and happens)
    )
    sending, send = [], _object_transfer.send

    async def noted(*args):
        sending.append(True)
        return await send(*args)

    monkeypatch.setattr(_object_transfer, "send", noted)
    with seen(own_server) as bucket:
        bucket.create()
    done = run_module(jetstream_object, bucket="b", name="thing", src=str(source), timeout="2s")
    assert not happens and done["changed"], done
    with seen(own_server) as bucket:
        assert bucket.chunks() == {done["object"]["nuid"]: SIZE // (128 * 1024)}
        assert bucket.get("thing") == DATA


def away(server, how):
    if how == "kill":
        server.kill()
        server.start()
    else:
        server.restart()


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_server_that_restarts_in_the_middle_of_a_fetch(
    how, own_server, run_module, monkeypatch, tmp_path
):
    source, dest = tmp_path / "source", tmp_path / "dest"
    source.write_bytes(DATA)
    with seen(own_server) as bucket:
        bucket.create()
    assert run_module(jetstream_object, bucket="b", name="thing", src=str(source))["changed"]
    happens, placed, count = [lambda: away(own_server, how)], _object_transfer._placed, []

    def and_restart(message):
        count.append(message)
        if happens and len(count) == 100:
            happens.pop()()
        return placed(message)

    monkeypatch.setattr(_object_transfer, "_placed", and_restart)
    args = {"bucket": "b", "name": "thing", "dest": str(dest), "timeout": "2s"}
    done = run_module(jetstream_object_fetch, **args)
    assert not happens and done["changed"], done
    assert dest.read_bytes() == DATA


def test_a_server_that_stays_away(own_server, run_module, monkeypatch, tmp_path):
    dest = tmp_path / "dest"
    with seen(own_server) as bucket:
        bucket.create()
    placed = _object_transfer._placed

    def and_stop(message):
        own_server.kill()
        return placed(message)

    monkeypatch.setattr(_object_transfer, "_placed", and_stop)
    args = {"timeout": "1s", "retry_for": "1s"}
    source = tmp_path / "source"
    source.write_bytes(bytes(64 * 2**20))  # more than can be on its way when the server is killed
    assert run_module(jetstream_object, bucket="b", name="thing", src=str(source), **args)[
        "changed"
    ]
    source.unlink()
    done = run_module(jetstream_object_fetch, bucket="b", name="thing", dest=str(dest), **args)
    assert done["failed"] and not list(tmp_path.iterdir())


USERS = {
    "authorization": {
        "users": [
            {"user": "all", "password": "all"},
            {
                "user": "asks",
                "password": "asks",
                "permissions": {"publish": {"allow": ["$JS.API.>"]}},
            },
            {
                "user": "reads",
                "password": "reads",
                "permissions": {"publish": {"allow": ["$JS.API.STREAM.MSG.GET.>"]}},
            },
        ]
    }
}


def test_what_is_not_allowed_is_told(server, run_module, tmp_path):
    with servers.Server(server.binary, config=USERS) as guarded:
        at = guarded.url.partition("://")[2]

        def run(user, module, **args):
            url = f"nats://{user}:{user}@{at}"
            done = run_module(module, servers=[url], bucket="b", name="thing", **args)
            assert done["failed"]
            return done["msg"]

        with client.Client(f"nats://all:all@{at}") as nats:
            bucket = Bucket(nats, f"nats://all:all@{at}", "b").create()
            denied = run("asks", jetstream_object, content="x" * 1000, chunk_size="10")
            assert "$o.b.c." in denied.lower() and "permission to publish" in denied
            assert bucket.subjects() == {}
            bucket.put("thing", b"data")
            denied = run("reads", jetstream_object_fetch, dest=str(tmp_path / "dest"))
            assert "CONSUMER.CREATE" in denied and "permission to publish" in denied
            assert list(tmp_path.iterdir()) == []
