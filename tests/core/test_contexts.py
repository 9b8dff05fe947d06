# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contexts of the nats command, its variables, and who wins when several say something else."""

from __future__ import annotations

import base64
import itertools
import json
import os

import operators
import pytest
from certificates import Authority
from connecting import DEFAULTS, connect, with_manager
from test_connect import unused_port

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options
from harness import client, servers

PLACES = ("task", "context", "environment", "exported")
VARIABLES = _connection_options.VARIABLES


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own without any variable of the nats command; ``home(name, **fields)``."""
    for variable in (*VARIABLES, "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config" / "nats" / "context"
    folder.mkdir(parents=True)

    def write(name, **fields):
        path = folder / f"{name}.json"
        # All fields, as the nats command writes them.
        path.write_text(json.dumps({"description": "", "nsc": "", "color_scheme": "", **fields}))
        return str(path)

    return write


def users(*names):
    return {"users": [{"user": name, "password": f"pass-{name}"} for name in names]}


@pytest.fixture(scope="module")
def place(server):
    """A server that knows a user of every place. Each has an account with a stream of its name."""
    accounts = {name: {"jetstream": "enabled", **users(name)} for name in PLACES}
    with servers.Server(server.binary, config={"accounts": accounts}) as running:
        for name in PLACES:
            url = running.url.replace("://", f"://{name}:pass-{name}@")
            with client.Client(url) as nats:
                nats.ok(f"STREAM.CREATE.{name}", {"name": name})
        yield running.url


def who(url=None, **given):
    """Return the user as which a task is logged in."""
    urls = [url] if url else []
    (name,) = with_manager(lambda manager: manager.stream_names(), *urls, **given)
    return name


def problems(**given):
    return _connection_options.from_params({**DEFAULTS, **given})[1]


# ---- contexts


def test_a_context_by_its_name_and_by_its_path(place, home, monkeypatch, tmp_path):
    path = home("shop", url=place, user="context", password="pass-context")
    for named in ("shop", path, "~/.config/nats/context/shop.json"):
        assert who(context=named) == "context"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert "shop.json cannot be read" in problems(context="shop")[0][1]
    (tmp_path / "elsewhere" / "nats").mkdir(parents=True)
    os.rename(tmp_path / ".config/nats/context", tmp_path / "elsewhere/nats/context")
    assert who(context="shop") == "context"


def test_the_selected_context_is_looked_at_when_asked_for(place, home, tmp_path):
    home("shop", url=place, user="context", password="pass-context")
    selected = tmp_path / ".config" / "nats" / "context.txt"
    assert "no context is selected" in problems(selected_context=True)[0][1]
    selected.write_text("shop\n")
    assert who(selected_context=True) == "context"
    options = _connection_options.from_params({**DEFAULTS})[0]
    assert [address.url for address in options.addresses] == ["nats://127.0.0.1:4222"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "cannot be read"),
        ("", "no JSON object"),
        ("[1]", "no JSON object"),
        ('{"url": "nats://u:canary@h"', "no JSON object"),
        ('{"url": 5}', "wrong type"),
        ('{"tls_first": "yes"}', "wrong type"),
        ('{"user": ["u"]}', "wrong type"),
        ('{"socks_proxy": "socks5://u:canary@h"}', "SOCKS proxy, which is not supported"),
        ('{"nsc": "nsc://op/acc/user"}', "needs the nsc command"),
        ('{"windows_cert_store": "user"}', "Windows"),
        ('{"url": "http://h"}', "the scheme 'http' is none of"),
        ('{"creds": "op://vault/item/canary"}', "needs the op command"),
        ('{"user": "u", "password": "env://NO_SUCH"}', "the variable NO_SUCH is not set"),
        ('{"user": "u", "password": "data:;base64,%%%"}', "no Base64 data"),
        ('{"user": "u", "password": "file:///no/such"}', "/no/such cannot be read"),
        ('{"creds": "/no/such/canary.creds"}', "cannot be read"),
        ('{"user_seed": "SUcanary"}', "needs"),
        ('{"user_jwt": "canary", "user_seed": "SUcanary"}', "no user JWT"),
        ('{"jetstream_domain": "a.b"}', "holds a dot"),
    ],
)
def test_a_context_that_says_nothing_of_use(written, told, tmp_path):
    path = tmp_path / "broken.json"
    if written is not None:
        path.write_text(written)
    found = problems(context=str(path))
    assert any(told in text for _place, text in found), found
    assert all(place.startswith("context") for place, _text in found)
    assert "canary@" not in str(found) and "SUcanary" not in str(found)


@pytest.mark.parametrize("name", ["", "..", "a..b"])
def test_what_is_no_name_of_a_context(name):
    assert problems(context=name)[0] == ("context", f"{name!r} is no name of a context")


def test_every_login_of_a_context(server, home, tmp_path, monkeypatch):
    operator = operators.Operator()
    jwt, seed = operator.user()
    creds, raw = tmp_path / "a.creds", operators.credentials(jwt, seed)
    creds.write_text(raw)
    encoded = f"data:;base64,{base64.b64encode(raw.encode()).decode()}"
    monkeypatch.setenv("MY_CREDS", raw)
    monkeypatch.setenv("MY_SEED", seed)
    monkeypatch.setenv("FOLDER", str(tmp_path))
    with servers.Server(server.binary, config=operator.config) as running:
        for number, fields in enumerate(
            (
                {"creds": str(creds)},
                {"creds": "~/a.creds"},
                {"creds": "$FOLDER/a.creds"},
                {"creds": f"file://{creds}"},
                {"creds": encoded},
                {"creds": "env://MY_CREDS"},
                {"user_jwt": jwt, "user_seed": seed},
                {"user_jwt": jwt, "user_seed": "env://MY_SEED"},
                {"creds": str(creds), "token": "the nats command takes creds first"},
            )
        ):
            home(f"c{number}", url=running.url, **fields)
            connection = connect(context=f"c{number}")
            assert connection.account == operator.account.public, fields
    key = operators.Key(operators.USER)
    (tmp_path / "a.nk").write_text(key.seed)
    monkeypatch.setenv("MY_NKEY", key.seed)
    config = {"authorization": {"users": [{"nkey": key.public}]}}
    with servers.Server(server.binary, config=config) as running:
        for nkey in (str(tmp_path / "a.nk"), "~/a.nk", "env://MY_NKEY"):
            home("nkey", url=running.url, nkey=nkey)
            assert connect(context="nkey")
    monkeypatch.setenv("MY_TOKEN", "sesame@1")
    (tmp_path / "token").write_text("sesame@1\n")
    with servers.Server(server.binary, config={"authorization": {"token": "sesame@1"}}) as running:
        for token in ("sesame@1", "env://MY_TOKEN", "file://~/token"):
            home("token", url=running.url, token=token)
            assert connect(context="token")
        home("url", url=f"nats://sesame%401@{running.url.partition('://')[2]}")
        assert connect(context="url")


def test_tls_of_a_context(newest_server, home, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority.path, "verify": True}
    cert, own_key = authority.issue("alice")
    fields = {"ca": authority.path, "cert": cert, "key": own_key}
    with servers.Server(newest_server.binary, config={"tls": files}) as running:
        home("tls", url=f"nats://127.0.0.1:{running.port}", **fields)
        assert connect(context="tls").url.startswith("tls://")
    config = {"tls": {**files, "handshake_first": True}}
    with servers.Server(newest_server.binary, config=config) as running:
        home("first", url=f"nats://127.0.0.1:{running.port}", **fields, tls_first=True)
        assert connect(context="first")


def test_where_a_context_leads(newest_server, home):
    """Several servers with dead ones among them, a domain, an imported account, an inbox."""
    deny = {"subscribe": {"allow": ["_MINE.>"]}}
    config = {
        "jetstream": {"domain": "hub"},
        "accounts": {
            "A": {
                "jetstream": "enabled",
                "users": [{"user": "a", "password": "a", "permissions": deny}],
                "exports": [{"service": "$JS.API.>", "response_type": "stream"}],
            },
            "B": {
                "users": [{"user": "b", "password": "b"}],
                "imports": [
                    {"service": {"account": "A", "subject": "$JS.API.>"}, "to": "JS.A.API.>"}
                ],
            },
        },
    }
    with servers.Server(newest_server.binary, config=config) as running:
        dead = f"nats://127.0.0.1:{unused_port()}"
        login = {"user": "a", "password": "a"}
        fields = {"jetstream_domain": "hub", "inbox_prefix": "_MINE", **login}
        home("hub", url=f"{dead}, {running.url}", **fields)
        assert with_manager(lambda m: m.account_info(), context="hub")["domain"] == "hub"
        home("imported", url=running.url, user="b", password="b", jetstream_api_prefix="JS.A.API")

        async def make(manager):
            return await manager.add_stream({"name": "BY_B"})

        assert with_manager(make, context="imported")
        assert with_manager(lambda m: m.stream_names(), context="hub") == ["BY_B"]


# ---- the environment


def test_the_variables_of_the_nats_command(server, monkeypatch, tmp_path):
    operator = operators.Operator()
    jwt, seed = operator.user()
    creds = tmp_path / "a.creds"
    creds.write_text(operators.credentials(jwt, seed))
    key = operators.Key(operators.USER)
    (tmp_path / "a.nk").write_text(key.seed)
    tried = set()

    def exported(config, **variables):
        with servers.Server(server.binary, config=config) as running, monkeypatch.context() as m:
            url = f"nats://127.0.0.1:{running.port}"
            for name, value in {"NATS_URL": url, **variables}.items():
                m.setenv(name, value)
                tried.add(name)
            return connect()

    assert exported({"authorization": users("u")}, NATS_USER="u", NATS_PASSWORD="pass-u")
    assert exported({"authorization": {"token": "t"}}, NATS_TOKEN="t")
    assert exported({"authorization": {"token": "t"}}, NATS_USER="t")
    assert exported({"authorization": {"users": [{"nkey": key.public}]}}, NATS_NKEY="~/a.nk")
    assert exported(operator.config, NATS_CREDS=str(creds))
    assert exported(operator.config, NATS_JWT=jwt, NATS_SEED=seed)
    authority = Authority(tmp_path)
    certificate, server_key = authority.issue("localhost", "127.0.0.1")
    cert, own_key = authority.issue("alice")
    files = {"cert_file": certificate, "key_file": server_key, "verify": True}
    files["ca_file"] = authority.path
    given = {"NATS_CA": authority.path, "NATS_CERT": cert, "NATS_KEY": own_key}
    assert exported({"tls": files}, **given)
    assert exported(None, NATS_TIMEOUT="1500ms").options.timeout == 2.0  # the tests' own
    with monkeypatch.context() as m:
        m.setenv("NATS_TIMEOUT", "1500ms")
        params = {**DEFAULTS, "timeout": None}
        assert _connection_options.from_params(params)[0].timeout == 1.5
        m.setenv("NATS_TIMEOUT", "soon")
        assert _connection_options.from_params(params)[1][0][0] == "NATS_TIMEOUT"
    monkeypatch.setenv("NATS_SOCKS_PROXY", "socks5://h")
    assert problems() == [("NATS_SOCKS_PROXY", "is a SOCKS proxy, which is not supported")]
    assert problems(servers=["nats://h"]) == []
    assert tried | {"NATS_SOCKS_PROXY", "NATS_CONTEXT"} == set(VARIABLES)


def test_the_context_that_the_environment_names(place, home, monkeypatch):
    home("shop", url=place, user="exported", password="pass-exported")
    monkeypatch.setenv("NATS_CONTEXT", "shop")
    assert who() == "exported"
    monkeypatch.setenv("NATS_USER", "environment")
    monkeypatch.setenv("NATS_PASSWORD", "pass-environment")
    assert who() == "environment"


# ---- who wins


def say(home, monkeypatch, which, url, login=True):
    """Let places say where the server is, and who the user is; return the task's own options."""
    given = {}
    for name in which:
        server = url(name)
        pair = {"user": name, "password": f"pass-{name}"} if login else {}
        if name == "task":
            given.update(pair, servers=[server] if server else None)
        elif name == "environment":
            values = {"NATS_URL": server, "NATS_USER": pair.get("user")}
            values["NATS_PASSWORD"] = pair.get("password")
            for variable, value in values.items():
                if value:
                    monkeypatch.setenv(variable, value)
        else:
            home(name, **({"url": server} if server else {}), **pair)
            if name == "context":
                given["context"] = name
            else:
                monkeypatch.setenv("NATS_CONTEXT", name)
    return given


