# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments of 100, 1,000 and 10,000 streams: ratios to a bare nats-py script and to a loop.

An asset is a stream or its consumer. Times of plays are those above a play with one ping; the bare
scripts (bare.py) are timed as whole processes, 64 requests in flight. Requests are counted by the
server. Beside the time that passes there is the time of the processor, which other work on the
machine does not change as much; that of the server is not part of it.

Ansible itself reads the declaration, hands it to a module and takes the result back. How long that
takes is measured with a module that does nothing else (library/idle.py), and told besides.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple, Optional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import client, collection, servers  # noqa: E402

BARE = HERE / "bare.py"
LOOP_SAMPLE = 20  # streams; a loop over all of them would take many minutes and is linear
PEER = "castoredc.nats_config"
MODULES = "ansible_collections.nats.jetstream.plugins.modules"


def declaration(count: int) -> dict[str, Any]:
    return {
        "streams": [
            {
                "name": f"S{number:05}",
                "subjects": [f"bench.s{number:05}.>"],
                "max_age": "30d",
                "max_bytes": "1MiB",
                "consumers": [{"name": "worker", "ack_wait": "1m", "max_deliver": 5}],
            }
            for number in range(count)
        ]
    }


class Time(NamedTuple):
    """Seconds that passed, and seconds of the processor."""

    wall: float
    cpu: float

    def above(self, other: Time) -> Time:
        return Time(self.wall - other.wall, self.cpu - other.cpu)


