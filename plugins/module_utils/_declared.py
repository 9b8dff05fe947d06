# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""A declaration of many assets, read and validated as a whole. Pure.

An entry takes the options of its kind's module. Everything wrong is found at once, with its place
(``streams[3].consumers[0].max_deliver``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._consumer import CONSUMER
from ansible_collections.nats.jetstream.plugins.module_utils._kind import Identity, Info, Kind
from ansible_collections.nats.jetstream.plugins.module_utils._kv_bucket import KV_BUCKET
from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket import OBJECT_BUCKET
from ansible_collections.nats.jetstream.plugins.module_utils._options import (
    extra_problems,
    reset_problems,
    unknown_options,
)
from ansible_collections.nats.jetstream.plugins.module_utils._reconcile import (
    Policy,
    Wanted,
    title,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Boolean,
    Choice,
    Config,
    Duration,
    Field,
    Listing,
    Problem,
    Schema,
    Size,
    Text,
    is_zero,
    nearest,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import STREAM
from ansible_collections.nats.jetstream.plugins.module_utils._subject_index import SubjectIndex
from ansible_collections.nats.jetstream.plugins.module_utils._units import SECOND

# What an entry can say besides its settings; a task says it for all entries that do not.
POLICY = Schema(
    Field("state", Choice("present", "absent")),
    Field("update", Choice("merge", "replace")),
    Field("reset", Listing(Text())),
    Field("recreate", Choice("never", "migrate", "if_empty", "always")),
    Field("migrate_path", Text()),
    Field("migrate_max_bytes", Size()),
    Field("recovery_path", Text()),
    Field("data_loss", Choice("warn", "forbid", "allow")),
    Field("wait", Boolean()),
    Field("wait_timeout", Duration()),
)
OF_THE_TASK = (
    "state",
    "update",
    "recreate",
    "migrate_path",
    "migrate_max_bytes",
    "data_loss",
    "wait",
    "wait_timeout",
)


class Section(NamedTuple):
    """A list of the declaration: what its entries are, and which lists they have of their own."""

    name: str
    kind: Kind
    prefix: str = ""  # of the stream that an asset is
    inner: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()  # of that stream, with {} for the name of the bucket

    @property
    def single(self) -> str:
        """What one entry is called in results: ``kv_bucket``."""
        return self.name[:-1]


SECTIONS = (
    Section("streams", STREAM, inner=("consumers",)),
    Section("kv_buckets", KV_BUCKET, "KV_", ("entries",), ("$KV.{}.>",)),
    Section("object_buckets", OBJECT_BUCKET, "OBJ_", (), ("$O.{}.C.>", "$O.{}.M.>")),
    Section("consumers", CONSUMER),
)
BY_NAME = {section.name: section for section in SECTIONS}
# Computed once: each of a thousand entries asks for them.
KNOWN = {
    section.name: {
        *section.kind.identity,
        *section.kind.schema.by_name,
        *POLICY.by_name,
        "extra_config",
        *section.inner,
    }
    for section in SECTIONS
}
REAL_NAMES = {
    section.name: {
        **{alias: field.name for field in section.kind.schema.fields for alias in field.aliases},
        **{alias: name for name, others in section.kind.aliases.items() for alias in others},
    }
    for section in SECTIONS
}


def section_of(info: Info) -> Section:
    """Return the section of a stream: that of buckets if it can serve as one."""
    name = info["config"]["name"]
    for section in SECTIONS:
        if section.prefix and name.startswith(section.prefix) and not section.kind.foreign(info):
            return section
    return BY_NAME["streams"]


class Declared(NamedTuple):
    """One asset of a declaration. place is where it stands; contents are its inner lists."""

    place: str
    section: Section
    identity: Identity
    wanted: Wanted
    policy: Policy
    contents: Mapping[str, Any] = {}

    @property
    def kind(self) -> Kind:
        return self.section.kind

    @property
    def stream(self) -> str:
        """The name of the stream that the asset is, or belongs to."""
        return self.section.prefix + self.identity[0]

    @property
    def title(self) -> str:
        return title(self.kind, self.identity)


def read_declaration(params: Mapping[str, Any], problems: list[Problem]) -> list[Declared]:
    """Return the assets that the options of a task declare; add what is wrong to the problems."""
    defaults = _defaults(params.get("defaults") or {}, problems)
    common = {name: params[name] for name in OF_THE_TASK if params.get(name) is not None}
    raw = [
        (section, place, {**common, **defaults.get(section.name, {}), **said}, frozenset(said))
        for section in SECTIONS
        for place, said in _entries(section, params, problems)
    ]
    declared = [
        entry
        for section, place, options, own in raw
        for entry in [_declared(section, place, options, own, params, problems)]
        if entry is not None
    ]
    problems += _duplicates(declared)
    problems += _meetings(declared)
    problems += _orphans(declared)
    return declared


# --------------------------------------------------------------------------------------------------
# Entries
# --------------------------------------------------------------------------------------------------


def _defaults(given: Mapping[str, Any], problems: list[Problem]) -> dict[str, Config]:
    """Return the default options of each section."""
    out: dict[str, Config] = {}
    for name, options in given.items():
        place = f"defaults.{name}"
        if name not in BY_NAME:
            problems.append(Problem(place, f"is no list of assets{nearest(str(name), BY_NAME)}"))
        elif not isinstance(options or {}, dict):
            problems.append(Problem(place, "must be a dictionary"))
        else:
            kind = BY_NAME[name].kind
            said = _without_aliases(BY_NAME[name], options or {}, place, problems)
            known = {*kind.schema.by_name, *POLICY.by_name}
            problems += unknown_options(kind, said, known, place)
            kind.schema.wire(said, place, problems)
            out[name] = said
    return out


def _entries(
    section: Section, params: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Config]]:
    """Yield the place and the options of each entry; consumers also from inside of streams."""
    yield from _said(section, params.get(section.name), section.name, problems)
    if section.name != "consumers":
        return
    for index, stream in enumerate(params.get("streams") or []):
        if not isinstance(stream, dict):
            continue
        place = f"streams[{index}].consumers"
        for where, said in _said(section, stream.get("consumers"), place, problems):
            if said.get("stream") not in (None, stream.get("name")):
                problems.append(Problem(f"{where}.stream", "is another than the one it stands in"))
            state = {"state": "absent"} if stream.get("state") == "absent" else {}
            yield where, {**state, **said, "stream": stream.get("name") or ""}


def _said(
    section: Section, entries: Any, place: str, problems: list[Problem]
) -> Iterator[tuple[str, Config]]:
    if entries is not None and not isinstance(entries, list):
        problems.append(Problem(place, "must be a list"))
        return
    for index, entry in enumerate(entries or []):
        where = f"{place}[{index}]"
        if isinstance(entry, dict):
            yield where, _without_aliases(section, entry, where, problems)
        else:
            problems.append(Problem(where, "must be a dictionary"))


def _without_aliases(
    section: Section, options: Mapping[str, Any], place: str, problems: list[Problem]
) -> Config:
    """Return the options that are mentioned (not None), each under its own name."""
    own = REAL_NAMES[section.name]
    out: Config = {}
    for name, value in options.items():
        if value is None:
            continue
        real = own.get(name, name)
        if real in out:
            problems.append(Problem(f"{place}.{name}", f"is given twice, also as {real}"))
        out[real] = value
    return out


def _declared(
    section: Section,
    place: str,
    options: Config,
    own: frozenset[str],
    params: Mapping[str, Any],
    problems: list[Problem],
) -> Optional[Declared]:
    """Return the asset of an entry (own: what it says itself), None without an identity."""
    kind = section.kind
    problems += unknown_options(kind, options, KNOWN[section.name], place)
    identity, before = [], len(problems)
    for option in kind.identity:
        if is_zero(options.get(option)):
            problems.append(Problem(f"{place}.{option}", "is required"))
        else:
            identity.append(kind.naming.wire(options[option], f"{place}.{option}", problems))
    named = len(problems) == before and len(identity) == len(kind.identity)
    policy = POLICY.wire(options, place, problems)
    reset = policy.get("reset") or []
    # What an entry resets counts more than a default of its section.
    kept = {name: one for name, one in options.items() if name not in reset or name in own}
    config = kind.schema.wire(kept, place, problems)
    problems += reset_problems(kind, reset, config, place)
    extra = options.get("extra_config") or {}
    problems += extra_problems(kind, extra, place)
    if not named:
        return None
    return Declared(
        place,
        section,
        tuple(identity),
        Wanted(config, tuple(reset), extra),
        _policy(policy, params, identity, config.get("durable") is not False),
        {name: options.get(name) or [] for name in section.inner},
    )


def _policy(said: Config, params: Mapping[str, Any], identity: list[str], lasting: bool) -> Policy:
    folder = params.get("recovery_path")
    recovery = said.get("recovery_path")
    if not recovery and folder:
        recovery = f"{folder}/{'.'.join(identity)}.json"
    return Policy(
        state=said.get("state", "present"),
        update=said.get("update", "merge"),
        recreate=said.get("recreate", "never"),
        data_loss=said.get("data_loss", "warn"),
        recovery_path=recovery,
        migrate_path=said.get("migrate_path"),
        migrate_max_bytes=said.get("migrate_max_bytes"),
        wait=said.get("wait", True),
        wait_timeout=said.get("wait_timeout", 60 * SECOND) / SECOND,
        owner=params.get("owner") if lasting else None,
        adopt=bool(params.get("adopt")),
    )


# --------------------------------------------------------------------------------------------------
# What entries say of each other
# --------------------------------------------------------------------------------------------------


def _key(entry: Declared) -> tuple[str, ...]:
    """Return what tells assets apart: a bucket is also its stream."""
    if entry.kind is CONSUMER:
        return ("consumer", *entry.identity)
    return ("stream", entry.stream)


def _duplicates(declared: list[Declared]) -> list[Problem]:
    first: dict[tuple[str, ...], Declared] = {}
    problems = []
    for entry in declared:
        other = first.setdefault(_key(entry), entry)
        if other is not entry:
            also = "" if other.kind is entry.kind else f" (the {other.title} is this stream)"
            problems.append(
                Problem(f"{entry.place}.name", f"is declared already at {other.place}{also}")
            )
    return problems


def _meetings(declared: list[Declared]) -> list[Problem]:
    """Return the subjects that two declared streams, or the streams of buckets, would both have."""
    index = SubjectIndex()
    problems = []
    for entry in declared:
        own = _subjects(entry)
        for place, subject in own:
            for other in index.overlapping(subject):
                problems.append(
                    Problem(place, f"{subject!r} overlaps {other.subject!r} of {other.owner}")
                )
        for _place, subject in own:
            index.add(subject, entry.place)
    return problems


def _subjects(entry: Declared) -> list[tuple[str, str]]:
    """Return the place and the subject of what an entry says it has, or has as a bucket."""
    config, patterns = entry.wanted.config, entry.section.subjects
    if entry.policy.state == "absent":
        return []
    if patterns:
        own = [] if config.get("mirror") else [one.format(entry.identity[0]) for one in patterns]
        return [(f"{entry.place}.name", subject) for subject in own]
    own = [one for one in config.get("subjects") or [] if isinstance(one, str)]
    return [(f"{entry.place}.subjects[{number}]", subject) for number, subject in enumerate(own)]


def _orphans(declared: list[Declared]) -> list[Problem]:
    """Return the consumers that are to be present on streams that are to be absent."""
    absent = {
        entry.stream: entry.place
        for entry in declared
        if entry.kind is not CONSUMER and entry.policy.state == "absent"
    }
    return [
        Problem(f"{entry.place}.stream", f"is declared absent at {absent[entry.stream]}")
        for entry in declared
        if entry.kind is CONSUMER and entry.policy.state == "present" and entry.stream in absent
    ]
