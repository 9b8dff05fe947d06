# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the modules says what the tables and argument specs say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _consumer,
    _kv_bucket,
    _object_bucket,
    _schema,
    _stream,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import format_duration
from harness import collection

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.nats.jetstream.plugins"
COLLECTION = "nats.jetstream"

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
SCHEMAS = {
    "jetstream_stream": _stream.SCHEMA,
    "jetstream_consumer": _consumer.SCHEMA,
    "jetstream_kv_bucket": _kv_bucket.SCHEMA,
    "jetstream_object_bucket": _object_bucket.SCHEMA,
}
# Where declarations and the server's answers are returned: module -> schema, path of the pair.
RETURNING: dict[str, tuple[str, tuple[str, ...]]] = {
    "jetstream_stream": ("stream", ()),
    "jetstream_consumer": ("consumer", ()),
    "jetstream_stream_info": ("stream", ("streams",)),
    "jetstream_consumer_info": ("consumer", ("consumers",)),
    "jetstream_kv_bucket": ("kv_bucket", ()),
    "jetstream_object_bucket": ("object_bucket", ()),
    "jetstream_kv_bucket_info": ("kv_bucket", ("kv_buckets",)),
    "jetstream_object_bucket_info": ("object_bucket", ("object_buckets",)),
}
OLDEST = (2, 9, 0)

TASK_KEYWORDS = {
    *("name", "register", "when", "vars", "loop", "loop_control", "until", "retries", "delay"),
    *("check_mode", "diff", "module_defaults", "block", "no_log"),
}
OF_ANSIBLE = {
    *("ansible_facts", "changed", "deprecations", "diff", "exception", "failed", "invocation"),
    *("msg", "results", "skipped", "warnings"),
}


class Loader(yaml.SafeLoader):
    """Examples may say ``!unsafe``."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def literal(module: str, name: str) -> Any:
    text = getattr(import_module(f"{PACKAGE}.modules.{module}"), name)
    return yaml.load(text, Loader)


def fragments(module: str) -> Iterator[dict[str, Any]]:
    for full in literal(module, "DOCUMENTATION")["extends_documentation_fragment"]:
        if not full.startswith(f"{COLLECTION}."):
            continue  # Ansible's own
        file, _dot, part = full[len(COLLECTION) + 1 :].partition(".")
        fragment = import_module(f"{PACKAGE}.doc_fragments.{file}").ModuleDocFragment
        yield yaml.safe_load(getattr(fragment, (part or "DOCUMENTATION").upper()))


def documented(module: str) -> dict[str, Any]:
    """Return the documented options, those of the fragments included."""
    options = dict(literal(module, "DOCUMENTATION").get("options") or {})
    for fragment in fragments(module):
        options.update(fragment.get("options") or {})
    return options


def argument_spec(module: str) -> dict[str, Any]:
    """Return the argument spec that the module's main() hands to Ansible."""
    given = collection.constructor_arguments(import_module(f"{PACKAGE}.modules.{module}"))
    spec: dict[str, Any] = given["argument_spec"]
    return spec


def text_of(option: dict[str, Any]) -> str:
    return " ".join(option["description"])


# --------------------------------------------------------------------------------------------------
# Options and argument specs
# --------------------------------------------------------------------------------------------------


def differences(spec: dict[str, Any], docs: dict[str, Any], place: str) -> Iterator[str]:
    for name in sorted(set(spec) ^ set(docs)):
        yield f"{place}{name} is only in the {'spec' if name in spec else 'documentation'}"
    for name in sorted(set(spec) & set(docs)):
        has, says = spec[name], docs[name]
        if "type" not in says:
            yield f"{place}{name} has no type"
        for key, nothing in (
            ("type", "str"),
            ("elements", None),
            ("choices", None),
            ("aliases", []),
            ("required", False),
            ("default", None),
        ):
            if says.get(key, nothing) != has.get(key, nothing):
                yield f"{place}{name}: {key} is {has.get(key)!r}, not {says.get(key)!r}"
        yield from differences(
            has.get("options") or {}, says.get("suboptions") or {}, f"{place}{name}."
        )


