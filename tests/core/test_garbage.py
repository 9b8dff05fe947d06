# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Garbage in any option: a failure that names the option, nothing sent, and never a traceback."""

from __future__ import annotations

import json
import os
import random
from importlib import import_module

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options
from ansible_collections.nats.jetstream.plugins.module_utils._errors import MASK
from ansible_collections.nats.jetstream.plugins.modules import jetstream_backup, jetstream_object
from harness import client, collection, garbage, servers, sizes
from harness.sizes import NIGHTLY, size
from harness.tap import Tap

# For each place: values of the lists, and values without any plan.
LISTED, RANDOM = size(6, 1000), size(2, 30)
# Nothing is tried twice, and a busy machine may take its time.
SHORT = {"connect_timeout": "10s", "timeout": "1m", "retry_for": 0}
# What Python says when it was not expected, in the words that reach a user.
OF_PYTHON = (
    *("Traceback", "object has no attribute", "object is not", "codec can't", "NoneType"),
    *("surrogates not allowed", "Errno", "unexpected keyword", "Module invocation had junk"),
    *("embedded null", "maximum recursion", "list index", "unhashable", "int too large"),
)
CONTENT = ("value", "data", "json", "base64", "src", "headers", "entries")
KV = {
    **{"name": "KV_B", "subjects": ["$KV.B.>"], "max_msgs_per_subject": 1, "discard": "new"},
    **{"allow_rollup_hdrs": True, "deny_delete": True, "allow_direct": True},
}
OBJECTS = {
    **{"name": "OBJ_B", "subjects": ["$O.B.C.>", "$O.B.M.>"], "discard": "new"},
    **{"allow_rollup_hdrs": True, "allow_direct": True},
}


@pytest.fixture(scope="module", params=[servers.VERSIONS[-1]] if not NIGHTLY else servers.VERSIONS)
def running(request):
    binary = {servers.version_of(one): one for one in _binaries()}.get(request.param)
    if binary is None:
        pytest.skip(f"nats-server {request.param} is not here")
    with servers.Server(binary) as running, client.Client(running.url) as nats:
        yield running, nats


