# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes: nothing that a step starts outlives it, and two halves of a run side by side."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Callable, NoReturn

from . import servers

_beside: set[int] = set()


def say(text: str) -> None:
    print(text, flush=True)


def spawn(command: list[str], cwd: Path, env: dict[str, str], output: IO[bytes] | None) -> int:
    """Run a command in a session of its own, and end the whole of it if this run is stopped."""
    process = subprocess.Popen(
        command,
        cwd=str(cwd),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=servers.die_with_parent,
    )
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            end_group(process)
        end_orphans()


def end_group(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def adopt_orphans() -> None:
    """Become the parent of what a step leaves behind, so that it can be found and ended (Linux)."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def end_orphans() -> None:
    """End what is left: with no step running, every other child of this process is an orphan."""
    for _attempt in range(50):  # the children of an orphan come to this process, too
        left = [pid for pid in own_children() if pid not in _beside and not _ended(pid)]
        if not left:
            return
        for pid in left:
            say(f"    ending a process that was left behind: {process_name(pid)}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _ended(pid: int) -> bool:
    """Say whether an orphan has ended by itself, and take note of it, as nobody else does."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def process_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return str(pid)


def own_children() -> list[int]:
    file = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(word) for word in file.read_text().split()]
    except OSError:
        return []


@contextlib.contextmanager
def beside(action: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Run an action in a process of its own while the block runs.

    What is yielded waits for its end and gives what it returned, which JSON must be able to carry;
    None when it ended otherwise. A block that fails ends the process and all that it started.
    """
    source, target = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(source)
        _as_child(action, target)
    os.close(target)
    _beside.add(pid)
    try:
        yield lambda: _result(source)
    except BaseException:
        os.kill(pid, signal.SIGINT)
        raise
    finally:
        _result(source)
        os.close(source)
        os.waitpid(pid, 0)
        _beside.discard(pid)


def _as_child(action: Callable[[], Any], target: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)  # a keyboard's interrupt goes to the other half, which passes it on
        servers.die_with_parent()
        adopt_orphans()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        told = json.dumps(action()).encode()
        while told:
            told = told[os.write(target, told) :]
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        end_orphans()
        os._exit(code)


def _result(source: int) -> Any:
    told = b""
    while part := os.read(source, 65536):
        told += part
    return json.loads(told) if told else None