@pytest.mark.parametrize("module", MODULES)
def test_options_are_those_of_the_argument_spec(module):
    assert list(differences(argument_spec(module), documented(module), "")) == []


@pytest.mark.parametrize("module", MODULES)
def test_choices_are_lists(module):
    """Dictionaries of choices need an ansible-core that is newer than the oldest supported one."""
    wrong = [
        place
        for place, option in walk(documented(module), "suboptions")
        if not isinstance(option.get("choices", []), list)
    ]
    assert wrong == []


def walk(entries: dict[str, Any], below: str, place: str = "") -> Iterator[tuple[str, Any]]:
    for name, entry in entries.items():
        yield f"{place}{name}", entry
        yield from walk(entry.get(below) or {}, below, f"{place}{name}.")


# --------------------------------------------------------------------------------------------------
# What the tables know
# --------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A field of a table, and what the documentation says of it."""

    place: str
    field: _schema.Field
    text: str
    nested: bool


def rows() -> list[Row]:
    return [
        row
        for module, schema in SCHEMAS.items()
        for row in _rows(schema.fields, documented(module), f"{module}: ", False)
    ]


def _rows(fields: Any, docs: dict[str, Any], place: str, nested: bool) -> Iterator[Row]:
    for field in fields:
        if field.name not in docs:  # said by another test
            continue
        yield Row(f"{place}{field.name}", field, text_of(docs[field.name]), nested)
        struct = struct_of(field.type)
        if struct:
            inner = docs[field.name].get("suboptions") or {}
            yield from _rows(struct.fields, inner, f"{place}{field.name}.", True)


def struct_of(kind: _schema.Type) -> Any:
    if isinstance(kind, _schema.Listing):
        kind = kind.item
    return kind if isinstance(kind, _schema.Struct) else None


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.place)
def test_it_says_which_server_knows_the_option(row):
    needed = {row.field.since} if row.field.since > OLDEST else set()
    if isinstance(row.field.type, _schema.Choice):
        needed |= set(row.field.type.newer.values())
    found = re.findall(r"(?:N|n)eeds? nats-server ([\d.]*\d) or newer\.", row.text)
    assert sorted(found) == sorted(map(_schema.release_text, needed))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.nested], ids=lambda row: row.place)
def test_it_says_what_a_change_does(row):
    update, text = row.field.update, row.text
    if update is _schema.AT_CREATION:
        assert "Has an effect only when the stream is created." in text
        return
    if update is _schema.NEVER:
        assert "Cannot be changed in place. A change needs O(recreate)." in text
        return
    assert "Can be changed in place" in text
    assert "Cannot be changed" not in text
    assert ("Can be changed in place only to V(true)." in text) is (update is _schema.TO_TRUE)
    assert ("O(recreate)" in text) is (update is not _schema.ALWAYS)
    if update.since > OLDEST:
        assert f"from nats-server {_schema.release_text(update.since)} on" in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.place)
def test_it_says_units_and_ranges(row):
    missing = [phrase for phrase in phrases(row.field.type) if phrase not in row.text]
    assert missing == []


def phrases(kind: _schema.Type) -> Iterator[str]:
    if isinstance(kind, _schema.Listing):
        if isinstance(kind.item, _schema.Duration):
            yield "list of durations"
        return
    if isinstance(kind, _schema.Duration):
        yield "as a duration"
        if kind.minimum:
            yield f"The shortest duration is V({format_duration(kind.minimum)})"
    elif isinstance(kind, _schema.Instant):
        yield "as RFC 3339"
    elif isinstance(kind, _schema.Percentage):
        yield "a percentage from 0 to 100"
    elif isinstance(kind, _schema.Text) and kind.max_bytes:
        yield f"at most {kind.max_bytes} bytes"
    elif isinstance(kind, _schema.Integer):
        if isinstance(kind, _schema.Size):
            yield "as a size"
        if kind.unlimited:
            yield "unlimited"
            yield "V(-1)"
        if kind.minimum:
            yield f"V({kind.minimum})"
        if kind.maximum < 2**63 - 1:
            yield f"V({kind.maximum})"


