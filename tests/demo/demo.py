# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the collection at work on a throwaway server, and checks every claim that it prints."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import client, servers

HERE = Path(__file__).resolve().parent
DAY = 24 * 60 * 60 * 10**9  # in nanoseconds, as the server counts
COLOR = re.compile(r"\x1b\[[0-9;]*m")
RECAP = re.compile(r"^localhost\s*:.*\bchanged=(\d+)\s+unreachable=0\s+failed=0\b", re.MULTILINE)


def main() -> None:
    with servers.Server(servers.find_server()) as server, client.Client(server.url) as nats:
        title(f"A throwaway nats-server {server.version} runs at {server.url}")

        title("Provision streams, consumers, buckets, entries, and an object (shop.yml)")
        play(server, "provision.yml", changed=2)
        made = ["CLICKS", "INVOICES", "KV_settings", "OBJ_files", "ORDERS"]
        check(sorted(nats.ok("STREAM.NAMES")["streams"]), made, "streams")
        last = {"last_by_subj": "$KV.settings.shop.currency"}
        value = nats.ok("STREAM.MSG.GET.KV_settings", last)["message"]["data"]
        check(base64.b64decode(value), b"EUR", "the entry shop.currency")

        title("Run it again: nothing changes")
        play(server, "provision.yml", changed=0)

        title("Somebody changes max_age of ORDERS by hand, from 30 days to 7")
        drift = orders(nats)
        check(drift["max_age"], 30 * DAY, "max_age as declared")
        drift["max_age"] = 7 * DAY
        nats.ok("STREAM.UPDATE.ORDERS", drift)

        title("Check mode shows the drift and leaves it alone")
        output = play(server, "provision.yml", "--check", "--diff", changed=1)
        check("max_age" in output and "30d" in output, True, "max_age in the diff")
        check(orders(nats)["max_age"], 7 * DAY, "max_age after a check run")

        title("A real run repairs it")
        play(server, "provision.yml", "--diff", changed=1)
        check(orders(nats)["max_age"], 30 * DAY, "max_age after the repair")

        title("What is there now")
        play(server, "show.yml", changed=0)
        check(nats.ok("CONSUMER.NAMES.ORDERS")["consumers"], ["billing", "shipping"], "consumers")
    title("Done; the server and its files are gone")


def orders(nats: client.Client) -> dict[str, object]:
    """Ask the server itself, without the collection."""
    config: dict[str, object] = nats.ok("STREAM.INFO.ORDERS")["config"]
    return config


def play(server: servers.Server, playbook: str, *options: str, changed: int) -> str:
    """Run a playbook, show its output as it comes, and insist on its number of changes."""
    command = ["ansible-playbook", playbook, "-e", f"nats_url={server.url}", *options]
    print("$", " ".join(command), flush=True)
    env = {**os.environ, "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0"}
    start = time.monotonic()
    lines = []
    with subprocess.Popen(
        command,
        cwd=str(HERE),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    output = COLOR.sub("", "".join(lines))
    recap = RECAP.search(output)
    if process.returncode or recap is None:
        raise SystemExit(f"demo failed: {playbook} ended with {process.returncode}")
    check(int(recap[1]), changed, "changed tasks")
    print(f"({time.monotonic() - start:.1f} s, changed={changed} as expected)", flush=True)
    return output


def check(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise SystemExit(f"demo failed: {what}: expected {expected}, found {found}")


def title(text: str) -> None:
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("demo stopped") from None
