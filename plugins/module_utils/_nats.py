# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Imports the client of nats-py, and only that.

Every task pays for this import anew. Left alone it brings along what is not used here: nats.js,
whose classes take as long as the rest of nats-py; aiohttp, where it is installed, which takes three
times as long and serves websockets only; and importlib.metadata, which tells nats-py its own
version. They are held back while the client is imported. Whoever imports them later gets the real
ones.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any, Optional

nats_client: Any = None
nats_errors: Any = None
IMPORT_ERROR: Optional[ImportError] = None


class _Header(str):
    """The name of a header, as the members of nats.js.api.Header are."""

    @property
    def value(self) -> str:
        return str(self)


def _stand_ins() -> dict[str, types.ModuleType]:
    """Return nats.js and nats.js.api with what the client looks at."""
    api, js = types.ModuleType("nats.js.api"), types.ModuleType("nats.js")
    headers = types.SimpleNamespace(
        STATUS=_Header("Status"),
        DESCRIPTION=_Header("Description"),
        CONSUMER_STALLED=_Header("Nats-Consumer-Stalled"),
    )
    vars(api).update(Header=headers)
    vars(js).update(api=api, JetStreamContext=None, JetStreamManager=None)
    return {"nats.js": js, "nats.js.api": api}


def _import_lean() -> None:
    """Import the client without the rest, or not at all if this nats-py needs the rest."""
    held_back: dict[str, Any] = dict.fromkeys(("aiohttp", "importlib.metadata"))
    held_back = {name: None for name in held_back if name not in sys.modules}
    held_back.update(_stand_ins())
    sys.modules.update(held_back)
    try:
        importlib.import_module("nats.aio.client")
        # What importing the real nats.js sets; it does so when somebody imports it later.
        sys.modules["nats"].js = held_back["nats.js"]  # type: ignore[attr-defined]
    except Exception:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nats"]:
            del sys.modules[name]
    finally:
        for name in held_back:
            sys.modules.pop(name, None)


if "nats" not in sys.modules:
    _import_lean()
try:
    nats_client = importlib.import_module("nats.aio.client")
    nats_errors = importlib.import_module("nats.errors")
except ImportError as import_error:
    IMPORT_ERROR = import_error
