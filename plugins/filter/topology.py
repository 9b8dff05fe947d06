# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: topology
short_description: Draw an environment of JetStream as a diagram
version_added: 1.0.0
description:
  - Turns the declaration of an environment, as M(nats.jetstream.jetstream_environment) takes it and
    M(nats.jetstream.jetstream_environment_info) returns it, into a flowchart in the language of Mermaid.
  - It shows streams and their subjects, key-value and object buckets, consumers and their filters, and what flows
    between them by mirrors, sources, and republishing. Messages flow along the arrows.
  - What is referred to and not declared, such as the origin of a mirror in another account, has a dashed border, and so
    have ephemeral consumers. What is declared V(absent) is left out.
  - The same environment gives the same text, in whichever order it is declared. Values of entries are never part of it.
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
positional: _input
options:
  _input:
    description:
      - The environment, a dictionary with C(streams), C(kv_buckets), C(object_buckets), C(consumers), and C(defaults),
        each of which may be missing. Other options of M(nats.jetstream.jetstream_environment) may be among them.
    type: dict
    required: true
  consumers:
    description:
      - Whether consumers are drawn.
    type: bool
    default: true
  direction:
    description:
      - Where the arrows lead, from left to right, from right to left, from top to bottom, or from bottom to top.
    type: str
    choices: [LR, RL, TB, BT]
    default: LR
notes:
  - Mermaid draws no more than 500 arrows and 50,000 characters unless its own settings C(maxEdges) and C(maxTextSize)
    say otherwise. Draw a part of a large account, by the option C(names) of
    M(nats.jetstream.jetstream_environment_info), or leave the consumers out.
seealso:
  - module: nats.jetstream.jetstream_environment
  - module: nats.jetstream.jetstream_environment_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_environments
    description: Declaring everything that an account has, with owners and pruning.
"""

EXAMPLES = r"""
---
- name: Provision something to draw
  nats.jetstream.jetstream_environment:
    streams:
      - name: ORDERS
        subjects:
          - orders.>
        consumers:
          - name: billing
            filter_subject: orders.paid
      - name: ORDERS-COPY
        mirror:
          name: ORDERS

- name: Export the account
  nats.jetstream.jetstream_environment_info:
  register: account

- name: Show it as a diagram
  ansible.builtin.debug:
    msg: "{{ account.environment | nats.jetstream.topology }}"

- name: Write a page with the diagram of streams and buckets, from top to bottom
  ansible.builtin.copy:
    content: |
      # Streams

      ```mermaid
      {{ account.environment | nats.jetstream.topology(consumers=false, direction='TB') }}
      ```
    dest: "{{ playbook_dir }}/streams.md"
    mode: "0644"
"""

RETURN = r"""
---
_value:
  description: The text of the diagram.
  type: str
  sample: |
    flowchart LR
      subjects_ORDERS(["orders.#62;"])
      stream_ORDERS["ORDERS"]
      subjects_ORDERS --> stream_ORDERS
"""

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.nats.jetstream.plugins.plugin_utils._topology import (
    TopologyError,
    diagram,
)


def topology(environment: Mapping[str, Any], consumers: bool = True, direction: str = "LR") -> str:
    try:
        return diagram(environment, consumers, direction)
    except TopologyError as error:
        raise AnsibleFilterError(f"nats.jetstream.topology: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"topology": topology}
