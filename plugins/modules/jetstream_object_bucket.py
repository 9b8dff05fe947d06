#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_object_bucket
short_description: Manage an object bucket
version_added: 1.0.0
description:
  - Creates, changes, or deletes one object bucket of NATS JetStream.
  - A task declares what the bucket should be. The module compares that with what the server has, sends nothing
    when both mean the same, and otherwise sends one update that keeps every setting the task does not mention.
  - An option that is not mentioned, or is V(null), leaves its setting as it is. An empty list, dictionary, or text
    clears a setting that is one. Any setting returns to its default with O(reset).
  - A bucket is a stream whose name begins with V(OBJ_), made as the specification ADR-20 of NATS says, so that every
    client and the C(nats) command can use it. A bucket that another client has made with other flags, such as
    direct access switched off, is taken as it is. A stream of that name that cannot serve as a bucket is refused.
  - An update that the server cannot do in place fails and lists the settings in question, unless O(recreate)
    allows the bucket to be deleted and created again.
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
      - Predicted as failures are settings that the server is too old for, changes that need a recreate,
        settings that exclude each other, and several replicas without a cluster. Whether another
        stream already has the subjects of a new bucket is looked up, unless the user may not list streams.
      - Limits of the account or the server, and whether a placement can be satisfied, are the server's to judge
        and are not predicted.
  diff_mode:
    support: full
    details:
      - Shows the declaration of the bucket before and after, as YAML.
  idempotent:
    support: full
