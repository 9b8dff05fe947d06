# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""From connection options to a connection that fails fast and says why.

nats-py connects, but left to itself it tries a closed port for two minutes, hangs after a failed
TLS handshake, sends passwords in plaintext to a server that offers no TLS, and lets a request wait
for its timeout when the connection or a permission is gone (observed on 2.2.0 to 2.16.0). So each
address gets a client and one attempt of its own, and each request ends with its cause.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import json
import logging
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    Address,
    ConnectionOptions,
    Login,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MASK,
    ConnectFailed,
    ConnectionLost,
    JetStreamError,
    MissingLibrary,
    NoJetStream,
    NotSent,
    PermissionDenied,
    RequestTimeout,
)
from ansible_collections.nats.jetstream.plugins.module_utils._headers import (
    Headers,
    parse_headers,
)
from ansible_collections.nats.jetstream.plugins.module_utils._nats import (
    IMPORT_ERROR,
    nats_client,
    nats_errors,
)

NOBODY = "503"  # the status of an answer that the server gives when nobody listens
FLOW_CONTROL = "$js.fc."
# What it may mean that nothing is answered, and what to do.
OF_A_CLUSTER = (
    "A cluster does not answer without a leader: an election is under way, or most of its servers, "
    "or all that hold it, are down. Look at the servers, and run it again, or give retry_for more "
    "time"
)
OF_A_SERVER = "The server or the way to it is too slow, or stalls: look at it, or give timeout more"
CLOSE_TIMEOUT = 0.25  # s; a close after a failed TLS handshake never ends by itself


def connect_arguments(options: ConnectionOptions, address: Address) -> dict[str, Any]:
    """Return what nats-py's connect() is called with: the login and TLS."""
    login = _login(options, address)
    told = {"user": login.user, "password": login.password, "token": login.token}
    arguments: dict[str, Any] = {name: text for name, text in told.items() if text is not None}
    if options.inbox_prefix:
        arguments["inbox_prefix"] = options.inbox_prefix
    # nats-py's own context (the system's authorities) will do where TLS was not asked for.
    if address.tls or not options.validate_certs:
        from ansible_collections.nats.jetstream.plugins.module_utils._tls import tls_context

        arguments["tls"] = tls_context(options)
    if options.tls_hostname:
        arguments["tls_hostname"] = options.tls_hostname
    if options.tls_first:
        arguments["tls_handshake_first"] = True
    return arguments


def _login(options: ConnectionOptions, address: Address) -> Login:
    return address.login or options.login


class _Stop(Exception):
    """Raised in nats-py's error callback while it connects: the first cause ends the attempt."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class NoTls(Exception):
    """TLS was asked for and the server offers none."""


class HungUp(Exception):
    """The connection ended during the login, which nats-py takes for its end."""


def _new_client(address: Address, login: Login, arguments: dict[str, Any]) -> Any:
    """Return a nats-py client that says nothing to a server without TLS where TLS was asked for."""

    class Client(nats_client.Client):
        async def _process_headers(self, headers: bytes) -> Optional[Headers]:
            return parse_headers(headers) if headers else None

        def _connect_command(self) -> bytes:
            if address.tls and _encryption(self) is None:
                raise NoTls()
            command: bytes = super()._connect_command()
            if login.sign is None:
                return command
            verb, _space, told = command.partition(b" ")
            signed = login.sign(self._server_info.get("nonce") or "")
            return verb + b" " + json.dumps({**json.loads(told), **signed}).encode() + b"\r\n"

    client = Client()
    if address.websocket:
        from ansible_collections.nats.jetstream.plugins.module_utils._websocket import websocket

        tls = arguments.get("tls") if address.tls else None
        client._transport = websocket(address.url, tls, arguments.get("tls_hostname"))
    return client


def _encryption(client: Any) -> Any:
    """Return what encrypts a client's connection, None if nothing does."""
    transport = getattr(client, "_transport", None)
    writer = getattr(transport, "_io_writer", None)
    if writer is not None:
        return writer.get_extra_info("ssl_object")
    return getattr(transport, "ssl_object", None)


