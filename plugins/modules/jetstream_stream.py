#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_stream
short_description: Manage a JetStream stream
version_added: 1.0.0
description:
  - Creates, changes, or deletes one stream of NATS JetStream.
  - A task declares what the stream should be. The module compares that with what the server has, sends
    nothing when both mean the same, and otherwise sends one update that keeps every setting the task does
    not mention.
  - An option that is not mentioned, or is V(null), leaves its setting as it is. An empty list,
    dictionary, or text clears a setting that is one. Any setting returns to the server's default with O(reset).
  - The names of the settings are those of the server's own configuration. Values are written for people, such
    as V(30d) or V(1GiB), and compared by what they mean.
  - An update that the server cannot do in place fails and lists the settings in question, unless O(recreate)
    allows the stream to be deleted and created again.
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
      - Of a migration, RV(migration) says what is moved and for how many seconds publishers will be without the stream,
        RV(would_lose) what the new settings remove, and warnings what else will not be as it was.
      - Predicted as failures are settings that the server is too old for, changes that need a recreate,
        malformed or overlapping subjects, settings that exclude each other, and several replicas without a
        cluster. Whether another stream already has a subject is looked up, unless the user may not list
        streams.
      - Limits of the account or the server, and whether a placement can be satisfied, are the server's to judge
        and are not predicted.
  diff_mode:
    support: full
    details:
      - Shows the declaration of the stream before and after, as YAML.
  idempotent:
    support: full
