# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any declaration to any other: what check mode foretells, happens, and only once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from independent import Account

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_consumer,
    jetstream_kv_bucket,
    jetstream_object_bucket,
    jetstream_stream,
)
from harness import client, servers

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    # Every example is a dozen runs against a server, so what fails is shown as it was found.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FORETOLD = ("changed", "action", "changes", "diff", "declaration", "would_lose", "warnings")
SPANS = st.sampled_from(["1s", "90s", "1h30m", "2d", "100ms", "61s1ns", 30])
COUNTS = st.sampled_from([-1, 1, 2, 10, 1000])
SIZES = st.sampled_from(["unlimited", 1000, "10KiB", "5MB", "1GiB"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)


def chosen(*values):
    return st.sampled_from(values)


def some(*values):
    return st.lists(st.sampled_from(values), unique=True, max_size=len(values))


SOURCE = st.one_of(
    st.builds(lambda name: {"name": name}, chosen("O", "OD", "MISSING")),
    st.builds(
        lambda name, start: {"name": name, "opt_start_seq": start},
        chosen("O", "OD"),
        st.integers(1, 9),
    ),
    st.just({"name": "O", "filter_subject": "o.a"}),
    st.just({"name": "O", "opt_start_time": "2024-01-01T02:00:00.123456789+02:00"}),
    st.just({"name": "OD", "subject_transforms": [{"src": "od.>", "dest": "s.c.>"}]}),
    st.just({"name": "FAR", "external": {"api": "far.api", "deliver": "far.deliver"}}),
)
MUTABLE = {
    "subjects": st.lists(chosen("s.a", "s.b", "s.c.>", "s.d.*"), unique=True, min_size=1),
    "description": TEXTS,
    "max_msgs": COUNTS,
    "max_msgs_per_subject": COUNTS,
    "max_bytes": SIZES,
    "max_age": st.one_of(st.just(0), SPANS),
    "max_msg_size": SIZES,
    "max_consumers": COUNTS,
    "discard": chosen("old", "new"),
    "discard_new_per_subject": st.booleans(),
    "no_ack": st.booleans(),
    "compression": chosen("none", "s2"),
    "placement": st.one_of(st.just({}), st.builds(lambda tags: {"tags": tags}, some("a", "B"))),
    "sources": st.lists(SOURCE, max_size=2),
    "republish": st.sampled_from([{"src": ">", "dest": "r.>"}, {"src": "s.a", "dest": "r.a"}]),
    "subject_transform": st.just({"src": "s.a", "dest": "t.a"}),
    "allow_direct": st.booleans(),
    "allow_rollup_hdrs": st.booleans(),
    "consumer_limits": st.sampled_from([{}, {"max_ack_pending": 5, "inactive_threshold": "1h"}]),
    "allow_atomic": st.booleans(),
    "allow_batched": st.booleans(),
    "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
}
FIELDS = {
    **MUTABLE,
    "retention": chosen("limits", "interest", "workqueue"),
    "storage": chosen("file", "memory"),
    "duplicate_window": st.one_of(st.just(0), SPANS),
    "first_seq": st.sampled_from([0, 1, 100]),
    "deny_delete": st.booleans(),
    "deny_purge": st.booleans(),
    "sealed": st.booleans(),
    "allow_msg_ttl": st.booleans(),
    "subject_delete_marker_ttl": chosen(0, "1s", "90s"),
    "allow_msg_counter": st.booleans(),
    "allow_msg_schedules": st.booleans(),
    "persist_mode": chosen("default", "async"),
    "mirror": SOURCE,
    "mirror_direct": st.booleans(),
}


def fewer(fields, count=6):
    """Some of the fields only: most combinations of many are refused for one of them."""
    return (
        st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=count)
        .map(lambda names: {name: fields[name] for name in names})
        .flatmap(st.fixed_dictionaries)
    )


@pytest.fixture(scope="module")
def account(newest_server: servers.Server) -> Iterator[Account]:
    with client.Client(newest_server.url) as nats:
        account = Account(nats, newest_server)
        account.clear()
        account.stream("O", subjects=["o.>"])
        account.stream("OD", subjects=["od.>"], allow_direct=True)
        yield account
        account.clear()


def start_over(account, **config):
    """Begin with no stream S, or one of raw JSON."""
    account.api("STREAM.DELETE.S")
    if config:
        account.stream("S", **config)


class Asset:
    def __init__(self, account, run_module, module, *names, **identity):
        self.account, self.module, self.names = account, module, names
        self._run_module, self._identity = run_module, identity

    def run(self, declared, **args):
        return self._run_module(self.module, **{**self._identity, **declared}, **args)

    def stored(self):
        return self.account.stored(*self.names)

    def becomes(self, declared, **args):
        """Do it as check mode foretold it; return whether it was possible."""
        before = self.stored()
        check = self.run(declared, check=True, **args)
        assert self.stored() == before
        done = self.run(declared, **args)
        if check.get("failed") or done.get("failed"):
            # What the declaration and the asset decide is refused in both, in the same words.
            assert check.get("failed") and done.get("failed"), (check, done)
            assert check["msg"] == done["msg"]
            assert self.stored() == before
            return False
        for key in FORETOLD:
            assert check.get(key) == done.get(key), key
        if done["action"] == "none":
            assert self.stored() == before
        self.rests(declared, **args)
        # What was foretold is what is there, whoever looks, and is accepted back.
        seen = self.run({})["declaration"]
        assert seen == done["declaration"]
        self.rests(seen)
        self.rests(seen, update="replace")
        return True

    def rests(self, declared, **args):
        before = self.stored()
        for check in (True, False):
            result = self.run(declared, **args, check=check)
            assert result.get("changed") is False, result
            assert self.stored() == before


