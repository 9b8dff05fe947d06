# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds what a module returns against what its documentation says that it returns."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import yaml

# What Ansible adds to every result, and documents itself.
COMMON = {"changed", "deprecations", "diff", "exception", "failed", "invocation", "msg", "warnings"}
# What an answer of the server says of itself, and not of the asset.
ENVELOPE = {"type", "did_create", "reset_seq", "total", "offset", "limit"}
# Stands for any value that is the same as a secret, a number with the same digits, too.
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
TYPES: dict[str, Any] = {
    **{"str": str, "int": int, "float": (float, int), "bool": bool},
    **{"dict": dict, "list": list, "raw": object},
}


@functools.cache
def documented(text: str) -> dict[str, Any]:
    """Return a module's RETURN, which takes a while to read."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    docs: dict[str, Any] = yaml.load(text, loader)
    return docs


def differences(module: Any, result: dict[str, Any]) -> list[str]:
    """Return what is returned and not documented, of another type, or documented and not returned.

    module is the imported module, result a dictionary as Ansible sees it. ``returned`` is held to
    where it says ``always`` or ``success``; what else it says is for people.
    """
    values = {name: value for name, value in result.items() if name not in COMMON}
    docs = documented(module.RETURN)
    missing = [
        f"{name} is missing, although it is returned: {says['returned']}"
        for name, says in docs.items()
        if name not in values and _promised(says["returned"], bool(result.get("failed")))
    ]
    return [*missing, *_strange(values, docs, "")]


def _promised(returned: str, failed: bool) -> bool:
    return returned == "always" or (returned == "success" and not failed)


def _strange(values: dict[str, Any], docs: dict[str, Any], place: str) -> Iterator[str]:
    for name, value in values.items():
        here, says = f"{place}{name}", docs.get(name)
        if says is None:
            if name not in ENVELOPE:
                yield f"{here} is not documented: {value!r}"
        elif value is not None:
            if not _fits(value, says["type"]):
                yield f"{here} is {value!r}, which is no {says['type']}"
            for one in value if isinstance(value, list) else [value]:
                elements = says.get("elements")
                if elements and not _fits(one, elements):
                    yield f"{here} has {one!r}, which is no {elements}"
                # Of what is not there, a dictionary is empty.
                if isinstance(one, dict) and one and "contains" in says:
                    yield from _inside(one, says["contains"], f"{here}.")


def _inside(values: dict[str, Any], docs: dict[str, Any], place: str) -> Iterator[str]:
    for name, says in docs.items():
        if name not in values and says["returned"] == "always":
            yield f"{place}{name} is missing, although it is always returned"
    yield from _strange(values, docs, place)


def _fits(value: Any, name: str) -> bool:
    """``True`` is an int to Python, and not to those who read a result."""
    if value == MASKED:
        return True
    return isinstance(value, TYPES[name]) and not (
        name in ("int", "float") and isinstance(value, bool)
    )
