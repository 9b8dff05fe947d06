# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that are sent as they are: which ones a server knows, and what becomes of all others.

Servers before 2.12 drop what they do not know, so the tables have to be complete for them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.nats.jetstream.plugins.module_utils import _consumer, _schema, _stream
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_environment,
    jetstream_kv_bucket,
    jetstream_object_bucket,
    jetstream_stream,
)
from harness import client, servers
from harness.tap import Tap

WRONG = [[]]  # a value that no field has
STRICT = (2, 12)


# --------------------------------------------------------------------------------------------------
# What the tables say, and what the servers say
# --------------------------------------------------------------------------------------------------


def of_streams(*path):
    """Return what makes a request of a name: to create a stream with a wrong value there.

    Without that value it would be refused as well, for the name of the stream.
    """

    def request(name):
        inner = {name: WRONG}
        for outer in reversed(path):
            inner = {outer[:-2]: [inner]} if outer.endswith("[]") else {outer: inner}
        return "STREAM.CREATE.N", {"name": "OTHER", **inner}

    return request


def of_consumers(name):
    return "CONSUMER.CREATE.N.C", {"stream_name": "OTHER", "config": {name: WRONG}}


def inner(*path):
    """Return the fields of a dictionary in the configuration of a stream."""
    fields = _stream.SCHEMA.by_name
    for name in path:
        kind = fields[name].type
        kind = getattr(kind, "item", kind)
        fields = kind.by_name
    return tuple(fields.values())


# What has no option stands here with the releases that know it.
PLACES = {
    "stream": (
        of_streams(),
        _stream.SCHEMA.fields,
        {"name": ((2, 2), (3,)), "template_owner": ((2, 2), (2, 14)), "pedantic": ((2, 11), (3,))},
    ),
    "consumer": (
        of_consumers,
        (
            *(
                one
                for one in _consumer.SCHEMA.fields
                if one.name != "durable"  # which is durable_name on the wire
            ),
            *_consumer.INTERNAL,
        ),
        {"name": ((2, 9), (3,)), "durable_name": ((2, 2), (3,))},
    ),
    **{
        ".".join(path): (of_streams(*path), inner(*(part.rstrip("[]") for part in path)), {})
        for path in (
            ("placement",),
            ("republish",),
            ("consumer_limits",),
            ("subject_transform",),
            ("mirror",),
            ("mirror", "external"),
            ("mirror", "consumer"),
            ("mirror", "subject_transforms[]"),
            ("sources[]",),
            ("sources[]", "subject_transforms[]"),
        )
    },
}
# A dictionary that came later than what it is in.
SINCE = {
    name: _stream.SCHEMA.by_name[name].since for name in ("consumer_limits", "subject_transform")
}
SINCE.update(
    {
        f"{origin}.{part.name}{'[]' if part.name.endswith('s') else ''}": part.since
        for origin in ("mirror", "sources[]")
        for part in _stream.SOURCE.fields
    }
)


@pytest.fixture(scope="module")
def words(server):
    """Every name of a field in any JSON that the program reads or writes, and those of tables."""
    program = Path(server.binary).read_bytes()
    found = {one.decode() for one in re.findall(rb'json:"([A-Za-z_0-9]+)', program)}
    assert {"max_age", "ack_wait", "opt_start_seq"} <= found
    named = {one.name for _request, fields, others in PLACES.values() for one in fields}
    return sorted(found | named | {"template_owner", "pedantic", "max_agee"})


@pytest.mark.parametrize("place", PLACES)
def test_the_tables_have_every_field_that_a_server_knows(place, server, nats, words):
    request, fields, others = PLACES[place]
    release = tuple(map(int, server.version.split(".")))
    since = SINCE.get(place, ())
    expected = {one.name for one in fields if release >= max(one.since, since)}
    expected |= {name for name, (first, gone) in others.items() if first <= release < gone}
    known = set()
    for word, answer in answers(nats, request, words):
        error = answer["error"]
        if error["err_code"] == 10025 and "unknown field" not in error["description"]:
            known.add(word)
    assert known == expected


