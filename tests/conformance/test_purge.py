# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge removes what it says, and check mode counts the very same without removing it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from independent import Account

from ansible_collections.nats.jetstream.plugins.modules import jetstream_purge
from harness import client, servers

# s.a, s.b and s.c.x in turn; the sequences of one subject are three apart.
SUBJECTS = ["s.a", "s.b", "s.c.x"] * 7
HOLES = [1, 2, 5, 11, 12, 21]


def sequences(account):
    """The sequences that are stored, asked for one by one: 2.9 does not tell every hole."""
    state = account.state("S")
    everything = range(state["first_seq"], state["last_seq"] + 1)
    if len(everything) == state["messages"]:
        return list(everything)
    found = [account.api("STREAM.MSG.GET.S", {"seq": seq}) for seq in everything]
    stored = [answer["message"]["seq"] for answer in found if "message" in answer]
    assert len(stored) == state["messages"]
    return stored


def survivors(before, subject_of, subject=None, seq=None, keep=None):
    """What has to be left, worked out from the description of the options alone."""
    wanted = [one for one in before if subject is None or matches(subject, subject_of[one])]
    if seq is not None:
        gone = {one for one in wanted if one < seq}
    elif keep is not None:
        gone = set(wanted[:-keep])
    else:
        gone = set(wanted)
    return [one for one in before if one not in gone]


def matches(pattern, subject):
    wanted, given = pattern.split("."), subject.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(given) > index
        if index >= len(given) or token not in ("*", given[index]):
            return False
    return len(wanted) == len(given)


def judge(account, run_module, args, expected):
    before = sequences(account)
    removed = len(before) - len(expected)
    check = run_module(jetstream_purge, stream="S", **args, check=True)
    assert sequences(account) == before
    assert (check.get("purged"), check.get("remaining")) == (removed, len(expected)), check
    assert check["changed"] is (removed > 0)
    done = run_module(jetstream_purge, stream="S", **args)
    for key in ("changed", "purged", "remaining", "diff"):
        assert check[key] == done[key], key
    assert sequences(account) == expected
    again = run_module(jetstream_purge, stream="S", **args)
    assert (again["changed"], again["purged"]) == (False, 0)
    assert sequences(account) == expected


PURGES = {
    "all": {},
    "filter": {"filter": "s.a"},
    "filter_wildcard": {"filter": "s.*"},
    "filter_everything": {"filter": ">"},
    "filter_deep": {"filter": "s.c.>"},
    "filter_nothing": {"filter": "s.none"},
    "filter_of_another_stream": {"filter": "o.>"},
    "seq": {"seq": 10},
    "seq_2": {"seq": 2},
    "seq_of_the_last": {"seq": 21},
    "seq_after_the_last": {"seq": 22},
    "seq_far_beyond": {"seq": 1000},
    "keep": {"keep": 4},
    "keep_1": {"keep": 1},
    "keep_all": {"keep": 21},
    "keep_more": {"keep": 100},
    "filter_keep": {"filter": "s.b", "keep": 2},
    "filter_keep_all": {"filter": "s.b", "keep": 50},
    "filter_wildcard_keep": {"filter": "s.*", "keep": 3},
    "filter_seq": {"filter": "s.b", "seq": 9},
    "filter_wildcard_seq": {"filter": "s.*", "seq": 9},
    "filter_seq_beyond": {"filter": "s.b", "seq": 1000},
    "filter_nothing_seq": {"filter": "s.none", "seq": 9},
}


@pytest.mark.parametrize("holes", [[], HOLES], ids=["whole", "holes"])
@pytest.mark.parametrize("storage", ["file", "memory"])
@pytest.mark.parametrize("name", PURGES)
def test_purge(name, storage, holes, account, run_module):
    # With holes, 2.9 and the memory streams of 2.10 take keep for a range of sequences, down to
    # nothing where the last one is a hole, and the memory streams of 2.9 take no sequence that is
    # one. Whatever they take, the task has to do what it says.
    args = PURGES[name]
    account.stream("S", subjects=["s.>"], storage=storage)
    account.store(*SUBJECTS)
    for seq in holes:
        account.ok("STREAM.MSG.DELETE.S", {"seq": seq})
    before = sequences(account)
    assert before == [seq for seq in range(1, 22) if seq not in holes]
    subject_of = dict(enumerate(SUBJECTS, 1))
    parts = {"subject" if key == "filter" else key: value for key, value in args.items()}
    judge(account, run_module, args, survivors(before, subject_of, **parts))


def test_many_subjects(account, run_module):
    account.stream("S", subjects=["s.>"])
    subjects = [f"s.{number % 40}" for number in range(200)]
    account.store(*subjects)
    before, subject_of = sequences(account), dict(enumerate(subjects, 1))
    judge(
        account,
        run_module,
        {"filter": "s.*", "seq": 101},
        survivors(before, subject_of, "s.*", seq=101),
    )


def test_empty_stream(account, run_module):
    account.stream("S", subjects=["s.>"])
    for args in ({}, {"filter": "s.a"}, {"seq": 5}, {"keep": 1}, {"filter": "s.a", "seq": 5}):
        judge(account, run_module, args, [])


@pytest.mark.parametrize("args", [{}, {"filter": "s.a"}], ids=["alone", "filter"])
@pytest.mark.parametrize("seq", [0, 1])
def test_the_first_sequence_removes_nothing(seq, args, account, run_module):
    """Servers 2.9 and 2.10 take both for a purge of everything."""
    account.stream("S", subjects=["s.>"])
    account.store(*SUBJECTS)
    judge(account, run_module, {"seq": seq, **args}, sequences(account))


