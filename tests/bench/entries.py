# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of a key-value bucket, written from nothing and unchanged, against bare nats-py scripts.

Times of plays are those above a play with one ping; the bare scripts (bare_entries.py) are timed as
whole processes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from environments import Bench, Time, show, timed

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import client, servers  # noqa: E402

BARE = HERE / "bare_entries.py"


def entries(count: int) -> list[dict[str, str]]:
    return [{"key": f"bench.k{number:05}", "value": f"value {number}"} for number in range(count)]


class Entries:
    """The tasks and scripts of one number of entries."""

    def __init__(self, bench: Bench, count: int) -> None:
        self.bench, self.count = bench, count

    def task(self, module: str, **options: Any) -> Time:
        task = {f"nats.jetstream.{module}": {"servers": ["{{ bench_url }}"], **options}}
        return self.bench.play([task], entries=entries(self.count)).above(self.bench.ping)

    def renew(self) -> None:
        """Make both buckets anew."""
        for bucket in ("bench", "bare"):
            self.task("jetstream_kv_bucket", name=bucket, state="absent")
            self.task("jetstream_kv_bucket", name=bucket)

    def module(self) -> Time:
        return self.task("jetstream_kv", bucket="bench", entries="{{ entries }}")

    def bare(self, what: str) -> Time:
        command = [sys.executable, str(BARE), what, self.bench.server.url, str(self.count)]
        return timed(command, self.bench.env)

    def consumers(self) -> int:
        with client.Client(self.bench.server.url) as nats:
            return int(nats.ok("STREAM.INFO.KV_bench")["state"]["consumer_count"])


def measure(bench: Bench, count: int, rounds: int) -> None:
    print(f"{count} entries of a key-value bucket")
    one = Entries(bench, count)
    written, unchanged, bare_written, bare_read = [], [], [], []
    for _round in range(rounds):
        one.renew()
        bare_written.append(one.bare("write"))
        written.append(one.module())
        unchanged.append(one.module())
        bare_read.append(one.bare("read"))
    show("from nothing", written, bare_written, "3.0")
    show("unchanged", unchanged, bare_read, "3.0")
    print(f"  consumers left behind: {one.consumers()}")


def main(sizes: list[int], rounds: int = 3) -> int:
    with servers.Server(servers.find_server()) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(server, Path(folder))
        for size in sizes:
            measure(bench, size, rounds)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[5000])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(main(given.sizes, given.rounds))
