# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import inspect
import re
from collections import Counter

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _errors

CLASSES = {
    _errors.MISSING,
    _errors.EXISTS,
    _errors.IMMUTABLE,
    _errors.LIMIT,
    _errors.TRANSIENT,
    _errors.DENIED,
    _errors.UNSUPPORTED,
    _errors.INVALID,
}


@pytest.mark.parametrize(
    ("err_code", "error_class"),
    [
        (10059, _errors.MISSING),
        (10014, _errors.MISSING),
        (10037, _errors.MISSING),
        (10058, _errors.EXISTS),
        (10148, _errors.EXISTS),
        (10055, _errors.IMMUTABLE),
        (10027, _errors.LIMIT),
        (10026, _errors.LIMIT),
        (10008, _errors.TRANSIENT),
        (10118, _errors.TRANSIENT),
        (10039, _errors.DENIED),
        (10185, _errors.UNSUPPORTED),
        (10065, _errors.INVALID),
        (19999, _errors.INVALID),
        (None, _errors.INVALID),
        (0, _errors.INVALID),
    ],
)
def test_classes(err_code, error_class):
    assert _errors.meaning(err_code, "whatever").error_class == error_class


@pytest.mark.parametrize(
    ("err_code", "description", "error_class"),
    [
        (10049, "error creating store for stream", _errors.TRANSIENT),
        (10049, "Error Creating Store for Stream", _errors.TRANSIENT),
        (10049, "invalid storage", _errors.INVALID),
        (10005, "no suitable peers for placement, peer offline", _errors.TRANSIENT),
        (10005, "no suitable peers for placement", _errors.LIMIT),
        (10052, "stream configuration update can not change storage type", _errors.IMMUTABLE),
        (10052, "stream configuration update can not unseal a stream", _errors.IMMUTABLE),
        (10052, "stream configuration update can not cancel deny purge", _errors.IMMUTABLE),
        (10052, "counter stream can not be disabled", _errors.IMMUTABLE),
        (10052, "duplicates window needs to be shorter than max age", _errors.INVALID),
        (10012, "deliver policy can not be updated", _errors.IMMUTABLE),
        (10012, "consumer name is too long", _errors.INVALID),
        (10065, "can not change", _errors.INVALID),
    ],
)
def test_where_the_text_decides(err_code, description, error_class):
    assert _errors.meaning(err_code, description).error_class == error_class


def test_the_table():
    codes = re.findall(r"^(\d+) ", _errors._TABLE, re.MULTILINE)
    assert codes == sorted(codes), "in the order of their codes"
    assert [code for code, times in Counter(codes).items() if times > 1] == []
    rows = _errors.meanings()
    assert len(rows) == len(codes)
    used = {row.error_class for row in rows.values()} | {row[2] for row in _errors._BY_TEXT}
    assert used == CLASSES
    for row in rows.values():
        assert row.advice == row.advice.strip() and "\n" not in row.advice
        assert row.advice == "" or row.advice.endswith(".")


def test_what_is_not_now_has_advice():
    rows = _errors.meanings().values()
    assert all(row.advice for row in rows if row.error_class == _errors.TRANSIENT)


def test_an_error_of_the_server_tells_request_words_number_and_advice():
    error = _errors.ApiError("STREAM.CREATE.S", 400, 10027, "maximum number of streams reached")
    text = "the server refused STREAM.CREATE.S: maximum number of streams reached (err_code 10027)."
    assert str(error) == f"{text} The account may have no more streams."
    assert error.result() == {
        "code": 400,
        "err_code": 10027,
        "error_class": "limit",
        "description": "maximum number of streams reached",
        "request": "STREAM.CREATE.S",
    }
    assert "(code 503)" in str(_errors.ApiError("INFO", 503, None, "x"))
    assert str(_errors.ApiError("INFO", None, None, "x")) == "the server refused INFO: x."


def test_problems_have_their_places():
    class Problem:
        place, text = "servers[1]", "is wrong"

        def __str__(self):
            return "servers[1]: is wrong"

    error = _errors.InvalidRequest(iter([Problem(), "plain"]))
    assert str(error) == "servers[1]: is wrong; plain"
    assert error.result() == {
        "problems": [
            {"place": "servers[1]", "text": "is wrong"},
            {"place": "", "text": "plain"},
        ]
    }


def test_each_server_that_was_tried_has_its_reason():
    error = _errors.ConnectFailed([("nats://a:1", "refused"), ("nats://b:2", "silent")])
    assert str(error) == "no connection to NATS: nats://a:1: refused; nats://b:2: silent"
    assert error.result() == {
        "tried": [
            {"server": "nats://a:1", "reason": "refused"},
            {"server": "nats://b:2", "reason": "silent"},
        ]
    }


def test_a_refused_plan():
    assert _errors.Refused("no").result() == {}
    immutable = [{"option": "storage", "current": "file", "wanted": "memory"}]
    full = _errors.Refused("no", immutable=immutable, would_lose={"messages": 3})
    assert full.result() == {"immutable": immutable, "would_lose": {"messages": 3}}


def test_what_was_not_kept():
    fields = [{"option": "max_age", "sent": 1, "kept": 2}]
    assert _errors.NotKept("bent", fields).result() == {"not_kept": fields}


def test_all_are_of_one_family():
    kinds = [
        kind
        for _name, kind in inspect.getmembers(_errors, inspect.isclass)
        if issubclass(kind, Exception)
    ]
    assert len(kinds) > 10
    assert all(issubclass(kind, _errors.JetStreamError) for kind in kinds)
    assert issubclass(_errors.NotSent, _errors.ConnectionLost)
    for kind in (_errors.ConnectionLost, _errors.RequestTimeout, _errors.NoJetStream):
        assert kind("words").result() == {}
