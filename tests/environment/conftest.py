# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments own whole accounts, so each test has a server of its own, or an emptied one."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any, Callable

import long_way
import pytest

from ansible_collections.nats.jetstream.plugins.modules import jetstream_environment
from harness import client, servers

WRITING = ("CREATE", "UPDATE", "DELETE", "PURGE", "PAUSE", "RESET")


class Account:
    """An account that is empty at first: declares environments, and looks with its own eyes."""

    def __init__(self, nats: client.Client, run: Callable[..., dict[str, Any]]) -> None:
        self.nats, self._run = nats, run
        self.version = tuple(int(part) for part in nats.info["version"].split("-")[0].split("."))

    def declare(self, **args: Any) -> dict[str, Any]:
        return self._run(jetstream_environment, **args)

    def agrees(self, **args: Any) -> dict[str, Any]:
        """Run a declaration as a user should be able to trust: check mode says what the run does,
        and a second run changes nothing."""
        foretold = self.declare(check=True, **args)
        before = self.state()
        result = self.declare(**args)
        assert not result.get("failed"), result["msg"]
        assert foretold["changed"] == result["changed"]
        assert foretold["plan"] == result["plan"]
        assert foretold["plan_digest"] == result["plan_digest"]
        assert foretold["summary"] == result["summary"]
        if not result["changed"]:
            assert self.state() == before
        again = self.declare(**args)
        assert not again["changed"], again["plan"]
        assert again["plan"] == []
        return result

    def state(self) -> dict[str, Any]:
        """Return the configurations of all streams and consumers, as the server tells them."""
        out = {}
        for name in self.streams():
            out[name] = self.nats.ok(f"STREAM.INFO.{name}")["config"]
            for consumer in self.consumers(name):
                info = self.nats.ok(f"CONSUMER.INFO.{name}.{consumer}")
                out[f"{name}/{consumer}"] = info["config"]
        return out

    def streams(self) -> list[str]:
        return sorted(self.nats.ok("STREAM.NAMES")["streams"] or [])

    def consumers(self, stream: str) -> list[str]:
        return sorted(self.nats.ok(f"CONSUMER.NAMES.{stream}")["consumers"] or [])

    def subjects(self, stream: str) -> list[str]:
        return self.nats.ok(f"STREAM.INFO.{stream}")["config"].get("subjects", [])

    def messages(self, stream: str) -> int:
        return self.nats.ok(f"STREAM.INFO.{stream}")["state"]["messages"]

    def store(self, *subjects: str) -> None:
        for subject in subjects:
            json.loads(self.nats.request(subject, b"x"))["seq"]

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[tuple[str, dict[str, Any]]]]:
        """Collect the requests that write, (request, body), in the order the server got them.

        Without those by which 2.9 makes consumers for its own sources and mirrors.
        """
        seen: list[tuple[str, dict[str, Any]]] = []
        number = self.nats.subscribe("$JS.API.>")
        self.nats.flush()
        yield seen
        self.nats.flush()
        waiting = self.nats._waiting[number]
        while waiting:
            message = waiting.popleft()
            request = message.subject[len("$JS.API.") :]
            kind, _dot, action = request.partition(".")
            internal = kind == "CONSUMER" and request.count(".") == 2
            if action.split(".")[0] in WRITING and not internal:
                seen.append((request, json.loads(message.data or b"{}")))
        self.nats._send(f"UNSUB {number}\r\n".encode())

    def advised(self, number: str) -> list[tuple[str, Any]]:
        """Return (request, error) of every write that the server told of, in its order.

        number is that of a subscription to its advisories. 2.9 makes consumers of its own.
        """
        self.nats.flush()
        time.sleep(0.1)  # advisories come after the answers
        self.nats.flush()
        seen = []
        while self.nats._waiting[number]:
            advisory = json.loads(self.nats._waiting[number].popleft().data)
            request = advisory["subject"].removeprefix("$JS.API.")
            kind, _dot, action = request.partition(".")
            if action.split(".")[0] in WRITING and not (
                kind == "CONSUMER" and request.count(".") == 2
            ):
                seen.append((request, json.loads(advisory["response"]).get("error")))
        return seen

    def empty(self) -> None:
        for name in self.streams():
            self.nats.ok(f"STREAM.DELETE.{name}")


@pytest.fixture(scope="session")
def environment_server(server: servers.Server) -> Iterator[servers.Server]:
    """A server of the same version whose only account these tests have for themselves."""
    with servers.Server(server.binary) as running:
        yield running


@pytest.fixture
def account_on(
    run_module: Callable[..., dict[str, Any]],
) -> Callable[[servers.Server, client.Client], Account]:
    """Return what makes an Account of a server and a connection to it."""

    def make(server: servers.Server, nats: client.Client) -> Account:
        def run(module: Any, **args: Any) -> dict[str, Any]:
            return run_module(module, **{"servers": [server.url], **args})

        return Account(nats, run)

    return make


@pytest.fixture
def account(
    environment_server: servers.Server,
    account_on: Callable[[servers.Server, client.Client], Account],
) -> Iterator[Account]:
    with client.Client(environment_server.url) as nats:
        one = account_on(environment_server, nats)
        one.empty()
        yield one
        one.empty()


@pytest.fixture
def begun(
    own_server: servers.Server, account_on: Callable[[servers.Server, client.Client], Account]
) -> Iterator[Account]:
    """A server at the beginning of the long way, with messages, and something that is nobody's."""
    with client.Client(own_server.url) as nats:
        account = account_on(own_server, nats)
        account.nats.ok("STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine"]})
        account.agrees(**long_way.BEFORE)
        account.store(*long_way.STORED, "mine")
        yield account
