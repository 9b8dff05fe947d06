# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy between a module and a server, which does to their connection what networks do.

It understands as much of the NATS protocol as it takes to tell messages apart, so that a fault is
placed by counting and not by time: a slow machine has it where a fast one has it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from . import servers

PIECE = 7  # bytes that go at a time where everything is slow
PAUSE = 0.001  # s, after each of them

# A server dies with the thread that started it (servers.die_with_parent): this one stays.
_RESTARTS = ThreadPoolExecutor(1)

# What happens, and to what: the messages that a client publishes, or those that it gets. All
# happen once, but for those that last.
FAULTS = (
    "request lost",
    "answer lost",
    "cut before request",
    "cut within request",
    "cut before answer",  # what it answers was carried out
    "cut within answer",
    "restart before request",
    "restart before answer",
    "silent from request",  # lasts: nothing arrives any more, in both directions
    "silent from answer",
    "gone from request",  # lasts: nobody listens any more
    "gone from answer",
)
LASTING = tuple(one for one in FAULTS if " from " in one)

# Messages to be found by what is in them: the empty one that ends a restore, and the answer to it.
RESTORE_END = re.compile(rb"^PUB \$JS\.SNAPSHOT\.RESTORE\.\S+ \S+ 0\r\n")
RESTORE_ANSWER = re.compile(rb"stream_create_response")


class Fault(NamedTuple):
    """What happens, and at the how many-th message, from 1 on; or, of bytes, after how many.

    With a pattern it is the first message in which that is found: in its line of the protocol, or
    in what follows.
    """

    what: str
    at: int = 1
    pattern: re.Pattern[bytes] | None = None

    @property
    def lasts(self) -> bool:
        return self.what in LASTING

    def __str__(self) -> str:
        return f"{self.what} {self.at}"


class _End(Exception):
    """The connection ends here."""


class Between:
    """``with Between(server) as between:`` is a port that leads to a server, at ``between.url``.

    It counts what passes: ``requests`` and ``answers`` in messages, ``sent`` and ``got`` in bytes
    from and to the client, greetings and all, and keeps the subjects of the requests, in
    ``asked``. ``disturb`` makes it start from 0 with one fault, which has ``happened`` at some time
    or not. Besides FAULTS there are "cut sent" and "cut got", which count bytes, and "slow", which
    lasts and comes to a few bytes at a time.
    """

    def __init__(self, server: servers.Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.disturb(None)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> Between:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in [self._listener, *self._open]:
            _end(one)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._address[1]}"

    def disturb(self, fault: Fault | None) -> None:
        """Start anew, with a fault or with none. Connections that are open are ended."""
        self.wait()
        for one in self._open:
            _end(one)
        self._open = []
        self.fault, self.happened = fault, False
        self.requests = self.answers = self.sent = self.got = 0
        self.asked: list[str] = []
        self._silent = False
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(self._address)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def wait(self) -> None:
        """Return when a server that was killed is back."""
        _RESTARTS.submit(int).result()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._server.port))
                except OSError:  # it is about to come back
                    near.close()
                    continue
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [near, far]
                for source, target, asks in ((near, far, True), (far, near, False)):
                    pump = threading.Thread(target=self._pump, args=(source, target, asks))
                    pump.daemon = True
                    pump.start()

    def _pump(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError, _End):
            for frame, is_message in _frames(source):
                self._pass(frame, is_message, target, asks)
        _end(source)
        _end(target)

    def _pass(self, frame: bytes, is_message: bool, target: socket.socket, asks: bool) -> None:
        with self._lock:
            before, at = self._count(frame, is_message, asks)
            if self.fault and self.fault.pattern and is_message:
                at = self.fault.at if self.fault.pattern.search(frame) else 0
            what = self._due(before, at, asks)
        if what.startswith(("silent", "gone")):
            self._leave(what)
        if self._silent or what.endswith("lost"):
            return
        if what.startswith("cut within"):
            target.sendall(frame[: len(frame) // 2])
        elif what in ("cut sent", "cut got") and self.fault:
            target.sendall(frame[: self.fault.at - before])
        elif what.startswith("restart"):
            _RESTARTS.submit(self._restart)
        elif what == "slow":
            for start in range(0, len(frame), PIECE):
                target.sendall(frame[start : start + PIECE])
                time.sleep(PAUSE)
            return
        if what:
            raise _End
        target.sendall(frame)

    def _count(self, frame: bytes, is_message: bool, asks: bool) -> tuple[int, int]:
        """Return how many bytes went this way before, and the how many-th message this is."""
        if asks:
            before, self.sent = self.sent, self.sent + len(frame)
            self.requests += is_message
            if is_message:
                self.asked.append(frame.split(None, 2)[1].decode())
            return before, self.requests if is_message else 0
        before, self.got = self.got, self.got + len(frame)
        self.answers += is_message
        return before, self.answers if is_message else 0

    def _due(self, before: int, at: int, asks: bool) -> str:
        """Return what is to happen to a frame, nothing if it just passes."""
        fault = self.fault
        if fault is None:
            return ""
        if fault.what == "slow":
            self.happened = True
            return fault.what
        if self.happened:
            return ""
        if fault.what.startswith("cut ") and fault.what.endswith(("sent", "got")):
            passed = self.sent if asks else self.got
            due = fault.what.endswith("sent" if asks else "got") and before <= fault.at < passed
        else:
            due = fault.what.endswith("request" if asks else "answer") and at == fault.at
            due = due or (
                fault.what == f"{'request' if asks else 'answer'} lost" and at == fault.at
            )
        self.happened = due
        return fault.what if due else ""

    def _leave(self, what: str) -> None:
        if what.startswith("silent"):
            self._silent = True
        else:
            _end(self._listener)
            raise _End

    def _restart(self) -> None:
        self._server.kill()
        self._server.start()


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _frames(source: socket.socket) -> Iterator[tuple[bytes, bool]]:
    """Yield each line of the protocol, a message with its payload; and whether it is a message."""
    buffer = b""
    while True:
        line, end, _rest = buffer.partition(b"\r\n")
        words = line.split()
        is_message = bool(words) and words[0].upper() in (b"PUB", b"HPUB", b"MSG", b"HMSG")
        size = len(line) + 2 + (int(words[-1]) + 2 if end and is_message else 0)
        if end and len(buffer) >= size:
            frame, buffer = buffer[:size], buffer[size:]
            yield frame, is_message
            continue
        data = source.recv(65536)
        if not data:
            return
        buffer += data
