# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds nats-server binaries, and starts throwaway servers and clusters of them."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, Union

from .paths import cache

# Debian suite -> the version that it is expected to hold. What the binary prints decides.
SUITES = {"bookworm": "2.9.10", "trixie": "2.10.27", "sid": "2.15.1"}
VERSIONS = tuple(SUITES.values())
OLDEST, MIDDLE, NEWEST = VERSIONS
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

Config = Union[str, Mapping[str, Any], None]


class ServerNotFound(Exception):
    """No nats-server of the wanted version; the text says how to get one."""


def version_of(binary: str | Path) -> str:
    """Return what ``nats-server --version`` prints, without the "v"."""
    done = subprocess.run(
        [str(binary), "--version"], stdout=subprocess.PIPE, text=True, check=True, timeout=10
    )
    return done.stdout.strip().rpartition(" ")[2].lstrip("v")


def find_server(version: str | None = None, say: Callable[[str], None] | None = None) -> Path:
    """Return the path of a nats-server: NATS_SERVER, then PATH, then the cache, then Debian.

    A version may be short: "2.10" fits 2.10.27. Without one, whichever comes first will do.
    """
    for candidate in (os.environ.get("NATS_SERVER"), shutil.which("nats-server")):
        if candidate and _fits(candidate, version):
            return Path(candidate)
    suite = _suite(version)
    folder = cache() / "nats-server"
    # An expected version is looked for under its suite too: the suite may have moved on.
    for name in ([suite] if suite else []) + ([version] if version else []):
        binary = folder / name / "nats-server"
        if binary.exists():
            return binary.resolve()
    if suite is None:
        raise ServerNotFound(_advice(f"no suite of Debian is known to hold nats-server {version}"))
    return _fetch(suite, folder, say or _to_stderr)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fits(binary: str, version: str | None) -> bool:
    try:
        found = version_of(binary)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerNotFound(_advice(f"{binary} does not run: {error}")) from error
    return version is None or (found + ".").startswith(version + ".")


def _suite(version: str | None) -> str | None:
    if version is None:
        return list(SUITES)[-1]
    for suite, expected in SUITES.items():
        if (expected + ".").startswith(version + "."):
            return suite
    return None


def _advice(problem: str) -> str:
    return (
        f"{problem}. Put a nats-server on PATH or name one in the environment variable NATS_SERVER "
        "(releases are at https://github.com/nats-io/nats-server/releases), or run on Debian, "
        "whose package archive is used as far as apt and its keyring are there. Tests that want "
        f"several versions take NATS_SERVERS, paths separated by '{os.pathsep}'."
    )