def answers(nats, request, words):
    """Ask for all words at once."""
    for number, word in enumerate(words):
        subject, body = request(word)
        nats.publish(f"$JS.API.{subject}", json.dumps(body), f"{nats._inbox}.{number}")
    for _word in words:
        message = nats.next(nats._inbox_sid)
        yield words[int(message.subject.rpartition(".")[2])], json.loads(message.data)


# --------------------------------------------------------------------------------------------------
# What becomes of the rest
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def there(account):
    """A stream with a consumer, and a bucket of each sort, to be changed."""
    account.stream("S", subjects=["s.>"])
    account.consumer("S", "C")
    bucket = {"discard": "new", "allow_rollup_hdrs": True, "allow_direct": True}
    account.stream("KV_B", subjects=["$KV.B.>"], max_msgs_per_subject=1, deny_delete=True, **bucket)
    account.stream("OBJ_B", subjects=["$O.B.C.>", "$O.B.M.>"], **bucket)
    return account


MODULES = {
    "stream": (jetstream_stream, {"name": "S"}, {"name": "N"}),
    "consumer": (jetstream_consumer, {"stream": "S", "name": "C"}, {"stream": "S", "name": "N"}),
    "kv_bucket": (jetstream_kv_bucket, {"name": "B"}, {"name": "N"}),
    "object_bucket": (jetstream_object_bucket, {"name": "B"}, {"name": "N"}),
}


def everything(account):
    names = account.ok("STREAM.NAMES")["streams"]
    return {
        name: (
            account.ok(f"STREAM.INFO.{name}")["config"],
            [one["config"] for one in account.ok(f"CONSUMER.LIST.{name}")["consumers"]],
        )
        for name in names
    }


def refused(account, run_module, module, places, **args):
    """Run a task that must fail, in check mode and not; nothing is written on older servers."""
    before = everything(account)
    for check in (True, False):
        with Tap(account.server.url) as tap:
            result = run_module(module, check=check, **args)
            sent = tap.writes()
        if account.release >= STRICT and places is None:
            assert bool(result.get("failed")) is not check  # foretold by nobody
            continue
        assert sent == []
        assert result["failed"] and not result.get("changed"), result
        rows = [*result.get("problems", [])]
        rows += [one for row in result.get("failures", []) for one in row["problems"]]
        assert sorted({row["place"] for row in rows}) == sorted(places)
    assert everything(account) == before
    return result


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("new", [False, True], ids=["there", "new"])
def test_what_nobody_knows_is_never_written(kind, new, there, run_module):
    module, old, other = MODULES[kind]
    asset = other if new else old
    strict = there.release >= STRICT
    places = None if strict else ["extra_config.no_such_field"]
    result = refused(there, run_module, module, places, **asset, extra_config={"no_such_field": 1})
    if strict:
        assert result["err_code"] == 10025 and "no_such_field" in result["msg"]
    else:
        text = f"nats-server {there.server.version} does not have this field"
        assert f"extra_config.no_such_field: {text}" in result["msg"]


def test_it_is_told_with_everything_else(there, run_module):
    if there.release >= STRICT:
        pytest.skip("a strict server says so by itself")
    refused(
        there,
        run_module,
        jetstream_consumer,
        ["extra_config.max_agee", "extra_config.new", "flow_control"],
        stream="S",
        name="N",
        flow_control=True,
        extra_config={"max_agee": 1, "new": {"a": 1}},
    )


def test_it_is_told_of_an_environment(there, run_module):
    if there.release >= STRICT:
        pytest.skip("a strict server says so by itself")
    result = refused(
        there,
        run_module,
        jetstream_environment,
        [f"extra_config.{name}" for name in "abcd"],
        streams=[
            {"name": "GOOD"},
            {"name": "S", "extra_config": {"a": 1}},
            {"name": "N", "consumers": [{"name": "C", "extra_config": {"b": 1}}]},
        ],
        kv_buckets=[{"name": "B", "extra_config": {"c": 1}}],
        object_buckets=[{"name": "B", "extra_config": {"d": {"e": 1}}}],
    )
    assert [row["place"] for row in result["failures"]] == [
        "streams[1]",
        "kv_buckets[0]",
        "object_buckets[0]",
        "streams[2].consumers[0]",
    ]


