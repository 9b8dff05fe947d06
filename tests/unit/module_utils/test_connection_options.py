# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import errno

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection,
    _connection_options,
    _faults,
)

# As a task gives them, times in seconds.
SPEC = _connection_options.ARGUMENT_SPEC
DEFAULTS = {
    **dict.fromkeys(SPEC),
    "validate_certs": True,
    "connect_timeout": 2.0,
    "retry_for": 30.0,
}


def options(**given):
    found, problems = _connection_options.from_params({**DEFAULTS, **given}, {})
    assert problems == []
    return found


def problems(**given):
    return _connection_options.from_params({**DEFAULTS, **given}, {})[1]


def test_the_defaults():
    given = {name: spec["default"] for name, spec in SPEC.items() if "default" in spec}
    assert given == {"validate_certs": True, "connect_timeout": "2s", "retry_for": "30s"}
    plain = options()
    assert [address.url for address in plain.addresses] == ["nats://127.0.0.1:4222"]
    assert plain.prefix == "$JS.API" and plain.inbox_prefix is None and plain.timeout == 5.0
    assert not plain.secrets


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("nats://h:1", "nats://h:1"),
        ("h", "nats://h:4222"),
        ("h:1", "nats://h:1"),
        ("  h:1\n", "nats://h:1"),
        ("nats://h", "nats://h:4222"),
        ("tls://h", "tls://h:4222"),
        ("TLS://Host.Example:1", "tls://host.example:1"),
        ("nats://[::1]", "nats://[::1]:4222"),
        ("nats://u:p@[fe80::1]:7", "nats://[fe80::1]:7"),
        ("nats://u:p@h:1", "nats://h:1"),
        ("nats://h:1/", "nats://h:1"),
        ("ws://h", "ws://h:80"),
        ("wss://h", "wss://h:443"),
        ("wss://u:p@h:1/nats/", "wss://h:1/nats"),
    ],
)
def test_addresses(text, url):
    address, problem = _connection_options.parse_address(text)
    assert problem == "" and address.url == url


def test_tls_may_be_asked_for_by_other_options():
    assert _connection_options.parse_address("nats://h", tls=True)[0].tls
    for given in ({"ca": "x"}, {"ca_path": "x"}, {"tls_hostname": "x"}):
        assert options(**given).addresses[0].tls
    assert not options(validate_certs=False).addresses[0].tls


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://h", "scheme 'http'"),
        ("file://h", "scheme 'file'"),
        ("", "is no address"),
        ("nats://", "is no address"),
        ("nats://:4222", "is no address"),
        ("nats://h:0", "is no address"),
        ("nats://h:65536", "is no address"),
        ("nats://h:port", "is no address"),
        ("nats://[::1", "is no address"),
        ("nats://h1,nats://h2", "several servers"),
        ("h1:1,h2:2", "several servers"),
        ("nats://u:p@h1,nats://u:p@h2", "several servers"),
        ("nats://h1,nats://u:p@h2", "several servers"),
        ("u:p@h1,u:p@h2", "several servers"),
    ],
)
def test_what_is_no_address(text, told):
    address, problem = _connection_options.parse_address(text)
    assert address is None and told in problem


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("nats://u:p@h", ("u", "p", None)),
        ("u:p@h", ("u", "p", None)),
        ("nats://u:p%40ss%2Fw%3Ard%251@h", ("u", "p@ss/w:rd%1", None)),
        ("nats://u:p@ss@h", ("u", "p@ss", None)),
        ("nats://u:a,b@h", ("u", "a,b", None)),
        ("nats://u:a://b@h", ("u", "a://b", None)),
        ("nats://u:a:b@h", ("u", "a:b", None)),
        ("nats://%C3%A4:%C3%B6@h", ("ä", "ö", None)),
        ("nats://to%20ken@h", (None, None, "to ken")),
        ("nats://h", None),
    ],
)
def test_logins_inside_of_addresses(text, login):
    address, problem = _connection_options.parse_address(text)
    assert problem == ""
    assert (address.login and address.login[:3]) == login


