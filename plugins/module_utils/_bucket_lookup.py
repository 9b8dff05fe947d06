# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Reading buckets for the info modules: those with a name, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._bucket import Shape
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Info,
    Kind,
)
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import (
    each,
    is_glob,
    matching,
    row,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import (
    Inputs,
    Session,
    run,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Server

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "aliases": ["bucket"]},
    "names": {"type": "list", "elements": "str"},
}

# One request for many streams is larger than one for each, so it has to spare several.
WORTH_A_LIST = 5


Status = Callable[[Info], dict[str, Any]]


def run_info(kind: Kind, shape: Shape, status: Status, result: str) -> None:
    """Run the module that reads buckets of a kind; ``result`` is the key that it returns."""

    def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
        if params["name"] is not None:
            kind.naming.wire(params["name"], "name", inputs.problems)
        for index, name in enumerate(params["names"] or ()):
            if not is_glob(name):
                kind.naming.wire(name, f"names[{index}]", inputs.problems)

    async def gather(session: Session) -> dict[str, Any]:
        server = server_of(session.connection)
        infos = await _infos(session, shape)
        return {"changed": False, result: bucket_rows(kind, status, infos, server)}

    run(ARGUMENT_SPEC, gather, validate, mutually_exclusive=[("name", "names")])


async def _infos(session: Session, shape: Shape) -> list[Info]:
    """Return what the server says of the streams that are called like the wanted buckets."""
    manager, globs = session.manager, session.params["names"]
    if session.params["name"] is not None:
        globs = [session.params["name"]]
    elif globs is None or any(map(is_glob, globs)):
        # By name, as mirrors have no subject to be found by.
        streams = await manager.stream_names()
        buckets = [name[len(shape.prefix) :] for name in streams if name.startswith(shape.prefix)]
        globs = matching(buckets, globs)
        if len(globs) * WORTH_A_LIST > len(streams):
            kept = frozenset(map(shape.stream, globs))
            return [info for info in await manager.streams_info() if info["config"]["name"] in kept]
    return await each(dict.fromkeys(map(shape.stream, globs)), manager.stream_info)


def bucket_rows(
    kind: Kind, status: Status, infos: Iterable[Info], server: Server
) -> list[dict[str, Any]]:
    """Return the buckets among streams as the info modules do."""
    return [
        {**row(kind, info, server), "status": status(info)}
        for info in infos
        if not kind.foreign(info)
    ]
