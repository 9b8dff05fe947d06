# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that no option was made for, and every place of every module that takes a value.

Places come from the argument specs, so a new module or option is in without being named here. What
JSON can bring is what a task can bring: lone surrogates, numbers without end, NaN.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection_options,
    _consumer,
    _kv_bucket,
    _object_bucket,
    _stream,
)

from . import collection

PACKAGE = "ansible_collections.nats.jetstream.plugins.modules"
ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))

# Tasks that are in order; a module that is not here gets what it requires.
TASKS: dict[str, dict[str, Any]] = {
    "jetstream_environment": {"streams": [{"name": "S", "subjects": ["s.>"]}]},
    "jetstream_kv": {"bucket": "B", "key": "k", "value": "v"},
    "jetstream_message": {"stream": "S", "subject": "s.x", "data": "d"},
    "jetstream_object": {"bucket": "B", "name": "o", "content": "c"},
    "jetstream_step_down": {"stream": "S"},
}
# What makes a place mean something, beside the task.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("jetstream_kv", "entries"): {"key": None, "value": None},
    ("jetstream_kv", "keys"): {"key": None, "value": None, "entries": [{"key": "k", "value": "v"}]},
    **{
        ("jetstream_kv", name): {"value": None}
        for name in ("json", "base64", "src", "state", "prune")
    },
    **{("jetstream_message", name): {"data": None} for name in ("json", "base64", "src")},
    ("jetstream_message", "seq"): {"state": "absent", "subject": None, "data": None},
    ("jetstream_message", "erase"): {"state": "absent", "subject": None, "data": None, "seq": 1},
    ("jetstream_object", "src"): {"content": None},
    ("jetstream_object", "link"): {"content": None},
    ("jetstream_step_down", "consumer"): {"stream": "S"},
    ("jetstream_step_down", "meta"): {"stream": None},
    ("jetstream_message_info", "seq"): {"subject": None},
}
NAMES = {"stream": "S", "consumer": "C", "bucket": "B", "key": "k", "subject": "s.x", "group": "g"}
NAMED = {"jetstream_kv": "B", "jetstream_object": "B"}  # what name means, by the module's prefix
PLAIN: dict[str, Any] = {"int": 1, "bool": True, "list": [], "dict": {}, "float": 1.0}


class Place(NamedTuple):
    """A value of a module's arguments: the option it is in, and what is around it there."""

    module: str
    option: str
    path: tuple[str, ...]  # from the option downwards; [] goes into a list
    type: str
    beside: dict[str, Any]  # siblings, for the last dictionary on the path

    @property
    def name(self) -> str:
        return ".".join((self.option, *(part for part in self.path if part != "[]")))

    def args(self, value: Any) -> dict[str, Any]:
        """Return the arguments of a task with the value here."""
        inner: dict[str, Any] = self.beside
        for part in reversed(self.path):
            value = [value] if part == "[]" else {**inner, part: value}
            inner = inner if part == "[]" else {}
        return {**self.around(), self.option: value}

    def around(self) -> dict[str, Any]:
        """Return the arguments of that task without the option."""
        args = {**task(self.module), **BESIDE.get((self.module, self.option), {})}
        args[self.option] = None
        return {name: one for name, one in args.items() if one is not None}


_SPECS: dict[str, dict[str, Any]] = {}


def given(module: str) -> dict[str, Any]:
    if module not in _SPECS:
        code = import_module(f"{PACKAGE}.{module}")
        _SPECS[module] = collection.constructor_arguments(code)
    return _SPECS[module]


def task(module: str) -> dict[str, Any]:
    """Return the arguments of a task that is in order, as far as options go."""
    if module in TASKS:
        return dict(TASKS[module])
    spec = given(module)["argument_spec"]
    needed = {name for name, option in spec.items() if option.get("required")}
    needed |= {names[0] for names in given(module).get("required_one_of") or ()}
    return {name: _sample(module, name, spec[name]) for name in needed}


def _sample(module: str, name: str, option: dict[str, Any]) -> Any:
    kind = option.get("type", "str")
    if option.get("choices"):
        return option["choices"][0]
    if kind == "path":
        return "a.path"
    if name == "name":
        if "bucket" in module:
            return "B"
        return "C" if "consumer" in module else "o" if "object" in module else "S"
    return PLAIN.get(kind, NAMES.get(name, "x"))


def places(module: str, of_connection: bool) -> Iterator[Place]:
    """Yield the places of a module: those of its own options, or those of the connection."""
    spec = given(module)["argument_spec"]
    for name, option in spec.items():
        if (name in _connection_options.ARGUMENT_SPEC) is of_connection:
            yield from _places(module, name, (), option, {})
    if module == "jetstream_environment" and not of_connection:
        yield from _declared()


