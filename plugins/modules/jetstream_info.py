#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_info
short_description: Read what a JetStream account holds
version_added: 1.0.0
description:
  - Returns what an account of NATS JetStream uses and may use, and, if asked for, all its streams, consumers, and
    buckets.
  - For single streams, consumers, or buckets, the modules M(nats.jetstream.jetstream_stream_info),
    M(nats.jetstream.jetstream_consumer_info), M(nats.jetstream.jetstream_kv_bucket_info), and
    M(nats.jetstream.jetstream_object_bucket_info) ask for less.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  gather_subset:
    description:
      - What to return.
      - V(account) is one request. V(streams), V(kv_buckets), and V(object_buckets) together take one request for
        every 256 streams of the account, and V(consumers) one more for each stream.
      - An empty list returns nothing but RV(server).
    type: list
    elements: str
    choices: [account, streams, consumers, kv_buckets, object_buckets]
    default: [account]
  thresholds:
    description:
      - From where on something is a problem in RV(health).
    type: dict
    suboptions:
      replica_lag:
        description:
          - How many operations a replica that is current may be behind its leader.
        type: int
        default: 1000
      fill:
        description:
          - How far a limit may be reached, in percent.
        type: int
        default: 90
      source_lag:
        description:
          - How many messages the origin of a mirror, or a source, may be ahead.
        type: int
        default: 1000
      source_silence:
        description:
          - For how long nothing may be heard of the origin of a mirror, or of a source, as a duration such as
            V(30s). In good order something is heard every second.
        type: str
        default: 1m
      pending:
        description:
          - How many messages may wait to be delivered. Without it, any number may.
        type: int
      redelivered:
        description:
          - How many messages may wait for an acknowledgement that were delivered more than once.
        type: int
        default: 0
      ack_silence:
        description:
          - For how long no message may be delivered or acknowledged while some wait to be acknowledged, as a duration
            such as V(5m). The consumer's own O(nats.jetstream.jetstream_consumer#module:ack_wait) counts where it
            is longer.
        type: str
        default: 5m
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_consumer_info
  - module: nats.jetstream.jetstream_kv_bucket_info
  - module: nats.jetstream.jetstream_object_bucket_info
  - module: nats.jetstream.jetstream_environment_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_getting_started
    description: The first steps, with a server on the own machine.
"""

EXAMPLES = r"""
---
- name: Read what the account uses
  nats.jetstream.jetstream_info:
  register: jetstream

- name: Stop when there is too little storage left
  vars:
    limit: "{{ jetstream.account.limits.max_storage }}"
  ansible.builtin.assert:
    that: limit | int < 0 or jetstream.account.storage < limit | int * 0.9

- name: Read everything
  nats.jetstream.jetstream_info:
    gather_subset:
      - account
      - streams
      - consumers
      - kv_buckets
      - object_buckets
  register: everything

- name: Stop when anything is wrong
  ansible.builtin.assert:
    that: everything.health.ok
    fail_msg: "{{ everything.health.problems | map(attribute='text') | join('; ') }}"

- name: Show the consumers that have messages waiting
  ansible.builtin.debug:
    msg: "{{ item.declaration.stream }} {{ item.name }} has {{ item.consumer.num_pending }} messages waiting"
  loop: "{{ everything.consumers | selectattr('consumer.num_pending', 'gt', 0) }}"
  loop_control:
    label: "{{ item.name }}"

- name: Show the names of the key-value buckets
  ansible.builtin.debug:
    var: everything.kv_buckets | map(attribute='name')
"""

RETURN = r"""
---
health:
  description:
    - Whether anything is wrong with the account, its streams, and its consumers, as far as O(gather_subset) has
      them, judged by the server's answers and O(thresholds).
  returned: success
  type: dict
  contains:
    ok:
      description: Whether there is no problem.
      returned: always
      type: bool
      sample: false
    problems:
      description: The problems, none when all is well.
      returned: always
      type: list
      elements: dict
      contains:
        problem:
          description: What sort of problem it is, one of V(no_leader), V(replica_offline),
            V(replica_not_current), V(replica_lag), V(replicas_missing), V(mirror_error), V(mirror_lag),
            V(mirror_silent), V(source_error), V(source_lag), V(source_silent), V(nearly_full), V(unreachable),
            V(pending), V(redelivered), and V(acks_stuck).
          returned: always
          type: str
          sample: nearly_full
        text:
          description: What is wrong, in words.
          returned: always
          type: str
          sample: "the account: 920 of 1000 are reached (max_streams)"
        stream:
          description: The stream it is about. It is V(null) for an account.
          returned: always
          type: str
          sample: ORDERS
        consumer:
          description: The consumer it is about. It is V(null) for a stream or an account.
          returned: always
          type: str
          sample: billing
        about:
          description: The server, the stream that is copied from, or the limit it is about.
          returned: always
          type: str
          sample: max_streams
        value:
          description: The number that is too high or too low, durations in nanoseconds.
          returned: always
          type: int
          sample: 0
        limit:
          description: The number it was held against.
          returned: always
          type: int
          sample: 1000