def _fetch(suite: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Fetch Debian's package without root and without touching the machine's own apt state."""
    for tool in ("apt-get", "dpkg", "dpkg-deb"):
        if not shutil.which(tool):
            raise ServerNotFound(_advice(f"no nats-server {SUITES[suite]} and no {tool} here"))
    if not KEYRING.exists():
        raise ServerNotFound(_advice(f"no nats-server {SUITES[suite]}, and {KEYRING} is missing"))
    folder.mkdir(parents=True, exist_ok=True)
    say(f"nats-server {SUITES[suite]}: fetching from Debian {suite} ...")
    # Inside the cache, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=str(folder)) as temporary:
        unpacked = _download(suite, Path(temporary))
        binaries = [path for path in unpacked.rglob("nats-server") if _is_program(path)]
        if not binaries:
            raise ServerNotFound(_advice(f"Debian's nats-server package of {suite} has no binary"))
        found = version_of(binaries[0])
        if found != SUITES[suite]:
            say(f"nats-server: Debian {suite} holds {found}, not {SUITES[suite]}; using it")
        ready = Path(temporary) / "ready"
        ready.mkdir()
        shutil.copy2(binaries[0], ready / "nats-server")
        with contextlib.suppress(OSError):  # another process was first: its copy is as good
            ready.rename(folder / found)
        link = Path(temporary) / "link"
        link.symlink_to(found)
        link.replace(folder / suite)
    return folder / found / "nats-server"


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(str(path), os.X_OK)


def _download(suite: str, work: Path) -> Path:
    """Return the folder with the unpacked package of one suite."""
    for name in ("lists/partial", "archives/partial", "parts"):
        (work / name).mkdir(parents=True)
    arch = _output(["dpkg", "--print-architecture"], work).strip()
    source = f"deb [arch={arch} signed-by={KEYRING}] {_site(work)} {suite} main\n"
    (work / "sources.list").write_text(source)
    # Lists, sources and archives of its own: one suite at a time, whatever else is configured.
    options = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": work / "parts",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work,
        "Dir::Cache::Archives": work / "archives",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
    }
    apt = ["apt-get", "-q"]
    for key, value in options.items():
        apt += ["-o", f"{key}={value}"]
    # Without --error-on=any a failed index is only a warning, and a confusing one later.
    _output([*apt, "-o", "APT::Update::Error-Mode=any", "update"], work)
    _output([*apt, "download", "nats-server"], work)
    packages = list(work.glob("nats-server_*.deb"))
    if len(packages) != 1:
        raise ServerNotFound(_advice(f"{suite} gave {len(packages)} packages of nats-server"))
    _output(["dpkg-deb", "-x", str(packages[0]), str(work / "unpacked")], work)
    return work / "unpacked"


def _site(work: Path) -> str:
    """Return the address of Debian's main archive as this machine's apt is configured."""
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(CREATED_BY)"]
    for line in _output(command, work).splitlines():
        site, _space, rest = line.partition(" ")
        codename, _space, created_by = rest.rpartition(" ")
        special = any(word in codename for word in ("security", "updates", "backports"))
        if created_by == "Packages" and not special:
            return site
    raise ServerNotFound(_advice("apt has no package archive configured"))


def _output(command: list[str], work: Path) -> str:
    done = subprocess.run(
        command,
        cwd=str(work),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        what = " ".join(word for word in command if "=" not in word and word != "-o")
        problem = f"{what} failed: {(done.stderr or done.stdout).strip()}"
        raise ServerNotFound(_advice(problem.rstrip(".")))
    return done.stdout


try:
    _PRCTL: Any = ctypes.CDLL(None).prctl
except (AttributeError, OSError, TypeError):  # not Linux
    _PRCTL = None
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For preexec_fn: a killed test run leaves no server behind. Looked up before the fork."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


LOWEST = 10_000
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class PortTaken(RuntimeError):
    """A port that a server had, or was given, belongs to somebody else now."""


class Server:
    """A throwaway nats-server with JetStream, on loopback and a port of its own choice.

    ``config`` adds to or replaces the settings below: a mapping of top-level settings (None takes
    one away), or text in the server's own format, appended.
    """

    def __init__(
        self, binary: str | Path | None = None, config: Config = None, name: str = "nats"
    ) -> None:
        self.binary = Path(binary) if binary else find_server()
        self.version = version_of(self.binary)
        self.name = name
        self.dir = Path(tempfile.mkdtemp(prefix="nats-jetstream-"))
        self.port = free_port()
        self.ports: dict[str, list[str]] = {}
        self._extra = config
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def store(self) -> Path:
        return self.dir / "jetstream"

    def start(self) -> None:
        """Start, and return when the server takes connections. The port stays from then on."""
        for attempt in range(5):
            try:
                self._start()
                return
            except PortTaken:
                if attempt == 4:
                    raise
                if not self.ports:
                    self.port = free_port()
                time.sleep(0.2)

    def _start(self) -> None:
        ports = self.dir / "ports"
        shutil.rmtree(str(ports), ignore_errors=True)
        ports.mkdir()
        file = self.dir / "server.conf"
        file.write_text(self._config(ports))
        with open(self.dir / "log", "ab") as log:
            self._process = subprocess.Popen(
                [str(self.binary), "-c", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        self.ports = self._wait_for_ports(ports)

    def _config(self, ports: Path) -> str:
        settings: dict[str, Any] = {
            "server_name": self.name,
            "host": "127.0.0.1",
            "port": self.port,
            "ports_file_dir": str(ports),
            # Limits that do not depend on the machine; nothing is set aside for them.
            "jetstream": {
                "store_dir": str(self.store),
                "max_memory_store": 4 << 30,
                "max_file_store": 256 << 30,
            },
        }
        text = ""
        if isinstance(self._extra, str):
            text = self._extra
        elif self._extra:
            settings.update(self._extra)
        # The server's format takes JSON values as they are.
        lines = [f"{k}: {json.dumps(v)}" for k, v in settings.items() if v is not None]
        return "\n".join([*lines, text, ""])

    def _wait_for_ports(self, folder: Path, timeout: float = 20.0) -> dict[str, list[str]]:
        """The server writes this file when all its listeners are open."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for file in folder.glob("*.ports"):
                with contextlib.suppress(ValueError):  # seen half written
                    found: dict[str, list[str]] = json.loads(file.read_text())
                    if "nats" in found:
                        return found
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.005)
        log = self.log()
        error = PortTaken if "address already in use" in log[-500:] else RuntimeError
        raise error(f"nats-server {self.version} did not start:\n{log}")

    def log(self) -> str:
        file = self.dir / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def shutdown(self) -> None:
        """End it in order, and keep its files: ``start`` continues with them."""
        if self._process and self.is_running:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self) -> None:
        self.shutdown()
        self.start()

    def stop(self) -> None:
        """End it and take its files away."""
        self.shutdown()
        shutil.rmtree(str(self.dir), ignore_errors=True)
        atexit.unregister(self.stop)


