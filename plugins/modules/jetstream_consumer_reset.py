#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_consumer_reset
short_description: Let a JetStream consumer deliver again, or go on elsewhere
version_added: 1.0.0
description:
  - Without O(seq), everything that the consumer has delivered and that was not acknowledged is delivered again at
    once. With it, the consumer goes on with that sequence of the stream, whatever was delivered before.
  - The configuration of the consumer stays. Messages that were acknowledged out of order, above the last one up to
    which all are acknowledged, come again.
  - A consumer that does not exist is an error, in check mode a warning, because an earlier task may create it.
  - This needs nats-server 2.14 or newer. Older servers can only recreate the consumer, with
    O(nats.jetstream.jetstream_consumer#module:recreate).
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - How many messages would wait afterwards is not known beforehand, so RV(after) is not returned.
  diff_mode:
    support: full
    details:
      - Shows the sequences up to which messages were delivered and acknowledged, before and after.
  idempotent:
    support: full
    details:
      - A second run changes nothing, unless the consumer went on meanwhile.
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
  seq:
    description:
      - The sequence of the stream with which the consumer goes on, at least V(1). When that message is gone or does
        not match the consumer's filters, the next one does.
      - With a sequence above the last one of the stream, the consumer skips every message that arrives below it.
      - A consumer with O(nats.jetstream.jetstream_consumer#module:deliver_policy) V(last), V(new), or
        V(last_per_subject) takes no sequence. One with V(by_start_sequence) takes none below its start.
    type: int
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_consumer
  - module: nats.jetstream.jetstream_consumer_info
  - module: nats.jetstream.jetstream_consumer_unpin
"""

EXAMPLES = r"""
---
- name: Create a stream
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Create a consumer
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing

- name: Deliver everything again that a crashed client has not acknowledged
  nats.jetstream.jetstream_consumer_reset:
    stream: ORDERS
    name: billing

- name: Deliver the stream from a sequence on once more
  nats.jetstream.jetstream_consumer_reset:
    stream: ORDERS
    name: billing
    seq: 1000
  register: replay

- name: Say where it goes on
  ansible.builtin.debug:
    msg: "The consumer had {{ replay.before.delivered | default(0) }} delivered, and goes on with {{ replay.seq }}."
"""

RETURN = r"""
---
seq:
  description:
    - The sequence of the stream with which the consumer goes on.
    - It is V(null) in check mode, when there is no such consumer yet.
  returned: success
  type: int
  sample: 1000
before:
  description: How far the consumer had come. It is empty in check mode when there is no such consumer yet.
  returned: success
  type: dict
  contains: &place
    ack_floor:
      description: The sequence up to which all messages were acknowledged.
      returned: always
      type: int
      sample: 1204
    delivered:
      description: The sequence up to which messages were delivered.
      returned: always
      type: int
      sample: 1210
    num_pending:
      description: How many messages wait to be delivered.
      returned: always
      type: int
      sample: 40
    num_ack_pending:
      description: How many messages were delivered and wait to be acknowledged.
      returned: always
      type: int
      sample: 6
    num_redelivered:
      description: How many of these were delivered more than once.
      returned: always
      type: int
      sample: 0
after:
  description: How far it has come now, in the same words.
  returned: success, outside check mode
  type: dict
  contains: *place
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
      sample: seq
    text:
      description: What is wrong.
      returned: always
      type: str
      sample: 0 is not 1 or more
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 400
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10204
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
  sample: CONSUMER.RESET.ORDERS.billing
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
  sample: "invalid reset: not allowed"
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _position, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._consumer_rules import place
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "name": {"type": "str", "required": True, "aliases": ["durable_name"]},
    "seq": {"type": "int"},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    found = {option: _subjects.name_problem(params[option]) for option in ("stream", "name")}
    if params["seq"] is not None and not 1 <= params["seq"] < 2**63:
        found["seq"] = f"{params['seq']} is not 1 or more"
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def reset(session: Session) -> dict[str, Any]:
    stream, name, seq = (session.params[option] for option in ("stream", "name", "seq"))
    server = await _position.needs(session, (2, 14, 0), "resetting a consumer")
    info = await _position.consumer(session)
    if info is None:
        return {"changed": True, "seq": seq, "before": {}}
    before, goal = place(info), _position.goal(info, seq, server)
    changed, after = not _position.is_at(before, goal), before
    if changed and not session.check_mode:
        after = place(await session.manager.reset_consumer(stream, name, seq))
    result: dict[str, Any] = {"changed": changed, "seq": goal, "before": before}
    if not session.check_mode:
        result["after"] = after
    if session.module._diff:
        result["diff"] = _position.diff(info, before, goal)
    return result


def main() -> None:
    run(ARGUMENT_SPEC, reset, validate)


if __name__ == "__main__":
    main()
