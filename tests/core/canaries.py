# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to hand over a secret, with secrets that are easy to find again.

A ``Way`` is what a task says, what its environment has, and what must never come out. All of them
log in to the real servers of ``Servers``; ``refusing`` is the same way to a server that says no.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import operators
from certificates import Authority

from harness import servers

PASSWORD = "CanaryPass@word/1%"
TOKEN = "CanaryToken@2%"
KEY_PASSWORD = "CanaryKeyPassword3"


class Way(NamedTuple):
    name: str
    args: dict
    environ: dict
    secrets: set


class Servers:
    """The servers behind all ways, and the files that hold secrets."""

    def __init__(self, binary, folder):
        self.folder, self.stack = folder, contextlib.ExitStack()
        folder.mkdir(exist_ok=True)
        self.nkey, self.operator = operators.Key(operators.USER), operators.Operator()
        self.jwt, self.seed = self.operator.user()
        self.creds = operators.credentials(self.jwt, self.seed)
        self.authority = Authority(folder)
        certificate, key = self.authority.issue("localhost", "127.0.0.1")
        tls = {"cert_file": certificate, "key_file": key}
        tls.update(ca_file=self.authority.path, verify=True)
        users = [{"user": "u", "password": PASSWORD}, {"nkey": self.nkey.public}]
        self.ports = {
            name: self.stack.enter_context(servers.Server(binary, config=config)).port
            for name, config in (
                ("users", {"authorization": {"users": users}}),
                ("token", {"authorization": {"token": TOKEN}}),
                ("operator", self.operator.config),
                ("tls", {"tls": tls}),
            )
        }

    def close(self):
        self.stack.close()

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def context(self, name, **fields):
        return self.file(f"{name}.json", json.dumps(fields))

    def ways(self, place=None):
        """Yield every way to the server that wants it, or to another place (host:port)."""

        def at(name, login=""):
            return f"nats://{login}{place or f'127.0.0.1:{self.ports[name]}'}"

        users, token, operator, tls = map(at, ("users", "token", "operator", "tls"))
        password, quoted = {PASSWORD}, {PASSWORD, quote(PASSWORD, safe="")}
        tokens, quoted_token = {TOKEN}, {TOKEN, quote(TOKEN, safe="")}
        seed, signed = {self.nkey.seed}, {self.jwt, self.seed}
        yield Way("password", {"servers": [users], "user": "u", "password": PASSWORD}, {}, password)
        url = at("users", f"u:{quote(PASSWORD, safe='')}@")
        yield Way("password in the URL", {"servers": [url]}, {}, quoted)
        yield Way("token", {"servers": [token], "token": TOKEN}, {}, tokens)
        url_token = at("token", f"{quote(TOKEN, safe='')}@")
        yield Way("token in the URL", {"servers": [url_token]}, {}, quoted_token)
        yield Way("seed", {"servers": [users], "nkey_seed": self.nkey.seed}, {}, seed)
        path = self.file("user.nk", self.nkey.seed)
        yield Way("file of a seed", {"servers": [users], "nkey_seed_path": path}, {}, seed)
        yield Way("credentials", {"servers": [operator], "credentials": self.creds}, {}, signed)
        creds = self.file("user.creds", self.creds)
        yield Way("file", {"servers": [operator], "credentials_path": creds}, {}, signed)
        apart = {"jwt": self.jwt, "nkey_seed": self.seed}
        yield Way("JWT and seed", {"servers": [operator], **apart}, {}, signed)
        yield self.certificate(tls)
        context = {"url": users, "user": "u", "password": PASSWORD}
        yield self.by_context("password", password, **context)
        yield self.by_context("url", quoted, url=url)
        yield self.by_context("token", tokens, url=token, token=TOKEN)
        yield self.by_context("creds", signed, url=operator, creds=creds)
        data = f"data:;base64,{base64.b64encode(self.creds.encode()).decode()}"
        yield self.by_context("data", {*signed, data}, url=operator, creds=data)
        yield self.by_context("jwt", signed, url=operator, user_jwt=self.jwt, user_seed=self.seed)
        exported = {"NATS_URL": users, "NATS_USER": "u", "NATS_PASSWORD": PASSWORD}
        yield Way("variables: password", {}, exported, password)
        yield Way("variables: URL", {}, {"NATS_URL": url}, quoted)
        yield Way("variables: token", {}, {"NATS_URL": token, "NATS_TOKEN": TOKEN}, tokens)
        exported = {"NATS_URL": operator, "NATS_JWT": self.jwt, "NATS_SEED": self.seed}
        yield Way("variables: JWT and seed", {}, exported, signed)
        exported = {"NATS_CONTEXT": self.context("exported", **context)}
        yield Way("variables: context", {}, exported, password)

    def by_context(self, name, secrets, **fields):
        return Way(f"context: {name}", {"context": self.context(name, **fields)}, {}, secrets)

    def certificate(self, url):
        cert, path = self.authority.issue("alice", password=KEY_PASSWORD)
        key = Path(path).read_text()
        lines = {line for line in key.splitlines() if not line.startswith("-")}
        args = {
            "servers": [url],
            "ca": self.authority.pem,
            "client_cert": Path(cert).read_text(),
            "client_key": key,
            "client_key_password": KEY_PASSWORD,
        }
        return Way("client certificate", args, {}, {KEY_PASSWORD, *lines})


@contextlib.contextmanager
def quoting_server():
    """A server that refuses every login, and quotes in its refusal everything that it was told."""
    greeting = {"server_id": "X", "version": "2.15.1", "max_payload": 1048576, "headers": True}
    greeting.update(auth_required=True, nonce="bm9uY2U")
    line = f"INFO {json.dumps(greeting)}\r\n".encode()

    def answer(connection):
        with contextlib.suppress(OSError, ValueError):
            connection.sendall(line)
            told = json.loads(connection.recv(65536).partition(b"\r\n")[0].partition(b" ")[2])
            words = [told.get(name, "") for name in ("pass", "auth_token", "jwt")]
            connection.sendall(f"-ERR 'Authorization Violation: {' '.join(words)}'\r\n".encode())

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                answer(connection)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
