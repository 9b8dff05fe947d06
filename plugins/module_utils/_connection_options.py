# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What a task says about its connection, and what it leaves to a context or the environment.

A login is taken whole from the first place that has one, and so are the servers: what was exported
for one server is never told to another one that comes with a login of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import unquote, urlsplit

DEFAULT_SERVER = "nats://127.0.0.1:4222"
DEFAULT_PREFIX = "$JS.API"
DEFAULT_TIMEOUT = 5.0  # s

_TEXT: dict[str, Any] = {"type": "str"}
_PATH: dict[str, Any] = {"type": "path"}
_SECRET: dict[str, Any] = {"type": "str", "no_log": True}

ARGUMENT_SPEC: dict[str, Any] = {
    "servers": {"type": "list", "elements": "str"},
    "user": _TEXT,
    "password": _SECRET,
    "token": _SECRET,
    "nkey_seed": _SECRET,
    "nkey_seed_path": {"type": "path", "no_log": False},
    "credentials": _SECRET,
    "credentials_path": _PATH,
    "jwt": _SECRET,
    "jwt_path": _PATH,
    "client_cert": _TEXT,
    "client_cert_path": _PATH,
    "client_key": _SECRET,
    "client_key_path": {"type": "path", "no_log": False},
    "client_key_password": _SECRET,
    "ca": _TEXT,
    "ca_path": _PATH,
    "validate_certs": {"type": "bool", "default": True},
    "tls_hostname": _TEXT,
    "tls_first": {"type": "bool"},
    "context": _TEXT,
    "selected_context": {"type": "bool"},
    "expect_cluster": _TEXT,
    "expect_account": _TEXT,
    "domain": _TEXT,
    "api_prefix": _TEXT,
    "inbox_prefix": _TEXT,
    "connect_timeout": {"type": "str", "default": "2s"},
    "timeout": _TEXT,
    "retry_for": {"type": "str", "default": "30s"},
}
_SEEDS = ("nkey_seed", "nkey_seed_path")
_JWTS = ("jwt", "jwt_path")
_FILES = ("credentials", "credentials_path")
CONSTRAINTS: dict[str, list[tuple[str, ...]]] = {
    "mutually_exclusive": [
        ("token", "user", *_FILES, *_SEEDS),
        ("token", "user", *_FILES, *_JWTS),
        ("client_cert", "client_cert_path"),
        ("client_key", "client_key_path"),
        ("ca", "ca_path"),
        ("domain", "api_prefix"),
        ("context", "selected_context"),
    ],
    "required_together": [("user", "password")],
}

SECRETS = tuple(name for name, spec in ARGUMENT_SPEC.items() if spec.get("no_log"))
_CERTIFICATE = tuple(name for name in ARGUMENT_SPEC if name.startswith("client_"))
_SIGNED = (*_SEEDS, *_JWTS, *_FILES)
LOGIN = ("user", "password", "token", *_SIGNED, *_CERTIFICATE)
# What is said of servers, and of users: each of a group is taken from the first place that has it.
_OF_SERVERS = (("ca", "ca_path"), ("tls_hostname",), ("tls_first",), ("domain", "api_prefix"))
_OF_USERS = (("inbox_prefix",),)

# The variables of the nats command, and what they stand for. NATS_CONTEXT names a place of its own.
VARIABLES = {
    "NATS_URL": "servers",
    "NATS_USER": "user",
    "NATS_PASSWORD": "password",
    "NATS_TOKEN": "token",
    "NATS_CREDS": "credentials_path",
    "NATS_NKEY": "nkey_seed_path",
    "NATS_JWT": "jwt",
    "NATS_SEED": "nkey_seed",
    "NATS_CERT": "client_cert_path",
    "NATS_KEY": "client_key_path",
    "NATS_CA": "ca_path",
    "NATS_TIMEOUT": "timeout",
    "NATS_SOCKS_PROXY": "",
    "NATS_CONTEXT": "",
}

# Scheme -> whether it is TLS, whether it is a websocket, the port.
_SCHEMES = {
    "nats": (False, False, 4222),
    "tls": (True, False, 4222),
    "ws": (False, True, 80),
    "wss": (True, True, 443),
}


