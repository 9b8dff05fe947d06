# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole modules over a connection that is cut, slow, silent, or loses what is sent over it.

Every module in every way that it works, with a fault at each message of it. However that ends, the
result agrees with the server: what is reported happened, what happened is reported or said to be
possible. A second run does the rest, and a third one finds nothing to do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from ways import FILE, FULL, KV, OBJECTS, PASSWORD, WAYS, module_named, prepare, skip_too_old

from harness import client, collection, servers
from harness.between import FAULTS, Between, Fault
from harness.sizes import NIGHTLY, size

BINARIES = os.environ["NATS_SERVERS"].split(os.pathsep)
USERS = {"authorization": {"users": [{"user": "admin", "password": PASSWORD}]}}
PATIENT = {"timeout": "20s", "retry_for": "20s", "connect_timeout": "20s"}
DISTURBED = {"timeout": "400ms", "retry_for": "3s", "connect_timeout": "2s"}
HOPELESS = {**DISTURBED, "retry_for": "500ms"}  # for faults that last
BOUND = 20.0  # s; several requests may be given up one after the other, on a machine that is busy
MOST = 40  # positions in one run; more requests are alike
DRAWN = size(1, 0)  # faults of a way in ``make test``; all of them at night

# Ways that take more messages than those of WAYS, and what takes an identity.
MANY = [{"key": f"k{number}", "value": f"v{number}"} for number in range(20)]
ALL = {
    "streams": [
        {"name": f"S{number}", "subjects": [f"s{number}.>"], "consumers": [{"name": "C"}]}
        for number in range(24)
    ],
    "kv_buckets": [{"name": "B", "entries": MANY}],
}
OTHER = {
    "streams": [
        *({"name": f"S{number}", "state": "absent"} for number in range(6)),
        *({"name": f"S{number}", "max_age": "1h"} for number in range(6, 18)),
        {"name": "S23", "subjects": ["s23.a", "s22.a"]},
        {"name": "S22", "subjects": ["s22.b"], "consumers": [{"name": "D"}]},
    ],
    "kv_buckets": [{"name": "B", "entries": [{"key": "k0", "state": "absent"}]}],
}


def declared(server, _nats):
    """Make what ALL declares, which a row begins with."""
    url = server.url.replace("://", f"://admin:{PASSWORD}@")
    module = module_named("jetstream_environment")
    result = collection.run_module(module, servers=[url], **ALL)
    assert not result.get("failed"), result["msg"]


MESSAGE = {"stream": "S", "subject": "s.x", "data": "other", "msg_id": "once"}
MORE = [
    ("jetstream_environment", [], ALL),
    ("jetstream_environment", [declared], OTHER),
    ("jetstream_environment_info", [declared], {"include_entries": True}),
    ("jetstream_kv", [KV], {"bucket": "B", "entries": MANY}),
    ("jetstream_object", [OBJECTS], {"bucket": "B", "name": "o", "content": "x" * 500_000}),
    ("jetstream_message", FULL, MESSAGE),
]
ROWS = [(module, *way) for module, ways in WAYS.items() for way in ways] + MORE

# What a failure says of a write of which nobody knows, or that was done.
ADMITS = re.compile(
    r"may have been|was accepted|were purged|was recreated|was restored|changes were made"
    r"|are left on|takes no messages|has been|was (?:stored|written|deleted)"
)
QUIET = r"subjects could not be given back|lacks its subjects"
CAUSES = re.compile(
    r"no answer to|did not answer|was lost|within [\d.]+ m?s|connection refused|hung up"
    r"|closed the connection|ended the connection|no connection|sent nothing for \d+ s"
)


