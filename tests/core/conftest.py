# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to a server: a connection with a manager, and a proxy that loses answers."""

from __future__ import annotations

import pytest
from connecting import Proxy, with_manager


@pytest.fixture
def call(server):
    """``call(lambda manager: manager.stream_info("S"))`` on the test's server."""

    def run(work, **given):
        return with_manager(work, server.url, **given)

    return run


@pytest.fixture
def proxy(own_server):
    between = Proxy(own_server.port)
    yield between
    between.close()
