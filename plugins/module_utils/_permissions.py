# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The permissions that each module needs. Loaded when one is missing; documented from here.

A row is what a task does, and the subjects to which its user has to be able to publish for it. The
words in angle brackets stand for names of the task. The user has to be able to subscribe to
_INBOX.> as well, or below inbox_prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

PREFIX = "$JS.API"

_LOOK, _LIST = f"{PREFIX}.STREAM.INFO.<stream>", f"{PREFIX}.STREAM.LIST"
_CREATE, _DELETE = f"{PREFIX}.STREAM.CREATE.<stream>", f"{PREFIX}.STREAM.DELETE.<stream>"
_UPDATE, _PURGE = f"{PREFIX}.STREAM.UPDATE.<stream>", f"{PREFIX}.STREAM.PURGE.<stream>"
_NAMES, _GET = f"{PREFIX}.STREAM.NAMES", f"{PREFIX}.STREAM.MSG.GET.<stream>"
_CONSUMERS = f"{PREFIX}.CONSUMER.LIST.<stream>"
_CONSUMER = f"{PREFIX}.CONSUMER.INFO.<stream>.<consumer>"
_MAKE = f"{PREFIX}.CONSUMER.CREATE.<stream>.<consumer>"
_MAKE_FILTERED = f"{PREFIX}.CONSUMER.CREATE.<stream>.<consumer>.<filter>"
_REMOVE = f"{PREFIX}.CONSUMER.DELETE.<stream>.<consumer>"
_RESET = f"{PREFIX}.CONSUMER.RESET.<stream>.<consumer>"
_PAUSE = f"{PREFIX}.CONSUMER.PAUSE.<stream>.<consumer>"

_BUCKET, _VALUE = _LOOK.replace("<stream>", "KV_<bucket>"), "$KV.<bucket>.<key>"
_ENTRY = _GET.replace("<stream>", "KV_<bucket>")
_STORE, _ABOUT = (one.replace("<stream>", "OBJ_<bucket>") for one in (_LOOK, _GET))
_CHUNKS, _META = "$O.<bucket>.C.*", "$O.<bucket>.M.*"
_SHRINK = _PURGE.replace("<stream>", "OBJ_<bucket>")

_SNAPSHOT = (f"{PREFIX}.STREAM.SNAPSHOT.<stream>", "$JS.SNAPSHOT.ACK.<stream>.>")
_RESTORE = (f"{PREFIX}.STREAM.RESTORE.<stream>", "$JS.SNAPSHOT.RESTORE.<stream>.>")


class Row(NamedTuple):
    """What a task does, and the subjects for it; some on nats-server 2.9 only, or not there."""

    what: str
    subjects: tuple[str, ...]
    on_2_9: tuple[str, ...] = ()
    since_2_10: tuple[str, ...] = ()


_MIGRATE = Row("migrate", (_LOOK, _CONSUMERS, _DELETE, _UPDATE, *_RESTORE, *_SNAPSHOT))


def _asset() -> tuple[Row, ...]:
    return (
        Row("find that nothing differs, check mode", (_LOOK,)),
        Row("create", (_LOOK, _CREATE)),
        Row("change", (_LOOK, _UPDATE)),
        Row("delete", (_LOOK, _DELETE)),
    )


def _bucket(prefix: str) -> tuple[Row, ...]:
    return tuple(
        Row(row.what, tuple(one.replace("<stream>", f"{prefix}<bucket>") for one in row.subjects))
        for row in (*_asset(), _MIGRATE)
    )


def _bucket_info(prefix: str) -> tuple[Row, ...]:
    return (
        Row("read one", (_LOOK.replace("<stream>", f"{prefix}<bucket>"),)),
        Row("read all, or by a pattern", (_NAMES, _LIST)),
    )


