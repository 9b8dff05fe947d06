# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins that are signed: by a seed, by a JWT with its seed, by credentials; and broken ones."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import operators
import pytest
from connecting import DEFAULTS, connect, with_manager
from operators import ACCOUNT, USER, Key, Operator

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options, _errors
from harness import servers

TESTS = Path(__file__).resolve().parents[1]
PAST = time.time() - 60


@pytest.fixture(scope="module")
def operator():
    return Operator()


@pytest.fixture(scope="module")
def alice(operator):
    return operator.user()


@pytest.fixture(scope="module")
def signed(server, operator):
    """A server in operator mode, and its address."""
    with servers.Server(server.binary, config=operator.config) as running:
        yield running.url


@pytest.fixture(scope="module")
def seed():
    return Key(USER)


@pytest.fixture(scope="module")
def by_nkey(server, seed):
    config = {"authorization": {"users": [{"nkey": seed.public}]}}
    with servers.Server(server.binary, config=config) as running:
        yield running.url


def ways(folder, token, seed):
    """Return every way to hand over a JWT and a seed."""

    def written(name, text):
        path = folder / name
        path.write_bytes(text.encode())
        return str(path)

    text = operators.credentials(token, seed)
    indented = "\n".join(f"   {line}" for line in text.splitlines())
    return {
        "inline": {"credentials": text},
        "file": {"credentials_path": written("a.creds", text)},
        "windows": {"credentials_path": written("b.creds", text.replace("\n", "\r\n"))},
        "inline of windows": {"credentials": text.replace("\n", "\r\n")},
        "indented": {"credentials": indented},
        "without an end of line": {"credentials": text.strip()},
        "apart": {"jwt": token, "nkey_seed": seed},
        "apart in files": {
            "jwt_path": written("a.jwt", f"{token}\r\n"),
            "nkey_seed_path": written("a.nk", f"{seed}\r\n"),
        },
        "mixed": {"jwt": f" {token}\n", "nkey_seed_path": written("b.nk", seed)},
    }


def test_credentials_in_every_form(signed, operator, alice, tmp_path):
    for form, given in ways(tmp_path, *alice).items():
        connection = connect(signed, **given)
        assert connection.account == operator.account.public, form
        assert with_manager(lambda manager: manager.account_info(), signed, **given), form


def test_a_seed_in_every_form(by_nkey, seed, tmp_path):
    file = tmp_path / "user.nk"
    for text in (seed.seed, f"{seed.seed}\r\n", operators.credentials("x", seed.seed)):
        file.write_text(text)
        assert with_manager(lambda m: m.account_info(), by_nkey, nkey_seed_path=str(file))
        assert with_manager(lambda m: m.account_info(), by_nkey, nkey_seed=text)


def test_a_bearer_needs_no_seed(signed, operator):
    token, seed = operator.user(bearer_token=True)
    assert with_manager(lambda manager: manager.account_info(), signed, jwt=token)
    assert with_manager(lambda manager: manager.account_info(), signed, jwt=token, nkey_seed=seed)


def refused(url, **given):
    with pytest.raises(_errors.ConnectFailed) as failed:
        connect(url, **given)
    for secret in filter(lambda text: len(text) > 4, given.values()):
        assert secret not in str(failed.value)
    return str(failed.value)


def test_a_refused_login_says_what_to_look_at(signed, by_nkey, operator, alice):
    token, seed = operator.user(expires=PAST)
    text = refused(signed, jwt=token, nkey_seed=seed)
    assert "the login was refused; look at jwt and nkey_seed; the JWT ends at 20" in text
    other, seed = Operator().user()
    text = refused(signed, credentials=operators.credentials(other, seed))
    assert "look at credentials" in text
    assert "look at nkey_seed" in refused(by_nkey, nkey_seed=Key(USER).seed)
    assert "the server wants a login" in refused(signed)
    assert "look at user and password" in refused(signed, user="u", password="wrong pass")
    assert "look at token" in refused(signed, token="wrong token")


def test_a_seed_is_asked_for_by_the_server_again_after_a_loss(server, seed):
    config = {"authorization": {"users": [{"nkey": seed.public}]}}
    with servers.Server(server.binary, config=config) as running:

        async def work(manager):
            await manager.account_info()
            running.kill()
            running.start()
            return await manager.account_info()

        assert with_manager(work, running.url, nkey_seed=seed.seed)


def problems(**given):
    params = {**DEFAULTS, "servers": ["nats://127.0.0.1:1"], **given}
    found = _connection_options.from_params(params, {})[1]
    for _place, text in found:
        for secret in filter(None, given.values()):
            assert secret.startswith("/") or secret not in text
    return found