options:
  name:
    description:
      - The name of the stream, from 1 to 255 characters without white space and without any of
        V(.), V(*), V(>), V(/), and V(\\).
      - A stream cannot be renamed. Another name is another stream.
    type: str
    required: true
  description:
    description:
      - A text for people, at most 4096 bytes.
      - An empty string clears it. Can be changed in place.
    type: str
  subjects:
    description:
      - The subjects whose messages the stream stores. The wildcards V(*) and V(>) are allowed.
      - The server's default is the name of the stream as the only subject, and no subject for a stream that has
        a O(mirror) or O(sources). An empty list stands for that default.
      - The order means nothing. No two subjects may overlap, neither in the list nor with those of another
        stream.
      - Can be changed in place. Messages that are stored under a subject which is taken away stay in the stream.
    type: list
    elements: str
  retention:
    description:
      - When messages are removed.
      - With V(limits), the server's default, they stay until a limit removes them. With V(interest), they go when
        every consumer that wants them has acknowledged them. With V(workqueue), they go when one consumer has
        acknowledged them.
      - Can be changed in place between V(limits) and V(interest), from nats-server 2.10 on. Other changes, and
        older servers, need O(recreate).
      - A change from V(limits) to V(interest) removes the messages that no consumer waits for. Without any
        consumer these are all messages, which needs O(data_loss=allow).
    type: str
    choices: [limits, interest, workqueue]
  storage:
    description:
      - Where messages are kept. The server's default is V(file).
      - With V(memory), they do not survive a restart of all servers that hold the stream.
      - Cannot be changed in place. A change needs O(recreate).
    type: str
    choices: [file, memory]
  num_replicas:
    description:
      - On how many servers of the cluster the stream is kept, from V(1) to V(5). The server's default is V(1).
      - An odd number is best, because a stream works as long as more than half of its replicas do.
      - Can be changed in place in a cluster, where messages are copied in the background. See O(wait).
      - More than one replica is refused on a server without a cluster. Servers of 2.9 and 2.10 would accept the
        change and lose the stream at their next start.
    type: int
    aliases: [replicas]
  max_msgs:
    description:
      - How many messages the stream holds at most. The server's default is V(-1), which is unlimited, as is V(0).
      - Can be changed in place. A lower number deletes the oldest messages at once, except that with
        O(discard=new) servers from nats-server 2.10 on keep what is stored.
    type: int
  max_msgs_per_subject:
    description:
      - How many messages the stream holds at most for each subject. The server's default is V(-1), which is
        unlimited, as is V(0).
      - Can be changed in place. A lower number deletes the oldest messages of each subject.
    type: int
  max_bytes:
    description:
      - How much storage the messages may take, as a size such as V(10GiB), or a number of bytes. Units are powers
        of 1024 in every spelling.
      - The server's default is V(unlimited), which can be written as V(-1) or V(0), too. An account can be set up
        to refuse streams without a limit.
      - Can be changed in place. A lower size deletes the oldest messages at once, except that with
        O(discard=new) servers from nats-server 2.10 on keep what is stored.
    type: str
  max_age:
    description:
      - How long messages are kept, as a duration such as V(30d), V(12h), or V(1h30m). A bare number is seconds.
      - The server's default is V(0s), which is unlimited. The shortest duration is V(100ms).
      - Can be changed in place. A shorter duration deletes older messages at once, and lowers a longer
        O(duplicate_window) unless the task mentions that as well.
      - Has no effect on a stream that is O(sealed).
    type: str
  max_msg_size:
    description:
      - How large a message may be, headers included, as a size such as V(1MiB), or a number of bytes.
      - The server's default is V(unlimited), which can be written as V(-1) or V(0), too. The largest limit is
        V(2147483647) bytes. The server's own C(max_payload) holds in any case.
      - Can be changed in place. Stored messages that are larger stay.
    type: str
  max_consumers:
    description:
      - How many consumers the stream may have. The server's default is V(-1), which is unlimited, as is V(0).
      - Newer servers have a limit of their own for streams that set none, 1000 on nats-server 2.15. Set a number
        to have more. An account can have a limit, too, which holds for each of its streams.
      - Can be changed in place from nats-server 2.12.5 on. On older servers a change needs O(recreate).
        Existing consumers stay when the number is lowered.
    type: int
  discard:
    description:
      - What to do when a limit is reached. With V(old), the server's default, the oldest messages are deleted.
        With V(new), new messages are refused.
      - Can be changed in place. A stream that is O(sealed) always has V(new).
    type: str
    choices: [old, new]
  discard_new_per_subject:
    description:
      - Whether new messages are also refused when O(max_msgs_per_subject) is reached for their subject.
      - Needs O(discard=new) and O(max_msgs_per_subject) of 1 or more.
      - The server's default is V(false). Can be changed in place.
      - Needs nats-server 2.9.1 or newer.
    type: bool
  duplicate_window:
    description:
      - For how long the server remembers message identifiers to drop duplicates, as a duration such as V(2m).
      - The shortest duration is V(100ms), and with O(max_age) it cannot be longer than that.
      - The server's default is V(2m), or O(max_age) if that is shorter, or the server's own limit. For a stream
        with O(mirror) it is V(0s), and from nats-server 2.14 on for a stream with O(sources), too. V(0s) stands
        for the default.
      - Can be changed in place. A stored duration that is not longer than the default counts as the default, which
        a limit of the server can lower, so that O(reset) and V(0s) leave it as it is.
    type: str
  no_ack:
    description:
      - Whether the stream stores messages without acknowledging them to their publishers.
      - Needed for a stream that captures the subjects of the JetStream API itself, which is possible from
        nats-server 2.10 on.
      - The server's default is V(false). Can be changed in place.
    type: bool
  compression:
    description:
      - How stored messages are compressed. The server's default is V(none).
      - Can be changed in place.
      - Needs nats-server 2.10 or newer.
    type: str
    choices: [none, s2]
  first_seq:
    description:
      - The sequence of the first message that the stream stores.
      - Has an effect only when the stream is created. It is not compared with an existing stream.
      - Needs nats-server 2.10 or newer.
    type: int
  placement:
    description:
      - On which servers of a cluster the stream is kept.
      - Replaced as a whole. An empty dictionary clears it.
      - Can be changed in place. In a cluster the stream moves in the background, see O(wait). A change together
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
          - Meant for elections of a leader. Servers refuse it in the configuration of a stream, and nothing is
            gained by setting it.
          - Needs nats-server 2.11 or newer.
        type: str
  mirror:
    description:
      - Makes the stream a copy of another one, its origin. Messages keep their sequences and times.
      - A mirror has no O(subjects) of its own, nor O(sources), O(first_seq), O(allow_atomic), or
        O(subject_delete_marker_ttl).
      - The origin need not exist yet. If it does not, a warning says so.
      - Can be changed in place only by removing it, from nats-server 2.12 on. Write O(reset=mirror) for that,
        together with the O(subjects) that the stream should then have. It cannot be taken back by an update.
        Other changes need O(recreate).
      - Compared by what it means. The same instant in another time zone is no change.
    type: dict
    suboptions:
      name:
        description:
          - The name of the origin.
        type: str
        required: true
      opt_start_seq:
        description:
          - The sequence of the origin to begin with. The default is its first one.
        type: int
      opt_start_time:
        description:
          - The time to begin with, as RFC 3339, such as V(2030-01-31T12:00:00Z). Up to nine digits of a
            second's fraction count.
          - Compared as an instant.
        type: str
      filter_subject:
        description:
          - Only messages of this subject are copied. Wildcards are allowed.
          - Excludes O(mirror.subject_transforms).
        type: str
      subject_transforms:
        description:
          - Rules that select messages by subject and store them under another one.
          - Excludes O(mirror.filter_subject).
          - Needs nats-server 2.10 or newer.
        type: list
        elements: dict
        suboptions:
          src:
            description:
              - The subject to select. Wildcards are allowed. The default is all messages.
            type: str
          dest:
            description:
              - The subject to store the messages under, such as V(archive.{{wildcard(1\)}}).
            type: str
            required: true
      external:
        description:
          - Where the origin is when it belongs to another JetStream domain or account.
        type: dict
        suboptions:
          api:
            description:
              - The prefix of the origin's JetStream API, such as V($JS.hub.API).
            type: str
            required: true
          deliver:
            description:
              - The prefix of the subjects on which its messages are delivered.
            type: str
      consumer:
        description:
          - An existing durable consumer of the origin through which messages are copied, in place of one that
            the server makes by itself.
          - Needs nats-server 2.14 or newer.
        type: dict
        suboptions:
          name:
            description:
              - The name of the consumer.
            type: str
            required: true
          deliver_subject:
            description:
              - The subject to which the consumer delivers, without wildcards.
            type: str
            required: true
  mirror_direct:
    description:
      - Whether the mirror answers direct gets for its origin.
      - Only a mirror with O(mirror.external) takes it. Where the server sees the origin, it takes over the
        origin's O(allow_direct), and the option has no effect.
      - The server's default is V(false). Can be changed in place.
    type: bool
  sources:
    description:
      - Streams from which messages are copied into this one.
      - The order means nothing. An empty list clears it, and the stream cannot source itself.
      - An origin need not exist yet. If it does not, a warning says so.
      - Can be changed in place. Messages that were copied from a source that is taken away stay.
      - Compared by what it means. The same instant in another time zone is no change.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The name of the origin.
        type: str
        required: true
      opt_start_seq:
        description:
          - The sequence of the origin to begin with. The default is its first one.
        type: int
      opt_start_time:
        description:
          - The time to begin with, as RFC 3339, such as V(2030-01-31T12:00:00Z). Up to nine digits of a
            second's fraction count.
          - Compared as an instant.
        type: str
      filter_subject:
        description:
          - Only messages of this subject are copied. Wildcards are allowed.
          - Excludes O(sources[].subject_transforms).
        type: str
      subject_transforms:
        description:
          - Rules that select messages by subject and store them under another one.
          - Excludes O(sources[].filter_subject).
          - Needs nats-server 2.10 or newer.
        type: list
        elements: dict
        suboptions:
          src:
            description:
              - The subject to select. Wildcards are allowed. The default is all messages.
            type: str
          dest:
            description:
              - The subject to store the messages under, such as V(archive.{{wildcard(1\)}}).
            type: str
            required: true
      external:
        description:
          - Where the origin is when it belongs to another JetStream domain or account.
        type: dict
        suboptions:
          api:
            description:
              - The prefix of the origin's JetStream API, such as V($JS.hub.API).
            type: str
            required: true
          deliver:
            description:
              - The prefix of the subjects on which its messages are delivered.
            type: str
      consumer:
        description:
          - An existing durable consumer of the origin through which messages are copied, in place of one that
            the server makes by itself.
          - Needs nats-server 2.14 or newer.
        type: dict
        suboptions:
          name:
            description:
              - The name of the consumer.
            type: str
            required: true
          deliver_subject:
            description:
              - The subject to which the consumer delivers, without wildcards.
            type: str
            required: true
  subject_transform:
    description:
      - A rule that changes the subjects of messages before they are stored.
      - Replaced as a whole. It is removed with O(reset=subject_transform). Can be changed in place.
      - Needs nats-server 2.10 or newer.
    type: dict
    suboptions:
      src:
        description:
          - The subject of the messages to change. Wildcards are allowed. The default is all messages.
        type: str
      dest:
        description:
          - The subject to store them under, such as V(orders.{{wildcard(1\)}}).
        type: str
        required: true
  republish:
    description:
      - A rule by which stored messages are published again, for plain subscribers.
      - Replaced as a whole. It is removed with O(reset=republish).
      - Can be changed in place from nats-server 2.10 on. On older servers a change needs O(recreate).
    type: dict
    suboptions:
      src:
        description:
          - The subject of the messages to publish again. Wildcards are allowed. The default is V(>), all messages.
        type: str
      dest:
        description:
          - The subject to publish them under. It must not overlap the stream's O(subjects).
        type: str
        required: true
      headers_only:
        description:
          - Whether only the headers are published. The default is V(false).
        type: bool
  allow_direct:
    description:
      - Whether every replica answers requests for single messages, not only the leader.
      - The server's default is V(false). Can be changed in place.
    type: bool
  allow_rollup_hdrs:
    description:
      - Whether a message may replace all earlier ones of its subject, or of the stream, by a header.
      - Excludes O(deny_purge). O(subject_delete_marker_ttl) and O(allow_msg_schedules) switch it on.
      - The server's default is V(false). Can be changed in place.
    type: bool
  deny_delete:
    description:
      - Whether single messages are protected against deletion through the API.
      - Can be changed in place only to V(true). A change back to V(false), the server's default, needs
        O(recreate).
    type: bool
  deny_purge:
    description:
      - Whether the stream is protected against purges.
      - Excludes O(allow_rollup_hdrs), O(subject_delete_marker_ttl), and O(allow_msg_schedules).
      - Can be changed in place only to V(true). A change back to V(false), the server's default, needs
        O(recreate).
    type: bool
  sealed:
    description:
      - Whether the stream is closed. No message is added or deleted any more, not even by age.
      - Sealing also sets O(discard=new), O(deny_delete=true), and O(deny_purge=true), and takes away O(max_age)
        and O(allow_rollup_hdrs).
      - A stream cannot be created sealed.
      - Can be changed in place only to V(true). A change back to V(false), the server's default, needs
        O(recreate).
    type: bool
  consumer_limits:
    description:
      - Limits for the consumers of the stream, which are also the defaults of those that set nothing themselves.
      - Replaced as a whole. An empty dictionary clears it.
      - Can be changed in place. The server refuses limits that an existing consumer exceeds.
      - Needs nats-server 2.10 or newer.
    type: dict
    suboptions:
      inactive_threshold:
        description:
          - After how long without a client a consumer is deleted, as a duration such as V(1h). The default is
            V(0s), no limit.
          - It also applies to durable consumers that set no threshold themselves.
        type: str
      max_ack_pending:
        description:
          - How many messages a consumer may have delivered without an acknowledgement. The default is V(0), no
            limit, and the lowest number is V(-1).
        type: int
  allow_msg_ttl:
    description:
      - Whether a message may bring its own time to live in a header.
      - O(subject_delete_marker_ttl) switches it on.
      - Can be changed in place only to V(true). A change back to V(false), the server's default, needs
        O(recreate).
      - Needs nats-server 2.11 or newer.
    type: bool
  subject_delete_marker_ttl:
    description:
      - For how long a marker stays in place of the last message of a subject when the server removes that by
        age, as a duration such as V(1h).
      - The shortest duration is V(1s). The server's default is V(0s), no markers.
      - Switches O(allow_msg_ttl) and O(allow_rollup_hdrs) on. Excludes O(deny_purge) and O(mirror).
      - Can be changed in place.
      - Needs nats-server 2.11 or newer.
    type: str
  allow_msg_counter:
    description:
      - Whether the stream counts. Each subject then holds a number, and messages add to it.
      - Needs O(retention=limits), and excludes O(discard=new), O(allow_msg_ttl), and O(mirror).
      - Cannot be changed in place. A change needs O(recreate). The server's default is V(false).
      - Needs nats-server 2.12 or newer.
    type: bool
  allow_atomic:
    description:
      - Whether publishers may store several messages at once, all of them or none.
      - The server's default is V(false). Can be changed in place.
      - Needs nats-server 2.12 or newer.
    type: bool
  allow_msg_schedules:
    description:
      - Whether a message may ask in a header to be published later.
      - Switches O(allow_rollup_hdrs) on, and excludes O(deny_purge). Servers of 2.15 also refuse it together with
        O(discard=new).
      - Can be changed in place only to V(true). A change back to V(false), the server's default, needs
        O(recreate).
      - Needs nats-server 2.12 or newer.
    type: bool
  persist_mode:
    description:
      - When a message counts as stored. With V(default), which is also the server's default, the server writes it
        before it acknowledges it. With V(async), it may acknowledge first.
      - V(async) needs O(storage=file), one replica, and no O(allow_atomic).
      - Cannot be changed in place. A change needs O(recreate).
      - Needs nats-server 2.12 or newer.
    type: str
    choices: [default, async]
  allow_batched:
    description:
      - Whether publishers may send messages in fast batches, which are acknowledged together.
      - The server's default is V(false). Can be changed in place.
      - Needs nats-server 2.14 or newer.
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
      - Whether the stream is there. With V(absent), it is deleted with all its messages and consumers, and the
        options that describe it are not compared.
    type: str
    choices: [present, absent]
    default: present
  update:
    description:
      - What happens to the settings that the task does not mention.
      - With V(merge), they stay as they are.
      - With V(replace), they return to the server's default, as far as an update can do that in place. What only
        a recreate could change stays, and so do settings that only go one way, such as O(deny_delete), and what
        the server itself keeps in O(metadata).
    type: str
    choices: [merge, replace]
    default: merge
  reset:
    description:
      - The names of settings that return to the server's default, such as V(max_age). V(mirror) turns a mirror
        into a stream of its own.
      - A setting cannot be both set and reset.
    type: list
    elements: str
    default: []
  recreate:
    description:
      - Whether the stream may be deleted and created again when an option that the task mentions, or resets,
        cannot be changed in place.
      - With V(never), the task fails and lists the option, its current and its wanted value in RV(immutable).
      - With V(migrate), a snapshot of the stream is restored with the new settings, so that its messages, their
        sequences, its consumers, and their places stay. Publishers get an error for that time, of which
        RV(migration.downtime) is an estimate, and never an acknowledgement that is lost. See
        R(the guide,ansible_collections.nats.jetstream.docsite.guide_backups).
      - What is restored is compared with what was there before. If anything fails, the old stream is restored
        from the same snapshot. What the new settings themselves remove is counted in RV(would_lose).
      - It is refused, with the reason, where the server cannot do it. Servers before 2.15 make no snapshot of a stream
        in memory and restore none into memory. A mirror of another stream has that stream's messages.
      - Three things need O(data_loss=allow), and the task names the streams that they concern. From nats-server 2.11
        on, streams that source this one copy all its messages again. Streams that mirror or source it take
        messages away from it once it is a work queue. They may have got more than what is restored when a mirror
        becomes a stream of its own while its origin goes on storing.
      - Refused are also consumers that a snapshot may be without, which are those with fewer replicas than the stream,
        and a stream for which the disk of O(migrate_path) or, in its new storage or tier, the account has no room.
      - From nats-server 2.15 on, a restored stream does not know which C(Nats-Msg-Id) it has stored before. So that
        nothing is stored twice, the stream first takes no new messages, and still answers to those that are repeated,
        until O(duplicate_window) is over for the last one. RV(migration.wait) says how long that takes, which is
        nothing when nobody has published for that long.
      - A wait of more than five minutes is refused, and so is any wait for a counter or a stream with schedules, which
        cannot refuse messages in this way. Stop publishing for so long, lower O(duplicate_window) before, or
        accept with O(data_loss=allow) that a publisher whose acknowledgement was lost stores its message twice when
        it tries again. Only then a migration that cannot wait does not.
      - With V(if_empty), a stream that holds no message is recreated, and any other fails the task. Nothing is
        purged.
      - With V(always), a stream is recreated with the loss of its messages. Its subjects are taken away first,
        so that publishers get an error in place of an acknowledgement for a message that is deleted next.
      - Its consumers are created again with their configurations, and begin as new ones. Before anything is
        deleted, the module checks that the new stream can take every one of them and that the user may send all
        the requests that are needed. If the server refuses the new stream, the old one is created again, without
        its messages.
      - From nats-server 2.10 on the new stream goes on with the next sequence, so that streams which mirror or
        source it go on as well. For older servers a warning names the streams that miss messages.
    type: str
    choices: [never, migrate, if_empty, always]
    default: never
  migrate_path:
    description:
      - The directory on the managed host for the snapshot that O(recreate=migrate) takes. It needs as
        much room as the stream has.
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
      - A file on the managed host, to which a recreate writes the configurations of the stream and of all its
        consumers, as JSON, before it deletes anything. Only its owner can read it.
      - An existing file is overwritten. If it cannot be written, nothing is deleted and the task fails.
    type: path
  data_loss:
    description:
      - What to do when the plan deletes messages or consumers. RV(would_lose) tells how many in any case.
      - With V(warn), a change that says so plainly, such as a lower O(max_msgs), goes through with a warning,
        and a deletion or recreate that was asked for goes through. A loss that the setting does not plainly say,
        such as O(retention=interest) for a stream without consumers, fails the task.
      - With V(forbid), every loss fails the task, deletions included.
      - With V(allow), every loss goes through.
    type: str
    choices: [warn, forbid, allow]
    default: warn
  wait:
    description:
      - Whether to wait, after a change in a cluster, until the stream has a leader and all its replicas are
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
  - module: nats.jetstream.jetstream_stream_info
  - module: nats.jetstream.jetstream_consumer
  - module: nats.jetstream.jetstream_purge
  - module: nats.jetstream.jetstream_environment
  - module: nats.jetstream.jetstream_backup
  - ref: ansible_collections.nats.jetstream.docsite.guide_idempotency
    description: What a change does, what check mode foretells, and what a recreate loses.
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
  - name: Streams in the NATS documentation
    description: What streams are and what their settings do.
    link: https://docs.nats.io/nats-concepts/jetstream/streams
