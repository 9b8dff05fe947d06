# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends one request to the JetStream API and prints the answer: nats_api.py URL API [JSON].

With NATS_CA, the path of an authority's certificate, it uses TLS.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from harness.client import Client

url, api, *body = sys.argv[1:]
ca = os.environ.get("NATS_CA")
tls = ssl.create_default_context(cafile=ca) if ca else None
# A password in an address has its odd characters as %24.
parts = urllib.parse.urlsplit(url)
login = {}
if parts.password:
    login = {"user": parts.username, "pass": urllib.parse.unquote(parts.password)}
with Client(url, tls=tls, **login) as client:
    print(json.dumps(client.api(api, json.loads(body[0]) if body else None)))
