# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a test does: some in ``make test``, more in ``make nightly``."""

from __future__ import annotations

import os
import random
from typing import TypeVar

Size = TypeVar("Size")

NIGHTLY = os.environ.get("NIGHTLY", "") not in ("", "0")


def seed() -> int:
    """Return what to begin a random search with: always the same, or any number at night.

    What ``make test`` finds depends on the change and not on luck.
    """
    return random.randrange(10**9) if NIGHTLY else 1


def size(ordinary: Size, nightly: Size) -> Size:
    """Return the first, or the second when the environment has ``NIGHTLY=1``.

    Both do the same things, so that a test which is broken is broken in ``make test`` already.
    """
    return nightly if NIGHTLY else ordinary
