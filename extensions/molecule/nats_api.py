# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends one request to the JetStream API and prints the answer: nats_api.py URL API [JSON]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from harness.client import Client

url, api, *body = sys.argv[1:]
with Client(url) as client:
    print(json.dumps(client.api(api, json.loads(body[0]) if body else None)))
