#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_kv
short_description: Manage entries of a key-value bucket
version_added: 1.0.0
description:
  - Writes, deletes, and purges one entry or many entries of a key-value bucket of NATS JetStream.
  - An entry that has its value already is left alone, whatever its revision. Only differences are written, many at
    a time over one connection, each of them only if the entry still has the revision that was read before.
    When someone else was faster, the task fails and says for which keys.
  - Everything is read and checked before the first write. When a write fails, no further ones are begun, and
    RV(entries) tells what was written and what was not.
  - The entries are those that other clients of NATS read and write, such as C(nats kv).
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Reads the entries as a run does. Revisions that a run would make are V(null).
      - A bucket that does not exist is a warning, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows the values that change. Values that are not UTF-8, or longer than 1024 bytes, are shown as their size
        and SHA-256 digest. Set C(no_log) on the task to show nothing at all.
  idempotent:
    support: full
    details:
      - A second run finds the values equal and writes nothing, unless someone else wrote, or an entry ran out after
        its O(ttl).
options:
  bucket:
    description:
      - The name of the bucket, which has to exist.
      - When it is a mirror, its own content is compared, the writes go to its origin, and the task waits until they
        have arrived in the mirror.
    type: str
    required: true
  key:
    description:
      - The key of one entry. Mutually exclusive with O(entries).
      - A key has letters, digits, and the characters C(- / _ = .). No dot comes first, last, or after another dot.
        Keys that begin with C(_kv) are reserved.
    type: str
  value:
    description:
      - The value as text, which is stored as UTF-8. An empty text is a value.
      - Numbers are stored as they are written. Quote booleans, or use O(json).
      - With O(state=present), one of O(value), O(json), O(base64), and O(src) is required. They exclude each other.
    type: raw
  json:
    description:
      - The value as a structure, which is stored as compact JSON with sorted keys.
      - What is stored is compared by its meaning, so that other spacing or another order of keys is no difference.
    type: raw
  base64:
    description:
      - The value as Base64, for values that are no text.
    type: str
  src:
    description:
      - A file on the managed host whose content is the value.
    type: path
  entries:
    description:
      - Many entries. Mutually exclusive with O(key) and the other options of a single entry.
      - Every key can be there once. All of them are checked before anything is written.
    type: list
    elements: dict
    suboptions:
      key:
        description:
          - The key, as in O(key).
        type: str
        required: true
      value:
        description:
          - The value as text, as in O(value).
        type: raw
      json:
        description:
          - The value as a structure, as in O(json).
        type: raw
      base64:
        description:
          - The value as Base64, as in O(base64).
        type: str
      src:
        description:
          - A file on the managed host whose content is the value.
        type: path
      state:
        description:
          - What the entry should be, if it is something else than O(state) says.
        type: str
        choices: [present, absent, purged]
      ttl:
        description:
          - How long the entry stays, as in O(ttl).
        type: str
      expected_revision:
        description:
          - The revision that the entry should have before it is changed, as in O(expected_revision).
        type: int
  state:
    description:
      - With V(present), the entry has the value.
      - With V(absent), it is deleted, and the values before stay in its history. A key that does not exist,
        or is deleted already, is left as it is, and gets no marker.
      - With V(purged), it is deleted together with its history. Where nothing, or no more than the marker of a
        purge, is left, nothing is done.
      - It applies to all O(entries) that say nothing else.
    type: str
    choices: [present, absent, purged]
    default: present
  ttl:
    description:
      - How long the entry stays, as a duration such as V(1h30m), in whole seconds. With O(state=purged), how long
        the marker stays.
      - It is set when the entry is written. It is not compared, so that it is not counted anew for an equal value.
      - When it is over, the revision before it comes back in a bucket that has a history and no limit_marker_ttl.
        The task warns of that.
      - The bucket has to allow it, which one with limit_marker_ttl does. Needs nats-server 2.11 or newer. Elsewhere
        the task fails, because older servers would keep the entry for ever.
    type: str
  expected_revision:
    description:
      - The revision that the entry must have if it has to be changed. With V(0), it must not exist.
      - A value that is equal already is no failure, whatever its revision.
    type: int
  prune:
    description:
      - With V(listed), the keys that match O(keys) and are not in O(entries) are deleted, as with O(state=absent).
      - That needs at least one entry in O(entries), so that a template that comes out empty removes nothing.
    type: str
    choices: [none, listed]
    default: none
  keys:
    description:
      - Which keys O(prune=listed) may delete, as filters. The wildcard V(*) stands for one token between dots, and
        V(>) at the end for one token or more. V(>) alone stands for all keys.
    type: list
    elements: str
  prune_max:
    description:
      - How many keys O(prune=listed) may delete. When there are more, nothing at all is written, and the task fails.
    type: int
    default: 10
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_kv_info
  - module: nats.jetstream.jetstream_kv_bucket
  - plugin: nats.jetstream.kv
    plugin_type: lookup
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Create the bucket that is written to below
  nats.jetstream.jetstream_kv_bucket:
    name: settings
    history: 5

