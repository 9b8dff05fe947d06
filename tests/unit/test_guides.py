# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides and CONTRIBUTING.md say of the code is what the code is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.nats.jetstream.plugins.module_utils import (
    _connection_options,
    _consumer,
    _kv_bucket,
    _object_bucket,
    _schema,
    _stream,
)
from harness import blocks

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.nats.jetstream.plugins.module_utils"
DOCSITE = ROOT / "docs" / "docsite"
GUIDES = sorted((DOCSITE / "rst").glob("*.rst"))
KINDS = {
    "stream": ("jetstream_stream", _stream.SCHEMA),
    "consumer": ("jetstream_consumer", _consumer.SCHEMA),
    "key-value bucket": ("jetstream_kv_bucket", _kv_bucket.SCHEMA),
    "object bucket": ("jetstream_object_bucket", _object_bucket.SCHEMA),
}


def between(text, name):
    """Return what stands between the comments ".. NAME: begin" and ".. NAME: end"."""
    return text.partition(f".. {name}: begin\n")[2].partition(f".. {name}: end")[0]


def in_place_table():
    """Return the table of what an update cannot do, or not always, as the guide has it."""
    lines = [".. list-table::", "  :header-rows: 1", "  :widths: 20 30 50", ""]
    lines += ["  * - Asset", "    - Setting", "    - Change in place"]
    for noun, (module, schema) in KINDS.items():
        for field in schema.fields:
            if field.update is _schema.ALWAYS:
                continue
            words = field.update.words
            if field.update.since > (2, 9, 0):
                words += f", from nats-server {_schema.release_text(field.update.since)} on"
            lines.append(f"  * - {noun}")
            lines.append(f"    - :ansopt:`nats.jetstream.{module}#module:{field.name}`")
            lines.append(f"    - {words}")
    return "\n" + "\n".join(lines) + "\n\n"


def test_the_guide_knows_what_cannot_be_changed_in_place():
    guide = (DOCSITE / "rst" / "guide_idempotency.rst").read_text()
    assert between(guide, "in place") == in_place_table()


def test_every_guide_is_in_a_section():
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text())["sections"]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == [path.stem for path in GUIDES]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_guide_has_the_label_of_its_name(guide):
    label = f".. _ansible_collections.nats.jetstream.docsite.{guide.stem}:"
    assert label in guide.read_text().splitlines()


def test_the_variables_of_the_environment_are_described():
    guide = (DOCSITE / "rst" / "guide_logins.rst").read_text()
    described = re.findall(r"^\.\. envvar:: (\w+)$", guide, re.M)
    configured = yaml.safe_load((DOCSITE / "config.yml").read_text())["envvar_directives"]
    assert sorted(described) == configured
    assert set(described) == set(_connection_options.VARIABLES)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_part_of_a_file_of_this_project_is_in_that_file(guide):
    for block in blocks.blocks_of(guide.read_text()):
        file = ROOT / (block.caption or "")
        if file.is_file():
            assert flat(block.text) in flat(file.read_text()), f"{guide.name}:{block.line}"


def flat(text):
    return "\n".join(line.strip() for line in text.strip().splitlines())


# --------------------------------------------------------------------------------------------------
# The rooms of module_utils, as CONTRIBUTING.md has them
# --------------------------------------------------------------------------------------------------

ROOMS = ROOT / "plugins" / "module_utils"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
ROW = re.compile(r"^\| `(_\w+)` \| (.*) \|$", re.MULTILINE)


def trees():
    return {path.stem: ast.parse(path.read_text()) for path in sorted(ROOMS.glob("_*.py"))}


TREES = trees()


def groups():
    """Return group -> the rooms that the sections of CONTRIBUTING.md put into it."""
    rooms = CONTRIBUTING.partition("## The rooms\n")[2].partition("\n## ")[0]
    sections = re.split(r"^### (.*)\n", rooms, flags=re.MULTILINE)[1:]
    return {
        name.lower(): dict(ROW.findall(text)) for name, text in zip(sections[::2], sections[1::2])
    }


GROUPS = groups()


def imports(tree):
    """Yield the rooms that a room imports when it is loaded."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            room = node.module[len(PACKAGE) :].lstrip(".")
            yield from [room] if room else (alias.name for alias in node.names)


def test_every_room_is_in_contributing_in_its_own_words():
    """A new room gets a row in the group where it belongs: the one that is printed here."""
    rows = {room: text for rooms in GROUPS.values() for room, text in rooms.items()}
    own = {
        room: ast.get_docstring(tree).partition("\n")[0].rstrip(".").replace("``", "`")
        for room, tree in TREES.items()
    }
    wrong = [f"| `{room}` | {text} |" for room, text in own.items() if rows.get(room) != text]
    assert not wrong, "CONTRIBUTING.md lacks these rows:\n" + "\n".join(wrong)
    assert set(rows) == set(own)
    assert sum(len(rooms) for rooms in GROUPS.values()) == len(own)


def test_the_picture_of_the_rooms_is_what_they_import():
    """The arrows are those of the imports, without the ones that a longer way implies."""
    group_of = {room: group for group, rooms in GROUPS.items() for room in rooms}
    real = {
        (group_of[room], group_of[other])
        for room, tree in TREES.items()
        for other in imports(tree)
        if group_of[room] != group_of[other]
    }
    assert not {(one, other) for one, other in real if (other, one) in real}
    drawn = re.findall(r"^  (\w+) --> (\w+)$", CONTRIBUTING, re.MULTILINE)
    assert sorted(drawn) == sorted(edge for edge in real if not implied(edge, real))


def implied(edge, edges):
    """Say whether there is a longer way from one end of an edge to the other."""
    start, end = edge
    seen, ahead = set(), {other for one, other in edges if one == start and other != end}
    while ahead:
        group = ahead.pop()
        seen.add(group)
        ahead |= {other for one, other in edges if one == group} - seen
    return end in seen