TABLE: dict[str, tuple[Row, ...]] = {
    "jetstream_stream": (
        *_asset(),
        Row("recreate, without consumers", (_LOOK, _CONSUMERS, _DELETE, _CREATE)),
        Row(
            "recreate with data_loss",
            (_LOOK, _CONSUMERS, _UPDATE, _PURGE, _DELETE, _CREATE),
        ),
        Row(
            "recreate, with consumers",
            (_LOOK, _CONSUMERS, _UPDATE, _PURGE, _DELETE, _CREATE, _MAKE),
        ),
        _MIGRATE,
    ),
    "jetstream_consumer": (
        Row("find that nothing differs, check mode", (_CONSUMER,)),
        Row("create or change, without a filter or with several", (_CONSUMER, _MAKE)),
        Row("create or change, with one filter", (_CONSUMER, _MAKE_FILTERED), (_LOOK,)),
        Row("pause or resume", (_CONSUMER, _PAUSE)),
        Row("delete, with nothing that waits for it", (_CONSUMER, _REMOVE)),
        Row("delete, with messages that wait for it", (_CONSUMER, _LOOK, _REMOVE)),
        Row("recreate", (_CONSUMER, _LOOK, _REMOVE, _MAKE)),
        Row("migrate", (_CONSUMER, _LOOK, _REMOVE, _MAKE, _RESET)),
    ),
    "jetstream_consumer_reset": (
        Row("find that nothing differs, check mode", (_CONSUMER,)),
        Row("reset", (_CONSUMER, _RESET)),
    ),
    "jetstream_consumer_unpin": (
        Row("find that nobody is pinned, check mode", (_CONSUMER,)),
        Row("unpin", (_CONSUMER, f"{PREFIX}.CONSUMER.UNPIN.<stream>.<consumer>")),
    ),
    "jetstream_step_down": (
        Row("find that the preferred server leads, check mode", (_LOOK,)),
        Row("step down, a stream", (_LOOK, f"{PREFIX}.STREAM.LEADER.STEPDOWN.<stream>")),
        Row(
            "step down, a consumer",
            (_CONSUMER, f"{PREFIX}.CONSUMER.LEADER.STEPDOWN.<stream>.<consumer>"),
        ),
        Row(
            "step down, the meta leader, in the system account",
            ("$SYS.REQ.SERVER.PING.JSZ", f"{PREFIX}.META.LEADER.STEPDOWN"),
        ),
    ),
    "jetstream_purge": (
        Row("find that nothing is there, check mode", (_LOOK,)),
        Row("purge", (_LOOK, _PURGE)),
    ),
    "jetstream_message": (
        Row("find that nothing differs, check mode", (_LOOK, _GET)),
        Row("publish", (_LOOK, _GET, "<subject>")),
        Row("delete", (_GET, _LOOK, f"{PREFIX}.STREAM.MSG.DELETE.<stream>")),
    ),
    "jetstream_message_info": (Row("read", (_GET,)),),
    "jetstream_info": (
        Row("read the account", (f"{PREFIX}.INFO",)),
        Row("read streams or buckets", (_LIST,)),
        Row("read consumers", (_LIST, _CONSUMERS)),
    ),
    "jetstream_stream_info": (
        Row("read by name", (_LOOK,)),
        Row("read by subject", (_NAMES, _LOOK)),
        Row("read all, or by a pattern", (_LIST,)),
    ),
    "jetstream_consumer_info": (
        Row("read by name", (_CONSUMER,)),
        Row("read all of a stream, or by a pattern", (_CONSUMERS,)),
    ),
    "jetstream_kv_bucket": _bucket("KV_"),
    "jetstream_kv_bucket_info": _bucket_info("KV_"),
    "jetstream_object_bucket": _bucket("OBJ_"),
    "jetstream_object_bucket_info": _bucket_info("OBJ_"),
    "jetstream_kv": (
        Row("find that nothing differs, check mode", (_BUCKET, _ENTRY)),
        Row("write or delete a key", (_BUCKET, _ENTRY, _VALUE)),
    ),
    "jetstream_kv_info": (Row("read", (_BUCKET, _ENTRY)),),
    "jetstream_object": (
        Row("find that nothing differs, check mode", (_ABOUT, _STORE)),
        Row("write an object that is new", (_ABOUT, _STORE, _CHUNKS, _META)),
        Row("write other content", (_ABOUT, _STORE, _CHUNKS, _META, _SHRINK)),
        Row("delete", (_ABOUT, _STORE, _META, _SHRINK)),
    ),
    "jetstream_object_info": (
        Row("read one", (_ABOUT,)),
        Row("read all, or by a pattern", (_STORE, _ABOUT)),
    ),
    "jetstream_object_fetch": (
        Row("find that nothing differs, check mode", (_ABOUT,)),
        Row(
            "write the file",
            (
                _ABOUT,
                f"{PREFIX}.CONSUMER.CREATE.OBJ_<bucket>.*.$O.<bucket>.C.*",
                "$JS.FC.OBJ_<bucket>.>",
            ),
        ),
    ),
    "jetstream_backup": (
        Row("find that nothing differs, check mode", (_LOOK, _CONSUMERS)),
        Row("back up by name", (_LOOK, _CONSUMERS, *_SNAPSHOT)),
        Row("back up all, or by a pattern", (_NAMES, _LOOK, _CONSUMERS, *_SNAPSHOT)),
    ),
    "jetstream_restore": (
        Row("find that the stream is there, check mode", (_LOOK,)),
        Row("restore", (_LOOK, *_RESTORE, _CONSUMERS), since_2_10=(_UPDATE,)),
        Row("replace", (_LOOK, *_RESTORE, _UPDATE, _CONSUMERS, *_SNAPSHOT, _DELETE)),
    ),
    "jetstream_environment_info": (
        Row("read streams, consumers and buckets", (_LIST, _CONSUMERS)),
        Row("read entries as well", (_LIST, _BUCKET, _ENTRY)),
    ),
    "jetstream_environment": (
        Row("find that nothing differs, check mode", (_LOOK, _CONSUMERS)),
        Row("create", (_LOOK, _CREATE, _MAKE, _CONSUMERS)),
        Row("change", (_LOOK, _CONSUMERS, _UPDATE, _MAKE)),
        Row("delete", (_LOOK, _DELETE)),
        Row("prune", (_LIST, _LOOK, _DELETE)),
        Row("find that no entry differs", (_BUCKET, _ENTRY)),
        Row("write an entry", (_BUCKET, _ENTRY, _VALUE)),
    ),
}