@pytest.fixture
def world(running, tmp_path, monkeypatch):
    """A server with one of everything, in a folder where files may be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in _connection_options.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    server, nats = running
    furnish(nats, server.url)
    return server, nats


def _binaries():
    return [one for one in os.environ["NATS_SERVERS"].split(os.pathsep) if one]


def furnish(nats, url):
    for name in nats.ok("STREAM.NAMES")["streams"] or []:
        nats.ok(f"STREAM.DELETE.{name}")
    # In a file, as servers before 2.15 make no snapshot of memory.
    stream = {"name": "S", "subjects": ["s.>"], "allow_direct": True}
    nats.ok("STREAM.CREATE.S", stream)
    config = {"name": "C", "durable_name": "C", "ack_policy": "explicit"}
    if tuple(map(int, nats.info["version"].split("."))) >= (2, 11):
        config.update(priority_policy="pinned_client", priority_groups=["g"])
    nats.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": config})
    for bucket in (KV, OBJECTS):
        nats.ok(f"STREAM.CREATE.{bucket['name']}", {**bucket, "storage": "memory"})
    for subject in ("s.x", "s.y", "$KV.B.k"):
        nats.request(subject, "x")
    for module, args in (
        (jetstream_object, {"bucket": "B", "name": "o", "content": "c"}),
        (jetstream_backup, {"path": "a.path", "streams": ["S"]}),
    ):
        result = collection.run_module(module, servers=[url], **args)
        assert not result.get("failed"), result


def values(source, place):
    """A choice of all there is, and what nobody thought of."""
    listed = [*garbage.TEXTS, *garbage.NUMBERS, *garbage.TREES]
    if not place.path:
        listed += garbage.ENORMOUS
    if LISTED < len(listed):
        listed = source.sample(listed, LISTED)
    yield from listed
    for _number in range(RANDOM):
        yield garbage.random_value(source)


def safe(place, value):
    """Keep what may be a path inside the folder of the test."""
    if place.type == "path" or place.option.endswith("path") or place.option in ("src", "dest"):
        text = value if isinstance(value, str) else None
        if text is not None and ("/" in text or text.startswith("~")):
            return text.replace("/", "_").replace("~", "_")
    return value


def wrong(place, value, result, sent):
    """Say what is wrong with how a value was received; None when nothing is."""
    text = str(result.get("msg", ""))
    if not result.get("failed"):
        return None
    if not text or any(word in f"{text} {result.get('exception', '')}" for word in OF_PYTHON):
        return f"is no message for a person: {text[:300]!r}"
    if "not_kept" in result:
        return f"was written: {text[:300]!r}"
    if "err_code" in result or "tried" in result or "err_code" in text:
        return None  # a valid value, to which the server said no
    if sent:
        return f"was sent ({sent}) and refused: {text[:300]!r}"
    if value is None and not place.path:
        return None  # left out, so that something else may be missing
    names = {place.option, *(part for part in place.path if part != "[]")}
    spec = garbage.given(place.module)["argument_spec"].get(place.option, {})
    if "there is no" in text and str(value) in text:
        return None  # a valid name, of nothing
    if place.option in _connection_options.SECRETS and MASK in text:
        return None  # what is hidden may be a part of the name
    if place.option in CONTENT and "max_payload" in text:
        return None  # valid, and too large; what has so many bytes is a value or a message
    if not any(name in text for name in names.union(spec.get("aliases") or ())):
        return f"is refused without its name: {text[:300]!r}"
    return None


def search(module, of_connection, world, source, only=None):
    """Return what was tried, what failed, and everything that is wrong with it."""
    running, _nats = world
    code = import_module(f"{garbage.PACKAGE}.{module}")
    found, tried, refused = [], 0, 0
    places = list(garbage.places(module, of_connection))
    if only is not None:
        places = source.sample(places, round(only * len(places)))
    with Tap(running.url) as tap:
        for place in places:
            usual = {**SHORT, "servers": [running.url]}
            other = (place.around(), garbage.task(module))
            without = [collection.run_task(code, {**usual, **args}).get("msg") for args in other]
            if place.option == "servers":
                usual["connect_timeout"] = "10ms"  # some garbage is many addresses of nobody
            for value in values(source, place):
                value = safe(place, value)
                args = {**usual, **place.args(value)}
                tap.forget()
                problem = None
                try:
                    result = collection.run_task(code, args)
                    sent = tap.writes()
                    if sent or result.get("msg") not in without:  # the reason is the garbage
                        problem = wrong(place, value, result, sent)
                    refused += bool(result.get("failed"))
                except Exception as error:
                    problem = f"ends the module: {type(error).__name__}: {str(error)[:300]}"
                tried += 1
                if problem:
                    shown = json.dumps(value)[:80]
                    found.append(f"{module}: {place.name} = {shown} ({place.type}) {problem}")
    return tried, refused, found


@pytest.mark.parametrize("module", garbage.MODULES)
def test_the_task_itself_is_in_order(module, world):
    """Else everything would be refused for another reason than the garbage."""
    running, _nats = world
    code = import_module(f"{garbage.PACKAGE}.{module}")
    result = collection.run_module(code, servers=[running.url], **SHORT, **garbage.task(module))
    assert not result.get("failed") or "server" in result["msg"], result["msg"]


@pytest.mark.parametrize("module", garbage.MODULES)
def test_garbage(module, world):
    seed = f"{sizes.seed()} of {module}"
    tried, refused, found = search(module, False, world, random.Random(seed))
    print(f"{module}: {tried} tried, {refused} refused")
    assert found == [], f"seed {seed}"
    assert refused > tried // 4 or tried < 20


@pytest.mark.parametrize("module", garbage.MODULES)
def test_garbage_in_the_connection(module, world):
    seed = f"{sizes.seed()} of {module}"
    only = None if NIGHTLY and module == "jetstream_info" else size(0.1, 0.2)
    tried, refused, found = search(module, True, world, random.Random(seed), only)
    print(f"{module}: {tried} tried, {refused} refused")
    assert found == [], f"seed {seed}"
