# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: server_config
short_description: Write settings of nats-server as its configuration file
version_added: 1.0.0
description:
  - Turns a dictionary into the text of a configuration file of C(nats-server). Names of settings are the server's own,
    see U(https://docs.nats.io/running-a-nats-service/configuration).
  - Every text is quoted, whatever is in it. So a password may begin with C($), which would make it a variable, and may
    have quotes, backslashes, and C(#) in it.
  - It does not know all settings. The server does, C(nats-server -t -c) checks a file.
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
positional: _input
options:
  _input:
    description:
      - The settings, in the order in which they are to be written. What is null is left out.
      - Sizes, such as C(max_payload) and C(max_file_store), may be written like V(64KiB) or V(1GiB).
      - Names and passwords have to be texts. A number is refused, because YAML may have changed it.
    type: dict
    required: true
  mask:
    description:
      - Whether to write stars for passwords, tokens, keys, and what stands before C(@) in addresses, so that the text can
        be shown.
    type: bool
    default: false
  for_start:
    description:
      - Whether to leave out what a running server takes by a reload, such as C(accounts), C(authorization), C(tls), and
        the routes of C(cluster). If two configurations are the same in the rest, no restart is needed between them.
    type: bool
    default: false
seealso:
  - plugin: nats.jetstream.nats_server
    plugin_type: role
  - ref: ansible_collections.nats.jetstream.docsite.guide_server
    description: Running servers with the role that writes their configuration so.
"""

EXAMPLES = r"""
---
- name: Write a configuration file
  ansible.builtin.copy:
    content: "{{ settings | nats.jetstream.server_config }}"
    dest: "{{ playbook_dir }}/nats-server.conf"
    mode: "0600"
  no_log: true
  vars:
    settings:
      server_name: n1
      listen: 127.0.0.1:4222
      max_payload: 2MiB
      jetstream:
        store_dir: /var/lib/nats-server
        max_file_store: 10GiB
      authorization:
        users:
          - user: app
            password: $hop "quoted"

- name: Show it
  ansible.builtin.debug:
    msg: "{{ settings | nats.jetstream.server_config(mask=true) }}"
  vars:
    settings:
      authorization:
        token: secret
"""

RETURN = r"""
---
_value:
  description: The text of the file.
  type: str
  sample: |
    server_name: "n1"
    jetstream: {
      store_dir: "/var/lib/nats-server"
      max_file_store: 10737418240
    }
"""

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.nats.jetstream.plugins.plugin_utils._server_config import (
    ConfigError,
    config_text,
)
from ansible_collections.nats.jetstream.plugins.plugin_utils._server_config import (
    for_start as settings_for_start,
)


def server_config(settings: Mapping[str, Any], mask: bool = False, for_start: bool = False) -> str:
    try:
        return config_text(settings_for_start(settings) if for_start else settings, mask)
    except ConfigError as error:
        raise AnsibleFilterError(f"nats.jetstream.server_config: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"server_config": server_config}
