# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of module_utils: who may know whom, and what a module loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.nats.jetstream.plugins.module_utils"

# Room -> the rooms it may import, directly. It runs one way: what stands below may not look up.
ARROWS = {
    "_units": set(),
    "_subjects": {"_subject_index"},
    "_subject_index": set(),
    "_errors": set(),
    "_headers": set(),
    "_yaml": set(),
    "_schema": {"_subjects", "_units"},
    "_kind": {"_schema"},
    "_rules": {"_kind", "_schema"},
    "_stream": {"_kind", "_schema", "_units", "_errors", "_stream_rules"},
    "_stream_rules": {
        "_errors",
        "_kind",
        "_migrate",
        "_migration",
        "_recreate_stream",
        "_rules",
        "_schema",
        "_stream",
        "_subjects",
        "_units",
    },
    "_drain": {"_errors", "_kind", "_schema", "_units"},
    "_migration": {"_drain", "_kind", "_rules", "_schema", "_stream_rules"},
    "_migrate": {
        "_drain",
        "_errors",
        "_kind",
        "_lookup",
        "_migration",
        "_move",
        "_planning",
        "_recovery",
        "_recreate_stream",
        "_releases",
        "_restore",
        "_rules",
        "_schema",
        "_units",
    },
    "_releases": {"_errors", "_schema"},
    "_arguments": {"_schema"},
    "_consumer": {"_kind", "_schema", "_units", "_errors", "_consumer_rules"},
    "_consumer_rules": {
        "_consumer",
        "_errors",
        "_kind",
        "_recreate_consumer",
        "_rules",
        "_schema",
        "_subjects",
    },
    "_bucket": {"_kind", "_schema", "_stream", "_subjects"},
    "_bucket_rules": {"_bucket", "_kind", "_rules", "_schema", "_stream", "_stream_rules"},
    "_bucket_lookup": {"_asset", "_bucket", "_kind", "_lookup", "_module", "_schema"},
    "_kv_bucket": {"_bucket", "_kind", "_kv_bucket_rules", "_schema", "_stream", "_units"},
    "_kv_bucket_rules": {"_bucket_rules", "_kind", "_kv_bucket", "_schema", "_stream_rules"},
    "_object_bucket": {"_bucket", "_kind", "_object_bucket_rules", "_schema", "_stream", "_units"},
    "_object_bucket_rules": {
        "_bucket_rules",
        "_kind",
        "_object_bucket",
        "_schema",
        "_stream_rules",
    },
    "_nats": set(),
    "_faults": set(),
    "_connection_options": {"_credentials", "_sources"},
    "_sources": {"_connection_options", "_units"},
    "_credentials": {"_connection_options", "_signing"},
    "_signing": {"_errors"},
    "_tls": {"_connection_options", "_errors"},
    "_websocket": {"_errors"},
    "_expected": {"_errors"},
    "_permissions": set(),
    "_connection": {
        "_connection_options",
        "_errors",
        "_expected",
        "_faults",
        "_headers",
        "_nats",
        "_tls",
        "_websocket",
    },
    "_manager": {"_errors", "_subjects"},
    "_messages": {"_errors", "_headers"},
    "_payload": {"_errors", "_schema"},
    "_message": {"_errors", "_headers", "_messages", "_payload", "_schema", "_subjects", "_units"},
    "_options": {"_kind", "_schema"},
    "_health": {"_kind", "_schema", "_units"},
    "_leaders": {"_asset", "_errors", "_kind", "_schema"},
    "_position": {"_asset", "_consumer_rules", "_errors", "_kind", "_schema"},
    "_kv": {"_errors", "_messages", "_subjects"},
    "_kv_read": {"_kv", "_payload"},
    "_entries": {"_errors", "_kv", "_payload", "_schema", "_units", "_entries_apply", "_yaml"},
    "_entries_apply": {"_entries", "_errors", "_headers", "_kv", "_messages"},
    "_reconcile": {"_kind", "_schema", "_planning"},
    "_planning": {"_drain", "_errors", "_kind", "_reconcile", "_recovery", "_rules", "_schema"},
    "_apply": {"_errors", "_kind", "_reconcile", "_rules"},
    "_recovery": {"_errors"},
    "_recreate_stream": {
        "_consumer_rules",
        "_errors",
        "_kind",
        "_recovery",
        "_schema",
        "_stream_rules",
        "_subjects",
        "_units",
    },
    "_recreate_consumer": {"_consumer_rules", "_errors", "_kind", "_recovery", "_schema"},
    "_purge": {"_errors", "_schema"},
    "_snapshot": {"_errors", "_lookup"},
    "_archive": {"_errors"},
    "_backup_files": {"_archive", "_errors", "_subjects"},
    "_restore": {
        "_archive",
        "_backup_files",
        "_errors",
        "_lookup",
        "_schema",
        "_snapshot",
        "_recovery",
    },
    "_restore_task": {
        "_backup_files",
        "_errors",
        "_lookup",
        "_move",
        "_reconcile",
        "_releases",
        "_restore",
        "_rules",
        "_schema",
        "_stream",
        "_stream_rules",
        "_recovery",
    },
    "_move": {
        "_drain",
        "_backup",
        "_backup_files",
        "_errors",
        "_expected",
        "_lookup",
        "_restore",
        "_schema",
        "_snapshot",
        "_recovery",
    },
    "_backup": {"_archive", "_backup_files", "_errors", "_lookup", "_snapshot"},
    "_lookup": {"_errors", "_kind", "_reconcile", "_schema"},
    "_objects": {"_errors", "_headers", "_schema", "_units"},
    "_object_store": {
        "_errors",
        "_headers",
        "_messages",
        "_object_transfer",
        "_objects",
        "_schema",
        "_yaml",
    },
    "_object_transfer": {"_errors", "_objects"},
    "_object_fetch": {"_errors", "_object_store", "_object_transfer", "_objects"},
    "_object_list": {"_errors", "_lookup", "_messages", "_objects"},
    "_module": {
        "_arguments",
        "_connection",
        "_connection_options",
        "_errors",
        "_manager",
        "_permissions",
        "_schema",
        "_units",
    },
    "_survey": {"_errors", "_kind"},
    "_declared": {
        "_consumer",
        "_kind",
        "_kv_bucket",
        "_object_bucket",
        "_options",
        "_reconcile",
        "_schema",
        "_stream",
        "_subject_index",
        "_units",
    },
    "_account_plan": {
        "_consumer",
        "_consumer_rules",
        "_declared",
        "_errors",
        "_kind",
        "_reconcile",
        "_schema",
        "_survey",
    },
    "_order": {
        "_account_plan",
        "_errors",
        "_reconcile",
        "_schema",
        "_stream",
        "_subject_index",
        "_subjects",
        "_survey",
    },
    "_limits": {
        "_account_plan",
        "_errors",
        "_order",
        "_reconcile",
        "_schema",
        "_survey",
        "_units",
    },
    "_carry_out": {
        "_account_plan",
        "_apply",
        "_errors",
        "_kind",
        "_order",
        "_reconcile",
        "_rules",
    },
    "_environment_result": {"_account_plan", "_declared_entries", "_planning", "_yaml"},
    "_environment": {
        "_account_plan",
        "_asset",
        "_carry_out",
        "_consumer",
        "_declared",
        "_declared_entries",
        "_environment_result",
        "_errors",
        "_kind",
        "_limits",
        "_migrate",
        "_module",
        "_move",
        "_order",
        "_reconcile",
        "_schema",
        "_survey",
    },
    "_declared_entries": {
        "_account_plan",
        "_declared",
        "_entries",
        "_errors",
        "_kv",
        "_messages",
        "_payload",
        "_reconcile",
        "_schema",
        "_survey",
        "_yaml",
    },
    "_export": {
        "_asset",
        "_consumer",
        "_declared",
        "_kind",
        "_kv",
        "_lookup",
        "_module",
        "_payload",
        "_reconcile",
        "_schema",
        "_survey",
    },
    "_asset": {
        "_apply",
        "_migrate",
        "_connection",
        "_errors",
        "_kind",
        "_manager",
        "_module",
        "_move",
        "_options",
        "_planning",
        "_reconcile",
        "_schema",
        "_yaml",
    },
}

