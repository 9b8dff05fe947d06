# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only clusters refuse, of every version; and who may let leaders step down in older ones."""

from __future__ import annotations

import json
import time

import pytest
from accounts import as_user
from connecting import with_manager
from test_step_down import NAMES, ROWS, as_row, leader, three

from ansible_collections.nats.jetstream.plugins.module_utils import _errors, _permissions
from ansible_collections.nats.jetstream.plugins.modules import jetstream_step_down
from harness.client import Client

CONSUMER = {"durable_name": "C", "name": "C", "ack_policy": "explicit"}
NOBODY = {"placement": {"preferred": "n9"}}
NEW = {**CONSUMER, "name": "N", "durable_name": "N"}
COLUMNS = {"2.9": 0, "2.10": 1}  # anything newer is the last one
NO_PEERS = 10005
SILENCE = 0  # the server does not answer such a request


def consumer(stream, replicas):
    config = {**NEW, "num_replicas": replicas}
    return f"CONSUMER.CREATE.{stream}.N", {"stream_name": stream, "config": config}


# err_code, or the three of 2.9.10, 2.10.27 and 2.15.1, None where it is accepted; the request.
REFUSED = {
    "no server that fits": (NO_PEERS, ("STREAM.CREATE.N", {"name": "N", "num_replicas": 5})),
    "replicas of a consumer": (10126, consumer("ONE", 3)),
    "fewer than interest needs": ((None, 10134, 10134), consumer("INTEREST", 1)),
    "a peer that is none": (10040, ("STREAM.PEER.REMOVE.S", {"peer": "n9"})),
    "no other peer": (10075, ("STREAM.PEER.REMOVE.SPARE", {"peer": "n1"})),
    "nothing to cancel": ((SILENCE, SILENCE, 10129), ("STREAM.CANCEL_MOVE.S", None)),
    "a leader that is none": ((10003, 10003, NO_PEERS), ("STREAM.LEADER.STEPDOWN.S", NOBODY)),
}


@pytest.fixture(scope="module")
def cluster(server):
    with three(server) as running:
        yield running


def create(nats, config):
    """Create a stream in a cluster whose leader may not have heard of every server's room yet."""
    deadline = time.monotonic() + 30
    while "error" in (answer := nats.api(f"STREAM.CREATE.{config['name']}", config)):
        assert answer["error"]["err_code"] == NO_PEERS and time.monotonic() < deadline, answer
        time.sleep(0.1)


@pytest.fixture(scope="module", autouse=True)
def assets(cluster):
    three = {"num_replicas": 3}
    with Client(cluster.urls[0], timeout=20) as nats:
        for name, config in (
            ("S", {"subjects": ["s.>"], **three}),
            ("SPARE", three),
            ("INTEREST", {"retention": "interest", **three}),
            ("ONE", {}),
        ):
            create(nats, {"name": name, **config})
        nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": CONSUMER})


@pytest.fixture
def nats(cluster):
    with Client(cluster.urls[0], timeout=20) as connection:
        yield connection


def column(cluster):
    return COLUMNS.get(cluster.servers[0].version.rpartition(".")[0], 2)


def refusal(cluster, request, body, url=None):
    payload = b"" if body is None else json.dumps(body).encode()
    with pytest.raises(_errors.ApiError) as refused:
        with_manager(lambda manager: manager.try_request(request, payload), url or cluster.urls[0])
    error = refused.value
    meaning = _errors.meanings()[error.err_code]
    assert f"refused {request}: {error.description} (err_code {error.err_code})." in str(error)
    assert str(error).endswith(error.advice)
    assert error.error_class in (meaning.error_class, _errors.TRANSIENT)
    return error


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal(name, cluster, nats):
    codes, (request, body) = REFUSED[name]
    code = codes if isinstance(codes, int) else codes[column(cluster)]
    leader(nats), cluster.wait_for_leader()
    if code is None:
        assert "error" not in nats.api(request, body)
    elif code is SILENCE:
        with Client(cluster.urls[0], timeout=0.3) as hasty, pytest.raises(TimeoutError):
            hasty.api(request, body)
    else:
        assert refusal(cluster, request, body).err_code == code


def test_a_server_that_is_none(cluster):
    system = as_user(cluster.urls[0], "system")
    assert refusal(cluster, "SERVER.REMOVE", {"peer": "n9"}, system).err_code == 10044


@pytest.fixture
def older(cluster):
    if column(cluster) == 2:
        pytest.skip("tests/cluster/test_step_down.py has this version")


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.what for row in ROWS])
def test_exactly_these_permissions_suffice(number, run, nats, cluster, older):
    leader(nats), cluster.wait_for_leader()
    result = run(jetstream_step_down, **as_row(cluster, number))
    assert result.get("changed") is True, result


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.what for row in ROWS])
def test_with_one_less_it_is_named(number, run, nats, cluster, older):
    for without, subject in enumerate(ROWS[number].subjects):
        leader(nats), cluster.wait_for_leader()
        result = run(jetstream_step_down, **as_row(cluster, number, without))
        named = _permissions.filled(subject, NAMES).lower()
        text = result["msg"].partition(" publishes, depending")[0]
        assert result["failed"] and "permission" in text.lower() and named in text.lower(), text


def test_a_preferred_leader_needs_a_newer_server(run, nats, cluster, older):
    before = leader(nats)
    target = next(one.name for one in cluster.servers if one.name != before)
    result = run(jetstream_step_down, stream="S", preferred=target)
    assert result["failed"] and "2.11" in result["msg"], result
    assert leader(nats) == before


def test_what_is_offline(cluster):
    """Its only server was shut down and has said so. One that was killed leaves silence."""
    meta = cluster.wait_for_leader()
    down = next(one for one in cluster.servers if one is not meta)
    with Client(meta.url, timeout=20) as nats:
        name = next(
            f"A{number}"
            for number in range(100)
            if nats.ok(f"STREAM.CREATE.A{number}", {"name": f"A{number}"})["cluster"]["leader"]
            == down.name
        )
        body = {"stream_name": name, "config": CONSUMER}
        nats.ok(f"CONSUMER.CREATE.{name}.C", body)
    down.shutdown()
    try:
        for request, code in ((f"STREAM.INFO.{name}", 10118), (f"CONSUMER.INFO.{name}.C", 10119)):
            deadline = time.monotonic() + 30
            while True:
                error = refusal(cluster, request, None, meta.url)
                if error.err_code == code or time.monotonic() > deadline:
                    break
            assert (error.err_code, error.error_class) == (code, _errors.TRANSIENT)
            assert "All servers that hold it are down" in str(error)
    finally:
        down.start()
        cluster.wait_for_leader()
