# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner behind the Makefile: builds what a target needs, runs it, and says what it does.

Runs on any Python from 3.9 on; what it starts runs on the newest one of .venv.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Callable
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import collection, docs, release, servers, stage
from harness.paths import ROOT, work
from harness.processes import adopt_orphans, beside, end_orphans, say, spawn

VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "tests" / "requirements.txt"
# The newest ansible-core wants a new Python; 3.14 is behind because tools follow later.
CONTROLLERS = ("3.13", "3.12", "3.14", "3.11")
PYTEST_FOLDERS = {
    "unit": "tests/unit",
    "core": "tests/core",
    "conformance": "tests/conformance",
    "controller": "tests/controller",
    "environment": "tests/environment",
    "cluster": "tests/cluster",
    "examples": "tests/examples",
    "package": "tests/package",
}
# Two processors are half idle with two, as much of what is tested is waiting.
WORKERS = ("-n", "3", "--dist", "worksteal")
# Without the network, where it would look for newer versions of actions.
ZIZMOR = ("--offline", "--no-progress", "--strict-collection")
# Output of tools goes to a file and into reasons.
PLAIN = {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0", "TERM": "dumb"}
VERBOSE = os.environ.get("V", "") not in ("", "0")

# What ansible-test says when this machine lacks something: shown at the end, no failure.
# Everything else that it skips is one.
ABSENT = (
    re.compile(r"Skipping sanity test \S+ on Python \S+ because it could not be found"),
    re.compile(r"Required program \"(?:shellcheck|pwsh)\" not found"),
)
SKIPPED = re.compile(r"All targets skipped|WARNING: .*(?:[Ss]kip|Excluding)|^Skipping ")

# A random name that ends with an underscore is a reference in RST, and antsibull-docs quotes it.
UNLUCKY_NAME = re.compile(r'Unknown target name: "antsibull-docs-[a-z0-9_]+"')


Counts = tuple[int, list[str], list[str]]  # how many passed, what failed, what could not run


class Failure(Exception):
    """A step failed; the text is the reason in one line."""


class Run:
    """The steps of one run, what they counted, and what could not run here."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.absent: list[str] = []
        self.python = VENV / "bin" / "python"
        self.env = dict(os.environ)
        self.logs = work() / "log"
        self.logs.mkdir(parents=True, exist_ok=True)

    def step(self, name: str, action: Callable[[], int | None]) -> bool:
        """Run one step; it returns how many tests it counted, or None for one."""
        say(f"--- {name} ...")
        start = time.monotonic()
        try:
            count = action()
        except (Failure, servers.ServerNotFound) as error:
            self.failed.append(f"{name}: {error}")
            say(f"--- {name}: FAILED after {time.monotonic() - start:.1f} s: {error}")
            return False
        self.passed += 1 if count is None else count
        say(f"--- {name}: ok, {time.monotonic() - start:.1f} s")
        return True

    def command(self, name: str, command: list[str], cwd: Path = ROOT) -> str:
        """Run a command with its output in a log; show the log only if it fails (or V=1)."""
        log = self.logs / f"{name.replace(' ', '-')}.log"
        with open(log, "wb") as output:
            code = spawn(command, cwd, {**self.env, **PLAIN}, None if VERBOSE else output)
        text = log.read_text(errors="replace")
        if code:
            say(text.rstrip())
            raise Failure(f"exit code {code}{reason(text)}")
        return text

    def check(self, name: str, command: list[str]) -> None:
        try:
            self.command(name, command)
        except Failure as failure:
            if not UNLUCKY_NAME.search(str(failure)):
                raise
            say(
                "    once more: the temporary folder of antsibull-docs has a name that RST misreads"
            )
            self.check(name, command)

    def tool(self, name: str) -> str:
        return str(VENV / "bin" / name)

    def add(self, counts: Counts | None) -> None:
        """Add what the steps of another process counted; None when it did not come to its end."""
        if counts is None:
            self.failed.append("the steps beside the others ended before their end")
            return
        self.passed += counts[0]
        self.failed += counts[1]
        self.absent += counts[2]

    def finish(self) -> int:
        if self.absent:
            say("\ncould not run here:")
            for line in sorted(set(self.absent)):
                say(f"  {line}")
        say("")
        for line in self.failed:
            say(f"failed: {line}")
        say(f"{self.passed} passed, {len(self.failed)} failed")
        return 1 if self.failed else 0


def reason(text: str) -> str:
    """Most tools end with it; ansible-test ends with "FATAL: " and a list."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("[*]")]  # ruff's advice
    fatal = [number for number, line in enumerate(lines) if line.startswith("FATAL:")]
    told = " ".join(lines[fatal[-1] if fatal else -1 :])
    return f": {told[:400]}" if told else ""


# The environment.


def controller_python() -> tuple[str, Path]:
    wanted = os.environ.get("PYTHON")
    if wanted:
        path = shutil.which(wanted)
        if not path:
            raise Failure(f"PYTHON={wanted} is not there")
        code = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
        done = subprocess.run([path, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        version, _space, executable = done.stdout.strip().partition(" ")
        return version, Path(executable)
    found = stage.pythons()
    for version in CONTROLLERS:
        if version in found and has_venv(found[version]):
            return version, found[version]
    without = [version for version in CONTROLLERS if version in found]
    if without:
        version = without[0]
        raise Failure(
            f"Python {version} is here but cannot make virtual environments. "
            f"On Debian and Ubuntu: apt-get install python{version}-venv (or python3-venv)"
        )
    raise Failure("Python 3.11 or later is needed, and none was found on PATH or in pyenv")


def has_venv(python: Path) -> bool:
    quiet = subprocess.DEVNULL
    command = [str(python), "-c", "import ensurepip, venv"]
    return subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode == 0


def build_environment(run: Run) -> int:
    """Make .venv, or take the one that is there if it was made from the same things."""
    version, python = controller_python()
    core = os.environ.get("ANSIBLE_CORE")
    pinned = [f"ansible-core ~= {core}.0"] if core else []
    made_from = [str(ROOT), str(python), version, REQUIREMENTS.read_text(), *pinned]
    mark = hashlib.sha256("\0".join(made_from).encode()).hexdigest()
    stamp = VENV / "made-from"
    with lock("environment"):
        if not (stamp.exists() and stamp.read_text() == mark):
            say(f"    making .venv with Python {version}; half a minute ...")
            shutil.rmtree(str(VENV), ignore_errors=True)
            run.command("venv", [str(python), "-m", "venv", str(VENV)])
            pip = [str(run.python), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
            run.command("pip", [*pip, "-r", str(REQUIREMENTS), *pinned])
            stamp.write_text(mark)
    path = [str(VENV / "bin"), str(stage.python_folder(stage.pythons()))]
    path += [p for p in os.environ["PATH"].split(os.pathsep) if not stage.is_shim(Path(p))]
    settings = work() / "ansible.cfg"
    settings.write_text("[defaults]\n")
    run.env.update(
        PATH=os.pathsep.join(path),
        VIRTUAL_ENV=str(VENV),
        ANSIBLE_COLLECTIONS_PATH=str(collection.tree()),
        # Neither the user's own settings nor traces in the user's home.
        ANSIBLE_CONFIG=str(settings),
        ANSIBLE_HOME=str(work() / "ansible"),
        ANSIBLE_LOCALHOST_WARNING="False",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="False",
        PYTHONDONTWRITEBYTECODE="1",
    )
    run.env.pop("PYTHONPATH", None)
    version_line = run.command("ansible", [run.tool("ansible"), "--version"]).partition("\n")[0]
    say(f"    {version_line}, Python {version}")
    return 0


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Two runs of one checkout share .venv and the staged copy: one at a time."""
    with open(work() / f"{name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"    waiting for another run of this checkout ({name}) ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_servers(run: Run) -> int:
    """Set NATS_SERVERS for the tests and put the newest one first on PATH."""
    named = [name for name in run.env.get("NATS_SERVERS", "").split(os.pathsep) if name]
    binaries, problems = [], []
    for name in named or servers.VERSIONS:
        if os.sep in name:
            binaries.append(name)
            continue
        try:
            binaries.append(str(servers.find_server(name, lambda text: say(f"    {text}"))))
        except servers.ServerNotFound as error:
            if named:
                raise
            problems.append(error)
            run.absent.append(f"tests with nats-server {name}: {error}")
    if not binaries:
        raise problems[0]
    run.env["NATS_SERVERS"] = os.pathsep.join(binaries)
    say("    nats-server " + ", ".join(servers.version_of(binary) for binary in binaries))
    use_server(run, Path(binaries[-1]))
    return 0


def use_server(run: Run, binary: Path) -> None:
    """ansible-test filters the environment: only PATH tells its targets which server to start."""
    folder = work() / "server"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / f".{os.getpid()}"
    link.symlink_to(binary)
    link.replace(folder / "nats-server")
    run.env["PATH"] = f"{folder}{os.pathsep}{run.env['PATH']}"
    run.env["NATS_SERVER"] = str(binary)


# The steps.


def run_pytest(run: Run, name: str, folder: str) -> int:
    if not (ROOT / folder).is_dir():
        raise Failure(f"{folder} is not there")
    report = run.logs / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [str(run.python), "-m", "pytest", folder, *WORKERS, "-q", f"--junitxml={report}"]
    error = None
    try:
        text = run.command(name, [*command, "-p", "no:cacheprovider"])
        say(f"    {text.strip().splitlines()[-1]}" if text.strip() else "")
    except Failure as failure:
        error = failure
    passed, failed = count_report(run, name, report)
    if error or failed:
        run.passed += passed
        raise Failure("; ".join(failed[:10]) or str(error))
    if not passed:
        raise Failure("no test ran")
    return passed


def count_report(run: Run, name: str, report: Path) -> tuple[int, list[str]]:
    """Return how many tests passed and, one line each, which failed."""
    passed, failed = 0, []
    skipped: Counter[str] = Counter()
    if not report.exists():
        return 0, []
    for case in ElementTree.parse(report).iter("testcase"):
        title = f"{case.get('classname', '')}::{case.get('name', '')}"
        problem = case.find("failure")
        if problem is None:
            problem = case.find("error")
        skip = case.find("skipped")
        if problem is not None:
            reason = (problem.get("message") or "").strip().partition("\n")[0]
            failed.append(f"{title}: {reason[:200]}")
        elif skip is not None:
            skipped[skip.get("message") or title] += 1
        else:
            passed += 1
    run.absent += [f"{name}: {count} skipped: {why}" for why, count in skipped.items()]
    return passed, failed


def run_ansible_test(run: Run, kind: str, arguments: list[str]) -> None:
    if " " in f"{VENV}{work()}":
        raise Failure("ansible-test cannot run from a path with a space; move the checkout")
    with lock("ansible-test"):
        staged = stage.stage()
        command = [run.tool("ansible-test"), kind, "--local", "--color", "no", *arguments]
        text = run.command(kind, command, staged)
    for line in text.splitlines():
        if any(pattern.search(line) for pattern in ABSENT):
            run.absent.append(f"{kind}: {line.replace('WARNING: ', '')}")
        elif SKIPPED.search(line):
            raise Failure(f"something was skipped: {line.strip()}")


def sanity(run: Run) -> None:
    if list((ROOT / "tests" / "sanity").glob("ignore*.txt")):
        raise Failure("tests/sanity has an ignore file; mend the cause instead")
    stage.seed_get_pip(run.python)
    run_ansible_test(run, "sanity", [])


def integration(run: Run) -> None:
    targets = ROOT / "tests" / "integration" / "targets"
    if not any(path.name != "setup_nats" for path in targets.iterdir()):
        raise Failure("tests/integration/targets has no target but setup_nats")
    version = run.command("python", [str(run.python), "-V"]).split()[1].rpartition(".")[0]
    run_ansible_test(run, "integration", ["--python", version])


def molecule(run: Run) -> None:
    """Run the scenarios of the roles; what molecule passes over is a failure."""
    scenarios = sorted((ROOT / "extensions" / "molecule").glob("*/molecule.yml"))
    if not scenarios:
        raise Failure("extensions/molecule has no scenario")
    script = ROOT / "tests" / "harness" / "with_server.py"
    with lock("molecule"):
        run.env["MOLECULE_EPHEMERAL_DIRECTORY"] = str(work() / "molecule")
        command = [str(run.python), str(script), run.tool("molecule"), "test"]
        for scenario in scenarios:
            command += ["--scenario-name", scenario.parent.name]
        text = run.command("molecule", command)
    for scenario in scenarios:
        for action in ("converge", "idempotence", "verify"):
            if f"{scenario.parent.name} > {action}] Executed: Successful" not in text:
                raise Failure(f"{scenario.parent.name}: {action} was not run")


def matrix(run: Run, small: bool) -> int:
    """Run the rows of the matrix, and show it; what is absent here is listed at the end, too."""
    command = [str(run.python), str(ROOT / "tests" / "harness" / "matrix.py")]
    text = run.command("matrix", [*command, *(["--small"] if small else [])])
    lines = text[text.index("ansible-core  ") :].splitlines()
    say("\n".join(f"    {line}" for line in lines))
    run.absent += [f"matrix: {' '.join(line.split())}" for line in lines if ": no Python" in line]
    return int(lines[-1].split()[0])


def lint_commands(run: Run) -> dict[str, list[str]]:
    # antsibull-docs writes a log into the home of whoever runs it.
    home = work() / "home"
    home.mkdir(exist_ok=True)
    antsibull_docs = ["env", f"HOME={home}", run.tool("antsibull-docs")]
    docs = ["lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all"]
    reuse = ["lint", "--quiet"] if (ROOT / ".git").exists() else ["lint-file", *listed_files()]
    packages = ["-p", "ansible_collections.nats.jetstream.plugins", "-p", "harness"]
    return {
        "ruff": [run.tool("ruff"), "check", "--no-cache", "--output-format=concise", "."],
        "format": [run.tool("ruff"), "format", "--no-cache", "--check", "."],
        "mypy": [run.tool("mypy"), *packages],
        "yamllint": [run.tool("yamllint"), "--strict", *listed_files(".yml", ".yaml")],
        "codespell": [run.tool("codespell"), *listed_files()],
        "ansible-lint": [run.tool("ansible-lint"), "--strict"],
        "reuse": [run.tool("reuse"), *reuse],
        "changelog": [run.tool("antsibull-changelog"), "lint"],
        "workflows": [run.tool("zizmor"), *ZIZMOR, ".github"],
        "docs": [*antsibull_docs, *docs, "--check-extra-docs-refs", "."],
    }


def listed_files(*suffixes: str) -> list[str]:
    return [str(path) for path in stage.files() if not suffixes or path.suffix in suffixes]


def run_lint(run: Run) -> None:
    run.env["MYPYPATH"] = os.pathsep.join([str(collection.tree()), str(ROOT / "tests")])
    for name, command in lint_commands(run).items():
        run.step(f"lint: {name}", functools.partial(run.check, name, command))


def build_docs(run: Run) -> None:
    with lock("docs"):
        page = docs.build(run.command, run.tool)
    say(f"    {page}")


# The targets.


def need_environment(run: Run) -> None:
    if not run.step("environment", functools.partial(build_environment, run)):
        raise SystemExit(run.finish())


def need_servers(run: Run) -> None:
    if not run.step("nats-server", functools.partial(find_servers, run)):
        raise SystemExit(run.finish())


def target_test(run: Run) -> None:
    need_environment(run)
    need_servers(run)
    for name, folder in PYTEST_FOLDERS.items():
        run.step(name, functools.partial(run_pytest, run, name, folder))
    # Each of these has work for one processor; the two halves use nothing of each other.
    with beside(functools.partial(apart, run, with_other_tools)) as other:
        with_ansible_test(run)
        run.add(other())


def with_ansible_test(run: Run) -> None:
    run.step("sanity", functools.partial(sanity, run))
    run.step("integration", functools.partial(integration, run))


def with_other_tools(run: Run) -> None:
    few = run.env.get("NIGHTLY", "") in ("", "0")
    run.step("molecule", functools.partial(molecule, run))
    run_lint(run)
    run.step("docs", functools.partial(build_docs, run))
    run.step("matrix", functools.partial(matrix, run, small=few))


def apart(run: Run, steps: Callable[[Run], None]) -> Counts:
    """Run steps and return what they alone counted."""
    run.passed, run.failed, run.absent = 0, [], []
    steps(run)
    return run.passed, run.failed, run.absent


def target_nightly(run: Run) -> None:
    """The same with the larger numbers of harness.sizes."""
    run.env["NIGHTLY"] = "1"
    target_test(run)


def target_lint(run: Run) -> None:
    need_environment(run)
    run_lint(run)


def target_docs(run: Run) -> None:
    need_environment(run)
    run.step("docs", functools.partial(build_docs, run))


def target_sanity(run: Run) -> None:
    need_environment(run)
    run.step("sanity", functools.partial(sanity, run))


def target_integration(run: Run) -> None:
    need_environment(run)
    need_servers(run)
    run.step("integration", functools.partial(integration, run))


def target_molecule(run: Run) -> None:
    need_environment(run)
    need_servers(run)
    run.step("molecule", functools.partial(molecule, run))


def target_matrix(run: Run) -> None:
    need_environment(run)
    need_servers(run)
    run.step("matrix", functools.partial(matrix, run, small=False))


def target_pytest(run: Run, name: str) -> None:
    need_environment(run)
    if name != "unit":
        need_servers(run)
    run.step(name, functools.partial(run_pytest, run, name, PYTEST_FOLDERS[name]))


def target_script(run: Run, script: str) -> int:
    """The demo and the bench speak for themselves: their output is shown as it comes."""
    if not (ROOT / script).exists():
        raise SystemExit(f"{script} is not there")
    need_environment(run)
    binary = servers.find_server(None, lambda text: say(f"    {text}"))
    use_server(run, binary)
    return spawn([str(run.python), "-u", script], ROOT, run.env, None)


def target_release(run: Run) -> None:
    version = os.environ.get("VERSION", "")
    if problems := release.problems(ROOT, version):
        for problem in problems:
            say(f"  {problem}")
        raise SystemExit("This cannot be released.")
    need_environment(run)
    run_lint(run)
    if run.failed:
        return
    made: list[Path] = []

    def cut() -> None:
        made.append(release.cut(ROOT, work() / "release", run.command, run.tool))

    if run.step("release", cut):
        say(f"\n{release.next_steps(version, made[0])}")


def target_clean() -> None:
    """Remove what was made for this checkout. Fetched servers stay: other checkouts use them."""
    for folder in (VENV, work()):
        say(f"removing {folder}")
        shutil.rmtree(str(folder), ignore_errors=True)


HELP = """\
make demo         provision a throwaway server, show drift, repair it
make test         everything below that this machine can run, up to make lint
make nightly      the same with far more of all that is random: hours
make unit         units and properties, no server
make core         connection and API against real servers
make conformance  the tables of rules, against three versions of nats-server
make controller   plugins in the half of ansible-core that runs on the controller
make environment  whole environments: plans, orders, owners, against the same
make cluster      three servers: replicas, moves, a leader that dies
make examples     the examples of the documentation, and what modules return
make package      the artifact: what is in it, installed, imported by Galaxy, and run from there
make matrix       versions of ansible-core, Python, nats-py and nats-server: a table; test has few
make integration  ansible-test integration, newest nats-server
make molecule     the roles on localhost, newest nats-server
make sanity       ansible-test sanity, all its Pythons that are here
make lint         ruff, mypy, yamllint, codespell, ansible-lint, reuse, antsibull-changelog, -docs
make docs         the documentation site, built with antsibull-docs; says where it is
make bench        ratios of time, measured
make release      VERSION=1.2.3: check, collect the changelog, build the artifact, say what is next
make clean        remove .venv and this checkout's working files

PYTHON=python3.11 builds with that one, ANSIBLE_CORE=2.18 with that release; V=1 shows all.
NATS_SERVER names a server, NATS_SERVERS several, by path or as 2.10.27:2.15.1.
NIGHTLY=1 gives any of these the sizes of make nightly."""


def main(target: str) -> int:
    if target == "help":
        say(HELP)
        return 0
    if target == "clean":
        target_clean()
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    adopt_orphans()
    run = Run()
    if target in ("demo", "bench"):
        return target_script(run, f"tests/{target}/{target}.py")
    if target in PYTEST_FOLDERS:
        target_pytest(run, target)
    else:
        {
            "test": target_test,
            "nightly": target_nightly,
            "lint": target_lint,
            "docs": target_docs,
            "sanity": target_sanity,
            "integration": target_integration,
            "molecule": target_molecule,
            "matrix": target_matrix,
            "release": target_release,
        }[target](run)
    return run.finish()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "help"))
    except KeyboardInterrupt:
        end_orphans()
        say("stopped")
        sys.exit(130)