def test_what_is_inside_of_a_known_field(there, run_module):
    nested = {
        "mirror": {"name": "S", "external": {"api": "a", "x": 1}, "y": 1},
        "sources": [{"name": "S"}, {"name": "S", "bar": 1}],
        "republish": {"src": "a", "dest": "b", "x": 0},
    }
    places = ["mirror.external.x", "mirror.y", "sources[1].bar", "republish.x"]
    places = [f"extra_config.{place}" for place in places]
    if there.release < STRICT:
        refused(
            there,
            run_module,
            jetstream_object_bucket,
            places,
            name="N",
            extra_config=nested,
        )
    # Where a field has an option, ansible-core knows what is inside.
    with Tap(there.server.url) as tap:
        result = run_module(jetstream_stream, name="N", placement={"foo": 1})
        assert tap.subjects() == []
    assert result["failed"] and "placement.foo" in result["msg"]


def test_what_the_server_is_too_old_for(there, run_module):
    if there.release >= STRICT:
        pytest.skip("it has all of it")
    result = refused(
        there,
        run_module,
        jetstream_kv_bucket,
        ["extra_config.allow_msg_ttl"],
        name="N",
        extra_config={"allow_msg_ttl": True, "allow_msg_counter": False},
    )
    assert f"needs nats-server 2.11, this is {there.server.version}" in result["msg"]


@pytest.mark.parametrize("kind", MODULES)
def test_letters_of_another_case_are_no_other_field(kind, there, run_module):
    """Servers read them as the field that they know, so they would be written and not found."""
    module, old, _other = MODULES[kind]
    name = {"consumer": "Ack_Wait"}.get(kind, "Description")
    result = refused(
        there, run_module, module, [f"extra_config.{name}"], **old, extra_config={name: "x"}
    )
    assert f"extra_config.{name}: has an option of its own" in result["msg"]


def test_letters_of_another_case_where_there_is_no_option(there, run_module):
    limits = {"Max_Ack_Pending": 5}
    places = ["extra_config.Deny_Delete"]
    places += ["extra_config.consumer_limits.Max_Ack_Pending"] if there.release >= (2, 10) else []
    places += ["extra_config.consumer_limits"] if there.release < (2, 10) else []
    result = refused(
        there,
        run_module,
        jetstream_object_bucket,
        places,
        name="B",
        extra_config={"Deny_Delete": True, "consumer_limits": limits},
    )
    assert "extra_config.Deny_Delete: has to be written deny_delete" in result["msg"]


def test_what_is_no_setting(there, run_module):
    for module, name in ((jetstream_stream, "S"), (jetstream_kv_bucket, "B")):
        places = ["extra_config.pedantic", "extra_config.template_owner"]
        extra = {"pedantic": True, "template_owner": ""}
        refused(there, run_module, module, places, name=name, extra_config=extra)


def test_known_fields_are_written_and_compared(there, run_module):
    """A zero is what servers leave out."""
    extra = {"deny_delete": True, "no_ack": False, "max_consumers": 7}
    for wanted in (True, False):
        result = run_module(jetstream_object_bucket, name="N", extra_config=extra)
        assert result.get("changed") is wanted, result
    stored = there.ok("STREAM.INFO.OBJ_N")["config"]
    assert (stored["deny_delete"], stored["max_consumers"]) == (True, 7)


def test_behind_a_domain_the_server_has_to_say(run_module, server):
    """Nothing is known of the one that decides: what it does not keep is told afterwards."""
    config = {
        "jetstream": {"domain": "hub", "max_memory_store": 1 << 20, "max_file_store": 1 << 20}
    }
    with servers.Server(server.binary, config=config) as far, client.Client(far.url) as nats:
        result = run_module(
            jetstream_stream,
            servers=[far.url],
            domain="hub",
            name="N",
            storage="memory",
            extra_config={"no_such_field": 1},
        )
        assert result["failed"]
        names = nats.ok("STREAM.NAMES")["streams"] or []
    strict = tuple(map(int, server.version.split("."))) >= STRICT
    assert names == ([] if strict else ["N"])
    assert strict or [row["option"] for row in result["not_kept"]] == ["no_such_field"]


def test_the_release_since_which_servers_are_strict():
    assert _schema.STRICT_SINCE[:2] == STRICT