class Place(NamedTuple):
    """Where options come from: the task, a context, or the environment.

    called holds what an option is called there, level is 0 for what the task says or names.
    """

    label: str
    level: int
    options: Mapping[str, Any]
    called: Mapping[str, str]

    def name(self, option: str) -> str:
        return self.called.get(option, option)


class Certificate(NamedTuple):
    """A certificate of the user's own, under the names of the options: PEM texts, or paths."""

    client_cert: Optional[str] = None
    client_cert_path: Optional[str] = None
    client_key: Optional[str] = None
    client_key_path: Optional[str] = None
    client_key_password: Optional[str] = None


class Login(NamedTuple):
    """What a server is told of the user. Taken whole from one place.

    sign returns what is added to CONNECT for the nonce of a server; account is the one that a JWT
    is for; advice is what to look at when the login is refused.
    """

    user: Optional[str] = None
    password: Optional[str] = None
    token: Optional[str] = None
    sign: Optional[Callable[[str], dict[str, str]]] = None
    account: Optional[str] = None
    advice: str = "the server wants a login: user and password, token, credentials, or nkey_seed"
    certificate: Optional[Certificate] = None


class Address(NamedTuple):
    """One server: where it is, whether TLS was asked for, and a login of its own, if any."""

    host: str
    port: int
    tls: bool
    login: Optional[Login]
    websocket: bool = False
    path: str = ""

    @property
    def url(self) -> str:
        """The address without its login, which is all that nats-py and people get to see."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = (("nats", "tls"), ("ws", "wss"))[self.websocket][self.tls]
        return f"{scheme}://{host}:{self.port}{self.path}"


class ConnectionOptions(NamedTuple):
    """Where and how to connect. Times are in seconds. secrets must never come out."""

    addresses: tuple[Address, ...]
    login: Login = Login()
    ca: Optional[str] = None
    ca_path: Optional[str] = None
    validate_certs: bool = True
    tls_hostname: Optional[str] = None
    tls_first: bool = False
    expect_cluster: Optional[str] = None
    expect_account: Optional[str] = None
    prefix: str = DEFAULT_PREFIX
    inbox_prefix: Optional[str] = None
    connect_timeout: float = 2.0
    timeout: float = DEFAULT_TIMEOUT
    retry_for: float = 30.0
    secrets: frozenset[str] = frozenset()


Problems = list[tuple[str, str]]


def from_params(
    params: Mapping[str, Any], environ: Optional[Mapping[str, str]] = None
) -> tuple[ConnectionOptions, Problems]:
    """Return the options of a task (its times in seconds), and (place, text) of what is wrong.

    environ is that of the process if not given.
    """
    places = [Place("the task", 0, params, {})]
    problems: Problems = []
    environ = os.environ if environ is None else environ
    if (
        params["context"] is not None
        or params["selected_context"]
        or not VARIABLES.keys().isdisjoint(environ)
    ):
        from ansible_collections.nats.jetstream.plugins.module_utils._sources import places_beside

        more, problems = places_beside(params, environ)
        places += more
    merged, own, called = _merged(places)
    tls = any(merged.get(name) for name in ("ca", "ca_path", "tls_hostname", "tls_first"))
    tls = tls or any(own.get(name) for name in _CERTIFICATE)
    addresses = _addresses(params, places, merged, own, tls, problems)
    problems += _prefix_problems(merged, called)
    login, secrets = _login_of(own, called, problems)
    if merged.get("tls_first") and any(address.websocket for address in addresses):
        problems.append((called["tls_first"], "is not for websockets (ws:// and wss://)"))
    for name in ("connect_timeout", "timeout"):
        if params[name] == 0:
            problems.append((name, "has to be more than 0"))
    prefix = (merged.get("api_prefix") or "").rstrip(".") or DEFAULT_PREFIX
    if merged.get("domain"):
        prefix = f"$JS.{merged['domain']}.API"
    for place in places[1:]:
        secrets |= secrets_in(place.options)
    options = ConnectionOptions(
        addresses=tuple(addresses),
        login=login,
        prefix=prefix,
        inbox_prefix=(merged.get("inbox_prefix") or "").rstrip(".") or None,
        tls_first=bool(merged.get("tls_first")),
        timeout=merged["timeout"],
        # What is empty would be found in every text.
        secrets=frozenset(one for one in secrets | secrets_in(params) if one.strip()),
        ca=merged.get("ca"),
        ca_path=merged.get("ca_path"),
        tls_hostname=merged.get("tls_hostname"),
        validate_certs=params["validate_certs"],
        expect_cluster=params["expect_cluster"],
        expect_account=params["expect_account"],
        connect_timeout=params["connect_timeout"],
        retry_for=params["retry_for"],
    )
    return options, problems


def _merged(
    places: list[Place],
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Return the options without the login, those of the login, and what all are called."""
    called = {name: name for name in ARGUMENT_SPEC}
    with_servers = next((place for place in places if place.options.get("servers")), None)
    merged: dict[str, Any] = {"servers": [DEFAULT_SERVER], "timeout": DEFAULT_TIMEOUT}
    level = 1 if with_servers is None else with_servers.level
    if places[0].options.get("servers") == []:  # a mistake, not a wish for other servers
        with_servers, level = places[0], 0
    if with_servers is not None:
        merged["servers"] = with_servers.options["servers"]
        called["servers"] = with_servers.name("servers")

    own: dict[str, Any] = {}
    login_level = 1
    for place in places:
        in_urls = place is with_servers and has_login_in_urls(merged["servers"])
        if in_urls or has_login(place.options):
            own = {name: place.options.get(name) for name in LOGIN}
            called.update({name: place.name(name) for name in LOGIN})
            own["label"], own["in_urls"], login_level = place.label, in_urls, place.level
            break

    def take(group: tuple[str, ...], until: int) -> None:
        for place in places:
            given = [name for name in group if place.options.get(name) is not None]
            if given and place.level <= until:
                merged.update({name: place.options[name] for name in given})
                called.update({name: place.name(name) for name in given})
                return

    for group in _OF_SERVERS:
        take(group, level)
    for group in _OF_USERS:
        take(group, login_level)
    take(("timeout",), 1)
    return merged, own, called


