# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three servers of the newest version with an account and a system account, for many tests."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from accounts import accounts

from harness import client, collection, servers

sys.path.append(str(Path(__file__).resolve().parents[1] / "core"))  # its operators


@pytest.fixture(scope="module")
def cluster(newest_server: servers.Server) -> Iterator[servers.Cluster]:
    with servers.Cluster(binary=newest_server.binary, config=accounts()) as running:
        yield running


@pytest.fixture
def nats(cluster: servers.Cluster) -> Iterator[client.Client]:
    with client.Client(cluster.urls[0]) as connection:
        yield connection
    with client.Client(cluster.urls[0]) as after:  # its server may have been killed meanwhile
        for name in after.ok("STREAM.NAMES")["streams"] or []:
            with contextlib.suppress(TimeoutError):
                # One by one: a stream that soon gets the name has had consumers of this one.
                for consumer in after.api(f"CONSUMER.NAMES.{name}").get("consumers") or []:
                    after.api(f"CONSUMER.DELETE.{name}.{consumer}")
                after.ok(f"STREAM.DELETE.{name}")


@pytest.fixture
def run(cluster: servers.Cluster) -> Callable[..., dict[str, Any]]:
    """``run(jetstream_stream, name="S")`` -> the result, as Ansible sees it."""

    def call(module: Any, **args: Any) -> dict[str, Any]:
        return collection.run_module(module, **{"servers": cluster.urls, **args})

    return call
