# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module run in a process of its own, in which something is killed at one of its steps.

A step is what others can see: a message that is sent, a file that is written, renamed or removed.
Steps are counted and not timed, so that a slow machine is killed at the same points as a fast one.
As a program: ``killed.py MODULE STEP PID ARGS``, the last as JSON; without a step it counts them.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import collection

PACKAGE = "ansible_collections.nats.jetstream.plugins"


def run(module: str, step: int = 0, victim: int = 0, **args: Any) -> tuple[int, dict[str, Any]]:
    """Run a module until a step, and kill the process with the number victim there: itself with 0.

    Return how many steps it took (0 if it was killed) and the module's result (empty then).
    """
    line = command(module, step, victim, **args)
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode == -signal.SIGKILL and step and not victim:
        return 0, {}
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    return answer["steps"], answer["result"]


def command(module: str, step: int = 0, victim: int = 0, **args: Any) -> list[str]:
    return [sys.executable, __file__, module, str(step), str(victim), json.dumps(args)]


class _Steps:
    def __init__(self, step: int, victim: int) -> None:
        self.step, self.victim, self.count = step, victim or os.getpid(), 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.step:
            os.kill(self.victim, signal.SIGKILL)

    def before_and_after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            self()
            result = function(*args, **more)
            self()
            return result

        return counted


def _count(steps: _Steps) -> None:
    connection = importlib.import_module(f"{PACKAGE}.module_utils._connection").Connection
    send, request = connection._send, connection.request_message

    async def counted_send(self: Any, *args: Any) -> None:
        steps()
        await send(self, *args)

    async def counted_request(self: Any, *args: Any, **more: Any) -> Any:
        steps()
        answer = await request(self, *args, **more)
        steps()
        return answer

    connection._send, connection.request_message = counted_send, counted_request
    for owner, name in ((os, "replace"), (os, "rename"), (os, "fsync"), (shutil, "rmtree")):
        setattr(owner, name, steps.before_and_after(getattr(owner, name)))


def main() -> None:
    module, step, victim, args = sys.argv[1:]
    collection.make_importable()
    code = importlib.import_module(f"{PACKAGE}.modules.{module}")
    steps = _Steps(int(step), int(victim))
    _count(steps)
    result = collection.run_module(code, **json.loads(args))
    print(json.dumps({"steps": steps.count, "result": result}))


if __name__ == "__main__":
    main()
