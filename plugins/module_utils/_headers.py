# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Headers of messages, whole: a name may come several times, and what nats-py keeps is one of them.

A block of headers is ``NATS/1.0``, a status if the server speaks, and one ``name: value`` per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

VERSION = "NATS/1.0"
_STATUSES = STATUS, DESCRIPTION = "Status", "Description"

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # others nats-py refuses to send


class Headers(dict[str, str]):
    """Headers by name, the first of each; ``pairs`` has all of them in their order.

    A status of the server is found under Status and Description, and is not among the pairs. There
    nats-py looks for one, so headers of messages with these names are found in pairs only.
    Iterated with items(), as nats-py does to send them, it yields all pairs.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = list(pairs)
        super().__init__(pair for pair in reversed(self.pairs) if pair[0] not in _STATUSES)

    def items(self) -> Any:
        return list(self.pairs)

    def everything(self, name: str) -> list[str]:
        """Return all values of a name."""
        return [value for own, value in self.pairs if own == name]

    @property
    def status(self) -> str:
        return self.get(STATUS, "")


def parse_headers(block: bytes) -> Headers:
    """Return the headers of a block as it is on the wire; bytes that are no UTF-8 are replaced."""
    first, *lines = block.decode(errors="replace").split("\r\n")
    headers = Headers(
        (name.strip(), value.strip())
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    )
    status, _space, description = first[len(VERSION) :].strip().partition(" ")
    if status.isdigit():
        headers[STATUS], headers[DESCRIPTION] = status, description
    return headers


def header_problem(name: str, value: Any) -> str | None:
    """Return why a header cannot be sent, None when it can."""
    if not _NAME.match(name):
        return f"{name!r} is no name of a header: only A-Z a-z 0-9 and !#$%&'*+-.^_`|~ can be in it"
    if "\r" in str(value) or "\n" in str(value):
        return f"the value of {name!r} holds a line break"
    return None
