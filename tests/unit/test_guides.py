# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides and CONTRIBUTING.md say of the code is what the code is."""

from __future__ import annotations

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
