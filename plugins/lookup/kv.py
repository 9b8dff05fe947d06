# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: kv
short_description: Read values from a key-value bucket of NATS JetStream
version_added: 1.0.0
description:
  - Returns the values of keys, or of all keys that match a filter, from a key-value bucket of NATS JetStream.
  - It reads with one connection for all terms, and leaves no consumer on the server.
author:
  - The nats.jetstream contributors (@nats-jetstream-ansible)
extends_documentation_fragment:
  - nats.jetstream._connection
  - nats.jetstream._connection.plugins
options:
  _terms:
    description:
      - Keys, or filters of keys. The wildcard V(*) stands for one token between dots, and V(>) at the end for
        one token or more.
    type: list
    elements: str
    required: true
  bucket:
    description:
      - The name of the bucket, which has to exist.
    type: str
    required: true
    vars:
      - name: nats_jetstream_kv_bucket
  default:
    description:
      - What stands for the value of a key that does not exist or is deleted. Without it, such a key is an error.
      - A filter that matches nothing is no error. It adds nothing.
    type: raw
  encoding:
    description:
      - The form in which values are returned. V(json) returns what the JSON stands for. A value that does not have
        the form is an error.
      - Without it, a value is text if it is UTF-8, and Base64 otherwise.
    type: str
    choices: [text, json, base64]
  shape:
    description:
      - With V(values), the result is a list of the values, in the order of the terms, and of keys for a filter.
      - With V(dict), it is one dictionary from keys to values.
      - With V(entries), it is a list of entries as M(nats.jetstream.jetstream_kv_info) returns them.
    type: str
    choices: [values, dict, entries]
    default: values
notes:
  - It runs on the controller. What is said of the managed host and of modules is true of the controller and of this
    lookup here.
  - A login is taken whole from one place. When the lookup gives one, or one is in its URLs, those in variables of
    Ansible are not used. What is said of the environment is true of that of the controller.
seealso:
  - module: nats.jetstream.jetstream_kv
  - module: nats.jetstream.jetstream_kv_info
  - ref: ansible_collections.nats.jetstream.docsite.guide_cookbook
    description: Work queues, dead letters, mirrors, key-value stores, and more, as playbooks.
"""

EXAMPLES = r"""
---
- name: Create the bucket that is read from below
  nats.jetstream.jetstream_kv_bucket:
    name: settings
    history: 5

- name: Write something to read
  nats.jetstream.jetstream_kv:
    bucket: settings
    entries:
      - key: shop.currency
        value: EUR
      - key: shop.limits
        json:
          orders: 500

- name: Show one value
  ansible.builtin.debug:
    msg: "{{ lookup('nats.jetstream.kv', 'shop.currency', bucket='settings') }}"

- name: Show a value that may be missing
  ansible.builtin.debug:
    msg: "{{ lookup('nats.jetstream.kv', 'shop.colour', bucket='settings', default='blue') }}"

- name: Use what JSON stands for
  ansible.builtin.debug:
    msg: "{{ lookup('nats.jetstream.kv', 'shop.limits', bucket='settings', encoding='json').orders }}"

- name: Show all values of the shop
  ansible.builtin.debug:
    msg: "{{ item.key }} is {{ item.value }}"
  loop: "{{ lookup('nats.jetstream.kv', 'shop.>', bucket='settings', shape='dict') | dict2items }}"

- name: Set the bucket, and how long a server may take, by variables
  vars:
    nats_jetstream_kv_bucket: settings
    nats_jetstream_connect_timeout: 5s
  ansible.builtin.debug:
    msg: "{{ query('nats.jetstream.kv', 'shop.currency', 'shop.limits') }}"
"""

RETURN = r"""
---
_raw:
  description: The values, one dictionary, or entries, as O(shape) says.
  type: list
  elements: raw