"""

EXAMPLES = r"""
---
- name: Create a stream with limits
  nats.jetstream.jetstream_stream:
    name: ORDERS
    description: Orders of the shop
    subjects:
      - orders.>
    max_age: 30d
    max_bytes: 10GiB
    max_msg_size: 1MiB
    max_msgs_per_subject: 1000
    duplicate_window: 5m
    metadata:
      team: shop

- name: Change one setting, and leave all others as they are
  nats.jetstream.jetstream_stream:
    name: ORDERS
    max_age: 90d

- name: Return single settings to the server's default
  nats.jetstream.jetstream_stream:
    name: ORDERS
    reset:
      - max_bytes
      - duplicate_window

- name: Make the task the whole truth, so that what it does not mention returns to the default
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>
      - returns.>
    max_age: 90d
    allow_direct: true
    update: replace

- name: Create a stream that refuses new messages when it is full
  nats.jetstream.jetstream_stream:
    name: JOBS
    subjects:
      - jobs.*
    retention: workqueue
    discard: new
    max_msgs: 100000

- name: Create a mirror, with messages from a point in time on
  nats.jetstream.jetstream_stream:
    name: ORDERS_COPY
    mirror:
      name: ORDERS
      opt_start_time: "2030-01-01T00:00:00Z"

- name: Turn the mirror into a stream of its own (nats-server 2.12 or newer)
  nats.jetstream.jetstream_stream:
    name: ORDERS_COPY
    reset:
      - mirror
    subjects:
      - copies.>

