# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What can be wrong with the options of one asset, in a task or in an entry of a declaration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._kind import Kind
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem, nearest


def reset_problems(
    kind: Kind, reset: Iterable[str], mentioned: Iterable[str], place: str = ""
) -> list[Problem]:
    """Return which names to reset are no settings of the kind, or are set as well."""
    known, given, prefix = kind.schema.by_name, set(mentioned), f"{place}." if place else ""
    names = list(reset)
    return [
        Problem(
            f"{prefix}reset[{index}]",
            f"{name!r} is no setting of {_one(kind)}{nearest(name, known)}",
        )
        for index, name in enumerate(names)
        if name not in known
    ] + [Problem(f"{prefix}{name}", "is both set and reset") for name in names if name in given]


def extra_problems(kind: Kind, extra: Any, place: str = "") -> list[Problem]:
    """Return what extra_config may not have: what has an option, and what the kind decides."""
    where = f"{place}.extra_config" if place else "extra_config"
    if not isinstance(extra, dict):
        return [Problem(where, "must be a dictionary")]
    if not extra:
        return []
    aliases = [alias for names in kind.aliases.values() for alias in names]
    known = {*kind.schema.by_name, *kind.identity, *aliases}
    # Servers do not tell upper case from lower case in the names of fields.
    folded = [(name, str(name).casefold()) for name in extra]
    return [
        Problem(f"{where}.{name}", "has an option of its own")
        for name, one in folded
        if one in known
    ] + [Problem(f"{where}.{name}", kind.taken[one]) for name, one in folded if one in kind.taken]


def unknown_options(
    kind: Kind, options: Iterable[str], known: Iterable[str], place: str
) -> list[Problem]:
    """Return which options an entry cannot have, each with the nearest one."""
    can = set(known)
    return [
        Problem(f"{place}.{name}", f"is no option of {_one(kind)}{nearest(str(name), can)}")
        for name in options
        if name not in can
    ]


def _one(kind: Kind) -> str:
    return f"{'an' if kind.noun[0] in 'aeiou' else 'a'} {kind.noun}"
