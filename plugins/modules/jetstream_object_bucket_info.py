#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_object_bucket_info
short_description: Read object buckets
version_added: 1.0.0
description:
  - Returns the settings of object buckets of NATS JetStream, and how much they hold.
  - A bucket that does not exist is no failure. It is missing in RV(object_buckets). So is a stream that is called
    like
    a bucket and cannot serve as one.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  name:
    description:
      - The name of one bucket.
      - Excludes O(names).
      - Without O(name) and O(names), all buckets are returned.
    type: str
    aliases: [bucket]
  names:
    description:
      - Names of buckets, or patterns for them with the wildcards V(*), V(?), and V([]) of shells.
      - A name is one request. For patterns the names of all streams are listed first.
    type: list
    elements: str
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_object_bucket
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_objects
    description: Storing, fetching, and linking files.
"""

EXAMPLES = r"""
---
- name: Read one bucket
  nats.jetstream.jetstream_object_bucket_info:
    name: files
  register: one

- name: Show what it holds, if it is there
  ansible.builtin.debug:
    msg: "{{ item.name }} holds {{ item.status.bytes }} bytes"
  loop: "{{ one.object_buckets }}"
  loop_control:
    label: "{{ item.name }}"

- name: Read all buckets of the shop
  nats.jetstream.jetstream_object_bucket_info:
    names:
      - shop-*
      - files
  register: shop

- name: Show their declarations, which jetstream_object_bucket takes as they are
  ansible.builtin.debug:
    var: shop.object_buckets | map(attribute='declaration')
"""

RETURN = r"""
---
object_buckets:
  description: The buckets.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the bucket.
      returned: always
      type: str
      sample: files
    declaration:
      description:
        - What a task would have to say to get this bucket, with units.
        - It is accepted by M(nats.jetstream.jetstream_object_bucket) as it is.
      returned: always
      type: dict
      contains:
        name:
          description: The name of the bucket.
          returned: always
          type: str
          sample: files
        description:
          description: The text for people.
          returned: when not at the default
          type: str
          sample: Files of the shop
        ttl:
          description: How long objects are kept.
          returned: when not at the default
          type: str
          sample: 30d
        max_bytes:
          description: How much storage the bucket may take.
          returned: when not at the default
          type: str
          sample: 10GiB
        storage:
          description: Where objects are kept.
          returned: when not at the default
          type: str
          sample: memory
        num_replicas:
          description: On how many servers the bucket is kept.
          returned: when not at the default
          type: int
          sample: 3
        placement:
          description: On which servers of a cluster the bucket is kept.
          returned: when not at the default
          type: dict
          contains:
            cluster:
              description: The name of the cluster.
              returned: when set
              type: str
              sample: east
            tags:
              description: The tags that a server must have.
              returned: when set
              type: list
              elements: str
              sample:
                - ssd
            preferred:
              description: The server that should lead.
              returned: when set
              type: str
              sample: n1
        compression:
          description: How stored objects are compressed.
          returned: when not at the default
          type: str
          sample: s2
        sealed:
          description: Whether the bucket is closed.
          returned: when not at the default
          type: bool
          sample: true
        metadata:
          description: Texts by name.
          returned: when not at the default
          type: dict
          sample:
            team: shop
    status:
      description: What the bucket holds.
      returned: always
      type: dict
      contains:
        messages:
          description: How many messages there are, which are the chunks of objects and one for each object itself.
          returned: always
          type: int
          sample: 3
        bytes:
          description: How much storage they take.
          returned: always
          type: int
          sample: 210
        ttl:
          description: How long objects are kept, V(0s) for unlimited.
          returned: always
          type: str
          sample: 30d
        sealed:
          description: Whether the bucket is closed.
          returned: always
          type: bool
          sample: false
    stream:
      description:
        - The stream of the bucket as the server sent it, with durations in nanoseconds and sizes in bytes.
        - What is in it is described at RV(nats.jetstream.jetstream_stream#module:stream).
      returned: always
      type: dict
      sample:
        config:
          name: OBJ_files
          subjects: [$O.files.C.>, $O.files.M.>]
          allow_rollup_hdrs: true
        created: "2030-01-31T12:00:00Z"
        state:
          messages: 3
          bytes: 262800
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
  sample: STREAM.INFO.ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils._bucket_lookup import run_info
from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket import (
    OBJECT_BUCKET,
    SHAPE,
    status,
)


def main() -> None:
    run_info(OBJECT_BUCKET, SHAPE, status, "object_buckets")


if __name__ == "__main__":
    main()
