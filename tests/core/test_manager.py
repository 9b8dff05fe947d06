# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call of the management core, against each server."""

from __future__ import annotations

import asyncio
import json

import pytest
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors

ODD = 30_000_000_001  # ns; a float would lose the last one


def refusal(call, work, **given):
    with pytest.raises(_errors.ApiError) as refused:
        call(work, **given)
    return refused.value


def test_account(call, nats):
    info = call(lambda manager: manager.account_info())
    assert info["limits"] == nats.ok("INFO")["limits"]


def test_streams(call, nats, unique):
    config = {"name": unique, "subjects": [f"{unique}.>"], "max_age": ODD, "duplicate_window": ODD}
    made = call(lambda manager: manager.add_stream(config))
    assert made["config"]["max_age"] == ODD
    stored = nats.ok(f"STREAM.INFO.{unique}")["config"]
    assert {name: stored[name] for name in config} == config
    again = call(lambda manager: manager.update_stream({**stored, "max_msgs": 7}))
    assert again["config"]["max_msgs"] == 7
    assert nats.ok(f"STREAM.INFO.{unique}")["config"]["max_age"] == ODD
    assert call(lambda manager: manager.stream_info(unique))["config"]["max_msgs"] == 7
    assert call(lambda manager: manager.delete_stream(unique)) is True
    assert call(lambda manager: manager.delete_stream(unique)) is False
    assert "error" in nats.api(f"STREAM.INFO.{unique}")


def test_arguments_are_left_alone(call, unique):
    config = {"name": unique, "subjects": [f"{unique}.>"], "metadata": {}}
    before = json.dumps(config)
    call(lambda manager: manager.add_stream(config))
    assert json.dumps(config) == before


def test_what_is_missing_exists_or_is_refused(call, unique):
    missing = refusal(call, lambda manager: manager.stream_info(unique))
    assert (missing.error_class, missing.err_code) == (_errors.MISSING, 10059)
    assert "10059" in str(missing) and f"STREAM.INFO.{unique}" in str(missing)
    call(lambda manager: manager.add_stream({"name": unique, "subjects": [f"{unique}.a"]}))
    other = {"name": unique, "subjects": [f"{unique}.b"]}
    assert refusal(call, lambda manager: manager.add_stream(other)).error_class == _errors.EXISTS
    change = {"name": unique, "subjects": [f"{unique}.a"], "storage": "memory"}
    refused = refusal(call, lambda manager: manager.update_stream(change))
    assert refused.error_class == _errors.IMMUTABLE
    assert refused.result()["err_code"] == 10052
    assert refusal(call, lambda m: m.consumer_info(unique, "C")).error_class == _errors.MISSING
    assert refusal(call, lambda m: m.find_stream_name_by_subject(f"{unique}.zz")).error_class == (
        _errors.MISSING
    )
    assert call(lambda m: m.find_stream_name_by_subject(f"{unique}.a")) == unique


def test_paging_ends_at_the_last_page(own_server):
    async def work(manager):
        gate = asyncio.Semaphore(64)

        async def make(number):
            async with gate:
                name = f"P{number:04d}"
                await manager.add_stream({"name": name, "subjects": [name], "storage": "memory"})

        await asyncio.gather(*(make(number) for number in range(1100)))
        infos = await manager.streams_info()
        counted = 0
        async for _info in manager.streams_info_iterator():
            counted += 1
        return infos, counted, await manager.stream_names(), await manager.stream_names("P0007")

    infos, counted, names, one = with_manager(work, own_server.url)
    expected = [f"P{number:04d}" for number in range(1100)]
    assert sorted(info["config"]["name"] for info in infos) == expected
    assert counted == 1100
    assert sorted(names) == expected
    assert one == ["P0007"]


def test_paging_of_consumers(call, nats, unique):
    nats.ok(
        f"STREAM.CREATE.{unique}",
        {"name": unique, "subjects": [unique], "storage": "memory", "max_consumers": 2000},
    )

    async def work(manager):
        gate = asyncio.Semaphore(64)

        async def make(number):
            async with gate:
                config = {"name": f"C{number:04d}", "durable_name": f"C{number:04d}"}
                await manager.add_consumer(unique, {**config, "ack_policy": "explicit"})

        await asyncio.gather(*(make(number) for number in range(300)))
        return await manager.consumers_info(unique), await manager.consumer_names(unique)

    infos, names = call(work)
    assert len(infos) == len(names) == 300
    assert {info["name"] for info in infos} == set(names)


