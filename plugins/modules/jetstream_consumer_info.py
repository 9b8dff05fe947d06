#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_consumer_info
short_description: Read consumers of a JetStream stream
version_added: 1.0.0
description:
  - Returns the consumers of a stream of NATS JetStream, each as the declaration that would create it and as the
    server's own answer, which tells how far it has come.
  - A consumer or a stream that does not exist is no error. The list is then empty.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  stream:
    description:
      - The name of the stream.
    type: str
    required: true
  name:
    description:
      - The name of one consumer. Without it, all consumers of the stream are returned.
    type: str
    aliases: [durable_name]
  thresholds:
    description:
      - From where on something is a problem in RV(consumers[].health).
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
  - module: nats.jetstream.jetstream_consumer
  - module: nats.jetstream.jetstream_consumer_reset
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_getting_started
    description: The first steps, with a server on the own machine.
"""

EXAMPLES = r"""
---
- name: Create a stream
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Create a consumer to look at
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    filter_subject: orders.paid

- name: Read all consumers of a stream
  nats.jetstream.jetstream_consumer_info:
    stream: ORDERS
  register: consumers

- name: Show how many messages each has waiting
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.consumer.num_pending }} messages waiting"
  loop: "{{ consumers.consumers }}"
  loop_control:
    label: "{{ item.name }}"

- name: Stop when a consumer has trouble
  ansible.builtin.assert:
    that: item.health.ok
    fail_msg: "{{ item.health.problems | map(attribute='text') | join('; ') }}"
    quiet: true
  loop: "{{ consumers.consumers }}"
  loop_control:
    label: "{{ item.name }}"

- name: Wait until a consumer has seen all messages
  nats.jetstream.jetstream_consumer_info:
    stream: ORDERS
    name: billing
  register: billing
  until: billing.consumers | selectattr('consumer.num_pending', 'gt', 0) | length == 0
  retries: 10
  delay: 3

- name: Create a second consumer for the same messages
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing-test
    filter_subject: "{{ item.declaration.filter_subject | default('') }}"
  loop: "{{ billing.consumers }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
