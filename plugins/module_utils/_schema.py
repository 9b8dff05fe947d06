# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The vocabulary of configurations: one table of fields per kind of asset, read in many ways.

A field is named as on the wire. From its row come the Ansible argument spec, the way from the
option to the wire and back, what equality means, from which release a server knows it, and what
an update may do to it. Nothing in here talks to a server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    name_problem,
    subject_problem,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    UnitError,
    format_duration,
    format_size,
    parse_duration,
    parse_instant,
    parse_size,
)

Config = dict[str, Any]
Release = tuple[int, ...]

# The API level that a release brought; servers tell their level from 2.11 on.
LEVELS: tuple[tuple[int, Release], ...] = (
    (1, (2, 11, 0)),
    (2, (2, 12, 0)),
    (3, (2, 12, 5)),
    (4, (2, 14, 0)),
    (5, (2, 15, 0)),
)

# From here on servers refuse fields that they do not know; older ones drop them without a word.
STRICT_SINCE: Release = (2, 12, 0)

# The release lines on which the rules of the tables were observed.
OBSERVED_LINES: tuple[Release, ...] = ((2, 9), (2, 10), (2, 15))

# What servers write into metadata, and the mark of the owner: never compared, always kept.
SERVER_METADATA = "_nats."
# On a stream that is being restored and not whole yet.
MOVING_METADATA = "nats.jetstream/restoring"
# On a stream that is being recreated: the subjects that were taken from it, as JSON.
RECREATING_METADATA = "nats.jetstream/recreating"
OWNER_METADATA = "nats.jetstream/owner"
OWN_METADATA = (MOVING_METADATA, RECREATING_METADATA, OWNER_METADATA)


