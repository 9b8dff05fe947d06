#!/usr/bin/python
# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_environment_info
short_description: Export an account as the declaration of an environment
version_added: 1.0.0
description:
  - Reads the streams, consumers, and buckets of an account, and returns them as the options of
    M(nats.jetstream.jetstream_environment).
  - Given back to that module, they change nothing on this server, and build the same on an empty one.
  - Messages and objects are not part of it, and entries of key-value buckets only on request.
  - What cannot be declared, such as an ephemeral consumer, is left out and named.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  owner:
    description:
      - Exports only what bears the mark of this owner, which also becomes part of the environment.
      - The default is everything, without marks.
    type: str
  names:
    description:
      - Exports only the streams and buckets with these names, and their consumers. Patterns such as V(shop-*) are
        allowed.
      - The default is everything.
    type: list
    elements: str
  include_entries:
    description:
      - Whether to export the entries of key-value buckets, too, with the last value of each key. Earlier values,
        and times to live of single entries, are not exported.
      - Values are part of the result then. Give the task C(no_log=true) where they are secret.
    type: bool
    default: false
  concurrency:
    description:
      - How many requests are on their way at the same time, from V(1) to V(1024).
    type: int
    default: 32
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_environment
  - module: nats.jetstream.jetstream_info
  - plugin: nats.jetstream.topology
    plugin_type: filter
  - ref: ansible_collections.nats.jetstream.docsite.guide_environments
    description: Declaring everything that an account has, with owners and pruning.
"""

EXAMPLES = r"""
---
- name: Make something to export
  nats.jetstream.jetstream_environment:
    streams:
      - name: ORDERS
        subjects:
          - orders.>
        consumers:
          - name: billing
    kv_buckets:
      - name: settings

- name: Export the account
  nats.jetstream.jetstream_environment_info:
  register: account

- name: Write it to a file, in the form in which roles and playbooks load it
  ansible.builtin.copy:
    content: "{{ account.environment | to_nice_yaml }}"
    dest: "{{ playbook_dir }}/environment.yml"
    mode: "0644"

- name: Say what it does not hold
  ansible.builtin.debug:
    var: account.left_out

- name: See whether anything has changed since
  nats.jetstream.jetstream_environment:
    streams: "{{ account.environment.streams | default([]) }}"
    kv_buckets: "{{ account.environment.kv_buckets | default([]) }}"
  check_mode: true
  diff: true
"""

RETURN = r"""
---
environment:
  description:
    - The options of M(nats.jetstream.jetstream_environment) that declare what was read.
    - Lists without entries are left out.
  returned: success
  type: dict
  contains:
    owner:
      description: The owner.
      returned: when O(owner) is given
      type: str
      sample: shop
    streams:
      description: The streams, each with its consumers.
      returned: when there are any
      type: list
      elements: dict
      sample:
        - name: ORDERS
          subjects:
            - orders.>
          max_age: 30d
          consumers:
            - name: billing
              filter_subject: orders.paid
    kv_buckets:
      description: The key-value buckets, with their entries if O(include_entries) is true.
      returned: when there are any
      type: list
      elements: dict
      sample:
        - name: settings
          history: 5
    object_buckets:
      description: The object buckets.
      returned: when there are any
      type: list
      elements: dict
      sample:
        - name: invoices
    consumers:
      description: The consumers whose stream is not among RV(environment.streams).
      returned: when there are any
      type: list
      elements: dict
      sample:
        - stream: KV_settings
          name: watcher
left_out:
  description: What was found and cannot be declared.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is, one of V(stream), V(kv_bucket), V(object_bucket), and V(consumer).
      returned: always
      type: str
      sample: consumer
    name:
      description: Its name.
      returned: always
      type: str
      sample: q7vTwBSFbYZzOhC1wHGJsx
    stream:
      description: The stream of a consumer.
      returned: for consumers
      type: str
      sample: ORDERS
    reason:
      description: Why it is left out.
      returned: always
      type: str
      sample: "is ephemeral: it belongs to the client that made it"
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

from ansible_collections.nats.jetstream.plugins.module_utils._export import (
    ARGUMENT_SPEC,
    gather,
    validate,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import run


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate)


if __name__ == "__main__":
    main()
