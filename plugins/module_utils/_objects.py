# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Objects as ADR-20 of NATS lays them out in a stream: names, subjects, and what is said of each.

The information on an object ("meta") is a JSON dictionary in one message, its data are messages
("chunks") on a subject of their own. Metas stay dictionaries as other clients wrote them.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
import string
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._headers import header_problem
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._units import UnitError, parse_size

Meta = dict[str, Any]

CHUNK_SIZE = 128 * 1024
MAX_CHUNK_SIZE = 2**32 - 1  # what the field of other clients holds
MAX_BUCKET = 251  # a stream's name has up to 255 characters
# A server reads no more than 4096 bytes of a line, and the name is on one, a third longer.
MAX_NAME_BYTES = 2048
DIGEST = "SHA-256="
ROLLUP = ("Nats-Rollup", "sub")

_BUCKET = re.compile(r"[A-Za-z0-9_-]+\Z")
_NUID = string.digits + string.ascii_letters
# What a task may say of an object beside its data.
FIELDS = ("description", "headers", "metadata")


class Stored(NamedTuple):
    """A meta as it is stored: its sequence (0: there is none) and time (RFC 3339)."""

    meta: Meta
    seq: int = 0
    time: str = ""


class Data(NamedTuple):
    """What is known of data; digest is SHA-256, None where there is no file to read yet."""

    size: int
    digest: Optional[bytes]


class Wanted(NamedTuple):
    """What a task says of an object. fields are those of FIELDS that it mentions, on the wire."""

    fields: Mapping[str, Any]
    data: Optional[Data] = None
    link: Optional[Mapping[str, str]] = None
    chunk_size: Optional[int] = None


# --------------------------------------------------------------------------------------------------
# Names and subjects
# --------------------------------------------------------------------------------------------------


def bucket_problem(bucket: str) -> Optional[str]:
    """Return why a bucket cannot have this name, None when it can."""
    if not _BUCKET.match(bucket):
        return f"{bucket!r} is no name of a bucket: it takes letters, digits, - and _"
    if len(bucket) > MAX_BUCKET:
        return f"has {len(bucket)} characters, a server accepts at most {MAX_BUCKET}"
    return None


def object_problem(name: str) -> Optional[str]:
    """Return why an object cannot have this name, None when it can."""
    if not name:
        return "is empty"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return f"{name!r} cannot be written as UTF-8"
    if size > MAX_NAME_BYTES:
        return f"has {size} bytes, at most {MAX_NAME_BYTES} can be sent to a server"
    return None


def stream_of(bucket: str) -> str:
    return f"OBJ_{bucket}"


def meta_subject(bucket: str, name: str) -> str:
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def all_metas(bucket: str) -> str:
    return f"$O.{bucket}.M.>"


def chunk_subject(bucket: str, nuid: str) -> str:
    return f"$O.{bucket}.C.{nuid}"


def name_of(subject: str) -> str:
    """Return the object's name in the subject of its meta, the bare token if it is no base64."""
    token = subject.rpartition(".")[2]
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return token


def new_nuid() -> str:
    """Return an identifier that nothing else has, of the form that all clients use."""
    return "".join(random.SystemRandom().choices(_NUID, k=22))


# --------------------------------------------------------------------------------------------------
# What is stored of an object
# --------------------------------------------------------------------------------------------------


def parse(bucket: str, message: Any) -> Stored:
    """Return the meta of a message; raise JetStreamError when the message holds none."""
    try:
        meta = json.loads(message.data)
        if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
            raise ValueError("it has no name")
    except ValueError as error:
        raise JetStreamError(
            f"message {message.seq} of bucket {bucket} on {message.subject} is no information on "
            f"an object: {error}"
        ) from error
    return Stored(meta, message.seq, message.time)


def is_there(meta: Optional[Meta]) -> bool:
    """Say whether there is an object: a meta that marks a deleted one stays behind."""
    return bool(meta) and not (meta or {}).get("deleted")


def link_of(meta: Meta) -> Optional[dict[str, str]]:
    """Return where a link leads: bucket and, unless it means the whole bucket, name."""
    link = (meta.get("options") or {}).get("link")
    return {name: text for name, text in link.items() if text} if link else None


def digest_text(digest: bytes) -> str:
    return DIGEST + base64.urlsafe_b64encode(digest).decode()


def digest_of(meta: Meta) -> Optional[bytes]:
    """Return the SHA-256 digest that is stored, None if there is none or one of another kind."""
    text = str(meta.get("digest") or "")
    if text[: len(DIGEST)].upper() != DIGEST:
        return None
    try:
        encoded = text[len(DIGEST) :].rstrip("=")
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return None


def chunk_size_of(meta: Optional[Meta]) -> int:
    """Return the size of the chunks that an object was asked to have."""
    return int(((meta or {}).get("options") or {}).get("max_chunk_size") or CHUNK_SIZE)


def chunks_of(meta: Meta) -> int:
    return int(meta.get("chunks") or 0)


def size_of(meta: Meta) -> int:
    return int(meta.get("size") or 0)


# --------------------------------------------------------------------------------------------------
# What a task wants
# --------------------------------------------------------------------------------------------------


