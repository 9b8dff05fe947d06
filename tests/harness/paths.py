# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things are: the checkout, and what is kept between runs outside of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE, NAME = "nats", "jetstream"


def cache() -> Path:
    """Kept between runs and safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / f"{NAMESPACE}.{NAME}"


def work() -> Path:
    """The part of the cache that belongs to this checkout, so that two checkouts never share it."""
    return cache() / "work" / hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