class Problem(NamedTuple):
    """Something wrong with the input: where it stands (an option path) and what is wrong."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Server(NamedTuple):
    """What is known of the server that decides: the meta leader where there is a cluster.

    release is None when nothing is known, as behind a domain or an API prefix; so is clustered.
    """

    release: Optional[Release] = None
    clustered: Optional[bool] = None

    def knows(self, since: Release) -> Optional[bool]:
        """Say whether the server is of this release or newer; None when that is not known."""
        return None if self.release is None else self.release >= since

    def observed(self, since: Release) -> bool:
        """Say whether it was observed that this line has, or lacks, what came with a release.

        Between two observed lines that agree nothing else is to be expected; where they disagree,
        and where the release is not known, the server has to say.
        """
        if self.release is None:
            return False
        line = self.release[:2]
        older = max((one for one in OBSERVED_LINES if one <= line), default=OBSERVED_LINES[0])
        newer = min((one for one in OBSERVED_LINES if one >= line), default=OBSERVED_LINES[-1])
        return line in OBSERVED_LINES or since <= (*older, 0) or since > (*newer, 0)

    @property
    def text(self) -> str:
        return "an unknown release" if self.release is None else ".".join(map(str, self.release))


def parse_release(text: str) -> Optional[Release]:
    """Return (2, 10, 27) for ``2.10.27`` or ``2.10.27-RC.1``, None for what is no version."""
    parts = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else None


def release_of(version: str, level: Optional[int]) -> Optional[Release]:
    """Return the release to judge by: the version, unless the API level says otherwise.

    The level comes from the meta leader, the version from the server that was connected to. While
    a cluster is being upgraded they differ, and the meta leader decides.
    """
    release = parse_release(version) if version else None
    if level is None or level < 1:
        return release
    floor = dict(LEVELS).get(level, LEVELS[-1][1])
    own_level = max((known for known, first in LEVELS if release and release >= first), default=0)
    return release if own_level == level or (release and level > LEVELS[-1][0]) else floor


class Context(NamedTuple):
    """What a rule may look at besides the configuration itself."""

    server: Server
    parent: Optional[Config] = None  # for a consumer: the configuration of its stream, if known
    siblings: Optional[int] = None  # and how many consumers that stream has


# --------------------------------------------------------------------------------------------------
# Types: how a value is written, sent and compared
# --------------------------------------------------------------------------------------------------


class Type:
    """A type of values. The base passes texts through."""

    spec: Mapping[str, Any] = {"type": "str"}
    hint = ""  # what ansible-doc must say of the range or the unit

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        """Return the wire form of what a user wrote; add to problems what is wrong with it."""
        if isinstance(value, (dict, list)):
            problems.append(Problem(place, "must be a text"))
            return ""
        return str(value)

    def human(self, value: Any) -> Any:
        """Return the option form of a wire value, which wire() reads back."""
        return value

    def normal(self, value: Any) -> Any:
        """Return something hashable that is equal for values that mean the same."""
        return value or ""


class Text(Type):
    def __init__(self, max_bytes: Optional[int] = None) -> None:
        self.max_bytes = max_bytes

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = super().wire(value, place, problems)
        if self.max_bytes and len(text.encode()) > self.max_bytes:
            problems.append(
                Problem(place, f"has {len(text.encode())} bytes, a server takes {self.max_bytes}")
            )
        return text


class Name(Type):
    """The name of a stream or a consumer."""

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = super().wire(value, place, problems)
        problem = name_problem(text)
        if problem:
            problems.append(Problem(place, problem))
        return text


class Subject(Type):
    def __init__(self, wildcards: bool = True) -> None:
        self.wildcards = wildcards

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = super().wire(value, place, problems)
        problem = subject_problem(text, self.wildcards) if text else None
        if problem:
            problems.append(Problem(place, problem))
        return text


class Percentage(Type):
    """A sampling frequency; servers keep ``50`` and ``50%`` as they were sent."""

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = super().wire(value, place, problems).strip()
        number = text[:-1] if text.endswith("%") else text
        if text and not (number.isdigit() and int(number) <= 100):
            problems.append(Problem(place, f"{text!r} is not a percentage from 0 to 100"))
        return text

    def normal(self, value: Any) -> Any:
        number = str(value or "0").rstrip("%")
        return int(number) if number.isdigit() else number


class Boolean(Type):
    spec = {"type": "bool"}
    _words = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        if isinstance(value, str):
            value = self._words.get(value.lower(), value)
        if not isinstance(value, bool):
            problems.append(Problem(place, f"{value!r} is neither true nor false"))
            return False
        return value

    def human(self, value: Any) -> Any:
        return bool(value)

    def normal(self, value: Any) -> Any:
        return bool(value)


class Integer(Type):
    """A whole number. With unlimited, -1 stands for no limit, as does all below 1 on the wire."""

    spec = {"type": "int"}

    def __init__(self, minimum: int = 0, maximum: int = 2**63 - 1, unlimited: bool = False) -> None:
        self.minimum, self.maximum, self.unlimited = minimum, maximum, unlimited

    def parsed(self, value: Any) -> int:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise UnitError(f"{value!r} is not a whole number")
        try:
            return int(value)
        except (TypeError, ValueError):
            raise UnitError(f"{value!r} is not a whole number") from None

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        try:
            number = self.parsed(value)
        except UnitError as error:
            problems.append(Problem(place, str(error)))
            return 0
        if not (self.unlimited and number == -1) and not self.minimum <= number <= self.maximum:
            problems.append(Problem(place, f"{value!r} is out of range ({self.range})"))
        return number

    @property
    def range(self) -> str:
        low = "-1 for unlimited, or " if self.unlimited else ""
        return f"{low}{self.minimum} to {self.maximum}"

    def human(self, value: Any) -> Any:
        return self.normal(value)

    def normal(self, value: Any) -> Any:
        number = value or 0
        return -1 if self.unlimited and number < 1 else number


class Size(Integer):
    """A number of bytes, written as 1GiB."""

    spec = {"type": "str"}

    def parsed(self, value: Any) -> int:
        return parse_size(value)

    def human(self, value: Any) -> Any:
        return format_size(self.normal(value))


class Duration(Type):
    """A time span, written as 1h30m, in nanoseconds on the wire. Zero is off, or the default."""

    def __init__(self, minimum: int = 0) -> None:
        self.minimum = minimum

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        try:
            span = parse_duration(value)
        except UnitError as error:
            problems.append(Problem(place, str(error)))
            return 0
        if 0 < span < self.minimum:
            problems.append(
                Problem(
                    place,
                    f"{value!r} is below the {format_duration(self.minimum)} that a server takes",
                )
            )
        return span

    def human(self, value: Any) -> Any:
        return format_duration(self.normal(value))

    def normal(self, value: Any) -> Any:
        return max(value or 0, 0)


class Instant(Type):
    """A point in time. Servers keep the zone as it was sent, so instants are compared."""

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = str(value)
        if not text:
            return text
        try:
            parse_instant(text)
        except UnitError as error:
            problems.append(Problem(place, str(error)))
        return text.replace(" ", "T").replace("t", "T").replace("z", "Z")

    def normal(self, value: Any) -> Any:
        return parse_instant(value) if value else None


class Choice(Type):
    def __init__(self, *choices: str, newer: Optional[Mapping[str, Release]] = None) -> None:
        self.choices = choices
        self.newer = newer or {}  # the choices that came after the field itself
        self.spec = {"type": "str", "choices": list(choices)}

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        if value not in self.choices:
            near = nearest(str(value), self.choices)
            problems.append(Problem(place, f"{value!r} is none of {', '.join(self.choices)}{near}"))
        return value


class Listing(Type):
    """A list, replaced as a whole. Unless ordered, the order of its members means nothing."""

    def __init__(self, item: Type, ordered: bool = False, fold_case: bool = False) -> None:
        self.item, self.ordered, self.fold_case = item, ordered, fold_case
        inner = dict(item.spec)
        self.spec = {"type": "list", "elements": inner.pop("type"), **inner}

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            value = [value]
        if isinstance(self.item, Subject):
            empty = [f"{place}[{i}]" for i, one in enumerate(value) if one in ("", None)]
            problems.extend(Problem(where, "is empty") for where in empty)
        return [self.item.wire(one, f"{place}[{i}]", problems) for i, one in enumerate(value)]

    def human(self, value: Any) -> Any:
        return [self.item.human(one) for one in value or []]

    def normal(self, value: Any) -> Any:
        members = [self.item.normal(one) for one in value or []]
        if self.fold_case:
            members = [member.casefold() for member in members]
        return tuple(members) if self.ordered else tuple(sorted(members, key=repr))


class StringMap(Type):
    """Metadata: texts by name. What servers and this collection keep in there is left aside."""

    spec = {"type": "dict"}

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(Problem(place, "must be a dictionary"))
            return {}
        for key in filter(is_reserved_metadata, map(str, value)):
            problems.append(Problem(f"{place}.{key}", "is kept by the server or this collection"))
        nested = [key for key, text in value.items() if isinstance(text, (dict, list))]
        problems.extend(Problem(f"{place}.{key}", "must be a text") for key in nested)
        return {str(key): _metadata_text(text) for key, text in value.items()}

    def human(self, value: Any) -> Any:
        return {key: text for key, text in (value or {}).items() if not is_reserved_metadata(key)}

    def normal(self, value: Any) -> Any:
        return tuple(sorted(self.human(value).items()))


class Struct(Type):
    """A dictionary with fields of its own, replaced as a whole."""

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self.by_name = {field.name: field for field in fields}
        self.spec = {"type": "dict", "options": {f.name: f.argument_spec() for f in fields}}

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(Problem(place, "must be a dictionary"))
            return {}
        out: Config = {}
        for name, part in value.items():
            field = self.by_name.get(name)
            if field is None:
                near = nearest(str(name), self.by_name)
                problems.append(Problem(f"{place}.{name}", f"is not an option here{near}"))
            elif part is not None:
                wire = field.type.wire(part, f"{place}.{name}", problems)
                if not is_zero(wire):
                    out[name] = wire
        for field in self.fields:
            if field.required and field.name not in out:
                problems.append(Problem(f"{place}.{field.name}", "is required"))
        return out

    def human(self, value: Any) -> Any:
        if not value:
            return {}
        parts = {field: value.get(field.name) or field.default for field in self.fields}
        return {
            field.name: field.type.human(part) for field, part in parts.items() if not is_zero(part)
        }

    def normal(self, value: Any) -> Any:
        out = []
        for field in self.fields:
            part = (value or {}).get(field.name)
            normal = field.type.normal(field.default if is_zero(part) else part)
            if not is_zero(normal):
                out.append((field.name, normal))
        return tuple(out) if value else ()


# --------------------------------------------------------------------------------------------------
# What an update may do to a field
# --------------------------------------------------------------------------------------------------


class Update(NamedTuple):
    """A rule for changing a field of an asset that exists.

    test(before, after) says whether an update can do it at all, since the release from which
    servers do. one_way marks changes that no later update can take back.
    """

    words: str
    test: Callable[[Any, Any], bool]
    since: Release = (2, 2, 0)
    one_way: bool = False

    def in_place(self, before: Any, after: Any, server: Server) -> bool:
        """Say whether to try an update; what was not observed on a line is the server's to say."""
        known = server.knows(self.since) is not False
        return self.test(before, after) and (known or not server.observed(self.since))


