#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._purge import count
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    name_problem,
    subject_problem,
)

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "filter": {"type": "str"},
    "seq": {"type": "int"},
    "keep": {"type": "int"},
    "count_limit": {"type": "int", "default": 100000},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    """Refuse what some servers take for a purge of everything: 2.9 and 2.10 do so with keep 0."""
    found = {"stream": name_problem(params["stream"])}
    if params["filter"] is not None:
        found["filter"] = subject_problem(params["filter"])
    if params["seq"] is not None and params["seq"] < 0:
        found["seq"] = f"{params['seq']} is negative"
    if params["keep"] is not None and params["keep"] < 1:
        found["keep"] = f"{params['keep']} keeps nothing; leave the option out to purge everything"
    if params["count_limit"] < 0:
        found["count_limit"] = f"{params['count_limit']} is negative"
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def purge(session: Session) -> dict[str, Any]:
    params, manager = session.params, session.manager
    name, subject, seq, keep = (params[option] for option in ("stream", "filter", "seq", "keep"))
    info = await manager.stream_info(name)
    stored, config = info["state"]["messages"], info["config"]
    if not stored or seq in (0, 1):
        return _result(session, stored, stored, 0, 0)
    for field in ("sealed", "deny_purge"):
        if config.get(field):
            raise JetStreamError(f"the stream {name} can not be purged, it has {field} set")
    if not session.check_mode:
        purged = await manager.purge_stream(name, filter=subject, seq=seq, keep=keep)
        remaining = (await manager.stream_info(name))["state"]["messages"]
        return _result(session, stored, remaining, purged, purged)
    found = await count(manager, name, subject, seq, keep, params["count_limit"])
    remaining = None if found.purged is None else stored - found.purged
    return _result(session, stored, remaining, found.purged, found.at_most)


def _result(session: Session, stored: int, remaining: Any, purged: Any, at_most: int) -> dict[str, Any]:
    result = {"changed": at_most > 0, "purged": purged, "remaining": remaining}
    if purged is None:
        result["purged_at_most"] = at_most
    if session.module._diff:
        header = f"messages of stream {session.params['stream']}"
        after = f"at least {stored - at_most}" if remaining is None else remaining
        result["diff"] = {
            "before": f"messages: {stored}\n",
            "after": f"messages: {after}\n",
            "before_header": header,
            "after_header": header,
        }
    return result


def main() -> None:
    run(ARGUMENT_SPEC, purge, validate, mutually_exclusive=[("seq", "keep")])


if __name__ == "__main__":
    main()
