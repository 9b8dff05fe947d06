# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Finds overlapping subjects among many, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Entry(NamedTuple):
    """A subject (with or without wildcards) and the name of what listens to it."""

    subject: str
    owner: str


class _Node:
    __slots__ = ("below", "here")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.here: list[Entry] = []


class SubjectIndex:
    """Subjects by their tokens; what overlaps one is found in as many steps as it has tokens."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, subject: str, owner: str) -> None:
        node = self._root
        for token in subject.split("."):
            node = node.below.setdefault(token, _Node())
        node.here.append(Entry(subject, owner))

    def overlapping(self, subject: str) -> Iterator[Entry]:
        """Yield what was added and can match a message that the subject matches as well."""
        return self._walk(self._root, subject.split("."), 0)

    def _walk(self, node: _Node, tokens: list[str], index: int) -> Iterator[Entry]:
        if index == len(tokens):
            yield from node.here
            return
        token = tokens[index]
        if token == ">":
            for child in node.below.values():
                yield from self._all(child)
            return
        if ">" in node.below:
            yield from node.below[">"].here
        if token == "*":
            children = [child for name, child in node.below.items() if name != ">"]
        else:
            children = [node.below[name] for name in (token, "*") if name in node.below]
        for child in children:
            yield from self._walk(child, tokens, index + 1)

    def _all(self, node: _Node) -> Iterator[Entry]:
        yield from node.here
        for child in node.below.values():
            yield from self._all(child)
