# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What all buckets have in common: each is a stream with a prefix, and settings with other names.

What clients rely on is laid down in ADR-8 (key-value) and ADR-20 (objects) of NATS.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._kind import (
    Found,
    Identity,
    Info,
)
from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Field,
    Problem,
    Schema,
    Type,
    subjects_taken,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    OF_REQUESTS,
    read,
)
from ansible_collections.nats.jetstream.plugins.module_utils._stream import (
    SCHEMA as STREAM_SCHEMA,
)
from ansible_collections.nats.jetstream.plugins.module_utils._subjects import (
    MAX_NAME,
    covers,
)

_BUCKET = re.compile(r"[a-zA-Z0-9_-]+\Z")


class BucketName(Type):
    """The name of a bucket: part of a subject, and with a prefix the name of a stream."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def wire(self, value: Any, place: str, problems: list[Problem]) -> Any:
        text = super().wire(value, place, problems)
        longest = MAX_NAME - len(self.prefix)
        if not _BUCKET.match(text):
            problems.append(
                Problem(place, f"{text!r} is no name of a bucket: letters, digits, - and _ only")
            )
        elif len(text) > longest:
            problems.append(
                Problem(place, f"has {len(text)} characters, a bucket takes at most {longest}")
            )
        return text


class Shape(NamedTuple):
    """How the buckets of a kind lie in streams.

    ``subjects`` have ``{}`` for the name; ``renamed`` has the field of the stream for each option
    that is called differently.
    """

    prefix: str
    subjects: tuple[str, ...]
    renamed: dict[str, str]
    schema: Schema

    def stream(self, bucket: str) -> str:
        return f"{self.prefix}{bucket}"

    def bucket(self, config: Config) -> str:
        """Return the name of the bucket that a stream's configuration is of."""
        name: str = config["name"]
        return name[len(self.prefix) :]

    def subjects_of(self, bucket: str) -> list[str]:
        return [subject.format(bucket) for subject in self.subjects]

    def taken(self) -> dict[str, str]:
        """Return the fields of the wire that a task cannot send as they are, and why."""
        fixed = dict.fromkeys(("name", "subjects"), "follows from the name of the bucket")
        named = {field: f"is {option} here" for option, field in self.renamed.items()}
        return {**OF_REQUESTS, **fixed, **named}

    def wire(self) -> tuple[Field, ...]:
        """Return the settings of a stream that are no options of the bucket."""
        own = {*self.schema.by_name, *self.taken()}
        return tuple(field for field in STREAM_SCHEMA.fields if field.name not in own)

    def options(self, config: Config) -> Config:
        """Return a stream's configuration with the options of the bucket for its fields."""
        shaped = dict(config)
        for option, field in self.renamed.items():
            if field in shaped:
                shaped[option] = shaped.pop(field)
        return shaped

    def fields(self, config: Config) -> Config:
        """Return a configuration with the fields of the stream for the bucket's options.

        Where both are there, the option counts: it is what a task wants, the field what is stored.
        An option that asks for its default gets it, and none at all where absence means the same.
        """
        shaped = dict(config)
        for option, field in self.renamed.items():
            if option in shaped:
                value = shaped.pop(option) or self.schema.by_name[option].default
                shaped.pop(field, None)
                if value:
                    shaped[field] = value
        return shaped


def reader(shape: Shape) -> Callable[[Any, Identity], Awaitable[Found]]:
    """Return how to read a bucket of this shape."""

    async def read_bucket(manager: Any, identity: Identity) -> Found:
        return await read(manager, (shape.stream(identity[0]),))

    return read_bucket


def is_foreign(shape: Shape, info: Info) -> Optional[str]:
    """Return why a stream that is called like a bucket cannot serve as one, None when it can."""
    config = info["config"]
    if not config["name"].startswith(shape.prefix):
        return f"its name does not begin with {shape.prefix}"
    subjects = subjects_taken(config) or config.get("subjects") or []
    for needed in shape.subjects_of(shape.bucket(config)):
        if not any(covers(one, needed) for one in subjects):
            return f"it does not have the subject {needed}"
    return None
