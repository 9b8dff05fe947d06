# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster with an account for everybody and a system account."""

from __future__ import annotations

from typing import Any

from harness import client, servers

PASSWORD = "opens-the-door"


def accounts(*users: dict[str, Any], system: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Return the settings of a cluster whose users need no login but in the system account."""
    app = {"jetstream": "enabled", "users": [{"user": "app", "password": PASSWORD}, *users]}
    sys = {"users": [{"user": "system", "password": PASSWORD}, *system]}
    return {
        "accounts": {"APP": app, "SYS": sys},
        "system_account": "SYS",
        "no_auth_user": "app",
        "server_tags": ["all"],
    }


def as_user(url: str, user: str) -> str:
    return url.replace("://", f"://{user}:{PASSWORD}@")


def stepped_down(cluster: servers.Cluster) -> None:
    """Let the meta leader step down, and return when it has agreed."""
    running = next(one for one in cluster.servers if one.is_running)
    with client.Client(as_user(running.url, "system")) as system:
        system.ok("META.LEADER.STEPDOWN")
