# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaders that step down, and the permissions for it, which only a cluster can show."""

from __future__ import annotations

import json
import time

import pytest
from accounts import PASSWORD, accounts, as_user

from ansible_collections.nats.jetstream.plugins.module_utils import _permissions
from ansible_collections.nats.jetstream.plugins.modules import jetstream_step_down
from harness import servers
from harness.client import Client

STREAM = {"name": "S", "subjects": ["s.>"], "num_replicas": 3}
CONSUMER = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}
ROWS = _permissions.TABLE["jetstream_step_down"]
NAMES = {"stream": "S", "consumer": "C"}
TASKS = [
    {"stream": "S", "check": True},
    {"stream": "S"},
    {"stream": "S", "consumer": "C"},
    {"meta": True},
]


def users():
    """Return the users of each row and those with one permission less: (of APP, of SYS)."""
    of_app, of_system = [], []
    for number, row in enumerate(ROWS):
        for without in (None, *range(len(row.subjects))):
            allowed = [_permissions.filled(one, NAMES) for one in row.subjects]
            publish = [one for index, one in enumerate(allowed) if index != without]
            permissions = {
                "publish": {"allow": publish or ["nothing"]},
                "subscribe": {"allow": ["_INBOX.>"]},
            }
            one = {"user": f"{number}-{without}", "password": PASSWORD, "permissions": permissions}
            (of_system if "meta" in row.what else of_app).append(one)
    return of_app, of_system


def three(server):
    """Return three servers of the version of one, with the users of every row."""
    of_app, of_system = users()
    return servers.Cluster(binary=server.binary, config=accounts(*of_app, system=of_system))


@pytest.fixture(scope="module")
def cluster(newest_server):
    with three(newest_server) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def assets(cluster):
    with Client(cluster.urls[0], timeout=20) as nats:
        nats.ok("STREAM.CREATE.S", STREAM)
        nats.ok("STREAM.CREATE.ONE", {"name": "ONE", "subjects": ["one"]})
        nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": CONSUMER})
        yield


@pytest.fixture
def nats(cluster):
    with Client(cluster.urls[0], timeout=20) as connection:
        yield connection


def leader(nats, request="STREAM.INFO.S"):
    """Return who leads, once somebody does."""
    for _attempt in range(600):
        answer = nats.api(request)
        found = answer.get("cluster", {}).get("leader")
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(answer)


def others(cluster, name):
    return [server.name for server in cluster.servers if server.name != name]


def test_a_stream_gets_the_preferred_leader_and_keeps_it(run, nats, cluster):
    before = leader(nats)
    target = others(cluster, before)[0]
    check = run(jetstream_step_down, check=True, stream="S", preferred=target)
    assert leader(nats) == before
    done = run(jetstream_step_down, stream="S", preferred=target)
    assert leader(nats) == target
    for result in (check, done):
        assert result["changed"] is True, result
        assert (result["leader_before"], result["leader"]) == (before, target)
        assert result["diff"] == done["diff"]
    again = run(jetstream_step_down, stream="S", preferred=target)
    assert (again["changed"], again["leader"]) == (False, target)
    assert again["diff"]["before"] == again["diff"]["after"]


def test_whoever_is_elected(run, nats):
    before = leader(nats)
    check = run(jetstream_step_down, check=True, stream="S")
    assert (check["changed"], check["leader_before"], check["leader"]) == (True, before, None)
    assert leader(nats) == before
    done = run(jetstream_step_down, stream="S")
    assert done["changed"] is True, done
    assert (done["leader_before"], done["leader"]) == (before, leader(nats))
    assert done["leader"] != before or "leads again" in done["warnings"][0]
    hasty = run(jetstream_step_down, stream="S", wait=False)
    assert (hasty["changed"], hasty["leader"]) == (True, None)


def test_a_consumer_has_a_leader_of_its_own(run, nats, cluster):
    look = "CONSUMER.INFO.S.C"
    before = leader(nats, look)
    target = others(cluster, before)[-1]
    done = run(jetstream_step_down, stream="S", consumer="C", preferred=target)
    assert (done["changed"], done["leader"]) == (True, target)
    assert leader(nats, look) == target
    assert run(jetstream_step_down, stream="S", consumer="C", preferred=target)["changed"] is False
    assert run(jetstream_step_down, stream="S", consumer="C")["leader_before"] == target


def test_the_meta_leader(run, nats, cluster):
    before = cluster.wait_for_leader().name
    target = others(cluster, before)[0]
    login = {"user": "system", "password": PASSWORD, "meta": True}
    check = run(jetstream_step_down, check=True, preferred=target, **login)
    assert cluster.wait_for_leader().name == before
    done = run(jetstream_step_down, preferred=target, **login)
    assert cluster.wait_for_leader().name == target
    for result in (check, done):
        assert result["changed"] is True, result
        assert (result["leader_before"], result["leader"]) == (before, target)
    assert run(jetstream_step_down, preferred=target, **login)["changed"] is False
    done = run(jetstream_step_down, **login)
    assert done["changed"] is True, done
    assert done["leader"] == cluster.wait_for_leader().name


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"stream": "ONE"}, "it has a single replica"),
        ({"stream": "S", "preferred": "n9"}, "n9 is not one of its servers, n1, n2, n3"),
        ({"stream": "NONE"}, "stream not found (err_code 10059)"),
        ({"stream": "S", "consumer": "NONE"}, "consumer not found (err_code 10014)"),
        ({"meta": True}, "only a user of the system account"),
        ({"meta": True, "domain": "hub"}, "domain and api_prefix lead elsewhere"),
        ({"meta": True, "stream": "S"}, "give either a stream or meta=true"),
        ({}, "give either a stream or meta=true"),
        ({"consumer": "C"}, "consumer: needs stream"),
    ],
)
def test_what_is_refused_before_anything_is_sent(options, text, run, nats):
    before = leader(nats), leader(nats, "CONSUMER.INFO.S.C")
    result = run(jetstream_step_down, **options)
    assert result["failed"] and text in result["msg"], result
    assert (leader(nats), leader(nats, "CONSUMER.INFO.S.C")) == before
    check = run(jetstream_step_down, check=True, **options)
    if "NONE" in str(options):
        assert check["changed"] is True and "an earlier task" in check["warnings"][0]
    else:
        assert check["msg"] == result["msg"]


def as_row(cluster, number, without=None):
    return {"servers": [as_user(cluster.urls[0], f"{number}-{without}")], **TASKS[number]}


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.what for row in ROWS])
def test_exactly_these_permissions_suffice(number, run, nats, cluster):
    leader(nats), cluster.wait_for_leader()
    result = run(jetstream_step_down, **as_row(cluster, number))
    assert result.get("changed") is True, result


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.what for row in ROWS])
def test_with_one_less_it_is_named(number, run, nats, cluster):
    for without, subject in enumerate(ROWS[number].subjects):
        leader(nats), cluster.wait_for_leader()
        result = run(jetstream_step_down, **as_row(cluster, number, without))
        named = _permissions.filled(subject, NAMES).lower()
        text = result["msg"].partition(" publishes, depending")[0]
        assert result["failed"] and "permission" in text.lower() and named in text.lower(), text
        assert "Traceback" not in json.dumps(result)
