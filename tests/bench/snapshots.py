# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups, restores and migrations of a large stream: speed against bare scripts, and peak memory.

Times of plays are those above a play with one ping, so they have everything that a task does:
checksums, looking into the archive, comparing, waiting until nothing moves. The bare scripts
(bare_snapshots.py) are timed as whole processes and only move the bytes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable

from environments import Bench, timed

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import servers  # noqa: E402

BARE, STREAM = HERE / "bare_snapshots.py", "BENCH"
MEMORY = 100  # MiB


class Snapshots:
    """The tasks and scripts, each of which leaves the stream with all its messages."""

    def __init__(self, bench: Bench, mib: int) -> None:
        self.bench, self.mib, self.retention = bench, mib, "limits"
        self.backups, self.private = bench.folder / "backups", bench.folder / "private"
        self.script("fill")

    def script(self, what: str) -> float:
        file = str(self.bench.folder / "bare")
        command = [sys.executable, str(BARE), what, self.bench.server.url, file, str(self.mib)]
        return self.mib / timed(command, self.bench.env).wall

    def task(self, module: str, **options: Any) -> float:
        """Return the MiB a second of a task."""
        task = {f"nats.jetstream.{module}": {"servers": ["{{ bench_url }}"], **options}}
        return self.mib / self.bench.play([task]).above(self.bench.ping).wall

    def peak(self, module: str, **options: Any) -> float:
        """Return the MiB of memory that a module takes at most."""
        return self.bench.peak(module, options)

    def backup(self, run: Callable[..., float]) -> float:
        shutil.rmtree(self.backups, ignore_errors=True)
        return run("jetstream_backup", path=str(self.backups), streams=[STREAM])

    def restore(self, run: Callable[..., float]) -> float:
        gone = {"servers": ["{{ bench_url }}"], "name": STREAM, "state": "absent"}
        self.bench.play([{"nats.jetstream.jetstream_stream": gone}])
        return run("jetstream_restore", path=str(self.backups / STREAM))

    def migrate(self, run: Callable[..., float]) -> float:
        self.retention = "workqueue" if self.retention == "limits" else "limits"
        kept = {"recreate": "migrate", "migrate_path": str(self.private)}
        return run("jetstream_stream", name=STREAM, retention=self.retention, **kept)


def measure(bench: Bench, mib: int, rounds: int) -> None:
    print(f"a stream of {mib} MiB")
    snapshots = Snapshots(bench, mib)
    for what in ("backup", "restore", "migrate"):
        run = getattr(snapshots, what)
        found = [(run(snapshots.task), snapshots.script(what)) for _round in range(rounds)]
        speed, bare = (statistics.median(one) for one in zip(*found))
        print(
            f"  {what}: {speed:.0f} MiB/s, a bare script {bare:.0f} MiB/s: {speed / bare:.2f} "
            f"(bound 0.5); peak memory {run(snapshots.peak):.0f} MiB (bound {MEMORY})"
        )


def main(sizes: list[int], rounds: int = 3) -> int:
    with servers.Server(servers.find_server()) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(server, Path(folder))
        print(f"a play with one ping: {bench.ping.wall:.2f} s; nats-server {server.version}")
        for size in sizes:
            measure(bench, size, rounds)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1024], help="in MiB")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(main(given.sizes, given.rounds))