class Cluster:
    """Servers that form one JetStream cluster on loopback. Each has its name as a tag."""

    def __init__(
        self,
        n: int = 3,
        binary: str | Path | None = None,
        config: Config = None,
        name: str = "test",
    ) -> None:
        if isinstance(config, str):
            raise TypeError("a cluster takes its extra settings as a mapping")
        binary = binary or find_server()
        routes = [f"nats://127.0.0.1:{port}" for port in _free_ports(n)]
        self.servers: list[Server] = []
        try:
            for number, route in enumerate(routes, 1):
                tags = [*(config or {}).get("server_tags", []), f"n{number}"]
                extra = {
                    "cluster": {"name": name, "listen": route[7:], "routes": routes},
                    "http": "127.0.0.1:-1",
                    **(config or {}),
                    "server_tags": tags,
                }
                self.servers.append(Server(binary, extra, f"n{number}"))
            self.wait_for_leader()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def meta(self) -> tuple[Server, dict[str, Any]] | None:
        """Return the server that leads the cluster and what it says of it, if one leads."""
        for server in self.servers:
            with contextlib.suppress(OSError, ValueError):
                address = f"{server.ports['monitoring'][0]}/jsz"
                with urllib.request.urlopen(address, timeout=2) as answer:
                    meta = json.load(answer).get("meta_cluster") or {}
                if meta.get("leader") == server.name:
                    return server, meta
        return None

    def wait_for_leader(self, timeout: float = 30.0) -> Server:
        """Return the leader as soon as it knows every running server to be current."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.meta()
            if found:
                server, meta = found
                running = sum(1 for server in self.servers if server.is_running)
                current = [r for r in meta.get("replicas") or [] if r.get("current")]
                if len([r for r in current if not r.get("offline")]) >= running - 1:
                    return server
            time.sleep(0.05)
        logs = "\n".join(server.log()[-2000:] for server in self.servers)
        raise RuntimeError(f"the cluster found no leader within {timeout} s:\n{logs}")

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


def free_port() -> int:
    """Return a port for a listener that must be known beforehand, such as one for leafnodes."""
    return _free_ports(1)[0]


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        return list(_bind(stack, n))


def _bind(stack: contextlib.ExitStack, n: int) -> Iterator[int]:
    """Yield ports that no connection to somewhere else gets while their server is away."""
    chosen, first = random.SystemRandom(), _first_of_connections()  # tests seed the other one
    while n:
        listener = stack.enter_context(socket.socket())
        try:
            listener.bind(("127.0.0.1", chosen.randrange(LOWEST, first)))
        except OSError:
            continue
        n -= 1
        yield listener.getsockname()[1]


def _first_of_connections() -> int:
    """Return the lowest port that the system takes by itself, for connections."""
    try:
        low = int(PORT_RANGE.read_text().split()[0])
    except OSError:  # not Linux
        return LOWEST + 20_000
    return max(low, LOWEST + 1_000)
