# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Arguments that AnsibleModule itself fails on, without a name or with a traceback.

It takes for granted that texts can be encoded, that numbers end and are not very long, that what
an option with options of its own is given is a dictionary, and that what has a default is not null
(ansible-core 2.16 to 2.21). So these are looked at before it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

Spec = Mapping[str, Any]
# Makes a dictionary of a text, as Ansible does; raises TypeError for what is none.
AsDict = Callable[[str], Any]

NO_TEXT = "holds a part of a character (a lone surrogate), which is no text"
NO_NUMBER = "must be a whole number of at most 64 bits"
NO_DICT = "must be a dictionary"
NULL = "is null; leave it out, or give omit, for its default"


def argument_problems(params: Mapping[str, Any], spec: Spec, as_dict: AsDict) -> list[Problem]:
    """Return what is wrong with the raw arguments of a task; values are never quoted."""
    return [
        problem
        for name, value in params.items()
        if not name.startswith("_ansible_")
        for problem in _problems(name, value, _named(spec, name), as_dict)
    ]


def _named(spec: Spec, name: str) -> Mapping[str, Any]:
    """Return what the spec says of an option, by its name or an alias; nothing for others."""
    found = spec.get(name)
    if found is None:
        found = next((one for one in spec.values() if name in (one.get("aliases") or ())), {})
    option: Mapping[str, Any] = found
    return option


def _problems(
    place: str, value: Any, option: Mapping[str, Any], as_dict: AsDict
) -> Iterator[Problem]:
    if value is None:
        if option.get("default") is not None:
            yield Problem(place, NULL)
        return
    if _is_broken(value) or _is_broken(place):
        yield Problem(place.encode(errors="replace").decode(), NO_TEXT)
        return
    kind, inner = option.get("type"), option.get("options")
    if kind == "list":
        element = {"type": option.get("elements"), "options": inner}
        if inner or element["type"] in ("int", "dict"):
            nothing = NO_NUMBER if element["type"] == "int" else NO_DICT
            for index, member in enumerate(_members(value)):
                if member is None:
                    yield Problem(f"{place}[{index}]", nothing)
                yield from _problems(f"{place}[{index}]", member, element, as_dict)
    elif kind == "path" and isinstance(value, str) and "\0" in value:
        yield Problem(place, "holds a NUL, which no path can")
    elif kind == "int" and not _is_number(value):
        yield Problem(place, NO_NUMBER)
    elif kind == "dict" and inner:
        value = _dictionary(value, as_dict)
        if value is None:
            yield Problem(place, NO_DICT)
            return
        for name, part in value.items():
            yield from _problems(f"{place}.{name}", part, _named(inner, str(name)), as_dict)


def _members(value: Any) -> list[Any]:
    """Return the members of what is given for a list, as Ansible takes it."""
    if isinstance(value, str):
        return value.split(",")
    return value if isinstance(value, list) else [] if isinstance(value, dict) else [value]


def _dictionary(value: Any, as_dict: AsDict) -> Any:
    if isinstance(value, str):
        try:
            value = as_dict(value)
        except (TypeError, ValueError):
            return None
    return value if isinstance(value, dict) else None


def _is_number(value: Any) -> bool:
    """Say whether it is a number, or a text that Ansible refuses itself.

    To Ansible a list may be one, of a sign, digits and an exponent; and true is, as it stands.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    try:
        return abs(float(value)) <= 2.0**64  # which NaN is not
    except OverflowError:
        return False
    except ValueError:
        return True


def _is_broken(value: Any) -> bool:
    """Say whether a text cannot be encoded, or one in a list or dictionary."""
    if isinstance(value, str):
        if value.isascii():
            return False
        try:
            value.encode()
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, dict):
        return any(_is_broken(name) or _is_broken(part) for name, part in value.items())
    return isinstance(value, list) and any(map(_is_broken, value))
