# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server refuses: its words, its err_code, the class, and what to do about it."""

from __future__ import annotations

import json

import pytest
from connecting import with_manager
from operators import STREAMS, UNLIMITED, Operator, credentials, jwt

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from ansible_collections.nats.jetstream.plugins.module_utils._headers import Headers
from ansible_collections.nats.jetstream.plugins.modules import jetstream_environment
from harness import client, collection, servers

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


def refusal(url, work, **login):
    with pytest.raises(_errors.ApiError) as refused:
        with_manager(work, url, **login)
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


BOUNDED = {
    "jetstream": {
        **{"max_mem": 1 << 20, "max_file": 1 << 20, "max_bytes_required": True},
        **{"mem_max_stream_bytes": 1000, "disk_max_stream_bytes": 2000, "max_ack_pending": 5},
    },
    "users": [{"user": "c", "password": "c"}],
}
ROOMS = {"max_memory_store": 1 << 20, "max_file_store": 1 << 20}
MEMORY = {"name": "S", "storage": "memory"}
BATCH = {**CONSUMER, "max_batch": 50}
ACKS = {**CONSUMER, "max_ack_pending": 50}


@pytest.fixture(scope="module")
def bounded(server):
    """An account with limits for each stream and consumer."""
    config = {"accounts": {"C": BOUNDED}, "no_auth_user": "c"}
    with servers.Server(server.binary, config) as running, client.Client(running.url) as nats:
        nats.ok("STREAM.CREATE.FIRST", {"name": "FIRST", "max_bytes": 500})
        yield running.url


@pytest.mark.parametrize(
    ("err_code", "advice", "work"),
    [
        (10113, "every stream to have max_bytes", lambda m: m.add_stream({"name": "S"})),
        (10113, "every stream to have max_bytes", lambda m: m.update_stream({"name": "FIRST"})),
        (10122, "Lower max_bytes", lambda m: m.add_stream({"name": "S", "max_bytes": 2001})),
        (10122, "Lower max_bytes", lambda m: m.add_stream({**MEMORY, "max_bytes": 1001})),
        (10122, "Lower max_bytes", lambda m: m.update_stream({"name": "FIRST", "max_bytes": 2001})),
        (10121, "Lower max_ack_pending", lambda m: m.add_consumer("FIRST", ACKS)),
    ],
)
def test_limits_of_an_account_for_each(err_code, advice, work, bounded):
    error = refusal(bounded, work)
    assert error.err_code == err_code and advice in str(error)
    assert error.error_class == _errors.LIMIT


def test_limits_of_a_server_for_each(server, tmp_path):
    limits = {"max_request_batch": 5, "max_ack_pending": 5}
    config = {"jetstream": {**ROOMS, "store_dir": str(tmp_path), "limits": limits}}
    with servers.Server(server.binary, config) as running, client.Client(running.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S"})
        for err_code, body in ((10125, BATCH), (10121, ACKS)):
            error = refusal(running.url, lambda manager, body=body: manager.add_consumer("S", body))
            assert (error.err_code, error.error_class) == (err_code, _errors.LIMIT)
            assert "Lower max_" in str(error)


def test_an_account_without_a_tier(server, tmp_path):
    """Its limits are for streams with three replicas, and it has none for one."""
    operator = Operator()
    tiers = {"tiered_limits": {"R3": STREAMS}, "wildcards": True, **UNLIMITED}
    claims = {"type": "account", "limits": tiers}
    account = jwt(operator.key, operator.account, "APP", claims)
    operator.config["resolver_preload"][operator.account.public] = account
    (tmp_path / "user.creds").write_text(credentials(*operator.user()))
    with servers.Server(server.binary, operator.config) as running:
        login = {"credentials_path": str(tmp_path / "user.creds")}
        error = refusal(running.url, lambda manager: manager.add_stream({"name": "S"}), **login)
        # An environment asks for the limits before it writes.
        declared = [{"name": "S"}, {"name": "T", "num_replicas": 1}]
        foretold = collection.run_module(
            jetstream_environment, servers=[running.url], streams=declared, check=True, **login
        )
    text = "num_replicas: the account has no limits for 1 replicas (err_code 10120)"
    assert [text in row["msg"] for row in foretold["failures"]] == [True, True]
    assert (error.err_code, error.error_class) == (10120, _errors.LIMIT)
    assert "no limits for this number of replicas" in str(error)


def test_a_group_that_nobody_has(server, nats, unique):
    if tuple(map(int, server.version.split("."))) < (2, 11):
        pytest.skip("servers before 2.11 do not answer this request")
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [unique]})
    body = {"stream_name": unique, "config": CONSUMER}
    nats.ok(f"CONSUMER.CREATE.{unique}.C", body)
    error = refusal(server.url, lambda manager: manager.unpin_consumer(unique, "C", "g"))
    assert (error.err_code, error.error_class) == (10160, _errors.INVALID)


def test_an_api_level_that_the_server_does_not_have(server):
    """Asked for with a header, which the collection does not send: it judges by the level."""
    if tuple(map(int, server.version.split("."))) < (2, 12):
        pytest.skip("servers before 2.12 do not look at the header")

    async def ask(manager):
        headers = Headers([("Nats-Required-Api-Level", "99")])
        answer = await manager.connection.request_message("$JS.API.INFO", b"", 5, headers)
        error = json.loads(answer.data)["error"]
        raise _errors.ApiError("INFO", error["code"], error["err_code"], error["description"])

    error = refusal(server.url, ask)
    assert (error.err_code, error.error_class) == (10185, _errors.UNSUPPORTED)
    assert "have to be upgraded" in str(error)


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