SUBSETS = [subset for size in (1, 2, 3, 4) for subset in itertools.combinations(PLACES, size)]


@pytest.mark.parametrize("which", SUBSETS, ids="+".join)
def test_the_first_place_with_a_login_wins(which, place, home, monkeypatch):
    given = say(home, monkeypatch, which, lambda name: place)
    assert who(**given) == which[0]


@pytest.mark.parametrize("which", SUBSETS, ids="+".join)
def test_the_first_place_with_servers_wins(which, newest_server, home, monkeypatch):
    """The others name a server that is not there, and the login is of nobody."""
    dead = f"nats://127.0.0.1:{unused_port()}"

    def url(name):
        return newest_server.url if name == which[0] else dead

    assert connect(**say(home, monkeypatch, which, url, login=False)).url == newest_server.url


@pytest.mark.parametrize(
    ("server_of", "login_of"), list(itertools.permutations(PLACES, 2)), ids=lambda name: name
)
def test_servers_and_login_may_come_from_two_places(server_of, login_of, place, home, monkeypatch):
    given = {}
    for name in (server_of, login_of):
        url = place if name == server_of else None
        mine = say(home, monkeypatch, [name], lambda _name, url=url: url, login=name == login_of)
        given.update({key: value for key, value in mine.items() if value is not None})
    assert who(**given) == login_of


