# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies about in a checkout that is worked in, and must not be taken along."""

from __future__ import annotations

STRAY = (
    ".ansible/collections/x",
    ".cache/x",
    ".git/config",
    ".hypothesis/x",
    ".mypy_cache/x",
    ".nox/lint/bin/python",
    ".pytest_cache/x",
    ".ruff_cache/x",
    ".venv/bin/python",
    ".vscode/settings.json",
    "changelogs/.plugin-cache.yaml",
    "nats-jetstream-0.0.1.tar.gz",
    "plugins/modules/__pycache__/jetstream_stream.cpython-313.pyc",
    "tests/integration/integration_config.yml",
    "tests/integration/inventory",
    "tests/output/junit/x.xml",
)
