#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_object
short_description: Store or delete an object in a JetStream object store
version_added: 1.0.0
description:
  - Lets an object in a bucket of a JetStream object store have the data of a file or a text, be a link, or be absent.
  - Size and SHA-256 digest of the data are compared with those that are stored, and nothing is sent when they are
    equal. What is said of the object can be changed without sending its data.
  - Other clients of NATS object stores, such as C(nats object), read what this module stores, and the other way round.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - What an earlier task may still make is warned of, and does not fail the task. That is a bucket, the file
        of O(src), the object when neither O(src), O(content), nor O(link) is given, and what O(link) leads to.
  diff_mode:
    support: full
    details:
      - Shows size and digest of the data, and never the data themselves.
  idempotent:
    support: full
options:
  bucket:
    description:
      - The name of the bucket. It takes letters, digits, V(-), and V(_).
    type: str
    required: true
  name:
    description:
      - The name of the object, any text of up to 2048 bytes. Slashes, dots, and spaces have no meaning in it.
    type: str
    required: true
  state:
    description:
      - With V(present), the object has what the task says. Without O(src), O(content), and O(link), it has to exist,
        and only what is said of it is changed.
      - With V(absent), the object is deleted. The marker that other clients expect of a deleted object stays. An
        object that does not exist, or is already deleted, is left as it is.
    type: str
    choices:
      - present
      - absent
    default: present
  src:
    description:
      - A file on the managed host with the data of the object. It is read piece by piece, so it can be larger than
        the memory.
      - The file is read once to compare it, and a second time to send it. If it changes in between, the task fails
        and the object stays as it was.
      - Mutually exclusive with O(content) and O(link).
    type: path
  content:
    description:
      - The data of the object as a text, stored as UTF-8. An empty text is an object without data.
      - Use C(no_log) on the task if the text is a secret.
      - Mutually exclusive with O(src) and O(link).
    type: str
  link:
    description:
      - Where the object leads to. Whoever reads it gets what is there.
      - What it leads to has to exist, and must not be a link itself. An object with data is not replaced by a link,
        make it absent first. The reverse, data in the place of a link, is done.
      - Mutually exclusive with O(src) and O(content).
    type: dict
    suboptions:
      bucket:
        description:
          - The bucket that it leads to.
        type: str
        required: true
      name:
        description:
          - The object in that bucket. Without it, the link means the whole bucket.
        type: str
  description:
    description:
      - What the object is described as. An empty text removes the description.
      - If it is not given, the description stays as it is, also when the data change.
    type: str
  headers:
    description:
      - The headers of the object, each with a text or a list of texts. They replace all headers that it has, and an
        empty dictionary removes them.
      - If they are not given, the headers stay as they are, also when the data change.
    type: dict
  metadata:
    description:
      - The metadata of the object, each a text. They replace all metadata that it has, and an empty dictionary removes
        them.
      - If they are not given, the metadata stay as they are, also when the data change.
    type: dict
  chunk_size:
    description:
      - The size of the messages in which data are sent, as a size such as V(128KiB), at least V(1). It must not be
        larger than the C(max_payload) of the server.
      - Has an effect when data are sent. Another size alone is no reason to send them.
      - The default is that of the object that is replaced, or else V(128KiB).
    type: str
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_object_bucket
  - module: nats.jetstream.jetstream_object_fetch
  - module: nats.jetstream.jetstream_object_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_objects
    description: Storing, fetching, and linking files.
notes:
  - New data are stored beside the old ones, so the bucket needs room for both. Readers get the old object until the
    new one is whole, and the old data are removed then.
  - If the data cannot be sent as a whole, what was sent is removed again, and the object stays as it was. Only a
    process that is killed meanwhile leaves data that belong to no object.
  - An object that somebody else stores at the same time is not overwritten. The task fails and says so.
  - An object of which data are missing is sent again, although its digest is the right one.
"""

EXAMPLES = r"""
---
- name: Create the bucket that is used below
  nats.jetstream.jetstream_object_bucket:
    name: artifacts

- name: Write a file
  ansible.builtin.copy:
    dest: /tmp/nats_jetstream_example.txt
    content: What is to be stored.
    mode: "0644"

- name: Store a file
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/example.txt
    src: /tmp/nats_jetstream_example.txt
    description: the file of the example
  register: stored

- name: Say how much was sent
  ansible.builtin.debug:
    msg: "{{ stored.sent }} bytes were sent. The object has {{ stored.object.chunks }} chunks."

- name: Store a text
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/version
    content: "12"
    headers:
      Content-Type: text/plain
    metadata:
      release: "12"

- name: Say something else of an object without sending its data
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/version
    description: the version that is served
    metadata:
      release: "12"
      approved: "yes"

- name: Let a link lead to an object
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/latest
    link:
      bucket: artifacts
      name: site/version

- name: Delete an object
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/example.txt
    state: absent