@pytest.mark.parametrize(
    "args",
    [
        {"keep": 0},
        {"keep": -1},
        {"seq": -1},
        {"filter": ""},
        {"filter": "s..a"},
        {"filter": "s.a b"},
        {"filter": "s.>.a"},
        {"seq": 5, "keep": 2},
        {"filter": "s.a", "keep": 0},
        {"filter": "", "seq": 5},
        {"count_limit": -1},
    ],
    ids=str,
)
def test_what_could_be_taken_for_everything_is_refused(args, account, run_module):
    account.stream("S", subjects=["s.>"])
    account.store(*SUBJECTS)
    before = sequences(account)
    for check in (True, False):
        result = run_module(jetstream_purge, stream="S", **args, check=check)
        assert result.get("failed"), result
        assert sequences(account) == before


@pytest.mark.parametrize(
    "args, exact",
    [
        ({"filter": "s.a", "seq": 15, "count_limit": 3}, False),
        ({"seq": 15, "count_limit": 3}, False),
        ({"seq": 15, "count_limit": 0}, False),
        ({"filter": "s.*", "seq": 15, "count_limit": 100}, True),
        # These are told without looking at a message.
        ({"count_limit": 0}, True),
        ({"filter": "s.a", "count_limit": 0}, True),
        ({"keep": 2, "count_limit": 0}, True),
        ({"filter": "s.a", "keep": 2, "count_limit": 0}, True),
    ],
    ids=str,
)
def test_count_limit(args, exact, account, run_module):
    account.stream("S", subjects=["s.>"])
    account.store(*SUBJECTS)
    for seq in HOLES:
        account.ok("STREAM.MSG.DELETE.S", {"seq": seq})
    before = sequences(account)
    check = run_module(jetstream_purge, stream="S", **args, check=True)
    assert check["changed"] is True, check
    assert sequences(account) == before
    done = run_module(jetstream_purge, stream="S", **args)
    purged = len(before) - len(sequences(account))
    assert done["purged"] == purged > 0
    if exact:
        assert (check["purged"], check["remaining"]) == (purged, len(before) - purged)
        assert "purged_at_most" not in check
    else:
        assert (check["purged"], check["remaining"]) == (None, None)
        assert purged <= check["purged_at_most"] <= len(before)


@pytest.mark.parametrize("field", ["deny_purge", "sealed"])
def test_streams_that_can_not_be_purged(field, account, run_module):
    account.stream("S", subjects=["s.>"], deny_purge=True, deny_delete=True, discard="new")
    account.store(*SUBJECTS)
    if field == "sealed":
        account.ok("STREAM.UPDATE.S", {**account.info("S")["config"], "sealed": True})
    before = sequences(account)
    for args in ({}, {"filter": "s.a"}, {"seq": 5}, {"keep": 3}, {"filter": "s.a", "seq": 5}):
        check = run_module(jetstream_purge, stream="S", **args, check=True)
        done = run_module(jetstream_purge, stream="S", **args)
        assert check.get("failed") and done.get("failed"), (args, check, done)
        assert check["msg"] == done["msg"]
        assert field in done["msg"]
        assert sequences(account) == before


@pytest.mark.parametrize(
    "args", [{"seq": 1}, {"filter": "s.none"}, {"keep": 100}, {"filter": "s.a", "seq": 1}], ids=str
)
@pytest.mark.parametrize("field", ["deny_purge", "sealed"])
def test_nothing_to_remove_is_no_failure(field, args, account, run_module):
    """Nor where a purge is not possible."""
    account.stream("S", subjects=["s.>"], deny_purge=True, deny_delete=True, discard="new")
    account.store(*SUBJECTS)
    if field == "sealed":
        account.ok("STREAM.UPDATE.S", {**account.info("S")["config"], "sealed": True})
    judge(account, run_module, args, sequences(account))


def test_missing_stream(account, run_module):
    for args in ({}, {"filter": "s.a"}, {"seq": 0}, {"seq": 5}, {"keep": 3}):
        # An earlier task could still create it.
        check = run_module(jetstream_purge, stream="S", **args, check=True)
        assert check["changed"] is False, check
        assert "does not exist yet" in check["warnings"][0]
        result = run_module(jetstream_purge, stream="S", **args)
        assert result.get("failed"), result
        assert (result["err_code"], result["error_class"]) == (10059, "missing")


# --------------------------------------------------------------------------------------------------
# Any purge of any stream
# --------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["s.a", "s.b", "s.c.x", "s.c.y"])
FILTERS = st.sampled_from(["s.a", "s.*", "s.c.*", "s.c.>", ">", "s.*.x", "s.none"])
NUMBERS = st.integers(min_value=1, max_value=30)


@st.composite
def purges(draw):
    args = draw(
        st.one_of(
            st.just({}),
            st.builds(lambda seq: {"seq": seq}, NUMBERS),
            st.builds(lambda keep: {"keep": keep}, NUMBERS),
        )
    )
    if draw(st.booleans()):
        args["filter"] = draw(FILTERS)
    return args


@given(
    subjects=st.lists(WORDS, max_size=24),
    holes=st.sets(NUMBERS),
    steps=st.lists(purges(), min_size=1, max_size=3),
    more=st.lists(WORDS, max_size=4),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_purge(newest_server: servers.Server, run_module, subjects, holes, steps, more):
    with client.Client(newest_server.url) as nats:
        account = Account(nats, newest_server)
        account.clear()
        account.stream("S", subjects=["s.>"], storage="memory")
        subject_of = dict(zip(account.store(*subjects), subjects))
        for seq in holes & set(subject_of):
            account.ok("STREAM.MSG.DELETE.S", {"seq": seq})
        for args in steps:
            before = sequences(account)
            parts = {"subject" if key == "filter" else key: args[key] for key in args}
            judge(account, run_module, args, survivors(before, subject_of, **parts))
            subject_of.update(zip(account.store(*more), more))
