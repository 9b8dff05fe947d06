# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module with exactly the permissions that the documentation lists, and with one less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ways import PASSWORD, STREAM, WAYS, module_named, prepare, skip_too_old

from ansible_collections.nats.jetstream.plugins.module_utils import _permissions
from harness import client, collection, servers

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
NAMES = {"stream": "S", "consumer": "C", "bucket": "B", "key": "k"}
NAMES.update(subject="s.x", filter="s.f")

# Only a cluster has them: tests/cluster/test_step_down.py.
ELSEWHERE = {"jetstream_step_down"}
CASES = [(module, number) for module in WAYS for number in range(len(WAYS[module]))]


def subjects(module, number, version):
    row = _permissions.TABLE[module][number]
    needed = (*row.subjects, *(row.on_2_9 if version.startswith("2.9.") else row.since_2_10))
    return [_permissions.filled(one, NAMES) for one in needed]


def user(module, number, without=None):
    return f"{module}-{number}-{'all' if without is None else without}"


def users(version):
    """Yield a user with the permissions of each row, and one for each that is taken away."""
    for module, number in CASES:
        allowed = subjects(module, number, version)
        for without in (None, *range(len(allowed))):
            publish = [one for index, one in enumerate(allowed) if index != without]
            yield {
                "user": user(module, number, without),
                "password": PASSWORD,
                "permissions": {
                    "publish": {"allow": publish or ["nothing"]},
                    "subscribe": {"allow": ["_INBOX.>"]},
                },
            }


@pytest.fixture(scope="module")
def guarded(server):
    everybody = [{"user": "admin", "password": PASSWORD}, *users(server.version)]
    config = {"authorization": {"users": everybody}}
    with servers.Server(server.binary, config=config) as running:
        yield running


@pytest.fixture
def admin(guarded):
    with client.Client(guarded.url.replace("://", f"://admin:{PASSWORD}@")) as nats:
        yield nats


def run(guarded, admin, module, number, without=None):
    there, args = WAYS[module][number]
    prepare(guarded, admin, there)
    url = guarded.url.replace("://", f"://{user(module, number, without)}:{PASSWORD}@")
    return collection.run_module(module_named(module), servers=[url], **args)


def test_every_module_is_in_the_table():
    assert sorted(_permissions.TABLE) == MODULES
    assert {
        module: len(rows) for module, rows in _permissions.TABLE.items() if module not in ELSEWHERE
    } == {module: len(ways) for module, ways in WAYS.items()}


@pytest.mark.parametrize(("module", "number"), CASES)
def test_exactly_these_permissions_suffice(module, number, guarded, admin):
    skip_too_old(guarded, module, WAYS[module][number][1])
    result = run(guarded, admin, module, number)
    assert not result.get("failed"), result["msg"]
    what = _permissions.TABLE[module][number].what
    assert result["changed"] is not what.startswith(("find", "read"))


@pytest.mark.parametrize(("module", "number"), CASES)
def test_with_one_less_it_is_named(module, number, guarded, admin):
    skip_too_old(guarded, module, WAYS[module][number][1])
    for without, subject in enumerate(subjects(module, number, guarded.version)):
        result = run(guarded, admin, module, number, without)
        assert result.get("failed"), f"{subject} is not needed"
        text = str(result["msg"]).partition(" publishes, depending")[0]
        named = re.split("[*>]", subject)[0].lower()
        assert "permission" in text.lower() and named in text.lower(), text
        assert "Traceback" not in str(result)


@pytest.mark.parametrize(("retention", "refused"), [("limits", None), ("workqueue", 10098)])
def test_what_the_stream_allows_is_left_to_the_server(retention, refused, guarded, admin):
    """A user who may not read the stream creates consumers all the same."""
    prepare(guarded, admin, [{**STREAM, "retention": retention}])
    url = guarded.url.replace("://", f"://{user('jetstream_consumer', 1, None)}:{PASSWORD}@")
    code = module_named("jetstream_consumer")
    result = collection.run_module(code, servers=[url], stream="S", name="C", ack_policy="all")
    assert result.get("err_code") == refused
    assert bool(result.get("failed")) is bool(refused)


def test_check_mode_of_a_new_consumer_needs_no_more(guarded, admin):
    """It looks at the stream, and who may not is told what can be told without."""
    prepare(guarded, admin, [{**STREAM, "max_consumers": 1}])
    url = guarded.url.replace("://", f"://{user('jetstream_consumer', 0, None)}:{PASSWORD}@")
    code = module_named("jetstream_consumer")
    result = collection.run_module(code, servers=[url], stream="S", name="C", check=True)
    assert (result.get("changed"), result.get("action")) == (True, "create"), result


def test_the_message_lists_what_the_module_needs(guarded, admin):
    result = run(guarded, admin, "jetstream_purge", 1, 1)
    assert "127.0.0.1" in result["msg"]
    for told in (
        "$JS.API.STREAM.PURGE.S: ",
        "give the user the permission to publish there",
        "jetstream_purge publishes, depending on what there is to do, to $JS.API.STREAM.INFO.S, ",
    ):
        assert told in result["msg"]
