#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jetstream_message_info
short_description: Read a message of a JetStream stream
version_added: 1.0.0
description:
  - Returns one message of a stream of NATS JetStream, chosen by its sequence, as the last one of a subject, or as
    the next one of a subject from a sequence on.
  - A message that does not exist is no error. RV(exists) is V(false) then. A stream that does not exist is an error,
    in check mode a warning, because an earlier task may create it.
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._attributes
  - nats.jetstream._attributes.actiongroup_jetstream
  - nats.jetstream._attributes.info_module
options:
  stream:
    description:
      - The name of the stream.
    type: str
    required: true
  seq:
    description:
      - Alone, the sequence of the message.
      - With O(subject), the sequence from which on the next message of that subject is returned, which may
        be the message with this sequence.
    type: int
  subject:
    description:
      - Alone, the subject of which the last message is returned.
      - With O(seq), the subject of which the next message from there on is returned.
      - Wildcards are allowed. V(>) stands for every subject.
    type: str
  direct:
    description:
      - Asks whichever server holds a copy of the stream, and not its leader. That spreads the load, and
        the answer may lag a moment behind.
      - The stream needs O(nats.jetstream.jetstream_stream#module:allow_direct). The task fails otherwise.
    type: bool
    default: false
  encoding:
    description:
      - The form in which the data is returned. V(text) needs data in UTF-8, V(json) returns what a JSON text
        stands for, V(base64) fits everything. The task fails when the data does not have the form.
      - Left out, data in UTF-8 is returned as text, and other data as Base64. RV(message.encoding) says which.
    type: str
    choices: [text, json, base64]
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
seealso:
  - module: nats.jetstream.jetstream_message
  - module: nats.jetstream.jetstream_stream_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Create a stream
  nats.jetstream.jetstream_stream:
    name: ORDERS
    subjects:
      - orders.>
    allow_direct: true

- name: Read the last order
  nats.jetstream.jetstream_message_info:
    stream: ORDERS
    subject: orders.>
  register: last

- name: Show it
  ansible.builtin.debug:
    msg: "{{ last.message.subject }} at {{ last.message.time }}: {{ last.message.data }}"
  when: last.exists

- name: Read a message by its sequence
  nats.jetstream.jetstream_message_info:
    stream: ORDERS
    seq: 1
    encoding: base64
  register: first

- name: Read the next paid order from a sequence on, from any replica
  nats.jetstream.jetstream_message_info:
    stream: ORDERS
    subject: orders.paid
    seq: 1000
    direct: true
  register: paid

- name: Tell when there are none
  ansible.builtin.debug:
    msg: "Nothing was paid lately, and the first order is {{ 'there' if first.exists else 'gone' }}."
  when: not paid.exists
"""

RETURN = r"""
---
exists:
  description: Whether there is such a message.
  returned: success
  type: bool
  sample: true
message:
  description: The message, or V(null) when there is none.
  returned: success
  type: dict
  contains:
    subject:
      description: Its subject.
      returned: always
      type: str
      sample: orders.paid
    seq:
      description: Its sequence in the stream.
      returned: always
      type: int
      sample: 1042
    time:
      description: When the server stored it.
      returned: always
      type: str
      sample: "2026-11-23T22:16:55.874757897Z"
    headers:
      description:
        - Its headers, by name. Each has a list of its values, because a header may come several times.
      returned: always
      type: dict
      sample:
        Content-Type:
          - application/json
    data:
      description: Its data, in the form that RV(message.encoding) says.
      returned: always
      type: raw
      sample: '{"order": 7}'
    encoding:
      description: The form of the data, one of V(text), V(json), and V(base64).
      returned: always
      type: str
      sample: text
    size:
      description: How many bytes the data has.
      returned: always
      type: int
      sample: 12
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
  sample: STREAM.MSG.GET.ORDERS
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

from ansible_collections.nats.jetstream.plugins.module_utils import _message, _payload, _subjects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import ApiError
from ansible_collections.nats.jetstream.plugins.module_utils._messages import (
    Message,
    last_of,
    leader_get,
)
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session, run
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ARGUMENT_SPEC: dict[str, Any] = {
    "stream": {"type": "str", "required": True},
    "seq": {"type": "int"},
    "subject": {"type": "str"},
    "direct": {"type": "bool", "default": False},
    "encoding": {"type": "str", "choices": list(_payload.ENCODINGS)},
}


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    found = {"stream": _subjects.name_problem(params["stream"])}
    if params["seq"] is not None:
        found["seq"] = _message.seq_problem(params["seq"])
    if params["subject"] is not None:
        found["subject"] = _subjects.subject_problem(params["subject"])
    inputs.problems += [Problem(place, text) for place, text in found.items() if text]


async def read(session: Session) -> dict[str, Any]:
    message: Optional[Message] = None
    try:
        message = await _asked(session.manager, session.params)
    except ApiError as error:
        _message.only_warn(session, error)
    shown = None if message is None else _shown(message, session.params["encoding"])
    return {"changed": False, "exists": message is not None, "message": shown}


async def _asked(manager: Any, params: Mapping[str, Any]) -> Optional[Message]:
    stream, seq, subject = params["stream"], params["seq"], params["subject"]
    get = _message.direct_or_why_not if params["direct"] else leader_get
    if seq is None:
        return await last_of(get, manager, stream, subject)
    following = {} if subject is None else {"next_by_subj": subject}
    return await get(manager, stream, {"seq": seq, **following})


def _shown(message: Message, encoding: Optional[str]) -> dict[str, Any]:
    what = f"the data of message {message.seq}"
    return {
        "subject": message.subject,
        "seq": message.seq,
        "time": message.time,
        "headers": _message.by_name(message.headers.pairs),
        **_payload.shown(message.data, encoding, what, "data"),
        "size": len(message.data),
    }


def main() -> None:
    run(ARGUMENT_SPEC, read, validate, required_one_of=[("seq", "subject")])


if __name__ == "__main__":
    main()