def test_a_login_of_another_place_is_not_told(newest_server, home, monkeypatch):
    """Nothing is mixed: a password of one place never goes with a user of another."""
    home("shop", url=newest_server.url, creds="/no/such/file")
    monkeypatch.setenv("NATS_USER", "environment")
    monkeypatch.setenv("NATS_PASSWORD", "canary")
    monkeypatch.setenv("NATS_TOKEN", "canary")
    monkeypatch.setenv("NATS_NKEY", "/no/such/file")
    monkeypatch.setenv("NATS_CERT", "/no/such/file")
    own = {"servers": [newest_server.url], "user": "u", "password": "p"}
    options, found = _connection_options.from_params({**DEFAULTS, **own})
    assert found == [] and options.login[:3] == ("u", "p", None)
    assert options.login.certificate is None
    options, found = _connection_options.from_params({**DEFAULTS, **own, "context": "shop"})
    assert found == [] and options.login[:3] == ("u", "p", None)
    monkeypatch.setenv("NATS_CONTEXT", "is not looked for")
    assert problems(**own) == []
    with_url = {"servers": ["nats://u:p@h", "nats://other"]}
    options, found = _connection_options.from_params({**DEFAULTS, **with_url})
    assert found == [] and options.login[:4] == (None, None, None, None)
    assert [bool(address.login) for address in options.addresses] == [True, False]