---
consumers:
  description: The consumers that were found.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the consumer.
      returned: always
      type: str
      sample: billing
    health:
      description:
        - Whether anything is wrong, judged by the server's answer and O(thresholds).
      returned: always
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
                V(replica_not_current), V(replica_lag), V(replicas_missing), V(pending), V(redelivered),
                V(acks_stuck), and V(nearly_full).
              returned: always
              type: str
              sample: redelivered
            text:
              description: What is wrong, in words.
              returned: always
              type: str
              sample: "consumer billing of stream ORDERS: 3 messages were delivered more than once and are still not acknowledged"
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
              sample: n2
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
    declaration:
      description:
        - What a task would have to say to get this consumer, with units.
        - The module M(nats.jetstream.jetstream_consumer) accepts it as it is.
      returned: always
      type: dict
      contains:
        stream:
          description: The name of the stream.
          returned: always
          type: str
          sample: ORDERS
        name:
          description: The name of the consumer.
          returned: always
          type: str
          sample: billing
        description:
          description: The text for people.
          returned: when not at the server's default
          type: str
          sample: Sends the bills
        durable:
          description: Whether the consumer is durable.
          returned: when not at the server's default
          type: bool
          sample: false
        deliver_policy:
          description: With which message of the stream the consumer began.
          returned: when not at the server's default
          type: str
          sample: new
        opt_start_seq:
          description: The sequence with which it began.
          returned: when not at the server's default
          type: int
          sample: 1000
        opt_start_time:
          description: The time with which it began.
          returned: when not at the server's default
          type: str
          sample: "2030-01-31T12:00:00Z"
        ack_policy:
          description: What clients acknowledge.
          returned: always
          type: str
          sample: explicit
        ack_wait:
          description: How long the server waits for an acknowledgement.
          returned: when not at the server's default
          type: str
          sample: 1m
        max_deliver:
          description: How many times a message is delivered at most.
          returned: when not at the server's default
          type: int
          sample: 5
        backoff:
          description: How long the server waits before each further delivery.
          returned: when not at the server's default
          type: list
          elements: str
          sample:
            - 10s
            - 1m
        filter_subject:
          description: The subject of the messages that the consumer gets, when it is a single one.
          returned: when not at the server's default
          type: str
          sample: orders.paid
        filter_subjects:
          description: The subjects of the messages that the consumer gets, when there are several.
          returned: when not at the server's default
          type: list
          elements: str
          sample:
            - orders.paid
            - orders.returned
        replay_policy:
          description: How fast messages come.
          returned: when not at the server's default
          type: str
          sample: original
        sample_freq:
          description: For which share of the acknowledgements an advisory is published.
          returned: when not at the server's default
          type: str
          sample: 50%
        max_ack_pending:
          description: How many messages may be delivered without an acknowledgement.
          returned: when not at the server's default
          type: int
          sample: 200
        max_waiting:
          description: How many pull requests may wait at the same time.
          returned: when not at the server's default
          type: int
          sample: 64
        max_batch:
          description: How many messages a pull request may ask for.
          returned: when not at the server's default
          type: int
          sample: 100
        max_expires:
          description: How long a pull request may wait for messages.
          returned: when not at the server's default
          type: str
          sample: 30s
        max_bytes:
          description: How many bytes a pull request may ask for.
          returned: when not at the server's default
          type: str
          sample: 1MiB
        headers_only:
          description: Whether the consumer gets only the headers of messages.
          returned: when not at the server's default
          type: bool
          sample: true
        inactive_threshold:
          description: After how long without a client the consumer is deleted.
          returned: when not at the server's default
          type: str
          sample: 1h
        deliver_subject:
          description: The subject to which the server sends the messages.
          returned: when not at the server's default
          type: str
          sample: deliver.billing
        deliver_group:
          description: The queue group among whose members the messages are shared.
          returned: when not at the server's default
          type: str
          sample: billing
        rate_limit_bps:
          description: How fast messages are sent at most, in bits per second.
          returned: when not at the server's default
          type: int
          sample: 1000000
        flow_control:
          description: Whether the server waits for the client after some messages.
          returned: when not at the server's default
          type: bool
          sample: true
        idle_heartbeat:
          description: After how long without a message the server sends a heartbeat.
          returned: when not at the server's default
          type: str
          sample: 5s
        num_replicas:
          description: On how many servers the state of the consumer is kept.
          returned: when not at the server's default
          type: int
          sample: 1
        mem_storage:
          description: Whether the state of the consumer is kept in memory.
          returned: when not at the server's default
          type: bool
          sample: true
        priority_policy:
          description: How pull requests of the clients in a group are ranked.
          returned: when not at the server's default
          type: str
          sample: overflow
        priority_groups:
          description: The names of the groups.
          returned: when not at the server's default
          type: list
          elements: str
          sample:
            - workers
        priority_timeout:
          description: After how long without a sign of the pinned client another one is chosen.
          returned: when not at the server's default
          type: str
          sample: 30s
        pause_until:
          description: Until when the consumer delivers nothing.
          returned: when not at the server's default
          type: str
          sample: "2030-01-31T12:00:00Z"
        metadata:
          description: Texts by name.
          returned: when not at the server's default
          type: dict
          sample:
            team: shop
    consumer:
      description: The consumer as the server sent it, with durations in nanoseconds and sizes in
        bytes.
      returned: always
      type: dict
      contains:
        stream_name:
          description: The name of the stream.
          returned: always
          type: str
          sample: ORDERS
        name:
          description: The name of the consumer.
          returned: always
          type: str
          sample: billing
        created:
          description: When the consumer was created.
          returned: always
          type: str
          sample: "2026-11-23T22:16:53.726077619Z"
        config:
          description: The configuration.
          returned: always
          type: dict
          contains:
            name:
              description: The name of the consumer.
              returned: when the server sends it
              type: str
              sample: billing
            durable_name:
              description: The same name, if the consumer is durable.
              returned: when durable
              type: str
              sample: billing
            description:
              description: The text for people.
              returned: when the server sends it
              type: str
              sample: Sends the bills
            deliver_policy:
              description: With which message of the stream the consumer began.
              returned: always
              type: str
              sample: new
            opt_start_seq:
              description: The sequence with which it began.
              returned: when the server sends it
              type: int
              sample: 1000
            opt_start_time:
              description: The time with which it began.
              returned: when the server sends it
              type: str
              sample: "2030-01-31T12:00:00Z"
            ack_policy:
              description: What clients acknowledge.
              returned: always
              type: str
              sample: explicit
            ack_wait:
              description:
                - How long the server waits for an acknowledgement.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 60000000000
            max_deliver:
              description: How many times a message is delivered at most.
              returned: always
              type: int
              sample: 5
            backoff:
              description:
                - How long the server waits before each further delivery.
                - In nanoseconds.
              returned: when the server sends it
              type: list
              elements: int
              sample:
                - 10000000000
                - 60000000000
            filter_subject:
              description: The subject of the messages that the consumer gets, when it is a single
                one.
              returned: when the server sends it
              type: str
              sample: orders.paid
            filter_subjects:
              description: The subjects of the messages that the consumer gets, when there are
                several.
              returned: when the server sends it
              type: list
              elements: str
              sample:
                - orders.paid
                - orders.returned
            replay_policy:
              description: How fast messages come.
              returned: always
              type: str
              sample: original
            sample_freq:
              description: For which share of the acknowledgements an advisory is published.
              returned: when the server sends it
              type: str
              sample: 50%
            max_ack_pending:
              description: How many messages may be delivered without an acknowledgement.
              returned: when the server sends it
              type: int
              sample: 200
            max_waiting:
              description: How many pull requests may wait at the same time.
              returned: when the server sends it
              type: int
              sample: 64
            max_batch:
              description: How many messages a pull request may ask for.
              returned: when the server sends it
              type: int
              sample: 100
            max_expires:
              description:
                - How long a pull request may wait for messages.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 30000000000
            max_bytes:
              description:
                - How many bytes a pull request may ask for.
                - In bytes.
              returned: when the server sends it
              type: int
              sample: 1048576
            headers_only:
              description: Whether the consumer gets only the headers of messages.
              returned: when the server sends it
              type: bool
              sample: true
            inactive_threshold:
              description:
                - After how long without a client the consumer is deleted.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 3600000000000
            deliver_subject:
              description: The subject to which the server sends the messages.
              returned: when the server sends it
              type: str
              sample: deliver.billing
            deliver_group:
              description: The queue group among whose members the messages are shared.
              returned: when the server sends it
              type: str
              sample: billing
            rate_limit_bps:
              description: How fast messages are sent at most, in bits per second.
              returned: when the server sends it
              type: int
              sample: 1000000
            flow_control:
              description: Whether the server waits for the client after some messages.
              returned: when the server sends it
              type: bool
              sample: true
            idle_heartbeat:
              description:
                - After how long without a message the server sends a heartbeat.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 5000000000
            num_replicas:
              description: On how many servers the state of the consumer is kept.
              returned: always
              type: int
              sample: 1
            mem_storage:
              description: Whether the state of the consumer is kept in memory.
              returned: when the server sends it
              type: bool
              sample: true
            priority_policy:
              description: How pull requests of the clients in a group are ranked.
              returned: when the server sends it
              type: str
              sample: overflow
            priority_groups:
              description: The names of the groups.
              returned: when the server sends it
              type: list
              elements: str
              sample:
                - workers
            priority_timeout:
              description:
                - After how long without a sign of the pinned client another one is chosen.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 30000000000
            pause_until:
              description: Until when the consumer delivers nothing.
              returned: when the server sends it
              type: str
              sample: "2030-01-31T12:00:00Z"
            metadata:
              description:
                - Texts by name.
                - Servers add some of their own, from nats-server 2.11 on.
              returned: when the server sends it
              type: dict
              sample:
                _nats.req.level: "0"
                team: shop
        delivered:
          description: How far the consumer has delivered.
          returned: always
          type: dict
          contains:
            consumer_seq:
              description: The number of deliveries that was delivered last.
              returned: always
              type: int
              sample: 1150
            stream_seq:
              description: The sequence in the stream that was delivered last.
              returned: always
              type: int
              sample: 1180
            last_active:
              description: When that last changed.
              returned: when it ever did
              type: str
              sample: "2026-11-23T22:16:53.723745767Z"
        ack_floor:
          description: Up to where everything is acknowledged.
          returned: always
          type: dict
          contains:
            consumer_seq:
              description: The number of deliveries up to which everything is acknowledged.
              returned: always
              type: int
              sample: 1150
            stream_seq:
              description: The sequence in the stream up to which everything is acknowledged.
              returned: always
              type: int
              sample: 1180
            last_active:
              description: When that last changed.
              returned: when it ever did
              type: str
              sample: "2026-11-23T22:16:53.723745767Z"
        num_ack_pending:
          description: How many messages are delivered and not yet acknowledged.
          returned: always
          type: int
          sample: 20
        num_redelivered:
          description: How many messages were delivered more than once and are not yet acknowledged.
          returned: always
          type: int
          sample: 1
        num_waiting:
          description: How many pull requests are waiting.
          returned: always
          type: int
          sample: 2
        num_pending:
          description: How many messages are still to be delivered.
          returned: always
          type: int
          sample: 50
        push_bound:
          description: Whether a client listens to
            O(nats.jetstream.jetstream_consumer#module:deliver_subject).
          returned: when one does
          type: bool
          sample: true
        paused:
          description: Whether the consumer is paused.
          returned: when it is
          type: bool
          sample: true
        pause_remaining:
          description:
            - For how much longer it is paused.
            - In nanoseconds.
          returned: when it is
          type: int
          sample: 3600000000000
        priority_groups:
          description: The state of each priority group.
          returned: when it has any
          type: list
          elements: dict
          contains:
            group:
              description: The name of the group.
              returned: always
              type: str
              sample: workers
            pinned_client_id:
              description: The client that gets the messages.
              returned: when one is pinned
              type: str
              sample: NHQ3fLMHD4pSkZZqFXAIeq
            pinned_ts:
              description: Since when it does.
              returned: when the server sends it
              type: str
              sample: "2026-11-23T22:16:53.723745767Z"
        cluster:
          description: Which servers hold the consumer.
          returned: when the server sends it
          type: dict
          contains:
            name:
              description: The name of the cluster.
              returned: in a cluster
              type: str
              sample: east
            leader:
              description:
                - The server that leads.
                - It is missing while none does.
              returned: when there is one
              type: str
              sample: n1
            leader_since:
              description: Since when it leads.
              returned: when the server sends it
              type: str
              sample: "2026-11-23T22:16:55.874757897Z"
            raft_group:
              description: The name of the group of servers.
              returned: when the server sends it
              type: str
              sample: S-R3F-x1wyjJ38
            system_account:
              description: Whether the servers copy messages in the system account.
              returned: when the server sends it
              type: bool
              sample: true
            traffic_account:
              description: The account in which they do.
              returned: when the server sends it
              type: str
              sample: $SYS
            desired:
              description:
                - The change that is under way.
                - It is missing when there is none.
              returned: when the server sends it
              type: dict
            replicas:
              description: The other servers.
              returned: when there are any
              type: list
              elements: dict
              contains:
                name:
                  description: The name of the server.
                  returned: always
                  type: str
                  sample: n2
                current:
                  description: Whether the server has everything that the leader has.
                  returned: always
                  type: bool
                  sample: true
                offline:
                  description: Whether the server is down.
                  returned: when it is
                  type: bool
                  sample: true
                active:
                  description:
                    - How long ago the leader heard of it.
                    - In nanoseconds.
                  returned: always
                  type: int
                  sample: 1577752
                lag:
                  description: How many operations it is behind.
                  returned: when it is
                  type: int
                  sample: 1
                peer:
                  description: The identifier of the server in the group.
                  returned: when the server sends it
                  type: str
                  sample: fjFyEjc1
        ts:
          description: When the server answered.
          returned: when the server sends it
          type: str
          sample: "2026-11-23T22:16:55.228564866Z"
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
  sample: CONSUMER.LIST.ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils import _health
from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import present, row
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import name_problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "name": {"type": "str", "aliases": ["durable_name"]},
    **_health.thresholds_spec(consumers=True),
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> _health.Thresholds:
    given = [option for option in ("stream", "name") if params[option] is not None]
    found = {option: name_problem(params[option]) for option in given}
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]
    return _health.read_thresholds(params, inputs.problems)


async def gather(session: Session) -> dict[str, Any]:
    stream, name = session.params["stream"], session.params["name"]
    if name is None:
        infos = await present(session.manager.consumers_info(stream)) or []
    else:
        info = await present(session.manager.consumer_info(stream, name))
        infos = [info] if info else []
    server = server_of(session.connection)
    rows = [row(CONSUMER, info, server) for info in infos]
    for one in rows:
        one["health"] = _health.of_consumer(one["consumer"], session.wanted)
    return {"changed": False, "consumers": rows}


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate)


if __name__ == "__main__":
    main()
