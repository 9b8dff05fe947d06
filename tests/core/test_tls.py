# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the user's own, TLS before the greeting, and what TLS-less servers never hear."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from certificates import Authority
from connecting import connect, with_manager
from test_connect import AT_ONCE, failure

from harness import servers

PASSWORD = "canary of the key"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def own(authority):
    """Certificate, key, and the same key encrypted: paths."""
    certificate, key = authority.issue("alice")
    return certificate, key


@pytest.fixture(scope="module")
def encrypted(authority):
    return authority.issue("alice-encrypted", password=PASSWORD)


@pytest.fixture(scope="module")
def mutual(server, authority):
    """A server that wants a certificate of its clients, and its address."""
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority.path, "verify": True}
    with servers.Server(server.binary, config={"tls": files}) as running:
        yield f"nats://127.0.0.1:{running.port}"


@pytest.fixture
def folder(tmp_path):
    """For temporary files, of which none may stay."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def text(path):
    return Path(path).read_text()


def test_a_certificate_of_the_user_in_every_form(
    mutual, authority, own, encrypted, tmp_path, folder, monkeypatch
):
    certificate, key = own
    both = tmp_path / "both.pem"
    both.write_text(text(certificate) + text(key))
    sealed = tmp_path / "encrypted.pem"
    sealed.write_text(text(encrypted[0]) + text(encrypted[1]))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for given in (
        {"client_cert_path": certificate, "client_key_path": key},
        {"client_cert": text(certificate), "client_key": text(key)},
        {"client_cert": text(certificate), "client_key_path": key},
        {"client_cert_path": certificate, "client_key": text(key)},
        {"client_cert_path": str(both)},
        {"client_cert": both.read_text()},
        {"client_cert_path": str(sealed), "client_key_password": PASSWORD},
        {
            "client_cert_path": encrypted[0],
            "client_key_path": encrypted[1],
            "client_key_password": PASSWORD,
        },
        {
            "client_cert": text(encrypted[0]),
            "client_key": text(encrypted[1]),
            "client_key_password": PASSWORD,
        },
    ):
        assert with_manager(lambda m: m.account_info(), mutual, ca_path=authority.path, **given)
    assert os.listdir(folder) == []


def test_a_key_that_can_not_be_kept_in_memory_leaves_no_file(
    mutual, authority, own, folder, monkeypatch
):
    """As on systems without memfd_create."""
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    given = {"client_cert": text(own[0]), "client_key": text(own[1]), "ca": authority.pem}
    assert connect(mutual, **given)
    assert "not the key" in failure(mutual, **{**given, "client_cert": authority.pem})
    assert os.listdir(folder) == []


def test_a_certificate_names_the_user(server, authority, own):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority.path}
    config = {
        "tls": {**files, "verify_and_map": True},
        "authorization": {"users": [{"user": "CN=alice"}]},
    }
    with servers.Server(server.binary, config=config) as running:
        url = f"nats://127.0.0.1:{running.port}"
        given = {"client_cert_path": own[0], "client_key_path": own[1]}
        assert connect(url, ca_path=authority.path, **given)
        other = authority.issue("bob")
        given = {"client_cert_path": other[0], "client_key_path": other[1]}
        assert "login was refused" in failure(url, ca_path=authority.path, within=2.5, **given)


def test_certificates_that_are_refused(mutual, authority, own, encrypted, tmp_path):
    certificate = own[0]

    def told(within=AT_ONCE, **given):
        found = failure(mutual, within=within, ca_path=authority.path, **given)
        assert PASSWORD not in found and "BEGIN" not in found
        return found

    wanted = "the server wants a client certificate"
    hung_up = "it may want a client certificate"  # which of the two is a race
    found = told(within=2.5)
    assert wanted in found or hung_up in found
    stranger = Authority(tmp_path, "somebody else").issue("alice")
    found = told(within=2.5, client_cert_path=stranger[0], client_key_path=stranger[1])
    assert wanted in found or hung_up in found
    missing = str(tmp_path / "missing.pem")
    assert f"client_cert_path: {missing} is not there" in told(client_cert_path=missing)
    assert f"client_key_path: {missing} is not there" in told(
        client_cert_path=certificate, client_key_path=missing
    )
    assert "client_key_path is not the key of client_cert" in told(
        client_cert_path=certificate, client_key_path=authority.issue("other")[1]
    )
    pair = {"client_cert_path": encrypted[0], "client_key_path": encrypted[1]}
    assert "client_key_path is encrypted; client_key_password" in told(**pair)
    assert "look at client_key_password" in told(**pair, client_key_password="wrong")
    assert "look at client_key_password" in told(**pair, client_key_password="")
    assert "holds no certificate with its key" in told(client_cert_path=certificate)
    assert "no PEM text" in told(client_cert="hello", client_key="world")
    assert "no PEM text" in told(client_cert_path=certificate, client_key="world")


def test_tls_before_the_greeting(newest_server, authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    files = {"cert_file": certificate, "key_file": key}
    config = {"tls": {**files, "handshake_first": True}}
    with servers.Server(newest_server.binary, config=config) as running:
        url = f"nats://127.0.0.1:{running.port}"
        assert with_manager(lambda m: m.account_info(), url, ca=authority.pem, tls_first=True)
        assert connect(url, validate_certs=False, tls_first=True)
        assert "certificate not accepted" in failure(url, tls_first=True, within=4)
        assert "tls_first" in failure(url, ca=authority.pem, within=2.5)
    with servers.Server(newest_server.binary, config={"tls": files}) as running:
        url = f"nats://127.0.0.1:{running.port}"
        found = failure(url, ca=authority.pem, tls_first=True, within=2.5)
        # Whether the greeting is read as TLS, or lost with the server waiting, is a race.
        assert "only after the greeting (tls_first)" in found or "does not (tls_first)" in found
    found = failure(newest_server.url, ca=authority.pem, tls_first=True, within=2.5)
    assert "no TLS is spoken there" in found


def test_every_option_of_tls_keeps_the_login_from_a_plain_server(newest_server, authority, own):
    for given in (
        {"ca": authority.pem},
        {"tls_hostname": "localhost"},
        {"client_cert_path": own[0], "client_key_path": own[1]},
    ):
        found = failure(newest_server.url, user="u", password="canary", **given)
        assert "the server did not offer TLS, which was asked for; nothing was sent" in found