- name: Collect messages of several streams, one of them under other subjects
  nats.jetstream.jetstream_stream:
    name: ARCHIVE
    sources:
      - name: ORDERS
        subject_transforms:
          - src: orders.*
            dest: !unsafe archive.orders.{{wildcard(1)}}
      - name: ORDERS_COPY
        filter_subject: copies.done
    compression: s2
    deny_delete: true

- name: Publish stored messages again, for plain subscribers
  nats.jetstream.jetstream_stream:
    name: ORDERS
    republish:
      src: orders.>
      dest: stored.orders.>
      headers_only: true

- name: Keep a stream on servers with a tag (in a cluster, with num_replicas as well)
  nats.jetstream.jetstream_stream:
    name: ARCHIVE
    placement:
      tags:
        - ssd

- name: Let messages bring their own time to live, and mark what expired (nats-server 2.11 or newer)
  nats.jetstream.jetstream_stream:
    name: SESSIONS
    subjects:
      - sessions.*
    max_msgs_per_subject: 1
    allow_msg_ttl: true
    subject_delete_marker_ttl: 1h

- name: Move a stream to memory, which takes a recreate, as long as it holds no message
  nats.jetstream.jetstream_stream:
    name: SESSIONS
    storage: memory
    recreate: if_empty
    recovery_path: "{{ playbook_dir }}/SESSIONS.json"

