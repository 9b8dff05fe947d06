# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""An account as the declaration of an environment, which jetstream_environment takes as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._asset import server_of
from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._declared import (
    BY_NAME,
    SECTIONS,
    Section,
    section_of,
)
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity, Info
from ansible_collections.nats.jetstream.plugins.module_utils._lookup import matching, row
from ansible_collections.nats.jetstream.plugins.module_utils._module import Inputs, Session
from ansible_collections.nats.jetstream.plugins.module_utils._payload import shown
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import owner_of
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Name,
    Problem,
    Server,
)
from ansible_collections.nats.jetstream.plugins.module_utils._survey import Survey, survey

ARGUMENT_SPEC: dict[str, Any] = {
    "owner": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "include_entries": {"type": "bool", "default": False},
    "concurrency": {"type": "int", "default": 32},
}
OF_OTHERS = "has a $ in its name: it belongs to the server or to a client"
EPHEMERAL = "is ephemeral: it belongs to the client that made it"
OFFLINE = "is offline: its servers did not answer, so nothing is known of it"
NOT_OWNED = "does not bear the mark of the owner, unlike its stream"
MIRRORED = "is a mirror: its entries come from its origin"


class Exported(NamedTuple):
    """What is exported: infos by the name of the stream, or by stream and name; what is not."""

    streams: dict[str, tuple[Section, Info]]
    consumers: dict[Identity, Info]
    left_out: list[dict[str, Any]]


def validate(params: Mapping[str, Any], inputs: Inputs) -> None:
    """Add everything that is wrong with the options."""
    if params["owner"] is not None:
        Name().wire(params["owner"], "owner", inputs.problems)
    if not 1 <= params["concurrency"] <= 1024:
        inputs.problems.append(Problem("concurrency", "must be from 1 to 1024"))


async def gather(session: Session) -> dict[str, Any]:
    """Return the account, or what of it is asked for, as ``environment`` and ``left_out``."""
    params, manager = session.params, session.manager

    def with_consumers(_name: str, _info: Info) -> bool:
        return True

    found = await survey(manager, (), with_consumers, params["concurrency"], must_be_whole=True)
    exported = choose(found, params["owner"], params["names"])
    environment = declaration(exported, server_of(session.connection))
    if params["owner"] is not None:
        environment = {"owner": params["owner"], **environment}
    if params["include_entries"]:
        await _with_entries(session, environment, exported)
    return {"changed": False, "environment": environment, "left_out": exported.left_out}


def choose(found: Survey, owner: Optional[str], names: Optional[list[str]]) -> Exported:
    """Return what is exported of an account: by owner, and by the names of streams and buckets."""
    out = Exported({}, {}, [])
    for name, info in sorted(found.streams.items()):
        section = section_of(info)
        own = name[len(section.prefix) :]
        if not matching([own], names) or not _is_of(info, owner):
            continue
        if "$" in name:
            out.left_out.append(_left(section, (own,), OF_OTHERS))
        else:
            out.streams[name] = (section, info)
    for identity, info in sorted(found.consumers.items()):
        parent, exported = found.streams[identity[0]], identity[0] in out.streams
        own = identity[0][len(section_of(parent).prefix) :]
        if "$" in identity[0] or not matching([own], names):
            continue
        if not _is_of(info, owner):
            why = _why_not(info) or NOT_OWNED
        else:
            why = _why_not(info)
            exported = True
        if not exported:
            continue
        if why:
            out.left_out.append(_left(BY_NAME["consumers"], identity, why))
        else:
            out.consumers[identity] = info
    for name in sorted(found.missing):
        if matching([name], names):
            out.left_out.append(_left(BY_NAME["streams"], (name,), OFFLINE))
    return out


def declaration(exported: Exported, server: Server) -> dict[str, Any]:
    """Return the lists of an environment, those that have anything in them."""
    lists: dict[str, list[dict[str, Any]]] = {section.name: [] for section in SECTIONS}
    own: dict[str, dict[str, Any]] = {}
    for name, (section, info) in exported.streams.items():
        entry = row(section.kind, info, server)["declaration"]
        lists[section.name].append(entry)
        if section is BY_NAME["streams"]:
            own[name] = entry
    for identity, info in exported.consumers.items():
        entry = row(CONSUMER, info, server)["declaration"]
        if identity[0] in own:
            entry.pop("stream")
            own[identity[0]].setdefault("consumers", []).append(entry)
        else:
            lists["consumers"].append(entry)
    return {name: entries for name, entries in lists.items() if entries}


async def _with_entries(session: Session, environment: dict[str, Any], exported: Exported) -> None:
    """Add to each bucket the entries that it has, one for each key that has a value."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _kv

    for entry in environment.get("kv_buckets", []):
        info = exported.streams[f"{_kv.STREAM_PREFIX}{entry['name']}"][1]
        if info["config"].get("mirror"):
            exported.left_out.append(_left(BY_NAME["kv_buckets"], (entry["name"],), MIRRORED))
            continue
        bucket = _kv.bucket_of(session.manager, entry["name"], info)
        counts = await _kv.count_revisions(session.manager, bucket)
        found = await _kv.read_entries(session.manager, bucket, sorted(counts))
        entry["entries"] = [
            {"key": key, **_value(shown(one.data))}
            for key, one in sorted(found.items())
            if one.is_live
        ]


def _value(told: dict[str, Any]) -> dict[str, Any]:
    name = "base64" if told["encoding"] == "base64" else "value"
    return {name: told["value"]}


def _is_of(info: Info, owner: Optional[str]) -> bool:
    return owner is None or owner_of(info["config"]) == owner


def _why_not(consumer: Info) -> str:
    if not consumer["config"].get("durable_name"):
        return EPHEMERAL
    return OF_OTHERS if "$" in consumer["name"] else ""


def _left(section: Section, identity: Identity, reason: str) -> dict[str, Any]:
    named = dict(zip(section.kind.identity, identity))
    return {"kind": section.single, **named, "reason": reason}
