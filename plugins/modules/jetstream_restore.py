#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_restore
short_description: Restore JetStream streams from files
version_added: 1.0.0
description:
  - Makes streams of NATS JetStream from backups of M(nats.jetstream.jetstream_backup) or of the C(nats) command, with
    their messages, consumers, and the consumers' places.
  - A stream that is there already stays as it is, unless O(replace=true).
  - Before anything is sent, each backup is looked at. Its archive has to be whole, its checksum right where there is a
    C(manifest.json), and nothing may be in it that does not belong there. The server has to be able to read it.
  - The restored stream is compared with the backup before anyone can publish to it. When something is wrong or fails,
    nothing stays that was not there before.
  - The memory this takes does not depend on the size of the streams.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Looks at the backups and the streams, and says what would be restored or replaced.
      - A backup that does not exist is a warning in check mode, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows how many messages each stream has before and after, and their sequences.
  idempotent:
    support: full
    details:
      - A second run changes nothing. With O(replace=true) that holds as long as the stream stays what the backup holds.
options:
  path:
    description:
      - The directory of a backup on the managed host, or one that holds several of them.
    type: path
    required: true
  streams:
    description:
      - Restores only these of the backups in O(path). They are names of directories, or patterns for them.
      - Without it, all are restored.
    type: list
    elements: str
  name:
    description:
      - Restores under another name. For one backup only, and only for those of nats-server 2.15 and later.
      - Usually the subjects in O(config) have to change too.
    type: str
  config:
    description:
      - Settings that the restored streams have instead of those in the backup, as options of
        M(nats.jetstream.jetstream_stream). What is not mentioned is as in the backup.
      - This may change what no update can, as O(nats.jetstream.jetstream_stream#module:retention).
      - From a stream in a file, servers before 2.15 restore nothing into one in memory, which is refused.
    type: dict
    default: {}
  replace:
    description:
      - Replaces a stream that is there already and is not what the backup holds.
      - What the stream has is lost. It is kept in a snapshot below O(safety_path) until the restored one was
        compared with the backup, and restored when something fails.
    type: bool
    default: false
  data_loss:
    description:
      - Whether O(replace=true) may delete a stream that has messages.
    type: str
    choices:
      - warn
      - forbid
    default: warn
  safety_path:
    description:
      - The directory on the managed host for the snapshot that O(replace=true) takes.
      - By default, one for the user below the directory for temporary files.
      - A run that was ended leaves its snapshot there. The next run with the same O(safety_path) finds and uses it.
    type: path
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
notes:
  - From nats-server 2.15 on, a restored stream does not know which C(Nats-Msg-Id) it had stored. A publisher that tries
    again what the backup holds already stores it twice. With O(replace=true) the stream becomes another one, so nothing
    is waited for, as O(nats.jetstream.jetstream_stream#module:recreate=migrate) does.
  - The user needs the permission to publish to C($JS.SNAPSHOT.RESTORE.>) besides that for the JetStream API, and with
    O(replace=true) also to C($JS.SNAPSHOT.ACK.>).
  - Through an account that imports C($JS.API.>) alone no restore is possible, because the data does not get to the
    server.
  - Backups of nats-server 2.15 and later cannot be restored by earlier servers.
seealso:
  - module: nats.jetstream.jetstream_backup
  - module: nats.jetstream.jetstream_stream
  - module: nats.jetstream.jetstream_environment_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_backups
    description: Backups, restores, and migrations, with what they keep.
"""

EXAMPLES = r"""
---
- name: Create the stream that is restored below
  nats.jetstream.jetstream_stream:
    name: INVOICES
    subjects:
      - invoices.>

- name: Back it up
  nats.jetstream.jetstream_backup:
    path: /tmp/nats-jetstream-examples/restore
    streams:
      - INVOICES

- name: Lose it
  nats.jetstream.jetstream_stream:
    name: INVOICES
    state: absent

- name: Restore everything that is missing
  nats.jetstream.jetstream_restore:
    path: /tmp/nats-jetstream-examples/restore

- name: Bring one stream back to what the backup holds, under another limit
  nats.jetstream.jetstream_restore:
    path: /tmp/nats-jetstream-examples/restore/INVOICES
    replace: true
    config:
      max_age: 30d
  register: restored

- name: Say what was done
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.action }}, {{ item.messages }} messages"
  loop: "{{ restored.streams }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
