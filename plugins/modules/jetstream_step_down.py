#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_step_down
short_description: Let another server lead a stream, a consumer, or the cluster
version_added: 1.0.0
description:
  - Asks the leader of a stream, the leader of a consumer, or the meta leader of the cluster to step down, so that
    another server is elected, and waits for the election. It is useful before a server is taken down.
  - With O(preferred), that server is to lead. Without it, whoever is elected does, and the task changes something
    each time it runs.
  - Only a cluster can do this. A standalone server fails the task, and so does a stream with a single replica.
  - The data stays where it is. To move a stream to other servers, change its placement with
    M(nats.jetstream.jetstream_stream).
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Who will be elected is not known beforehand. RV(leader) is V(null) then, unless O(preferred) is given.
      - A stream or consumer that does not exist is a warning in check mode, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows the leader before and after.
  idempotent:
    support: partial
    details:
      - With O(preferred), a second run changes nothing. Without it, every run lets another server lead.
options:
  stream:
    description:
      - The stream whose leader is to step down.
      - Exactly one of O(stream) and O(meta) is required.
    type: str
  consumer:
    description:
      - The consumer of O(stream) whose leader is to step down, in place of that of the stream.
    type: str
  meta:
    description:
      - Use V(true) for the meta leader, the server that decides for the whole cluster where streams and consumers
        are placed.
      - This needs a user of the system account. It takes no O(domain) and no O(api_prefix).
    type: bool
    default: false
  preferred:
    description:
      - The name of the server that is to lead. Nothing happens when it leads already.
      - It has to hold a replica. Needs nats-server 2.11 or newer.
    type: str
  wait:
    description:
      - Whether to wait until another server leads. Otherwise the task ends as soon as the leader has agreed, and
        RV(leader) is V(null).
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for another leader, as a duration such as V(30s). Elections take a second or less, unless
        servers are down.
    type: str
    default: 60s
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_consumer
  - ref: ansible_collections.nats.jetstream.docsite.guide_clusters
    description: Replicas, placement, leaders, and waiting for them.
"""

EXAMPLES = r"""
---
- name: Create a stream with three replicas
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>
    num_replicas: 3

- name: Create a consumer of it
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing

- name: Let another server lead the stream
  nats.jetstream.jetstream_step_down:
    stream: ORDERS
  register: election

- name: Say who leads now
  ansible.builtin.debug:
    msg: "The leader was {{ election.leader_before }}, and is {{ election.leader }}."

- name: Let a certain server lead the consumer
  nats.jetstream.jetstream_step_down:
    stream: ORDERS
    consumer: billing
    preferred: n2

- name: Find the streams that a server leads before it is taken down
  nats.jetstream.jetstream_stream_info:
  register: found

- name: Let others lead them
  nats.jetstream.jetstream_step_down:
    stream: "{{ item.name }}"
  loop: "{{ found.streams | selectattr('stream.cluster.leader', 'equalto', 'n1') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Let a certain server be the meta leader
  nats.jetstream.jetstream_step_down:
    meta: true
    preferred: n3
    user: system
    password: "{{ system_password }}"
"""

RETURN = r"""
---
leader_before:
  description:
    - The server that led before.
    - It is V(null) in check mode, when there is no such stream or consumer yet.
  returned: success
  type: str
  sample: n1
leader:
  description:
    - The server that leads now.
    - It is V(null) when that is not known, in check mode without O(preferred), and with O(wait=false).
  returned: success
  type: str
  sample: n2
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
      sample: preferred
    text:
      description: What is wrong.
      returned: always
      type: str
      sample: the preferred server n9 is not one of its servers, n1, n2, n3
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 400
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10008
error_class:
  description: What sort of error it is, one of V(missing), V(exists), V(immutable), V(limit),
    V(transient), V(denied), V(unsupported), and V(invalid).
  returned: failure, when the server refused a request
  type: str
  sample: transient
request:
  description: The request that was refused.
  returned: failure, when the server refused a request
  type: str
  sample: STREAM.LEADER.STEPDOWN.ORDERS
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
  sample: JetStream system temporarily unavailable
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _leaders, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import MISSING, ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str"},
    "consumer": {"type": "str"},
    "meta": {"type": "bool", "default": False},
    "preferred": {"type": "str"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "str", "default": "60s"},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> float:
    """Return how many seconds to wait; add what is wrong."""
    given = [option for option in ("stream", "consumer") if params[option] is not None]
    found = {option: _subjects.name_problem(params[option]) for option in given}
    if params["meta"] is bool(given):
        found["meta"] = "give either a stream or meta=true"
    elif given == ["consumer"]:
        found["consumer"] = "needs stream"
    if params["preferred"] == "":
        found["preferred"] = "is empty"
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]
    return inputs.seconds(params, "wait_timeout")


async def step_down(session: Session) -> dict[str, Any]:
    stream, consumer = session.params["stream"], session.params["consumer"]
    if session.params["meta"]:
        group = _leaders.meta_group(session.manager)
    elif consumer is not None:
        group = _leaders.consumer_group(session.manager, stream, consumer)
    else:
        group = _leaders.stream_group(session.manager, stream)
    try:
        return await _leaders.step_down(session, group, session.params["preferred"])
    except ApiError as error:
        if error.error_class != MISSING or not session.check_mode:
            raise
        session.module.warn(f"there is nothing to lead yet: {error}; an earlier task may create it")
        return {"changed": True, "leader_before": None, "leader": session.params["preferred"]}


def main() -> None:
    run(ARGUMENT_SPEC, step_down, validate)


if __name__ == "__main__":
    main()