account:
  description: What the account uses and may use, as the server sent it.
  returned: when O(gather_subset) has V(account)
  type: dict
  contains:
    memory:
      description: How many bytes streams in memory take.
      returned: always
      type: int
      sample: 0
    storage:
      description: How many bytes streams in files take.
      returned: always
      type: int
      sample: 468000
    reserved_memory:
      description: How many bytes in memory are reserved by limits of streams.
      returned: from nats-server 2.10.8 on
      type: int
      sample: 0
    reserved_storage:
      description: How many bytes in files are reserved by limits of streams.
      returned: from nats-server 2.10.8 on
      type: int
      sample: 10737418240
    streams:
      description: How many streams there are.
      returned: always
      type: int
      sample: 4
    consumers:
      description: How many consumers there are.
      returned: always
      type: int
      sample: 7
    limits:
      description: What the account may use.
      returned: always
      type: dict
      contains:
        max_memory:
          description: How many bytes streams in memory may take, V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        max_storage:
          description: How many bytes streams in files may take, V(-1) for unlimited.
          returned: always
          type: int
          sample: 107374182400
        max_streams:
          description: How many streams there may be, V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        max_consumers:
          description: How many consumers each stream may have, V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        max_ack_pending:
          description: How many messages a consumer may have delivered without an acknowledgement,
            V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        memory_max_stream_bytes:
          description: How many bytes a stream in memory may take, V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        storage_max_stream_bytes:
          description: How many bytes a stream in files may take, V(-1) for unlimited.
          returned: always
          type: int
          sample: -1
        max_bytes_required:
          description: Whether every stream needs a limit of bytes.
          returned: always
          type: bool
          sample: false
    domain:
      description: The JetStream domain.
      returned: when the server has one
      type: str
      sample: hub
    api:
      description: Requests to the JetStream API.
      returned: always
      type: dict
      contains:
        level:
          description: The level of the API that the server speaks.
          returned: from nats-server 2.11 on
          type: int
          sample: 5
        total:
          description: How many requests there were.
          returned: always
          type: int
          sample: 1514
        errors:
          description: How many of them were refused.
          returned: always
          type: int
          sample: 3
        inflight:
          description: How many are being worked on.
          returned: when there are any
          type: int
          sample: 1
    tiers:
      description: The same numbers and limits for each number of replicas, such as C(R1) and C(R3).
      returned: when the account has limits of that kind
      type: dict
      sample:
        R1:
          memory: 0
          storage: 468000
          streams: 4
          consumers: 7