class Way:
    """One way in which a module works: what it finds, what it is told, and what it leaves."""

    def __init__(self, server, between, row):
        self.server, self.between = server, between
        module, self.there, self.args = row
        self.module = module_named(module)

    def prepare(self):
        with self.look() as nats:
            prepare(self.server, nats, self.there)

    def look(self):
        return client.Client(self.server.url.replace("://", f"://admin:{PASSWORD}@"))

    def state(self):
        with self.look() as nats:
            return {**assets(nats), **files()}

    def run(self, **args):
        login = {"servers": [self.between.url], "user": "admin", "password": PASSWORD}
        started = time.monotonic()
        result = collection.run_module(self.module, **self.args, **login, **args)
        return result, time.monotonic() - started

    def learn(self):
        """Run it twice undisturbed, to know what is right."""
        self.prepare()
        self.before = self.state()
        self.between.disturb(None)
        self.first, _took = self.run(**PATIENT)
        assert not self.first.get("failed"), self.first["msg"]
        self.after = self.state()
        between = self.between
        self.counts = between.requests, between.answers, between.sent, between.got
        self.again, _took = self.run(**PATIENT)
        assert not self.again.get("failed"), self.again["msg"]
        assert self.state() == self.after

    def faults(self):
        """Return every fault at every message, and cuts after some bytes."""
        requests, answers, sent, got = self.counts
        for what in FAULTS:
            last = requests if what.endswith("request") or what == "request lost" else answers
            ats = range(1, last + 1)
            for at in ats if last <= MOST else [*ats[: MOST // 2], *ats[-MOST // 2 :]]:
                yield Fault(what, at)
        for what, last in (("cut sent", sent), ("cut got", got)):
            for part in range(16):
                yield Fault(what, last * part // 16)
        yield Fault("slow", 0)

    def agrees(self, fault, capfd):
        self.prepare()
        assert self.state() == self.before
        self.between.disturb(fault)
        result, took = self.run(**(HOPELESS if fault.lasts else DISTURBED))
        self.between.wait()
        now, happened = self.state(), self.between.happened
        self.between.disturb(None)
        assert took < BOUND
        assert "Traceback" not in json.dumps(result) and "exception" not in result, result
        assert capfd.readouterr() == ("", "")
        if result.get("failed"):
            assert happened, result["msg"]
            self.failed_well(fault, result, now)
        else:
            assert now == self.after or self.is_gone(fault)
            for told in ("changed", "action", "changes", "purged", "would_lose"):
                same = result.get(told) == self.first.get(told)
                assert same or self.is_gone(fault), told
        if self.is_gone(fault):
            return bool(result.get("failed"))
        if self.lost_by_its_server(fault, result, now):
            return True
        if "recovery" in result:
            name, lost = lost_in(result["recovery"])
            text = result["msg"]
            had = {one for one in self.before if one.startswith(name)}
            # 2.9 keeps no note of the subjects that it had.
            quiet = self.server.version.startswith("2.9.") and re.search(QUIET, text)
            if quiet or not had <= now.keys():
                # What a task does not say of what has to be made by hand, no second run knows.
                assert plain(lost).items() <= self.before[name].items()
                return True
        second, _took = self.run(**PATIENT)
        assert not second.get("failed"), second["msg"]
        left = " left on " in str(result.get("msg"))  # chunks that are nobody's, and named
        assert without_chunks(self.state(), left) == without_chunks(self.after, left)
        if self.again["changed"] is False:
            done = without_chunks(now, left) == without_chunks(self.after, left)
            assert second["changed"] is not done, (result, second)
        third, _took = self.run(**PATIENT)
        assert third["changed"] == self.again["changed"]
        assert without_chunks(self.state(), left) == without_chunks(self.after, left)
        return bool(result.get("failed"))

    def is_gone(self, fault):
        """Say whether what there is goes with its server: a stream in memory, or a client's pin."""
        in_memory = self.after.get("S", {}).get("storage") == "memory"
        pinned = self.before.get("S/C", {}).get("pinned")
        return fault.what.startswith("restart") and bool(in_memory or pinned)

    def lost_by_its_server(self, fault, result, now):
        """Say whether a stream is gone because its server was killed while it wrote its settings.

        2.10.27 writes their checksum afterwards, and leaves out a stream whose checksum does not
        match. That is told, and the next run makes what is declared.
        """
        asked = re.findall(r"STREAM\.UPDATE\.(\w+): stream not found", str(result.get("msg")))
        return fault.what.startswith("restart") and any(
            name in self.before and name not in now for name in asked
        )

    def failed_well(self, fault, result, now):
        text = result["msg"]
        assert CAUSES.search(text) or ("restart" in fault.what and "not found" in text), text
        assert self.between.url in text, text
        assert "\n" not in text and PASSWORD not in text
        if now != self.before:
            assert result.get("changed") or ADMITS.search(text), (text, now, self.before)
        if result.get("changed") and "may have been" not in text:
            assert now != self.before, text


def lost_in(recovery):
    """Return what a recreate deleted, as assets names it, and its configuration."""
    if "stream" in recovery:
        return recovery["stream"]["name"], recovery["stream"]
    (config,) = recovery["consumers"]
    return f"{recovery['stream_name']}/{config['name']}", config


def assets(nats):
    """Return what the server has, without what is never twice the same."""
    found = {}
    for name in nats.ok("STREAM.NAMES")["streams"] or []:
        info = nats.ok(f"STREAM.INFO.{name}")
        found[name] = plain(info["config"])
        state = info["state"]
        if name.startswith("OBJ_"):
            found[f"{name} objects"] = objects(nats, name, state)
        elif state["bytes"] < 1 << 20:
            stored = [message[:2] for message in messages(nats, name, state)]
            if name.startswith("KV_"):  # a put that is repeated comes after those beside it
                stored.sort(key=lambda message: message[0])
            found[f"{name} messages"] = stored
            found[f"{name} sequences"] = [state["first_seq"], state["last_seq"]]
        else:
            found[f"{name} state"] = {key: state[key] for key in ("messages", "bytes", "last_seq")}
        for one in nats.ok(f"CONSUMER.LIST.{name}")["consumers"]:
            if one["name"].startswith("object-"):
                continue  # of a fetch that lost its connection: the server drops it by itself
            told = nats.ok(f"CONSUMER.INFO.{name}.{one['name']}")
            groups = told.get("priority_groups") or []
            pinned = [group for group in groups if group.get("pinned_client_id")]
            place = {"floor": one["ack_floor"]["stream_seq"], "pinned": len(pinned)}
            found[f"{name}/{one['name']}"] = {**plain(one["config"]), **place}
    return found


def plain(config):
    metadata = config.pop("metadata", {})
    kept = {key: text for key, text in metadata.items() if not key.startswith("_nats.")}
    return {**config, "metadata": kept}


def messages(nats, name, state):
    found = []
    for seq in range(state["first_seq"], state["last_seq"] + 1):
        message = nats.api(f"STREAM.MSG.GET.{name}", {"seq": seq}).get("message")
        if message:
            found.append((message["subject"], message.get("data") or "", message.get("hdrs")))
    return found


def objects(nats, name, state):
    """Return what each object says of itself and has, and whether chunks are nobody's."""
    infos, chunks = [], {}
    for subject, data, _headers in messages(nats, name, state):
        data = base64.b64decode(data)
        if subject.startswith(f"$O.{name[4:]}.M."):
            infos.append(json.loads(data))
        else:
            chunks.setdefault(subject.rpartition(".")[2], hashlib.sha256()).update(data)
    found = []
    for info in infos:
        nuid = info.pop("nuid")
        info.pop("mtime", None)
        found.append([info, chunks.pop(nuid).hexdigest() if nuid in chunks else None])
    return [found, len(chunks)]


def without_chunks(state, left):
    """Return a state without the chunks of objects, if there are some left of what failed."""
    name = "OBJ_B objects"
    if not left or name not in state:
        return state
    return {**state, name: [info for info, _chunks in state[name][0]]}


def files():
    """Return the files that modules write, and of what is a copy of something what is in it."""
    found = {}
    for path in sorted(Path(FILE).rglob("*")):
        name = str(path.relative_to(FILE))
        if path.is_file() and not path.name.startswith("."):  # the lock of a run that is over
            found[name] = path.name in ("new", "same") and digest(path)
    return found


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module", params=size(BINARIES[-1:], BINARIES), ids=servers.version_of)
def hurt(request):
    """A server that is killed again and again."""
    with servers.Server(request.param, config=USERS) as running:
        yield running


def asked(url):
    """Connect and ask as somebody who is not the collection; raise OSError without an answer."""
    with client.Client(url.replace("://", f"://admin:{PASSWORD}@"), timeout=1.0) as nats:
        for _number in range(2):
            assert b"account_info_response" in nats.request("$JS.API.INFO")


@pytest.mark.parametrize("fault", [Fault(what, 2) for what in FAULTS], ids=str)
def test_what_a_fault_does(fault, hurt):
    """What is to happen happens, at its place; afterwards all is well, or nothing is any more."""
    with Between(hurt) as between:
        between.disturb(fault)
        with pytest.raises(OSError):
            asked(between.url)
        between.wait()
        assert between.happened and between.requests == 2
        if fault.lasts:
            with pytest.raises(OSError):
                asked(between.url)
            between.disturb(None)
        asked(between.url)


@pytest.mark.parametrize("what", ["cut sent", "cut got"])
def test_a_cut_after_some_bytes(what, hurt):
    with Between(hurt) as between:
        between.disturb(Fault(what, 50))
        with pytest.raises(OSError):
            asked(between.url)
        assert between.happened
        asked(between.url)
        between.disturb(Fault("slow", 0))
        asked(between.url)
        assert between.happened


def test_a_server_starts_again_although_its_port_was_taken():
    with servers.Server(BINARIES[-1], config=USERS) as server:
        server.shutdown()
        listener = socket.create_server(("127.0.0.1", server.port))
        later = threading.Timer(0.3, listener.close)
        later.start()
        server.start()
        later.join()
        asked(server.url)


def named(number):
    return f"{ROWS[number][0]}-{number}"


@pytest.mark.parametrize("number", range(len(ROWS)), ids=named)
def test_faults(number, hurt, capfd):
    module, _there, args = ROWS[number]
    skip_too_old(hurt, module, args)
    if not hurt.is_running:
        hurt.start()
    with Between(hurt) as between:
        way = Way(hurt, between, ROWS[number])
        way.learn()
        every = list(way.faults())
        chosen = every if NIGHTLY else random.Random(named(number)).sample(every, DRAWN)
        failed, wrong = 0, []
        for fault in chosen:
            try:
                failed += way.agrees(fault, capfd)
            except AssertionError as error:
                wrong.append(f"{fault}: {error}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(chosen)} faults:", *wrong])
    print(f"{named(number)}: {len(chosen)} faults, {failed} of them failures")


RECREATE = next(number for number, row in enumerate(ROWS) if row[2].get("recreate") == "always")
TAKEN_AWAY, DELETE = rb'"subjects":\["recreating\.S', rb"STREAM\.DELETE\.S \S+ 0"
NEVER_SEEN = [
    ("gone from answer", TAKEN_AWAY),
    ("silent from answer", TAKEN_AWAY),
    ("gone from request", DELETE),
]


@pytest.mark.parametrize("binary", BINARIES, ids=servers.version_of)
@pytest.mark.parametrize(("what", "pattern"), NEVER_SEEN)
def test_a_recreate_says_what_became_of_the_subjects(what, pattern, binary, capfd):
    """On 2.9 no next run gives them back; on newer servers it does."""
    with servers.Server(binary, config=USERS) as server, Between(server) as between:
        way = Way(server, between, ROWS[RECREATE])
        way.learn()
        assert way.agrees(Fault(what, pattern=re.compile(pattern)), capfd)
