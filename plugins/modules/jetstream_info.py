#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import each, row
from ansible_collections.nats.jetstream.plugins.module_utils._module import Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM

# How the streams of buckets are called.
BUCKETS = {"kv_buckets": "KV_", "object_buckets": "OBJ_"}

ARGUMENT_SPEC: dict[str, Any] = {
    "gather_subset": {
        "type": "list",
        "elements": "str",
        "choices": ["account", "streams", "consumers", "kv_buckets", "object_buckets"],
        "default": ["account"],
    },
}


async def gather(session: Session) -> dict[str, Any]:
    subset, manager = frozenset(session.params["gather_subset"]), session.manager
    server = server_of(session.connection)
    result: dict[str, Any] = {"changed": False}
    if "account" in subset:
        result["account"] = await manager.account_info()
    if subset - {"account"}:
        infos = await manager.streams_info()
        names = [info["config"]["name"] for info in infos]
        if "streams" in subset:
            result["streams"] = [row(STREAM, info, server) for info in infos]
        for option, prefix in BUCKETS.items():
            if option in subset:
                result[option] = [
                    {"name": name[len(prefix) :], "stream": info}
                    for name, info in zip(names, infos)
                    if name.startswith(prefix)
                ]
        if "consumers" in subset:
            pages = await each(names, manager.consumers_info)
            result["consumers"] = [row(CONSUMER, info, server) for page in pages for info in page]
    return result


def main() -> None:
    run(ARGUMENT_SPEC, gather)


if __name__ == "__main__":
    main()