def test_consumers(call, nats, unique):
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [f"{unique}.>"]})
    config = {
        "durable_name": "C",
        "name": "C",
        "ack_policy": "explicit",
        "ack_wait": ODD,
        "filter_subject": f"{unique}.a",
    }
    made = call(lambda manager: manager.add_consumer(unique, config, action="create"))
    assert made["config"]["ack_wait"] == ODD
    changed = {**made["config"], "max_deliver": 3}
    call(lambda manager: manager.add_consumer(unique, changed, action="update"))
    stored = nats.ok(f"CONSUMER.INFO.{unique}.C")["config"]
    assert (stored["max_deliver"], stored["ack_wait"]) == (3, ODD)
    assert call(lambda manager: manager.delete_consumer(unique, "C")) is True
    assert call(lambda manager: manager.delete_consumer(unique, "C")) is False


def test_pause_resume_and_reset(call, nats, unique, server):
    if server.version.startswith(("2.9.", "2.10.")):
        pytest.skip("servers before 2.11 do not know these requests, and never answer them")
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [f"{unique}.>"]})
    for _number in range(5):
        nats.request(f"{unique}.a", b"x")
    config = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}
    call(lambda manager: manager.add_consumer(unique, config))
    call(lambda manager: manager.pause_consumer(unique, "C", "2999-01-01T00:00:00Z"))
    assert nats.ok(f"CONSUMER.INFO.{unique}.C")["paused"] is True
    call(lambda manager: manager.resume_consumer(unique, "C"))
    assert not nats.ok(f"CONSUMER.INFO.{unique}.C").get("paused")
    call(lambda manager: manager.reset_consumer(unique, "C", 4))
    assert nats.ok(f"CONSUMER.INFO.{unique}.C")["num_pending"] == 2


def test_messages(call, nats, unique):
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [f"{unique}.>"]})
    for subject in ("a", "b", "a", "c"):
        nats.request(f"{unique}.{subject}", subject.encode())
    assert call(lambda m: m.get_msg(unique, seq=2))["subject"] == f"{unique}.b"
    assert call(lambda m: m.get_msg(unique, seq=2, next_by_subject=f"{unique}.a"))["seq"] == 3
    assert call(lambda m: m.get_last_msg(unique, f"{unique}.a"))["seq"] == 3
    assert call(lambda m: m.delete_msg(unique, 2)) is True
    assert call(lambda m: m.delete_msg(unique, 3, erase=False)) is True
    assert call(lambda m: m.delete_msg(unique, 2)) is False
    assert refusal(call, lambda m: m.get_msg(unique, seq=2)).error_class == _errors.MISSING
    detailed = call(lambda m: m.stream_info(unique, deleted_details=True))
    assert detailed["state"]["deleted"] == [2, 3]
    counted = call(lambda m: m.stream_info(unique, subjects_filter=f"{unique}.*"))
    assert counted["state"]["subjects"] == {f"{unique}.a": 1, f"{unique}.c": 1}


PURGES = [
    ({}, 4, 0),
    ({"filter": "a"}, 2, 2),
    ({"seq": 3}, 2, 2),
    ({"keep": 1}, 3, 1),
    ({"filter": "a", "keep": 1}, 1, 3),
    ({"filter": "a", "seq": 2}, 1, 3),
    ({"seq": 1}, 0, 4),  # 2.9 and 2.10 take it for everything when it is sent
    ({"seq": 0}, 0, 4),
]


@pytest.mark.parametrize(("arguments", "purged", "left"), PURGES)
def test_purge(call, nats, unique, arguments, purged, left):
    nats.ok(f"STREAM.CREATE.{unique}", {"name": unique, "subjects": [f"{unique}.>"]})
    for subject in ("a", "b", "a", "c"):
        nats.request(f"{unique}.{subject}", b"x")
    if "filter" in arguments:
        arguments = {**arguments, "filter": f"{unique}.{arguments['filter']}"}
    assert call(lambda manager: manager.purge_stream(unique, **arguments)) == purged
    assert nats.ok(f"STREAM.INFO.{unique}")["state"]["messages"] == left


REFUSED = [
    lambda manager: manager.purge_stream("S", keep=0),
    lambda manager: manager.purge_stream("S", filter=""),
    lambda manager: manager.purge_stream("S", seq=-1),
    lambda manager: manager.purge_stream("S", seq=5, keep=5),
    lambda manager: manager.stream_info("a.b"),
    lambda manager: manager.delete_stream(""),
    lambda manager: manager.consumer_info("S", "c d"),
    lambda manager: manager.stream_names("a..b"),
    lambda manager: manager.add_stream({"name": "x>"}),
]


@pytest.mark.parametrize("work", REFUSED)
def test_what_must_not_be_sent_is_not_sent(newest_server, work):
    async def count(manager):
        sent = []
        real = manager.connection.request

        async def request(api, payload, timeout):
            sent.append(api)
            return await real(api, payload, timeout)

        manager.connection.request = request
        with pytest.raises(_errors.InvalidRequest):
            await work(manager)
        return sent

    assert with_manager(count, newest_server.url) == []
