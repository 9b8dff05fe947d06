# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that a standalone server refuses, each with the err_code that it is known for."""

from __future__ import annotations

SECOND = 10**9
CONFIG = {"durable_name": "N", "name": "N", "ack_policy": "explicit"}
PUSH = {**CONFIG, "deliver_subject": "to.me"}
BOTH_FILTERS = {"filter_subject": "s.a", "filter_subjects": ["s.b"]}
TRANSFORM = {"src": "a.*", "dest": "b.{{wildcard(5)}}"}
OVERFLOW = {"priority_policy": "overflow"}
OF_C = {**CONFIG, "name": "C", "durable_name": "C"}
OTHER = {**OF_C, "description": "other"}
IN_USE = {**PUSH, "name": "P", "durable_name": "P", "deliver_subject": "to.q"}

LIMITS = {"max_ack_pending": 5, "inactive_threshold": SECOND}
MANY_TRANSFORMS = [{"src": "s.a", "dest": "x"}, {"src": "s.b", "dest": "y"}]
TIMES = {"first_ts": "2020-01-01T00:00:00Z", "last_ts": "2020-01-01T00:00:00Z"}
RESTORED = {"messages": 0, "bytes": 0, "first_seq": 0, "last_seq": 0, "consumer_count": 0, **TIMES}
HUGE, HOUR, LOW = 1 << 50, 3600 * SECOND, {"max_ack_pending": 1}

# What is there before: streams, and consumers of S.
STREAMS = [
    {"name": "S", "subjects": ["s.>"], "max_msg_size": 100},
    {"name": "W", "subjects": ["w.>"], "retention": "workqueue"},
    {"name": "SEALED", "subjects": ["sealed"], "sealed": False},
    {"name": "KEPT", "subjects": ["kept"], "deny_purge": True, "deny_delete": True},
    {"name": "ONE", "subjects": ["one"], "max_consumers": 1},
    {"name": "MIRROR", "mirror": {"name": "S"}},
    {"name": "LIMITED", "subjects": ["limited"], "consumer_limits": LIMITS},
]
CONSUMERS = [
    ("S", {"durable_name": "C", "name": "C", "ack_policy": "explicit"}),
    ("S", {"durable_name": "P", "name": "P", "deliver_subject": "to.p", "ack_policy": "explicit"}),
    ("ONE", {"durable_name": "C", "name": "C", "ack_policy": "explicit"}),
    ("W", {"durable_name": "C", "name": "C", "ack_policy": "explicit", "filter_subject": "w.a"}),
]


def named(name):
    return {"name": name, "durable_name": name}


def create(**config):
    return "STREAM.CREATE.N", {"name": "N", **config}


def update(name="S", **config):
    base = next(stream for stream in STREAMS if stream["name"] == name)
    return f"STREAM.UPDATE.{name}", {**base, **config}


def consumer(stream="S", base=None, action="", name="N", **config):
    body = {"stream_name": stream, "config": {**(base or CONFIG), **config}}
    return f"CONSUMER.CREATE.{stream}.{name}", {**body, **({"action": action} if action else {})}


