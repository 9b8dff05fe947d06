# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A message is returned as it was published: by its sequence, as the last, or as the next one."""

from __future__ import annotations

import base64
import itertools
import re

import pytest
import speaking

from ansible_collections.nats.jetstream.plugins.modules import jetstream_message_info

SUBJECTS = ["s.a", "s.b", "s.a", "s.c.x", "s.b"]


ASKED = [
    *({"seq": seq} for seq in range(1, 7)),
    *({"subject": one} for one in ("s.a", "s.b", "s.*", ">", "s.c.>", "s.none", "other")),
    *({"subject": "s.a", "seq": seq} for seq in (1, 2, 4)),
    *({"subject": "s.b", "seq": seq} for seq in (1, 2, 3)),
    *({"subject": one, "seq": seq} for one in ("s.*.*", ">") for seq in (1, 3, 6)),
]


def expected(stored, seq=None, subject=None):
    """Return the sequence of the message that is asked for, worked out from the options alone."""
    if subject is None:
        return seq if seq in stored else None
    found = [one for one in stored if overlaps(subject, SUBJECTS[one - 1])]
    later = [one for one in found if seq is None or one >= seq]
    return (later[-1] if seq is None else later[0]) if later else None


def overlaps(pattern, subject):
    tokens = pattern.split(".")
    wild = [".*" if one == ">" else "[^.]+" if one == "*" else re.escape(one) for one in tokens]
    return re.fullmatch(r"\.".join(wild), subject) is not None


@pytest.mark.parametrize("storage", ["file", "memory"])
@pytest.mark.parametrize("holes", [[], [3], [1, 5], [5, 4, 3]], ids=str)
def test_which_message(holes, storage, account, run_module):
    """Whatever was deleted: servers forget what is the last one when that was deleted."""
    account.stream("S", subjects=["s.>"], storage=storage, allow_direct=True)
    for number, subject in enumerate(SUBJECTS, 1):
        account.ok_publish(subject, str(number))
    for seq in holes:
        account.ok("STREAM.MSG.DELETE.S", {"seq": seq})
    stored = [seq for seq in range(1, 6) if seq not in holes]
    for args, direct, check in itertools.product(ASKED, (False, True), (False, True)):
        done = run_module(jetstream_message_info, stream="S", direct=direct, check=check, **args)
        seq = expected(stored, **args)
        assert (done["changed"], done["exists"]) == (False, seq is not None), (args, done)
        if seq is None:
            assert done["message"] is None
            continue
        told = account.ok("STREAM.MSG.GET.S", {"seq": seq})["message"]
        assert done["message"] == {
            "subject": SUBJECTS[seq - 1],
            "seq": seq,
            "time": told["time"],
            "headers": {},
            "data": str(seq),
            "encoding": "text",
            "size": 1,
        }


@pytest.mark.parametrize("deleted", [0, 1, 2, 50, 99, 100])
def test_the_last_one_of_many(deleted, account, run_module):
    account.stream("S", subjects=["s.>"], allow_direct=True)
    account.store("s.first", *(["s.a"] * 100), *(["s.b"] * 20))
    for seq in range(101, 101 - deleted, -1):
        account.ok("STREAM.MSG.DELETE.S", {"seq": seq})
    for direct in (False, True):
        done = run_module(jetstream_message_info, stream="S", subject="s.a", direct=direct)
        found = done["message"] and done["message"]["seq"]
        assert found == (101 - deleted if deleted < 100 else None)


ENCODED = {
    "text": (b"hello", None, "hello", "text"),
    "unicode": ("höß ✓".encode(), None, "höß ✓", "text"),
    "empty": (b"", None, "", "text"),
    "binary": (b"\xff\x00", None, "/wA=", "base64"),
    "half_a_character": ("ß".encode()[:1], None, "ww==", "base64"),
    "json_is_text": (b'{"a": 1}', None, '{"a": 1}', "text"),
    "as_text": (b'{"a": 1}', "text", '{"a": 1}', "text"),
    "as_json": (b'{"a": [1, null]}', "json", {"a": [1, None]}, "json"),
    "as_json_number": (b"7", "json", 7, "json"),
    "as_json_null": (b"null", "json", None, "json"),
    "as_base64": (b"hello", "base64", base64.b64encode(b"hello").decode(), "base64"),
    "all_bytes": (
        bytes(range(256)),
        None,
        base64.b64encode(bytes(range(256))).decode(),
        "base64",
    ),
}


