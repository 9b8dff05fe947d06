# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for every plain pytest run: real servers, modules run in this process.

Isolation: the session's servers are shared, so a test takes its names from ``unique`` (streams of
that name are deleted after it). A test that looks at a whole account, changes the server's settings
or hurts it takes ``own_server``: a new one costs 20 ms.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import client, collection, servers
from harness.sizes import NIGHTLY

collection.make_importable()

# How long an example takes says more about the machine than about what is tested. ``make test``
# draws the same examples each time; ``make nightly`` looks for others.
hypothesis.settings.register_profile("without time", deadline=None, derandomize=not NIGHTLY)
hypothesis.settings.load_profile("without time")


def _binaries() -> list[str]:
    """NATS_SERVERS for the whole session: set here, before the conftests below read it."""
    if "NATS_SERVERS" not in os.environ:  # pytest-xdist's workers inherit what was found
        wanted = () if _only_units() else servers.VERSIONS
        found = [str(servers.find_server(version)) for version in wanted]
        os.environ["NATS_SERVERS"] = os.pathsep.join(found)
    return [path for path in os.environ["NATS_SERVERS"].split(os.pathsep) if path]


def _only_units() -> bool:
    """Unit tests need no server: do not fetch one for them."""
    paths = [Path(argument.partition("::")[0]).resolve() for argument in sys.argv[1:]]
    units = Path(__file__).resolve().parent / "unit"
    tests = [path for path in paths if path.exists()]
    return bool(tests) and all(units in (path, *path.parents) for path in tests)


BINARIES = _binaries()


def _id(binary: str | None) -> str:
    return servers.version_of(binary) if binary else "none"


@pytest.fixture(scope="session", params=BINARIES or [None], ids=_id)
def server(request: pytest.FixtureRequest) -> Iterator[servers.Server]:
    """One server per version for the whole session: the test runs once with each."""
    with servers.Server(request.param) as running:
        yield running


@pytest.fixture(scope="session")
def newest_server() -> Iterator[servers.Server]:
    """For tests to which the version makes no difference."""
    with servers.Server(BINARIES[-1]) as running:
        yield running


@pytest.fixture
def own_server(server: servers.Server) -> Iterator[servers.Server]:
    """A server of the same version for this test alone."""
    with servers.Server(server.binary) as running:
        yield running


@pytest.fixture
def nats(server: servers.Server) -> Iterator[client.Client]:
    """An independent connection, to set up and to look."""
    with client.Client(server.url) as connection:
        yield connection


_numbers = itertools.count(1)


@pytest.fixture
def unique(nats: client.Client) -> Iterator[str]:
    """A name that no other test uses. Streams whose names begin with it are deleted afterwards."""
    name = f"T{os.getpid()}x{next(_numbers)}"
    yield name
    for stream in nats.ok("STREAM.NAMES")["streams"] or []:
        if stream.startswith(name):
            nats.ok(f"STREAM.DELETE.{stream}")


@pytest.fixture
def run_module(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """``run_module(jetstream_stream, name="X", check=True)`` -> the result, as Ansible sees it.

    ``servers`` is the test's server where it has one and names no other.
    """
    defaults: dict[str, Any] = {}
    for fixture in ("own_server", "server", "newest_server"):
        if fixture in request.fixturenames:
            defaults["servers"] = [request.getfixturevalue(fixture).url]
            break

    def run(module: Any, **args: Any) -> dict[str, Any]:
        return collection.run_module(module, **{**defaults, **args})

    return run
