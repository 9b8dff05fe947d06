# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small blocking NATS client for assertions.

It shares nothing with the collection or nats-py, so that a test can ask the server itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import time
import urllib.parse
from collections import defaultdict, deque
from typing import Any, NamedTuple

STILL_THERE = "error creating store for stream"  # err_code 10049, which has other meanings, too


class NatsError(Exception):
    """The server refused: its own words."""


class NoResponders(NatsError):
    """Nobody listens on the subject."""


class Message(NamedTuple):
    subject: str
    reply: str
    data: bytes
    headers: bytes = b""


class Client:
    """``with Client(server.url) as nats: nats.api("STREAM.INFO.ORDERS")``"""

    def __init__(
        self,
        url: str,
        timeout: float = 5.0,
        tls: ssl.SSLContext | None = None,
        **connect: Any,
    ) -> None:
        """User, password or token may be in the URL; ``connect`` adds to the CONNECT message."""
        parts = urllib.parse.urlsplit(url)
        self.timeout = timeout
        self._buffer = b""
        self._sids = itertools.count(1)
        self._waiting: dict[str, deque[Message]] = defaultdict(deque)
        self._socket = socket.create_connection((parts.hostname, parts.port or 4222), timeout)
        self._deadline = time.monotonic() + timeout
        self.info = json.loads(self._line().partition(b" ")[2])
        if tls:  # from here on; the server speaks first without it
            self._socket = tls.wrap_socket(self._socket, server_hostname=parts.hostname)
        options: dict[str, Any] = {"verbose": False, "pedantic": False, "lang": "test"}
        options.update(version="1", protocol=1, headers=True, no_responders=True)
        if parts.password is not None:
            options.update(user=parts.username, **{"pass": parts.password})
        elif parts.username:
            options.update(auth_token=parts.username)
        options.update(connect)
        self._send(f"CONNECT {json.dumps(options)}\r\n".encode())
        self._inbox = f"_INBOX.{id(self):x}.{time.monotonic_ns():x}"
        self._inbox_sid = self.subscribe(f"{self._inbox}.*")
        self.flush()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def publish(
        self, subject: str, data: bytes | str = b"", reply: str = "", msg_id: str = ""
    ) -> None:
        """Publish a message; with an identity, a stream takes it once only."""
        payload = data.encode() if isinstance(data, str) else data
        headers = f"NATS/1.0\r\nNats-Msg-Id: {msg_id}\r\n\r\n".encode() if msg_id else b""
        sizes = f"{len(headers)} {len(headers + payload)}" if headers else f"{len(payload)}"
        verb = "HPUB" if headers else "PUB"
        head = f"{verb} {subject} {reply + ' ' if reply else ''}{sizes}\r\n"
        self._send(head.encode() + headers + payload + b"\r\n")

    def subscribe(self, subject: str) -> str:
        """Return the number by which ``next`` asks for messages of this subscription."""
        sid = str(next(self._sids))
        self._send(f"SUB {subject} {sid}\r\n".encode())
        return sid

    def next(self, sid: str, timeout: float | None = None) -> Message:
        """Return the next message; TimeoutError if none comes."""
        self._deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not self._waiting[sid]:
            self._read()
        return self._waiting[sid].popleft()

    def request(
        self,
        subject: str,
        payload: bytes | str = b"",
        timeout: float | None = None,
        msg_id: str = "",
    ) -> bytes:
        reply = f"{self._inbox}.{next(self._sids)}"
        self.publish(subject, payload, reply, msg_id)
        while True:
            message = self.next(self._inbox_sid, timeout)
            if message.subject == reply:  # else: the late answer to a request that timed out
                break
        if message.headers.startswith(b"NATS/1.0 503") and not message.data:
            raise NoResponders(f"no responders on {subject}")
        return message.data

    def api(self, name: str, body: Any = None, prefix: str = "$JS.API") -> dict[str, Any]:
        """Return the answer to one call of the JetStream API, errors included, as it came."""
        payload = b"" if body is None else json.dumps(body).encode()
        answer: dict[str, Any] = json.loads(self._asked(f"{prefix}.{name}", payload))
        return answer

    def _asked(self, subject: str, payload: bytes) -> bytes:
        """Ask what changes nothing more than once: in an election, a cluster may never answer."""
        for _attempt in range(2):
            if set(subject.split(".")) & {"INFO", "LIST", "NAMES"}:
                with contextlib.suppress(TimeoutError):
                    return self.request(subject, payload)
        return self.request(subject, payload)

    def ok(self, name: str, body: Any = None, prefix: str = "$JS.API") -> dict[str, Any]:
        """Like ``api``, but an error in the answer is raised.

        What fails because a stream in files was deleted a moment ago is repeated.
        """
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self.api(name, body, prefix)
            error = answer.get("error", {})
            if error.get("description") != STILL_THERE or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        if "error" in answer:
            raise NatsError(f"{name}: {answer['error']}")
        return answer

    def flush(self) -> None:
        """Return when the server has worked off everything that was sent."""
        self._deadline = time.monotonic() + self.timeout
        self._send(b"PING\r\n")
        while self._read() != b"PONG":
            pass

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self.timeout)
        self._socket.sendall(data)

    def _fill(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server did not answer in time")
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except socket.timeout as error:  # another class than TimeoutError before Python 3.10
            raise TimeoutError("the server did not answer in time") from error
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._fill()
        line, _end, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size + 2:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
        return data

    def _read(self) -> bytes:
        """Handle one protocol line and return its first word."""
        line = self._line()
        kind = line.split(b" ", 1)[0].upper()
        if kind in (b"MSG", b"HMSG"):
            words = line.decode().split()
            size = int(words[-1])
            head = int(words[-2]) if kind == b"HMSG" else 0
            reply = words[3] if len(words) > (5 if head else 4) else ""
            data = self._take(size)
            message = Message(words[1], reply, data[head:], data[:head])
            self._waiting[words[2]].append(message)
        elif kind == b"PING":
            self._send(b"PONG\r\n")
        elif kind == b"-ERR":
            raise NatsError(line.decode())
        return kind
