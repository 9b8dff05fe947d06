# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# dependencies = ["nox>=2025.2.9"]
# ///

"""Sessions for whoever is used to nox; they need no containers.

Each calls the target of the Makefile of the same name, which makes its own environments. Words
behind ``--`` are for make: ``nox -s unit -- PYTHON=python3.12``.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "unit"]

TARGETS = {
    "lint": "ruff, mypy, yamllint, codespell, ansible-lint, reuse, antsibull, zizmor",
    "unit": "units and properties, no server",
    "sanity": "ansible-test sanity",
    "core": "connection and API against real servers",
    "conformance": "the tables of rules, against three versions of nats-server",
    "controller": "lookup and filters, in the half of ansible-core that runs them",
    "environment": "whole environments",
    "cluster": "three servers",
    "examples": "the examples of the documentation",
    "package": "the artifact, and what Galaxy says of it",
    "matrix": "versions of ansible-core, Python, nats-py and nats-server",
    "integration": "ansible-test integration",
    "molecule": "the roles",
    "docs": "the documentation site",
    "test": "everything above",
}


def add(target: str, description: str) -> None:
    @nox.session(name=target)
    def run(session: nox.Session) -> None:
        session.run("make", target, *session.posargs, external=True)

    run.__doc__ = description


for _target, _description in TARGETS.items():
    add(_target, _description)


if __name__ == "__main__":
    nox.main()
