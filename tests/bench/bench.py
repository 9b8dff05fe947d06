# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``make bench`` prints: ratios of times that were measured within one run.

Absolute times say more about the machine than about the collection, so nothing is asserted here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import entries  # noqa: E402
import environments  # noqa: E402
import objects  # noqa: E402
import snapshots  # noqa: E402

from harness import collection, servers  # noqa: E402

TASKS = 20
ROUNDS = 5
BOUND = 1.35
OBJECT = 256  # MiB
SNAPSHOT = 1024  # MiB
ENTRIES = 5000
ENVIRONMENTS = [100, 1000, 10000]
ROUNDS_OF_MANY = 3


def main() -> int:
    binary = servers.find_server()
    print(f"bench: {TASKS} ping and {TASKS} unchanged jetstream_stream tasks, {ROUNDS} times")
    with servers.Server(binary) as server, tempfile.TemporaryDirectory() as folder:
        rounds = measure(server.url, Path(folder) / "rounds.json")
        version = server.version
    for ping, stream in rounds:
        print(
            f"  ping {ping / TASKS * 1000:5.0f} ms a task, jetstream_stream "
            f"{stream / TASKS * 1000:5.0f} ms: {stream / ping:.2f}"
        )
    ratio = statistics.median(stream / ping for ping, stream in rounds)
    core = subprocess.run(
        ["ansible", "--version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split("\n")[0]
    print(f"jetstream_stream / ping: {ratio:.2f} (bound {BOUND}; {core}, nats-server {version})")
    environments.main(ENVIRONMENTS, ROUNDS_OF_MANY)
    entries.main([ENTRIES])
    objects.main([OBJECT])
    return snapshots.main([SNAPSHOT])


def measure(url: str, results: Path) -> list[list[float]]:
    """Return (seconds of the pings, seconds of the streams) of each round."""
    values = {
        "bench_url": url,
        "bench_tasks": TASKS,
        "bench_count": ROUNDS,
        "bench_results": str(results),
        "ansible_python_interpreter": sys.executable,
    }
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collection.tree())}
    subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-e", json.dumps(values), "tasks_playbook.yml"],
        cwd=HERE,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    rounds: list[list[float]] = json.loads(results.read_text())
    return rounds


if __name__ == "__main__":
    sys.exit(main())
