#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_stream_info
short_description: Read JetStream streams
version_added: 1.0.0
description:
  - Returns streams of NATS JetStream, each as the declaration that would create it and as the server's own answer.
  - Without O(name), O(names), and O(subject), all streams of the account are returned.
  - A stream that does not exist is no error. It is not in the list.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  name:
    description:
      - The name of one stream.
      - Mutually exclusive with O(names) and O(subject).
    type: str
  names:
    description:
      - Names of streams, or patterns with the wildcards V(*), V(?), and V([...]) of the shell. Case counts.
      - An empty list returns no stream.
      - Mutually exclusive with O(name) and O(subject).
    type: list
    elements: str
  subject:
    description:
      - Returns the streams that store messages of this subject. Wildcards are allowed, and then every stream with
        a subject that overlaps is returned.
      - Mirrors and streams that only have sources have no subjects, and are not found by one.
      - Mutually exclusive with O(name) and O(names).
    type: str
  subjects_filter:
    description:
      - Counts the messages of each subject that matches, in RV(streams[].stream.state.subjects). Use V(>) for all.
      - Every stream is then asked for on its own.
    type: str
  deleted_details:
    description:
      - Whether to list the sequences of single messages that were deleted, in
        RV(streams[].stream.state.deleted).
      - Every stream is then asked for on its own.
    type: bool
    default: false
  thresholds:
    description:
      - From where on something is a problem in RV(streams[].health).
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
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_message_info
  - module: nats.jetstream.jetstream_consumer_info
  - module: nats.jetstream.jetstream_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_getting_started
    description: The first steps, with a server on the own machine.
"""

EXAMPLES = r"""
---
- name: Create a stream to look at
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Read one stream
  nats.jetstream.jetstream_stream_info:
    name: ORDERS
  register: orders

- name: Say whether it is there, and how many messages it holds
  ansible.builtin.debug:
    msg: "{{ orders.streams[0].stream.state.messages if orders.streams else 'There is no such stream.' }}"

- name: Stop when something is wrong with it
  ansible.builtin.assert:
    that: item.health.ok
    fail_msg: "{{ item.health.problems | map(attribute='text') | join('; ') }}"
    quiet: true
  loop: "{{ orders.streams }}"
  loop_control:
    label: "{{ item.name }}"

- name: Read all streams whose names match
  nats.jetstream.jetstream_stream_info:
    names:
      - ORDERS*
      - JOBS
  register: matching

- name: Write down what would create them again
  ansible.builtin.copy:
    content: "{{ matching.streams | map(attribute='declaration') | to_nice_yaml(indent=2) }}"
    dest: "{{ playbook_dir }}/streams.yml"
    mode: "0600"

- name: Find the stream that stores a subject
  nats.jetstream.jetstream_stream_info:
    subject: orders.paid
  register: storing

- name: Show its name
  ansible.builtin.debug:
    var: storing.streams | map(attribute='name')

- name: Count the messages of each subject
  nats.jetstream.jetstream_stream_info:
    name: ORDERS
    subjects_filter: orders.*
    deleted_details: true
  register: counted

- name: Show the counts
  ansible.builtin.debug:
    msg: "{{ item.stream.state.subjects | default({}) }}"
  loop: "{{ counted.streams }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
---
missing:
  description:
    - The names of streams that exist and whose servers did not answer.
    - They may be absent from RV(streams), or there without their true state.
  returned: success
  type: list
  elements: str
  sample: []
