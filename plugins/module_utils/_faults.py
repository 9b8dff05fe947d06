# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Why a server could not be connected to, in one sentence each. Loaded when one could not."""

from __future__ import annotations

import errno
from typing import Callable


def explain(error: BaseException, timeout: float, advice: str = "look at the login") -> str:
    """Return why an attempt ended, and what to look at.

    timeout (s) is what it was given, advice what to look at when the login is refused.
    """
    text = str(error).strip() or type(error).__name__
    for matches, sentence in _FAULTS:
        if matches(error, text.lower()):
            words = [getattr(error, name, "") for name in ("verify_message", "reason", "strerror")]
            detail = next(filter(None, words), text)
            return sentence.format(text=detail, t=timeout, login=advice)
    return text


def _is(*names: str) -> Callable[[BaseException, str], bool]:
    """Match an exception by the names of its classes: ssl is not loaded for this."""
    return lambda error, text: any(kind.__name__ in names for kind in type(error).__mro__)


def _says(*parts: str) -> Callable[[BaseException, str], bool]:
    return lambda error, text: any(part in text for part in parts)


_FAULTS: tuple[tuple[Callable[[BaseException, str], bool], str], ...] = (
    (_is("NoTls"), "the server did not offer TLS, which was asked for; nothing was sent to it"),
    (
        _says("key usage extension"),
        "certificate not accepted: {text}; Python 3.13 and newer insist on that extension in the "
        "certificate of the authority",
    ),
    (
        _is("SSLCertVerificationError"),
        "certificate not accepted: {text}; look at ca, ca_path and tls_hostname",
    ),
    (
        _says("certificate_required", "bad_certificate", "alert_unknown_ca", "alert_certificate"),
        "the server wants a client certificate that it accepts: {text}; look at client_cert_path",
    ),
    (
        _says("wrong_version_number", "record_layer_failure"),
        "TLS failed: {text}; no TLS is spoken there, or only after the greeting (tls_first)",
    ),
    (_is("SSLError"), "TLS failed: {text}"),
    (
        _is("ConnectionResetError", "BrokenPipeError"),
        "the server closed the connection during the handshake; it may want a client certificate, "
        "or take no more connections",
    ),
    (_is("ConnectionRefusedError"), "connection refused; nothing listens there"),
    # A name with several addresses, of which each was refused.
    (_says(f"[errno {errno.ECONNREFUSED}]"), "connection refused; nothing listens there"),
    (_is("gaierror"), "the name is not known: {text}"),
    (
        _is("TimeoutError"),
        "no NATS greeting within {t:g} s: wrong port, a server that wants TLS first or "
        "does not (tls_first), or a host that cannot be reached",
    ),
    (
        _says("authorization violation", "authentication"),
        "the login was refused; {login}",
    ),
    (
        _says("empty response from server", "json parse error"),
        "something other than NATS answers there, or it closed the connection at once",
    ),
    (_is("HungUp"), "the server closed the connection during the login"),
    (_is("NoWebSocket"), "no websocket for NATS answers there: {text}"),
    (_says("attempted to connect to"), "{text}: this is not the port for clients"),
)