# --------------------------------------------------------------------------------------------------
# Return values
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_return_values_are_described_to_their_leaves(module):
    wrong = []
    for place, value in walk(literal(module, "RETURN"), "contains"):
        needed = ("description", "returned", "type")
        wrong += [f"{place} has no {key}" for key in needed if not value.get(key)]
        if value["type"] == "list" and "elements" not in value:
            wrong.append(f"{place} has no elements")
        if "contains" not in value and "sample" not in value and not place.endswith("desired"):
            wrong.append(f"{place} has neither contains nor a sample")
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_no_return_value_hides_something(module):
    """``result.items`` is a method in a template; ``failed`` of a result is Ansible's own."""
    returned = literal(module, "RETURN")
    places = {place for place, _value in walk(returned, "contains")}
    assert {place for place in places if place.rpartition(".")[2] in dir(dict)} == set()
    assert OF_ANSIBLE & set(returned) == set()


@pytest.mark.parametrize("module", sorted(RETURNING))
def test_a_declaration_is_described_as_the_table_has_it(module):
    noun, path = RETURNING[module]
    schema = SCHEMAS[f"jetstream_{noun}"]
    declaration = pair(module, path)["declaration"]["contains"]
    names = ["stream", "name"] if noun == "consumer" else ["name"]
    of_tasks = [] if module.endswith("info") else ["extra_config"]
    assert list(declaration) == [*names, *schema.by_name, *of_tasks]
    assert list(return_differences(schema.fields, declaration, "")) == []


