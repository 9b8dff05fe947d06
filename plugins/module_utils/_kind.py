# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""A kind of asset, as one value: everything the engine must know to manage it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._schema import (
    Config,
    Field,
    Name,
    Schema,
    Type,
)

Identity = tuple[str, ...]
Info = dict[str, Any]


class Found(NamedTuple):
    """What reading an asset brought: its INFO answer or None, and whether its parent is missing."""

    info: Optional[Info]
    parent_missing: bool = False


class Kind(NamedTuple):
    """A kind of asset: what every task needs to know of it; ``rules`` loads the rest.

    ``identity`` names the options that say which asset is meant, ``answer`` the key under which a
    module returns what the server says of it.
    """

    noun: str
    answer: str
    schema: Schema
    identity: tuple[str, ...]
    # other names of the options of the identity
    aliases: dict[str, list[str]]
    # (manager, identity) -> what is there
    read: Callable[[Any, Identity], Awaitable[Found]]
    # (INFO or LIST answer) -> which asset it is of
    identify: Callable[[Info], Identity]
    # configuration as compared: one spelling for what can be spelt in several ways
    canonical: Callable[[Config], Config]
    # the reverse, for people: the spelling that a user would choose
    spelling: Callable[[Config], Config]
    # () -> Rules
    rules: Callable[[], Any]
    # what the options of the identity may hold
    naming: Type = Name()
    # fields of the wire that extra_config may not have, and why
    taken: Mapping[str, str] = {}
    # fields of the wire that have no option, and that extra_config may have
    wire: tuple[Field, ...] = ()
    # (INFO answer): why what has the name of the asset is none of this kind; None when it is one
    foreign: Callable[[Info], Optional[str]] = lambda info: None
    # (identity): the stream that holds the asset's messages; None for kinds that hold none
    stream_of: Optional[Callable[[Identity], str]] = None


def is_clustered(info: Info) -> bool:
    """Say whether an asset is in a cluster. From 2.10 on standalone servers tell a leader too."""
    return bool((info.get("cluster") or {}).get("name"))
