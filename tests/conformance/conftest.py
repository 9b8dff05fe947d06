# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account to work in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from independent import Account

from harness import client, servers


@pytest.fixture
def account(nats: client.Client, server: servers.Server) -> Iterator[Account]:
    """The account of the session's server, with nothing in it."""
    account = Account(nats, server)
    account.clear()
    yield account
    account.clear()
