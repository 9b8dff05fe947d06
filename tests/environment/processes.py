# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the module in processes of their own, and a gate before the server that can hold them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

from harness import client, collection, servers

MODULE = "ansible_collections.nats.jetstream.plugins.modules.jetstream_environment"
WRITING = ("CREATE", "UPDATE", "DELETE", "PURGE")
PATIENCE = 120.0  # s; for what takes a second on a machine that has nothing else to do


class Run:
    """``with Run(url, streams=[...]) as run: ...; run.result()``"""

    def __init__(self, url: str, **args: Any) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nats-jetstream-run-")
        file, self._output = Path(self._folder.name) / "args", Path(self._folder.name) / "out"
        args = {"servers": [url], "connect_timeout": "30s", **args}
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": args}))
        with open(self._output, "wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(file)],
                env={**os.environ, "PYTHONPATH": str(collection.tree())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=servers.die_with_parent,
            )

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def kill(self) -> bool:
        """End it as kill -9 does; return whether it had not ended by itself."""
        self._process.kill()
        return self._process.wait() == -signal.SIGKILL

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def result(self) -> dict[str, Any]:
        self._process.wait(PATIENCE)
        text = self._output.read_text().strip()
        assert text.startswith("{"), text[:4000]  # neither a traceback nor nothing
        result: dict[str, Any] = json.loads(text)
        return result


class Watch:
    """Counts the requests that write, from the moment on that it is made."""

    def __init__(self, nats: client.Client) -> None:
        self._nats = nats
        self._number = nats.subscribe("$JS.API.>")
        nats.flush()

    def wait(self, count: int, run: Run) -> int:
        """Return once the server got so many, or the run is over; how many it got."""
        seen = 0
        while seen < count:
            try:
                message = self._nats.next(self._number, timeout=1.0)
            except TimeoutError:
                if not run.is_running:
                    break
                continue
            seen += any(f".{one}." in message.subject for one in WRITING)
        return seen


class Gate:
    """A port that leads to a server. What a client sends goes through ``look`` first.

    look gets the number of the connection and the bytes; while it takes its time, they wait. When
    the client is gone, it gets no bytes.
    """

    def __init__(self, server: servers.Server, look: Callable[[int, bytes], None]) -> None:
        self._server, self._look = server, look
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            for number in range(1_000_000):
                near, _address = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._server.port))
                self._open += [near, far]
                threading.Thread(target=self._there, args=(number, near, far), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near), daemon=True).start()

    def _there(self, number: int, near: socket.socket, far: socket.socket) -> None:
        for data in _chunks(near):
            self._look(number, data)
            with contextlib.suppress(OSError):
                far.sendall(data)
        self._look(number, b"")
        self._end(far)

    def _pump(self, far: socket.socket, near: socket.socket) -> None:
        for data in _chunks(far):
            with contextlib.suppress(OSError):
                near.sendall(data)
        self._end(near)

    def _end(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _chunks(one: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            yield data
