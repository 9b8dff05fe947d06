# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishers that go on while something happens to a stream, and want to store everything once."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

from . import client


class Publisher(threading.Thread):
    """Publishes numbered messages, each with its identity until it is acknowledged.

    A lossy one never sees the first acknowledgement of a message, and repeats it after so many
    seconds. sequences holds, for each number, where it is stored.
    """

    def __init__(self, url: str, subject: str, lossy: float | None = None) -> None:
        super().__init__(daemon=True)
        self.url, self.subject, self.lossy = url, subject, lossy
        self.ending = threading.Event()
        self.sequences: list[int] = []
        self.tried = 0  # of how many numbers the first acknowledgement was lost

    def run(self) -> None:
        while not self.ending.is_set():
            with contextlib.suppress(OSError), client.Client(self.url) as nats:
                while not self.ending.is_set():
                    self.store_one(nats)
            time.sleep(0.02)  # its server is away

    def store_one(self, nats: client.Client) -> None:
        number = len(self.sequences)
        if self.lossy is not None and self.tried == number:
            self.tried += 1
            nats.publish(self.subject, str(number), msg_id=self.identity(number))
            nats.flush()
            time.sleep(self.lossy)
        try:
            answer = self.publish(nats, number)
        except (client.NatsError, TimeoutError):
            time.sleep(0.005)
            return
        if "error" in answer:  # a counter takes no text, a stream that waits takes nothing
            time.sleep(0.001)
            return
        self.sequences.append(answer["seq"])
        time.sleep(0.002)

    def identity(self, number: int) -> str:
        return f"{self.subject}-{number}"

    def publish(self, nats: client.Client, number: int) -> dict[str, Any]:
        name = self.identity(number)
        answer: dict[str, Any] = json.loads(nats.request(self.subject, str(number), msg_id=name))
        return answer

    def __enter__(self) -> Publisher:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ending.set()
        self.join()

    def goes_on(self, more: int = 10) -> None:
        """What nobody acknowledged until now is published to the end, and more."""
        done, deadline = len(self.sequences), time.monotonic() + 120
        while len(self.sequences) <= done + more:
            assert time.monotonic() < deadline, "nothing is stored any more"
            time.sleep(0.02)
