# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large objects put and fetched: their speed against bare nats-py scripts, and peak memory.

Times of plays are those above a play with one ping, so they have everything that a task does: the
digest before and on the way, reading back, purging what was there. The bare scripts
(bare_objects.py) are timed as whole processes and only move the bytes.
"""

from __future__ import annotations

import argparse
import filecmp
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from environments import Bench, timed

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import servers  # noqa: E402

BARE = HERE / "bare_objects.py"
MIB = 2**20
MEMORY = 150  # MiB
COMMON = {"bucket": "bench", "name": "thing"}


def write(path: Path, mib: int, seed: int) -> None:
    source = random.Random(seed)
    with open(path, "wb") as file:
        for _number in range(mib):
            file.write(source.randbytes(MIB))


class Objects:
    """The tasks and scripts of one size; every put is of data that were not there before."""

    def __init__(self, bench: Bench, mib: int) -> None:
        self.bench, self.mib, self.puts = bench, mib, 0
        self.source, self.dest = bench.folder / "source", bench.folder / "dest"

    def task(self, module: str, **options: Any) -> float:
        """Return the MiB a second of a task."""
        task = {f"nats.jetstream.{module}": {"servers": ["{{ bench_url }}"], **options}}
        return self.mib / self.bench.play([task]).above(self.bench.ping).wall

    def script(self, what: str, path: Path) -> float:
        command = [sys.executable, str(BARE), what, self.bench.server.url, str(path)]
        return self.mib / timed(command, self.bench.env).wall

    def renew(self) -> None:
        self.puts += 1
        write(self.source, self.mib, self.puts)

    def put(self) -> float:
        self.renew()
        return self.task("jetstream_object", **COMMON, src=str(self.source))

    def unchanged(self) -> float:
        return self.task("jetstream_object", **COMMON, src=str(self.source))

    def fetch(self) -> float:
        self.dest.unlink(missing_ok=True)
        speed = self.task("jetstream_object_fetch", **COMMON, dest=str(self.dest), mode="0600")
        if not filecmp.cmp(self.source, self.dest, shallow=False):
            raise SystemExit("what was fetched is not what was put")
        return speed

    def peaks(self) -> tuple[float, float]:
        self.renew()
        put = self.bench.peak("jetstream_object", {**COMMON, "src": str(self.source)})
        self.dest.unlink(missing_ok=True)
        fetch = self.bench.peak("jetstream_object_fetch", {**COMMON, "dest": str(self.dest)})
        return put, fetch


def measure(bench: Bench, mib: int, rounds: int) -> None:
    print(f"an object of {mib} MiB")
    objects = Objects(bench, mib)
    found: dict[str, list[float]] = {}
    for _round in range(rounds):
        found.setdefault("put", []).append(objects.put())
        found.setdefault("unchanged", []).append(objects.unchanged())
        found.setdefault("fetch", []).append(objects.fetch())
        for what in ("publish", "ahead"):
            found.setdefault(what, []).append(objects.script(what, objects.source))
        found.setdefault("read", []).append(objects.script("read", objects.dest))
    speed = {what: statistics.median(speeds) for what, speeds in found.items()}
    show("put", speed, "publish", "a bare publish loop")
    show("put", speed, "ahead", "the same with as many chunks on their way as the module")
    show("fetch", speed, "read", "a bare reader")
    print(f"  unchanged: {speed['unchanged']:.0f} MiB/s, nothing is sent")
    put, fetch = objects.peaks()
    print(f"  peak memory: put {put:.0f} MiB, fetch {fetch:.0f} MiB (bound {MEMORY})")


def show(what: str, speed: dict[str, float], bare: str, words: str) -> None:
    ratio = speed[what] / speed[bare]
    print(
        f"  {what}: {speed[what]:.0f} MiB/s, {words} {speed[bare]:.0f} MiB/s: {ratio:.2f} "
        "(bound 0.5)"
    )


def main(sizes: list[int], rounds: int = 3) -> int:
    with servers.Server(servers.find_server()) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(server, Path(folder))
        print(f"a play with one ping: {bench.ping.wall:.2f} s; nats-server {server.version}")
        bucket = {"servers": ["{{ bench_url }}"], "name": COMMON["bucket"]}
        bench.play([{"nats.jetstream.jetstream_object_bucket": bucket}])
        for size in sizes:
            measure(bench, size, rounds)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[256], help="in MiB")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(main(given.sizes, given.rounds))
