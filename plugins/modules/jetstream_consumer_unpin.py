#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_consumer_unpin
short_description: Let a priority group of a JetStream consumer choose another client
version_added: 1.0.0
description:
  - A consumer with O(nats.jetstream.jetstream_consumer#module:priority_policy=pinned_client) delivers the messages of
    a priority group to one client, which is pinned. This takes that away, and the next client that asks is pinned.
  - It is useful when a client that is pinned does not work, or is about to be stopped.
  - When no client is pinned, nothing is done. A consumer that does not exist is an error, in check mode a warning,
    because an earlier task may create it.
  - This needs nats-server 2.11 or newer.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the client that is pinned before and after.
  idempotent:
    support: full
    details:
      - A second run changes nothing, unless another client was pinned meanwhile, which happens as soon as one asks
        for messages.
options:
  stream:
    description:
      - The name of the stream.
    type: str
    required: true
  name:
    description:
      - The name of the consumer.
    type: str
    required: true
    aliases:
      - durable_name
  group:
    description:
      - The priority group, one of the consumer's
        O(nats.jetstream.jetstream_consumer#module:priority_groups).
    type: str
    required: true
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_consumer
  - module: nats.jetstream.jetstream_consumer_info
  - module: nats.jetstream.jetstream_consumer_reset
"""

EXAMPLES = r"""
---
- name: Create a stream
  nats.jetstream.jetstream_stream:
    name: JOBS
    subjects:
      - jobs.>

- name: Create a consumer that delivers to one client at a time
  nats.jetstream.jetstream_consumer:
    stream: JOBS
    name: worker
    priority_policy: pinned_client
    priority_groups:
      - main

- name: Let another client take over
  nats.jetstream.jetstream_consumer_unpin:
    stream: JOBS
    name: worker
    group: main
  register: unpin

- name: Say who lost its place
  ansible.builtin.debug:
    msg: "{{ unpin.unpinned or 'No client was pinned.' }}"
"""

RETURN = r"""
---
unpinned:
  description:
    - The identity of the client that was pinned, which the server has given it.
    - It is V(null) when none was.
  returned: success
  type: str
  sample: vlsVMlxCVtZfHmW4LPGXea
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
      sample: group
    text:
      description: What is wrong.
      returned: always
      type: str
      sample: must not be empty
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 400
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10160
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
  sample: CONSUMER.UNPIN.JOBS.worker
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
  sample: Provided priority group does not exist for this consumer
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _position, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "name": {"type": "str", "required": True, "aliases": ["durable_name"]},
    "group": {"type": "str", "required": True},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    found = {option: _subjects.name_problem(params[option]) for option in ("stream", "name")}
    found["group"] = None if params["group"] else "must not be empty"
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def unpin(session: Session) -> dict[str, Any]:
    stream, name, group = (session.params[option] for option in ("stream", "name", "group"))
    await _position.needs(session, (2, 11, 0), "unpinning a client")
    info = await _position.consumer(session)
    pinned = _position.pinned(info, group) if info else None
    if pinned and not session.check_mode:
        await session.manager.unpin_consumer(stream, name, group)
    result: dict[str, Any] = {"changed": pinned is not None, "unpinned": pinned}
    if session.module._diff:
        header = f"group {group} of consumer {name} of stream {stream}"
        before = f"pinned_client_id: {pinned}\n" if pinned else ""
        result["diff"] = {
            "before": before,
            "after": "",
            "before_header": header,
            "after_header": header,
        }
    return result


def main() -> None:
    run(ARGUMENT_SPEC, unpin, validate)


if __name__ == "__main__":
    main()