- name: Set one value
  nats.jetstream.jetstream_kv:
    bucket: settings
    key: shop.currency
    value: EUR

- name: Set many, and remove the ones of the shop that are not here
  nats.jetstream.jetstream_kv:
    bucket: settings
    entries:
      - key: shop.currency
        value: EUR
      - key: shop.limits
        json:
          orders: 500
          retries: 3
      - key: shop.logo
        base64: iVBORw0KGgo=
      - key: shop.motto
        state: absent
    prune: listed
    keys:
      - shop.>

- name: Set what is secret, and show it nowhere
  nats.jetstream.jetstream_kv:
    bucket: settings
    key: payment.token
    value: "{{ vaulted_token | default('not so secret') }}"
  no_log: true

- name: Become the leader, or fail when another host is
  nats.jetstream.jetstream_kv:
    bucket: settings
    key: leader
    value: "{{ inventory_hostname }}"
    expected_revision: 0
  register: leader

- name: Say which revision that is
  ansible.builtin.debug:
    msg: "The revision is {{ leader.entries[0].revision }}"

- name: Remove a value together with its history
  nats.jetstream.jetstream_kv:
    bucket: settings
    key: payment.token
    state: purged
"""

RETURN = r"""
---
entries:
  description:
    - The entries of the task in their order, and then those that are pruned.
    - When a write failed, those that were to be changed.
  returned: success, and failure when a write failed
  type: list
  elements: dict
  contains:
    key:
      description: The key.
      returned: always
      type: str
      sample: shop.currency
    action:
      description: What was done to it, or would be in check mode, one of V(none), V(create), V(update), V(delete),
        and V(purge).
      returned: always
      type: str
      sample: update
    revision:
      description:
        - The revision that the entry has now, which for a deleted one is that of its marker.
        - It is V(null) when there is none, and in check mode when a run would make a new one.
      returned: always
      type: int
      sample: 8
    previous_revision:
      description: The revision that it had before, V(null) when there was none.
      returned: always
      type: int
      sample: 7
    pruned:
      description: Whether it is not in the task, and was deleted because of O(prune).
      returned: always
      type: bool
      sample: false
    written:
      description: Whether it was written, V(null) when that is not known.
      returned: failure
      type: bool
      sample: true
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

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _entries, _kv
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._module import (
    Inputs,
    Session,
    counted,
    run,
)
from ansible_collections.nats.jetstream.plugins.module_utils._payload import payload_spec

STATES = ["present", "absent", "purged"]
SINGLE: dict[str, Any] = {
    **payload_spec(),
    "ttl": {"type": "str"},
    "expected_revision": {"type": "int"},
}
ARGUMENT_SPEC: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "key": {"type": "str", "no_log": False},
    **SINGLE,
    "entries": {
        "type": "list",
        "elements": "dict",
        "options": {
            "key": {"type": "str", "required": True, "no_log": False},
            **SINGLE,
            "state": {"type": "str", "choices": STATES},
        },
    },
    "state": {"type": "str", "choices": STATES, "default": "present"},
    "prune": {"type": "str", "choices": ["none", "listed"], "default": "none"},
    "keys": {"type": "list", "elements": "str", "no_log": False},
    "prune_max": {"type": "int", "default": 10},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> list[_entries.Wanted]:
    problems = inputs.problems
    if params["entries"] is None:
        wanted = [_entries.wanted_entry(params, problems)]
    else:
        wanted = _entries.wanted_entries(params["entries"], problems, params["state"])
    problems += _entries.task_problems(params)
    return wanted


async def work(session: Session) -> dict[str, Any]:
    params, manager, module = session.params, session.manager, session.module
    name = params["bucket"]
    bucket = await _kv.find_bucket(manager, name)
    if bucket is None and not session.check_mode:
        raise JetStreamError(f"the bucket {name} does not exist; create it first")
    if bucket is None:
        module.warn(f"the bucket {name} does not exist yet; an earlier task has to create it")
    filters = params["keys"] if params["prune"] == "listed" else None
    most = params["prune_max"]
    steps = await _entries.decide(manager, bucket, session.wanted, filters, most)
    for key in _entries.returning(steps, bucket):
        module.warn(f"when {key} has run out, its value of before comes back from the history")
    written: dict[str, int] = {}
    if bucket is not None and not session.check_mode:
        written = await _entries.write(manager, bucket, steps)
    changed = any(step.action != _entries.NONE for step in steps)
    result = {"changed": changed, "entries": _entries.rows(steps, written)}
    return {**result, "diff": _entries.diff(steps, name)} if module._diff else result


def main() -> None:
    run(
        ARGUMENT_SPEC,
        work,
        validate,
        counted("entries"),
        mutually_exclusive=[("entries", name) for name in ("key", *SINGLE)],
        required_one_of=[("key", "entries")],
        required_by={"keys": ["entries"]},
    )


if __name__ == "__main__":
    main()