# These are loaded when they are needed, which for most tasks is never: a task that finds nothing to
# do pays for no more than that. Some lead upwards, from what decides to what it decides on.
LATE = {
    ("_entries", "_entries_apply"),
    ("_entries", "_yaml"),
    ("_account_plan", "_consumer_rules"),
    ("_asset", "_apply"),
    ("_asset", "_migrate"),
    ("_asset", "_move"),
    ("_asset", "_planning"),
    ("_asset", "_yaml"),
    ("_connection", "_expected"),
    ("_connection", "_faults"),
    ("_connection", "_tls"),
    ("_connection", "_websocket"),
    ("_connection_options", "_credentials"),
    ("_connection_options", "_sources"),
    ("_consumer", "_consumer_rules"),
    ("_consumer_rules", "_recreate_consumer"),
    ("_kv_bucket", "_kv_bucket_rules"),
    ("_object_bucket", "_object_bucket_rules"),
    ("_export", "_kv"),
    ("_environment", "_declared_entries"),
    ("_environment_result", "_declared_entries"),
    ("_environment", "_carry_out"),
    ("_environment", "_environment_result"),
    ("_environment", "_limits"),
    ("_environment", "_migrate"),
    ("_environment", "_move"),
    ("_object_fetch", "_object_transfer"),
    ("_object_store", "_object_transfer"),
    ("_object_store", "_yaml"),
    ("_module", "_permissions"),
    ("_planning", "_drain"),
    ("_reconcile", "_planning"),
    ("_restore_task", "_move"),
    ("_restore_task", "_stream_rules"),
    ("_stream", "_stream_rules"),
    ("_stream_rules", "_migrate"),
    ("_stream_rules", "_migration"),
    ("_stream_rules", "_recreate_stream"),
}

