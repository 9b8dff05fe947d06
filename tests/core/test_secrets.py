# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret comes out of a module: not in a result, a failure, an invocation, or the log."""

from __future__ import annotations

import pytest
from ansible.module_utils import basic

from ansible_collections.nats.jetstream.plugins.modules import jetstream_info, jetstream_stream
from harness import collection, servers

PASSWORD, QUOTED_PASSWORD = "canary@pass/word", "canary%40pass%2Fword"
TOKEN, QUOTED_TOKEN = "canary token%", "canary%20token%25"
SECRETS = (PASSWORD, QUOTED_PASSWORD, TOKEN, QUOTED_TOKEN)


@pytest.fixture(scope="module")
def places(newest_server):
    by_user = {"authorization": {"users": [{"user": "u", "password": PASSWORD}]}}
    by_token = {"authorization": {"token": TOKEN}}
    with (
        servers.Server(newest_server.binary, config=by_user) as one,
        servers.Server(newest_server.binary, config=by_token) as other,
    ):
        yield [server.url.rpartition("/")[2].rpartition("@")[2] for server in (one, other)]


@pytest.fixture
def log(monkeypatch):
    """What AnsibleModule writes to the system log."""
    lines = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda self, msg, log_args=None: lines.append((msg, log_args))
    )
    return lines


def ways_in(places):
    by_user, by_token = places
    return [
        {"servers": [f"nats://{by_user}"], "user": "u", "password": PASSWORD},
        {"servers": [f"nats://u:{QUOTED_PASSWORD}@{by_user}"]},
        {"servers": [f"nats://{by_token}"], "token": TOKEN},
        {"servers": [f"nats://{QUOTED_TOKEN}@{by_token}"]},
    ]


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize(
    ("module", "args", "fails"),
    [
        (jetstream_info, {}, False),
        (jetstream_stream, {"name": "S", "max_age": "1h"}, False),
        (jetstream_stream, {"name": "S", "max_age": "soon"}, True),
        (jetstream_stream, {"name": "S", "no_such_option": 1}, True),
        (jetstream_stream, {"name": "S", "retention": "limit"}, True),
        (jetstream_stream, {"name": "S", "num_replicas": 3}, True),
        (jetstream_stream, {"name": "S", "subjects": ["$JS.API.>"], "no_ack": False}, True),
    ],
)
def test_nothing_comes_out(way, module, args, fails, places, log):
    result = collection.run_module(module, **ways_in(places)[way], **args)
    assert bool(result.get("failed")) is fails, result
    for secret in SECRETS:
        assert secret not in str(result)
        assert secret not in str(log)
    assert fails or log


@pytest.mark.parametrize("way", range(4))
def test_nothing_comes_out_of_a_refused_login(way, places, log):
    # Each server is asked with the login of the other.
    result = collection.run_module(jetstream_info, **ways_in(places[::-1])[way])
    assert "the login was refused" in result["msg"]
    for secret in SECRETS:
        assert secret not in str(result)
        assert secret not in str(log)