def filled(subject: str, names: Mapping[str, Any], prefix: str = PREFIX) -> str:
    """Return a subject with what is known of the names in it; the rest stays in brackets."""
    if subject.startswith(PREFIX):
        subject = prefix + subject[len(PREFIX) :]
    for name, value in names.items():
        if isinstance(value, str) and value:
            subject = subject.replace(f"<{name}>", value)
    return subject


def names_in(module: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the words in brackets stand for in a task."""
    names = {name: params.get(name) for name in ("stream", "bucket", "subject", "key")}
    names["filter"] = params.get("filter_subject")
    if module.startswith("jetstream_consumer"):
        names["consumer"] = params.get("name")
    elif module == "jetstream_step_down":
        names["consumer"] = params.get("consumer")
    for kind in ("consumer", "bucket", "stream"):
        if module.removesuffix("_info").endswith(kind):
            names[kind] = params.get("name")
    return names


def advice(module: str, params: Mapping[str, Any], prefix: str) -> str:
    """Return a sentence with all permissions that a module can need, none for an unknown one."""
    names = names_in(module, params)
    rows = TABLE.get(module, ())
    needed = [one for row in rows for part in row[1:] for one in part]
    subjects = dict.fromkeys(filled(subject, names, prefix) for subject in needed)
    if not subjects:
        return ""
    return f"; {module} publishes, depending on what there is to do, to {', '.join(subjects)}"
