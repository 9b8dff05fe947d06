# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every refusal that a standalone server can be brought to: its class, and its sentence."""

from __future__ import annotations

import json

import pytest
import refusals
from connecting import with_manager

from ansible_collections.nats.jetstream.plugins.module_utils import _errors
from harness import client, servers

COLUMNS = {"2.9": 0, "2.10": 1}  # anything newer is the last one


@pytest.fixture(scope="module")
def busy(server):
    with servers.Server(server.binary) as running, client.Client(running.url) as nats:
        nats.subscribe("to.p")
        refusals.prepare(nats)
        yield running


@pytest.fixture(autouse=True)
def clean(busy):
    """Most refusals leave everything as it is; what is accepted somewhere may not."""
    yield
    with client.Client(busy.url) as nats:
        for name in (
            "STREAM.DELETE.N",
            "CONSUMER.DELETE.S.N",
            "CONSUMER.DELETE.W.N",
            "CONSUMER.DELETE.LIMITED.N",
        ):
            nats.api(name)


def expected(server, codes):
    if isinstance(codes, int):
        return codes
    return codes[COLUMNS.get(server.version.rpartition(".")[0], 2)]


@pytest.mark.parametrize("name", refusals.ROWS)
def test_a_refusal(name, busy):
    codes, (request, body) = refusals.ROWS[name]
    payload = b"" if body is None else json.dumps(body).encode()
    code = expected(busy, codes)
    if code is None:
        assert with_manager(lambda manager: manager.try_request(request, payload), busy.url)
        return
    with pytest.raises(_errors.ApiError) as refused:
        with_manager(lambda manager: manager.try_request(request, payload), busy.url)
    error = refused.value
    assert error.err_code == code
    meaning = _errors.meaning(code, error.description)
    text = str(error)
    assert text.startswith(f"the server refused {request}: {error.description} (err_code {code}).")
    assert text.endswith(meaning.advice)
    assert error.result()["error_class"] == meaning.error_class
    assert code in _errors.meanings(), "an err_code that is not in the table"


def test_how_many_are_tried():
    codes = {
        code
        for row, _request in refusals.ROWS.values()
        for code in ([row] if isinstance(row, int) else row)
        if code
    }
    assert len(codes) >= 85