class Connection:
    """A connection whose requests end with their cause, and that can be made again.

    greeting is the server's INFO line as a dictionary, prefix the one of the JetStream API, url
    the address without its login, account the one of the user as far as it is known.
    """

    def __init__(self, options: ConnectionOptions) -> None:
        self.options = options
        self.prefix = options.prefix
        self.url = ""
        self.greeting: dict[str, Any] = {}
        self.account: Optional[str] = None
        self._client: Any = None
        self._lost: Optional[str] = None
        self._no_answers: Optional[str] = None
        self._reopening = asyncio.Lock()
        self._waiting: dict[asyncio.Future[Any], str] = {}
        self._inbox = ""
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)

    async def open(self) -> None:
        """Connect to the first server that takes us; raise ConnectFailed with every reason."""
        reasons = []
        for address in self.options.addresses:
            arguments = connect_arguments(self.options, address)
            login = _login(self.options, address)
            client = _new_client(address, login, arguments)
            state = _Attempt(self, client)
            try:
                await asyncio.wait_for(
                    client.connect(
                        servers=[address.url],
                        name="ansible nats.jetstream",
                        error_cb=state.on_error,
                        allow_reconnect=False,
                        max_reconnect_attempts=1,
                        reconnect_time_wait=0,
                        connect_timeout=self.options.connect_timeout,
                        # Whoever sends much counts what is on its way; while nats-py waits for
                        # this limit of its own, it swallows a cancellation.
                        pending_size=0,
                        **arguments,
                    ),
                    self.options.connect_timeout,
                )
                if not client.is_connected:
                    raise HungUp()
            except Exception as error:  # whatever nats-py, the system or the TLS library raises
                cause = error.cause if isinstance(error, _Stop) else error
                reasons.append((address.url, self._reason(cause, login)))
                await _close(client)
                continue
            state.connected = True
            client._reading_task.add_done_callback(state.on_end)
            self._client, self._lost, self.url = client, None, address.url
            self._no_answers = None
            self.greeting = dict(client._server_info)
            self.account = login.account
            self._inbox = client.new_inbox()
            try:
                await client.subscribe(f"{self._inbox}.*", cb=self._take)
            except nats_errors.Error:
                self.ended()
                reasons.append((address.url, self._reason(HungUp(), login)))
                continue
            await self._check_place()
            return
        raise ConnectFailed(reasons)

    async def _check_place(self) -> None:
        """Raise WrongPlace, and be closed, unless this is where the task wants to be."""
        cluster, account = self.options.expect_cluster, self.options.expect_account
        if cluster is None and account is None:
            return
        from ansible_collections.nats.jetstream.plugins.module_utils._expected import check_place

        try:
            found = await check_place(self, cluster, account, self.options.timeout)
        except JetStreamError as error:
            self._lost = str(error)
            await _close(self._client)
            raise
        self.account = found or self.account

    def _reason(self, cause: BaseException, login: Login) -> str:
        from ansible_collections.nats.jetstream.plugins.module_utils._faults import explain

        text = explain(cause, self.options.connect_timeout, login.advice)
        for secret in sorted(self.options.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    async def reopen(self) -> None:
        """Connect again after a loss. However many requests ask for it, it is done once."""
        async with self._reopening:
            if self._lost is None:
                return
            await _close(self._client)
            try:
                await self.open()
            except JetStreamError as error:
                self._lost = f"{self._loss()}; connecting again failed: {error}"
                raise

    @property
    def is_lost(self) -> bool:
        return self._lost is not None

    async def request(self, api: str, payload: bytes, timeout: float) -> bytes:
        """Send a request to the JetStream API and return the answer's payload.

        Raises NoJetStream and PermissionDenied at once, ConnectionLost as soon as it is lost
        (NotSent if it was lost before), and RequestTimeout after timeout seconds.
        """
        return await self.request_subject(f"{self.prefix}.{api}", payload, timeout)

    async def request_subject(self, subject: str, payload: bytes, timeout: float) -> bytes:
        """Like request, to a whole subject."""
        return bytes((await self.request_message(subject, payload, timeout)).data)

    async def request_message(
        self, subject: str, payload: bytes, timeout: float, headers: Optional[Headers] = None
    ) -> Any:
        """Like request_subject, with headers both ways; return nats-py's message.

        Its headers are None or Headers.
        """
        if self._lost is not None:
            raise NotSent(self._lost)
        if self._no_answers is not None:
            raise PermissionDenied(f"{subject}: {self._no_answers}")
        loop, reply = asyncio.get_running_loop(), f"{self._inbox}.{next(self._numbers)}"
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting[answer], self._asked[reply] = subject, answer
        timer = loop.call_later(timeout, self._give_up, answer, subject, timeout)
        try:
            await self._send(subject, payload, reply, headers)
            message = await answer
        finally:
            timer.cancel()
            del self._waiting[answer], self._asked[reply]
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # it may have come before it was waited for
        if message.headers and message.headers.status == NOBODY:
            raise NoJetStream(
                f"nothing answers on {subject}: JetStream is switched off on {self.url}, or the "
                "domain or api_prefix is wrong"
            )
        return message

    def _give_up(self, answer: asyncio.Future[Any], subject: str, timeout: float) -> None:
        if not answer.done():
            text = f"no answer to {subject} within {round(timeout, 3):g} s"
            advice = OF_A_CLUSTER if "cluster" in self.greeting else OF_A_SERVER
            answer.set_exception(RequestTimeout(text, advice))

    async def _take(self, message: Any) -> None:
        answer = self._asked.get(message.subject)
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def publish(
        self, subject: str, payload: bytes, reply: str = "", headers: Optional[Headers] = None
    ) -> None:
        """Publish without waiting for an answer; raise NotSent when the connection is lost."""
        if self._lost is not None:
            raise NotSent(self._lost)
        await self._send(subject, payload, reply, headers)

    async def _send(
        self, subject: str, payload: bytes, reply: str, headers: Optional[Headers]
    ) -> None:
        try:
            await self._client.publish(subject, payload, reply=reply, headers=headers)
        except (
            nats_errors.ConnectionClosedError,
            # Until it has closed: it buffers nothing (pending_size).
            nats_errors.OutboundBufferLimitError,
            OSError,
        ) as error:
            raise self._not_sent() from error
        except nats_errors.MaxPayloadError as error:
            raise JetStreamError(
                f"{subject} was not sent: it has {len(payload)} bytes, the server's max_payload is "
                f"{self.max_payload}{self._largest(subject, payload)}"
            ) from error
        except nats_errors.Error as error:
            raise JetStreamError(f"{subject} was not sent: {error}") from error

    def _largest(self, subject: str, payload: bytes) -> str:
        """Name the setting that makes a request for a stream or a consumer so large."""
        if not subject.startswith((f"{self.prefix}.STREAM.", f"{self.prefix}.CONSUMER.")):
            return ""
        body = json.loads(payload)
        body = body.get("config", body)
        return f"; most of it is {max(body, key=lambda name: len(json.dumps(body[name])))}"

    def new_inbox(self) -> str:
        """Return a subject of our own for answers."""
        return str(self._client.new_inbox())

    async def subscribe(self, subject: str, asked: str = "") -> Listener:
        """Return a Listener that takes what arrives on a subject until it is closed.

        asked is the subject of the messages that this one waits for answers to, if there are any:
        the listener ends when the user may not publish there.
        """
        if self._lost is not None:
            raise NotSent(self._lost)
        listener = Listener(self, subject, asked)
        await listener.open(self._client)
        return listener

    @property
    def max_payload(self) -> int:
        """How many bytes a message may have, headers included."""
        return int(self.greeting.get("max_payload") or 1024 * 1024)

    async def close(self) -> None:
        await _close(self._client)

    def _not_sent(self) -> NotSent:
        """Return the error of what nats-py does not send any more, which it may know before us."""
        self.ended()
        return NotSent(self._lost or self._loss())

    def _loss(self) -> str:
        return f"the connection to {self.url} was lost"

    def ended(self) -> None:
        """Fail every request that waits: no answer will come any more."""
        self._lost = self._lost or self._loss()
        for stop in list(self._waiting):
            if not stop.done():
                stop.set_exception(ConnectionLost(self._lost))

    def denied(self, text: str) -> None:
        """Fail the request that a permission violation is about; nats-py lowers its case."""
        quoted = text.split('"')
        subject = quoted[1].lower() if len(quoted) > 1 else ""
        inbox = "permissions violation for subscription" in text.lower()
        advice = "give the user the permission to publish there"
        if inbox:
            # nats-py subscribes once, so the server does not say it again for later requests.
            advice = "set inbox_prefix to one that the user may subscribe to"
            self._no_answers = f"{text}; {advice}"
        own = f"{self.options.inbox_prefix or '_INBOX'}."
        for stop, waiting in list(self._waiting.items()):
            mine = _covers(waiting.lower(), subject)
            # The server asks on an inbox that the flow control is answered on another subject.
            mine = mine or (subject.startswith(FLOW_CONTROL) and waiting.startswith(own))
            if not stop.done() and (inbox or mine):
                stop.set_exception(PermissionDenied(f"{waiting}: {text}; {advice}"))


class Listener:
    """What arrives on a subject, one message after the other, or the cause why none does.

    Use it as ``async with await connection.subscribe(subject) as listener``.
    """

    def __init__(self, connection: Connection, subject: str, asked: str = "") -> None:
        self.connection, self.subject, self.asked = connection, subject, asked or subject
        self._arrived: collections.deque[Any] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._stop: asyncio.Future[None] = self._loop.create_future()
        self._news: asyncio.Future[None] = self._loop.create_future()
        self._watched: list[asyncio.Future[None]] = []
        self._subscription: Any = None

    async def open(self, client: Any) -> None:
        self.connection._waiting[self._stop] = self.asked
        self._stop.add_done_callback(lambda stop: self._tell())
        try:
            self._subscription = await client.subscribe(self.subject, cb=self._take)
        except nats_errors.Error as error:
            raise self.connection._not_sent() from error

    async def _take(self, message: Any) -> None:
        self._arrived.append(message)
        self._tell()

    def _tell(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

    async def next(self, timeout: float) -> Any:
        """Return the next message of nats-py; its headers are None or Headers.

        Raises RequestTimeout after timeout seconds, ConnectionLost and PermissionDenied at once.
        """
        if not self._arrived and not self._stop.done():
            self._news = self._loop.create_future()
            # wait_for() can swallow a cancellation, and then nobody is interrupted.
            await asyncio.wait({self._news}, timeout=timeout)
        if self._arrived:
            return self._arrived.popleft()
        if self._stop.done():
            self._stop.result()
        what = f"no answer to {self.asked}" if self.asked != self.subject else ""
        what = what or f"nothing arrived on {self.subject}"
        raise RequestTimeout(f"{what} within {timeout:g} s")

    def watch(self, subject: str) -> None:
        """End with the cause, too, when the user may not publish to a subject; it may end in >."""
        denied: asyncio.Future[None] = self._loop.create_future()
        self._watched.append(denied)
        self.connection._waiting[denied] = subject
        denied.add_done_callback(self._pass_on)

    def _pass_on(self, denied: asyncio.Future[None]) -> None:
        error = None if denied.cancelled() else denied.exception()
        if error is not None and not self._stop.done():
            self._stop.set_exception(error)

    async def close(self) -> None:
        for stop in (self._stop, *self._watched):
            self.connection._waiting.pop(stop, None)
            stop.cancel()
            if not stop.cancelled():
                stop.exception()  # it was told, or nobody asked any more
        with contextlib.suppress(Exception):  # of a connection that may be gone
            await self._subscription.unsubscribe()

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(self, *cause: object) -> None:
        await self.close()


def _covers(waiting: str, subject: str) -> bool:
    """Say whether what is waited for is the subject, or has it under its last wildcard."""
    return waiting == subject or (waiting.endswith(".>") and subject.startswith(waiting[:-1]))


class _Attempt:
    """The callbacks of one client: nats-py only awaits coroutines, and knows no state of ours."""

    def __init__(self, connection: Connection, client: Any) -> None:
        self.connection, self.client, self.connected = connection, client, False

    async def on_error(self, error: BaseException) -> None:
        if not self.connected:
            raise _Stop(error)
        if self.connection._client is not self.client:
            return
        if "permissions violation" in str(error).lower():
            self.connection.denied(str(error))
        # Told before nats-py closes, which may take its time.
        lost = (nats_errors.StaleConnectionError, nats_errors.UnexpectedEOF, OSError)
        if isinstance(error, lost) and not isinstance(error, asyncio.TimeoutError):
            self.connection.ended()

    def on_end(self, reading: asyncio.Future[None]) -> None:
        """Nothing is read any more: the callbacks of nats-py do not come for every such end.

        Closing, it sends what is left, and when that fails, too, it says nothing. Up to 2.14 it
        says nothing whenever the server hung up.
        """
        if not reading.cancelled():
            reading.exception()  # or else asyncio complains of it
        if self.connection._client is self.client:
            self.connection.ended()


async def _close(client: Any) -> None:
    if client is None:
        return
    transport = getattr(client, "_transport", None)
    with contextlib.suppress(Exception):  # nothing depends on how it ends
        await asyncio.wait_for(client.close(), CLOSE_TIMEOUT)
    # Not every close gets as far as the socket: up to nats-py 2.14 none after a server's death.
    writer = getattr(transport, "_io_writer", None)
    if writer is not None:
        writer.transport.abort()


async def open_connection(options: ConnectionOptions) -> Connection:
    """Return an open connection.

    Raises ConnectFailed with the reason of each server, and MissingLibrary without nats-py.
    """
    if IMPORT_ERROR is not None:
        raise MissingLibrary(
            f"nats-py is needed on the host that runs the module ({IMPORT_ERROR}); "
            "install it for its Python: pip install nats-py"
        )
    # Without a handler nats-py's refused attempts go to standard error, as does, from Python 3.11
    # on, a remark of asyncio at the end of each TLS connection.
    logger = logging.getLogger("nats.aio.client")
    if not logger.handlers:  # once in a process: a plugin opens many connections
        logger.addHandler(logging.NullHandler())
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    connection = Connection(options)
    await connection.open()
    return connection