KINDS = {"_stream", "_consumer", "_kv_bucket", "_object_bucket"}

MODULES = {
    "jetstream_stream": {"_stream"},
    "jetstream_consumer": {"_consumer"},
    "jetstream_environment": KINDS,
    "jetstream_environment_info": KINDS,
    "jetstream_purge": set(),
    "jetstream_step_down": set(),
    "jetstream_consumer_reset": {"_consumer", "_consumer_rules"},
    "jetstream_consumer_unpin": {"_consumer", "_consumer_rules"},
    "jetstream_info": {"_stream", "_consumer", "_kv_bucket", "_object_bucket"},
    "jetstream_kv": {"_kv"},
    "jetstream_kv_info": {"_kv"},
    "jetstream_object": set(),
    "jetstream_object_fetch": set(),
    "jetstream_object_info": set(),
    "jetstream_backup": set(),
    "jetstream_restore": {"_stream"},
    "jetstream_stream_info": {"_stream"},
    "jetstream_consumer_info": {"_consumer"},
    "jetstream_kv_bucket": {"_stream", "_kv_bucket"},
    "jetstream_kv_bucket_info": {"_stream", "_kv_bucket"},
    "jetstream_object_bucket": {"_stream", "_object_bucket"},
    "jetstream_object_bucket_info": {"_stream", "_object_bucket"},
    "jetstream_message": set(),
    "jetstream_message_info": set(),
}


def rooms_in(tree: ast.AST) -> set[str]:
    return {
        node.module.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}.")
    } | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE
        for alias in node.names
    }


def test_every_room_has_its_arrows():
    assert {path.stem for path in ROOMS.glob("_*.py") if path.stem != "__init__"} == set(ARROWS)


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_a_room_imports_what_it_may(room):
    tree = ast.parse((ROOMS / f"{room}.py").read_text())
    assert rooms_in(tree) <= ARROWS[room]
    early = {
        name for node in tree.body for name in rooms_in(node) if isinstance(node, ast.ImportFrom)
    }
    assert not {(room, name) for name in early} & LATE


def test_there_is_no_circle():
    done: set[str] = set()
    while done != set(ARROWS):
        free = {
            room
            for room, imports in ARROWS.items()
            if {name for name in imports if (room, name) not in LATE} <= done
        }
        assert free - done, f"a circle among {set(ARROWS) - done}"
        done |= free


def test_only_the_top_knows_ansible():
    knowing = {
        path.stem for path in ROOMS.glob("_*.py") if "ansible.module_utils" in path.read_text()
    }
    assert knowing == {"_module"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_loads_no_kind_but_its_own(module):
    """Asked of a fresh interpreter, as a task is one."""
    kinds = {*KINDS, "_bucket_rules"} | {late for _room, late in LATE}
    script = f"""
import sys, json
sys.path.insert(0, {str(ROOT / "tests")!r})
from harness import collection
collection.make_importable()
import importlib
importlib.import_module("ansible_collections.nats.jetstream.plugins.modules.{module}")
loaded = [name for name in sys.modules if name.startswith("{PACKAGE}.")]
print(json.dumps([name.rpartition(".")[2] for name in loaded]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert kinds & set(json.loads(done.stdout)) == MODULES[module]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_file_is_short(module):
    """Documentation aside: the work belongs into the rooms."""
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text())
    code = [node for node in tree.body if not isinstance(node, ast.Assign) or not is_text(node)]
    lines = {line for node in code for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    assert len(lines) < 80


def is_text(node: ast.Assign) -> bool:
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
