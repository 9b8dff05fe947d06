# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder reads of the installed collection, without building an image."""

from __future__ import annotations

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version


@pytest.fixture(scope="module")
def introspected(install, command, tmp_path_factory):
    path = tmp_path_factory.mktemp("installed")
    install(path)
    return yaml.safe_load(command("ansible-builder", "introspect", str(path)))


def named(lines: list[str]) -> list[str]:
    """ansible-builder says behind each line which collection wants it."""
    parts = [line.partition("  # from collection ") for line in lines]
    assert {collection for _line, _from, collection in parts} == {"nats.jetstream"}
    return [line for line, _from, _collection in parts]


def test_the_python_packages_have_bounds(introspected):
    wanted = {one.name: one for one in map(Requirement, named(introspected["python"]))}
    assert set(wanted) == {"nats-py", "cryptography", "aiohttp"}
    for requirement in wanted.values():
        assert any(bound.operator == ">=" for bound in requirement.specifier), requirement
    assert Version("2.8.0") in wanted["nats-py"].specifier
    assert Version("2.7.2") not in wanted["nats-py"].specifier


def test_the_system_packages_are_read(introspected):
    assert named(introspected["system"]) == ["ca-certificates [platform:dpkg platform:rpm]"]