"""

import asyncio
from typing import Any, Optional

from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.validation import check_type_dict
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.nats.jetstream.plugins.module_utils import _connection, _kv, _kv_read
from ansible_collections.nats.jetstream.plugins.module_utils._arguments import argument_problems
from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    ARGUMENT_SPEC,
    LOGIN,
    ConnectionOptions,
    from_params,
    has_login,
    has_login_in_urls,
    secrets_in,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MASK,
    InvalidRequest,
    JetStreamError,
)
from ansible_collections.nats.jetstream.plugins.module_utils._manager import JetStreamManager
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import covers
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    UnitError,
    parse_duration,
)

VARIABLE = "nats_jetstream_"
TIMES = ("connect_timeout", "timeout", "retry_for")


class LookupModule(LookupBase):
    def run(
        self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any
    ) -> list[Any]:
        # Variables come as they were written, templates included.
        templar: Any = self._templar
        own = {
            name: templar.template(value)
            for name, value in (variables or {}).items()
            if name.startswith(VARIABLE)
        }
        self.set_options(var_options=own, direct=kwargs)
        params = self._connection_params(kwargs)
        secrets = secrets_in(params)
        try:
            return self._run([str(term) for term in terms], params, kwargs, secrets)
        except JetStreamError as error:
            text = str(error)
            for secret in sorted(secrets, key=len, reverse=True):
                text = text.replace(secret, MASK)
            raise AnsibleLookupError(f"nats.jetstream.kv: {text}") from None

    def _connection_params(self, direct: dict[str, Any]) -> dict[str, Any]:
        """Return the connection options; a login of the lookup's own hides one in variables."""
        params = {name: self.get_option(name) for name in ARGUMENT_SPEC}
        in_urls = "servers" in direct and has_login_in_urls(params["servers"])
        if has_login(direct) or in_urls:
            params.update({name: None for name in LOGIN if name not in direct})
        return params

    def _run(
        self,
        terms: list[str],
        params: dict[str, Any],
        direct: dict[str, Any],
        secrets: set[str],
    ) -> list[Any]:
        """Return what the terms stand for; add to the secrets those of files and variables."""
        bucket, shape = self.get_option("bucket"), self.get_option("shape")
        broken = argument_problems(
            {**params, "bucket": bucket, "terms": terms}, {}, check_type_dict
        )
        if broken:
            raise InvalidRequest(broken)
        problems = _kv_read.problems_of(bucket, terms)
        options, wrong = from_params({**params, **_seconds(params, problems)})
        secrets |= options.secrets
        if problems or wrong:
            raise InvalidRequest([f"{place}: {text}" for place, text in [*problems, *wrong]])
        if not options.validate_certs:
            Display().warning("nats.jetstream.kv: validate_certs is false; any server is believed")
        rows = asyncio.run(_read(options, bucket, terms, self.get_option("encoding")))
        found = []
        for term in terms:
            matching = [row for row in rows if covers(term, row["key"])]
            if not matching and not _kv.is_filter(term):
                if "default" not in direct:
                    raise JetStreamError(f"the bucket {bucket} has no key {term}")
                matching = [{"key": term, "value": direct["default"]}]
            found += matching
        if shape == "dict":
            return [{row["key"]: row["value"] for row in found}]
        return found if shape == "entries" else [row["value"] for row in found]


def _seconds(params: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, float]:
    found = {name: 1.0 for name in TIMES if params[name] is not None}
    for name in list(found):
        try:
            found[name] = parse_duration(params[name]) / SECOND
        except UnitError as error:
            problems.append((name, str(error)))
    return found


async def _read(
    options: ConnectionOptions, name: str, terms: list[str], encoding: Optional[str]
) -> list[dict[str, Any]]:
    connection = await _connection.open_connection(options)
    try:
        manager = JetStreamManager(connection, options.timeout, options.retry_for)
        bucket = await _kv.find_bucket(manager, name)
        if bucket is None:
            raise JetStreamError(f"the bucket {name} does not exist")
        return await _kv_read.read(manager, bucket, terms, encoding=encoding)
    finally:
        await connection.close()
