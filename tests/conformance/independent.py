# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways in which the independent client makes assets and looks at them."""

from __future__ import annotations

import json
import time
from typing import Any

from harness import client, servers


class Account:
    """The account of a server as the independent client sees it."""

    def __init__(self, nats: client.Client, server: servers.Server) -> None:
        self.nats = nats
        self.server = server
        self.api, self.ok = nats.api, nats.ok
        self.release = tuple(map(int, server.version.split(".")))

    def clear(self) -> None:
        for name in self.ok("STREAM.NAMES")["streams"] or []:
            self.ok(f"STREAM.DELETE.{name}")

    def stream(self, name: str, **config: Any) -> dict[str, Any]:
        """Create a stream from raw JSON.

        Soon after a delete, 2.10.27 and 2.15.1 now and then bring old messages back with a file
        stream of the same name. No test is about that, so it is made again until it is new.
        """
        while True:
            answer = self.ok(f"STREAM.CREATE.{name}", {"name": name, **config})
            started = max(config.get("first_seq", 1) - 1, 0)
            if "mirror" in config or self.state(name)["last_seq"] in (0, started):
                return answer
            self.ok(f"STREAM.DELETE.{name}")
            time.sleep(0.02)

    def consumer(self, stream: str, name: str, **config: Any) -> dict[str, Any]:
        """Create a consumer from raw JSON: durable and acknowledging unless told otherwise."""
        config = {"name": name, "durable_name": name, "ack_policy": "explicit", **config}
        config = {key: value for key, value in config.items() if value is not None}
        body = {"stream_name": stream, "config": config}
        return self.ok(f"CONSUMER.CREATE.{stream}.{name}", body)

    def info(self, *names: str) -> dict[str, Any] | None:
        """Return the INFO answer of a stream or, with two names, a consumer; None without one."""
        kind = "CONSUMER" if len(names) == 2 else "STREAM"
        answer = self.api(f"{kind}.INFO.{'.'.join(names)}")
        if answer.get("error", {}).get("code") == 404:
            return None
        if "error" in answer:
            raise client.NatsError(str(answer["error"]))
        return answer

    def stored(self, *names: str) -> dict[str, Any] | None:
        """Return the stored configuration without what the server keeps in the metadata."""
        info = self.info(*names)
        if info is None:
            return None
        config: dict[str, Any] = info["config"]
        metadata = config.pop("metadata", {})
        kept = {key: text for key, text in metadata.items() if not key.startswith("_nats.")}
        return {**config, "metadata": kept} if kept else config

    def state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = self.ok(f"STREAM.INFO.{name}")["state"]
        return state

    def store(self, *subjects: str, data: str = "x") -> list[int]:
        """Publish a message to each subject, and return the sequences that were acknowledged."""
        return [self.ok_publish(subject, data) for subject in subjects]

    def ok_publish(self, subject: str, data: str = "x") -> int:
        answer = json.loads(self.nats.request(subject, data))
        if "error" in answer:
            raise client.NatsError(str(answer["error"]))
        return int(answer["seq"])
