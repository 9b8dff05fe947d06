# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole environments while the cluster shakes: each run converges, or says what is not done.

What a result says is compared with what an independent client finds afterwards. NIGHTLY=1 has ten
runs of each fault with 200 streams.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress

import chaos
import pytest
from accounts import stepped_down

from ansible_collections.nats.jetstream.plugins.modules import jetstream_environment
from harness.sizes import size

STREAMS = size(40, 200)
RUNS = size(1, 10)


@pytest.fixture(autouse=True)
def whole(cluster):
    """Every test begins and ends with three servers that run."""
    yield
    for server in cluster.servers:
        if not server.is_running:
            server.start()
    cluster.wait_for_leader()
    chaos.emptied(cluster)


class Faults:
    """What happens to a cluster in the middle of a run."""

    def __init__(self, cluster, chance):
        self.cluster, self.chance = cluster, chance

    def the_meta_leader_steps_down(self):
        for _number in range(3):
            with suppress(*chaos.NOT_NOW):  # there may be none just now
                stepped_down(self.cluster)
            time.sleep(0.4)

    def a_stream_leader_is_killed(self):
        def leader(nats):
            found = nats.ok("STREAM.INFO.E0").get("cluster", {}).get("leader")
            return next((one for one in self.cluster.servers if one.name == found), None)

        self._gone([chaos.patiently(self.cluster, leader)], seconds=3)

    def a_node_restarts(self):
        self.chance.choice(self.cluster.servers).restart()

    def quorum_is_lost_and_comes_back(self):
        self._gone(self.chance.sample(self.cluster.servers, 2), seconds=4)

    def quorum_is_lost_for_long(self):
        self._gone(self.chance.sample(self.cluster.servers, 2), seconds=25)

    def _gone(self, nodes, seconds):
        for server in nodes:
            server.kill()
        time.sleep(seconds)
        for server in nodes:
            server.start()


# A short patience, and a quorum that is away for longer: such a run can only fail.
HASTY = {"retry_for": "4s", "timeout": "2s", "wait_timeout": "4s"}
PATIENT = {"retry_for": "60s", "wait_timeout": "60s"}
WAYS = {
    "the_meta_leader_steps_down": PATIENT,
    "a_stream_leader_is_killed": PATIENT,
    "a_node_restarts": PATIENT,
    "quorum_is_lost_and_comes_back": PATIENT,
    "quorum_is_lost_for_long": HASTY,
}


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.parametrize("fault", WAYS)
def test_it_shakes(fault, number, run, cluster):
    chance, options = random.Random(f"{fault} {number}"), WAYS[fault]
    damage = getattr(Faults(cluster, chance), fault)
    first, second = (chaos.declared(STREAMS, generation) for generation in (1, 2))
    # In the middle of creating, or of changing.
    creates = (list(WAYS).index(fault) + number) % 2 == 0
    messages = {}
    if not creates:
        made = run(jetstream_environment, streams=first, **PATIENT)
        assert made.get("changed") is True, made
        messages = chaos.stored(cluster, [f"E{one}" for one in range(0, STREAMS, 10)])
    streams = first if creates else second
    with chaos.Shake(cluster, damage, chance.randrange(2, STREAMS // 2)) as shake:
        started = time.monotonic()
        result = run(jetstream_environment, streams=streams, **options)
        took = time.monotonic() - started
    assert shake.happened.is_set(), "the run was over before"
    seen = chaos.look(cluster)
    verdict = chaos.judge(result, streams, seen)
    assert verdict.converged is (options is PATIENT), result.get("msg")
    lost = {name: count - seen.messages.get(name, 0) for name, count in messages.items()}
    assert not any(lost.values()), f"messages are lost: {lost}"
    again = run(jetstream_environment, streams=streams, **PATIENT)
    assert not again.get("failed"), again["msg"]
    rest = {chaos.place_of(row) for row in again["plan"]}
    assert rest <= verdict.open | verdict.unsure, rest
    assert verdict.open <= rest, f"said to be open, and done: {verdict.open - rest}"
    final = chaos.look(cluster)
    assert chaos.judge(again, streams, final).converged
    print(
        f"\n{fault} {number}: {'create' if creates else 'change'} {took:.1f} s, "
        f"{'converged' if verdict.converged else 'failed'}, done {len(verdict.done)}, "
        f"open {len(verdict.open)}, unsure {len(verdict.unsure)}"
    )
