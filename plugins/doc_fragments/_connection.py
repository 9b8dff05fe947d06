# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is PRIVATE to the collection. It can have breaking changes at any time.
# Do not use it from other collections or standalone plugins.

from __future__ import annotations


class ModuleDocFragment:
    # The same options as ARGUMENT_SPEC in plugins/module_utils/_connection_options.py.
    DOCUMENTATION = r"""
options:
  servers:
    description:
      - URLs of servers, of which the first one that answers is used, such as V(nats://127.0.0.1:4222),
        V(tls://nats.example.com), or V(wss://nats.example.com). Without a scheme it is V(nats://). Without a port it
        is V(4222), for V(ws://) V(80), and for V(wss://) V(443). Both of these need the Python package aiohttp.
      - A login can be part of a URL, such as V(nats://user:password@host) or V(nats://token@host). Special
        characters in it are percent-encoded. It is masked in everything that the module returns.
      - A URL with a login excludes O(user), O(token), O(nkey_seed), O(jwt), and O(credentials).
      - Each server is tried once. A refused connection, a name that is not known, a refused login, and a refused
        certificate fail at once. A server that does not answer fails after O(connect_timeout). When all have
        failed, the task fails with the reason of each.
      - If the task has none, those of O(context) are taken, then those of E(NATS_URL), then those of the context
        that E(NATS_CONTEXT) names, and at last V(nats://127.0.0.1:4222).
    type: list
    elements: str
  user:
    description:
      - The name of the user. Needs O(password).
      - A login is taken whole from the first place that has one. These are the task, its O(context), the
        environment variables of the C(nats) command on the managed host, and the context that E(NATS_CONTEXT)
        names. A client certificate and a login inside O(servers) are logins, too.
      - Those variables are E(NATS_USER), E(NATS_PASSWORD), E(NATS_TOKEN), E(NATS_CREDS), E(NATS_NKEY), E(NATS_JWT),
        E(NATS_SEED), E(NATS_CERT), and E(NATS_KEY).
      - Mutually exclusive with O(token), O(credentials), O(credentials_path), O(nkey_seed), O(nkey_seed_path),
        O(jwt), and O(jwt_path).
    type: str
  password:
    description:
      - The password of O(user), which it needs.
    type: str
  token:
    description:
      - The token to log in with. Mutually exclusive with O(user) and with what O(user) excludes.
    type: str
  nkey_seed:
    description:
      - The seed of the user's NKey, which begins with V(SU). With O(jwt) or O(jwt_path), the seed that belongs to
        the JWT.
      - It stays on the managed host and signs what the server asks to be signed. That needs one of the Python
        packages cryptography and nkeys.
      - Mutually exclusive with O(nkey_seed_path), O(user), O(token), O(credentials), and O(credentials_path).
    type: str
  nkey_seed_path:
    description:
      - A file on the managed host with the seed that O(nkey_seed) would have.
      - Mutually exclusive with O(nkey_seed), O(user), O(token), O(credentials), and O(credentials_path).
    type: path
  credentials:
    description:
      - The content of a credentials file, with the user's JWT and seed, as C(nsc) writes it. Line ends do not matter.
      - Needs one of the Python packages cryptography and nkeys.
      - A text without a JWT or a seed, a damaged seed, and a seed that does not belong to the JWT are refused before
        anything is sent.
      - Mutually exclusive with O(credentials_path), O(user), O(token), O(nkey_seed), and O(jwt).
    type: str
  credentials_path:
    description:
      - The path of a credentials file on the managed host, with what O(credentials) would have.
      - Mutually exclusive with O(credentials), O(user), O(token), O(nkey_seed), and O(jwt).
    type: path
  jwt:
    description:
      - The JWT of the user. Needs O(nkey_seed) or O(nkey_seed_path), except for a bearer token.
      - Mutually exclusive with O(jwt_path), O(user), O(token), O(credentials), and O(credentials_path).
    type: str
  jwt_path:
    description:
      - A file on the managed host with the JWT that O(jwt) would have.
      - Mutually exclusive with O(jwt), O(user), O(token), O(credentials), and O(credentials_path).
    type: path
  client_cert:
    description:
      - A certificate for servers that ask for one, as PEM text, with its chain. It can hold the key as well.
      - Wants TLS for every server. Mutually exclusive with O(client_cert_path).
    type: str
  client_cert_path:
    description:
      - A file on the managed host with the certificate that O(client_cert) would have.
      - Wants TLS for every server. Mutually exclusive with O(client_cert).
    type: path
  client_key:
    description:
      - The key of O(client_cert) or O(client_cert_path), as PEM text, if it is not in there.
      - OpenSSL reads keys from files only. On Linux the key is handed over in memory. Elsewhere it is a temporary
        file, which nobody else can read, for the time of reading it.
      - Mutually exclusive with O(client_key_path).
    type: str
  client_key_path:
    description:
      - A file on the managed host with the key that O(client_key) would have.
      - Mutually exclusive with O(client_key).
    type: path
  client_key_password:
    description:
      - What decrypts the key, if it is encrypted.
    type: str
  ca:
    description:
      - Certificates of the authorities that may sign a server's certificate, as PEM text.
      - Wants TLS for every server. Mutually exclusive with O(ca_path).
    type: str
  ca_path:
    description:
      - A file on the managed host with the certificates of the authorities that may sign a server's certificate.
      - If neither the task nor its O(context) has servers or authorities, E(NATS_CA) names it.
      - Wants TLS for every server. Mutually exclusive with O(ca).
    type: path
  validate_certs:
    description:
      - Whether the certificate of a server, and the name in it, is checked. Set it to V(false) for tests only. Every
        such task warns.
    type: bool
    default: true
  tls_hostname:
    description:
      - The name that the certificate of a server must have, if it is not the one in its URL.
      - Wants TLS for every server.
    type: str
  tls_first:
    description:
      - Whether TLS begins before the server's greeting, as servers with C(handshake_first) want it.
      - Wants TLS for every server. It is not for V(ws://) and V(wss://).
    type: bool
  context:
    description:
      - A context of the C(nats) command on the managed host, by its name, or by the path of its file.
      - The options of the task come before what the context says. C(socks_proxy), C(nsc), and certificate stores of
        Windows are refused, because a connection without them would be another one.
      - A value in it can be a reference, such as V(env://NATS_SECRET), V(file:///etc/nats/password), or V(data:)
        with Base64.
      - Mutually exclusive with O(selected_context).
    type: str
  selected_context:
    description:
      - Whether to use the context that C(nats context select) selected on the managed host. Without this option,
        the module does not look at it.
      - Mutually exclusive with O(context).
    type: bool
  expect_cluster:
    description:
      - The name of the cluster that the server must be part of. If it is another one, the task fails, and nothing is
        read or written.
    type: str
  expect_account:
    description:
      - The account that the user must belong to, by the name or the public key that the server has for it. If it is
        another one, the task fails, and nothing is read or written.
      - The server is asked on C($SYS.REQ.USER.INFO), to which the user needs the permission to publish. That needs
        nats-server 2.10 or newer. The public key of a JWT's account is known without asking.
    type: str
  domain:
    description:
      - The JetStream domain whose API is asked. The default is that of the server. Mutually exclusive with
        O(api_prefix).
      - What a context says of this, of O(api_prefix), of O(ca_path), and of O(tls_first) belongs to its servers. The
        context that E(NATS_CONTEXT) names is not asked for it when the task or its O(context) has servers.
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
      - What a context says of it belongs to its login. The context that E(NATS_CONTEXT) names is not asked for it
        when the task or its O(context) has a login.
    type: str
  connect_timeout:
    description:
      - How long a server has to take a connection, as a duration such as V(2s). That includes TLS and the login.
    type: str
    default: 2s
  timeout:
    description:
      - How long a server has to answer a request, as a duration such as V(5s). If it is not given, E(NATS_TIMEOUT)
        says it, and otherwise it is V(5s).
      - A request that the user may not send fails at once, and not only after that time.
    type: str
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
  - cryptography or nkeys for NKeys, JWTs, and credentials files
  - aiohttp for websockets
notes:
  - All modules of this collection take the same connection options. Set them once with C(module_defaults) for the
    group C(group/nats.jetstream.jetstream).
  - TLS is wanted for a server when its URL begins with V(tls://) or V(wss://), and for all servers when O(ca),
    O(ca_path), O(tls_hostname), O(tls_first), or a client certificate is given. A server that does not offer TLS is
    then refused, and nothing is sent to it in plaintext, no login either. A server that insists on TLS gets it in any
    case.
  - The modules run on the managed host and connect from there. Use C(delegate_to) or C(connection=local) to connect
    from the controller.
  - nats-server 2.9.10, 2.10.27, and 2.15.1 are tested.
seealso:
  - ref: ansible_collections.nats.jetstream.docsite.guide_logins
    description: Servers, logins, and contexts of the C(nats) command, with examples.
  - ref: ansible_collections.nats.jetstream.docsite.guide_permissions
    description: The permissions that each module needs, as settings of a user.
"""

    # Where plugins of the controller find the options that are not given: one line each.
    PLUGINS = r"""
options:
  servers: {vars: [{name: nats_jetstream_servers}]}
  user: {vars: [{name: nats_jetstream_user}]}
  password: {vars: [{name: nats_jetstream_password}]}
  token: {vars: [{name: nats_jetstream_token}]}
  nkey_seed: {vars: [{name: nats_jetstream_nkey_seed}]}
  nkey_seed_path: {vars: [{name: nats_jetstream_nkey_seed_path}]}
  credentials: {vars: [{name: nats_jetstream_credentials}]}
  credentials_path: {vars: [{name: nats_jetstream_credentials_path}]}
  jwt: {vars: [{name: nats_jetstream_jwt}]}
  jwt_path: {vars: [{name: nats_jetstream_jwt_path}]}
  client_cert: {vars: [{name: nats_jetstream_client_cert}]}
  client_cert_path: {vars: [{name: nats_jetstream_client_cert_path}]}
  client_key: {vars: [{name: nats_jetstream_client_key}]}
  client_key_path: {vars: [{name: nats_jetstream_client_key_path}]}
  client_key_password: {vars: [{name: nats_jetstream_client_key_password}]}
  ca: {vars: [{name: nats_jetstream_ca}]}
  ca_path: {vars: [{name: nats_jetstream_ca_path}]}
  validate_certs: {vars: [{name: nats_jetstream_validate_certs}]}
  tls_hostname: {vars: [{name: nats_jetstream_tls_hostname}]}
  tls_first: {vars: [{name: nats_jetstream_tls_first}]}
  context: {vars: [{name: nats_jetstream_context}]}
  selected_context: {vars: [{name: nats_jetstream_selected_context}]}
  expect_cluster: {vars: [{name: nats_jetstream_expect_cluster}]}
  expect_account: {vars: [{name: nats_jetstream_expect_account}]}
  domain: {vars: [{name: nats_jetstream_domain}]}
  api_prefix: {vars: [{name: nats_jetstream_api_prefix}]}
  inbox_prefix: {vars: [{name: nats_jetstream_inbox_prefix}]}
  connect_timeout: {vars: [{name: nats_jetstream_connect_timeout}]}
  timeout: {vars: [{name: nats_jetstream_timeout}]}
  retry_for: {vars: [{name: nats_jetstream_retry_for}]}
"""