def pair(module: str, path: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = literal(module, "RETURN")
    for name in path:
        found = found[name]["contains"]
    return found


def return_differences(fields: Any, docs: dict[str, Any], place: str) -> Iterator[str]:
    for field in fields:
        says, spec = docs[field.name], field.type.spec
        for key in ("type", "elements"):
            if says.get(key) != spec.get(key):
                yield f"{place}{field.name}: {key} is {spec.get(key)}, not {says.get(key)}"
        struct = struct_of(field.type)
        if struct:
            if list(says["contains"]) != list(struct.by_name):
                yield f"{place}{field.name} has {list(struct.by_name)}"
            yield from return_differences(struct.fields, says["contains"], f"{place}{field.name}.")


@pytest.mark.parametrize("module", sorted(RETURNING))
def test_samples_are_values_that_the_table_takes_and_returns(module):
    noun, path = RETURNING[module]
    both = pair(module, path)
    declaration = both["declaration"]["contains"]
    # Of a bucket the server's answer is that of a stream, which is described there.
    config = None if "bucket" in noun else both[noun]["contains"]["config"]["contains"]
    found = list(sample_problems(SCHEMAS[f"jetstream_{noun}"].fields, declaration, config, ""))
    assert found == []


def sample_problems(fields: Any, docs: Any, wire_docs: Any, place: str) -> Iterator[str]:
    for field in fields:
        here = f"{place}{field.name}"
        struct = struct_of(field.type)
        wire_doc = (wire_docs or {}).get(field.name)
        if struct:
            inner = docs[field.name]["contains"], (wire_doc or {}).get("contains")
            yield from sample_problems(struct.fields, *inner, f"{here}.")
            continue
        sample, problems = docs[field.name]["sample"], []
        wire = field.type.wire(sample, here, problems)
        yield from map(str, problems)
        if field.type.human(wire) != sample:
            yield f"{here}: {sample!r} is returned as {field.type.human(wire)!r}"
        if wire_docs is None:
            continue
        if wire_doc is None:
            if field.name != "durable":  # on the wire it is whether there is a durable_name
                yield f"{here} is not in the server's configuration"
        elif field.name != "metadata" and wire_doc["sample"] != wire:
            yield f"{here}: {sample!r} is {wire!r} on the wire, not {wire_doc['sample']!r}"


# --------------------------------------------------------------------------------------------------
# The whole
# --------------------------------------------------------------------------------------------------


def test_the_action_group_has_every_module():
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["action_groups"]["jetstream"] == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_extends_the_fragments(module):
    docs = literal(module, "DOCUMENTATION")
    parts = ["_connection", "_attributes", "_attributes.actiongroup_jetstream"]
    if module.endswith("info"):
        parts.append("_attributes.info_module")
    extended = [name for name in docs["extends_documentation_fragment"] if COLLECTION in name]
    assert extended == [f"{COLLECTION}.{part}" for part in parts]
    attributes = dict(docs.get("attributes") or {})
    for fragment in fragments(module):
        for name, attribute in (fragment.get("attributes") or {}).items():
            attributes[name] = {**attribute, **attributes.get(name, {})}
    assert set(attributes) == {"check_mode", "diff_mode", "idempotent", "action_group"}
    # An action that is wanted each time is not idempotent, and has to say when it is.
    for name, attribute in attributes.items():
        partly = name == "idempotent" and attribute["support"] == "partial"
        assert attribute["support"] in ("full", "N/A") or (partly and attribute["details"])


@pytest.mark.parametrize("module", MODULES)
def test_a_module_introduces_itself(module):
    docs = literal(module, "DOCUMENTATION")
    assert docs["module"] == module
    assert docs["short_description"][0].isupper() and not docs["short_description"].endswith(".")
    assert docs["author"] == ["The nats.jetstream contributors (@nats-jetstream-ansible)"]
    others = [entry["module"] for entry in docs["seealso"] if "module" in entry]
    assert others
    assert {other.rpartition(".")[0] for other in others} == {COLLECTION}


def descriptions(module: str) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of everything that is said in sentences."""
    docs = literal(module, "DOCUMENTATION")
    sources = [docs, *fragments(module), {"options": literal(module, "RETURN")}]
    for source in sources:
        yield from ((f"{module}", text) for text in listed(source.get("description")))
        yield from ((f"{module} notes", text) for text in source.get("notes") or [])
        for name, attribute in (source.get("attributes") or {}).items():
            texts = listed(attribute.get("description")) + listed(attribute.get("details"))
            yield from ((name, text) for text in texts)
        for below in ("suboptions", "contains"):
            for place, entry in walk(source.get("options") or {}, below):
                yield from ((place, text) for text in listed(entry["description"]))


def listed(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or [])


@pytest.mark.parametrize("module", MODULES)
def test_sentences_are_whole(module):
    wrong = [
        (place, text)
        for place, text in descriptions(module)
        if not re.match(r"[A-Z]|[OVM]\(|nats-server ", text)
        or not text.endswith(".")
        or text.count("(") != text.count(")")
        or re.search(r"\b[IB]\(|  |don't|can not\b|\?$", text)
    ]
    assert wrong == []


def tasks(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield entry
        yield from tasks(entry.get("block") or [])


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_named_and_use_full_names(module):
    used = set()
    for task in tasks(literal(module, "EXAMPLES")):
        assert re.match(r"[A-Z]", task["name"]), task
        actions = set(task) - TASK_KEYWORDS
        assert len(actions) == (0 if "block" in task else 1), task
        used |= actions
        for group in task.get("module_defaults") or {}:
            assert group == f"group/{COLLECTION}.jetstream"
    assert f"{COLLECTION}.{module}" in used
    assert all(name.startswith((f"{COLLECTION}.", "ansible.builtin.")) for name in used)


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_readers_use_what_is_returned(module):
    registered = {
        task["register"] for task in tasks(literal(module, "EXAMPLES")) if "register" in task
    }
    text = import_module(f"{PACKAGE}.modules.{module}").EXAMPLES
    assert registered
    assert all(re.search(rf"\b{name}\.", text) for name in registered)
