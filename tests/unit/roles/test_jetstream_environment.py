# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role are the options of the module, and the guide shows the real diagram."""

from __future__ import annotations

import textwrap
from pathlib import Path

import yaml

from ansible_collections.nats.jetstream.plugins.module_utils._environment import (
    ARGUMENT_SPEC,
    ASSETS,
)
from ansible_collections.nats.jetstream.plugins.plugin_utils._topology import diagram
from harness import blocks

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "jetstream_environment"
PREFIX = "jetstream_environment_"


def load(name):
    return yaml.safe_load((ROLE / name).read_text())


OPTIONS = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def test_each_option_of_the_module_is_a_variable_of_the_same_type():
    shapes = {}
    for name, spec in ARGUMENT_SPEC.items():
        variable = OPTIONS[PREFIX + name]
        shapes[name] = {
            key: variable[key] for key in ("type", "elements", "choices") if key in variable
        }
        assert shapes[name] == {
            key: spec[key] for key in ("type", "elements", "choices") if key in spec
        }


def test_a_file_may_say_each_of_them_but_the_expected_plan():
    variables = load("vars/main.yml")
    assert variables["_jetstream_environment_lists"] == list(ASSETS)
    assert {
        *variables["_jetstream_environment_settings"],
        *ASSETS,
        "defaults",
        "expect_plan",
    } == set(ARGUMENT_SPEC)


def test_defaults_are_those_that_are_described():
    defaults = load("defaults/main.yml")
    assert all(name.startswith(PREFIX) for name in [*defaults, *OPTIONS])
    described = {name: one["default"] for name, one in OPTIONS.items() if "default" in one}
    # It depends on the playbook.
    assert defaults.pop(f"{PREFIX}base_path") == "{{ playbook_dir }}"
    assert defaults == described


def test_the_guide_shows_the_diagram_of_its_file():
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_role.rst").read_text()
    text = diagram(declared_in(guide))
    assert f".. code-block:: text\n\n{textwrap.indent(text, '    ')}\n" in guide


def test_the_readme_shows_the_diagram_of_its_file():
    readme = (ROLE / "README.md").read_text()
    assert f"```mermaid\n{diagram(declared_in(readme))}```\n" in readme


def declared_in(document):
    """Return the environment that the first such block of a document declares."""
    found = [block for block in blocks.blocks_of(document) if block.kind == "declaration"]
    return yaml.safe_load(found[0].text)