options:
  name:
    description:
      - The name of the bucket, from 1 to 251 letters, digits, V(-), and V(_).
      - A bucket cannot be renamed. Another name is another bucket.
    type: str
    required: true
    aliases: [bucket]
  description:
    description:
      - A text for people, at most 4096 bytes.
      - An empty string clears it. Can be changed in place.
    type: str
  ttl:
    description:
      - How long objects are kept after they were written, as a duration such as V(30d), V(12h), or V(1h30m). A bare
        number is seconds.
      - The default is V(0s), which is unlimited. The shortest duration is V(100ms).
      - Can be changed in place. A shorter duration deletes what is older at once.
      - Has no effect on a bucket that is O(sealed).
    type: str
  max_bytes:
    description:
      - How much storage the bucket may take, as a size such as V(10GiB), or a number of bytes. Units are powers of
        1024 in every spelling.
      - The default is V(unlimited), which can be written as V(-1) or V(0), too. An account can be set up to refuse
        buckets without a limit.
      - A full bucket refuses new objects.
      - Can be changed in place. Servers from nats-server 2.10 on keep what is stored when the size is lowered,
        nats-server 2.9 deletes the oldest.
    type: str
  storage:
    description:
      - Where objects are kept. The default is V(file).
      - With V(memory), they do not survive a restart of all servers that hold the bucket.
      - Cannot be changed in place. A change needs O(recreate).
    type: str
    choices: [file, memory]
  num_replicas:
    description:
      - On how many servers of the cluster the bucket is kept, from V(1) to V(5). The default is V(1).
      - An odd number is best, because a bucket works as long as more than half of its replicas do.
      - Can be changed in place in a cluster, where messages are copied in the background. See O(wait).
      - More than one replica is refused on a server without a cluster. Servers of 2.9 and 2.10 would accept the
        change and lose the bucket at their next start.
    type: int
    aliases: [replicas]
  placement:
    description:
      - On which servers of a cluster the bucket is kept.
      - Replaced as a whole. An empty dictionary clears it.
      - Can be changed in place. In a cluster the bucket moves in the background, see O(wait). A change together
        with O(num_replicas) is done in two steps. A server without a cluster stores it without effect.
      - Whether enough servers match is the server's to judge.
    type: dict
    suboptions:
      cluster:
        description:
          - The name of the cluster.
        type: str
      tags:
        description:
          - Tags that a server must all have. Newer servers take V(!tag) for a tag that it must not have.
          - Compared without regard to order and case, as servers do.
        type: list
        elements: str
      preferred:
        description:
          - The name of the server that should lead.
          - Meant for elections of a leader. Servers refuse it in the configuration, and nothing is
            gained by setting it.
          - Needs nats-server 2.11 or newer.
        type: str
  compression:
    description:
      - How stored objects are compressed. The default is V(none).
      - Can be changed in place.
      - Needs nats-server 2.10 or newer.
    type: str
    choices: [none, s2]
  sealed:
    description:
      - Whether the bucket is closed. No object is added, changed, or deleted any more, not even by age.
      - Sealing takes away O(ttl).
      - A bucket cannot be created sealed.
      - Can be changed in place only to V(true). A change back to V(false), the default, needs O(recreate).
    type: bool
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
      - Whether the bucket is there. With V(absent), it is deleted with all its objects, and the options that
        describe it are not compared.
    type: str
    choices: [present, absent]
    default: present
  update:
    description:
      - What happens to the settings that the task does not mention.
      - With V(merge), they stay as they are.
      - With V(replace), they return to the default, as far as an update can do that in place. What only a
        recreate could change stays, and so do a seal and what the server itself keeps in O(metadata).
    type: str
    choices: [merge, replace]
    default: merge
  reset:
    description:
      - The names of settings that return to the default, such as V(ttl).
      - A setting cannot be both set and reset.
    type: list
    elements: str
    default: []
  recreate:
    description:
      - Whether the bucket may be deleted and created again when an option that the task mentions, or resets,
        cannot be changed in place.
      - With V(never), the task fails and lists the option, its current and its wanted value in RV(immutable).
      - With V(migrate), a snapshot of the bucket is restored with the new settings, so that its objects, their
        sequences, its consumers of its stream, and their places stay. Writers get an error for that time, of which
        RV(migration.downtime) is an estimate, and never an acknowledgement that is lost. See
        R(the guide,ansible_collections.nats.jetstream.docsite.guide_backups).
      - What is restored is compared with what was there before. If anything fails, the old bucket is restored
        from the same snapshot. What the new settings themselves remove is counted in RV(would_lose).
      - It is refused, with the reason, where the server cannot do it. Servers before 2.15 make no snapshot of a bucket
        in memory and restore none into memory. From nats-server 2.11 on, streams that source this one copy
        everything again, which needs O(data_loss=allow) and names them.
      - From nats-server 2.15 on, the bucket first takes nothing new for RV(migration.wait) seconds, until the window
        of its stream for duplicates is over for what was written last, or else what is written again might be stored
        twice. With O(data_loss=allow) there is no wait.
      - With V(if_empty), a bucket that holds nothing, no marker of a deletion either, is recreated, and any other
        fails the task.
      - With V(always), a bucket is recreated with the loss of its objects. Writers get an error while that
        happens.
      - Consumers of its stream are created again with their configurations. If the server refuses the new bucket,
        the old one is created again, without its objects.
    type: str
    choices: [never, migrate, if_empty, always]
    default: never
  migrate_path:
    description:
      - The directory on the managed host for the snapshot that O(recreate=migrate) takes. It needs as
        much room as the bucket has.
      - By default, one for the user below the directory for temporary files, which may not survive a restart of
        that host.
      - A run that was ended leaves its snapshot there. The next run with the same O(migrate_path) on the same host
        finds it, and finishes or undoes what was begun.
    type: path
  migrate_max_bytes:
    description:
      - Fails the task, before anything is changed, when O(recreate=migrate) would have to move more than this.
      - Without it, there is no limit.
    type: str
  recovery_path:
    description:
      - A file on the managed host, to which a recreate writes the configurations of the bucket's stream and of all
        its consumers, as JSON, before it deletes anything. Only its owner can read it.
      - An existing file is overwritten. If it cannot be written, nothing is deleted and the task fails.
    type: path
  data_loss:
    description:
      - What to do when the plan deletes objects. RV(would_lose) tells how many messages of the stream in any
        case.
      - With V(warn), a change that says so plainly, such as a shorter O(ttl), goes through with a warning, and
        a deletion or recreate that was asked for goes through.
      - With V(forbid), every loss fails the task, deletions included.
      - With V(allow), every loss goes through.
    type: str
    choices: [warn, forbid, allow]
    default: warn
  wait:
    description:
      - Whether to wait, after a change in a cluster, until the bucket has a leader and all its replicas are
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
      - Settings of the bucket's stream that are no options here, with the names and values of the server's own
        configuration, such as V(allow_msg_ttl). Durations are nanoseconds there, and sizes are bytes.
      - Sent as they are, and compared literally. A setting that has an option of its own is refused here, and so is
        what follows from the name of the bucket.
      - Fields that nats-server does not know are refused before anything is sent where it is older than 2.12, also
        inside of other fields, because it would drop them silently. Later ones refuse them by themselves. Behind
        O(domain) and O(api_prefix), and where the server is told not to be strict, the task fails afterwards.
      - If the server does not keep what was sent, the task fails.
    type: dict
    default: {}
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_object_bucket_info
  - module: nats.jetstream.jetstream_object
  - module: nats.jetstream.jetstream_environment
  - module: nats.jetstream.jetstream_kv_bucket
  - module: nats.jetstream.jetstream_stream
  - ref: ansible_collections.nats.jetstream.docsite.guide_objects
    description: Storing, fetching, and linking files.
  - name: Object stores in the NATS documentation
    description: What buckets are and what can be done with them.
    link: https://docs.nats.io/nats-concepts/jetstream/obj_store
"""

EXAMPLES = r"""
---
- name: Create a bucket for objects
  nats.jetstream.jetstream_object_bucket:
    name: files
    description: Files of the shop
    max_bytes: 10GiB
    compression: s2
    metadata:
      team: shop

