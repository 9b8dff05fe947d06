# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Writing a declaration as YAML. PyYAML need not be on a managed host, and nothing is read here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# Texts that mean themselves without quotes: no YAML 1.1 reader takes them for something else.
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$/>-]*\Z")
_UNITS = re.compile(r"(?:[0-9]+(?:[dhms]|ms|us|ns|[KMGTPE]iB|B))+\Z")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


def to_yaml(value: dict[str, Any]) -> str:
    """Return a dictionary of texts, numbers, booleans, lists and dictionaries as block YAML."""
    return "".join(f"{line}\n" for line in _lines(value)) if value else ""


def _lines(value: dict[str, Any]) -> Iterator[str]:
    for key, one in value.items():
        if isinstance(one, (dict, list)) and one:
            yield f"{_scalar(key)}:"
            for line in _lines(one) if isinstance(one, dict) else _items(one):
                yield f"  {line}"
        else:
            yield f"{_scalar(key)}: {_scalar(one)}"


def _items(values: list[Any]) -> Iterator[str]:
    for one in values:
        lines = []
        if isinstance(one, dict) and one:
            lines = list(_lines(one))
        elif isinstance(one, list) and one:
            lines = list(_items(one))
        else:
            lines = [_scalar(one)]
        for index, line in enumerate(lines):
            yield f"{'  ' if index else '- '}{line}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = _PLAIN.match(value) or _UNITS.match(value)
        return value if plain and value.lower() not in _WORDS else _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    # JSON's quotes are YAML's, but for characters beyond 16 bits, which JSON splits in two.
    inside = "".join(
        f"\\U{ord(sign):08x}" if ord(sign) > 0xFFFF else json.dumps(sign)[1:-1] for sign in text
    )
    return f'"{inside}"'
