# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""TLS as the options want it: authorities, a certificate of the user's own, or no checks at all."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from typing import Optional

from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    Certificate,
    ConnectionOptions,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError


class _NoPassword(Exception):
    pass


def tls_context(options: ConnectionOptions) -> ssl.SSLContext:
    """Return an SSL context; raise JetStreamError for files and texts that hold nothing of use."""
    try:
        context = ssl.create_default_context(cafile=options.ca_path, cadata=options.ca)
    except (OSError, TypeError, ValueError) as error:
        name = "ca_path" if options.ca_path else "ca"
        raise JetStreamError(
            f"{name} holds no certificates that can be read: {_reason(error)}"
        ) from error
    if not options.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.login.certificate:
        _load(context, options.login.certificate)
    return context


def _load(context: ssl.SSLContext, own: Certificate) -> None:
    cert_name = "client_cert" if own.client_cert else "client_cert_path"
    key_name = "client_key" if own.client_key else "client_key_path"
    key_name = key_name if own.client_key or own.client_key_path else cert_name
    certs = _as_file(own.client_cert, own.client_cert_path)
    with certs as cert, _as_file(own.client_key, own.client_key_path) as key:
        for name, path in ((cert_name, cert), (key_name, key)):
            if path and not os.access(path, os.R_OK):
                raise JetStreamError(f"{name}: {path} is not there or cannot be read")

        asked = []

        def password() -> str:
            # Without it OpenSSL asks on the terminal.
            asked.append(True)
            if own.client_key_password is None:
                raise _NoPassword
            return own.client_key_password

        try:
            context.load_cert_chain(str(cert), key, password)
        except _NoPassword as error:
            text = f"{key_name} is encrypted; client_key_password decrypts it"
            raise JetStreamError(text) from error
        except ssl.SSLError as error:
            raise JetStreamError(_told(error, cert_name, key_name, bool(asked))) from error
        except (OSError, ValueError) as error:
            raise JetStreamError(f"{cert_name} or {key_name}: {_reason(error)}") from error


def _told(error: ssl.SSLError, cert_name: str, key_name: str, decrypting: bool) -> str:
    if "VALUES_MISMATCH" in str(error.reason):
        return f"{key_name} is not the key of {cert_name}"
    if decrypting:
        return f"{key_name} cannot be decrypted; look at client_key_password"
    if cert_name == key_name:
        return f"{cert_name} holds no certificate with its key ({_reason(error)}); see client_key"
    return f"{cert_name} or {key_name} holds no PEM text that can be read ({_reason(error)})"


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)


@contextlib.contextmanager
def _as_file(text: Optional[str], path: Optional[str]) -> Iterator[Optional[str]]:
    """Yield a path for a text. ssl takes files only; where the system can, it is one in memory."""
    if text is None:
        yield path
        return
    try:
        number = os.memfd_create("nats")
        name = f"/proc/self/fd/{number}"
    except (AttributeError, OSError):  # not Linux
        number, name = tempfile.mkstemp()  # readable for nobody else
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield name
    finally:
        if not name.startswith("/proc/"):
            os.unlink(name)