streams:
  description: The streams that were found.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the stream.
      returned: always
      type: str
      sample: ORDERS
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
                V(replica_not_current), V(replica_lag), V(replicas_missing), V(mirror_error), V(mirror_lag),
                V(mirror_silent), V(source_error), V(source_lag), V(source_silent), V(nearly_full), and
                V(unreachable).
              returned: always
              type: str
              sample: replica_not_current
            text:
              description: What is wrong, in words.
              returned: always
              type: str
              sample: "stream ORDERS: the replica on n2 is not current"
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
        - What a task would have to say to get this stream, with units.
        - The module M(nats.jetstream.jetstream_stream) accepts it as it is.
      returned: always
      type: dict
      contains:
        name:
          description: The name of the stream.
          returned: always
          type: str
          sample: ORDERS
        description:
          description: The text for people.
          returned: when not at the server's default
          type: str
          sample: Orders of the shop
        subjects:
          description: The subjects whose messages are stored.
          returned: when the stream has subjects
          type: list
          elements: str
          sample:
            - orders.>
        retention:
          description: When messages are removed.
          returned: when not at the server's default
          type: str
          sample: interest
        storage:
          description: Where messages are kept.
          returned: when not at the server's default
          type: str
          sample: memory
        num_replicas:
          description: On how many servers the stream is kept.
          returned: when not at the server's default
          type: int
          sample: 3
        max_msgs:
          description: How many messages the stream holds at most.
          returned: when not at the server's default
          type: int
          sample: 1000000
        max_msgs_per_subject:
          description: How many messages the stream holds at most for each subject.
          returned: when not at the server's default
          type: int
          sample: 5
        max_bytes:
          description: How much storage the messages may take.
          returned: when not at the server's default
          type: str
          sample: 10GiB
        max_age:
          description: How long messages are kept.
          returned: when not at the server's default
          type: str
          sample: 30d
        max_msg_size:
          description: How large a message may be.
          returned: when not at the server's default
          type: str
          sample: 1MiB
        max_consumers:
          description: How many consumers the stream may have.
          returned: when not at the server's default
          type: int
          sample: 100
        discard:
          description: What happens when a limit is reached.
          returned: when not at the server's default
          type: str
          sample: new
        discard_new_per_subject:
          description: Whether that also holds for the limit of each subject.
          returned: when not at the server's default
          type: bool
          sample: true
        duplicate_window:
          description: For how long message identifiers are remembered.
          returned: when not at the server's default
          type: str
          sample: 10m
        no_ack:
          description: Whether messages are stored without an acknowledgement.
          returned: when not at the server's default
          type: bool
          sample: true
        compression:
          description: How stored messages are compressed.
          returned: when not at the server's default
          type: str
          sample: s2
        first_seq:
          description: The sequence with which the stream was created.
          returned: when not at the server's default
          type: int
          sample: 1000
        placement:
          description: On which servers of a cluster the stream is kept.
          returned: when not at the server's default
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
        mirror:
          description: The stream of which this one is a copy.
          returned: when not at the server's default
          type: dict
          contains:
            name:
              description: The name of the origin.
              returned: always
              type: str
              sample: ORDERS
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
              sample: orders.paid
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
                  sample: "archive.{{wildcard(1)}}"
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
        mirror_direct:
          description: Whether the mirror answers direct gets for its origin.
          returned: when not at the server's default
          type: bool
          sample: true
        sources:
          description: The streams from which messages are copied.
          returned: when not at the server's default
          type: list
          elements: dict
          contains:
            name:
              description: The name of the origin.
              returned: always
              type: str
              sample: ORDERS
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
              sample: orders.paid
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
                  sample: "archive.{{wildcard(1)}}"
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
        subject_transform:
          description: The rule that changes the subjects of messages.
          returned: when not at the server's default
          type: dict
          contains:
            src:
              description: The subject of the messages to change.
              returned: when set
              type: str
              sample: "orders.*"
            dest:
              description: The subject to store them under.
              returned: always
              type: str
              sample: "orders.new.{{wildcard(1)}}"
        republish:
          description: The rule by which stored messages are published again.
          returned: when not at the server's default
          type: dict
          contains:
            src:
              description: The subject of the messages to publish again.
              returned: when set
              type: str
              sample: orders.>
            dest:
              description: The subject to publish them under.
              returned: always
              type: str
              sample: stored.orders.>
            headers_only:
              description: Whether only the headers are published.
              returned: when set
              type: bool
              sample: true
        allow_direct:
          description: Whether every replica answers requests for single messages.
          returned: when not at the server's default
          type: bool
          sample: true
        allow_rollup_hdrs:
          description: Whether a message may replace all earlier ones.
          returned: when not at the server's default
          type: bool
          sample: true
        deny_delete:
          description: Whether single messages are protected against deletion.
          returned: when not at the server's default
          type: bool
          sample: true
        deny_purge:
          description: Whether the stream is protected against purges.
          returned: when not at the server's default
          type: bool
          sample: true
        sealed:
          description: Whether the stream is closed.
          returned: when not at the server's default
          type: bool
          sample: true
        consumer_limits:
          description: Limits and defaults for the consumers of the stream.
          returned: when not at the server's default
          type: dict
          contains:
            inactive_threshold:
              description: After how long without a client a consumer is deleted.
              returned: when set
              type: str
              sample: 1h
            max_ack_pending:
              description: How many messages a consumer may have delivered without an
                acknowledgement.
              returned: when set
              type: int
              sample: 500
        allow_msg_ttl:
          description: Whether a message may bring its own time to live.
          returned: when not at the server's default
          type: bool
          sample: true
        subject_delete_marker_ttl:
          description: For how long a marker stays in place of the last message of a subject.
          returned: when not at the server's default
          type: str
          sample: 1h
        allow_msg_counter:
          description: Whether the stream counts.
          returned: when not at the server's default
          type: bool
          sample: true
        allow_atomic:
          description: Whether several messages may be stored at once, all or none.
          returned: when not at the server's default
          type: bool
          sample: true
        allow_msg_schedules:
          description: Whether a message may ask to be published later.
          returned: when not at the server's default
          type: bool
          sample: true
        persist_mode:
          description: When a message counts as stored.
          returned: when not at the server's default
          type: str
          sample: async
        allow_batched:
          description: Whether publishers may send fast batches.
          returned: when not at the server's default
          type: bool
          sample: true
        metadata:
          description: Texts by name.
          returned: when not at the server's default
          type: dict
          sample:
            team: shop
    stream:
      description: The stream as the server sent it, with durations in nanoseconds and sizes in
        bytes.
      returned: always
      type: dict
      contains:
        config:
          description: The configuration.
          returned: always
          type: dict
          contains:
            name:
              description: The name of the stream.
              returned: always
              type: str
              sample: ORDERS
            description:
              description: The text for people.
              returned: when the server sends it
              type: str
              sample: Orders of the shop
            subjects:
              description: The subjects whose messages are stored.
              returned: when the server sends it
              type: list
              elements: str
              sample:
                - orders.>
            retention:
              description: When messages are removed.
              returned: always
              type: str
              sample: interest
            storage:
              description: Where messages are kept.
              returned: always
              type: str
              sample: memory
            num_replicas:
              description: On how many servers the stream is kept.
              returned: always
              type: int
              sample: 3
            max_msgs:
              description: How many messages the stream holds at most.
              returned: always
              type: int
              sample: 1000000
            max_msgs_per_subject:
              description: How many messages the stream holds at most for each subject.
              returned: always
              type: int
              sample: 5
            max_bytes:
              description:
                - How much storage the messages may take.
                - In bytes.
              returned: always
              type: int
              sample: 10737418240
            max_age:
              description:
                - How long messages are kept.
                - In nanoseconds.
              returned: always
              type: int
              sample: 2592000000000000
            max_msg_size:
              description:
                - How large a message may be.
                - In bytes.
              returned: always
              type: int
              sample: 1048576
            max_consumers:
              description: How many consumers the stream may have.
              returned: always
              type: int
              sample: 100
            discard:
              description: What happens when a limit is reached.
              returned: always
              type: str
              sample: new
            discard_new_per_subject:
              description: Whether that also holds for the limit of each subject.
              returned: when the server sends it
              type: bool
              sample: true
            duplicate_window:
              description:
                - For how long message identifiers are remembered.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 600000000000
            no_ack:
              description: Whether messages are stored without an acknowledgement.
              returned: when the server sends it
              type: bool
              sample: true
            compression:
              description: How stored messages are compressed.
              returned: when the server sends it
              type: str
              sample: s2
            first_seq:
              description: The sequence with which the stream was created.
              returned: when the server sends it
              type: int
              sample: 1000
            placement:
              description: On which servers of a cluster the stream is kept.
              returned: when the server sends it
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
            mirror:
              description: The stream of which this one is a copy.
              returned: when the server sends it
              type: dict
              contains:
                name:
                  description: The name of the origin.
                  returned: always
                  type: str
                  sample: ORDERS
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
                  sample: orders.paid
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
                      sample: "archive.{{wildcard(1)}}"
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
            mirror_direct:
              description: Whether the mirror answers direct gets for its origin.
              returned: always
              type: bool
              sample: true
            sources:
              description: The streams from which messages are copied.
              returned: when the server sends it
              type: list
              elements: dict
              contains:
                name:
                  description: The name of the origin.
                  returned: always
                  type: str
                  sample: ORDERS
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
                  sample: orders.paid
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
                      sample: "archive.{{wildcard(1)}}"
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
            subject_transform:
              description: The rule that changes the subjects of messages.
              returned: when the server sends it
              type: dict
              contains:
                src:
                  description: The subject of the messages to change.
                  returned: when set
                  type: str
                  sample: "orders.*"
                dest:
                  description: The subject to store them under.
                  returned: always
                  type: str
                  sample: "orders.new.{{wildcard(1)}}"
            republish:
              description: The rule by which stored messages are published again.
              returned: when the server sends it
              type: dict
              contains:
                src:
                  description: The subject of the messages to publish again.
                  returned: when set
                  type: str
                  sample: orders.>
                dest:
                  description: The subject to publish them under.
                  returned: always
                  type: str
                  sample: stored.orders.>
                headers_only:
                  description: Whether only the headers are published.
                  returned: when set
                  type: bool
                  sample: true
            allow_direct:
              description: Whether every replica answers requests for single messages.
              returned: always
              type: bool
              sample: true
            allow_rollup_hdrs:
              description: Whether a message may replace all earlier ones.
              returned: always
              type: bool
              sample: true
            deny_delete:
              description: Whether single messages are protected against deletion.
              returned: always
              type: bool
              sample: true
            deny_purge:
              description: Whether the stream is protected against purges.
              returned: always
              type: bool
              sample: true
            sealed:
              description: Whether the stream is closed.
              returned: always
              type: bool
              sample: true
            consumer_limits:
              description: Limits and defaults for the consumers of the stream.
              returned: when the server sends it
              type: dict
              contains:
                inactive_threshold:
                  description:
                    - After how long without a client a consumer is deleted.
                    - In nanoseconds.
                  returned: when set
                  type: int
                  sample: 3600000000000
                max_ack_pending:
                  description: How many messages a consumer may have delivered without an
                    acknowledgement.
                  returned: when set
                  type: int
                  sample: 500
            allow_msg_ttl:
              description: Whether a message may bring its own time to live.
              returned: when the server sends it
              type: bool
              sample: true
            subject_delete_marker_ttl:
              description:
                - For how long a marker stays in place of the last message of a subject.
                - In nanoseconds.
              returned: when the server sends it
              type: int
              sample: 3600000000000
            allow_msg_counter:
              description: Whether the stream counts.
              returned: when the server sends it
              type: bool
              sample: true
            allow_atomic:
              description: Whether several messages may be stored at once, all or none.
              returned: when the server sends it
              type: bool
              sample: true
            allow_msg_schedules:
              description: Whether a message may ask to be published later.
              returned: when the server sends it
              type: bool
              sample: true
            persist_mode:
              description: When a message counts as stored.
              returned: when the server sends it
              type: str
              sample: async
            allow_batched:
              description: Whether publishers may send fast batches.
              returned: when the server sends it
              type: bool
              sample: true
            metadata:
              description:
                - Texts by name.
                - Servers add some of their own, from nats-server 2.11 on.
              returned: when the server sends it
              type: dict
              sample:
                _nats.req.level: "0"
                team: shop
        created:
          description: When the stream was created.
          returned: always
          type: str
          sample: "2026-11-23T22:16:52.177144569Z"
        state:
          description: What the stream holds.
          returned: always
          type: dict
          contains:
            messages:
              description: How many messages the stream holds.
              returned: always
              type: int
              sample: 1200
            bytes:
              description:
                - How much storage they take.
                - In bytes.
              returned: always
              type: int
              sample: 468000
            first_seq:
              description: The sequence of the first message.
              returned: always
              type: int
              sample: 1
            first_ts:
              description: When the first message was stored.
              returned: always
              type: str
              sample: "2026-11-23T22:16:53.723353364Z"
            last_seq:
              description: The sequence of the last message.
              returned: always
              type: int
              sample: 1203
            last_ts:
              description: When the last message was stored.
              returned: always
              type: str
              sample: "2026-11-23T22:16:53.723745767Z"
            num_subjects:
              description: How many subjects the messages have.
              returned: when there are messages
              type: int
              sample: 3
            num_deleted:
              description: How many messages between the first and the last were deleted.
              returned: when there are any
              type: int
              sample: 3
            consumer_count:
              description: How many consumers the stream has.
              returned: always
              type: int
              sample: 2
            subjects:
              description: How many messages there are for each subject.
              returned: when O(subjects_filter) is set and something matches
              type: dict
              sample:
                orders.paid: 800
                orders.returned: 400
            deleted:
              description: The sequences of messages that were deleted.
              returned: when O(deleted_details) is V(true) and there are any
              type: list
              elements: int
              sample:
                - 3
                - 7
                - 8
        cluster:
          description: Which servers hold the stream.
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
        mirror:
          description: How far the mirror has come.
          returned: when the stream is a mirror
          type: dict
          contains:
            name:
              description: The name of the origin.
              returned: always
              type: str
              sample: ORDERS
            lag:
              description: How many messages are still to be copied.
              returned: always
              type: int
              sample: 0
            active:
              description:
                - How long ago the origin was heard of, or V(-1) if it never was.
                - In nanoseconds.
              returned: always
              type: int
              sample: 503569765
            seq:
              description: The last sequence of the origin that was copied.
              returned: when the server sends it
              type: int
              sample: 1000
            filter_subject:
              description: The subject of the messages that are copied.
              returned: when set
              type: str
              sample: orders.paid
            subject_transforms:
              description: Rules that change the subjects of messages.
              returned: when set
              type: list
              elements: dict
              contains:
                src:
                  description: The subject to select.
                  returned: always
                  type: str
                  sample: "orders.*"
                dest:
                  description: The subject to store the messages under.
                  returned: always
                  type: str
                  sample: "archive.{{wildcard(1)}}"
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
                  returned: always
                  type: str
                  sample: deliver.hub
            error:
              description: Why nothing is copied.
              returned: when there is an error
              type: dict
              sample:
                code: 404
                err_code: 10059
                description: stream not found
        sources:
          description: How far each source has come.
          returned: when the stream has sources
          type: list
          elements: dict
          contains:
            name:
              description: The name of the origin.
              returned: always
              type: str
              sample: ORDERS
            lag:
              description: How many messages are still to be copied.
              returned: always
              type: int
              sample: 0
            active:
              description:
                - How long ago the origin was heard of, or V(-1) if it never was.
                - In nanoseconds.
              returned: always
              type: int
              sample: 503569765
            seq:
              description: The last sequence of the origin that was copied.
              returned: when the server sends it
              type: int
              sample: 1000
            filter_subject:
              description: The subject of the messages that are copied.
              returned: when set
              type: str
              sample: orders.paid
            subject_transforms:
              description: Rules that change the subjects of messages.
              returned: when set
              type: list
              elements: dict
              contains:
                src:
                  description: The subject to select.
                  returned: always
                  type: str
                  sample: "orders.*"
                dest:
                  description: The subject to store the messages under.
                  returned: always
                  type: str
                  sample: "archive.{{wildcard(1)}}"
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
                  returned: always
                  type: str
                  sample: deliver.hub
            error:
              description: Why nothing is copied.
              returned: when there is an error
              type: dict
              sample:
                code: 404
                err_code: 10059
                description: stream not found
        domain:
          description: The JetStream domain.
          returned: when the server has one
          type: str
          sample: hub
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