class Bench:
    def __init__(self, server: servers.Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        tree = str(collection.tree())
        self.env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": tree, "PYTHONPATH": tree}
        self.env["ANSIBLE_LIBRARY"] = str(HERE / "library")
        self.variables = {"ansible_python_interpreter": sys.executable, "bench_url": server.url}
        self.peer = peer()
        if self.peer:
            self.env["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join([tree, str(self.peer)])
        self.ping = min(self.play([{"ansible.builtin.ping": None}]) for _round in range(3))

    def play(self, tasks: list[dict[str, Any]], **variables: Any) -> Time:
        """Return the time of a play."""
        book, given = self.folder / "play.yml", self.folder / "vars.json"
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        book.write_text(json.dumps([play]))
        given.write_text(json.dumps({**self.variables, **variables}))
        command = ["ansible-playbook", "-i", "localhost,", "-e", f"@{given}", str(book)]
        return timed(command, self.env)

    def environment(self, count: int) -> Time:
        task = {"servers": ["{{ bench_url }}"], "streams": "{{ streams }}"}
        tasks = [{"nats.jetstream.jetstream_environment": task}]
        return self.play(tasks, **declaration(count)).above(self.ping)

    def idle(self, count: int) -> Time:
        """Return the time of handing over the same, and the result it would have now."""
        result = self.folder / "result.json"
        result.write_text(self.run("jetstream_environment", declaration(count), check=True))
        task = {"servers": ["{{ bench_url }}"], "streams": "{{ streams }}", "result": str(result)}
        return self.play([{"idle": task}], **declaration(count)).above(self.ping)

    def loop(self, count: int) -> Time:
        """Return the time of a loop of single tasks over so many streams and consumers."""
        common = {"servers": ["{{ bench_url }}"]}
        stream = {"name": "{{ item.name }}", "subjects": "{{ item.subjects }}"}
        limits = {"max_age": "{{ item.max_age }}", "max_bytes": "{{ item.max_bytes }}"}
        consumer = {"stream": "{{ item.name }}", "name": "worker", "ack_wait": "1m"}
        tasks = [
            {
                "nats.jetstream.jetstream_stream": {**common, **stream, **limits},
                "loop": "{{ streams }}",
                "loop_control": {"label": "{{ item.name }}"},
            },
            {
                "nats.jetstream.jetstream_consumer": {**common, **consumer, "max_deliver": 5},
                "loop": "{{ streams }}",
                "loop_control": {"label": "{{ item.name }}"},
            },
        ]
        return self.play(tasks, **declaration(count)).above(self.ping)

    def peer_loop(self, count: int) -> Time:
        """Return the time of a loop of tasks of castoredc.nats_config over the same."""
        stream = {
            "subjects": "{{ item.subjects }}",
            "max_age": 30 * 86400,
            "max_bytes": 2**20,
        }
        consumer = {"ack_wait": 60, "max_deliver": 5}
        servers = ["{{ bench_url }}"]
        tasks = [
            {
                f"{PEER}.stream": {
                    "stream": "{{ item.name }}",
                    "config": stream,
                    "servers": servers,
                },
                "loop": "{{ streams }}",
            },
            {
                f"{PEER}.consumer": {
                    "stream": "{{ item.name }}",
                    "consumer": "worker",
                    "config": consumer,
                    "servers": servers,
                },
                "loop": "{{ streams }}",
            },
        ]
        return self.play(tasks, **declaration(count)).above(self.ping)

    def bare(self, what: str, count: int) -> Time:
        return timed([sys.executable, str(BARE), what, self.server.url, str(count)], self.env)

    def run(self, module: str, options: dict[str, Any], *, check: bool, before: str = "") -> str:
        """Return what a module prints, run as Ansible runs it. before is a script around it."""
        arguments = self.folder / "arguments.json"
        options = {"servers": [self.server.url], "_ansible_check_mode": check, **options}
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
        command = [sys.executable, "-m", f"{MODULES}.{module}", str(arguments)]
        if before:
            command = [sys.executable, "-c", before, *command]
        done = subprocess.run(command, env=self.env, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def peak(self, module: str, options: dict[str, Any]) -> float:
        """Return the MiB that a module needs at most."""
        script = (
            "import resource, subprocess, sys;"
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        return int(self.run(module, options, check=False, before=script)) / 1024

    def requests(self) -> int:
        with client.Client(self.server.url) as nats:
            return int(nats.ok("INFO")["api"]["total"])

    def empty(self) -> None:
        self.bare("delete", 0)


def peer() -> Optional[Path]:
    """Return where castoredc.nats_config is installed, None if it is not."""
    given = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
    usual = ["~/.ansible/collections", "/usr/share/ansible/collections"]
    for one in [*filter(None, given), *usual]:
        path = Path(one).expanduser()
        if path.joinpath("ansible_collections", *PEER.split(".")).is_dir():
            return path
    return None


def timed(command: list[str], env: dict[str, str]) -> Time:
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout[-4000:]}")
    passed, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Time(passed, cpu)


def measure(bench: Bench, count: int, rounds: int) -> None:
    print(f"environment of {count} streams with {count} consumers")
    created, bare_created, idle = [], [], []
    for _round in range(rounds):
        bench.empty()
        bare_created.append(bench.bare("create", count))
        bench.empty()
        idle.append(bench.idle(count))
        created.append(bench.environment(count))
    show("from nothing", created, bare_created, "1.5")
    show_without(idle, created, bare_created)
    before = bench.requests()
    unchanged = [bench.environment(count) for _round in range(rounds)]
    sent = (bench.requests() - before - 1) // rounds
    bare_read = [bench.bare("read", count) for _round in range(rounds)]
    idle = [bench.idle(count) for _round in range(rounds)]
    show("unchanged", unchanged, bare_read, "3.0")
    show_without(idle, unchanged, bare_read)
    peak = bench.peak("jetstream_environment", declaration(count))
    print(f"  requests of an unchanged run: {sent}; peak memory {peak:.0f} MiB")
    if count <= 1000:
        sample = min(count, LOOP_SAMPLE)
        compare("a loop of single tasks", bench.loop(sample), count / sample, unchanged, sample)
        if bench.peer:
            loop = bench.peer_loop(sample)
            compare(f"a loop of {PEER}", loop, count / sample, unchanged, sample)
        else:
            print(f"  {PEER} is not installed, and not measured")


def compare(what: str, loop: Time, scale: float, unchanged: list[Time], sample: int) -> None:
    mine = median(unchanged)
    scaled = f" (scaled from {sample} streams)" if scale > 1 else ""
    print(
        f"  {what}{scaled}: {loop.wall * scale:.1f} s, {loop.wall * scale / mine.wall:.0f} times "
        f"as long; of the processor {loop.cpu * scale / mine.cpu:.0f} times"
    )


def median(times: list[Time]) -> Time:
    return Time(
        statistics.median(one.wall for one in times), statistics.median(one.cpu for one in times)
    )


def show(what: str, times: list[Time], bare: list[Time], bound: str) -> None:
    mine, theirs = median(times), median(bare)
    print(
        f"  {what}: {mine.wall:.2f} s above a ping, bare script {theirs.wall:.2f} s: "
        f"{mine.wall / theirs.wall:.2f} (bound {bound}); of the processor {mine.cpu:.2f} s and "
        f"{theirs.cpu:.2f} s: {mine.cpu / theirs.cpu:.2f}"
    )


def show_without(idle: list[Time], times: list[Time], bare: list[Time]) -> None:
    """Tell the part of Ansible itself, and the ratios without it."""
    ansible, theirs = median(idle), median(bare)
    rest = median(times).above(ansible)
    print(
        f"    of it Ansible itself {ansible.wall:.2f} s; the rest {rest.wall / theirs.wall:.2f} "
        f"times the bare script; of the processor {ansible.cpu:.2f} s and "
        f"{rest.cpu / theirs.cpu:.2f} times"
    )


def main(sizes: list[int], rounds: int) -> int:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with servers.Server(servers.find_server()) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(server, Path(folder))
        ping = bench.ping
        print(f"one ping: {ping.wall:.2f} s, of the processor {ping.cpu:.2f} s")
        print(f"nats-server {server.version}; load {os.getloadavg()[0]:.1f} when it began")
        for size in sizes:
            measure(bench, size, rounds if size < 5000 else 1)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1000, 10000])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(main(given.sizes, given.rounds))