streams:
  description: All streams of the account, those of buckets included.
  returned: when O(gather_subset) has V(streams)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the stream.
      returned: always
      type: str
      sample: ORDERS
    declaration:
      description: What a task would have to say to get this stream, in the form of
        RV(nats.jetstream.jetstream_stream_info#module:streams[].declaration).
      returned: always
      type: dict
      sample:
        name: ORDERS
        subjects:
          - orders.>
        max_age: 30d
    stream:
      description: The stream as the server sent it, in the form of
        RV(nats.jetstream.jetstream_stream_info#module:streams[].stream).
      returned: always
      type: dict
      sample:
        config:
          name: ORDERS
          subjects:
            - orders.>
          max_age: 2592000000000000
        state:
          messages: 1200
          bytes: 468000
consumers:
  description: All consumers of the account.
  returned: when O(gather_subset) has V(consumers)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the consumer.
      returned: always
      type: str
      sample: billing
    declaration:
      description: What a task would have to say to get this consumer, in the form of
        RV(nats.jetstream.jetstream_consumer_info#module:consumers[].declaration).
      returned: always
      type: dict
      sample:
        stream: ORDERS
        name: billing
        ack_policy: explicit
        ack_wait: 1m
    consumer:
      description: The consumer as the server sent it, in the form of
        RV(nats.jetstream.jetstream_consumer_info#module:consumers[].consumer).
      returned: always
      type: dict
      sample:
        stream_name: ORDERS
        name: billing
        num_pending: 50
kv_buckets:
  description: All key-value buckets.
  returned: when O(gather_subset) has V(kv_buckets)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the bucket.
      returned: always
      type: str
      sample: settings
    declaration:
      description: What a task would have to say to get this bucket, in the form of
        RV(nats.jetstream.jetstream_kv_bucket_info#module:kv_buckets[].declaration).
      returned: always
      type: dict
      sample:
        name: settings
        ttl: 30d
    status:
      description: What the bucket holds, in the form of
        RV(nats.jetstream.jetstream_kv_bucket_info#module:kv_buckets[].status).
      returned: always
      type: dict
      sample:
        messages: 12
        bytes: 4680
    stream:
      description: The stream of the bucket, V(KV_settings), as the server sent it, in the form of
        RV(nats.jetstream.jetstream_stream_info#module:streams[].stream).
      returned: always
      type: dict
      sample:
        config:
          name: KV_settings
        state:
          messages: 12
          bytes: 4680
object_buckets:
  description: All object buckets.
  returned: when O(gather_subset) has V(object_buckets)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the bucket.
      returned: always
      type: str
      sample: images
    declaration:
      description: What a task would have to say to get this bucket, in the form of
        RV(nats.jetstream.jetstream_object_bucket_info#module:object_buckets[].declaration).
      returned: always
      type: dict
      sample:
        name: images
        ttl: 30d
    status:
      description: What the bucket holds, in the form of
        RV(nats.jetstream.jetstream_object_bucket_info#module:object_buckets[].status).
      returned: always
      type: dict
      sample:
        messages: 12
        bytes: 4680
    stream:
      description: The stream of the bucket, V(OBJ_images), as the server sent it, in the form of
        RV(nats.jetstream.jetstream_stream_info#module:streams[].stream).
      returned: always
      type: dict
      sample:
        config:
          name: OBJ_images
        state:
          messages: 12
          bytes: 4680
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
  sample: STREAM.LIST
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

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _health,
    _kv_bucket,
    _object_bucket,
)
from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._bucket_lookup import bucket_rows
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import each, row
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM

BUCKETS = {
    "kv_buckets": (_kv_bucket.KV_BUCKET, _kv_bucket.status),
    "object_buckets": (_object_bucket.OBJECT_BUCKET, _object_bucket.status),
}

ARGUMENT_SPEC: dict[str, Any] = {
    "gather_subset": {
        "type": "list",
        "elements": "str",
        "choices": ["account", "streams", "consumers", "kv_buckets", "object_buckets"],
        "default": ["account"],
    },
    **_health.thresholds_spec(streams=True, consumers=True),
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> _health.Thresholds:
    return _health.read_thresholds(params, inputs.problems)


async def gather(session: Session) -> dict[str, Any]:
    subset, manager = frozenset(session.params["gather_subset"]), session.manager
    server, limits = server_of(session.connection), session.wanted
    result: dict[str, Any] = {"changed": False}
    parts = []
    if "account" in subset:
        result["account"] = await manager.account_info()
        parts.append(_health.of_account(result["account"], limits))
    if subset - {"account"}:
        infos, missing = await manager.streams_listing()
        names = [info["config"]["name"] for info in infos]
        if missing:
            listed = ", ".join(sorted(missing))
            session.module.warn(f"the servers of these streams did not answer: {listed}")
        if "streams" in subset:
            result["streams"] = [row(STREAM, info, server) for info in infos]
            parts += [_health.of_stream(one, limits) for one in infos if _name(one) not in missing]
            parts += [_health.unreachable(name) for name in sorted(missing)]
        for option, (kind, status) in BUCKETS.items():
            if option in subset:
                result[option] = bucket_rows(kind, status, infos, server)
        if "consumers" in subset:
            pages = await each(names, manager.consumers_info)
            result["consumers"] = [row(CONSUMER, info, server) for page in pages for info in page]
            parts += [_health.of_consumer(info, limits) for page in pages for info in page]
    return {**result, "health": _health.together(parts)}


def _name(info: dict[str, Any]) -> str:
    return str(info["config"]["name"])


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate)


if __name__ == "__main__":
    main()
