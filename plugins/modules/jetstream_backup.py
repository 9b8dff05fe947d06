#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_backup
short_description: Back JetStream streams up to files
version_added: 1.0.0
description:
  - Writes streams of NATS JetStream, with their messages, consumers, and the consumers' places, to a directory on the
    managed host.
  - Each stream gets a directory of its name with the files C(backup.json) and C(stream.arc.s2), or C(stream.tar.s2)
    from servers before 2.15. The C(nats) command reads and writes the same files. A third file,
    C(manifest.json), holds the checksum of the archive and what the stream looked like.
  - A backup is written beside the one before and takes its place when it is whole. Of a backup that fails, nothing
    stays. The directories have mode 0700 and the files 0600, because they hold all messages.
  - Publishers and consumers may go on meanwhile. A backup holds what a stream had at one moment.
  - The memory this takes does not depend on the size of the streams.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Says which streams would be backed up. What only a backup can tell, as its size, is V(null) then.
      - A stream of O(streams) that does not exist is a warning in check mode, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows how many messages the newest backup of each stream holds before and after, and their sequences.
  idempotent:
    support: full
    details:
      - A second run takes no backup of a stream that did not change, unless O(only_if_changed=false).
options:
  path:
    description:
      - The directory on the managed host, with one directory per stream in it. It is created if needed.
    type: path
    required: true
  streams:
    description:
      - The names of the streams, or patterns such as V(ORDERS-*) for them.
      - Without O(streams), O(kv_buckets) and O(object_buckets), the whole account is backed up.
      - A name without a stream fails the task. A pattern may match nothing.
      - A stream is offline when no server that has it answers for as long as O(retry_for). Named here, it fails the
        task once the others are backed up. One that only a pattern matches, or the whole account has, is skipped with a
        warning.
    type: list
    elements: str
  kv_buckets:
    description:
      - The names of key-value buckets, or patterns for them. The directory is that of the stream, as in C(KV_settings).
    type: list
    elements: str
  object_buckets:
    description:
      - The names of object buckets, or patterns for them. The directory is that of the stream, as in C(OBJ_files).
    type: list
    elements: str
  consumers:
    description:
      - Whether consumers and their places are part of the backups.
    type: bool
    default: true
  check:
    description:
      - Lets the server check the stored messages of each stream before it sends them. That may take long.
    type: bool
    default: false
  chunk_size:
    description:
      - In which pieces the server sends a stream, V(1KiB) to V(1MiB).
    type: str
    default: 512KiB
  window_size:
    description:
      - How much the server may send before it waits for an acknowledgement, at most V(32MiB). The server's default is
        V(8MiB). So much memory is used for each stream that is under way.
      - Needs nats-server 2.12.5 or newer.
    type: str
  keep:
    description:
      - How many backups of each stream to keep, the new one included.
      - Older ones are in the directory C(previous) of the stream, each in a directory named by the time it was taken.
        Those beyond this number are deleted.
    type: int
    default: 1
  only_if_changed:
    description:
      - Backs a stream up only if its configuration, its messages, or its consumers are not those of the last backup.
        Nothing is read of the others.
      - With V(false), every run takes a backup.
    type: bool
    default: true
  parallel:
    description:
      - How many streams are backed up at a time.
    type: int
    default: 4
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
notes:
  - The user needs the permission to publish to C($JS.SNAPSHOT.ACK.>) besides that for the JetStream API.
  - Through an account that imports C($JS.API.>) alone no backup is possible, because the acknowledgements do not get
    to the server.
  - An offline stream can only be told from one that is slow by a listing, for which the user needs the permission to
    publish to C($JS.API.STREAM.LIST). Without it, every stream that does not answer fails the task.
  - Servers before 2.15 make no snapshots of streams in memory, which are skipped with a warning, and leave out
    consumers that keep their state in memory, which RV(streams[].left_out) names.
seealso:
  - module: nats.jetstream.jetstream_restore
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_environment_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_backups
    description: Backups, restores, and migrations, with what they keep.
"""

EXAMPLES = r"""
---
- name: Create the stream that is backed up below
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>

- name: Back one stream up
  nats.jetstream.jetstream_backup:
    path: /tmp/nats-jetstream-examples/orders
    streams:
      - ORDERS

- name: Back the whole account up, and keep the last seven backups of each stream that differ
  nats.jetstream.jetstream_backup:
    path: /tmp/nats-jetstream-examples/account
    keep: 7
  register: backup

