# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What the environment modules report: rows, a summary, a digest, a diff."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._account_plan import Failure, Item
from ansible_collections.nats.jetstream.plugins.module_utils._planning import would_lose
from ansible_collections.nats.jetstream.plugins.module_utils._yaml import to_yaml

# A template that says summary.update gets the method of the dict.
COUNTED = {
    "create": "created",
    "update": "updated",
    "recreate": "recreated",
    "migrate": "migrated",
    "delete": "deleted",
}
CHANGED = (*COUNTED.values(), "entries")


def told(work: Any, diff: bool) -> dict[str, Any]:
    """Return the result of a plan, which is also that of a run in which nothing fails."""
    items, ordered = work.planned.items, work.ordered
    moves: dict[int, list[dict[str, str]]] = defaultdict(list)
    for move in ordered.moves:
        moves[move.target].append({"subject": move.subject, "from": items[move.origin].stream})
    rows = [
        _row(item, moves.get(index, []))
        for index, item in enumerate(items)
        if item.plan.action != "none"
    ]
    differences = [_diff(item) for item in items if diff and item.plan.action != "none"]
    sealed, entries = "", 0
    if work.fillings:
        # Loaded here: most environments have no entries to write.
        from ansible_collections.nats.jetstream.plugins.module_utils import _declared_entries

        sealed = _declared_entries.seal(work.fillings)
        for filling in work.fillings:
            rows += _declared_entries.rows(filling)
            entries += len(filling.steps)
            if diff:
                differences.append(_declared_entries.diff(filling))
    counts = Counter(item.plan.action for item in items)
    result: dict[str, Any] = {
        "changed": bool(rows) or _resumed(work),
        "plan": rows,
        "plan_digest": digest(rows, sealed),
        "summary": _summary(counts, entries, len(work.failures)),
        "failures": [],
        "not_tried": [],
    }
    if work.resumed:
        result["resumed"] = [left.told for left in work.resumed]
    if diff:
        result["diff"] = differences
    return result


def _resumed(work: Any) -> bool:
    return any(left.changed for left in work.resumed)


def afterwards(result: dict[str, Any], work: Any, outcome: Any, filled: Any) -> dict[str, Any]:
    """Return the result of a run: what was done, what was not, and what was not tried.

    filled tells of the entries of buckets, None if there were none to write.
    """
    items = work.planned.items
    done = Counter(items[index].plan.action for index in outcome.done)
    done["none"] = sum(1 for item in items if item.plan.action == "none")
    not_tried = [named(items[index]) for index in sorted(outcome.not_tried)]
    entries, failed = 0, len(outcome.failures)
    if filled is not None:
        not_tried += filled.not_tried
        entries, failed = filled.done, failed + len(filled.failures)
    return {
        **result,
        "changed": bool(outcome.done) or entries > 0 or _resumed(work),
        "summary": _summary(done, entries, failed, len(not_tried)),
        "not_tried": not_tried,
    }


def failure_rows(failures: list[Failure]) -> list[dict[str, Any]]:
    """Return the failures as rows: place, title, msg, and what the error tells besides.

    Whether anything was changed is told of the whole.
    """
    return [
        {
            "place": failure.place,
            "title": failure.title,
            "msg": str(failure.error),
            **{name: told for name, told in failure.error.result().items() if name != "changed"},
        }
        for failure in failures
    ]


def named(item: Item) -> dict[str, Any]:
    """Return what an asset is: its kind and the options of its identity."""
    return {
        "kind": item.section.single,
        **dict(zip(item.section.kind.identity, item.identity)),
        "place": item.place,
    }


def digest(rows: list[dict[str, Any]], sealed: str = "") -> str:
    """Return what tells two plans apart: what is done to which asset, not the counts of messages.

    The order of the declaration means nothing. sealed stands for the values of entries.
    """
    means = ("kind", "name", "stream", "bucket", "action", "options", "changes", "moves")
    kept = [{name: row[name] for name in means if name in row} for row in rows]
    lines = sorted(json.dumps(row, sort_keys=True) for row in kept)
    return hashlib.sha256("\n".join([*lines, sealed]).encode()).hexdigest()


def _summary(counts: Counter[str], entries: int, failed: int, not_tried: int = 0) -> dict[str, int]:
    return {
        **{name: counts[action] for action, name in COUNTED.items()},
        "entries": entries,
        "unchanged": counts["none"],
        "failed": failed,
        "not_tried": not_tried,
    }


def _changes(item: Item) -> list[dict[str, Any]]:
    seal = [{"option": "sealed", "before": None, "after": True}] if item.sealing else []
    return [*item.plan.changes, *seal]


def _row(item: Item, moves: list[dict[str, str]]) -> dict[str, Any]:
    row = {**named(item), "action": item.plan.action, "changes": _changes(item)}
    if item.plan.action == "create":
        # A third of the size, of what is often the most of a plan: nothing was there before.
        row["options"] = {change["option"]: change["after"] for change in row["changes"]}
        row["changes"] = []
    if item.why:
        row["reason"] = item.why
    if moves:
        row["moves"] = moves
    lost = would_lose(item.plan.losses)
    if lost:
        row["would_lose"] = lost
    if item.plan.migration:
        row["migration"] = item.plan.migration
    if item.plan.unverified:
        row["unverified"] = list(item.plan.unverified)
    return row


def _diff(item: Item) -> dict[str, str]:
    """Return before and after of what changes; of an update no more than the options that do."""
    plan, title = item.plan, item.plan.title
    before, after = plan.before, {**plan.after, **({"sealed": True} if item.sealing else {})}
    if plan.action == "update":
        names = [*dict(zip(plan.kind.identity, plan.identity)), *_changed(before, after)]
        before = {name: before[name] for name in names if name in before}
        after = {name: after[name] for name in names if name in after}
    return {
        "before": to_yaml(before),
        "after": to_yaml(after),
        "before_header": title,
        "after_header": f"{title} ({plan.said})",
    }


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    missing = object()
    return [
        name
        for name in dict.fromkeys([*before, *after])
        if before.get(name, missing) != after.get(name, missing)
    ]
