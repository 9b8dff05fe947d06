#!/usr/bin/python
# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_environment
short_description: Manage a whole environment of streams, consumers, and buckets
version_added: 1.0.0
description:
  - Makes streams, consumers, key-value buckets, and object buckets be as declared, all of them in one task and over
    one connection.
  - Everything is read first, and one plan is made for the whole declaration. What the plan contains is done in the
    order that is needed. Origins come before their mirrors and sources, streams before their consumers, and
    deletions before what they block. Nobody has to put the entries in order.
  - A subject that moves from one stream to another leaves the first and joins the second in two requests that
    follow each other, with no other write between them, also when streams swap their subjects or pass them around in
    a ring. Between the two, publishers get an error and no acknowledgement that is lost. If the second stream is
    refused the subject, the first gets it back. Filters of consumers of a workqueue stream move the same way.
  - In an account that is nearly full, what makes room comes before what needs it.
  - Everything that is wrong with the declaration is reported at once, each with its place, before the server is asked
    for anything. Everything that can be foretold of the server, such as a change that needs a recreate, is
    reported at once before anything is changed.
  - A failure in the middle stops what depends on it, and not the rest. Running the task again goes on from there.
  - After a change, everything is read again. If something differs again, because someone else changed it
    meanwhile, the task fails and names it.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - The same plan is made as in a run, so C(changed), RV(plan), RV(summary), RV(plan_digest), and the diff are the
        same, and so are the failures that can be foretold.
      - What only the server can judge, such as placement, is not predicted.
      - A consumer of a stream that is neither there nor declared is a warning, because an earlier task may
        create it in a run.
  diff_mode:
    support: full
    details:
      - Shows one difference for each asset that changes, as YAML. Of what is changed in place, only the settings that
        differ are shown.
  idempotent:
    support: full