@pytest.mark.parametrize("direct", [False, True], ids=["leader", "direct"])
@pytest.mark.parametrize("name", ENCODED)
def test_encoding(name, direct, account, server, run_module):
    data, asked, returned, encoding = ENCODED[name]
    account.stream("S", subjects=["s.>"], allow_direct=True)
    speaking.publish(server.url, "s.a", data)
    args = {"encoding": asked} if asked else {}
    done = run_module(jetstream_message_info, stream="S", seq=1, direct=direct, **args)
    message = done["message"]
    assert (message["data"], message["encoding"], message["size"]) == (
        returned,
        encoding,
        len(data),
    )


@pytest.mark.parametrize("asked, data", [("text", b"\xff"), ("json", b"{"), ("json", b"\xff")])
def test_data_that_does_not_have_the_form(asked, data, account, server, run_module):
    account.stream("S", subjects=["s.>"])
    speaking.publish(server.url, "s.a", data)
    done = run_module(jetstream_message_info, stream="S", seq=1, encoding=asked)
    assert done.get("failed"), done
    assert asked in done["msg"].lower() or "utf-8" in done["msg"].lower()


@pytest.mark.parametrize("direct", [False, True], ids=["leader", "direct"])
def test_headers_come_several_times(direct, account, run_module):
    account.stream("S", subjects=["s.>"], allow_direct=True)
    pairs = [("B", "2"), ("A", "1"), ("B", "1"), ("Nats-Msg-Id", "i"), ("Status", "404")]
    speaking.raw_publish(account.nats, "s.a", b"x", *pairs)
    done = run_module(jetstream_message_info, stream="S", seq=1, direct=direct)
    expected = {"B": ["2", "1"], "A": ["1"], "Nats-Msg-Id": ["i"], "Status": ["404"]}
    assert done["message"]["headers"] == expected
    assert speaking.block(account.nats, "S", 1) == [f"{name}: {value}" for name, value in pairs]


def test_headers_of_nats_py(account, server, run_module):
    account.stream("S", subjects=["s.>"])
    speaking.publish(server.url, "s.a", b"x", {"A": "1", "Empty": ""})
    done = run_module(jetstream_message_info, stream="S", subject="s.a")
    assert done["message"]["headers"] == {"A": ["1"], "Empty": [""]}


def test_a_large_message(account, server, run_module):
    account.stream("S", subjects=["s.>"], allow_direct=True)
    data = "x" * account.nats.info["max_payload"]
    speaking.publish(server.url, "s.a", data.encode())
    for direct in (False, True):
        done = run_module(jetstream_message_info, stream="S", seq=1, direct=direct)
        assert done["message"]["data"] == data


def test_a_stream_that_is_not_read_directly(account, run_module):
    account.stream("S", subjects=["s.>"])
    account.store("s.a")
    args = {"stream": "S", "seq": 1, "timeout": "300ms"}
    done = run_module(jetstream_message_info, **args, direct=True)
    assert done.get("failed") and "allow_direct" in done["msg"], done
    assert run_module(jetstream_message_info, **args)["exists"] is True


@pytest.mark.parametrize("direct", [False, True], ids=["leader", "direct"])
def test_missing_stream(direct, account, run_module):
    args = {"stream": "NONE", "direct": direct, "timeout": "300ms", "seq": 1}
    done = run_module(jetstream_message_info, **args)
    assert (done.get("failed"), done.get("err_code")) == (True, 10059), done
    assert "NONE" in done["msg"]
    check = run_module(jetstream_message_info, **args, check=True)
    assert (check["exists"], check["message"], check["changed"]) == (False, None, False)
    assert "does not exist yet" in check["warnings"][0]


def test_a_mirror_is_read_by_its_own_name(account, server, run_module):
    account.stream("O", subjects=["s.>"], allow_direct=True)
    account.store("s.a")
    account.stream("S", mirror={"name": "O"}, allow_direct=True)
    while not account.state("S")["messages"]:
        pass
    for direct in (False, True):
        done = run_module(jetstream_message_info, stream="S", subject="s.a", direct=direct)
        assert done["message"]["seq"] == 1


@pytest.mark.parametrize(
    "places, args",
    [
        (["stream"], {"stream": "a.b", "seq": 1}),
        (["seq"], {"seq": 0}),
        (["seq"], {"seq": -1}),
        (["seq"], {"seq": 2**64}),
        (["subject"], {"subject": "s..a"}),
        (["subject"], {"subject": ""}),
        (["seq", "stream", "subject"], {"stream": "", "seq": 0, "subject": "a b"}),
    ],
    ids=str,
)
def test_wrong_options_are_told_at_once(places, args, account, run_module):
    done = run_module(jetstream_message_info, **{"stream": "S", **args})
    assert done.get("failed"), done
    assert sorted(one["place"] for one in done["problems"]) == places


def test_one_of_seq_and_subject_is_needed(account, run_module):
    done = run_module(jetstream_message_info, stream="S")
    assert done.get("failed") and "seq" in done["msg"] and "subject" in done["msg"], done
