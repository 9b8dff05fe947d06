# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the collection importable from any checkout, and runs its modules in this process."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import io
import json
import sys
import types
import unittest.mock
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import returns
from .paths import NAME, NAMESPACE, ROOT, work


def make_importable() -> None:
    """Register ``ansible_collections.nats.jetstream`` in memory.

    ansible-test installs a loader of its own; then there is nothing to do.
    """
    full = f"ansible_collections.{NAMESPACE}.{NAME}"
    with contextlib.suppress(ImportError):
        if importlib.util.find_spec(full) is not None:
            return
    with contextlib.suppress(ImportError):  # the "ansible" package has one, with others in it
        importlib.import_module("ansible_collections")
    for name, path in (
        ("ansible_collections", []),
        (f"ansible_collections.{NAMESPACE}", []),
        (full, [str(ROOT)]),
    ):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        if not hasattr(module, "__path__"):
            module.__path__ = path


def tree() -> Path:
    """Return a value for ANSIBLE_COLLECTIONS_PATH: a tree with a link to this checkout.

    Good for everything but ansible-test, which follows no links (see stage.py).
    """
    link = work() / "tree" / "ansible_collections" / NAMESPACE / NAME
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process made it just now
            link.symlink_to(ROOT, target_is_directory=True)
    return link.parents[2]


def run_module(module: Any, check: bool = False, diff: bool = True, **args: Any) -> dict[str, Any]:
    """Run ``main()`` of an imported module, and return the result as Ansible would see it."""
    return run_task(module, args, check, diff)


def run_task(
    module: Any, args: dict[str, Any], check: bool = False, diff: bool = True
) -> dict[str, Any]:
    """The same for options of any name, and any other argument.

    Whatever it is that a test looks for: what is returned has to be what the documentation says.
    """
    args = dict(args)
    args.update(_ansible_check_mode=check, _ansible_diff=diff)
    name = module.__name__.rpartition(".")[2]
    args.update(_ansible_module_name=f"nats.jetstream.{name}")
    # As strict as the real standard output.
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    _forget_warnings()
    # A module keeps for good what there is, because its process ends with it. This one goes on, and
    # asyncio would look through the tasks of all modules before, again and again.
    unfrozen = unittest.mock.patch.object(gc, "freeze")
    with _module_args(args), contextlib.redirect_stdout(output), unfrozen:
        try:
            module.main()
        except SystemExit:
            pass
        else:
            raise AssertionError("main() ended without exit_json() or fail_json()")
    output.seek(0)
    result: dict[str, Any] = json.loads(output.read())
    _forget_warnings()
    result["warnings"] = [_text(warning) for warning in result.get("warnings") or []]
    undocumented = returns.differences(module, result)
    assert not undocumented, f"{name}: {'; '.join(undocumented)}"
    return result


class _Captured(Exception):
    """Instead of a module that runs."""


def constructor_arguments(module: Any) -> dict[str, Any]:
    """Return what ``main()`` of an imported module hands to AnsibleModule."""
    basic: Any = importlib.import_module("ansible.module_utils.basic")
    given: dict[str, Any] = {}

    def capture(_self: Any, **arguments: Any) -> None:
        given.update(arguments)
        raise _Captured

    patched = unittest.mock.patch.object(basic.AnsibleModule, "__init__", capture)
    with patched, contextlib.suppress(_Captured):
        module.main()
    return given


def _text(warning: Any) -> str:
    """ansible-core 2.19 and later send warnings as objects; the controller shows this text."""
    while isinstance(warning, dict) and "msg" not in warning:
        warning = warning["event"]
    return str(warning["msg"] if isinstance(warning, dict) else warning)


def _forget_warnings() -> None:
    """AnsibleModule keeps them for the whole process, as a module normally is one."""
    warnings = importlib.import_module("ansible.module_utils.common.warnings")
    for name in ("_global_warnings", "_global_deprecations"):
        getattr(warnings, name).clear()


def _module_args(args: dict[str, Any]) -> contextlib.AbstractContextManager[Any]:
    try:
        testing = importlib.import_module("ansible.module_utils.testing")
    except ImportError:  # ansible-core < 2.19
        return _module_args_before_2_19(args)
    manager: contextlib.AbstractContextManager[Any] = testing.patch_module_args(args)
    return manager


@contextlib.contextmanager
def _module_args_before_2_19(args: dict[str, Any]) -> Iterator[None]:
    basic: Any = importlib.import_module("ansible.module_utils.basic")
    previous = basic._ANSIBLE_ARGS
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
    try:
        yield
    finally:
        basic._ANSIBLE_ARGS = previous
