# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any declaration to any other: what check mode foretells, happens, and only once."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

import configurations
import pytest
from configurations import MUTABLE, SIZES, chosen, fewer, some
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from independent import Account

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM
from ansible_collections.nats.jetstream.plugins.module_utils._units import format_duration
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_kv_bucket,
    jetstream_object_bucket,
    jetstream_stream,
)
from harness import client, servers
from harness.sizes import size
from harness.tap import Tap

# Pairs of each kind and for each release of the server.
PAIRS = size(100, 1000)


def examples(count):
    return settings(
        max_examples=count,
        deadline=None,
        # Every example is a dozen runs against a server, so what fails is shown as it was found.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )


SETTINGS = examples(size(40, 400))
FORETOLD = ("changed", "action", "changes", "diff", "declaration", "would_lose", "warnings")


@contextlib.contextmanager
def prepared(server: servers.Server) -> Iterator[Account]:
    """An account with two streams to source from."""
    with client.Client(server.url) as nats:
        account = Account(nats, server)
        account.clear()
        account.stream("O", subjects=["o.>"])
        account.stream("OD", subjects=["od.>"], allow_direct=True)
        try:
            yield account
        finally:
            account.clear()


@pytest.fixture(scope="module")
def account(server: servers.Server) -> Iterator[Account]:
    with prepared(server) as account:
        yield account


@pytest.fixture(scope="module")
def tap(server: servers.Server) -> Iterator[Tap]:
    with Tap(server.url) as tap:
        yield tap


@pytest.fixture(scope="module")
def newest_account(newest_server: servers.Server) -> Iterator[Account]:
    with prepared(newest_server) as account:
        yield account


@pytest.fixture(scope="module")
def newest_tap(newest_server: servers.Server) -> Iterator[Tap]:
    with Tap(newest_server.url) as tap:
        yield tap


@pytest.fixture
def tally(request) -> Iterator[Counter[str]]:
    """Counts what became of the pairs, so that a search which only meets refusals is noticed."""
    counts: Counter[str] = Counter()
    yield counts
    print(f"\n{request.node.name}: {dict(counts)}")


def start_over(account, **config):
    """Begin with no stream S, or one of raw JSON."""
    account.api("STREAM.DELETE.S")
    if config:
        account.stream("S", **config)


class Asset:
    # What the limits of a parent make of the defaults is seen in the declaration afterwards only.
    moved: dict[str, object] = {}

    def __init__(self, account, tap, run_module, module, *names, **identity):
        self.account, self.tap, self.module, self.names = account, tap, module, names
        self._run_module, self._identity = run_module, identity

    def run(self, declared, **args):
        return self._run_module(self.module, **{**self._identity, **declared}, **args)

    def stored(self):
        return self.account.stored(*self.names)

    def becomes(self, declared, **args):
        """Do it as check mode foretold it; return the action, None if it was not possible."""
        before = self.stored()
        self.tap.forget()
        check = self.run(declared, check=True, **args)
        assert self.tap.writes(self.names[0]) == []
        done = self.run(declared, **args)
        if check.get("failed") or done.get("failed"):
            # What the declaration and the asset decide is refused in both, in the same words.
            assert check.get("failed") and done.get("failed"), (check, done)
            assert check["msg"] == done["msg"]
            assert self.tap.writes(self.names[0]) == []
            assert self.stored() == before
            return None
        for key in FORETOLD:
            assert check.get(key) == done.get(key), key
        if done["action"] == "none":
            assert self.tap.writes(self.names[0]) == []
        self.rests(declared, **args)
        # What was foretold is what is there, whoever looks, and is accepted back.
        seen = self.run({})["declaration"]
        assert {**self.moved, **seen} == {**self.moved, **done["declaration"]}
        self.rests(seen)
        self.rests(seen, update="replace")
        return done["action"]

    def rests(self, declared, **args):
        """The same again changes nothing, and sends nothing that could."""
        before = self.stored()
        self.tap.forget()
        result = self.run(declared, **args)
        assert result.get("changed") is False, result
        assert self.tap.writes(self.names[0]) == []
        assert self.stored() == before


def resets(schema, declared):
    """A few settings to set back, beside those that are declared."""
    return some(*sorted(set(schema.by_name) - set(declared) - {"first_seq"})).map(
        lambda names: names[:2]
    )


def how():
    """The policy of a second run: mostly one that lets it happen."""
    return st.fixed_dictionaries(
        {
            "update": chosen("merge", "merge", "replace"),
            "recreate": chosen("always", "always", "if_empty", "never"),
            "data_loss": chosen("allow", "allow", "warn", "forbid"),
        }
    )


def pair(asset, tally, data, schema, drawn, first, between=None):
    """From one configuration to another one, as far as they are possible."""
    if not asset.becomes(first):
        tally["refused"] += 1
        return
    if between:
        between()
    second, policy = drawn(first), data.draw(how())
    reset = data.draw(resets(schema, second)) if data.draw(chosen(0, 0, 0, 1)) else []
    action = asset.becomes(second, reset=reset, **policy)
    tally[action or "second refused"] += 1


def enough(tally, pairs):
    """A good part of the pairs came about, far below what is usual."""
    assert tally["none"] + tally["update"] + tally["recreate"] > pairs // 4, tally
    assert tally["update"] > pairs // 20, tally


def test_every_field_is_drawn():
    assert set(configurations.STREAM_FIELDS) == set(STREAM.schema.by_name)
    assert set(configurations.CONSUMER_FIELDS) == set(CONSUMER.schema.by_name)


def test_from_any_stream_to_any_other(account, tap, run_module, tally):
    stream = Asset(account, tap, run_module, jetstream_stream, "S", name="S")
    release = account.release

    @given(data=st.data(), messages=st.lists(chosen("s.a", "s.b", "s.c.x"), max_size=3))
    @examples(PAIRS)
    def search(data, messages):
        start_over(account)
        first = configurations.streams(data.draw, release)
        pair(
            stream,
            tally,
            data,
            STREAM.schema,
            lambda base: configurations.streams(data.draw, release, base),
            first,
            lambda: publish(account, messages),
        )

    search()
    enough(tally, PAIRS)


def parent_defaults(parent):
    """Return what a consumer gets from the limits of its stream, as a declaration says it."""
    limits = parent.get("consumer_limits") or {}
    return {
        name: format_duration(value) if name == "inactive_threshold" else value
        for name, value in limits.items()
    }


def publish(account, subjects):
    """Send messages; whether the stream takes them is its own matter."""
    for subject in subjects:
        account.nats.publish(subject, "x")
    account.nats.flush()


def test_from_any_consumer_to_any_other(account, tap, run_module, tally):
    consumer = Asset(account, tap, run_module, jetstream_consumer, "S", "C", stream="S", name="C")
    release = account.release

    @given(
        data=st.data(),
        parent=configurations.PARENTS,
        messages=st.lists(chosen("s.a", "s.b"), max_size=2),
    )
    @examples(PAIRS)
    def search(data, parent, messages):
        if release < (2, 10):
            parent = {name: value for name, value in parent.items() if name == "retention"}
        start_over(account, subjects=["s.>"], storage="memory", **parent)
        consumer.moved = parent_defaults(parent)
        first = configurations.consumers(data.draw, release, parent)
        pair(
            consumer,
            tally,
            data,
            CONSUMER.schema,
            lambda base: configurations.consumers(data.draw, release, parent, base),
            first,
            lambda: publish(account, messages),
        )

    search()
    enough(tally, PAIRS)


ALWAYS = {"recreate": "always", "data_loss": "allow"}
REPLACE = {"update": "replace", **ALWAYS}
REPUBLISH = {"subjects": ["s.a"], "republish": {"src": "s.a", "dest": "r.a"}}
LIMITS = {"consumer_limits": {"max_ack_pending": 2000, "inactive_threshold": 2 * 86400 * 10**9}}
WORKQUEUE = {"retention": "workqueue"}
START = {"deliver_policy": "by_start_time", "opt_start_time": "2024-01-01T00:00:00Z"}
EPHEMERAL = {"durable": False, "inactive_threshold": "1h"}

# What the search has found: the first and the second configuration, how, and what becomes of the
# second on 2.9.10, 2.10.27 and 2.15.1 (no: refused in check mode; -: already the first is).
FOUND_STREAMS = {
    "counter_with_schedules": (
        {},
        {"allow_msg_counter": True, "allow_msg_schedules": True},
        ALWAYS,
        "no no no",
    ),
    "counter_that_becomes_a_mirror": (
        {"allow_msg_counter": True},
        {"mirror": {"name": "O"}},
        REPLACE,
        "- - no",
    ),
    "sources_that_differ_in_the_start": (
        {},
        {"sources": [{"name": "O", "opt_start_seq": 4}, {"name": "O", "opt_start_seq": 5}]},
        ALWAYS,
        "update no no",
    ),
    "schedules_beside_sources": (
        {"sources": [{"name": "O"}]},
        {"allow_msg_schedules": True},
        ALWAYS,
        "no no no",
    ),
    "schedules_in_a_mirror": (
        {"mirror": {"name": "O"}},
        {"allow_msg_schedules": True},
        ALWAYS,
        "no no no",
    ),
    "rollups_that_schedules_need": (
        {"allow_msg_schedules": True},
        {"description": "x"},
        REPLACE,
        "- - update",
    ),
    "sealed_and_open": ({}, {"sealed": True}, {"reset": ["deny_delete"], **ALWAYS}, "no no no"),
    "republish_in_a_mirror": (
        {"mirror": {"name": "O"}},
        {"republish": {"dest": "r.>"}},
        ALWAYS,
        "no update update",
    ),
    "republish_without_its_subject": (REPUBLISH, {"subjects": ["s.b"]}, {}, "no update update"),
    "republish_while_it_is_recreated": (
        REPUBLISH,
        {"retention": "workqueue"},
        ALWAYS,
        "no recreate recreate",
    ),
}
FOUND_CONSUMERS = {
    "above_the_limit_of_the_stream": (LIMITS, {}, {"max_ack_pending": 2001}, {}, "- no no"),
    "longer_than_the_limit_of_the_stream": (
        LIMITS,
        {},
        {"inactive_threshold": "3d"},
        {},
        "- no no",
    ),
    "unlimited_beside_the_limit": (LIMITS, {}, {"max_ack_pending": -1}, {}, "- update update"),
    "acknowledges_otherwise_than_a_workqueue": (
        WORKQUEUE,
        {},
        {"ack_policy": "all"},
        ALWAYS,
        "no no no",
    ),
    "starts_otherwise_than_a_workqueue": (WORKQUEUE, {}, START, ALWAYS, "no no no"),
    "forgets_how_a_workqueue_is_acknowledged": (
        WORKQUEUE,
        {},
        {"description": "x"},
        {"reset": ["ack_policy"], **ALWAYS},
        "no no no",
    ),
    "acknowledges_a_workqueue_by_flow_control": (
        WORKQUEUE,
        {},
        {"deliver_subject": "d.x", "ack_policy": "flow_control"},
        ALWAYS,
        "no no recreate",
    ),
    "ephemeral_that_becomes_durable": ({}, EPHEMERAL, {}, REPLACE, "update update update"),
    "zero_is_the_limit_of_the_stream": (
        LIMITS,
        {},
        {"max_ack_pending": 0, "inactive_threshold": 0},
        {},
        "- none none",
    ),
    "zero_is_the_limit_of_a_recreate": (
        LIMITS,
        {"deliver_subject": "d.x"},
        {"deliver_subject": "", "inactive_threshold": 0},
        ALWAYS,
        "- recreate recreate",
    ),
    "below_the_limit_of_the_stream": (
        LIMITS,
        {},
        {"max_ack_pending": 1000},
        {},
        "- update update",
    ),
    "acknowledges_by_flow_control": (
        {},
        {},
        {"deliver_subject": "d.x", "ack_policy": "flow_control"},
        ALWAYS,
        "no no recreate",
    ),
    "flow_control_without_its_heartbeat": (
        {},
        {},
        {"deliver_subject": "d.x", "ack_policy": "flow_control", "idle_heartbeat": "5s"},
        ALWAYS,
        "no no no",
    ),
    "pending_without_acknowledgements": (
        {},
        {"ack_policy": "none", "max_ack_pending": 5},
        {"deliver_subject": "d.x"},
        ALWAYS,
        "no no no",
    ),
    "explicit_becomes_none": (
        {},
        {},
        {"ack_policy": "none", "deliver_subject": "d.x"},
        ALWAYS,
        "recreate recreate recreate",
    ),
    "starts_after_its_place": (
        {"retention": "interest"},
        {"ack_policy": "all"},
        START,
        ALWAYS,
        "recreate recreate recreate",
    ),
}
RELEASES = ((2, 9), (2, 10), (2, 15))


def expected(account, words):
    """Return the word for the release of the server; other releases were not looked at."""
    line = account.release[:2]
    if line not in RELEASES:
        pytest.skip(f"what nats-server {account.server.version} does is not written down")
    return words.split()[RELEASES.index(line)]


def found(asset, account, first, second, policy, words):
    word = expected(account, words)
    if asset.becomes(first) is None:
        assert word == "-"
        return
    publish(account, ["s.a", "s.a"])
    assert (asset.becomes(second, **policy) or "no") == word


@pytest.mark.parametrize("case", FOUND_STREAMS)
def test_found_in_streams(account, tap, run_module, case):
    first, *rest = FOUND_STREAMS[case]
    start_over(account)
    stream = Asset(account, tap, run_module, jetstream_stream, "S", name="S")
    subjects = {} if "mirror" in first else {"subjects": ["s.a"]}
    found(stream, account, {**subjects, **first}, *rest)


@pytest.mark.parametrize("case", FOUND_CONSUMERS)
def test_found_in_consumers(account, tap, run_module, case):
    parent, first, second, policy, words = FOUND_CONSUMERS[case]
    if "consumer_limits" in parent and account.release < (2, 10):
        assert expected(account, words) == "-"
        return
    start_over(account, subjects=["s.>"], **parent)
    consumer = Asset(account, tap, run_module, jetstream_consumer, "S", "C", stream="S", name="C")
    consumer.moved = parent_defaults(parent)
    found(consumer, account, first, second, policy, words)


def test_what_becomes_durable_stays(account, tap, run_module):
    """The threshold of what was ephemeral goes with it: else it is deleted when it is idle."""
    start_over(account, subjects=["s.>"])
    consumer = Asset(account, tap, run_module, jetstream_consumer, "S", "C", stream="S", name="C")
    assert consumer.becomes(EPHEMERAL) == "create"
    assert consumer.becomes({}, reset=["durable", "inactive_threshold"]) == "update"
    stored = consumer.stored()
    assert stored["durable_name"] == "C" and not stored.get("inactive_threshold")


def test_the_default_inside_a_setting_is_foretold(newest_account, newest_tap, run_module):
    """Servers write the source of a republish that was left out."""
    start_over(newest_account)
    stream = Asset(newest_account, newest_tap, run_module, jetstream_stream, "S", name="S")
    assert stream.becomes({"republish": {"dest": "r.>"}})


@given(first=fewer(MUTABLE), second=fewer(MUTABLE))
@SETTINGS
def test_replace_gives_exactly_that(newest_account, newest_tap, run_module, first, second):
    """The same as a new stream from the declaration, whatever was there before."""
    account = newest_account
    stream = Asset(account, newest_tap, run_module, jetstream_stream, "S", name="S")
    start_over(account)
    if not stream.becomes(second):
        return
    wanted, declared = stream.stored(), stream.run({})["declaration"]
    start_over(account)
    if not stream.becomes(first):
        return
    assert stream.becomes(second, update="replace")
    after, seen = stream.stored(), stream.run({})["declaration"]
    # A window below the default may come from a limit of the server, and is left alone.
    for config in (wanted, after, declared, seen):
        config.pop("duplicate_window", None)
    assert (after, seen) == (wanted, declared)


KV_SOURCE = st.one_of(
    st.builds(lambda name: {"name": name}, chosen("o", "MISSING")),
    st.just({"name": "o", "opt_start_seq": 3}),
    st.just({"name": "O", "subject_transforms": [{"src": "o.*", "dest": "$KV.b.{{wildcard(1)}}"}]}),
    st.just({"name": "b", "external": {"api": "far.api"}}),
    st.just({"name": "far", "external": {"api": "far.api", "deliver": "far.deliver"}}),
)
BUCKET_MUTABLE = {
    name: MUTABLE[name]
    for name in ("description", "max_bytes", "compression", "placement", "metadata")
}
BUCKET_MUTABLE["ttl"] = MUTABLE["max_age"]
KV_MUTABLE = {
    **BUCKET_MUTABLE,
    "history": chosen(1, 5, 64),
    "max_value_size": SIZES,
    "republish": st.sampled_from([{"dest": "r.>"}, {"src": "$KV.b.x", "dest": "r.a"}]),
    "sources": st.lists(KV_SOURCE, max_size=2),
}
KV_FIELDS = {
    **KV_MUTABLE,
    "storage": chosen("file", "memory"),
    "limit_marker_ttl": chosen(0, "1s", "90s"),
    "mirror": st.sampled_from(
        [{"name": "o"}, {"name": "b", "external": {"api": "far.api"}}, {"name": "MISSING"}]
    ),
}
OBJECT_FIELDS = {
    **BUCKET_MUTABLE,
    "storage": chosen("file", "memory"),
    "sealed": st.booleans(),
}
BUCKETS = {
    "kv": (jetstream_kv_bucket, "KV_b", KV_FIELDS, KV_MUTABLE),
    "object": (jetstream_object_bucket, "OBJ_b", OBJECT_FIELDS, BUCKET_MUTABLE),
}


@pytest.fixture(params=sorted(BUCKETS))
def bucket(request, newest_account, newest_tap, run_module):
    """A bucket of each kind, and what it may be asked for."""
    module, stream, fields, mutable = BUCKETS[request.param]
    newest_account.api("STREAM.CREATE.KV_o", {"name": "KV_o", "subjects": ["$KV.o.>"]})
    yield Asset(newest_account, newest_tap, run_module, module, stream, name="b"), fields, mutable
    newest_account.api(f"STREAM.DELETE.{stream}")


@given(data=st.data(), recreate=chosen("never", "always"))
@SETTINGS
def test_from_any_bucket_to_any_other(newest_account, bucket, data, recreate):
    asset, fields, _mutable = bucket
    newest_account.api(f"STREAM.DELETE.{asset.names[0]}")
    if asset.becomes(data.draw(fewer(fields))):
        asset.becomes(data.draw(fewer(fields)), recreate=recreate)


@given(data=st.data())
@SETTINGS
def test_replace_gives_exactly_that_bucket(newest_account, bucket, data):
    asset, _fields, mutable = bucket
    first, second = data.draw(fewer(mutable)), data.draw(fewer(mutable))
    newest_account.api(f"STREAM.DELETE.{asset.names[0]}")
    if not asset.becomes(second):
        return
    wanted = asset.stored()
    newest_account.api(f"STREAM.DELETE.{asset.names[0]}")
    if not asset.becomes(first):
        return
    assert asset.becomes(second, update="replace")
    after = asset.stored()
    for config in (wanted, after):
        config.pop("duplicate_window", None)
    assert after == wanted
