# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Imports the client of nats-py, and only that.

Every task pays for this import anew. Left alone it brings nats.js, whose classes take as long as
the rest of nats-py and are not used here, and, where it is installed, aiohttp, which takes three
times as long and serves websockets only. Both are held back while the client is imported; whoever
imports them later gets the real ones.
"""

from __future__ import annotations

import sys
import types
from typing import Any, Optional


class _Header(str):
    """The one thing of nats.js that the client looks at: the names of headers."""

    @property
    def value(self) -> str:
        return str(self)


def _placeholder() -> dict[str, types.ModuleType]:
    """Return stand-ins for nats.js and nats.js.api."""

    class Header:
        STATUS = _Header("Status")
        DESCRIPTION = _Header("Description")
        CONSUMER_STALLED = _Header("Nats-Consumer-Stalled")

    api = types.ModuleType("nats.js.api")
    js = types.ModuleType("nats.js")
    vars(api).update(Header=Header)
    vars(js).update(api=api, JetStreamContext=None, JetStreamManager=None)
    return {"nats.js": js, "nats.js.api": api}


def _import_client() -> None:
    if "nats.aio.client" in sys.modules:
        return
    held_back: dict[str, Any] = {} if "aiohttp" in sys.modules else {"aiohttp": None}
    held_back.update(_placeholder())
    sys.modules.update(held_back)
    try:
        import nats
        import nats.aio.client

        # What a real import of nats.js would set, and sets again when there is one.
        nats.js = held_back["nats.js"]  # type: ignore[attr-defined]
    except Exception:  # a release of nats-py that needs more of nats.js: import it as it is
        for name in [name for name in sys.modules if name.partition(".")[0] == "nats"]:
            del sys.modules[name]
    finally:
        for name in held_back:
            sys.modules.pop(name, None)


_import_client()
try:
    import nats.aio.client as nats_client
    import nats.errors as nats_errors

    IMPORT_ERROR: Optional[ImportError] = None
except ImportError as import_error:
    IMPORT_ERROR = import_error
