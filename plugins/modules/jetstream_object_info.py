#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_object_info
short_description: Read what a JetStream object store has
version_added: 1.0.0
description:
  - Reads what is stored of the objects in a bucket of a JetStream object store, all of them or some, without their
    data.
  - What does not exist is an empty list, a bucket included. No consumer is made on the server.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  bucket:
    description:
      - The name of the bucket. It takes letters, digits, V(-), and V(_).
    type: str
    required: true
  name:
    description:
      - The name of the one object to read. A link is read itself, and not what it leads to.
      - Mutually exclusive with O(names).
    type: str
  names:
    description:
      - The names of the objects to read. V(*), V(?), and V([...]) match as in the names of files, slashes included.
      - Without O(names) and O(name), all objects of the bucket are read.
    type: list
    elements: str
  deleted:
    description:
      - Whether deleted objects are returned as well. RV(objects[].deleted) tells them apart.
    type: bool
    default: false
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_object
  - module: nats.jetstream.jetstream_object_fetch
  - ref: ansible_collections.nats.jetstream.docsite.guide_objects
    description: Storing, fetching, and linking files.
"""

EXAMPLES = r"""
---
- name: Create the bucket that is used below
  nats.jetstream.jetstream_object_bucket:
    name: artifacts

- name: Store an object
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/version
    content: "12"

- name: Read all objects of the bucket
  nats.jetstream.jetstream_object_info:
    bucket: artifacts
  register: every

- name: Say how large they are
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.size }} bytes"
  loop: "{{ every.objects }}"
  loop_control:
    label: "{{ item.name }}"

- name: Read some of them, deleted ones included
  nats.jetstream.jetstream_object_info:
    bucket: artifacts
    names:
      - site/*
    deleted: true

- name: Read one
  nats.jetstream.jetstream_object_info:
    bucket: artifacts
    name: site/version
  register: version

- name: Stop if it is not there
  ansible.builtin.assert:
    that: ansible_check_mode or version.objects | length == 1
"""

RETURN = r"""
---
objects:
  description: The objects, by name.
  returned: success
  type: list
  elements: dict
  contains:
    bucket:
      description: The name of the bucket.
      returned: always
      type: str
      sample: artifacts
    name:
      description: The name of the object.
      returned: always
      type: str
      sample: site/index.html
    description:
      description: What the object is described as. Empty if it has no description.
      returned: always
      type: str
      sample: the entry page
    headers:
      description: The headers of the object. Each has a list of values.
      returned: always
      type: dict
      sample:
        Content-Type:
          - text/html
    metadata:
      description: The metadata of the object.
      returned: always
      type: dict
      sample:
        release: "12"
    link:
      description: Where the object leads to if it is a link, V(null) if it has data of its own.
      returned: always
      type: dict
      contains:
        bucket:
          description: The bucket that it leads to.
          returned: always
          type: str
          sample: releases
        name:
          description: The object in it. A link to the whole bucket has none.
          returned: when the link leads to an object
          type: str
          sample: v12/index.html
    size:
      description: The size of the data in bytes.
      returned: always
      type: int
      sample: 344000
    chunks:
      description: How many messages the data are stored in.
      returned: always
      type: int
      sample: 3
    chunk_size:
      description: The size in bytes of each of them but the last. V(null) if it is not stored.
      returned: always
      type: int
      sample: 131072
    digest:
      description: The digest of the data as it is stored. V(null) for a link.
      returned: always
      type: str
      sample: SHA-256=IdgP4UYMGt47rgecOqFoLrd24AXukHf5-SVzqQ5Psg8=
    sha256:
      description: The SHA-256 digest of the data in hexadecimal, as C(sha256sum) prints it. V(null) for a link.
      returned: always
      type: str
      sample: 21d80fe1460c1ade3bae079c3aa1682eb776e005ee9077f9f92573a90e4fb20f
    nuid:
      description: The identifier under which the data are stored. V(null) in check mode for what is not stored yet.
      returned: always
      type: str
      sample: CkuyLEX4z2hbyjj1aWCfiH
    modified:
      description: When the object or what is said of it was last stored, as RFC 3339. V(null) in check mode for what is
        not stored yet.
      returned: always
      type: str
      sample: "2026-03-01T12:00:00.123456789Z"
    deleted:
      description: Whether the object is deleted, so that only a marker of it is left.
      returned: always
      type: bool
      sample: false
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
  returned: failure, when options are wrong, or the bucket or the server cannot take them
  type: list
  elements: dict
  contains:
    place:
      description: Which option it is about.
      returned: always
      type: str
      sample: chunk_size
    text:
      description: What is wrong.
      returned: always
      type: str
      sample: chunks of 2097152 bytes are larger than the server's max_payload of 1048576 bytes; make them smaller
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 404
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10059
error_class:
  description: What sort of error it is, one of V(missing), V(exists), V(immutable), V(limit),
    V(transient), V(denied), V(unsupported), and V(invalid).
  returned: failure, when the server refused a request
  type: str
  sample: missing
request:
  description: The request that was refused.
  returned: failure, when the server refused a request
  type: str
  sample: STREAM.INFO.OBJ_artifacts
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
  sample: stream not found
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _object_list, _objects
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run

ARGUMENT_SPEC: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "name": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "deleted": {"type": "bool", "default": False},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    inputs.problems += _objects.problems_of(params)


async def info(session: Session) -> dict[str, Any]:
    params, manager, warn = session.params, session.manager, session.module.warn
    bucket, deleted = params["bucket"], params["deleted"]
    if params["name"] is not None:
        found = await _object_list.one(manager, bucket, params["name"], deleted)
    else:
        found = await _object_list.many(manager, bucket, params["names"], deleted, warn)
    return {"changed": False, "objects": found}


def main() -> None:
    run(ARGUMENT_SPEC, info, validate, mutually_exclusive=[("name", "names")])


if __name__ == "__main__":
    main()
