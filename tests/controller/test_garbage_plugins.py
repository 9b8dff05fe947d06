# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Garbage in the lookup and the filters: an error of Ansible's own, or a result, nothing else.

Not beside the one of modules: the controller's half of ansible-core, once loaded, makes the half of
modules refuse some of it earlier.
"""

from __future__ import annotations

import json
import random

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.nats.jetstream.plugins.doc_fragments import _connection
from ansible_collections.nats.jetstream.plugins.filter import server_config, topology
from ansible_collections.nats.jetstream.plugins.lookup import kv
from ansible_collections.nats.jetstream.plugins.module_utils import _connection_options
from harness import client, garbage, sizes
from harness.sizes import size
from harness.tap import Tap

OF_PYTHON = ("Traceback", "object has no attribute", "codec can't", "NoneType", "not iterable")
EVERYTHING = [*garbage.TEXTS, *garbage.NUMBERS, *garbage.TREES]


def values(source, count):
    yield from EVERYTHING if count >= len(EVERYTHING) else source.sample(EVERYTHING, count)
    for _number in range(count):
        yield garbage.random_value(source)


def shaped(source, value):
    """Return a value in the places of an environment where a filter looks for something."""
    name = source.choice(["streams", "consumers", "kv_buckets", "object_buckets", "defaults"])
    inner = source.choice(["name", "subjects", "mirror", "sources", "consumers", "republish"])
    return source.choice(
        [value, {name: value}, {name: [value]}, {name: [{"name": "S", inner: value}]}]
    )


@pytest.mark.parametrize("name", ["topology", "server_config"])
def test_garbage_in_a_filter(name):
    code = {"topology": topology.topology, "server_config": server_config.server_config}[name]
    seed = sizes.seed()
    source, refused = random.Random(seed), 0
    for value in values(source, size(300, 20000)):
        given = shaped(source, value)
        try:
            text = code(given)
            assert isinstance(text, str)
        except AnsibleFilterError as error:
            refused += 1
            assert f"nats.jetstream.{name}: " in str(error), seed
            assert not any(word in str(error) for word in OF_PYTHON), (seed, str(error))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {json.dumps(given)[:300]}: {error!r}") from error
    assert refused


def documented():
    """Return the options as Ansible reads them of the documentation."""
    options = {}
    for text in (
        kv.DOCUMENTATION,
        _connection.ModuleDocFragment.DOCUMENTATION,
        _connection.ModuleDocFragment.PLUGINS,
    ):
        for name, option in yaml.safe_load(text)["options"].items():
            options[name] = {**options.get(name, {}), **option}
    return options


@pytest.fixture
def lookup(newest_server, monkeypatch):
    for variable in _connection_options.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    constants.config.initialize_plugin_configuration_definitions("lookup", "kv", documented())
    loader = DataLoader()
    plugin = kv.LookupModule(loader=loader, templar=Templar(loader=loader))
    plugin._load_name = "kv"

    def run(terms, **options):
        given = {"servers": [newest_server.url], "bucket": "B", "connect_timeout": "10s"}
        return plugin.run(terms, {}, **{**given, "retry_for": 0, **options})

    return run


def test_garbage_in_the_lookup(newest_server, lookup):
    seed = sizes.seed()
    source, tried = random.Random(seed), 0
    options = ["terms", "bucket", "shape", "encoding", *_connection_options.ARGUMENT_SPEC]
    with client.Client(newest_server.url) as nats, Tap(newest_server.url) as tap:
        nats.api("STREAM.DELETE.KV_B")
        nats.ok(
            "STREAM.CREATE.KV_B",
            {"name": "KV_B", "subjects": ["$KV.B.>"], "max_msgs_per_subject": 1},
        )
        nats.request("$KV.B.k", "value")
        assert lookup(["k"]) == ["value"]
        for option in options:
            for value in values(source, size(2, 60)):
                tried += 1
                tap.forget()
                try:
                    lookup([value] if option == "terms" else ["k"], **_named(option, value))
                except AnsibleError as error:
                    text = str(error)
                    assert not any(word in text for word in OF_PYTHON), (seed, option, text)
                except Exception as error:
                    shown = json.dumps(value)[:200]
                    raise AssertionError(f"seed {seed}: {option}={shown}: {error!r}") from error
                writes = [one for one in tap.writes() if "CONSUMER" not in one]
                assert writes == [], (seed, option)
        nats.ok("STREAM.DELETE.KV_B")
    assert tried > 50


def _named(option, value):
    return {} if option == "terms" else {option: value}
