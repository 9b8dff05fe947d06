#!/usr/bin/python

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
"""

from ansible_collections.nats.jetstream.plugins.module_utils._bucket_lookup import run_info
from ansible_collections.nats.jetstream.plugins.module_utils._object_bucket import (
    OBJECT_BUCKET,
    SHAPE,
    status,
)


def main() -> None:
    run_info(OBJECT_BUCKET, SHAPE, status, "object_buckets")


if __name__ == "__main__":
    main()
