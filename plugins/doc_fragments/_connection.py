# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is PRIVATE to the collection. It can have breaking changes at any time.
# Do not use it from other collections or standalone plugins.

from __future__ import annotations


class ModuleDocFragment:
    # The same options as ARGUMENT_SPEC in plugins/module_utils/_connection.py.
    DOCUMENTATION = r"""
options:
  servers:
    description:
      - URLs of servers, of which the first one that answers is used, such as V(nats://127.0.0.1:4222) or
        V(tls://nats.example.com). Without a scheme it is V(nats://), and without a port it is V(4222).
      - A login can be part of a URL, such as V(nats://user:password@host) or V(nats://token@host). Special
        characters in it are percent-encoded. It is masked in everything that the module returns.
      - A URL with a login excludes O(user) and O(token).
      - Each server is tried once. A refused connection, a name that is not known, a refused login, and a refused
        certificate fail at once. A server that does not answer fails after O(connect_timeout). When all have
        failed, the task fails with the reason of each.
    type: list
    elements: str
    default:
      - nats://127.0.0.1:4222
  user:
    description:
      - The name of the user. Needs O(password), and excludes O(token).
    type: str
  password:
    description:
      - The password of O(user), which it needs.
    type: str
  token:
    description:
      - The token to log in with. Mutually exclusive with O(user).
    type: str
  ca:
    description:
      - Certificates of the authorities that may sign a server's certificate, as PEM text.
      - Wants TLS for every server. Mutually exclusive with O(ca_path).
    type: str
  ca_path:
    description:
      - A file on the managed host with the certificates of the authorities that may sign a server's certificate.
      - Wants TLS for every server. Mutually exclusive with O(ca).
    type: path
  validate_certs:
    description:
      - Whether the certificate of a server, and the name in it, is checked. Set it to V(false) for tests only.
    type: bool
    default: true
  tls_hostname:
    description:
      - The name that the certificate of a server must have, if it is not the one in its URL.
      - Wants TLS for every server.
    type: str
  domain:
    description:
      - The JetStream domain whose API is asked. The default is that of the server. Mutually exclusive with
        O(api_prefix).
      - Releases of nats-server are not compared with the settings of a task then, because another server than the
        one connected to decides. What it does not keep fails the task afterwards.
    type: str
  api_prefix:
    description:
      - The prefix of the JetStream API, if it is another one than V($JS.API), as for an API that is imported from
        another account. Mutually exclusive with O(domain).
    type: str
  inbox_prefix:
    description:
      - The prefix of the subjects on which answers come, if the user may not subscribe to V(_INBOX).
    type: str
  connect_timeout:
    description:
      - How long a server has to take a connection, as a duration such as V(2s). That includes TLS and the login.
    type: str
    default: 2s
  timeout:
    description:
      - How long a server has to answer a request, as a duration such as V(5s).
      - A request that the user may not send fails at once, and not only after that time.
    type: str
    default: 5s
  retry_for:
    description:
      - For how long a request is repeated while the server says that it cannot be done right now, as during the
        election of a leader, as a duration such as V(30s).
      - Nothing is repeated on a refused login, a missing permission, or an error that stays.
    type: str
    default: 30s
requirements:
  - python >= 3.9
  - nats-py >= 2.8.0 (2.15.0 or newer is recommended)
notes:
  - All modules of this collection take the same connection options. Set them once with C(module_defaults) for the
    group C(group/nats.jetstream.jetstream).
  - TLS is wanted for a server when its URL begins with V(tls://), and for all servers when O(ca), O(ca_path), or
    O(tls_hostname) is given. A server that does not offer TLS is then refused, and nothing is sent to it in
    plaintext, no login either. A server that insists on TLS gets it in any case.
  - The modules run on the managed host and connect from there. Use C(delegate_to) or C(connection=local) to connect
    from the controller.
  - nats-server 2.9.10, 2.10.27, and 2.15.1 are tested.
"""

    # Where plugins of the controller find the options that are not given: one line each.
    PLUGINS = r"""
options:
  servers: {vars: [{name: nats_jetstream_servers}], env: [{name: NATS_URL}]}
  user: {vars: [{name: nats_jetstream_user}], env: [{name: NATS_USER}]}
  password: {vars: [{name: nats_jetstream_password}], env: [{name: NATS_PASSWORD}]}
  token: {vars: [{name: nats_jetstream_token}]}
  ca: {vars: [{name: nats_jetstream_ca}]}
  ca_path: {vars: [{name: nats_jetstream_ca_path}], env: [{name: NATS_CA}]}
  validate_certs: {vars: [{name: nats_jetstream_validate_certs}]}
  tls_hostname: {vars: [{name: nats_jetstream_tls_hostname}]}
  domain: {vars: [{name: nats_jetstream_domain}]}
  api_prefix: {vars: [{name: nats_jetstream_api_prefix}]}
  inbox_prefix: {vars: [{name: nats_jetstream_inbox_prefix}]}
  connect_timeout: {vars: [{name: nats_jetstream_connect_timeout}]}
  timeout: {vars: [{name: nats_jetstream_timeout}], env: [{name: NATS_TIMEOUT}]}
  retry_for: {vars: [{name: nats_jetstream_retry_for}]}
"""