---
streams:
  description: The streams of the backups.
  returned: success, and when streams could not be restored
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
        - What was done, or would be in check mode, one of V(restore), V(replace), and V(none).
        - V(failed) comes with RV(streams[].reason).
      returned: always
      type: str
      sample: restore
    path:
      description: The directory of the backup.
      returned: always
      type: str
      sample: /var/backups/nats/ORDERS
    messages:
      description: How many messages the stream has afterwards.
      returned: always
      type: int
      sample: 1200
    consumers:
      description: How many consumers the stream has afterwards.
      returned: always
      type: int
      sample: 2
    bytes:
      description: The size of the archive in bytes.
      returned: always
      type: int
      sample: 1048576
    duration:
      description: How many seconds the restore took.
      returned: always
      type: float
      sample: 0.412
    would_lose:
      description: What is deleted of a stream that is replaced.
      returned: always
      type: dict
      contains: &lost
        messages:
          description: How many messages it has.
          returned: always
          type: int
          sample: 12
        consumers:
          description: How many consumers it has.
          returned: always
          type: int
          sample: 1
    reason:
      description: Why the stream could not be restored.
      returned: always
      type: str
      sample: stream ORDERS was restored and is not what the backup holds
    resumed:
      description:
        - What became of an earlier task that was ended while it replaced the stream.
        - In check mode, what a run would make of it.
      returned: always
      type: str
      sample: "an earlier task that replaced stream ORDERS did not come to its end: it was finished"
would_lose:
  description: What would be deleted of a stream that is replaced.
  returned: failure, when O(data_loss=forbid)
  type: dict
  contains: *lost
recovery:
  description: What there was before, when replacing a stream failed.
  returned: failure, when a stream was to be replaced
  type: dict
  contains:
    stream:
      description: The configuration of the stream, as the server sent it.
      returned: always
      type: dict
      sample: {"name": "ORDERS"}
    consumers:
      description: The configurations of its consumers, as the server sent them.
      returned: always
      type: list
      elements: dict
      sample: [{"name": "billing"}]
    path:
      description: Where its snapshot is, when it could not be restored.
      returned: when there is one
      type: str
      sample: /var/tmp/nats/ORDERS-4f1e2d3c4b5a/old
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
      sample: config.max_age
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
  sample: STREAM.RESTORE.ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils import _restore_task, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._backup_files import BadBackup
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem, Struct
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "streams": {"type": "list", "elements": "str"},
    "name": {"type": "str"},
    "config": {"type": "dict", "default": {}},
    "replace": {"type": "bool", "default": False},
    "data_loss": {"type": "str", "choices": ["warn", "forbid"], "default": "warn"},
    "safety_path": {"type": "path"},
}
CONFIG = Struct(*STREAM.schema.fields)


def validate(params: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    problem = None if params["name"] is None else _subjects.name_problem(params["name"])
    if problem:
        inputs.problems.append(Problem("name", problem))
    CONFIG.wire(params["config"], "config", inputs.problems)
    return STREAM.schema.wire(params["config"], "config", [])


async def restore(session: Session) -> dict[str, Any]:
    params, module = session.params, session.module
    options = _restore_task.Options(
        params["name"],
        session.wanted,
        params["replace"],
        params["data_loss"],
        params["safety_path"],
        session.check_mode,
    )
    try:
        paths = _restore_task.backups_in(params["path"], params["streams"])
    except BadBackup as error:
        if not session.check_mode:
            raise
        module.warn(f"{error} yet; an earlier task has to make it")
        return {"changed": True, "streams": []}
    if options.name and len(paths) > 1:
        raise BadBackup(f"name is for one backup, and {params['path']} holds {len(paths)}")
    rows, warnings = await _restore_task.restore(session.manager, paths, options)
    for text in [*warnings, *(row["resumed"] for row in rows if row["resumed"])]:
        module.warn(text)
    before, after = _restore_task.pictures(rows)
    changed = any(row["action"] != "none" or row["resumed"] for row in rows)
    result: dict[str, Any] = {"changed": changed, "streams": rows}
    if module._diff:
        from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

        header = f"streams of the backups in {params['path']}"
        sides = {"before": to_yaml(before), "after": to_yaml(after)}
        result["diff"] = {**sides, "before_header": header, "after_header": header}
    return result


def main() -> None:
    run(ARGUMENT_SPEC, restore, validate)


if __name__ == "__main__":
    main()