def problems_of(params: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the options of a task on objects; they may have only some."""
    problems: list[Problem] = []
    link = params.get("link") or {}
    for place, value, judge in (
        ("bucket", params["bucket"], bucket_problem),
        ("name", params.get("name"), object_problem),
        ("link.bucket", link.get("bucket"), bucket_problem),
        ("link.name", link.get("name"), object_problem),
    ):
        text = None if value is None else judge(value)
        if text:
            problems.append(Problem(place, text))
    wire_fields(params, problems)
    chunk_size(params, problems)
    return problems


def chunk_size(params: Mapping[str, Any], problems: list[Problem]) -> Optional[int]:
    """Return the size of chunks that a task asks for, None where it does not."""
    if params.get("chunk_size") is None:
        return None
    try:
        size = parse_size(params["chunk_size"])
    except UnitError as error:
        problems.append(Problem("chunk_size", str(error)))
        return None
    if not 0 < size <= MAX_CHUNK_SIZE:
        problems.append(Problem("chunk_size", f"{size} is not between 1 and {MAX_CHUNK_SIZE}"))
    return size


def wire_fields(options: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return what a task says of an object on the wire; what it does not mention is not in it."""
    fields = {name: options[name] for name in FIELDS if options.get(name) is not None}
    if "metadata" in fields:
        fields["metadata"] = {
            str(key): _text(value, f"metadata.{key}", problems)
            for key, value in fields["metadata"].items()
        }
    if "headers" in fields:
        headers = {}
        for name, value in fields["headers"].items():
            values = value if isinstance(value, list) else [value]
            headers[str(name)] = [_text(one, f"headers.{name}", problems) for one in values]
            found = {header_problem(str(name), one) for one in headers[str(name)] or [""]}
            problems += [Problem(f"headers.{name}", text) for text in sorted(filter(None, found))]
            if not values:
                problems.append(Problem(f"headers.{name}", "has no value"))
        fields["headers"] = headers
    return fields


def _text(value: Any, place: str, problems: list[Problem]) -> str:
    if isinstance(value, (dict, list)) or value is None:
        problems.append(Problem(place, "has to be a text"))
        return ""
    # YAML turns true into a value of its own.
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def holds(meta: Optional[Meta], data: Data) -> bool:
    """Say whether an object with data of its own has these."""
    if meta is None or not is_there(meta) or link_of(meta) or data.digest is None:
        return False
    return size_of(meta) == data.size and digest_of(meta) == data.digest


def desired(bucket: str, name: str, current: Optional[Meta], wanted: Wanted, sends: bool) -> Meta:
    """Return the meta that a task wants, without chunks and nuid where data are to be sent.

    What neither the task mentions nor new data replace stays, unknown fields included. The time is
    never part of what is stored.
    """
    meta = dict(current) if current is not None and is_there(current) else {}
    meta.pop("mtime", None)
    meta.update(name=name, bucket=bucket)
    for field, value in wanted.fields.items():
        meta.pop(field, None)
        if value:
            meta[field] = value
    if wanted.link is not None and wanted.link != link_of(meta):
        meta.pop("digest", None)
        meta.update(size=0, chunks=0, options={"link": dict(wanted.link)}, nuid="")
    if sends and wanted.data is not None:
        size, each = wanted.data.size, wanted.chunk_size or chunk_size_of(meta)
        meta.update(size=size, options={"max_chunk_size": each}, nuid="")
        meta["chunks"] = -(-size // each)
        meta["digest"] = digest_text(wanted.data.digest) if wanted.data.digest else None
    return meta


def same(one: Meta, other: Meta) -> bool:
    """Say whether two metas mean the same; a stored time and empty settings mean nothing."""
    return _meaning(one) == _meaning(other)


def _meaning(meta: Meta) -> Meta:
    return {name: value for name, value in meta.items() if value and name != "mtime"}


def deleted(meta: Meta) -> Meta:
    """Return the marker that stays of an object."""
    kept = {name: value for name, value in meta.items() if name not in ("digest", "mtime")}
    return {**kept, "size": 0, "chunks": 0, "deleted": True}


def encode(meta: Meta) -> bytes:
    return json.dumps(meta, separators=(",", ":")).encode()


# --------------------------------------------------------------------------------------------------
# What people see
# --------------------------------------------------------------------------------------------------


def row(bucket: str, stored: Stored) -> dict[str, Any]:
    """Return an object as the modules return it."""
    meta, digest = stored.meta, digest_of(stored.meta)
    return {
        "bucket": bucket,
        "name": meta["name"],
        "description": meta.get("description") or "",
        "headers": meta.get("headers") or {},
        "metadata": meta.get("metadata") or {},
        "link": link_of(meta),
        "size": size_of(meta),
        "chunks": chunks_of(meta),
        "chunk_size": (meta.get("options") or {}).get("max_chunk_size"),
        "digest": meta.get("digest") or None,
        "sha256": digest.hex() if digest else None,
        "nuid": meta.get("nuid") or None,
        "modified": stored.time or None,
        "deleted": not is_there(meta),
    }


def shown(meta: Optional[Meta]) -> dict[str, Any]:
    """Return what a diff shows of an object: nothing of its data but size and digest."""
    if meta is None or not is_there(meta):
        return {}
    digest = digest_of(meta)
    view = {
        "description": meta.get("description"),
        "headers": meta.get("headers"),
        "metadata": meta.get("metadata"),
        "link": link_of(meta),
    }
    view = {name: value for name, value in view.items() if value}
    if "link" not in view:
        view.update(size=size_of(meta), sha256=digest.hex() if digest else "unknown")
    return view
