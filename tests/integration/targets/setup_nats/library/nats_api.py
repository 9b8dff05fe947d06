#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks a server directly, for assertions that trust no module of the collection."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nats_api
short_description: Send one request to the JetStream API
description:
  - Speaks the protocol over a plain socket, without a client library.
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
options:
  url:
    description: The address of the server.
    type: str
    required: true
  api:
    description: The name of the request, without its prefix.
    type: str
  body:
    description: What to send as JSON.
    type: dict
  publish:
    description: Messages to publish first, one on each of these subjects, each awaited.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Ask for a stream
  nats_api:
    url: nats://127.0.0.1:4222
    api: STREAM.INFO.ORDERS
"""

RETURN = r"""
answer:
  description: What the server answered.
  type: dict
  returned: when O(api) is given
"""

import json
import socket
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

INBOX = "_INBOX.test"


class Connection:
    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), 5)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        connect = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
        hello = f"CONNECT {json.dumps(connect)}\r\nSUB {INBOX} 1\r\n"
        self.socket.sendall(hello.encode())

    def request(self, subject, payload):
        head = f"PUB {subject} {INBOX} {len(payload)}\r\n"
        self.socket.sendall(head.encode() + payload + b"\r\n")
        while True:
            words = self.file.readline().split()
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] == b"MSG":
                return self.file.read(int(words[-1]) + 2)[:-2]
            elif words[0] == b"HMSG":
                raise OSError("nothing answers on " + subject)


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "api": {"type": "str"},
            "body": {"type": "dict"},
            "publish": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    connection = Connection(module.params["url"])
    for subject in module.params["publish"]:
        connection.request(subject, b"x")
    answer = None
    if module.params["api"]:
        body = module.params["body"]
        payload = b"" if body is None else json.dumps(body).encode()
        answer = json.loads(connection.request("$JS.API." + module.params["api"], payload))
    module.exit_json(changed=False, answer=answer)


if __name__ == "__main__":
    main()
