#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_consumer
short_description: Manage a JetStream consumer
version_added: 1.0.0
description:
  - Creates, changes, or deletes one consumer of a stream of NATS JetStream. It can be a pull consumer or a push
    consumer, durable or a named ephemeral one.
  - A task declares what the consumer should be. The module compares that with what the server has, sends
    nothing when both mean the same, and otherwise sends one update that keeps every setting the task does
    not mention.
  - An option that is not mentioned, or is V(null), leaves its setting as it is. An empty list,
    dictionary, or text clears a setting that is one. Any setting returns to the server's default with O(reset).
  - The names of the settings are those of the server's own configuration. Values are written for people, such
    as V(30s) or V(1MiB), and compared by what they mean.
  - An update that the server cannot do in place fails and lists the settings in question, unless O(recreate)
    allows the consumer to be deleted and created again.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - The same plan is made as in a run, so C(changed), RV(action), RV(changes), RV(would_lose), and the diff
        are the same.
      - A consumer whose stream does not exist is a RV(action) of V(create) with a warning, because an earlier
        task may be the one that creates the stream. In a run this is a failure.
      - Predicted as failures are settings that the server is too old for, changes that need a recreate,
        malformed or overlapping filters, settings that exclude each other, and several replicas without a
        cluster.
      - Limits of the account, the server, or the stream, and what a stream with O(nats.jetstream.jetstream_stream#module:retention=workqueue)
        accepts, are the server's to judge and are not predicted.
  diff_mode:
    support: full
    details:
      - Shows the declaration of the consumer before and after, as YAML.
  idempotent:
    support: full
options:
  stream:
    description:
      - The name of the stream that the consumer belongs to. In a run it has to exist.
    type: str
    required: true
  name:
    description:
      - The name of the consumer, from 1 to 255 characters without white space and without any of
        V(.), V(*), V(>), V(/), and V(\\).
      - A consumer cannot be renamed. Another name is another consumer.
    type: str
    required: true
    aliases: [durable_name]
  description:
    description:
      - A text for people, at most 4096 bytes.
      - An empty string clears it. Can be changed in place.
    type: str
  durable:
    description:
      - Whether the consumer is durable. Without the option, new consumers are.
      - A consumer that is not durable is deleted when no client has used it for O(inactive_threshold), which it
        needs.
      - Can be changed in place.
    type: bool
  deliver_policy:
    description:
      - With which message of the stream the consumer begins. The server's default is V(all).
      - V(by_start_sequence) needs O(opt_start_seq), V(by_start_time) needs O(opt_start_time), and
        V(last_per_subject) needs a filter, such as V(>).
      - Cannot be changed in place. A change needs O(recreate).
    type: str
    choices: [all, last, new, by_start_sequence, by_start_time, last_per_subject]
  opt_start_seq:
    description:
      - The sequence to begin with, for O(deliver_policy=by_start_sequence).
      - Cannot be changed in place. A change needs O(recreate).
    type: int
  opt_start_time:
    description:
      - The time to begin with, for O(deliver_policy=by_start_time), as RFC 3339, such as
        V(2030-01-31T12:00:00Z). Up to nine digits of a second's fraction count.
      - Compared as an instant, so that the same one in another time zone is no change.
      - Cannot be changed in place. A change needs O(recreate).
    type: str
  ack_policy:
    description:
      - What clients acknowledge. New consumers get V(explicit), each message, as clients of NATS do it. The
        server's own default would be V(none).
      - With V(all), an acknowledgement counts for all earlier messages as well. With V(flow_control), the answers
        to flow control do, which needs O(deliver_subject).
      - Cannot be changed in place. A change needs O(recreate).
      - V(flow_control) needs nats-server 2.14 or newer.
    type: str
    choices: [none, all, explicit, flow_control]
  ack_wait:
    description:
      - How long the server waits for an acknowledgement before it delivers a message again, as a duration such
        as V(30s). A bare number is seconds.
      - The server's default, for which V(0s) stands, is V(30s), or nothing for consumers without acknowledgements.
      - With O(backoff), the first step of that takes its place, and the option has no effect.
      - Can be changed in place.
    type: str
  max_deliver:
    description:
      - How many times a message is delivered at most. The server's default is V(-1), which is unlimited, as is
        V(0).
      - Can be changed in place.
    type: int
  backoff:
    description:
      - How long the server waits before each further delivery of a message, as a list of durations. The last one
        repeats.
      - The order counts. An empty list clears it, and O(ack_wait) returns to its default unless it is mentioned.
      - There may not be more steps than O(max_deliver). Servers of 2.9 need an O(max_deliver) above the number of
        steps.
      - Can be changed in place.
    type: list
    elements: str
  filter_subject:
    description:
      - The subject of the messages that the consumer gets. Wildcards are allowed. An empty string clears it.
      - The same as O(filter_subjects) with one element, and excludes O(filter_subjects) with several.
      - Can be changed in place.
      - Servers of 2.9 refuse a filter that the subjects of the stream do not cover.
    type: str
  filter_subjects:
    description:
      - The subjects of the messages that the consumer gets. Wildcards are allowed. An empty list clears it.
      - The order means nothing. No two may overlap. One element is the same as O(filter_subject).
      - Can be changed in place.
      - Several filters need nats-server 2.10 or newer.
    type: list
    elements: str
  replay_policy:
    description:
      - How fast messages come. With V(instant), the server's default, as fast as the client takes them. With
        V(original), as fast as they were stored.
      - Cannot be changed in place. A change needs O(recreate).
    type: str
    choices: [instant, original]
  sample_freq:
    description:
      - For which share of the acknowledgements the server publishes an advisory, as a percentage from 0 to 100.
      - V(50) and V(50%) are the same. An empty string, or V(0), is none, the server's default.
      - Can be changed in place.
    type: str
  max_ack_pending:
    description:
      - How many messages may be delivered without an acknowledgement. V(-1) is unlimited, and V(0) stands for the
        default.
      - The server's default is 1000, or the limit that the stream has in
        O(nats.jetstream.jetstream_stream#module:consumer_limits), or that of the server or the account. It is 0
        for consumers without acknowledgements.
      - Can be changed in place. A stored number that is not above the default counts as the default, which a limit
        of the server can lower, so that O(reset) and V(0) leave it as it is. Write V(1000) to get that again.
    type: int
  max_waiting:
    description:
      - How many pull requests may wait at the same time. For pull consumers only. The server's default is 512.
      - Cannot be changed in place. A change needs O(recreate).
    type: int
  max_batch:
    description:
      - How many messages a pull request may ask for. For pull consumers only.
      - The server's default, for which V(0) stands, is V(-1), which is unlimited, or the server's own limit.
      - Can be changed in place. A stored number counts as the default, because it can be the server's own limit, so
        that O(reset) and V(0) leave it as it is. Write V(-1) to take it away.
    type: int
    aliases: [max_request_batch]
  max_expires:
    description:
      - How long a pull request may wait for messages, as a duration such as V(30s). For pull consumers only.
      - The shortest duration is V(1ms). The server's default is V(0s), which is unlimited.
      - Can be changed in place.
    type: str
    aliases: [max_request_expires]
  max_bytes:
    description:
      - How many bytes a pull request may ask for, as a size such as V(1MiB), or a number of bytes. For pull
        consumers only.
      - The server's default is V(0), which is unlimited.
      - Can be changed in place.
    type: str
    aliases: [max_request_max_bytes]
  headers_only:
    description:
      - Whether the consumer gets only the headers of messages, and their size.
      - The server's default is V(false). Can be changed in place.
    type: bool
  inactive_threshold:
    description:
      - After how long without a client the consumer is deleted, as a duration such as V(1h). V(0s) stands for the
        default.
      - The server's default is never for durable consumers, and V(5s) for others, or what the stream has in
        O(nats.jetstream.jetstream_stream#module:consumer_limits).
      - A durable consumer with a threshold is deleted as well when no client uses it. Reading it, as this module
        does, is no use in that sense.
      - Can be changed in place.
    type: str
  deliver_subject:
    description:
      - The subject to which the server sends the messages. It makes the consumer a push consumer, and without it
        the consumer is a pull consumer.
      - It has no wildcards, and is none of the subjects of the stream.
      - Can be changed in place to another subject, which the server refuses while a client listens to the old
        one. A change from push to pull, or back, needs O(recreate).
    type: str
  deliver_group:
    description:
      - The queue group among whose members the messages are shared. For push consumers, without effect for
        others.
      - An empty string clears it. Can be changed in place.
    type: str
  rate_limit_bps:
    description:
      - How fast messages are sent at most, in bits per second. For push consumers only.
      - The server's default is V(0), which is unlimited. Can be changed in place.
    type: int
  flow_control:
    description:
      - Whether the server waits for the client after some messages. For push consumers only, and together with
        O(idle_heartbeat).
      - The server's default is V(false), and V(true) with O(ack_policy=flow_control).
      - Cannot be changed in place. A change needs O(recreate).
    type: bool
  idle_heartbeat:
    description:
      - After how long without a message the server sends a heartbeat, as a duration such as V(5s). For push
        consumers only.
      - The shortest duration is V(100ms). The server's default is V(0s), no heartbeats, and V(1s) with
        O(ack_policy=flow_control).
      - Cannot be changed in place. A change needs O(recreate).
    type: str
  num_replicas:
    description:
      - On how many servers of the cluster the state of the consumer is kept, from V(0) to V(5). The server's
        default is V(0), as many as the stream has.
      - Can be changed in place in a cluster. More than one replica is refused on a server without a cluster.
      - The server refuses more than the stream has, and any other number than the stream has when its retention
        is interest or workqueue.
    type: int
    aliases: [replicas]
  mem_storage:
    description:
      - Whether the state of the consumer is kept in memory, whatever the stream does.
      - The server's default is V(false).
      - Cannot be changed in place. A change needs O(recreate).
    type: bool
  priority_policy:
    description:
      - How pull requests of the clients in a group are ranked. For pull consumers only.
      - With V(overflow), a client can ask for messages only when many wait. With V(pinned_client), one client
        gets all until it is gone. With V(prioritized), requests have a rank.
      - The server's default is V(none). Every other policy needs O(priority_groups). V(none) also takes away the
        groups and O(priority_timeout).
      - Can be changed in place.
      - Needs nats-server 2.11 or newer. V(prioritized) needs nats-server 2.12 or newer.
    type: str
    choices: [none, overflow, pinned_client, prioritized]
  priority_groups:
    description:
      - The names of the groups that O(priority_policy) knows, each from 1 to 16 characters.
      - The order means nothing. Replaced as a whole. Can be changed in place.
      - Needs nats-server 2.11 or newer.
    type: list
    elements: str
  priority_timeout:
    description:
      - After how long without a sign of the pinned client another one is chosen, as a duration such as V(30s), for
        O(priority_policy=pinned_client).
      - The server's default, for which V(0s) stands, is V(2m). Can be changed in place.
      - Needs nats-server 2.11 or newer.
    type: str
  pause_until:
    description:
      - Until when the consumer delivers nothing, as RFC 3339, such as V(2030-01-31T12:00:00Z).
      - Compared as an instant. A time in the past is the same as no pause. O(reset=pause_until) ends a pause, and
        so does a time in the past.
      - Can be changed in place.
      - Needs nats-server 2.11 or newer.
    type: str
  metadata:
    description:
      - Texts by name, for whatever users want to note.
      - Replaced as a whole. An empty dictionary clears it. Can be changed in place.
      - Names that begin with V(_nats.) belong to the server, and V(nats.jetstream/owner) belongs to this
        collection. They are neither compared nor changed, and cannot be set.
      - Needs nats-server 2.10 or newer.
    type: dict
  state:
    description:
      - Whether the consumer is there. With V(absent), it is deleted with its place in the stream, and the options
        that describe it are not compared. A stream that does not exist has no consumers.
    type: str
    choices: [present, absent]
    default: present
  update:
    description:
      - What happens to the settings that the task does not mention.
      - With V(merge), they stay as they are.
      - With V(replace), they return to the server's default, as far as an update can do that in place. What only
        a recreate could change stays, and so does what the server itself keeps in O(metadata).
    type: str
    choices: [merge, replace]
    default: merge
  reset:
    description:
      - The names of settings that return to the server's default, such as V(max_deliver). V(pause_until) resumes a
        paused consumer.
      - A setting cannot be both set and reset.
    type: list
    elements: str
    default: []
  recreate:
    description:
      - Whether the consumer may be deleted and created again when an option that the task mentions, or resets,
        cannot be changed in place.
      - With V(never), the task fails and lists the option, its current and its wanted value in RV(immutable).
      - With V(migrate), a consumer is recreated and put back to its place, and refused where the server cannot do
        that. It can from nats-server 2.14 on, if O(deliver_policy) is V(all), V(by_start_sequence), or
        V(by_start_time). Messages that a stream with O(nats.jetstream.jetstream_stream#module:retention=interest)
        keeps for this consumer alone would go, which needs O(data_loss=allow).
      - With V(if_empty), a consumer is recreated when nothing was delivered and nothing is pending. Any other
        fails the task.
      - With V(always), a consumer is recreated in any case. From nats-server 2.14 on it goes on behind its ack
        floor, so that only what was acknowledged above that comes again, if its O(deliver_policy) is V(all),
        V(by_start_sequence), or V(by_start_time). Otherwise it starts over, and RV(would_lose.place) tells where it was.
      - If the server refuses the new consumer, the old one is created again.
    type: str
    choices: [never, migrate, if_empty, always]
    default: never
  recovery_path:
    description:
      - A file on the managed host, to which a recreate writes the configuration and the place of the consumer, as
        JSON, before it deletes anything. Only its owner can read it.
      - An existing file is overwritten. If it cannot be written, nothing is deleted and the task fails.
    type: path
  data_loss:
    description:
      - What to do when the plan makes the server forget how far the consumer has come. RV(would_lose) tells where
        that was in any case.
      - With V(warn) and V(allow), a deletion or recreate that was asked for goes through.
      - With V(forbid), a deletion or recreate of a consumer that was used, or has messages pending, fails the
        task.
    type: str
    choices: [warn, forbid, allow]
    default: warn
  wait:
    description:
      - Whether to wait, after a change in a cluster, until the consumer has a leader and all its replicas are
        current.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long O(wait) lasts at most, as a duration such as V(60s). When it is over, the task fails, although the
        change was accepted and the cluster may still carry it out.
    type: str
    default: 60s
  extra_config:
    description:
      - Settings that are newer than this collection, with the names and values of the server's own
        configuration. Durations are nanoseconds there, and sizes are bytes.
      - Sent as they are, and compared literally. A setting that has an option of its own is refused here.
      - Fields that nats-server does not know are refused before anything is sent where it is older than 2.12, also
        inside of other fields, because it would drop them silently. Later ones refuse them by themselves. Behind
        O(domain) and O(api_prefix), and where the server is told not to be strict, the task fails afterwards.
      - If the server does not keep what was sent, the task fails.
    type: dict
    default: {}
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_consumer_info
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_consumer_reset
  - module: nats.jetstream.jetstream_consumer_unpin
  - module: nats.jetstream.jetstream_environment
  - ref: ansible_collections.nats.jetstream.docsite.guide_idempotency
    description: What a change does, what check mode foretells, and what a recreate loses.
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
  - name: Consumers in the NATS documentation
    description: What consumers are and what their settings do.
    link: https://docs.nats.io/nats-concepts/jetstream/consumers
"""

EXAMPLES = r"""
---
- name: Create the stream that the consumers belong to
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Create a durable pull consumer
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    description: Sends the bills
    filter_subject: orders.paid
    ack_wait: 1m
    max_ack_pending: 200

- name: Deliver a message five times at most, and wait longer from time to time
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    max_deliver: 5
    backoff:
      - 10s
      - 1m
      - 10m

- name: Return single settings to the server's default
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    reset:
      - backoff
      - max_deliver

- name: Make the task the whole truth, so that what it does not mention returns to the default
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    filter_subjects:
      - orders.paid
      - orders.returned
    ack_wait: 1m
    update: replace

- name: Create a consumer that begins with the messages of today
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: reports
    deliver_policy: by_start_time
    opt_start_time: "2030-01-31T00:00:00+01:00"
    ack_policy: none

- name: Limit what pull requests may ask for
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: reports
    max_batch: 100
    max_bytes: 1MiB
    max_expires: 30s

- name: Create a push consumer whose messages are shared in a queue group
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: mailer
    filter_subject: orders.new
    deliver_subject: deliver.mailer
    deliver_group: mailers
    flow_control: true
    idle_heartbeat: 5s

- name: Create a consumer that is deleted when no client has used it for ten minutes
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: debugging
    durable: false
    inactive_threshold: 10m
    ack_policy: none

- name: Deliver to one client at a time (nats-server 2.11 or newer)
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: sequencer
    priority_policy: pinned_client
    priority_groups:
      - workers
    priority_timeout: 30s

- name: Pause a consumer (nats-server 2.11 or newer)
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: sequencer
    pause_until: "2040-01-31T12:00:00Z"

- name: Let it go on
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: sequencer
    reset:
      - pause_until

- name: Change what no update can change, as long as the consumer was not used
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: reports
    ack_policy: explicit
    recreate: if_empty

- name: See what a change would do, without doing it
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: billing
    max_ack_pending: 50
  check_mode: true
  diff: true

- name: Name the server once, for all modules of the collection
  module_defaults:
    group/nats.jetstream.jetstream:
      servers: "{{ nats_servers | default(['nats://127.0.0.1:4222']) }}"
      timeout: 10s
  block:
    - name: Look how far a consumer has come
      nats.jetstream.jetstream_consumer:
        stream: ORDERS
        name: billing
      register: billing

    - name: Stop when too much is waiting
      ansible.builtin.assert:
        that: billing.consumer.num_pending < 10000
      when: not ansible_check_mode

- name: Delete a consumer
  nats.jetstream.jetstream_consumer:
    stream: ORDERS
    name: debugging
    state: absent
"""

RETURN = r"""
---
action:
  description:
    - What is done to the consumer, one of V(none), V(create), V(update), V(recreate), and
      V(delete).
    - In check mode, what would be done.
  returned: success
  type: str
  sample: update
changes:
  description:
    - Every setting that changes, what follows from others included.
    - For a new consumer, every setting that is not at the server's default.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: The name of the setting.
      returned: always
      type: str
      sample: ack_wait
    before:
      description: Its value before, or V(null) for a new consumer.
      returned: always
      type: raw
      sample: 30s
    after:
      description: Its value after.
      returned: always
      type: raw
      sample: 1m
would_lose:
  description:
    - What the plan deletes.
    - In a run, what it was expected to delete.
  returned: when something is deleted, also on a failure that keeps it
  type: dict
  contains:
    messages:
      description:
        - How many messages of the stream go with the consumer. V(0), as streams keep their messages, unless
          the retention of the stream is V(interest).
        - Then V(null), if there are messages that it may keep for this consumer alone.
      returned: always
      type: int
      sample: 0
    messages_at_most:
      description: How many messages of the stream go with it at most.
      returned: always
      type: int
      sample: 0
    consumers:
      description: Always V(0).
      returned: always
      type: int
      sample: 0
    reasons:
      description: What deletes something.
      returned: always
      type: list
      elements: str
      sample:
        - "the consumer's place in the stream is forgotten"
    place:
      description: How far the consumer has come.
      returned: when it is forgotten
      type: dict
      contains:
        ack_floor:
          description: The sequence in the stream up to which everything is acknowledged.
          returned: always
          type: int
          sample: 1180
        delivered:
          description: The sequence in the stream that was delivered last.
          returned: always
          type: int
          sample: 1200
        num_pending:
          description: How many messages are still to be delivered.
          returned: always
          type: int
          sample: 50
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
unverified:
  description:
    - Settings that change by a rule that was not observed on the server's release line.
    - A run lets the server decide.
  returned: when there are any
  type: list
  elements: str
  sample:
    - priority_policy
declaration:
  description:
    - What a task would have to say to get this consumer, with units.
    - It is accepted back by this module as it is.
    - Empty when the consumer is absent.
    - In check mode, as it would be.
  returned: success
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
    extra_config:
      description: What O(extra_config) changes beside the settings above.
      returned: when it changes something
      type: dict
      sample:
        new_setting: true
consumer:
  description:
    - The consumer as the server sent it, with durations in nanoseconds and sizes in bytes, or
      V(null) when it is absent.
    - In check mode, as it is before the change.
  returned: success
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
          description: The subject of the messages that the consumer gets, when it is a single one.
          returned: when the server sends it
          type: str
          sample: orders.paid
        filter_subjects:
          description: The subjects of the messages that the consumer gets, when there are several.
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
      description: Whether a client listens to O(deliver_subject).
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
immutable:
  description: What only a recreate can change.
  returned: failure, when O(recreate) does not allow one
  type: list
  elements: dict
  contains:
    option:
      description: The name of the setting.
      returned: always
      type: str
      sample: ack_policy
    current:
      description: Its value on the server.
      returned: always
      type: raw
      sample: explicit
    wanted:
      description: The value that the task asks for.
      returned: always
      type: raw
      sample: all
    in_place:
      description: Which changes of it an update can do.
      returned: always
      type: str
      sample: never
not_kept:
  description: Settings that the server accepted and then kept as something else.
  returned: failure, when the answer differs from what was sent
  type: list
  elements: dict
  contains:
    option:
      description: The name of the setting.
      returned: always
      type: str
      sample: filter_subjects
    wanted:
      description: The value that was sent.
      returned: always
      type: raw
      sample:
        - orders.paid
        - orders.returned
    kept:
      description: The value that the server has.
      returned: always
      type: raw
      sample:
recovery:
  description: The configurations of the consumer from before a recreate, as the server sent them.
  returned: failure, when a recreate did not come to its end
  type: dict
  contains:
    stream_name:
      description: The name of the stream.
      returned: always
      type: str
      sample: ORDERS
    consumers:
      description: The configuration of the consumer, as a list of one.
      returned: always
      type: list
      elements: dict
      sample:
        - name: billing
          durable_name: billing
          ack_policy: explicit
    places:
      description: How far it had come, in the same order.
      returned: always
      type: list
      elements: dict
      sample:
        - ack_floor: 1180
          delivered: 1200
          num_pending: 50
          num_ack_pending: 20
          num_redelivered: 1
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
  sample: CONSUMER.CREATE.ORDERS.billing
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

from ansible_collections.nats.jetstream.plugins.module_utils._asset import run_asset
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER


def main() -> None:
    run_asset(CONSUMER)


if __name__ == "__main__":
    main()
