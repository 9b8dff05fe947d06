# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers answer differently right after they started again; results may not."""

from __future__ import annotations

import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream
from harness import client


@pytest.mark.parametrize("end", ["kill", "shutdown"])
def test_the_first_change_of_a_consumer(run_module, own_server, end):
    """It is answered with the configuration of before, on every version."""
    run_module(jetstream_stream, name="S", subjects=["s"])
    run_module(jetstream_consumer, stream="S", name="C", max_deliver=3)
    getattr(own_server, end)()
    own_server.start()
    changed = run_module(jetstream_consumer, stream="S", name="C", max_deliver=5)
    assert changed["changed"] is True, changed
    assert changed["consumer"]["config"]["max_deliver"] == 5
    with client.Client(own_server.url) as nats:
        assert nats.ok("CONSUMER.INFO.S.C")["config"]["max_deliver"] == 5
    assert run_module(jetstream_consumer, stream="S", name="C", max_deliver=5)["changed"] is False


def test_a_change_of_a_stream(run_module, own_server):
    run_module(jetstream_stream, name="S", subjects=["s"])
    own_server.restart()
    changed = run_module(jetstream_stream, name="S", max_msgs=5)
    assert changed["stream"]["config"]["max_msgs"] == 5
    assert run_module(jetstream_stream, name="S", max_msgs=5)["changed"] is False
