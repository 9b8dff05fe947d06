#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import (
    each,
    is_glob,
    matching,
    row,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    name_problem,
    overlaps,
    subject_problem,
)

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "subject": {"type": "str"},
    "subjects_filter": {"type": "str"},
    "deleted_details": {"type": "bool", "default": False},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    found = {option: subject_problem(params[option]) for option in ("subject", "subjects_filter") if params[option] is not None}
    if params["name"] is not None:
        found["name"] = name_problem(params["name"])
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def gather(session: Session) -> dict[str, Any]:
    params, manager = session.params, session.manager
    details = {"subjects_filter": params["subjects_filter"], "deleted_details": params["deleted_details"]}
    globs, subject = params["names"], params["subject"]
    plain = [params["name"]] if params["name"] else globs if globs and not any(map(is_glob, globs)) else None
    if plain is None and subject is None and not any(details.values()):
        infos = await manager.streams_info()
        names = matching([info["config"]["name"] for info in infos], globs or ["*"])
        wanted = frozenset(names)
        infos = [info for info in infos if info["config"]["name"] in wanted]
    else:
        if plain is None:
            plain = matching(await manager.stream_names(subject), globs or ["*"])
        infos = await each(dict.fromkeys(plain), lambda name: manager.stream_info(name, **details))
    if subject is not None:
        # A cluster finds a mirror by its name, so the subjects are looked at again.
        infos = [info for info in infos if any(overlaps(subject, one) for one in info["config"].get("subjects") or ())]
    server = server_of(session.connection)
    return {"changed": False, "streams": [row(STREAM, info, server) for info in infos]}


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate, mutually_exclusive=[("name", "names", "subject")])


if __name__ == "__main__":
    main()
