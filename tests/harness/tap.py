# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at what is sent to a server, by somebody who is not the sender."""

from __future__ import annotations

import re
from typing import Any

from .client import Client, Message

# What answers, and what a server tells by itself.
_NOT_ASKED = re.compile(r"_INBOX\.|\$JS\.(EVENT|ACK|FC|[A-Z]\.)")
_READS = re.compile(
    r"\$JS\.API\.(INFO$|DIRECT\.GET\.|(STREAM|CONSUMER)\.(INFO|NAMES|LIST|MSG\.GET)(\.|$))"
)


class Tap:
    """``with Tap(server.url) as tap:`` sees every request to JetStream in an account.

    A request is seen when it was answered, for then the server had it before. With the subject
    ``>`` it sees everything that is published, and everybody finds a listener.
    """

    def __init__(self, url: str, subject: str = "$JS.API.>", **connect: Any) -> None:
        self._client = Client(url, **connect)
        self._sid = self._client.subscribe(subject)
        self._known: set[str] = set()
        self.forget()

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def forget(self) -> None:
        """Look only at what is sent from here on, by connections that are not known yet.

        A busy server may answer a request before it hands it on, so the last one of a connection
        can come late.
        """
        self._known |= {_sender(message) for message in self._received()} - {""}

    def subjects(self) -> list[str]:
        """Return the subjects of what was sent since the last call, in order."""
        return [
            message.subject for message in self._received() if _sender(message) not in self._known
        ]

    def writes(self, stream: str = "") -> list[str]:
        """Return those that may change something, of one stream only if it is named."""
        return [
            subject
            for subject in self.subjects()
            if not _READS.match(subject) and (not stream or stream in subject.split("."))
        ]

    def _received(self) -> list[Message]:
        self._client.flush()
        waiting = self._client._waiting[self._sid]
        received = [
            message
            for message in waiting
            # A server sources from itself, and has answers come under a $ as nobody else does.
            if not _NOT_ASKED.match(message.subject) and not message.reply.startswith("$")
        ]
        waiting.clear()
        return received


def _sender(message: Message) -> str:
    """Return what the replies to one connection have in common, nothing without a reply."""
    return message.reply.rpartition(".")[0]