"""

RETURN = r"""
---
action:
  description: What was done, one of V(none), V(create), V(update), and V(delete). In check mode, what would be done.
  returned: success
  type: str
  sample: create
sent:
  description: How many bytes of data were sent, or would be sent in check mode. V(0) when only what is said of the
    object changed.
  returned: success
  type: int
  sample: 344000
object:
  description:
    - The object as it is stored afterwards. In check mode, as it would be stored.
    - V(null) when there is none.
  returned: success
  type: dict
  contains:
    bucket:
      description: The name of the bucket.
      returned: always
      type: str
      sample: artifacts
    name:
      description: The name of the object.
      returned: always
      type: str
      sample: site/index.html
    description:
      description: What the object is described as. Empty if it has no description.
      returned: always
      type: str
      sample: the entry page
    headers:
      description: The headers of the object. Each has a list of values.
      returned: always
      type: dict
      sample:
        Content-Type:
          - text/html
    metadata:
      description: The metadata of the object.
      returned: always
      type: dict
      sample:
        release: "12"
    link:
      description: Where the object leads to if it is a link, V(null) if it has data of its own.
      returned: always
      type: dict
      contains:
        bucket:
          description: The bucket that it leads to.
          returned: always
          type: str
          sample: releases
        name:
          description: The object in it. A link to the whole bucket has none.
          returned: when the link leads to an object
          type: str
          sample: v12/index.html
    size:
      description: The size of the data in bytes.
      returned: always
      type: int
      sample: 344000
    chunks:
      description: How many messages the data are stored in.
      returned: always
      type: int
      sample: 3
    chunk_size:
      description: The size in bytes of each of them but the last. V(null) if it is not stored.
      returned: always
      type: int
      sample: 131072
    digest:
      description: The digest of the data as it is stored. V(null) for a link.
      returned: always
      type: str
      sample: SHA-256=IdgP4UYMGt47rgecOqFoLrd24AXukHf5-SVzqQ5Psg8=
    sha256:
      description: The SHA-256 digest of the data in hexadecimal, as C(sha256sum) prints it. V(null) for a link.
      returned: always
      type: str
      sample: 21d80fe1460c1ade3bae079c3aa1682eb776e005ee9077f9f92573a90e4fb20f
    nuid:
      description: The identifier under which the data are stored. V(null) in check mode for what is not stored yet.
      returned: always
      type: str
      sample: CkuyLEX4z2hbyjj1aWCfiH
    modified:
      description: When the object or what is said of it was last stored, as RFC 3339. V(null) in check mode for what is
        not stored yet.
      returned: always
      type: str
      sample: "2026-03-01T12:00:00.123456789Z"
    deleted:
      description: Whether the object is deleted, so that only a marker of it is left.
      returned: always
      type: bool
      sample: false
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
  returned: failure, when options are wrong, or the bucket or the server cannot take them
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
      sample: chunks of 2097152 bytes are larger than the server's max_payload of 1048576 bytes; make them smaller
code:
  description: The server's answer in the manner of HTTP.
  returned: failure, when the server refused a request
  type: int
  sample: 404
err_code:
  description: The server's own number of the error.
  returned: failure, when the server refused a request
  type: int
  sample: 10059
error_class:
  description: What sort of error it is, one of V(missing), V(exists), V(immutable), V(limit),
    V(transient), V(denied), V(unsupported), and V(invalid).
  returned: failure, when the server refused a request
  type: str
  sample: missing
request:
  description: The request that was refused.
  returned: failure, when the server refused a request
  type: str
  sample: STREAM.INFO.OBJ_artifacts
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
  sample: stream not found
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils import _object_store, _objects
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "src": {"type": "path"},
    "content": {"type": "str"},
    "link": {
        "type": "dict",
        "options": {"bucket": {"type": "str", "required": True}, "name": {"type": "str"}},
    },
    "description": {"type": "str"},
    "headers": {"type": "dict"},
    "metadata": {"type": "dict"},
    "chunk_size": {"type": "str"},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    inputs.problems += _objects.problems_of(params)
    if params["state"] == "absent":
        given = [name for name in ("src", "content", "link") if params[name] is not None]
        inputs.problems += [Problem(name, "an absent object has none") for name in given]


async def work(session: Session) -> dict[str, Any]:
    params, manager, warn = session.params, session.manager, session.module.warn
    place = _object_store.Place(params["bucket"], params["name"])
    if params["state"] == "absent":
        outcome = await _object_store.delete(manager, place, session.check_mode, warn)
    else:
        wanted, source = _object_store.wishes(params)
        outcome = await _object_store.put(manager, place, wanted, source, session.check_mode, warn)
    return _object_store.result(place, outcome, session.module._diff)


def main() -> None:
    run(ARGUMENT_SPEC, work, validate, mutually_exclusive=[("src", "content", "link")])


if __name__ == "__main__":
    main()
