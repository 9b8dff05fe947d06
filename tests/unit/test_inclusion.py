# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Ansible community asks of a collection in its package, as far as a file can show it.

See https://docs.ansible.com/ansible/latest/community/collection_contributors/collection_requirements.html.
Other tests hold the rest: tests/package the artifact, test_claims.py the versions, `make sanity`
and `make lint` their own rules.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import collection
from harness.paths import ROOT

PLUGINS = ROOT / "plugins"
KINDS = ("modules", "lookup", "filter")
PUBLIC = sorted(path for kind in KINDS for path in (PLUGINS / kind).glob("*.py"))
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
PRIVATE_KINDS = ("module_utils", "plugin_utils", "doc_fragments")
PRIVATE = sorted(path for kind in PRIVATE_KINDS for path in (PLUGINS / kind).rglob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
README = (ROOT / "README.md").read_text()


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def documentation(path: Path, name: str) -> Any:
    """Return a part of a plugin's documentation, which names it without being run."""
    (text,) = re.findall(rf'^{name} = r"""\n(.*?)^"""', path.read_text(), re.MULTILINE | re.DOTALL)
    return yaml.safe_load(text.replace("!unsafe", ""))


# --------------------------------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------------------------------


def test_plugins_are_of_kinds_that_ansible_knows():
    folders = {path.name for path in PLUGINS.iterdir() if path.name != "__pycache__"}
    assert folders == {*KINDS, *PRIVATE_KINDS}


@pytest.mark.parametrize("path", PRIVATE, ids=ids)
def test_what_is_private_says_so(path):
    assert path.name.startswith("_")
    words = re.sub(r"\s*\n#\s*", " ", path.read_text())
    assert re.search("is private to the collection[:.] it can (change|have breaking)", words, re.I)


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE], ids=ids)
def test_the_license_is_in_the_file(path):
    head = "\n".join(path.read_text().splitlines()[:8])
    assert "GNU General Public License v3.0+" in head
    # Without the four letters in front, or reuse takes this line for a license.
    assert "-License-Identifier: GPL-3.0-or-later" in head


def test_no_sanity_test_is_ignored():
    assert list((ROOT / "tests" / "sanity").glob("ignore*")) == []


def test_galaxy_yml():
    galaxy = loaded(ROOT / "galaxy.yml")
    assert (galaxy["namespace"], galaxy["name"]) == ("nats", "jetstream")
    major, *_rest = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(-[\w.-]+)?", galaxy["version"]).groups()
    assert int(major) >= 1
    assert galaxy["license"] == ["GPL-3.0-or-later"]
    assert galaxy["tags"] and all(re.fullmatch("[a-z0-9]+", tag) for tag in galaxy["tags"])
    assert galaxy["dependencies"] == {}
    for name in ("repository", "documentation", "homepage", "issues"):
        assert galaxy[name].startswith("https://")


# --------------------------------------------------------------------------------------------------
# Documentation
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    [
        "Code of Conduct",
        "Communication",
        "Tested with Ansible",
        "External requirements",
        "Collection documentation",
        "Included content",
        "Using this collection",
        "Contributing",
        "Release notes",
        "Releases, versions, and deprecation",
        "More information",
        "Licensing",
    ],
)
def test_the_readme_has_the_sections_of_the_template(heading):
    assert f"\n## {heading}\n" in README


def test_the_readme_promises_what_is_asked_for():
    assert "follows [semantic versioning](https://semver.org/)" in README
    assert "https://forum.ansible.com/c/help/6" in README
    assert "https://docs.ansible.com/ansible/latest/community/code_of_conduct.html" in (
        README + (ROOT / "CODE_OF_CONDUCT.md").read_text()
    )


@pytest.mark.parametrize("path", PUBLIC, ids=ids)
def test_a_plugin_is_documented_whole(path):
    docs = documentation(path, "DOCUMENTATION")
    assert docs.get("module", docs.get("name")) == path.stem
    assert re.fullmatch(r"\d+\.\d+\.\d+", docs["version_added"])
    assert documentation(path, "EXAMPLES")
    assert documentation(path, "RETURN")


@pytest.mark.parametrize("path", PUBLIC, ids=ids)
def test_examples_use_full_names(path):
    for task in documentation(path, "EXAMPLES"):
        actions = [name for name in task if "." in name]
        assert actions or "block" in task, task
    text = path.read_text().partition("EXAMPLES = ")[2].partition('"""\n\nRETURN')[0]
    short = re.findall(
        r"^ +(?:- )?(assert|command|copy|debug|fail|include_role|include_tasks|set_fact|shell"
        r"|stat|template|jetstream_\w+):$",
        text,
        re.MULTILINE,
    )
    assert short == []


@pytest.mark.parametrize("role", ROLES, ids=ids)
def test_a_role_is_documented_whole(role):
    assert (role / "README.md").is_file()
    for entry in loaded(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        assert {"short_description", "description", "version_added", "author", "options"} <= set(
            entry
        )
        # Other names belong to other roles, or to the playbook.
        assert all(name.startswith(f"{role.name}_") for name in entry["options"])
        assert set(loaded(role / "defaults" / "main.yml")) <= set(entry["options"])


# --------------------------------------------------------------------------------------------------
# Modules
# --------------------------------------------------------------------------------------------------


def given(module: str) -> dict[str, Any]:
    name = f"ansible_collections.nats.jetstream.plugins.modules.{module}"
    return collection.constructor_arguments(importlib.import_module(name))


@pytest.mark.parametrize("module", MODULES)
def test_a_state_is_no_question(module):
    spec = given(module)["argument_spec"]
    choices = set(spec.get("state", {}).get("choices", ()))
    assert not choices & {"get", "list", "query", "info"}
    assert given(module)["supports_check_mode"] is True


@pytest.mark.parametrize("module", [name for name in MODULES if name.endswith("_info")])
def test_a_module_that_reads_has_no_state(module):
    assert "state" not in given(module)["argument_spec"]
    assert "ansible_facts" not in documentation(PLUGINS / "modules" / f"{module}.py", "RETURN")


def test_the_readme_lists_what_there_is():
    """And nothing else; test_documentation.py does the same for the action group."""
    listed = re.findall(r"^\| (?:(role|lookup|filter) )?\[?`nats\.jetstream\.(\w+)`", README, re.M)
    found = [
        ("" if path.parent.name == "modules" else path.parent.name, path.stem) for path in PUBLIC
    ]
    found += [("role", role.name) for role in ROLES]
    assert sorted(listed) == sorted(found)


def test_every_plugin_has_an_integration_target():
    """ansible-test knows by a target's name whether a change concerns it."""
    folder = ROOT / "tests" / "integration" / "targets"
    targets = {path.name for path in folder.iterdir() if path.is_dir()}
    wanted = {
        path.stem if path.parent.name == "modules" else f"{path.parent.name}_{path.stem}"
        for path in PUBLIC
    }
    assert {target.removeprefix("module_") for target in targets} == {*wanted, "setup_nats"}


def test_the_scenario_of_the_matrix_has_every_module():
    text = (ROOT / "tests" / "matrix" / "scenario.yml").read_text()
    used = set(re.findall(r"^ +(?:- )?nats\.jetstream\.(\w+):$", text, re.MULTILINE))
    assert set(MODULES) <= used
