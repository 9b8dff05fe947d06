#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present, row
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import name_problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "name": {"type": "str", "aliases": ["durable_name"]},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    given = [option for option in ("stream", "name") if params[option] is not None]
    found = {option: name_problem(params[option]) for option in given}
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def gather(session: Session) -> dict[str, Any]:
    stream, name = session.params["stream"], session.params["name"]
    if name is None:
        infos = await present(session.manager.consumers_info(stream)) or []
    else:
        info = await present(session.manager.consumer_info(stream, name))
        infos = [info] if info else []
    server = server_of(session.connection)
    return {"changed": False, "consumers": [row(CONSUMER, info, server) for info in infos]}


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate)


if __name__ == "__main__":
    main()