def test_a_login_in_the_address_comes_before_no_login():
    given = options(servers=["nats://u:p%40@h", "nats://t@h", "h"])
    arguments = [_connection.connect_arguments(given, one) for one in given.addresses]
    assert arguments == [{"user": "u", "password": "p@"}, {"token": "t"}, {}]
    given = options(user="u", password="p", inbox_prefix="_MINE.")
    arguments = _connection.connect_arguments(given, given.addresses[0])
    assert arguments == {"user": "u", "password": "p", "inbox_prefix": "_MINE"}


def test_all_problems_at_once_each_with_its_place():
    found = problems(
        servers=["nats://ok", "http://h", "nats://u:secret@h", "nats://h:x"],
        user="u",
        password="p",
        domain="a.b",
        api_prefix="JS.>",
        inbox_prefix="",
        connect_timeout=0,
        timeout=0,
    )
    assert [place for place, _text in found] == [
        "servers[1]",
        "servers[2]",
        "servers[3]",
        "api_prefix",
        "inbox_prefix",
        "domain",
        "connect_timeout",
        "timeout",
    ]
    assert "secret" not in str(found)
    assert problems(servers=[]) == [("servers", "is empty")]


@pytest.mark.parametrize("name", ["domain", "api_prefix", "inbox_prefix"])
@pytest.mark.parametrize("value", ["", "a b", "a\r\nPUB x", "*", "a.>", ".a", "a..b", "."])
def test_what_is_no_prefix(name, value):
    assert name in [place for place, _text in problems(**{name: value})]


def test_prefixes():
    assert options(domain="hub").prefix == "$JS.hub.API"
    assert options(api_prefix="JS.fromA.API.").prefix == "JS.fromA.API"
    assert options(inbox_prefix="_MINE.x.").inbox_prefix == "_MINE.x"


@pytest.mark.parametrize(
    ("servers", "secrets"),
    [
        (["nats://u:p%40ss@h"], {"p%40ss", "p@ss"}),
        (["u:p@ss@h"], {"p@ss"}),
        (["nats://to%20ken@h"], {"to%20ken", "to ken"}),
        (["nats://u:a://b@h"], {"a://b"}),
        (["u:a://b@h"], {"a://b"}),
        (["htp://u:pw@h"], {"//u:pw"}),
        ("nats://u:p@h", {"p"}),
        (["nats://h", "h"], set()),
        ([], set()),
        (None, set()),
        ([None, 7], set()),
    ],
)
def test_secrets_inside_of_addresses(servers, secrets):
    found = _connection_options.secrets_in({"servers": servers})
    assert all(any(secret in one for one in found) for secret in secrets)
    for text in servers or []:
        masked = str(text)
        for one in sorted(found, key=len, reverse=True):
            masked = masked.replace(one, "*")
        assert not any(secret in masked for secret in secrets)


def test_secrets_of_options():
    params = {**DEFAULTS, "user": "u", "password": "p4ss", "token": "t0ken"}
    assert _connection_options.secrets_in(params) == {"p4ss", "t0ken"}


@pytest.mark.parametrize(
    "text",
    ["htp://u:hidden@h", "u:hidden://x@h", "nats://u:hidden@h:x", "x:hidden@"],
)
def test_no_problem_tells_a_secret(text):
    address, problem = _connection_options.parse_address(text)
    assert address is None and "hidden" not in problem


def test_an_address_shows_no_login():
    address, _problem = _connection_options.parse_address("nats://u:hidden@h")
    assert "hidden" not in address.url


class SSLCertVerificationError(OSError):
    """Named like the one of ssl, which _faults does not load."""

    verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "nothing listens"),
        (OSError(f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] a, [Errno 1] b"), "nothing"),
        (asyncio.TimeoutError(), "no NATS greeting within 1.5 s"),
        (TimeoutError(), "no NATS greeting within 1.5 s"),
        (SSLCertVerificationError("x"), "not accepted: self-signed certificate; look at ca"),
        (SSLCertVerificationError("CA cert does not include key usage extension"), "Python 3.13"),
        (BrokenPipeError(), "client certificate"),
        (_connection.NoTls(), "did not offer TLS"),
        (Exception("nats: 'Authorization Violation'"), "login was refused"),
        (Exception("nats: empty response from server when expecting INFO message"), "other than"),
        (Exception("nats: 'attempted to connect to route port'"), "not the port for clients"),
        (Exception("something {new}"), "something {new}"),
        (ValueError(), "ValueError"),
    ],
)
def test_faults(error, told):
    assert told in _faults.explain(error, 1.5)
