# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of permissions says what the table says that the modules and the tests use.

``python tests/unit/test_permissions_page.py`` writes the tables into the page anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "guide_permissions.rst"
BEGIN, END = ".. permissions: begin", ".. permissions: end"


def rendered():
    """Return the part of the page that comes from the table."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _permissions

    lines = [BEGIN, ""]
    for module, rows in sorted(_permissions.TABLE.items()):
        lines += [module, "^" * len(module), "", ".. list-table::", "  :header-rows: 1", ""]
        lines += ["  * - A task that would", "    - publishes to"]
        for row in rows:
            lines += [f"  * - {row.what}"]
            told = [f"``{one}``" for one in row.subjects]
            told += [f"``{one}`` (nats-server 2.9 only)" for one in row.on_2_9]
            told += [f"``{one}`` (from nats-server 2.10 on)" for one in row.since_2_10]
            lines += [f"    - | {told[0]}", *(f"      | {one}" for one in told[1:])]
        lines.append("")
    return "\n".join([*lines, END])


def parts():
    head, _begin, rest = PAGE.read_text().partition(BEGIN)
    return head, *rest.partition(END)[::2]


def test_the_page_holds_exactly_the_table():
    _head, middle, _tail = parts()
    assert f"{BEGIN}{middle}{END}" == rendered(), f"run {Path(__file__).name}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    from harness import collection

    collection.make_importable()
    before, _between, after = parts()
    PAGE.write_text(before + rendered() + after)