def has_login(options: Mapping[str, Any]) -> bool:
    return any(options.get(name) is not None for name in LOGIN)


def has_login_in_urls(servers: Any) -> bool:
    return any(_split(str(url))[1] for url in servers or ())


def _addresses(
    params: Mapping[str, Any],
    places: list[Place],
    merged: Mapping[str, Any],
    own: Mapping[str, Any],
    tls: bool,
    problems: Problems,
) -> list[Address]:
    """Return the servers; of logins inside them only those that are to be used."""
    addresses = []
    source = next((p for p in places if p.options.get("servers") is merged["servers"]), places[0])
    for index, text in enumerate(merged["servers"]):
        where = f"{source.name('servers')}[{index}]"
        address, problem = parse_address(str(text), tls)
        if problem or address is None:
            problems.append((where, problem))
            continue
        if address.login and source is places[0] and any(params[name] for name in _ONE_LOGIN):
            given = " or ".join(name for name in _ONE_LOGIN if params[name] and name != "password")
            problems.append((where, f"has a login, and the task has {given}; give one of the two"))
        if not own.get("in_urls"):
            address = address._replace(login=None)
        addresses.append(address)
    if not merged["servers"]:
        problems.append(("servers", "is empty"))
    return addresses


_ONE_LOGIN = ("user", "password", "token", *_SIGNED)


# Bytes. A server takes lines of 4096 with both prefixes, and names and filters beside them.
LONGEST_PREFIX = 255


def _prefix_problems(merged: Mapping[str, Any], called: Mapping[str, str]) -> Problems:
    problems = []
    for name in ("domain", "api_prefix", "inbox_prefix"):
        value = merged.get(name)
        if value is not None and (not value or any(sign in "*>" or sign <= " " for sign in value)):
            text = f"{value!r} is no prefix: no wildcard, no white space"
            problems.append((called[name], text))
        elif value is not None and len(value.encode()) > LONGEST_PREFIX:
            text = f"has {len(value.encode())} bytes, more than the {LONGEST_PREFIX} of a prefix"
            problems.append((called[name], text))
        elif value is not None and "" in value.rstrip(".").split("."):
            problems.append((called[name], f"{value!r} is no prefix: it holds a dot too many"))
    if merged.get("domain") and "." in merged["domain"]:
        text = f"{merged['domain']!r} holds a dot; did you mean api_prefix?"
        problems.append((called["domain"], text))
    return problems


