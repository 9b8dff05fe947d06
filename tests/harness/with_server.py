# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command with the address of a fresh server in NATS_URL: with_server.py COMMAND ..."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.servers import Server

if __name__ == "__main__":
    with Server() as server:
        env = {**os.environ, "NATS_URL": server.url}
        sys.exit(subprocess.run(sys.argv[1:], env=env, check=False).returncode)
