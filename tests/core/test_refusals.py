# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server refuses: its words, its err_code, the class, and what to do about it."""

from __future__ import annotations

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import client, servers

CONSUMER = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}


@pytest.fixture(scope="module")
def limited(server):
    """An account with room for little, and one without JetStream."""
    accounts = {
        "A": {
            "jetstream": {"max_streams": 1, "max_consumers": 1, "max_memory": 1 << 20},
            "users": [{"user": "a", "password": "a"}],
        },
        "B": {"users": [{"user": "b", "password": "b"}]},
    }
    with servers.Server(server.binary, config={"accounts": accounts}) as running:
        place = running.url.partition("://")[2]
        with client.Client(f"nats://a:a@{place}") as nats:
            nats.ok("STREAM.CREATE.FIRST", {"name": "FIRST", "subjects": ["first"]})
            body = {"stream_name": "FIRST", "config": CONSUMER}
            nats.ok("CONSUMER.CREATE.FIRST.C", body)
        yield place


def refusal(url, work):
    with pytest.raises(_errors.ApiError) as refused:
        with_manager(work, url)
    error = refused.value
    assert f"(err_code {error.err_code})" in str(error) and error.description in str(error)
    return error


def test_limits_of_an_account(limited):
    other = {**CONSUMER, "name": "D", "durable_name": "D"}
    for err_code, advice, work in (
        (10027, "no more streams", lambda manager: manager.add_stream({"name": "S"})),
        (10026, "max_consumers", lambda manager: manager.add_consumer("FIRST", other)),
    ):
        error = refusal(f"nats://a:a@{limited}", work)
        assert (error.err_code, error.error_class) == (err_code, _errors.LIMIT)
        assert advice in str(error)


def test_an_account_without_jetstream(limited):
    error = refusal(f"nats://b:b@{limited}", lambda manager: manager.account_info())
    assert (error.err_code, error.error_class) == (10039, _errors.DENIED)
    assert "log in to one that has it" in str(error)


def test_missing_things(server, nats, unique):
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [unique]})
    for err_code, work in (
        (10059, lambda manager: manager.stream_info(f"{unique}no")),
        (10059, lambda manager: manager.consumer_names(f"{unique}no")),
        (10059, lambda manager: manager.purge_stream(f"{unique}no")),
        (10014, lambda manager: manager.consumer_info(unique, "no")),
        (10037, lambda manager: manager.get_msg(unique, seq=9)),
        (10037, lambda manager: manager.get_last_msg(unique, unique)),
    ):
        error = refusal(server.url, work)
        assert (error.err_code, error.error_class) == (err_code, _errors.MISSING)


def test_a_message_that_must_not_be_deleted(server, nats, unique):
    """The same err_code as that of a message that is not there."""
    config = {"name": unique, "subjects": [unique], "deny_delete": True}
    nats.ok(f"STREAM.CREATE.{unique}", config)
    nats.request(unique, b"x")
    error = refusal(server.url, lambda manager: manager.delete_msg(unique, 1))
    assert (error.err_code, error.error_class) == (10057, _errors.INVALID)


@pytest.mark.parametrize("filter_subject", ["a b", "a\r\nPUB x 0", "a..b", ".", "a.>.b"])
def test_a_filter_that_can_not_be_part_of_a_request(newest_server, filter_subject):
    async def work(manager):
        with pytest.raises(_errors.InvalidRequest, match="filter_subject"):
            await manager.add_consumer("S", {**CONSUMER, "filter_subject": filter_subject})
        return await manager.account_info()  # the connection is still there

    assert with_manager(work, newest_server.url)