options:
  streams:
    description:
      - The streams. An entry takes the options of M(nats.jetstream.jetstream_stream), C(state), C(reset), and
        C(recreate) included, and C(consumers), a list of consumers of the stream.
      - What an entry does not mention stays as it is, unless O(update) or O(defaults) say otherwise.
      - A stream is sealed last, when its consumers are there.
    type: list
    elements: dict
    default: []
  kv_buckets:
    description:
      - The key-value buckets. An entry takes the options of M(nats.jetstream.jetstream_kv_bucket), and C(entries), a
        list of what is kept in it.
      - An item of C(entries) takes C(key), exactly one of C(value) (a text), C(json), C(base64), and C(src) (a file on
        the managed host), C(state), C(ttl), and C(expected_revision), as in M(nats.jetstream.jetstream_kv).
      - Entries are written when all assets are there. An entry that has the value already is not written, and what
        is not declared stays. Values are not part of any result, difference, or log.
      - A bucket that is a mirror takes no C(entries), because they belong to its origin.
    type: list
    elements: dict
    default: []
  object_buckets:
    description:
      - The object buckets. An entry takes the options of M(nats.jetstream.jetstream_object_bucket).
    type: list
    elements: dict
    default: []
  consumers:
    description:
      - Consumers of streams that are declared elsewhere, or beside their stream. An entry takes the options
        of M(nats.jetstream.jetstream_consumer), its C(stream) included.
      - Consumers can also be declared inside of their stream, see O(streams). Both mean the same.
    type: list
    elements: dict
    default: []
  defaults:
    description:
      - Options for all entries of a list that do not mention them, by the name of the list, such as
        V(streams) or V(consumers).
      - Consumers inside of streams take those of V(consumers).
    type: dict
    default: {}
  state:
    description:
      - Whether the assets are there. With V(absent), all that the declaration names is deleted.
      - An entry can say its own C(state).
    type: str
    choices: [present, absent]
    default: present
  update:
    description:
      - What happens to the settings that an entry does not mention, as in M(nats.jetstream.jetstream_stream).
      - An entry can say its own C(update).
    type: str
    choices: [merge, replace]
    default: merge
  recreate:
    description:
      - Whether an asset may be deleted and created again when a setting that its entry mentions cannot be changed in
        place, as in M(nats.jetstream.jetstream_stream).
      - With V(never), such a difference fails the task before anything is changed.
      - With V(migrate), messages, sequences, consumers, and places stay, as
        O(nats.jetstream.jetstream_stream#module:recreate) says. A consumer is recreated and put back to its place, and
        refused where the server cannot do that.
      - An entry can say its own C(recreate).
    type: str
    choices: [never, migrate, if_empty, always]
    default: never
  migrate_path:
    description:
      - The directory on the managed host for the snapshots that O(recreate=migrate) takes.
      - By default, one for the user below the directory for temporary files, which may not survive a restart of
        that host.
      - A run that was ended leaves its snapshots there. The next run with the same O(migrate_path) on the same host
        finds them, and finishes or undoes what was begun.
      - An entry can say its own C(migrate_path).
    type: path
  migrate_max_bytes:
    description:
      - Fails the task, before anything is changed, when O(recreate=migrate) would have to move a stream or bucket
        with more than this.
      - Without it, there is no limit. An entry can say its own C(migrate_max_bytes).
    type: str
  recovery_path:
    description:
      - A directory on the managed host, to which every recreate writes the configurations of the asset and of its
        consumers, as one JSON file, before it deletes anything. Only its owner can read the files.
      - The directory is made when it is needed. An entry can name a file of its own.
    type: path
  data_loss:
    description:
      - What to do when the plan deletes messages, as in M(nats.jetstream.jetstream_stream).
      - An entry can say its own C(data_loss).
    type: str
    choices: [warn, forbid, allow]
    default: warn
  owner:
    description:
      - A name for who declares this environment. Streams, buckets, and durable consumers that the declaration
        names are marked with it, in their metadata under V(nats.jetstream/owner).
      - Assets that bear the mark of another owner are refused, unless O(adopt) is true.
      - The mark is what O(prune=owned) goes by.
      - Needs nats-server 2.10 or newer, because older servers keep no metadata.
    type: str
  adopt:
    description:
      - Whether to take over assets that are marked by another owner. Needs O(owner).
    type: bool
    default: false
  prune:
    description:
      - Whether to delete what is not declared.
      - With V(none), it stays.
      - With V(owned), what bears the mark of O(owner) and is not declared is deleted. If a consumer of another owner
        would go with its stream, the task fails before anything is changed, unless O(adopt) is true.
      - With V(all), what matches O(prune_names) and is not declared is deleted, whoever owns it.
      - Names with V($) and ephemeral consumers are never deleted. Nothing at all is changed when the
        servers do not know of every stream, because some are down.
    type: str
    choices: [none, owned, all]
    default: none
  prune_names:
    description:
      - Patterns for O(prune=all), such as V(shop-*), for names of streams and buckets.
      - Patterns with a slash, such as V(ORDERS/*), are for consumers, by stream and name.
    type: list
    elements: str
    default: []
  prune_max:
    description:
      - How many assets may be pruned at most. If it were more, the task fails before anything is changed. A
        template that rendered to nothing does no harm this way.
    type: int
    default: 10
  prune_nonempty:
    description:
      - Whether streams and buckets that hold messages, and consumers that are not at their beginning and end, may be
        pruned. With V(false), the task fails before anything is changed. What is not empty any more when its turn comes
        stays, too, and is reported as a failure.
    type: bool
    default: false
  expect_plan:
    description:
      - The RV(plan_digest) of a run in check mode. If the plan is another one now, the task fails before anything is
        changed. So what was approved is what is done.
    type: str
  max_moves:
    description:
      - How many streams and consumers may move in a cluster at the same time, which is what a change of
        C(num_replicas) or C(placement) does.
    type: int
    default: 4
  concurrency:
    description:
      - How many requests are on their way at the same time, from V(1) to V(1024).
    type: int
    default: 32
  wait:
    description:
      - Whether to wait, after a change in a cluster, until what changed has a leader and all its replicas are current.
      - An entry can say its own C(wait).
    type: bool
    default: true
  wait_timeout:
    description:
      - How long O(wait) lasts at most for each asset, as a duration such as V(60s).
      - An entry can say its own C(wait_timeout).
    type: str
    default: 60s
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_consumer
  - module: nats.jetstream.jetstream_kv_bucket
  - module: nats.jetstream.jetstream_object_bucket
  - module: nats.jetstream.jetstream_info
  - module: nats.jetstream.jetstream_environment_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_environments
    description: Declaring everything that an account has, with owners and pruning.
  - ref: ansible_collections.nats.jetstream.docsite.guide_approval
    description: A plan that is approved and then applied as it is.
"""

EXAMPLES = r"""
---
- name: Provision an environment
  nats.jetstream.jetstream_environment:
    defaults:
      streams:
        compression: s2
    streams:
      - name: ORDERS
        subjects:
          - orders.>
        max_age: 30d
        consumers:
          - name: billing
            filter_subject: orders.paid
            ack_wait: 1m
          - name: shipping
            filter_subject: orders.packed
      - name: ORDERS-COPY
        mirror:
          name: ORDERS
    kv_buckets:
      - name: settings
        history: 5
        entries:
          - key: currency
            value: EUR
          - key: limits
            json:
              items: 100
    object_buckets:
      - name: invoices
        max_bytes: 1GiB

- name: Move a subject to a stream of its own, and let a consumer go
  nats.jetstream.jetstream_environment:
    streams:
      - name: ORDERS
        subjects:
          - orders.*
        consumers:
          - name: shipping
            state: absent
      - name: RETURNS
        subjects:
          - orders.returned.>

- name: Look at the plan
  nats.jetstream.jetstream_environment: &shop
    owner: shop
    prune: owned
    streams:
      - name: CARTS
        subjects:
          - carts.>
        storage: memory
    consumers:
      - stream: CARTS
        name: reminders
  check_mode: true
  diff: true
  register: planned

- name: Do what was planned, or nothing
  nats.jetstream.jetstream_environment:
    <<: *shop
    expect_plan: "{{ planned.plan_digest }}"

- name: Delete it all
  nats.jetstream.jetstream_environment:
    state: absent
    streams:
      - name: CARTS
      - name: RETURNS
      - name: ORDERS-COPY
      - name: ORDERS
    kv_buckets:
      - name: settings
    object_buckets:
      - name: invoices
"""

RETURN = r"""
---
plan:
  description:
    - What is done, one row for each asset that changes. Streams and buckets come first, then consumers,
      what is pruned, and the entries of buckets.
    - In check mode, what would be done.
  returned: always, unless the options are wrong or the server cannot be read
  type: list
  elements: dict
  contains:
    kind:
      description: What it is, one of V(stream), V(kv_bucket), V(object_bucket), V(consumer), and V(kv_entry).
      returned: always
      type: str
      sample: consumer
    name:
      description: Its name, which is the key of an entry.
      returned: always
      type: str
      sample: billing
    stream:
      description: The stream of a consumer.
      returned: for consumers
      type: str
      sample: ORDERS
    bucket:
      description: The bucket of an entry.
      returned: for entries
      type: str
      sample: settings
    place:
      description: Where it is declared, or V(prune) for what is pruned.
      returned: always
      type: str
      sample: streams[0].consumers[1]
    action:
      description: What is done to it, one of V(create), V(update), V(recreate), V(migrate),
        V(delete), and, for entries, V(purge).
      returned: always
      type: str
      sample: update
    changes:
      description: Every setting that changes. Empty for what is new, for what is deleted, and for entries.
      returned: always
      type: list
      elements: dict
      contains:
        option:
          description: The name of the setting.
          returned: always
          type: str
          sample: max_age
        before:
          description: Its value before.
          returned: always
          type: raw
          sample: 12h
        after:
          description: Its value after.
          returned: always
          type: raw
          sample: 30d
    options:
      description: What a new asset gets, as options would say it. What is at the default is left out.
      returned: for what is new, except entries
      type: dict
      sample:
        subjects:
          - orders.>
        max_age: 30d
    reason:
      description: Why it changes although it is not declared.
      returned: for what is pruned
      type: str
      sample: is not declared
    moves:
      description: The subjects that it gets from other streams. Publishers get an error while they move.
      returned: when there are any
      type: list
      elements: dict
      contains:
        subject:
          description: The subject.
          returned: always
          type: str
          sample: orders.returned.>
        from:
          description: The stream that it leaves.
          returned: always
          type: str
          sample: ORDERS
    migration:
      description: What is moved, as in M(nats.jetstream.jetstream_stream).
      returned: when its action is V(migrate)
      type: dict
      contains:
        messages:
          description: How many messages the stream has.
          returned: always
          type: int
          sample: 120000
        bytes:
          description: The size of these messages.
          returned: always
          type: int
          sample: 104857600
        consumers:
          description: How many consumers the stream has.
          returned: always
          type: int
          sample: 2
        downtime:
          description: For how many seconds nothing can be published to it, RV(plan[].migration.wait) and an estimate from
            the size.
          returned: always
          type: int
          sample: 6
        wait:
          description: For how many seconds of these it first waits, until the server has forgotten by itself what it
            would forget with the restore. Always V(0) with O(data_loss=allow).
          returned: always
          type: int
          sample: 0
    would_lose:
      description: What is deleted with it, as in M(nats.jetstream.jetstream_stream).
      returned: when something is deleted
      type: dict
      contains: &lost
        messages:
          description: How many messages are deleted, or V(null) when that cannot be known.
          returned: always
          type: int
          sample: 1200
        messages_at_most:
          description: How many messages are deleted at most.
          returned: always
          type: int
          sample: 1200
        consumers:
          description: How many consumers are deleted.
          returned: always
          type: int
          sample: 2
        reasons:
          description: What deletes something.
          returned: always
          type: list
          elements: str
          sample:
            - state=absent deletes it
        place:
          description: How far a consumer has come, as in M(nats.jetstream.jetstream_consumer).
          returned: when it is forgotten
          type: dict
          sample:
            ack_floor: 1180
            delivered: 1200
            num_pending: 34
            num_ack_pending: 3
            num_redelivered: 0
    unverified:
      description: Settings that change by a rule that was not observed on the server's release line.
      returned: when there are any
      type: list
      elements: str
      sample:
        - republish
plan_digest:
  description:
    - A digest of the plan, for O(expect_plan).
    - It depends on what is done to which asset and on the values of entries, and neither on the order of the
      declaration nor on how many messages there are.
  returned: always, unless the options are wrong or the server cannot be read
  type: str
  sample: 4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945
summary:
  description:
    - How many assets are what.
    - In a run, what was really done.
  returned: always, unless the options are wrong or the server cannot be read
  type: dict
  contains:
    created:
      description: How many are created.
      returned: always
      type: int
      sample: 2
    updated:
      description: How many are changed in place.
      returned: always
      type: int
      sample: 1
    recreated:
      description: How many are deleted and created again.
      returned: always
      type: int
      sample: 0
    migrated:
      description: How many get new settings that no update can give them, with all they have.
      returned: always
      type: int
      sample: 0
    deleted:
      description: How many are deleted.
      returned: always
      type: int
      sample: 0
    entries:
      description: How many entries of key-value buckets are written.
      returned: always
      type: int
      sample: 12
    unchanged:
      description: How many assets are as declared already.
      returned: always
      type: int
      sample: 997
    failed:
      description: How many failed, the entries of a bucket counted as one.
      returned: always
      type: int
      sample: 0
    not_tried:
      description: How many were not tried, because something that they need failed.
      returned: always
      type: int
      sample: 0
failures:
  description: What cannot be done, or could not be, one row for each.
  returned: always, unless the options are wrong or the server cannot be read
  type: list
  elements: dict
  contains:
    place:
      description: Where it is declared.
      returned: always
      type: str
      sample: streams[0]
    title:
      description: What it is.
      returned: always
      type: str
      sample: stream ORDERS
    msg:
      description: What is wrong, and what to do.
      returned: always
      type: str
      sample: "stream ORDERS: storage cannot be changed in place"
    err_code:
      description: The server's own number of the error.
      returned: when the server refused a request
      type: int
      sample: 10047
    code:
      description: The server's answer in the manner of HTTP.
      returned: when the server refused a request
      type: int
      sample: 500
    error_class:
      description: What sort of error it is, as in RV(error_class).
      returned: when the server refused a request
      type: str
      sample: limit
    request:
      description: The request that was refused.
      returned: when the server refused a request
      type: str
      sample: STREAM.CREATE.ORDERS
    description:
      description: The server's own words.
      returned: when the server refused a request
      type: str
      sample: insufficient storage resources available
    problems:
      description: What is wrong with the asset, all of it at once.
      returned: when its settings are wrong, or do not go with those of others
      type: list
      elements: dict
      contains:
        place:
          description: Which setting it is about, or where that is declared.
          returned: always
          type: str
          sample: max_bytes
        text:
          description: What is wrong.
          returned: always
          type: str
          sample: is required
    immutable:
      description: What only a recreate can change.
      returned: when O(recreate) does not allow one
      type: list
      elements: dict
      contains:
        option:
          description: The name of the setting.
          returned: always
          type: str
          sample: storage
        current:
          description: Its value on the server.
          returned: always
          type: raw
          sample: file
        wanted:
          description: The value that is declared.
          returned: always
          type: raw
          sample: memory
        in_place:
          description: Which changes of it an update can do.
          returned: always
          type: str
          sample: never
    would_lose:
      description: What the plan would have deleted.
      returned: when O(data_loss) does not allow it
      type: dict
      contains: *lost
    not_kept:
      description: Settings that the server accepted and then kept as something else.
      returned: when the answer differs from what was sent
      type: list
      elements: dict
      contains:
        option:
          description: The name of the setting.
          returned: always
          type: str
          sample: compression
        wanted:
          description: The value that was sent.
          returned: always
          type: raw
          sample: s2
        kept:
          description: The value that the server has.
          returned: always
          type: raw
          sample: none
    entries:
      description: The entries of the bucket that were to be changed, as in M(nats.jetstream.jetstream_kv).
      returned: when an entry could not be written
      type: list
      elements: dict
      contains:
        key:
          description: The key.
          returned: always
          type: str
          sample: currency
        action:
          description: What was to be done to it, as in RV(plan).
          returned: always
          type: str
          sample: update
        revision:
          description: The revision that the entry has now, V(null) when that is not known.
          returned: always
          type: int
          sample: 8
        previous_revision:
          description: The revision that it had before, V(null) when there was none.
          returned: always
          type: int
          sample: 7
        pruned:
          description: Always V(false), as entries are never pruned here.
          returned: always
          type: bool
          sample: false
        written:
          description: Whether it was written, V(null) when that is not known.
          returned: always
          type: bool
          sample: true
    recovery:
      description: The configurations from before a recreate or migration, as in M(nats.jetstream.jetstream_stream) and
        M(nats.jetstream.jetstream_consumer).
      returned: when a recreate or migration did not come to its end
      type: dict
      sample:
        stream:
          name: ORDERS
          subjects:
            - orders.>
        consumers:
          - name: billing
            ack_policy: explicit
resumed:
  description:
    - What became of earlier migrations that were ended.
    - In check mode, what a run would make of them.
  returned: when there were any
  type: list
  elements: str
  sample:
    - "an earlier task that migrated stream ORDERS did not come to its end: it was finished"
not_tried:
  description: What was not tried, because something that it needs failed.
  returned: always, unless the options are wrong or the server cannot be read
  type: list
  elements: dict
  contains:
    kind:
      description: What it is, as in RV(plan).
      returned: always
      type: str
      sample: consumer
    name:
      description: Its name.
      returned: always
      type: str
      sample: billing
    stream:
      description: The stream of a consumer.
      returned: for consumers
      type: str
      sample: ORDERS
    bucket:
      description: The bucket of an entry.
      returned: for entries
      type: str
      sample: settings
    place:
      description: Where it is declared.
      returned: always
      type: str
      sample: streams[0].consumers[1]
differs_again:
  description: What someone else changed while the task ran.
  returned: failure, when there is any
  type: list
  elements: str
  sample:
    - stream ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils._environment import (
    ARGUMENT_SPEC,
    manage,
    shown,
    validate,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import run


def main() -> None:
    run(ARGUMENT_SPEC, manage, validate, shown)


if __name__ == "__main__":
    main()
