# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Buckets: the rules of streams, said of buckets. Loaded when a plan writes."""

from __future__ import annotations

import re
from typing import Any, Callable, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._bucket import Shape
from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Identity,
    Info,
)
from ansible_collections.nats.jetstream.plugins.module_utils._rules import (
    Check,
    Loss,
    Migration,
    Rules,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Context,
    Problem,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    DUPLICATE_WINDOW,
    STREAM,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream_rules import (
    RULES as OF_STREAMS,
)


def bucket_rules(
    shape: Shape,
    to_stream: Callable[[Config], Config],
    complete: Callable[[Config, Identity], Config],
    derive: Callable[[Config, frozenset[str], Config, Config, Context], Config],
) -> Rules:
    """Return the rules of a kind of buckets, made from those of streams.

    ``to_stream`` turns a canonical configuration into that of the stream; ``complete`` and
    ``derive`` are those of Rules.
    """
    options = {field: option for option, field in shape.renamed.items()}
    fields = re.compile(rf"\b({'|'.join(options)})\b")

    def said(text: str) -> str:
        """Return a text about a stream with the names that the settings have in a bucket."""
        return fields.sub(lambda found: options[found.group()], text)

    def of_bucket(check: Check) -> Check:
        def problem(config: Config, context: Context) -> Optional[str]:
            text = check.problem(to_stream(config), context)
            return said(text) if text else None

        named = (options.get(field, field) for field in check.fields)
        return Check(tuple(name for name in named if name in shape.schema.by_name), problem)

    def update_losses(before: Config, after: Config, info: Info, context: Context) -> list[Loss]:
        losses = OF_STREAMS.update_losses(to_stream(before), to_stream(after), info, context)
        return [loss._replace(text=said(loss.text)) for loss in losses]

    def delete_losses(info: Info, context: Context) -> list[Loss]:
        losses = OF_STREAMS.delete_losses(info, context)
        return [loss._replace(text="the bucket goes with all it has") for loss in losses]

    def migration(info: Info, before: Config, after: Config, context: Context) -> Migration:
        moved = OF_STREAMS.migration(info, to_stream(before), to_stream(after), context)
        losses = [loss._replace(text=said(loss.text)) for loss in moved.losses]
        return moved._replace(problems=[said(text) for text in moved.problems], losses=losses)

    def of_stream(plan: Any) -> Any:
        return plan._replace(kind=STREAM, identity=(shape.stream(plan.identity[0]),))

    async def look(manager: Any, plan: Any, dry: bool) -> tuple[list[Problem], list[str]]:
        return await OF_STREAMS.look(manager, of_stream(plan), dry)

    async def update(
        manager: Any, identity: Identity, config: Config, changed: frozenset[str]
    ) -> Info:
        return await OF_STREAMS.update(manager, (config["name"],), config, changed)

    async def delete(manager: Any, identity: Identity) -> bool:
        return await OF_STREAMS.delete(manager, (shape.stream(identity[0]),))

    async def recreate(manager: Any, plan: Any) -> Info:
        return await OF_STREAMS.recreate(manager, of_stream(plan))

    return OF_STREAMS._replace(
        checks=tuple(check for check in map(of_bucket, OF_STREAMS.checks) if check.fields),
        create_problems=_create_problems,
        complete=complete,
        derive=derive,
        update_losses=update_losses,
        delete_losses=delete_losses,
        migration=migration,
        look=look,
        update=update,
        delete=delete,
        recreate=recreate,
    )


def _create_problems(config: Config) -> list[Problem]:
    if not config.get("sealed"):
        return []
    return [Problem("sealed", "a bucket cannot be created sealed; create it, fill it, seal it")]


def follow_ttl(config: Config, changed: frozenset[str], current: Config) -> None:
    """Let the window for duplicates of a stored bucket follow a new ttl, as clients set it.

    A window that somebody has chosen stays; the rules of streams lower it when it gets too large.
    """
    window = current.get("duplicate_window")
    if "ttl" in changed and window and window == _usual_window(current):
        config["duplicate_window"] = _usual_window(config)


def _usual_window(config: Config) -> int:
    return min(DUPLICATE_WINDOW, config.get("max_age") or DUPLICATE_WINDOW)
