#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_object_fetch
short_description: Fetch an object from a JetStream object store into a file
version_added: 1.0.0
description:
  - Fetches an object from a bucket of a JetStream object store into a file on the managed host.
  - Nothing is fetched when the file already has the size and SHA-256 digest of the object. Attributes of the file,
    such as O(mode) and O(owner), are set in any case.
  - The data are checked against the digest before they take the place of a file that is there, in one step.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - ansible.builtin.files
attributes:
  check_mode:
    support: full
    details:
      - An object that does not exist is a warning, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows size and digest of the file, and never its content.
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
      - The name of the object. Links are followed, into other buckets as well.
    type: str
    required: true
  dest:
    description:
      - The file on the managed host. If it is an existing directory, the file in it has the last part of the name of
        the object, after its last slash.
      - The directory has to exist.
    type: path
    required: true
  backup:
    description:
      - Whether a file that is replaced is kept under another name beside it.
    type: bool
    default: false
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_object
  - module: nats.jetstream.jetstream_object_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_objects
    description: Storing, fetching, and linking files.
notes:
  - The data are written to a file in the directory of O(dest) first, which needs room for both. They are not kept in
    memory.
  - When parts of the object are missing, the task fails instead of waiting for them. A file that is there stays as it
    was.
"""

EXAMPLES = r"""
---
- name: Create the bucket that is used below
  nats.jetstream.jetstream_object_bucket:
    name: artifacts

- name: Store an object
  nats.jetstream.jetstream_object:
    bucket: artifacts
    name: site/version.txt
    content: "12"

- name: Fetch it into a file
  nats.jetstream.jetstream_object_fetch:
    bucket: artifacts
    name: site/version.txt
    dest: /tmp/nats_jetstream_version.txt
    mode: "0644"

- name: Fetch it into a directory, and keep a file that is replaced
  nats.jetstream.jetstream_object_fetch:
    bucket: artifacts
    name: site/version.txt
    dest: /tmp
    mode: "0600"
    backup: true
  register: fetched

- name: Say what it is
  ansible.builtin.debug:
    msg: "{{ fetched.dest }} has {{ (fetched.object or {}).size | default('no') }} bytes."
"""

RETURN = r"""
---
dest:
  description: The file.
  returned: success
  type: str
  sample: /srv/site/version.txt
mode:
  description: The mode of the file.
  returned: success, when there is a file
  type: str
  sample: "0644"
owner:
  description: The name of the user that it belongs to.
  returned: success, when there is a file
  type: str
  sample: www-data
group:
  description: The name of the group that it belongs to.
  returned: success, when there is a file
  type: str
  sample: www-data
uid:
  description: The number of that user.
  returned: success, when there is a file
  type: int
  sample: 33
gid:
  description: The number of that group.
  returned: success, when there is a file
  type: int
  sample: 33
size:
  description: The size of the file in bytes.
  returned: success, when there is a file
  type: int
  sample: 344000
state:
  description: What it is, which is V(file).
  returned: success, when there is a file
  type: str
  sample: file
backup_file:
  description: Where the file that was replaced is kept.
  returned: changed, when O(backup) is set and a file was replaced
  type: str
  sample: /srv/site/version.txt.4242.2026-03-01@12:00:00~
object:
  description:
    - The object that was fetched, after all links.
    - V(null) in check mode when there is none yet.
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

from ansible_collections.nats.jetstream.plugins.module_utils import _object_fetch, _objects
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, run

ARGUMENT_SPEC: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "dest": {"type": "path", "required": True},
    "backup": {"type": "bool", "default": False},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    inputs.problems += _objects.problems_of(params)


def main() -> None:
    run(ARGUMENT_SPEC, _object_fetch.fetch, validate, add_file_common_args=True)


if __name__ == "__main__":
    main()