import functools
from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _health
from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import (
    each,
    is_glob,
    matching,
    row,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    name_problem,
    overlaps,
    subject_problem,
)

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "subject": {"type": "str"},
    "subjects_filter": {"type": "str"},
    "deleted_details": {"type": "bool", "default": False},
    **_health.thresholds_spec(streams=True),
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> _health.Thresholds:
    subjects = [option for option in ("subject", "subjects_filter") if params[option] is not None]
    found = {option: subject_problem(params[option]) for option in subjects}
    if params["name"] is not None:
        found["name"] = name_problem(params["name"])
    for index, name in enumerate(params["names"] or ()):
        found[f"names[{index}]"] = None if is_glob(name) else name_problem(name)
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]
    return _health.read_thresholds(params, inputs.problems)


async def gather(session: Session) -> dict[str, Any]:
    params, server = session.params, server_of(session.connection)
    infos, missing = await _infos(session)
    if params["subject"] is not None:
        # A cluster finds a mirror by its name, so the subjects are looked at again.
        infos = [info for info in infos if _has_subject(info, params["subject"])]
    rows = [row(STREAM, info, server) for info in infos]
    for one in rows:
        known = one["name"] not in missing
        health = _health.of_stream(one["stream"], session.wanted) if known else None
        one["health"] = health or _health.unreachable(one["name"])
    if missing:
        session.module.warn(f"the servers of these streams did not answer: {', '.join(missing)}")
    return {"changed": False, "streams": rows, "missing": missing}


async def _infos(session: Session) -> tuple[list[dict[str, Any]], list[str]]:
    """Ask for each stream where that is needed or few are wanted, for all in pages otherwise.

    Returns their answers, and the names of those that a listing misses.
    """
    params, manager = session.params, session.manager
    details = {option: params[option] for option in ("subjects_filter", "deleted_details")}
    globs = params["names"] if params["name"] is None else [params["name"]]
    if globs is None or (any(map(is_glob, globs)) and params["name"] is None):
        if params["subject"] is None and not any(details.values()):
            infos, missing = await manager.streams_listing()
            kept = frozenset(matching((info["config"]["name"] for info in infos), globs))
            found = [info for info in infos if info["config"]["name"] in kept]
            return found, matching(sorted(missing), globs)
        globs = matching(await manager.stream_names(params["subject"]), globs)
    read = functools.partial(manager.stream_info, **details)
    return await each(dict.fromkeys(globs), read), []


def _has_subject(info: dict[str, Any], subject: str) -> bool:
    return any(overlaps(subject, one) for one in info["config"].get("subjects") or ())


def main() -> None:
    run(ARGUMENT_SPEC, gather, validate, mutually_exclusive=[("name", "names", "subject")])


if __name__ == "__main__":
    main()
