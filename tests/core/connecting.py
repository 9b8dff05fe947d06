# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager on a real connection, and a proxy that loses answers."""

from __future__ import annotations

import asyncio
import socket
import threading

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection,
    _connection_options,
    _manager,
)

DEFAULTS = {
    **dict.fromkeys(_connection_options.ARGUMENT_SPEC),
    "validate_certs": True,
    "connect_timeout": 1.0,
    "timeout": 2.0,
    "retry_for": 5.0,
}


def options_for(*urls, **given):
    options, problems = _connection_options.from_params(
        {**DEFAULTS, "servers": list(urls) or None, **given}
    )
    assert not problems
    return options


def with_manager(work, *urls, **given):
    """Run ``await work(manager)`` on a connection of its own."""

    async def run():
        options = options_for(*urls, **given)
        connection = await _connection.open_connection(options)
        try:
            manager = _manager.JetStreamManager(connection, options.timeout, options.retry_for)
            return await work(manager)
        finally:
            await connection.close()

    return asyncio.run(run())


def connect(*urls, **given):
    async def nothing(manager):
        return manager.connection

    return with_manager(nothing, *urls, **given)


class Proxy:
    """Stands before a real server and swallows one answer that holds a word, when told to."""

    def __init__(self, port):
        self.port_behind, self.word, self.swallowed = port, None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def swallow(self, word):
        self.word = word

    def accept(self):
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port_behind))
            threading.Thread(target=self.copy, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, True), daemon=True).start()

    def copy(self, source, target, answers):
        try:
            while data := source.recv(65536):
                if answers and self.word and self.word in data:
                    self.word, self.swallowed = None, self.swallowed + 1
                    continue
                target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def close(self):
        self.listener.close()