def test_a_login_inside_a_url_of_a_place_behind_is_not_used(place, home, monkeypatch):
    monkeypatch.setenv("NATS_URL", place.replace("://", "://environment:wrong@"))
    assert who(user="task", password="pass-task") == "task"
    home("shop", url=place.replace("://", "://context:pass-context@"), user="x", password="y")
    assert who(context="shop") == "context"


def test_what_belongs_to_servers_comes_with_them(newest_server, home, monkeypatch):
    home("hub", url="nats://h", jetstream_domain="hub", ca="/x", tls_first=True, inbox_prefix="_X")
    monkeypatch.setenv("NATS_CONTEXT", "hub")
    options, _found = _connection_options.from_params({**DEFAULTS})
    assert (options.prefix, options.ca_path, options.tls_first) == ("$JS.hub.API", "/x", True)
    assert options.inbox_prefix == "_X"
    options, _found = _connection_options.from_params({**DEFAULTS, "servers": ["nats://own"]})
    assert (options.prefix, options.ca_path, options.tls_first) == ("$JS.API", None, False)
    assert options.inbox_prefix == "_X" and not options.addresses[0].tls
    own = {"servers": ["nats://own"], "token": "t"}
    assert _connection_options.from_params({**DEFAULTS, **own})[0].inbox_prefix is None
    monkeypatch.delenv("NATS_CONTEXT")
    own = {"context": "hub", "api_prefix": "JS.own.API", "ca": "PEM", "tls_first": False}
    options, found = _connection_options.from_params({**DEFAULTS, **own})
    assert found == []
    assert (options.prefix, options.ca, options.ca_path) == ("JS.own.API", "PEM", None)
    assert options.tls_first is False