def _login_of(
    own: Mapping[str, Any], called: Mapping[str, str], problems: Problems
) -> tuple[Login, set[str]]:
    """Return the login of one place, with what in it is secret."""
    login = Login()
    secrets: set[str] = set()
    if own.get("user") is not None:
        advice = f"look at {called['user']} and {called['password']}"
        login = Login(own["user"], own.get("password") or "", advice=advice)
    elif any(own.get(name) is not None for name in _SIGNED):
        from ansible_collections.nats.jetstream.plugins.module_utils._credentials import load

        login, secrets = load(own, called, problems)
    elif own.get("token") is not None:
        login = Login(token=own["token"], advice=f"look at {called['token']}")
    elif own.get("in_urls"):
        login = Login(advice=f"look at the login in {called['servers']}")
    if any(own.get(name) is not None for name in _CERTIFICATE):
        certificate = Certificate(*(own.get(name) for name in _CERTIFICATE))
        if not (certificate.client_cert or certificate.client_cert_path):
            name = next(name for name in _CERTIFICATE if own.get(name) is not None)
            problems.append((called[name], "needs client_cert or client_cert_path"))
        login = login._replace(certificate=certificate)
    return login, secrets


# --------------------------------------------------------------------------------------------------
# Addresses
# --------------------------------------------------------------------------------------------------


def parse_address(text: str, tls: bool = False) -> tuple[Optional[Address], str]:
    """Return an address, or None and why the text is none. A login in it is percent-decoded."""
    scheme, userinfo, place = _split(text)
    if scheme.lower() not in _SCHEMES:
        named = f"{scheme!r} " if scheme.isalnum() else ""  # else it may be part of a login
        return None, f"the scheme {named}is none of {', '.join(_SCHEMES)}"
    if "," in place or ("," in userinfo and ("@" in userinfo or "://" in userinfo)):
        return None, "holds several servers; write them as a list"
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return None, f"{place!r} is no address: {error}"
    if not host or port == 0 or not _is_host(host):
        return None, f"{place!r} is no address; write it like nats://host:4222"
    has_tls, websocket, usual_port = _SCHEMES[scheme.lower()]
    path = parts.path.rstrip("/") if websocket else ""
    address = Address(
        host, port or usual_port, tls or has_tls, _login_in(userinfo), websocket, path
    )
    return address, ""


def _is_host(host: str) -> bool:
    """Say whether this can be the name or the number of a host, as far as its letters go."""
    if any(sign.isspace() or not sign.isprintable() for sign in host):
        return False
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _split(text: str) -> tuple[str, str, str]:
    """Return the scheme, the login as it is written, and host and port."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "nats", scheme
    userinfo, _at, place = rest.rpartition("@")
    return scheme, userinfo, place


def _login_in(userinfo: str) -> Optional[Login]:
    if not userinfo:
        return None
    advice = "look at the login in the URL"
    user, colon, password = userinfo.partition(":")
    if colon:
        return Login(user=unquote(user), password=unquote(password), advice=advice)
    return Login(token=unquote(userinfo), advice=advice)


# --------------------------------------------------------------------------------------------------
# Secrets
# --------------------------------------------------------------------------------------------------

SHORTEST_LINE = 16  # characters; a line of a key or a seed is longer, and an ordinary word is not


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return every secret of options, those inside URLs too, raw and decoded, and line by line.

    The options may be of any type: this is asked before they are checked.
    """
    found = set()
    for name in SECRETS:
        found |= _texts(params.get(name))
    for text in list(found):
        found |= {line.strip() for line in text.splitlines() if _is_secret_line(line.strip())}
    for text in _texts(params.get("servers")):
        scheme, userinfo, _place = _split(text)
        if scheme.lower() not in _SCHEMES:  # what looks like one may be part of a login
            userinfo = text.strip().rpartition("@")[0]
        secret = userinfo.partition(":")[2] or userinfo
        found |= {secret, unquote(secret)}
    return {secret for secret in found if secret.strip()}


def _is_secret_line(line: str) -> bool:
    return len(line) >= SHORTEST_LINE and not line.startswith(("-", "*")) and " " not in line


def _texts(value: Any) -> set[str]:
    if value is None or isinstance(value, bool):
        return set()
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        return {text for member in value for text in _texts(member)}
    return {str(value)}