- name: Refuse a change that would delete messages
  nats.jetstream.jetstream_stream:
    name: ORDERS
    max_msgs: 1000000
    data_loss: forbid

- name: See what a change would do, without doing it
  nats.jetstream.jetstream_stream:
    name: ORDERS
    max_age: 7d
  check_mode: true
  diff: true
  register: planned

- name: Stop when it would delete more than a few messages
  ansible.builtin.assert:
    that:
      - planned.would_lose is not defined or planned.would_lose.messages_at_most < 100
    fail_msg: "{{ planned.would_lose.reasons | default([]) | join(', ') }}"

- name: Name the server once, for all modules of the collection
  module_defaults:
    group/nats.jetstream.jetstream:
      servers: "{{ nats_servers | default(['nats://127.0.0.1:4222']) }}"
      timeout: 10s
  block:
    - name: Create a stream with all defaults, whose subject is its name
      nats.jetstream.jetstream_stream:
        name: EVENTS
      register: events

    - name: Create another one that keeps its messages as long
      nats.jetstream.jetstream_stream:
        name: EVENTS_OF_PARTNERS
        max_age: "{{ events.declaration.max_age | default('0s') }}"

- name: Delete a stream, if it holds no messages and has no consumers
  nats.jetstream.jetstream_stream:
    name: JOBS
    state: absent
    data_loss: forbid
