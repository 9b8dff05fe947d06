# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Reading assets for the info modules: rows with a declaration beside the server's own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from fnmatch import fnmatchcase
from typing import Any, Callable, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import MISSING, ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Info, Kind
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import declaration_of
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Context, Server

CONCURRENCY = 32


def row(kind: Kind, info: Info, server: Server) -> dict[str, Any]:
    """Return an asset as the info modules do: name, declaration, and the server's answer."""
    declaration = declaration_of(kind, info, Context(server))
    return {"name": declaration["name"], "declaration": declaration, kind.answer: info}


async def present(request: Awaitable[Any]) -> Optional[Any]:
    """Return an answer, or None when what was asked for does not exist."""
    try:
        return await request
    except ApiError as error:
        if error.error_class == MISSING:
            return None
        raise


async def each(names: Iterable[str], ask: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """Ask for many at a time; return the answers of those that exist, in the order of names."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(name: str) -> Optional[Any]:
        async with gate:
            return await present(ask(name))

    answers = await asyncio.gather(*(one(name) for name in names))
    return [answer for answer in answers if answer is not None]


def is_glob(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def matching(names: Iterable[str], globs: Optional[Iterable[str]]) -> list[str]:
    """Return the names that match one of the globs, in their own order; all without globs."""
    if globs is None:
        return list(names)
    patterns = list(globs)
    return [name for name in names if any(fnmatchcase(name, glob) for glob in patterns)]