- name: Say what was written
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.action }}, {{ item.messages }} messages in {{ item.path }}"
  loop: "{{ backup.streams }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
---
streams:
  description: The streams that were asked for.
  returned: success, and when streams could not be backed up
  type: list
  elements: dict
  contains:
    name:
      description: The name of the stream.
      returned: always
      type: str
      sample: ORDERS
    action:
      description:
        - What was done, or would be in check mode. V(backup) is a new backup, and V(none) means that the last one
          is still right.
        - V(skipped) and V(failed) come with RV(streams[].reason). The last backup of such a stream stays.
      returned: always
      type: str
      sample: backup
    path:
      description: The directory of the backup.
      returned: always
      type: str
      sample: /var/backups/nats/ORDERS
    messages:
      description: How many messages the backup holds. In check mode, how many the stream has.
      returned: always
      type: int
      sample: 1200
    consumers:
      description: How many consumers the backup holds.
      returned: always
      type: int
      sample: 2
    bytes:
      description: The size of the archive in bytes.
      returned: always
      type: int
      sample: 1048576
    sha256:
      description: The SHA-256 of the archive.
      returned: always
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    duration:
      description: How many seconds the backup took.
      returned: always
      type: float
      sample: 0.412
    left_out:
      description: The consumers that the server did not put into the backup.
      returned: always
      type: list
      elements: dict
      contains:
        consumer:
          description: The name of the consumer.
          returned: always
          type: str
          sample: billing
        reason:
          description: Why it is missing.
          returned: always
          type: str
          sample: its state is in memory, and nats-server 2.15 was the first to save that
    reason:
      description: Why the stream was skipped or could not be backed up.
      returned: always
      type: str
      sample: this server makes no snapshots of streams in memory, nats-server 2.15 does
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
      sample: chunk_size
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
  sample: STREAM.SNAPSHOT.ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils import _backup, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import is_glob
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._snapshot import Request

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    **{name: {"type": "list", "elements": "str"} for name in _backup.PREFIXES},
    "consumers": {"type": "bool", "default": True},
    "check": {"type": "bool", "default": False},
    "chunk_size": {"type": "str", "default": "512KiB"},
    "window_size": {"type": "str"},
    "keep": {"type": "int", "default": 1},
    "only_if_changed": {"type": "bool", "default": True},
    "parallel": {"type": "int", "default": 4},
}
LARGEST_WINDOW = 32 * 1024 * 1024


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    for option in _backup.PREFIXES:
        for index, name in enumerate(params[option] or ()):
            text = "" if is_glob(name) else _subjects.name_problem(name)
            if text:
                inputs.problems.append(Problem(f"{option}[{index}]", text))
    inputs.size(params, "chunk_size", 1024, 1024 * 1024)
    inputs.size(params, "window_size", 1024, LARGEST_WINDOW)
    for option in ("keep", "parallel"):
        if params[option] < 1:
            inputs.problems.append(Problem(option, f"{params[option]} is less than 1"))


async def backup(session: Session) -> dict[str, Any]:
    params, size = session.params, Inputs().size
    request = Request(
        params["consumers"],
        params["check"],
        size(params, "chunk_size") or 0,
        size(params, "window_size"),
    )
    wanted = _backup.wanted(params)
    options = _backup.Options(
        params["path"],
        request,
        params["keep"],
        params["only_if_changed"],
        params["parallel"],
        session.check_mode,
        frozenset(name for name in wanted if not is_glob(name)),
    )
    names, missing, silent = await _backup.chosen(session.manager, wanted)
    if missing and not session.check_mode:
        raise ApiError("STREAM.INFO", 404, 10059, f"no stream {', '.join(missing)}")
    for name in missing:
        session.module.warn(f"the stream {name} does not exist yet; an earlier task has to make it")
    rows = await _backup.back_up(session.manager, names, options, silent)
    for text in _backup.warnings(rows):
        session.module.warn(text)
    before, after = _backup.pictures(rows)
    changed = bool(missing) or any(row["action"] == "backup" for row in rows)
    result: dict[str, Any] = {"changed": changed, "streams": rows}
    if session.module._diff:
        from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

        header = f"backups in {params['path']}"
        result["diff"] = {"before": to_yaml(before), "after": to_yaml(after)}
        result["diff"].update(before_header=header, after_header=header)
    return result


def main() -> None:
    run(ARGUMENT_SPEC, backup, validate)


if __name__ == "__main__":
    main()
