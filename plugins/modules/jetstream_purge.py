#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_purge
short_description: Remove messages from a JetStream stream
version_added: 1.0.0
description:
  - Removes all messages of a stream of NATS JetStream, or those of a subject, those below a sequence, or all but
    the newest ones.
  - The stream, its configuration, and its consumers stay. A stream that does not exist is an error,
    in check mode a warning, because an earlier task may create it.
  - A stream that is sealed, or denies purges, fails the task unless there is nothing to remove.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Counts what a run would remove. The number is exact, except where more messages had to be looked at than
        O(count_limit) allows. RV(purged) is V(null) then, and RV(purged_at_most) bounds it.
      - A stream that does not exist is a warning, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows the number of messages in the stream before and after.
  idempotent:
    support: full
    details:
      - A second run removes nothing, unless messages arrived in between.
options:
  stream:
    description:
      - The name of the stream.
    type: str
    required: true
  filter:
    description:
      - Removes only messages of this subject. Wildcards are allowed.
    type: str
  seq:
    description:
      - Removes only messages with a sequence below this one. With V(0) and V(1), nothing is removed.
      - A number above the last sequence of the stream removes everything, and the stream goes on with it.
      - Mutually exclusive with O(keep).
    type: int
  keep:
    description:
      - Keeps this many of the newest messages, at least V(1), and removes the others. With O(filter), it counts
        the messages of that subject.
      - Mutually exclusive with O(seq).
    type: int
  count_limit:
    description:
      - How many messages check mode may look at in order to count.
      - That is needed for O(seq) together with O(filter), and for O(seq) in a stream from which single messages
        were deleted. V(0) looks at none.
    type: int
    default: 100000
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_message
"""

EXAMPLES = r"""
---
- name: Create the stream that is purged below
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Remove the messages of a subject
  nats.jetstream.jetstream_purge:
    stream: ORDERS
    filter: orders.test.>

- name: Keep the newest hundred messages of a subject
  nats.jetstream.jetstream_purge:
    stream: ORDERS
    filter: orders.paid
    keep: 100

- name: Remove the messages below a sequence
  nats.jetstream.jetstream_purge:
    stream: ORDERS
    seq: 100000

- name: Count what a purge would remove, without removing it
  nats.jetstream.jetstream_purge:
    stream: ORDERS
    keep: 1000
  check_mode: true
  register: planned

- name: Stop when that is more than expected
  ansible.builtin.assert:
    that: planned.purged < 5000

- name: Remove all messages
  nats.jetstream.jetstream_purge:
    stream: ORDERS
  register: purge

- name: Say how many there were
  ansible.builtin.debug:
    msg: "{{ purge.purged }} messages were removed, {{ purge.remaining }} arrived meanwhile."
"""

RETURN = r"""
---
purged:
  description:
    - How many messages were removed.
    - In check mode, how many would be, or V(null) when that was not counted.
  returned: success
  type: int
  sample: 1200
purged_at_most:
  description: How many messages would be removed at most.
  returned: in check mode, when RV(purged) is V(null)
  type: int
  sample: 150000
remaining:
  description: How many messages the stream has afterwards, or V(null) when that was not counted.
  returned: success
  type: int
  sample: 0
server:
  description:
    - The server that the module was connected to.
    - What it does not tell is V(null).
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: n1
    version:
      description: Its version.
      returned: always
      type: str
      sample: 2.15.1
    api_level:
      description: The level of its JetStream API, which servers tell from nats-server 2.11 on.
      returned: always
      type: int
      sample: 5
    cluster:
      description: The name of its cluster.
      returned: always
      type: str
      sample: east
    domain:
      description: Its JetStream domain.
      returned: always
      type: str
      sample: hub
    account:
      description: The account of the user.
      returned: always
      type: str
      sample: SHOP
problems:
  description: What is wrong with the task, all of it at once.
  returned: failure, when options are wrong or exclude each other
  type: list
  elements: dict
  contains:
    place:
      description: Which option it is about.
      returned: always
      type: str
      sample: "sources[0].name"
    text:
      description: What is wrong.
      returned: always
      type: str
      sample: is required
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 400
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10065
error_class:
  description: What sort of error it is, one of V(missing), V(exists), V(immutable), V(limit),
    V(transient), V(denied), V(unsupported), and V(invalid).
  returned: failure, when the server refused a request
  type: str
  sample: invalid
request:
  description: The request that was refused.
  returned: failure, when the server refused a request
  type: str
  sample: STREAM.PURGE.ORDERS
tried:
  description: The servers that were tried, without their passwords.
  returned: failure, when there is no connection
  type: list
  elements: dict
  contains:
    server:
      description: The URL of the server.
      returned: always
      type: str
      sample: "nats://127.0.0.1:4222"
    reason:
      description: Why there is no connection to it.
      returned: always
      type: str
      sample: connection refused
description:
  description: The server's own words.
  returned: failure, when the server refused a request
  type: str
  sample: subjects overlap with an existing stream
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _purge, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MISSING,
    ApiError,
    JetStreamError,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "filter": {"type": "str"},
    "seq": {"type": "int"},
    "keep": {"type": "int"},
    "count_limit": {"type": "int", "default": 100000},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    """Refuse what some servers take for a purge of everything: 2.9 and 2.10 do so with keep 0."""
    found = {"stream": _subjects.name_problem(params["stream"])}
    if params["filter"] is not None:
        found["filter"] = _subjects.subject_problem(params["filter"])
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
    try:
        info = await manager.stream_info(name)
    except ApiError as error:
        if error.error_class != MISSING or not session.check_mode:
            raise
        session.module.warn(
            f"the stream {name} does not exist yet; an earlier task has to create it"
        )
        return _result(session, 0, 0, 0, 0)
    stored, config = info["state"]["messages"], info["config"]
    if not stored or (seq is not None and seq <= info["state"]["first_seq"]):
        return _result(session, stored, stored, 0, 0)
    denied = [field for field in ("sealed", "deny_purge") if config.get(field)]
    if session.check_mode or denied:
        found = await _purge.count(manager, name, subject, seq, keep, params["count_limit"])
        if denied and found.at_most:
            raise JetStreamError(f"the stream {name} cannot be purged, it has {denied[0]} set")
        remaining = None if found.purged is None else stored - found.purged
        return _result(session, stored, remaining, found.purged, found.at_most)
    purged = await _purge.purge(manager, info, server_of(session.connection), subject, seq, keep)
    remaining = await _purge.remaining(manager, name, purged)
    return _result(session, stored, remaining, purged, purged)


def _result(
    session: Session, stored: int, remaining: Any, purged: Any, at_most: int
) -> dict[str, Any]:
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