- name: Change one setting, and leave all others as they are
  nats.jetstream.jetstream_object_bucket:
    name: files
    ttl: 90d

- name: Return single settings to the default
  nats.jetstream.jetstream_object_bucket:
    name: files
    reset:
      - ttl
      - max_bytes

- name: Create a bucket in memory
  nats.jetstream.jetstream_object_bucket:
    name: thumbnails
    storage: memory
    ttl: 1h

- name: See what a change would do, without doing it
  nats.jetstream.jetstream_object_bucket:
    name: thumbnails
    ttl: 10m
  check_mode: true
  diff: true
  register: planned

- name: Stop when it would delete something
  ansible.builtin.assert:
    that: planned.would_lose is not defined

- name: Close a bucket, so that its objects stay as they are
  nats.jetstream.jetstream_object_bucket:
    name: files
    sealed: true
  when: not ansible_check_mode  # a bucket that is not there yet cannot be sealed

- name: Delete a bucket, if it holds nothing
  nats.jetstream.jetstream_object_bucket:
    name: thumbnails
    state: absent
    data_loss: forbid
"""

RETURN = r"""
---
action:
  description:
    - What is done to the bucket, one of V(none), V(create), V(update), V(recreate),
      V(migrate), and V(delete).
    - In check mode, what would be done.
  returned: success
  type: str
  sample: update
changes:
  description:
    - Every setting that changes, what follows from others included.
    - For a new bucket, every setting that is not at the default.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: The name of the setting.
      returned: always
      type: str
      sample: ttl
    before:
      description: Its value before, or V(null) for a new bucket.
      returned: always
      type: raw
      sample: 12h
    after:
      description: Its value after.
      returned: always
      type: raw
      sample: 30d
would_lose:
  description:
    - What the plan deletes.
    - In a run, what it was expected to delete.
  returned: when something is deleted, also on a failure that keeps it
  type: dict
  contains:
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
      description: How many consumers are deleted with the bucket's stream.
      returned: always
      type: int
      sample: 2
    reasons:
      description: What deletes something.
      returned: always
      type: list
      elements: str
      sample:
        - max_bytes 1GiB deletes the oldest
migration:
  description:
    - What is moved when the action is V(migrate).
    - In a run, what was expected to be moved.
  returned: when RV(action) is V(migrate)
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
      description: For how many seconds nothing can be published to it, RV(migration.wait) and an estimate from the size.
      returned: always
      type: int
      sample: 6
    wait:
      description:
        - For how many seconds of these the bucket first waits, until the server has forgotten by itself which
          C(Nats-Msg-Id) it has stored, because it would forget that with the restore.
        - Always V(0) before nats-server 2.15, and with O(data_loss=allow).
      returned: always
      type: int
      sample: 0
resumed:
  description:
    - What became of an earlier migration that was ended.
    - In check mode, what a run would make of it.
  returned: when there was one
  type: str
  sample: "an earlier task that migrated stream ORDERS did not come to its end: it was finished"
unverified:
  description:
    - Settings that change by a rule that was not observed on the server's release line.
    - A run lets the server decide.
  returned: when there are any
  type: list
  elements: str
  sample:
    - sealed
declaration:
  description:
    - What a task would have to say to get this bucket, with units.
    - It is accepted back by this module as it is.
    - Empty when the bucket is absent.
    - In check mode, as it would be.
  returned: success
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
    extra_config:
      description: What O(extra_config) changes beside the settings above.
      returned: when it changes something
      type: dict
      sample:
        allow_msg_ttl: true
stream:
  description:
    - The stream of the bucket as the server sent it, with durations in nanoseconds and sizes in bytes, or V(null)
      when it is absent.
    - What is in it is described at RV(nats.jetstream.jetstream_stream#module:stream).
    - In check mode, as it is before the change.
  returned: success
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
      sample: storage
    current:
      description: Its value on the server.
      returned: always
      type: raw
      sample: file
    wanted:
      description: The value that the task asks for.
      returned: always
      type: raw
      sample: memory
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
recovery:
  description: The configurations of the stream and all its consumers from before a recreate or migration, as the
    server sent them.
  returned: failure, when a recreate or migration did not come to its end
  type: dict
  contains:
    stream:
      description: The configuration of the stream.
      returned: always
      type: dict
      sample:
        name: ORDERS
        subjects:
          - orders.>
    consumers:
      description: The configurations of its consumers.
      returned: always
      type: list
      elements: dict
      sample:
        - name: billing
          durable_name: billing
          ack_policy: explicit
    path:
      description: Where the snapshot of the stream is, when a migration failed and could not be undone.
      returned: when there is one
      type: str
      sample: /var/tmp/nats/ORDERS-4f1e2d3c4b5a/old
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
  sample: STREAM.CREATE.ORDERS
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
from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket import OBJECT_BUCKET


def main() -> None:
    run_asset(OBJECT_BUCKET)


if __name__ == "__main__":
    main()