"""

RETURN = r"""
---
action:
  description:
    - What is done to the stream, one of V(none), V(create), V(update), V(recreate),
      V(migrate), and V(delete).
    - In check mode, what would be done.
  returned: success
  type: str
  sample: update
changes:
  description:
    - Every setting that changes, what follows from others included.
    - For a new stream, every setting that is not at the server's default.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: The name of the setting.
      returned: always
      type: str
      sample: max_age
    before:
      description: Its value before, or V(null) for a new stream.
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
      description: How many consumers are deleted with the stream.
      returned: always
      type: int
      sample: 2
    reasons:
      description: What deletes something.
      returned: always
      type: list
      elements: str
      sample:
        - max_msgs 1000 deletes the oldest
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
        - For how many seconds of these the stream first waits, until the server has forgotten by itself which
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
    - max_consumers
declaration:
  description:
    - What a task would have to say to get this stream, with units.
    - It is accepted back by this module as it is.
    - Empty when the stream is absent.
    - In check mode, as it would be.
  returned: success
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
          description: How many messages a consumer may have delivered without an acknowledgement.
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
    extra_config:
      description: What O(extra_config) changes beside the settings above.
      returned: when it changes something
      type: dict
      sample:
        new_setting: true
stream:
  description:
    - The stream as the server sent it, with durations in nanoseconds and sizes in bytes, or V(null)
      when it is absent.
    - In check mode, as it is before the change.
  returned: success
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
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM


def main() -> None:
    run_asset(STREAM)


if __name__ == "__main__":
    main()
