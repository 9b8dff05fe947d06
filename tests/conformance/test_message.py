# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last message of a subject is what the task says, and is published only when it is not.

nats-py's own calls, and the wire, say what there is.
"""

from __future__ import annotations

import base64
import json

import pytest
import speaking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from independent import Account

from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_message,
    jetstream_message_info,
)
from harness import client

SAME = ("changed", "diff", "warnings")


@pytest.fixture
def stream(account):
    account.stream("S", subjects=["s.>"])
    return account


def messages(account, name="S"):
    return account.state(name)["messages"]


def judge(account, run_module, changed=True, **args):
    """Run in check mode, then, then again: the first foretells, the third finds nothing to do."""
    before = account.state("S")["last_seq"]
    check = run_module(jetstream_message, stream="S", **args, check=True)
    assert account.state("S")["last_seq"] == before, "check mode wrote"
    done = run_module(jetstream_message, stream="S", **args)
    assert not done.get("failed"), done
    assert {key: check.get(key) for key in SAME} == {key: done.get(key) for key in SAME}
    assert done["changed"] is changed
    assert account.state("S")["last_seq"] == before + changed
    if changed:
        assert (check["seq"], done["seq"]) == (None, before + 1)
    again = run_module(jetstream_message, stream="S", **args)
    assert (again["changed"], again["seq"]) == (False, done["seq"]), again
    assert again["diff"]["before"] == again["diff"]["after"]
    assert account.state("S")["last_seq"] == before + changed
    return done


def refused(account, run_module, text, name="S", sent=0, **args):
    """Refused in check mode and in a run, in the same words, with nothing written or even sent."""
    before = account.info(name)["state"]["last_seq"]
    sid = account.nats.subscribe("s.>")
    account.nats.flush()
    check = run_module(jetstream_message, stream=name, subject="s.a", **args, check=True)
    done = run_module(jetstream_message, stream=name, subject="s.a", **args)
    assert check.get("failed") and done.get("failed"), (check, done)
    assert check["msg"] == done["msg"]
    for part in [text] if isinstance(text, str) else text:
        assert part in done["msg"]
    assert account.info(name)["state"]["last_seq"] == before
    account.nats.flush()
    assert len(account.nats._waiting[sid]) == sent
    return done


# --------------------------------------------------------------------------------------------------
# Present
# --------------------------------------------------------------------------------------------------

DATA = {
    "text": ({"data": "hello"}, b"hello"),
    "empty": ({"data": ""}, b""),
    "unicode": ({"data": "höß ✓"}, "höß ✓".encode()),
    "lines": ({"data": "a\r\nb\n"}, b"a\r\nb\n"),
    "binary": ({"base64": base64.b64encode(bytes(range(256))).decode()}, bytes(range(256))),
    "empty_binary": ({"base64": ""}, b""),
}


@pytest.mark.parametrize("name", DATA)
def test_data(name, stream, server, run_module):
    args, data = DATA[name]
    done = judge(stream, run_module, subject="s.a", **args)
    assert speaking.last(server.url, "S", "s.a")[:2] == (done["seq"], data)


@pytest.mark.parametrize("name", DATA)
def test_what_others_published_is_left_alone(name, stream, server, run_module):
    args, data = DATA[name]
    seq = speaking.publish(server.url, "s.a", data)
    done = judge(stream, run_module, changed=False, subject="s.a", **args)
    assert done["seq"] == seq


def test_json(stream, server, run_module):
    done = judge(stream, run_module, subject="s.a", json={"a": [1, None, "ü"]})
    seq, data, _headers = speaking.last(server.url, "S", "s.a")
    assert (seq, json.loads(data)) == (done["seq"], {"a": [1, None, "ü"]})


def test_a_file(stream, server, run_module, tmp_path):
    content = bytes(range(256)) * 300
    (tmp_path / "blob").write_bytes(content)
    done = judge(stream, run_module, subject="s.a", src=str(tmp_path / "blob"))
    assert speaking.last(server.url, "S", "s.a")[:2] == (done["seq"], content)
    assert str(len(content)) in done["diff"]["after"]
    missing = refused(stream, run_module, "blub", src=str(tmp_path / "blub"))
    assert missing["problems"][0]["place"] == "src"


def test_only_the_last_message_of_the_subject_counts(stream, server, run_module):
    speaking.publish(server.url, "s.a", b"wanted")
    speaking.publish(server.url, "s.a", b"newer")
    speaking.publish(server.url, "s.b", b"wanted")
    judge(stream, run_module, subject="s.a", data="wanted")
    speaking.publish(server.url, "s.b", b"other")
    judge(stream, run_module, changed=False, subject="s.a", data="wanted")


def test_a_deleted_message_is_published_again(stream, run_module):
    done = judge(stream, run_module, subject="s.a", data="wanted")
    stream.ok("STREAM.MSG.DELETE.S", {"seq": done["seq"]})
    judge(stream, run_module, subject="s.a", data="wanted")


@pytest.mark.parametrize("storage", ["file", "memory"])
def test_the_message_before_a_deleted_one_is_the_last(storage, account, server, run_module):
    """Servers 2.9 and 2.10 say that there is none; whatever they say, it is found and replaced."""
    account.stream("S", subjects=["s.>"], storage=storage)
    for data in ("1", "2", "3"):
        account.ok_publish("s.a", data)
        account.ok_publish("s.b", data)
    account.ok("STREAM.MSG.DELETE.S", {"seq": 5})
    judge(account, run_module, changed=False, subject="s.a", data="2")
    done = judge(account, run_module, subject="s.a", data="new")
    assert "'2'" in done["diff"]["before"] or '"2"' in done["diff"]["before"]
    assert speaking.last(server.url, "S", "s.a")[:2] == (7, b"new")


def test_json_of_the_same_meaning_is_left_alone(stream, server, run_module):
    speaking.publish(server.url, "s.a", b'{ "b": 1,\n"a": [1.0, "\\u00fc"] }')
    args = {"subject": "s.a", "json": {"a": [1.0, "ü"], "b": 1}}
    judge(stream, run_module, changed=False, **args)
    judge(stream, run_module, subject="s.a", data='{"a":[1.0,"ü"],"b":1}')


def test_headers(stream, server, run_module):
    headers = {"One": "1", "Two": ["b", "a", "b"], "Empty": "", "None": None, "Yes": True, "N": 7}
    done = judge(stream, run_module, subject="s.a", data="x", headers=headers)
    lines = speaking.block(stream.nats, "S", done["seq"])
    own = [line for line in lines if not line.startswith("Nats-")]
    assert own == ["One: 1", "Two: b", "Two: a", "Two: b", "Empty: ", "Yes: true", "N: 7"]
    assert speaking.last(server.url, "S", "s.a")[2]["One"] == "1"
    # The order of names means nothing, that of values does.
    turned = dict(reversed(headers.items()))
    judge(stream, run_module, changed=False, subject="s.a", data="x", headers=turned)
    judge(stream, run_module, subject="s.a", data="x", headers={**headers, "Two": ["a", "b", "b"]})
    judge(stream, run_module, subject="s.a", data="x", headers={**headers, "two": "c"})


def test_headers_left_out_are_not_compared_and_empty_ones_are(stream, server, run_module):
    speaking.publish(server.url, "s.a", b"x", {"A": "1"})
    judge(stream, run_module, changed=False, subject="s.a", data="x")
    done = judge(stream, run_module, subject="s.a", data="x", headers={})
    assert ("A" in done["diff"]["before"], "A" in done["diff"]["after"]) == (True, False)
    judge(stream, run_module, subject="s.a", data="x", headers={"A": "1"})
    # A new message has the headers of the task, that is, none.
    done = judge(stream, run_module, subject="s.a", data="y")
    assert ("A" in done["diff"]["before"], "A" in done["diff"]["after"]) == (True, False)
    judge(stream, run_module, changed=False, subject="s.a", data="y", headers={})


def test_headers_of_the_server_are_not_compared(stream, run_module):
    pairs = [("Nats-Msg-Id", "i"), ("A", "1"), ("Nats-Whatever", "w"), ("Status", "503")]
    speaking.raw_publish(stream.nats, "s.a", b"x", *pairs)
    args = {"subject": "s.a", "data": "x", "headers": {"A": "1", "Status": "503"}}
    judge(stream, run_module, changed=False, **args)
    judge(stream, run_module, changed=False, **args, msg_id="another")


def test_the_expected_sequence_and_stream_are_always_sent(stream, server, run_module):
    speaking.publish(server.url, "s.b")
    first = judge(stream, run_module, subject="s.a", data="1")
    second = judge(stream, run_module, subject="s.a", data="2")
    for done, expected in ((first, 0), (second, first["seq"])):
        lines = speaking.block(stream.nats, "S", done["seq"])
        assert lines == [
            "Nats-Expected-Stream: S",
            f"Nats-Expected-Last-Subject-Sequence: {expected}",
        ]


# --------------------------------------------------------------------------------------------------
# Duplicates
# --------------------------------------------------------------------------------------------------


def test_a_duplicate_is_a_failure_that_check_mode_foretells(stream, server, run_module):
    judge(stream, run_module, subject="s.a", data="1", msg_id="i")
    assert "Nats-Msg-Id: i" in speaking.block(stream.nats, "S", 1)
    found = refused(
        stream, run_module, ["duplicate of message 1", "message id"], sent=1, data="2", msg_id="i"
    )
    assert "duplicate_window" in found["msg"]
    judge(stream, run_module, subject="s.a", data="2", msg_id="j")


def test_a_duplicate_of_another_subject_is_a_failure(stream, server, run_module):
    speaking.publish(server.url, "s.b", b"1", {"Nats-Msg-Id": "i"})
    done = run_module(jetstream_message, stream="S", subject="s.a", data="2", msg_id="i")
    assert done["failed"] and "duplicate of message 1" in done["msg"], done
    assert messages(stream) == 1


def test_a_message_id_can_be_used_again_after_the_window(account, run_module):
    account.stream("S", subjects=["s.>"], duplicate_window=100_000_000)
    judge(account, run_module, subject="s.a", data="1", msg_id="i")
    for _attempt in range(200):  # until the server has forgotten it
        done = run_module(jetstream_message, stream="S", subject="s.a", data="2", msg_id="i")
        if not done.get("failed"):
            break
    assert done["changed"] is True, done
    while "message" in account.api("STREAM.MSG.GET.S", {"last_by_subj": "s.a"}):
        check = run_module(
            jetstream_message, stream="S", subject="s.a", data="3", msg_id="i", check=True
        )
        if not check.get("failed"):
            break
    assert check["changed"] is True, check


# --------------------------------------------------------------------------------------------------
# What a stream cannot take
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("retention", ["workqueue", "interest"])
def test_messages_that_go_once_acknowledged(retention, account, run_module):
    account.stream("S", subjects=["s.>"], retention=retention)
    account.consumer("S", "C")
    refused(account, run_module, f"retention is {retention}", data="x")
    account.ok_publish("s.a", "x")
    refused(account, run_module, f"retention is {retention}", data="x")


def test_no_ack(account, run_module):
    account.stream("S", subjects=["s.>"], no_ack=True)
    refused(account, run_module, "no_ack", data="x")


def test_mirror(account, server, run_module):
    account.stream("O", subjects=["s.>"])
    account.stream("S", mirror={"name": "O"})
    refused(account, run_module, "a mirror of O", data="x")


def test_sealed(stream, run_module):
    judge(stream, run_module, subject="s.a", data="x")
    stream.ok("STREAM.UPDATE.S", {**stream.info("S")["config"], "sealed": True})
    refused(stream, run_module, "it is sealed", data="y")
    judge(stream, run_module, changed=False, subject="s.a", data="x")


def test_a_subject_that_the_stream_does_not_take(account, run_module):
    account.stream("S", subjects=["s.b", "t.>"])
    account.stream("T", subjects=["s.a"])
    found = refused(account, run_module, "it takes s.b, t.>, not the subject s.a", data="x")
    assert "T" not in found["msg"].split()
    assert messages(account, "T") == 0


def test_subject_transform(account, run_module):
    if account.release < (2, 10, 0):
        pytest.skip("streams transform subjects from 2.10 on")
    account.stream("S", subjects=["s.>"], subject_transform={"src": "s.*", "dest": "t.$1"})
    refused(account, run_module, "subject_transform stores s.a under another", data="x")
    judge(account, run_module, subject="s.b.c", data="x")
    account.stream("T", subjects=["u.>"], subject_transform={"src": "", "dest": "t.>"})
    done = run_module(jetstream_message, stream="T", subject="u.a", data="x")
    assert done["failed"] and "subject_transform" in done["msg"], done


def test_counters(account, run_module):
    if account.release < (2, 12, 0):
        pytest.skip("streams count from 2.12 on")
    account.stream("S", subjects=["s.>"], allow_msg_counter=True)
    refused(account, run_module, "allow_msg_counter", data="x")


def expecting(last=0):
    pairs = [("Nats-Expected-Stream", "S"), ("Nats-Expected-Last-Subject-Sequence", str(last))]
    return len("NATS/1.0\r\n\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs))


def test_the_largest_message_of_the_stream(account, server, run_module):
    account.stream("S", subjects=["s.>"], max_msg_size=500)
    room = 500 - expecting()
    found = ["has 501 bytes", "max_msg_size is 500"]
    refused(account, run_module, found, data="x" * (room + 1))
    judge(account, run_module, subject="s.a", data="x" * room)
    refused(account, run_module, found, data="x" * (room - 6), headers={"A": "12"})
    judge(account, run_module, subject="s.a", data="x" * (room - 7), headers={"A": "12"})


def test_the_largest_message_of_the_server(stream, server, run_module):
    limit = stream.nats.info["max_payload"]
    room = limit - expecting()
    found = [f"has {limit + 1} bytes", f"max_payload is {limit}"]
    refused(stream, run_module, found, data="x" * (room + 1))
    done = judge(stream, run_module, subject="s.a", data="x" * room)
    assert speaking.last(server.url, "S", "s.a")[:2] == (done["seq"], b"x" * room)
    assert "x" * 1000 not in done["diff"]["after"]


def test_a_stream_that_discards_new_messages(account, server, run_module):
    account.stream("S", subjects=["s.>"], discard="new", max_msgs=2)
    judge(account, run_module, subject="s.a", data="1")
    judge(account, run_module, subject="s.b", data="1")
    refused(account, run_module, "has the 2 that it may have", data="2")
    judge(account, run_module, changed=False, subject="s.a", data="1")


def test_a_subject_that_discards_new_messages(account, server, run_module):
    each = {"max_msgs_per_subject": 2, "discard_new_per_subject": True}
    account.stream("S", subjects=["s.>"], discard="new", **each)
    judge(account, run_module, subject="s.a", data="1")
    judge(account, run_module, subject="s.a", data="2")
    refused(account, run_module, "s.a has the 2 that it may have", data="3")
    judge(account, run_module, subject="s.b", data="1")


def test_a_full_stream_replaces_messages_of_the_subject(account, run_module):
    account.stream("S", subjects=["s.>"], discard="new", max_msgs=2, max_msgs_per_subject=1)
    judge(account, run_module, subject="s.a", data="1")
    judge(account, run_module, subject="s.b", data="1")
    judge(account, run_module, subject="s.a", data="2")
    check = run_module(jetstream_message, stream="S", subject="s.c", data="1", check=True)
    done = run_module(jetstream_message, stream="S", subject="s.c", data="1")
    assert check["failed"] and done["failed"] and check["msg"] == done["msg"]


def test_ttl(account, run_module):
    account.stream("S", subjects=["s.>"])
    refused(account, run_module, "ttl needs allow_msg_ttl", data="x", ttl="1h")
    if account.release < (2, 11, 0):
        return
    account.ok("STREAM.UPDATE.S", {**account.info("S")["config"], "allow_msg_ttl": True})
    for ttl, sent in (("1h", "3600"), ("90", "90"), ("never", "never")):
        done = judge(account, run_module, subject="s.a", data=f"for {ttl}", ttl=ttl)
        assert f"Nats-TTL: {sent}" in speaking.block(account.nats, "S", done["seq"])
    judge(account, run_module, changed=False, subject="s.a", data="for never", ttl="5m")
    done = judge(account, run_module, subject="s.b", data="short", ttl="1s")
    while account.api("STREAM.MSG.GET.S", {"seq": done["seq"]}).get("message"):
        pass
    judge(account, run_module, subject="s.b", data="short", ttl="30s")


def test_what_the_server_leaves_for_an_expired_message_is_no_message(account, run_module):
    if account.release < (2, 11, 0):
        pytest.skip("servers leave markers from 2.11 on")
    second = 1_000_000_000
    markers = {"allow_msg_ttl": True, "subject_delete_marker_ttl": 60 * second}
    account.stream("S", subjects=["s.>"], max_age=second, **markers)
    account.ok_publish("s.a", "")
    while "Nats-Marker-Reason" not in headers_of_last(account):
        pass
    judge(account, run_module, subject="s.a", data="", headers={}, ttl="never")


def headers_of_last(account):
    answer = account.api("STREAM.MSG.GET.S", {"last_by_subj": "s.a"})
    return base64.b64decode(answer.get("message", {}).get("hdrs") or "").decode()


def test_missing_stream(account, run_module):
    args = {"stream": "NONE", "subject": "s.a", "data": "x"}
    check = run_module(jetstream_message, **args, check=True)
    assert (check["changed"], check["seq"]) == (True, None), check
    assert "does not exist yet" in check["warnings"][0]
    done = run_module(jetstream_message, **args)
    assert (done["failed"], done["err_code"]) == (True, 10059)
    assert "NONE" in done["msg"]
    gone = {"stream": "NONE", "seq": 1, "state": "absent"}
    check = run_module(jetstream_message, **gone, check=True)
    assert check["changed"] is False and "does not exist yet" in check["warnings"][0], check
    assert run_module(jetstream_message, **gone)["err_code"] == 10059


# --------------------------------------------------------------------------------------------------
# Wrong options
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "places, args",
    [
        (["stream"], {"stream": "a.b", "subject": "s.a", "data": "x"}),
        (["subject"], {"subject": "s.*", "data": "x"}),
        (["subject"], {"subject": "s..a", "data": "x"}),
        (["subject"], {"data": "x"}),
        (["data"], {"subject": "s.a"}),
        (["base64"], {"subject": "s.a", "base64": "no-base-64!"}),
        (["headers.Nats-TTL"], {"subject": "s.a", "data": "x", "headers": {"Nats-TTL": "1"}}),
        (["headers.nats-x"], {"subject": "s.a", "data": "x", "headers": {"nats-x": []}}),
        (["headers.A"], {"subject": "s.a", "data": "x", "headers": {"A": "1\r\nB: 2"}}),
        (["headers.A"], {"subject": "s.a", "data": "x", "headers": {"A": " 1"}}),
        (["headers.A"], {"subject": "s.a", "data": "x", "headers": {"A": {"b": 1}}}),
        (["headers.A"], {"subject": "s.a", "data": "x", "headers": {"A": [["b"]]}}),
        (["headers.A b"], {"subject": "s.a", "data": "x", "headers": {"A b": "1"}}),
        (["headers.A:"], {"subject": "s.a", "data": "x", "headers": {"A:": "1"}}),
        (["headers.Ä"], {"subject": "s.a", "data": "x", "headers": {"Ä": "1"}}),
        (["msg_id"], {"subject": "s.a", "data": "x", "msg_id": ""}),
        (["msg_id"], {"subject": "s.a", "data": "x", "msg_id": "a\nb"}),
        (["ttl"], {"subject": "s.a", "data": "x", "ttl": "1500ms"}),
        (["ttl"], {"subject": "s.a", "data": "x", "ttl": "0"}),
        (["ttl"], {"subject": "s.a", "data": "x", "ttl": "soon"}),
        (["seq"], {"subject": "s.a", "data": "x", "seq": 1}),
        (["seq"], {"state": "absent"}),
        (["seq"], {"state": "absent", "seq": 0}),
        (["seq"], {"state": "absent", "seq": 2**64}),
        (
            ["data", "headers", "msg_id", "ttl"],
            {"state": "absent", "seq": 1, "data": "x", "headers": {}, "msg_id": "i", "ttl": "1s"},
        ),
        (["stream", "subject", "ttl"], {"stream": "", "subject": "", "data": "x", "ttl": "x"}),
    ],
    ids=str,
)
def test_wrong_options_are_told_at_once(places, args, account, run_module):
    account.stream("S", subjects=["s.>"])
    for check in (True, False):
        done = run_module(jetstream_message, **{"stream": "S", **args}, check=check)
        assert done.get("failed"), done
        assert sorted(one["place"] for one in done["problems"]) == sorted(places), done
    assert messages(account) == 0


def test_one_source_of_data(account, run_module):
    account.stream("S", subjects=["s.>"])
    done = run_module(jetstream_message, stream="S", subject="s.a", data="x", base64="eA==")
    assert done.get("failed"), done
    assert messages(account) == 0


# --------------------------------------------------------------------------------------------------
# Absent
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("erase", [True, False])
@pytest.mark.parametrize("storage", ["file", "memory"])
def test_absent(storage, erase, account, server, run_module):
    account.stream("S", subjects=["s.>"], storage=storage)
    account.store("s.a", "s.b", "s.c")
    args = {"stream": "S", "seq": 2, "state": "absent", "erase": erase}
    sid = account.nats.subscribe("$JS.API.STREAM.MSG.DELETE.S")
    account.nats.flush()
    check = run_module(jetstream_message, **args, check=True)
    assert messages(account) == 3
    done = run_module(jetstream_message, **args)
    assert (done["changed"], done["seq"]) == (True, 2)
    asked = json.loads(account.nats.next(sid).data)
    assert asked == ({"seq": 2} if erase else {"seq": 2, "no_erase": True})
    assert {key: check.get(key) for key in SAME} == {key: done.get(key) for key in SAME}
    assert "s.b" in done["diff"]["before"] and done["diff"]["after"] == ""
    assert speaking.last(server.url, "S", "s.b") is None
    assert messages(account) == 2
    for seq in (2, 99):
        again = run_module(jetstream_message, **{**args, "seq": seq})
        assert (again["changed"], again["seq"]) == (False, seq), again
        assert again["diff"]["before"] == again["diff"]["after"] == ""
    assert messages(account) == 2


def test_absent_of_another_subject(stream, run_module):
    stream.store("s.a", "s.b")
    refused(
        stream,
        run_module,
        "message 2 of the stream S has the subject s.b, not s.a",
        state="absent",
        seq=2,
    )
    assert messages(stream) == 2
    done = run_module(jetstream_message, stream="S", subject="s.a", seq=1, state="absent")
    assert done["changed"] is True
    assert messages(stream) == 1


@pytest.mark.parametrize("field", ["sealed", "deny_delete"])
def test_streams_that_delete_nothing(field, account, run_module):
    account.stream("S", subjects=["s.>"], deny_delete=field == "deny_delete")
    account.store("s.a")
    if field == "sealed":
        account.ok("STREAM.UPDATE.S", {**account.info("S")["config"], "sealed": True})
    refused(account, run_module, f"has {field} set", state="absent", seq=1)
    done = run_module(jetstream_message, stream="S", seq=2, state="absent")
    assert done["changed"] is False


def test_a_workqueue_lets_go_of_messages(account, run_module):
    account.stream("S", subjects=["s.>"], retention="workqueue")
    account.store("s.a")
    assert run_module(jetstream_message, stream="S", seq=1, state="absent")["changed"] is True
    assert messages(account) == 0


# --------------------------------------------------------------------------------------------------
# Any message
# --------------------------------------------------------------------------------------------------

NAMES = st.text(alphabet=list("abcXYZ019!#$%&'*+-.^_`|~"), min_size=1, max_size=8)
VALUES = st.text(
    alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), max_size=12
).filter(lambda text: text == text.strip())
HEADERS = st.dictionaries(
    NAMES.filter(lambda name: not name.lower().startswith("nats-")),
    st.one_of(VALUES, st.lists(VALUES, min_size=1, max_size=3)),
    max_size=4,
)


@given(data=st.binary(max_size=40), headers=HEADERS, others=HEADERS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_message(newest_server, run_module, data, headers, others):
    """It is stored as it is written, found equal afterwards, and read back whole."""
    with client.Client(newest_server.url) as connection:
        account = Account(connection, newest_server)
        account.clear()
        account.stream("S", subjects=["s.>"], storage="memory")
        text = base64.b64encode(data).decode()
        judge(account, run_module, subject="s.a", base64=text, headers=headers)
        found = run_module(jetstream_message_info, stream="S", seq=1, encoding="base64")["message"]
        listed = {
            name: value if isinstance(value, list) else [value] for name, value in headers.items()
        }
        kept = {
            name: values
            for name, values in found["headers"].items()
            if not name.startswith("Nats-Expected-")
        }
        assert (found["data"], kept) == (text, listed)
        differs = listed != {
            name: value if isinstance(value, list) else [value] for name, value in others.items()
        }
        judge(account, run_module, differs, subject="s.a", base64=text, headers=others)
