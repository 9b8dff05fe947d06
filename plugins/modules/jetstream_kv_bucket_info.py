#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_kv_bucket_info
short_description: Read key-value buckets
version_added: 1.0.0
description:
  - Returns the settings of key-value buckets of NATS JetStream, and how much they hold.
  - A bucket that does not exist is no failure. It is missing in RV(kv_buckets). So is a stream that is called like
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
  - module: nats.jetstream.jetstream_kv_bucket
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Read one bucket
  nats.jetstream.jetstream_kv_bucket_info:
    name: settings
  register: one

- name: Show what it holds, if it is there
  ansible.builtin.debug:
    msg: "{{ item.name }} holds {{ item.status.bytes }} bytes"
  loop: "{{ one.kv_buckets }}"
  loop_control:
    label: "{{ item.name }}"

- name: Read all buckets of the shop
  nats.jetstream.jetstream_kv_bucket_info:
    names:
      - shop-*
      - settings
  register: shop

- name: Show their declarations, which jetstream_kv_bucket takes as they are
  ansible.builtin.debug:
    var: shop.kv_buckets | map(attribute='declaration')
"""

RETURN = r"""
---
kv_buckets:
  description: The buckets.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the bucket.
      returned: always
      type: str
      sample: settings
    declaration:
      description:
        - What a task would have to say to get this bucket, with units.
        - It is accepted by M(nats.jetstream.jetstream_kv_bucket) as it is.
      returned: always
      type: dict
      contains:
        name:
          description: The name of the bucket.
          returned: always
          type: str
          sample: settings
        description:
          description: The text for people.
          returned: when not at the default
          type: str
          sample: Settings of the shop
        history:
          description: How many values are kept for each key.
          returned: when not at the default
          type: int
          sample: 5
        ttl:
          description: How long values are kept.
          returned: when not at the default
          type: str
          sample: 30d
        max_value_size:
          description: How large a value may be.
          returned: when not at the default
          type: str
          sample: 1MiB
        max_bytes:
          description: How much storage the bucket may take.
          returned: when not at the default
          type: str
          sample: 10GiB
        storage:
          description: Where entries are kept.
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
          description: How stored values are compressed.
          returned: when not at the default
          type: str
          sample: s2
        republish:
          description: The rule by which stored values are published again.
          returned: when not at the default
          type: dict
          contains:
            src:
              description: The subject of the messages to publish again.
              returned: when set
              type: str
              sample: $KV.settings.>
            dest:
              description: The subject to publish them under.
              returned: always
              type: str
              sample: changed.>
            headers_only:
              description: Whether only the headers are published.
              returned: when set
              type: bool
              sample: true
        mirror:
          description: The bucket of which this one is a copy.
          returned: when not at the default
          type: dict
          contains:
            name:
              description: The name of the origin, of a bucket without the prefix of its stream.
              returned: always
              type: str
              sample: settings
            opt_start_seq:
              description: The sequence of the origin to begin with.
              returned: when set
              type: int
              sample: 1000
            opt_start_time:
              description: The time to begin with.
              returned: when set
              type: str
              sample: "2030-01-31T12:00:00Z"
            filter_subject:
              description: The subject of the messages that are copied.
              returned: when set
              type: str
              sample: $KV.settings.a.>
            subject_transforms:
              description: Rules that select messages and change their subjects.
              returned: when set
              type: list
              elements: dict
              contains:
                src:
                  description: The subject to select.
                  returned: when set
                  type: str
                  sample: "orders.*"
                dest:
                  description: The subject to store the messages under.
                  returned: always
                  type: str
                  sample: "$KV.everything.{{wildcard(1)}}"
            external:
              description: Where the origin is when it belongs to another domain or account.
              returned: when set
              type: dict
              contains:
                api:
                  description: The prefix of the origin's JetStream API.
                  returned: always
                  type: str
                  sample: $JS.hub.API
                deliver:
                  description: The prefix of the subjects on which messages are delivered.
                  returned: when set
                  type: str
                  sample: deliver.hub
            consumer:
              description: The consumer of the origin through which messages are copied.
              returned: when set
              type: dict
              contains:
                name:
                  description: The name of the consumer.
                  returned: always
                  type: str
                  sample: archiver
                deliver_subject:
                  description: The subject to which it delivers.
                  returned: always
                  type: str
                  sample: deliver.archiver
        sources:
          description: The buckets and streams from which entries are copied.
          returned: when not at the default
          type: list
          elements: dict
          contains:
            name:
              description: The name of the origin, of a bucket without the prefix of its stream.
              returned: always
              type: str
              sample: settings
            opt_start_seq:
              description: The sequence of the origin to begin with.
              returned: when set
              type: int
              sample: 1000
            opt_start_time:
              description: The time to begin with.
              returned: when set
              type: str
              sample: "2030-01-31T12:00:00Z"
            subject_transforms:
              description: Rules that select messages and change their subjects.
              returned: when set
              type: list
              elements: dict
              contains:
                src:
                  description: The subject to select.
                  returned: when set
                  type: str
                  sample: "orders.*"
                dest:
                  description: The subject to store the messages under.
                  returned: always
                  type: str
                  sample: "$KV.everything.{{wildcard(1)}}"
            external:
              description: Where the origin is when it belongs to another domain or account.
              returned: when set
              type: dict
              contains:
                api:
                  description: The prefix of the origin's JetStream API.
                  returned: always
                  type: str
                  sample: $JS.hub.API
                deliver:
                  description: The prefix of the subjects on which messages are delivered.
                  returned: when set
                  type: str
                  sample: deliver.hub
            consumer:
              description: The consumer of the origin through which messages are copied.
              returned: when set
              type: dict
              contains:
                name:
                  description: The name of the consumer.
                  returned: always
                  type: str
                  sample: archiver
                deliver_subject:
                  description: The subject to which it delivers.
                  returned: always
                  type: str
                  sample: deliver.archiver
        limit_marker_ttl:
          description: For how long a marker stays in place of the last value of a key.
          returned: when not at the default
          type: str
          sample: 1h
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
          description: How many values there are, earlier ones and markers of deletions included.
          returned: always
          type: int
          sample: 3
        bytes:
          description: How much storage they take.
          returned: always
          type: int
          sample: 210
        key_count:
          description: How many keys there are, those included of which only a marker of their deletion is left.
          returned: always
          type: int
          sample: 2
        history:
          description: How many values are kept for each key.
          returned: always
          type: int
          sample: 5
        ttl:
          description: How long values are kept, V(0s) for unlimited.
          returned: always
          type: str
          sample: 30d
        is_mirror:
          description: Whether the bucket is a copy of another one.
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
          name: KV_settings
          subjects: [$KV.settings.>]
          max_msgs_per_subject: 5
          allow_rollup_hdrs: true
          deny_delete: true
        created: "2030-01-31T12:00:00Z"
        state:
          messages: 3
          bytes: 210
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
from ansible_collections.nats.jetstream.plugins.module_utils._kv_bucket import (
    KV_BUCKET,
    SHAPE,
    status,
)


def main() -> None:
    run_info(KV_BUCKET, SHAPE, status, "kv_buckets")


if __name__ == "__main__":
    main()