ALWAYS = Update("in place", lambda before, after: True)
NEVER = Update("never", lambda before, after: False)
TO_TRUE = Update("only to true", lambda before, after: bool(after), one_way=True)
AT_CREATION = Update("no effect after creation", lambda before, after: True)


class Field(NamedTuple):
    """One row of a table.

    default is the wire value (or a function of configuration and context) that absent, empty and
    zero stand for. moved marks defaults that a limit of the server or the stream can lower.
    ignored tells when a difference means nothing. shown fields appear in a declaration even when
    they have their default.
    """

    name: str
    type: Type
    since: Release = (2, 2, 0)
    update: Update = ALWAYS
    default: Any = None
    moved: bool = False
    ignored: Optional[Callable[[Config, Context], bool]] = None
    required: bool = False
    shown: bool = False
    aliases: tuple[str, ...] = ()

    def argument_spec(self) -> dict[str, Any]:
        spec = dict(self.type.spec)
        if self.required:
            spec["required"] = True
        if self.aliases:
            spec["aliases"] = list(self.aliases)
        return spec

    def default_in(self, config: Config, context: Context) -> Any:
        return self.default(config, context) if callable(self.default) else self.default

    def value_in(self, config: Config, context: Context) -> Any:
        """Return the wire value that counts: the one that is set, or else the default."""
        value = config.get(self.name)
        return self.default_in(config, context) if asks_default(value) else value

    def normal_in(self, config: Config, context: Context) -> Any:
        return self.type.normal(self.value_in(config, context))

    def is_default(self, config: Config, context: Context) -> bool:
        """Say whether the field has exactly its built-in default."""
        default = self.type.normal(self.default_in(config, context))
        return bool(self.normal_in(config, context) == default)

    def counts_as_default(self, config: Config, context: Context) -> bool:
        """Say whether the field is at its default, or at one that a limit may have lowered."""
        if self.is_default(config, context):
            return True
        default = self.type.normal(self.default_in(config, context))
        stored = self.normal_in(config, context)
        return self.moved and 0 < stored and (default < 0 or stored <= default)