GOOD, OTHER = Operator().user(), Key(USER)
JWT, SEED = GOOD
DAMAGED = SEED[:20] + ("A" if SEED[20] != "A" else "B") + SEED[21:]
NO_JWT = operators.credentials(JWT, SEED).partition("*")[2]


@pytest.mark.parametrize(
    ("given", "places", "told"),
    [
        ({"credentials": "hello"}, ["credentials", "credentials"], "holds no user JWT"),
        ({"credentials": NO_JWT}, ["credentials"], "holds no user JWT"),
        ({"credentials": operators.credentials(JWT, "")}, ["credentials"], "holds no NKey seed"),
        ({"credentials": operators.credentials("x.y.z", SEED)}, ["credentials"], "no user JWT"),
        ({"credentials": operators.credentials(JWT, DAMAGED)}, ["credentials"], "check sum"),
        (
            {"credentials": operators.credentials(JWT, OTHER.seed)},
            ["credentials"],
            "is not the seed of credentials",
        ),
        ({"credentials_path": "/no/such/file"}, None, "/no/such/file cannot be read"),
        ({"credentials_path": "/dev/null"}, None, "/dev/null is empty"),
        ({"jwt": JWT}, ["jwt"], "needs nkey_seed"),
        ({"jwt": JWT, "nkey_seed": OTHER.seed}, ["nkey_seed"], "is not the seed of jwt"),
        ({"jwt": "", "nkey_seed": SEED}, ["jwt"], "is empty"),
        ({"nkey_seed": ""}, ["nkey_seed"], "is empty"),
        ({"nkey_seed": DAMAGED}, ["nkey_seed"], "its check sum is wrong"),
        ({"nkey_seed": SEED[:30]}, ["nkey_seed"], "58 characters"),
        ({"nkey_seed": "not a seed"}, ["nkey_seed"], "no NKey seed"),
        ({"nkey_seed": "ÄÖÜ"}, ["nkey_seed"], "no NKey seed"),
        ({"nkey_seed": Key(ACCOUNT).seed}, ["nkey_seed"], "something else than a user"),
        ({"nkey_seed": OTHER.public}, ["nkey_seed"], "begins with SU"),
        ({"nkey_seed_path": "/no/such/file"}, ["nkey_seed_path"], "cannot be read"),
        ({"nkey_seed_path": "/"}, ["nkey_seed_path"], "Is a directory"),
    ],
)
def test_what_is_broken_is_refused_at_once(given, places, told):
    found = problems(**given)
    assert any(told in text for _place, text in found), found
    if places:
        assert [place for place, _text in found] == places


# Reads the seed from its environment. What is not to be imported is refused by a finder.
SIGN = """
import os, sys
sys.path.insert(0, {tests!r})
from harness import collection
collection.make_importable()

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ImportError(f"No module named {{name!r}}")

sys.meta_path.insert(0, Absent())
sys.path.insert(0, {core!r})
import asyncio
from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection, _connection_options, _errors, _manager,
)

params = dict.fromkeys(_connection_options.ARGUMENT_SPEC)
params.update(servers=[{url!r}], validate_certs=True, connect_timeout=2.0, retry_for=0.0)

async def main():
    params["nkey_seed"] = sys.stdin.read()
    options, problems = _connection_options.from_params(params, {{}})
    connection = await _connection.open_connection(options)
    info = await _manager.JetStreamManager(connection, 2.0, 0.0).account_info()
    await connection.close()
    return info["type"]

try:
    print(asyncio.run(main()))
except _errors.MissingLibrary as error:
    print(error)
print(sorted({{"cryptography", "nkeys"}} & set(sys.modules)))
"""


def signing_without(absent, url, seed):
    script = SIGN.format(absent=absent, url=url, tests=str(TESTS), core=str(TESTS / "core"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=seed,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_cryptography_signs(by_nkey, seed):
    assert signing_without(["nkeys", "nacl"], by_nkey, seed.seed) == [
        "io.nats.jetstream.api.v1.account_info_response",
        "['cryptography']",
    ]


def test_nkeys_signs(by_nkey, seed):
    pytest.importorskip("nkeys", reason="the package nkeys is not installed here")
    assert signing_without(["cryptography"], by_nkey, seed.seed) == [
        "io.nats.jetstream.api.v1.account_info_response",
        "['nkeys']",
    ]


def test_without_both_the_option_is_named(by_nkey, seed):
    text, loaded = signing_without(["cryptography", "nkeys"], by_nkey, seed.seed)
    assert text.startswith("nkey_seed needs the Python package cryptography or nkeys")
    assert "pip install" in text and seed.seed not in text
    assert loaded == "[]"
