#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_message
short_description: Manage the last message of a subject in a JetStream stream
version_added: 1.0.0
description:
  - Makes a message the last one of its subject in a stream of NATS JetStream, or deletes a message by its sequence.
  - The last message of the subject is compared with the task. A message is published only when the data or the
    headers differ, and only if nobody else published to the subject in between. If somebody did, the task fails and
    nothing is written.
  - It suits streams in which the last message of a subject counts, such as settings or commands to be replayed. In
    streams whose messages are gone once they are acknowledged, a second run would publish again, so streams with
    a retention of V(workqueue) or V(interest) are refused. So are streams with C(no_ack), which do not say whether
    a message was stored, with C(allow_msg_counter), and with a C(subject_transform) that
    stores the subject under another name.
  - For keys and values, use a bucket rather than a stream of messages.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
attributes:
  check_mode:
    support: full
    details:
      - Foretells what a stream cannot take, which is a subject that it does not have, a message that is too large for
        the stream or the server, a limit on the number of messages in a stream that discards new ones, and a mirror or
        a sealed stream.
      - That the server takes a message for a duplicate of an earlier one is foretold for the last message of
        the subject only.
      - A stream that does not exist is a warning, because an earlier task may create it.
  diff_mode:
    support: full
    details:
      - Shows the headers and the data of the message before and after. Data that is binary or long is shown by
        its size and digest.
  idempotent:
    support: full
    details:
      - A message that expires, by its O(ttl) or by the C(max_age) of the stream, is published again.
options:
  stream:
    description:
      - The name of the stream.
    type: str
    required: true
  subject:
    description:
      - The subject of the message, without wildcards.
      - Required with O(state=present).
      - With O(state=absent), the task fails when the message has another subject.
    type: str
  state:
    description:
      - With V(present), the last message of O(subject) is the given one.
      - With V(absent), there is no message with the sequence O(seq).
    type: str
    choices: [present, absent]
    default: present
  data:
    description:
      - The data of the message as text, which is sent in UTF-8. An empty text stands for a message without data.
      - With O(state=present), exactly one of O(data), O(json), O(base64), and O(src) is required.
      - Numbers are sent as they are written. Other values need O(json).
    type: raw
  json:
    description:
      - The data as a value that is sent as JSON, with sorted keys and without spaces.
      - It is compared by its meaning, so other spacing or another order of keys in the stored message
        is no difference.
    type: raw
  base64:
    description:
      - The data in Base64, which suits binary data.
    type: str
  src:
    description:
      - The path of a file with the data, on the managed host.
    type: path
  headers:
    description:
      - The headers of the message. Each value is a text, or a list of texts for a header that comes several times.
        Values that are V(null) are left out.
      - Left out, headers are not compared, and a message that is published has none. An empty dictionary stands
        for a message without headers.
      - Names that begin with C(Nats-) have a meaning for the server. They are refused here, and those of the
        stored message are not compared.
    type: dict
  msg_id:
    description:
      - The identifier by which the server recognizes duplicates. It stores a message only once within
        the C(duplicate_window) of the stream.
      - A message that the server takes for a duplicate is not stored, and the task fails.
      - It has an effect only when the message is published. A stored message is not compared by it.
    type: str
  ttl:
    description:
      - How long the server keeps the message, as a duration of whole seconds such as V(90s) or V(30d), or V(never) for
        a message that outlives the C(max_age) of the stream.
      - The stream needs O(nats.jetstream.jetstream_stream#module:allow_msg_ttl). Needs nats-server 2.11 or newer.
      - It has an effect only when the message is published. A stored message is not compared by it.
    type: str
  seq:
    description:
      - The sequence of the message to delete. Required with O(state=absent).
    type: int
  erase:
    description:
      - Whether a deleted message is overwritten in the server's files, and not just removed.
      - Used with O(state=absent).
    type: bool
    default: true
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_message_info
  - module: nats.jetstream.jetstream_purge
  - module: nats.jetstream.jetstream_stream
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Create the stream that is used below
  nats.jetstream.jetstream_stream:
    name: SETTINGS
    subjects:
      - settings.>
    max_msgs_per_subject: 5

- name: Announce the prices
  nats.jetstream.jetstream_message:
    stream: SETTINGS
    subject: settings.prices
    json:
      currency: EUR
      vat: 19
    headers:
      Content-Type: application/json
      Audience:
        - shop
        - billing
  register: prices

- name: Say which message it is
  ansible.builtin.debug:
    msg: "The prices are message {{ prices.seq }}."
  when: prices.seq is not none

- name: Publish a file, known by its version
  nats.jetstream.jetstream_message:
    stream: SETTINGS
    subject: settings.hosts
    src: /etc/hosts
    msg_id: hosts-7

- name: Publish binary data without headers
  nats.jetstream.jetstream_message:
    stream: SETTINGS
    subject: settings.blob
    base64: AAEC/w==
    headers: {}

- name: Take a message back
  nats.jetstream.jetstream_message:
    stream: SETTINGS
    subject: settings.prices
    seq: "{{ prices.seq }}"
    state: absent
  when: prices.seq is not none
"""

RETURN = r"""
---
seq:
  description:
    - The sequence of the last message of the subject, or of the message that was to be deleted.
    - In check mode it is V(null) for a message that would be published.
  returned: success
  type: int
  sample: 42
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
  sample: STREAM.MSG.DELETE.SETTINGS
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
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _message, _payload
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "subject": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **_payload.payload_spec("data"),
    "headers": {"type": "dict"},
    "msg_id": {"type": "str"},
    "ttl": {"type": "str"},
    "seq": {"type": "int"},
    "erase": {"type": "bool", "default": True},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> Optional[_message.Wanted]:
    return _message.validate(params, inputs.problems)


async def manage(session: Session) -> dict[str, Any]:
    work = present if session.params["state"] == "present" else absent
    return await work(session)


async def present(session: Session) -> dict[str, Any]:
    params, manager, wanted = session.params, session.manager, session.wanted
    try:
        plan = await _message.plan(manager, params["stream"], wanted, session.check_mode)
    except ApiError as error:
        _message.only_warn(session, error)
        plan = _message.plan_unseen(manager, params["stream"], wanted)
    seq = plan.last.seq if plan.last else None
    if plan.publish:
        seq = None if session.check_mode else await _message.publish(manager, plan)
    before = _message.shown(plan.last)
    after = _message.shown_wanted(wanted) if plan.publish else before
    return _result(session, plan.publish, seq, before, after)


async def absent(session: Session) -> dict[str, Any]:
    params, manager = session.params, session.manager
    stream, seq = params["stream"], params["seq"]
    message = None
    try:
        message = await _message.deletable(manager, stream, seq, params["subject"])
    except ApiError as error:
        _message.only_warn(session, error)
    changed = message is not None
    if changed and not session.check_mode:
        changed = await manager.delete_msg(stream, seq, params["erase"])
    return _result(session, changed, seq, _message.shown(message), {})


def _result(
    session: Session, changed: bool, seq: Any, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    result = {"changed": changed, "seq": seq}
    if session.module._diff:
        from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

        header = f"message of stream {session.params['stream']}"
        sides = {"before": to_yaml(before), "after": to_yaml(after if changed else before)}
        result["diff"] = {**sides, "before_header": header, "after_header": header}
    return result


def main() -> None:
    run(ARGUMENT_SPEC, manage, validate)


if __name__ == "__main__":
    main()
