# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that do not come to their end: killed, or without their server for a while.

The next run does the rest, whatever was done and wherever it stopped.
"""

from __future__ import annotations

import random

import pytest
from long_way import AFTER, WRITES, came_to_its_end
from processes import Run, Watch

from harness import client, sizes


def points(salt):
    """Return after how many requests to stop: everywhere in turn, or some of everywhere."""
    drawn = random.Random(salt).sample(range(1, WRITES), 3)
    return sizes.size(sorted(drawn), [*range(1, WRITES)] * 3)


@pytest.mark.parametrize("point", points("run"))
def test_a_run_that_is_killed(begun, own_server, point):
    with client.Client(own_server.url) as nats:
        watch = Watch(nats)
        with Run(own_server.url, concurrency=4, **AFTER) as run:
            watch.wait(point, run)
            run.kill()
    came_to_its_end(begun)


@pytest.mark.parametrize("point", points("server"))
def test_a_server_that_is_killed(begun, own_server, account_on, point):
    """The run itself waits for it; what it cannot know, the next one finds."""
    with client.Client(own_server.url) as nats:
        watch = Watch(nats)
        with Run(own_server.url, concurrency=4, retry_for="60s", **AFTER) as run:
            watch.wait(point, run)
            own_server.kill()
            own_server.start()
            result = run.result()
    assert "plan" in result, result
    with client.Client(own_server.url) as nats:
        came_to_its_end(account_on(own_server, nats))


def test_a_server_that_goes_down_in_order(begun, own_server, account_on):
    with client.Client(own_server.url) as nats:
        watch = Watch(nats)
        with Run(own_server.url, concurrency=4, retry_for="60s", **AFTER) as run:
            watch.wait(WRITES // 3, run)
            own_server.restart()
            result = run.result()
    assert not result.get("failed"), result
    with client.Client(own_server.url) as nats:
        account = account_on(own_server, nats)
        assert account.declare(**AFTER)["plan"] == []
        came_to_its_end(account)
