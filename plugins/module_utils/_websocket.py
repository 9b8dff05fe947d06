# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""A websocket that carries the NATS protocol, by aiohttp. Loaded for ws:// and wss:// only.

nats-py has one too. It cannot be told under which name a certificate is expected, takes a frame
for a line, and leaves its session open when a connection fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._errors import MissingLibrary


def websocket(url: str, tls: Any, tls_hostname: Any) -> Any:
    """Return a transport for nats-py's client; tls is an SSL context or None.

    Raises MissingLibrary with the URL that needs it.
    """
    try:
        import aiohttp  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise MissingLibrary(
            f"servers: {url} needs the Python package aiohttp on the host that runs the module "
            f"({error}); install it for its Python: pip install aiohttp"
        ) from error
    return _WebSocket(aiohttp, url, tls, tls_hostname)


class NoWebSocket(Exception):
    """Something answers that is no websocket."""


async def _refuse(*_about: Any) -> None:
    """The login would go to a server that nobody named, maybe without TLS."""
    raise NoWebSocket("it sends its clients somewhere else")


class _WebSocket:
    """What nats-py's client asks of a transport."""

    def __init__(self, aiohttp: Any, url: str, tls: Any, tls_hostname: Any) -> None:
        self._aiohttp, self._url, self._tls, self._name = aiohttp, url, tls, tls_hostname
        self._session: Any = None
        self._socket: Any = None
        self._buffer = b""
        self._unsent: list[bytes] = []
        self._closing: Any = None

    async def connect(self, uri: Any, buffer_size: int, connect_timeout: float) -> None:
        given = {"ssl": self._tls} if self._tls is not None else {}
        if self._tls is not None and self._name:
            given["server_hostname"] = self._name
        trace = self._aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse)
        self._session = self._aiohttp.ClientSession(trace_configs=[trace])
        try:
            self._socket = await self._session.ws_connect(self._url, max_msg_size=0, **given)
        except self._aiohttp.ClientError as error:
            # What is behind it has its own sentence.
            for name in ("certificate_error", "os_error"):
                if getattr(error, name, None) is not None:
                    raise getattr(error, name) from error
            raise NoWebSocket(str(error)) from error

    async def connect_tls(
        self, uri: Any, ssl_context: Any, buffer_size: int, connect_timeout: float
    ) -> None:
        if self._socket is None:
            await self.connect(uri, buffer_size, connect_timeout)

    @property
    def ssl_object(self) -> Any:
        """What encrypts the connection, None if nothing does."""
        return None if self._socket is None else self._socket.get_extra_info("ssl_object")

    def write(self, payload: bytes) -> None:
        self._unsent.append(bytes(payload))

    def writelines(self, payload: list[bytes]) -> None:
        self._unsent += map(bytes, payload)

    async def drain(self) -> None:
        unsent, self._unsent = b"".join(self._unsent), []
        if unsent:
            await self._socket.send_bytes(unsent)

    async def read(self, buffer_size: int) -> bytes:
        data, self._buffer = self._buffer or await self._frame(), b""
        return data

    async def readline(self) -> bytes:
        while b"\n" not in self._buffer:
            data = await self._frame()
            if not data:
                break
            self._buffer += data
        line, end, self._buffer = self._buffer.partition(b"\n")
        return line + end

    async def _frame(self) -> bytes:
        """Return the next bytes, none when the other side has ended."""
        message = await self._socket.receive()
        return message.data if message.type is self._aiohttp.WSMsgType.BINARY else b""

    def at_eof(self) -> bool:
        return self._socket is None or self._socket.closed

    def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())

    async def wait_closed(self) -> None:
        if self._closing is not None:
            await self._closing

    async def _close(self) -> None:
        with contextlib.suppress(Exception):  # nothing depends on how it ends
            if self._socket is not None:
                await self._socket.close()
        if self._session is not None:
            await self._session.close()

    def __bool__(self) -> bool:
        return True