# err_code, or the three of 2.9.10, 2.10.27 and 2.15.1, None where it is accepted; the request.
ROWS = {
    "bad request": (10003, ("STREAM.PURGE.S", {"seq": 1, "keep": 1})),
    "no servers that fit": (10074, create(num_replicas=3)),
    "clustering required": (10010, ("STREAM.LEADER.STEPDOWN.S", None)),
    "deliver_subject in use": (10013, consumer(name="P", base=IN_USE)),
    "no such consumer": (10014, ("CONSUMER.INFO.S.NO", None)),
    "snapshot without a subject": (10015, ("STREAM.SNAPSHOT.S", {"deliver_subject": "a b"})),
    "two names": (10017, ("CONSUMER.DURABLE.CREATE.S.X", {"stream_name": "S", "config": CONFIG})),
    "durable as ephemeral": (10020, ("CONSUMER.CREATE.S", {"stream_name": "S", "config": CONFIG})),
    "a wrong type": (10025, create(max_age="soon")),
    "a wrong value": (10025, create(storage="tape")),
    "too many consumers": (10026, consumer("ONE")),
    "messages larger in the origin": (10030, create(mirror={"name": "S"}, max_msg_size=1)),
    "mirror with sources": (10031, create(mirror={"name": "S"}, sources=[{"name": "W"}])),
    "mirror with subjects": (10034, create(mirror={"name": "S"}, subjects=["x"])),
    "no message": (10037, ("STREAM.MSG.GET.S", {"seq": 99})),
    "no body wanted": (10038, ("STREAM.DELETE.S", {"x": 1})),
    "invalid stream": (10052, create(subjects=["a..b"])),
    "storage of a stream": (10052, update(storage="memory")),
    "mirror of a stream": (10055, update("MIRROR", mirror={"name": "W"})),
    "two names of a stream": (10056, ("STREAM.CREATE.N", {"name": "OTHER"})),
    "a message that is kept": (10057, ("STREAM.MSG.DELETE.KEPT", {"seq": 1})),
    "another config": (10058, ("STREAM.CREATE.S", {"name": "S", "subjects": ["t.>"]})),
    "no such stream": (10059, ("STREAM.INFO.NO", None)),
    "subjects of another": (10065, create(subjects=["s.x"])),
    "deliver_subject with wildcards": (10079, consumer(base={**PUSH, "deliver_subject": "a.*"})),
    "max_waiting of push": (10080, consumer(base=PUSH, max_waiting=5)),
    "a cycle": (10081, consumer(base={**PUSH, "deliver_subject": "s.x"})),
    "max_ack_pending without acks": (
        10082,
        consumer(base={**PUSH, "ack_policy": "none"}, max_ack_pending=5),
    ),
    "a short heartbeat": (10083, consumer(base=PUSH, idle_heartbeat=SECOND // 100)),
    "acks of a workqueue": (10084, consumer("W", ack_policy="none", filter_subject="w.b")),
    "rate limit of pull": (10086, consumer(rate_limit_bps=1)),
    "max_waiting below 0": ((10087, 10087, None), consumer(max_waiting=-5)),
    "heartbeat of pull": (10088, consumer(idle_heartbeat=SECOND)),
    "flow control of pull": (10089, consumer(flow_control=True)),
    "filter elsewhere": ((10093, None, None), consumer(filter_subject="z")),
    "start without its policy": (10094, consumer(opt_start_seq=5)),
    "sample_freq": (10095, consumer(sample_freq="often")),
    "two of a workqueue": (10099, consumer("W")),
    "overlap in a workqueue": (10100, consumer("W", filter_subject="w.a")),
    "new of a workqueue": (10101, consumer("W", deliver_policy="new", filter_subject="w.b")),
    "a long description": (10107, consumer(description="x" * 5000)),
    "flow control without heartbeat": (10108, consumer(base=PUSH, flow_control=True)),
    "sealed": (10109, ("STREAM.PURGE.SEALED", None)),
    "purge not permitted": (10110, ("STREAM.PURGE.KEPT", None)),
    "max_batch below 0": ((10114, 10114, None), consumer(max_batch=-5)),
    "a short max_expires": (10115, consumer(max_expires=5)),
    "backoff too long": (10116, consumer(backoff=[SECOND, 2 * SECOND], max_deliver=1)),
    "negative replicas": (10133, create(num_replicas=-1)),
    "two kinds of filters": (
        (None, 10136, 10136),
        consumer(**BOTH_FILTERS),
    ),
    "overlapping filters": ((None, 10138, 10138), consumer(filter_subjects=["s.a", "s.*"])),
    "an empty filter": ((None, 10139, 10139), consumer(filter_subjects=["s.a", ""])),
    "a source twice": ((None, 10140, 10140), create(sources=[{"name": "S"}, {"name": "S"}])),
    "no name of a source": ((None, 10141, 10141), create(sources=[{"name": "a.b"}])),
    "no name of a mirror": ((None, 10142, 10142), create(mirror={"name": "a.b"})),
    "mirror with first_seq": ((None, 10143, 10143), create(mirror={"name": "S"}, first_seq=5)),
    "consumer exists": ((None, 10148, 10148), consumer(name="C", base=OTHER, action="create")),
    "consumer to update": ((None, 10149, 10149), consumer(action="update")),
    "transform": (
        (None, 10049, 10156),
        create(subject_transform=TRANSFORM),
    ),
    "policy without groups": ((None, None, 10159), consumer(priority_policy="overflow")),
    "an empty group": (
        (None, None, 10161),
        consumer(**OVERFLOW, priority_groups=[""]),
    ),
    "a bad group": (
        (None, None, 10162),
        consumer(**OVERFLOW, priority_groups=["x" * 17]),
    ),
    "groups of push": (
        (None, None, 10178),
        consumer(base=PUSH, priority_policy="overflow", priority_groups=["g"]),
    ),
    "ack_wait below 0": ((None, None, 10183), consumer(ack_wait=-1)),
    "backoff below 0": ((10116, None, 10184), consumer(backoff=[-1])),
    "too large": (10047, create(max_bytes=HUGE)),
    "too large for memory": (10028, create(max_bytes=HUGE, storage="memory")),
    "durable without a name": (
        10018,
        ("CONSUMER.DURABLE.CREATE.S.X", {"stream_name": "S", "config": {"ack_policy": "none"}}),
    ),
    "direct of pull": (10090, consumer(direct=True)),
    "all acks of a workqueue": (10098, consumer("W", ack_policy="all", filter_subject="w.b")),
    "a path for a consumer": (10127, consumer(name="a/b", base={**CONFIG, **named("a/b")})),
    "a path for a stream": (10128, ("STREAM.CREATE.a/b", {"name": "a/b"})),
    "a stream to restore": (10130, ("STREAM.RESTORE.S", {"config": STREAMS[0], "state": RESTORED})),
    "another filter": (
        10131,
        (
            "CONSUMER.CREATE.S.N.s.a",
            {"stream_name": "S", "config": {**CONFIG, "filter_subject": "s.b"}},
        ),
    ),
    "two names of a durable": (
        (10132, 10132, None),
        (
            "CONSUMER.DURABLE.CREATE.S.N",
            {"stream_name": "S", "config": {**CONFIG, "name": "M"}},
        ),
    ),
    "limits below what is there": ((None, 10069, 10069), update(consumer_limits=LOW)),
    "more acks than the stream allows": (
        (None, 10121, 10121),
        consumer("LIMITED", max_ack_pending=50),
    ),
    "longer than the stream allows": (
        (None, 10153, 10153),
        consumer("LIMITED", inactive_threshold=HOUR),
    ),
    "filter and transforms of a mirror": (
        (None, 10150, 10150),
        create(
            mirror={"name": "S", "filter_subject": "s.a", "subject_transforms": MANY_TRANSFORMS}
        ),
    ),
    "pedantic": ((None, None, 10157), create(pedantic=True, max_msgs=-5)),
    "timeout without a policy": ((None, None, 10197), consumer(priority_timeout=HOUR)),
    "atomic mirror": ((None, None, 10198), create(mirror={"name": "S"}, allow_atomic=True)),
    "consumer of a mirror": (
        (None, None, 10213),
        create(mirror={"name": "S", "consumer": {"name": "a.b"}}),
    ),
    "flow control by acks of pull": (
        (10025, 10025, 10218),
        consumer(ack_policy="flow_control"),
    ),
    "groups without a policy": ((None, None, 10196), consumer(priority_groups=["g"])),
    "policy of a consumer": (10012, consumer(name="C", base=OF_C, deliver_policy="new")),
    "wildcards in a name": (
        (10103, 10103, 10052),
        ("CONSUMER.DURABLE.CREATE.S.a*b", {"stream_name": "S", "config": named("a*b")}),
    ),
    "much metadata": ((None, 10135, 10135), consumer(metadata={"k": "x" * 140 * 1024})),
    "filters beside one in the request": (
        (10131, 10137, 10137),
        (
            "CONSUMER.CREATE.S.N.s.a",
            {"stream_name": "S", "config": {**CONFIG, "filter_subjects": ["s.a", "s.b"]}},
        ),
    ),
    "filter and transforms of a source": (
        (None, 10144, 10144),
        create(
            sources=[{"name": "S", "filter_subject": "s.a", "subject_transforms": MANY_TRANSFORMS}]
        ),
    ),
}


def prepare(nats):
    """Make an account hold what the requests are about, and nothing else."""
    for name in nats.ok("STREAM.NAMES")["streams"] or []:
        nats.ok(f"STREAM.DELETE.{name}")
    for config in STREAMS:
        nats.ok(f"STREAM.CREATE.{config['name']}", {**config, "sealed": False})
    nats.request("kept", b"x")
    sealed = nats.ok("STREAM.INFO.SEALED")["config"]
    nats.ok("STREAM.UPDATE.SEALED", {**sealed, "sealed": True})
    for stream, config in CONSUMERS:
        only = f".{config['filter_subject']}" if "filter_subject" in config else ""
        body = {"stream_name": stream, "config": config}
        nats.ok(f"CONSUMER.CREATE.{stream}.{config['name']}{only}", body)
