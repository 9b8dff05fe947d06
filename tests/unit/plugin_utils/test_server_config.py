# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's configuration format: what is quoted, what is refused, what needs a restart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.plugin_utils._server_config import (
    RELOADABLE,
    ConfigError,
    config_text,
    for_start,
)

TEXT = """\
server_name: "n1"
port: 4222
debug: false
max_payload: 2097152
authorization: {
  timeout: 0.5
  users: [
    {
      user: "a"
      password: "$x \\"y\\"\\\\"
    }
    {
      user: "b"
      permissions: {}
    }
  ]
}
cluster: {
  routes: [
    "nats://a:6222"
    "nats://b:6222"
  ]
  tls: {}
}
accounts: {
  "A B": {}
  'say "x"': {}
  "include": {
    jetstream: "enabled"
  }
}
tags: []
nested: [
  [
    1
    2
  ]
  []
]
"""
# The escapes that the server's lexer knows.
ESCAPE = re.compile(r'\\(?:x([0-9a-f]{2})|([tnr"\\]))')
LETTERS = {"t": "\t", "n": "\n", "r": "\r"}


def unquoted(text):
    """Return what the server reads from a quoted text."""
    assert re.fullmatch(r'"(?:[^"\\\x00-\x1f]|\\(?:x[0-9a-f]{2}|[tnr"\\]))*"', text)
    return ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else LETTERS.get(match[2], match[2]),
        text[1:-1],
    )


def test_the_text_is_that_of_a_file():
    settings = {
        "server_name": "n1",
        "port": 4222,
        "debug": False,
        "max_payload": "2MiB",
        "http": None,
        "authorization": {
            "timeout": 0.5,
            "users": [{"user": "a", "password": '$x "y"\\'}, {"user": "b", "permissions": {}}],
        },
        "cluster": {"routes": ["nats://a:6222", "nats://b:6222"], "tls": {}},
        "accounts": {"A B": {}, 'say "x"': {}, "include": {"jetstream": "enabled"}},
        "tags": [],
        "nested": [[1, 2], []],
    }
    assert config_text(settings) == TEXT


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_is_one_line_and_means_itself(text):
    line = config_text({"password": text})
    assert line.startswith("password: ") and line.endswith("\n")
    assert unquoted(line[len("password: ") : -1]) == text


@pytest.mark.parametrize(
    "number, text", [(0.5, "0.5"), (2.0, "2.0"), (1e-05, "0.00001"), (1e21, "1" + "0" * 21)]
)
def test_a_number_has_no_exponent(number, text):
    assert config_text({"timeout": number}) == f"timeout: {text}\n"


@pytest.mark.parametrize(
    "settings, message",
    [
        (["x"], "settings are a dictionary, not a list"),
        ({"users": [{"user": "a", "password": 1234}]}, r"users\[0\]\.password .* not a number"),
        ({"authorization": {"token": True}}, r"authorization\.token .* not a truth value"),
        ({"server_name": 7}, "server_name has to be a text, not a number; put it in quotes"),
        ({"max_payload": "lots"}, "max_payload: 'lots' is not a size"),
        ({"accounts": {"a\nb": {}}}, "no way to write this name"),
        ({"accounts": {"a\"b'c": {}}}, "no way to write this name"),
        ({"accounts": {"": {}}}, "no way to write this name"),
        ({"debug": b"x"}, "debug cannot be a bytes"),
        ({"tags": [None]}, r"tags\[0\] cannot be nothing"),
    ],
)
def test_what_cannot_be_said_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        config_text(settings)


def test_a_refusal_does_not_tell_a_secret():
    with pytest.raises(ConfigError) as caught:
        config_text({"password": 4711})
    assert "4711" not in str(caught.value)


def test_what_is_shown_has_no_secret():
    settings = {
        "authorization": {"user": "a", "password": "hidden", "token": "hidden"},
        "leafnodes": {"remotes": [{"url": "nats-leaf://hidden:hidden@h:7422"}]},
        "cluster": {"routes": ["nats://user:hidden@h:6222"], "authorization": {"pass": "hidden"}},
        "jetstream": {"key": "hidden", "prev_key": "hidden", "store_dir": "/x@y"},
    }
    text = config_text(settings, mask=True)
    assert "hidden" not in text
    assert 'url: "nats-leaf://********@h:7422"' in text
    assert 'store_dir: "/x@y"' in text
    assert text.count("\n") == config_text(settings).count("\n")


def test_a_restart_is_for_what_a_reload_does_not_change():
    kept = {"port": 4222, "jetstream": {"store_dir": "/x"}, "no_auth_user": "a"}
    settings = {
        **kept,
        **dict.fromkeys(RELOADABLE, 1),
        "cluster": {"name": "C", "port": 6222, "routes": ["x"], "tls": {}, "permissions": {}},
    }
    assert for_start(settings) == {**kept, "cluster": {"name": "C", "port": 6222}}
    assert settings["cluster"]["routes"] == ["x"]