class Schema:
    """The table of fields of one kind of asset."""

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self.by_name = {field.name: field for field in fields}
        # Those that a declaration can have although the configuration says nothing of them.
        self._speaking = frozenset(
            field.name
            for field in fields
            if callable(field.default) or (field.shown and not is_zero(field.default))
        )

    def argument_spec(self) -> dict[str, Any]:
        """Return the Ansible argument spec. No option has a default: unsaid is untouched."""
        return {field.name: field.argument_spec() for field in self.fields}

    def wire(self, options: Mapping[str, Any], place: str, problems: list[Problem]) -> Config:
        """Return the wire form of the options that are mentioned (not None), zeros included."""
        prefix = f"{place}." if place else ""
        return {
            field.name: field.type.wire(options[field.name], f"{prefix}{field.name}", problems)
            for field in self.fields
            if options.get(field.name) is not None
        }

    def human(self, config: Config, context: Context) -> Config:
        """Return every setting as an option would be written, defaults included."""
        return {
            field.name: field.type.human(field.value_in(config, context)) for field in self.fields
        }

    def declaration(self, config: Config, context: Context) -> Config:
        """Return the settings that differ from the defaults, as options would be written.

        The defaults are the built-in ones, so that what the limits of a stream make of them is
        there whether the stream was looked at or not.
        """
        builtin, declared = context._replace(parent=None), {}
        for field in self.fields:
            if config.get(field.name) is None and field.name not in self._speaking:
                continue  # most of them, in most configurations
            value = field.value_in(config, context)
            default = field.default_in(config, builtin)
            if (field.shown and not is_zero(value)) or (
                field.type.normal(value) != field.type.normal(default)
            ):
                declared[field.name] = field.type.human(value)
        return declared

    def differs(self, field: Field, wanted: Config, current: Config, context: Context) -> bool:
        """Say whether the mentioned field of wanted means something else than in current."""
        together = {**current, **wanted}
        if field.ignored and field.ignored(together, context):
            return False
        if asks_default(wanted.get(field.name)):
            # The default follows from what the other settings are going to be.
            together[field.name] = current.get(field.name)
            return not field.counts_as_default(together, context)
        return bool(field.type.normal(wanted[field.name]) != field.normal_in(current, context))

    def unknown_to(self, config: Config, server: Server, place: str = "") -> list[Problem]:
        """Return what the configuration sets (beyond zero) that this server does not know."""
        problems: list[Problem] = []
        _gate(self.fields, config, server, f"{place}." if place else "", problems)
        return problems


