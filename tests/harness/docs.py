# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation site with antsibull-docs, without a network, outside of the checkout."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import Callable

from . import stage
from .paths import NAME, NAMESPACE, work

COLLECTION = f"{NAMESPACE}.{NAME}"
ANSIBLE = "https://docs.ansible.com/projects/ansible/devel/"
# What the pages refer to in the documentation of Ansible. Their inventory is on the network, so
# this one stands for it: a reference to anything else is a warning, and so a failure.
LABELS = {
    "ansible_configuration_settings": "reference_appendices/config.html",
    "ansible_collections.ansible.builtin.command_module": (
        "collections/ansible/builtin/command_module.html"
    ),
    "common_return_values": "reference_appendices/common_return_values.html",
}
CONFIGURATION = f"""
# Added by {NAMESPACE}.{NAME}: see tests/harness/docs.py.
intersphinx_mapping = {{"ansible_devel": ("{ANSIBLE}", "../ansible_devel.inv")}}
"""


def build(command: Callable[[str, list[str], Path], str], tool: Callable[[str], str]) -> Path:
    """Build all pages anew, and return the first one. Any warning is a failure.

    ``command`` runs a command by its name, words, and folder, and raises when it fails; ``tool``
    returns the path of a program.
    """
    site = work() / "docs"
    shutil.rmtree(str(site), ignore_errors=True)
    site.mkdir(parents=True, mode=0o700)  # antsibull-docs wants it for itself
    source = stage.export(site / "tree" / "ansible_collections" / NAMESPACE / NAME)
    release(command, tool, source)
    # antsibull-docs writes a log into the home of whoever runs it.
    (site / "home").mkdir()
    environment = [f"HOME={site / 'home'}", f"ANSIBLE_COLLECTIONS_PATH={site / 'tree'}"]
    sphinx = site / "sphinx"
    sphinx.mkdir(mode=0o700)
    init = [tool("antsibull-docs"), "sphinx-init", "--use-current", "--squash-hierarchy"]
    init += ["--fail-on-error", "--dest-dir", str(sphinx), "--project", COLLECTION]
    init += ["--copyright", f"The {COLLECTION} contributors", "--title", COLLECTION]
    # The theme looks for a version beside the name.
    init += ["--extra-html-theme-options", "documentation_home_url=index.html"]
    command("docs init", ["env", *environment, *init, COLLECTION], site)
    (sphinx / "ansible_devel.inv").write_bytes(inventory())
    with open(sphinx / "conf.py", "a") as configuration:
        configuration.write(CONFIGURATION)
    command("docs build", ["env", *environment, "bash", str(sphinx / "build.sh")], site)
    return sphinx / "build" / "html" / "index.html"


def release(
    command: Callable[[str, list[str], Path], str], tool: Callable[[str], str], source: Path
) -> None:
    """Let the changelog of the copy have the next release: its page is empty without one."""
    if any((source / "changelogs" / "fragments").glob("*.yml")):
        command("docs changelog", [tool("antsibull-changelog"), "release"], source)


def inventory() -> bytes:
    """Return an inventory of Sphinx with the labels that the pages refer to."""
    head = ["# Sphinx inventory version 2", "# Project: Ansible", "# Version: devel"]
    head.append("# The remainder of this file is compressed using zlib.")
    lines = [f"{label} std:label -1 {page} {label}" for label, page in LABELS.items()]
    body = "".join(f"{line}\n" for line in lines)
    return "".join(f"{line}\n" for line in head).encode() + zlib.compress(body.encode())
