# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the code blocks of guides (reStructuredText) and of README files (Markdown)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

import yaml

DIRECTIVE = re.compile(r"^( *)\.\. code-block:: *(\S+)$")
OPTION = re.compile(r"^ +:([\w-]+): *(.*)$")
FENCE = re.compile(r"^( *)```(\S+)$")
MARK = re.compile(r"^ *(?:\.\. example: (.*)|<!-- example: (.*) -->)$")
YAML = ("yaml", "yaml+jinja", "yml")
# What an environment in a file has: of such a block no task has to be written.
ASSETS = {"streams", "kv_buckets", "object_buckets", "consumers"}


class Block(NamedTuple):
    """A code block. ``mark`` is the text of the comment before it that begins with "example:"."""

    line: int
    language: str
    text: str
    caption: Optional[str]
    mark: str

    @property
    def words(self) -> list[str]:
        """The mark in its parts: "in domains; twice" is ["in domains", "twice"]."""
        return [word.strip() for word in self.mark.split(";") if word.strip()]

    @property
    def kind(self) -> str:
        """Return "playbook", "tasks", "declaration" (of an environment), "data", or "other"."""
        return kind_of(yaml.load(self.text, Loader)) if self.language in YAML else "other"


class Loader(yaml.SafeLoader):
    """Blocks may have ``!unsafe`` and ``!vault``."""


def _plain(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


Loader.add_constructor("!unsafe", _plain)
Loader.add_constructor("!vault", _plain)


def kind_of(content: Any) -> str:
    if isinstance(content, list) and all(isinstance(entry, dict) for entry in content):
        if any({"hosts", "import_playbook"} & set(entry) for entry in content):
            return "playbook"
        if all("block" in entry or any("." in key for key in entry) for entry in content):
            return "tasks"
    if isinstance(content, dict) and ASSETS & set(content):
        return "declaration"
    return "data"


def blocks_of(text: str) -> list[Block]:
    """Return the blocks of a document that say their language, in their order."""
    return list(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        directive, fence = DIRECTIVE.match(lines[number]), FENCE.match(lines[number])
        if directive:
            block, number = _directive(lines, number, len(directive[1]), directive[2])
            yield block
        elif fence:
            after = range(number + 1, len(lines))
            end = next((n for n in after if lines[n].strip() == "```"), len(lines))
            text = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
            yield Block(number + 1, fence[2], text, None, _mark(lines, number))
            number = end + 1
        else:
            number += 1


def _directive(lines: list[str], start: int, indentation: int, language: str) -> tuple[Block, int]:
    """Return the block of a directive, and the number of the line after it."""
    number, options = start + 1, {}
    while number < len(lines) and (option := OPTION.match(lines[number])):
        options[option[1]] = option[2]
        number += 1
    body = []
    while number < len(lines):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) <= indentation:
            break
        body.append(line)
        number += 1
    text = textwrap.dedent("\n".join(body)).strip("\n") + "\n"
    return Block(start + 1, language, text, options.get("caption"), _mark(lines, start)), number


def _mark(lines: list[str], number: int) -> str:
    """Return the mark in the last line before this one that is not empty."""
    before = next((line for line in reversed(lines[:number]) if line.strip()), "")
    found = MARK.match(before)
    return (found[1] or found[2]).strip() if found else ""