def is_zero(value: Any) -> bool:
    """Say whether a wire value is the same as an absent one. -1 is not: it may be meant."""
    return value is None or (not value and isinstance(value, (bool, int, str, list, dict, tuple)))


def without_zeros(config: Config) -> Config:
    """Return a configuration without what is the same as absent; servers refuse some of it."""
    return {name: value for name, value in config.items() if not is_zero(value)}


def asks_default(value: Any) -> bool:
    """Say whether a wire value asks for the default. False does not: it is a value of its own."""
    return value is not False and is_zero(value)


def is_reserved_metadata(key: str) -> bool:
    return key.startswith(SERVER_METADATA) or key in OWN_METADATA


def subjects_taken(config: Config) -> Optional[list[str]]:
    """Return the subjects that a recreate took from a stream and did not give back, None if none.

    What somebody else wrote there, and is no list of subjects, is none.
    """
    try:
        taken = json.loads((config.get("metadata") or {}).get(RECREATING_METADATA, "null"))
    except ValueError:
        return None
    is_list = isinstance(taken, list) and all(isinstance(one, str) for one in taken)
    return taken if is_list and taken else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean x?)`` for a misspelt word, nothing when no known one is near."""
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def release_text(since: Release) -> str:
    return ".".join(map(str, since[:2] if not any(since[2:]) else since))


def _metadata_text(value: Any) -> str:
    # YAML turns true and 1 into values of their own; servers take texts only.
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _gate(
    fields: Iterable[Field], config: Any, server: Server, prefix: str, problems: list[Problem]
) -> None:
    for field in fields:
        value: Any = (config or {}).get(field.name)
        if value is None:
            continue  # most of them, in most configurations
        if is_zero(value) or field.type.normal(value) == field.type.normal(
            None if callable(field.default) else field.default
        ):
            continue
        place = f"{prefix}{field.name}"
        since = field.since
        if isinstance(field.type, Choice):
            since = max(since, field.type.newer.get(value, since))
        if server.knows(since) is False:
            problems.append(
                Problem(place, f"needs nats-server {release_text(since)}, this is {server.text}")
            )
            continue
        for inner, one, where in _inner(field.type, value, place):
            _gate(inner, one, server, f"{where}.", problems)


def unknown_fields(
    fields: Iterable[Field], config: Config, server: Server, place: str
) -> list[Problem]:
    """Return what a server would drop of a wire configuration that is sent as it is.

    A name in other letters, upper or lower case, is no other field: servers (2.15 too) read it as
    the one that they know. What newer servers do not know is theirs to refuse.
    """
    known = {field.name: field for field in fields}
    folded = {name.casefold(): name for name in known}
    problems = []
    for name, value in config.items():
        where, field = f"{place}.{name}", known.get(name)
        real = folded.get(str(name).casefold())
        if field is None and real:
            problems.append(Problem(where, f"has to be written {real}"))
        elif field is None and server.knows(STRICT_SINCE) is False:
            text = f"nats-server {server.text} does not have this field"
            problems.append(Problem(where, f"{text}{nearest(str(name), known)}"))
        elif field and not is_zero(value) and server.knows(field.since) is False:
            text = f"needs nats-server {release_text(field.since)}, this is {server.text}"
            problems.append(Problem(where, text))
        elif field and isinstance(value, (dict, list)):
            for inner, one, at in _inner(field.type, value, where):
                if isinstance(one, dict):
                    problems += unknown_fields(inner, one, server, at)
    return problems


def _inner(kind: Type, value: Any, place: str) -> Iterable[tuple[tuple[Field, ...], Any, str]]:
    """Yield (fields, value, place) of each dictionary that a value is made of."""
    if isinstance(kind, Struct):
        yield kind.fields, value, place
    elif isinstance(kind, Listing) and isinstance(kind.item, Struct):
        for index, one in enumerate(value):
            yield kind.item.fields, one, f"{place}[{index}]"