@given(first=fewer(FIELDS), second=fewer(FIELDS), recreate=chosen("never", "always"))
@SETTINGS
def test_from_any_stream_to_any_other(account, run_module, first, second, recreate):
    start_over(account)
    stream = Asset(account, run_module, jetstream_stream, "S", name="S")
    if stream.becomes({"subjects": ["s.a"], **first} if "mirror" not in first else first):
        stream.becomes(second, recreate=recreate)


@pytest.mark.parametrize(
    "declared",
    [
        {"allow_msg_counter": True, "allow_msg_schedules": True},
        {"sources": [{"name": "O", "opt_start_seq": 4}, {"name": "O", "opt_start_seq": 5}]},
    ],
    ids=["counter_with_schedules", "sources_that_differ_in_the_start"],
)
def test_refused_alike(declared, account, run_module):
    """What the search below has found."""
    start_over(account)
    stream = Asset(account, run_module, jetstream_stream, "S", name="S")
    assert not stream.becomes({"subjects": ["s.a"], **declared})


def test_the_default_inside_a_setting_is_foretold(account, run_module):
    """Servers write the source of a republish that was left out."""
    start_over(account)
    stream = Asset(account, run_module, jetstream_stream, "S", name="S")
    assert stream.becomes({"republish": {"dest": "r.>"}})


@given(first=fewer(MUTABLE), second=fewer(MUTABLE))
@SETTINGS
def test_replace_gives_exactly_that(account, run_module, first, second):
    """The same as a new stream from the declaration, whatever was there before."""
    stream = Asset(account, run_module, jetstream_stream, "S", name="S")
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
def bucket(request, account, run_module):
    """A bucket of each kind, and what it may be asked for."""
    module, stream, fields, mutable = BUCKETS[request.param]
    account.api("STREAM.CREATE.KV_o", {"name": "KV_o", "subjects": ["$KV.o.>"]})
    yield Asset(account, run_module, module, stream, name="b"), fields, mutable
    account.api(f"STREAM.DELETE.{stream}")


@given(data=st.data(), recreate=chosen("never", "always"))
@SETTINGS
def test_from_any_bucket_to_any_other(account, bucket, data, recreate):
    asset, fields, _mutable = bucket
    account.api(f"STREAM.DELETE.{asset.names[0]}")
    if asset.becomes(data.draw(fewer(fields))):
        asset.becomes(data.draw(fewer(fields)), recreate=recreate)


@given(data=st.data())
@SETTINGS
def test_replace_gives_exactly_that_bucket(account, bucket, data):
    asset, _fields, mutable = bucket
    first, second = data.draw(fewer(mutable)), data.draw(fewer(mutable))
    account.api(f"STREAM.DELETE.{asset.names[0]}")
    if not asset.becomes(second):
        return
    wanted = asset.stored()
    account.api(f"STREAM.DELETE.{asset.names[0]}")
    if not asset.becomes(first):
        return
    assert asset.becomes(second, update="replace")
    after = asset.stored()
    for config in (wanted, after):
        config.pop("duplicate_window", None)
    assert after == wanted


CONSUMER_FIELDS = {
    "description": TEXTS,
    "ack_policy": chosen("explicit", "explicit", "explicit", "all", "none"),
    "ack_wait": SPANS,
    "max_deliver": COUNTS,
    "backoff": st.lists(SPANS, max_size=3),
    "filter_subject": chosen("", "s.a", "s.*", ">"),
    "filter_subjects": st.lists(chosen("s.a", "s.b", "s.c.>"), unique=True),
    "sample_freq": chosen("", "0", "50", "50%"),
    "max_ack_pending": st.sampled_from([-1, 0, 5, 1000, 2000]),
    "max_waiting": st.sampled_from([0, 5, 512]),
    "max_batch": COUNTS,
    "max_expires": st.one_of(st.just(0), SPANS),
    "max_bytes": st.sampled_from([0, 1000, "1MiB"]),
    "headers_only": st.booleans(),
    "inactive_threshold": st.one_of(st.just(0), chosen("1h", "2d")),
    "deliver_policy": chosen("all", "all", "last", "new", "by_start_sequence", "last_per_subject"),
    "opt_start_seq": st.sampled_from([0, 1, 5]),
    "replay_policy": chosen("instant", "original"),
    "deliver_subject": chosen("", "d.x", "d.y"),
    "deliver_group": chosen("", "g"),
    "rate_limit_bps": st.sampled_from([0, 1000]),
    "flow_control": st.booleans(),
    "idle_heartbeat": st.one_of(st.just(0), chosen("1s", "90s")),
    "num_replicas": st.sampled_from([0, 1]),
    "mem_storage": st.booleans(),
    "priority_policy": chosen("none", "overflow", "pinned_client", "prioritized"),
    "priority_groups": st.sampled_from([[], ["g"]]),
    "priority_timeout": st.one_of(st.just(0), SPANS),
    # In UTC, as servers rewrite it.
    "pause_until": chosen("2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
    "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
}


@given(
    first=fewer(CONSUMER_FIELDS),
    second=fewer(CONSUMER_FIELDS),
    update=chosen("merge", "replace"),
    recreate=chosen("never", "always"),
)
@SETTINGS
def test_from_any_consumer_to_any_other(account, run_module, first, second, update, recreate):
    start_over(account, subjects=["s.>"], storage="memory")
    consumer = Asset(account, run_module, jetstream_consumer, "S", "C", stream="S", name="C")
    if consumer.becomes(first):
        consumer.becomes(second, update=update, recreate=recreate)