def _places(
    module: str, name: str, path: tuple[str, ...], option: dict[str, Any], beside: dict[str, Any]
) -> Iterator[Place]:
    kind = option.get("type", "str")
    yield Place(module, name, path, kind, beside)
    below = path
    if kind == "list":
        below = (*path, "[]")
        kind = option.get("elements", "str")
        yield Place(module, name, below, kind, beside)
    inner = option.get("options") or {}
    around = {sub: _sample(module, sub, one) for sub, one in inner.items() if one.get("required")}
    if inner:
        yield Place(module, name, (*below, "no_such_option"), "unknown", around)
    for sub, one in inner.items():
        if not path or len(path) < 4:  # the siblings of one level are enough
            yield from _places(module, name, (*below, sub), one, around)


def _declared() -> Iterator[Place]:
    """What a declared environment takes: its lists hold dictionaries without a spec."""
    for option, schema, around in (
        ("streams", _stream.SCHEMA, {"name": "S", "subjects": ["s.>"]}),
        ("consumers", _consumer.SCHEMA, {"stream": "S", "name": "C"}),
        ("kv_buckets", _kv_bucket.SCHEMA, {"name": "B"}),
        ("object_buckets", _object_bucket.SCHEMA, {"name": "B"}),
    ):
        own = {"state": "str", "update": "str", "reset": "list", "recreate": "str"}
        own.update(dict.fromkeys(around, "str"), no_such_option="unknown", extra_config="dict")
        own.update({name: str(one.type.spec["type"]) for name, one in schema.by_name.items()})
        for name, kind in own.items():
            yield Place("jetstream_environment", option, ("[]", name), kind, around)


def deep(depth: int, kind: str) -> Any:
    value: Any = "x"
    for _level in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


TEXTS = [
    *("", " ", "\n", "\t", "a b", " a", "a\r\n", "\x00", "a\x00b", "\x1b[31m", "\x7f", "\x85"),
    *("ü", "日本語", "é", "\u202eabc", "\ufeff", "\u2028", "👩‍👩‍👧", "𝒳" * 64),
    *("\ud800", "a\udfff", "\udcff\udcfe", "../../x", "/", "\\", "a/b", "~", "~nobody/x"),
    *("*", ">", "a.>", "a.*", ">.a", ".", "a.", ".a", "a..b", "$JS.API.>", "$SYS.>", "_INBOX.>"),
    *("-1", "0", "1", "9" * 400, "1e999", "NaN", "0x10", "1_000", "١", "1s", "1y" * 20, "5GiB"),
    *("null", "true", "yes", "{{ 7*7 }}", "%s%n{0}", "'; drop", "--help", "[]", '{"a": 1}'),
    *("2024-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60+99:99", "x" * 300),
    *("x" * 5000, "ab." * 3000, "=?utf-8?q?x?=", "YQ==", "YQ=", "nats://", "nats://[::1", "://:@"),
]
NUMBERS = [
    *(0, 1, 2, -1, -2, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400),
    *(0.5, 1.0, -0.0, 1e308, 1e-320, float("inf"), float("-inf"), float("nan"), True, False),
]
TREES: list[Any] = [
    *([], [None], [[]], [{}], ["a", "a"], [1, "x", None, {}], [""], ["\x00"], ["\ud800"]),
    *({}, {"": ""}, {"no_such_option": 1}, {"name": None}, {"name": "x", "\x00": "\x00"}),
    *({"\ud800": "\udfff"}, {"a": {"b": {"c": []}}}, {"x" * 1000: 1}, {"name": {"name": "x"}}),
    *(deep(60, "list"), deep(60, "dict")),
]
ENORMOUS: list[Any] = [
    # Servers compare subjects each with each: 20,000 take them a minute.
    *("x" * (3 << 20), "ü" * (1 << 20), [str(number) for number in range(3000)]),
    {str(number): number for number in range(20000)},
]


def random_value(source: random.Random, depth: int = 0) -> Any:
    """Return any value that JSON can say."""
    kind = source.randrange(8 if depth < 4 else 6)
    if kind < 3:
        return random_text(source)
    if kind == 3:
        return source.choice([source.randint(-(2**70), 2**70), source.randint(-3, 70)])
    if kind == 4:
        return source.choice([source.uniform(-1e9, 1e9), source.random(), 10.0**200])
    if kind == 5:
        return source.choice([True, False, None])
    members = [random_value(source, depth + 1) for _number in range(source.randrange(4))]
    return members if kind == 6 else {random_text(source): member for member in members}


def random_text(source: random.Random) -> str:
    ranges = [
        (32, 126),
        (0, 31),
        (0x80, 0x24F),
        (0xD800, 0xDFFF),
        (0x1F300, 0x1F9FF),
        (0, 0x10FFFF),
    ]
    signs = source.choice([".*> $/-", "smhdwy0123456789.", "KMGTiB0123456789", None, None])
    length = source.choice([1, 2, 5, 20])
    if signs:
        return "".join(source.choice(signs) for _number in range(length))
    return "".join(chr(source.randint(*source.choice(ranges))) for _number in range(length))
