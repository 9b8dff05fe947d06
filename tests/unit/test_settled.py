# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an asset in a cluster is what was asked for, and when it still has to be waited for."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils._rules import is_settled


def info(num_replicas=3, **cluster):
    return {"config": {"num_replicas": num_replicas}, "cluster": {"name": "c", **cluster}}


CURRENT = [{"name": "b", "current": True}, {"name": "c", "current": True}]


@pytest.mark.parametrize(
    "answer, expected",
    [
        (info(leader="a", replicas=CURRENT), True),
        (info(1, leader="a"), True),
        (info(0, leader="a"), True),
        (info(replicas=CURRENT), False),
        (info(leader="a"), False),
        (info(leader="a", replicas=CURRENT[:1]), False),
        (info(leader="a", replicas=[*CURRENT[:1], {"name": "c", "current": False}]), False),
        (info(leader="a", replicas=[*CURRENT[:1], {**CURRENT[1], "offline": True}]), False),
        (info(leader="a", replicas=CURRENT, desired={"num_replicas": 1}), False),
    ],
)
@pytest.mark.parametrize("told", [False, True])
def test_in_a_cluster(answer, expected, told):
    assert is_settled(answer, told) is expected


@pytest.mark.parametrize("config", [{}, {"num_replicas": 1}, {"num_replicas": 3}])
def test_servers_alone_have_nothing_to_wait_for(config):
    assert is_settled({"config": config})
    assert is_settled({"config": config, "cluster": {"leader": "a"}})
    assert is_settled({"config": config, "cluster": {"leader": "a"}}, told=True)


def test_a_cluster_that_is_not_told_is_not_settled():
    assert not is_settled({"config": {"num_replicas": 3}}, told=True)
