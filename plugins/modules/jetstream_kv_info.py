#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_kv_info
short_description: Read entries of a key-value bucket
version_added: 1.0.0
description:
  - Returns the entries of a key-value bucket of NATS JetStream, or those whose keys match a filter, with their
    values and revisions, and on request with their history.
  - It leaves no consumer on the server.
  - A bucket that does not exist is no error. RV(exists) is V(false) then.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  bucket:
    description:
      - The name of the bucket.
    type: str
    required: true
  keys:
    description:
      - Keys, or filters of keys. The wildcard V(*) stands for one token between dots, and V(>) at the end for
        one token or more.
      - The default is all keys.
    type: list
    elements: str
  history:
    description:
      - Whether all revisions of a key are returned that the bucket keeps, and not only the last one.
    type: bool
    default: false
  deleted:
    description:
      - Whether the markers of deleted and purged entries are returned, too. Their RV(entries[].operation) tells them
        apart.
    type: bool
    default: false
  encoding:
    description:
      - The form in which values are returned. A value that does not have it fails the task.
      - Without it, a value is V(text) if it is UTF-8, and V(base64) otherwise.
    type: str
    choices: [text, json, base64]
  values:
    description:
      - Whether the values are returned. With V(false), the keys, revisions, and times are.
    type: bool
    default: true
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_kv
  - module: nats.jetstream.jetstream_kv_bucket_info
  - plugin: nats.jetstream.kv
    plugin_type: lookup
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Create a bucket
  nats.jetstream.jetstream_kv_bucket:
    name: settings
    history: 5

- name: Write something to read
  nats.jetstream.jetstream_kv:
    bucket: settings
    entries:
      - key: shop.currency
        value: EUR
      - key: shop.limits
        json:
          orders: 500

- name: Read the entries of the shop
  nats.jetstream.jetstream_kv_info:
    bucket: settings
    keys:
      - shop.>
  register: shop

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.key }} is {{ item.value }} since {{ item.created }}"
  loop: "{{ shop.entries }}"
  loop_control:
    label: "{{ item.key }}"

- name: Read what a key was before, deletions included
  nats.jetstream.jetstream_kv_info:
    bucket: settings
    keys:
      - shop.currency
    history: true
    deleted: true
  register: currency

- name: Show the revisions
  ansible.builtin.debug:
    msg: "{{ currency.entries | map(attribute='revision') | list }}"
"""

RETURN = r"""
---
exists:
  description: Whether the bucket exists.
  returned: success
  type: bool
  sample: true
entries:
  description: The entries that were found, by key, and those of a key by revision.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The key.
      returned: always
      type: str
      sample: shop.currency
    value:
      description: The value in the form that RV(entries[].encoding) names.
      returned: with O(values=true), unless it is a marker
      type: raw
      sample: EUR
    encoding:
      description: The form of the value, one of V(text), V(json), and V(base64).
      returned: with O(values=true), unless it is a marker
      type: str
      sample: text
    size:
      description: How many bytes the value has.
      returned: always
      type: int
      sample: 3
    revision:
      description: The revision, which is the sequence of the message in the bucket's stream.
      returned: always
      type: int
      sample: 8
    created:
      description: When it was written.
      returned: always
      type: str
      sample: "2030-01-31T12:00:00.123456789Z"
    operation:
      description: What wrote it, one of V(put), V(delete), and V(purge).
      returned: always
      type: str
      sample: put
    delta:
      description: How many newer revisions of the key there are.
      returned: always
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

from ansible_collections.nats.jetstream.plugins.module_utils import _kv
from ansible_collections.nats.jetstream.plugins.module_utils._kv_read import problems_of, read
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._payload import ENCODINGS
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "keys": {"type": "list", "elements": "str", "no_log": False},
    "history": {"type": "bool", "default": False},
    "deleted": {"type": "bool", "default": False},
    "encoding": {"type": "str", "choices": list(ENCODINGS)},
    "values": {"type": "bool", "default": True},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    inputs.problems += [
        Problem(*one) for one in problems_of(params["bucket"], params["keys"] or [])
    ]


async def look(session: Session) -> dict[str, Any]:
    params, manager = session.params, session.manager
    bucket = await _kv.find_bucket(manager, params["bucket"])
    found: list[dict[str, Any]] = []
    if bucket is not None:
        options = {name: params[name] for name in ("history", "deleted", "encoding", "values")}
        found = await read(manager, bucket, params["keys"], **options)
    return {"changed": False, "exists": bucket is not None, "entries": found}


def main() -> None:
    run(ARGUMENT_SPEC, look, validate)


if __name__ == "__main__":
    main()
