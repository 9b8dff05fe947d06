# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this code is private to the collection: it can change without notice.

"""Settings of nats-server as the text of its configuration file. Pure.

The server's format is nearly JSON. It is not where it matters: a quoted text knows the escapes
``\\t \\n \\r \\" \\\\ \\xHH`` and no other, a quoted key knows none, a bare ``$name`` is a
variable, and sizes with units are numbers that may not be quoted. Observed on nats-server 2.9.10,
2.10.27, and 2.15.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from ansible_collections.nats.jetstream.plugins.module_utils._errors import MASK
from ansible_collections.nats.jetstream.plugins.module_utils._units import UnitError, parse_size

# Each of these was changed in a running server of all three versions, which took it. Everything
# else needs a restart. A reload is refused as a whole if one setting cannot be reloaded.
_RELOADABLE = """
    accounts authorization client_advertise connect_error_reports debug log_file logfile logtime
    logtime_utc mappings max_connections max_control_line max_payload max_traced_msg_len pid_file
    ping_interval ping_max reconnect_error_reports resolver_preload server_tags tls trace
    trace_verbose write_deadline
"""
_RELOADABLE_OF_CLUSTER = """
    advertise authorization cluster_advertise connect_retries no_advertise permissions routes tls
"""
# Where the server wants a number of bytes, people may write 1GiB.
_SIZES = """
    disk_max_stream_bytes log_size_limit logfile_size_limit max_buffered_size max_control_line
    max_disk max_file max_file_store max_mem max_mem_store max_memory max_memory_store
    max_outstanding_catchup max_payload max_pending max_store mem_max_stream_bytes
"""
RELOADABLE = frozenset(_RELOADABLE.split())
RELOADABLE_OF_CLUSTER = frozenset(_RELOADABLE_OF_CLUSTER.split())
SIZES = frozenset(_SIZES.split())
SECRETS = frozenset({"key", "pass", "passwd", "password", "prev_key", "token"})
# A number here is most likely a text that YAML took for a number, perhaps an octal one.
TEXTS = SECRETS.union(
    {"account", "domain", "name", "no_auth_user", "server_name", "user", "username"}
)

_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", '"': r"\"", "\\": r"\\"}
_TO_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class ConfigError(ValueError):
    """What was given is no configuration. The message says where, and never what is secret."""


def config_text(settings: Mapping[str, Any], mask: bool = False) -> str:
    """Return the text of a configuration file, in the order of the mapping.

    Keys are the server's own. None leaves a setting out. ``mask`` puts stars for whatever is
    secret: a text that can be shown.

    Raises ConfigError for what the format cannot say, or what the server would misread.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError(f"settings are a dictionary, not {_sort(settings)}")
    return "".join(f"{line}\n" for line in _entries(settings, (), mask))


def for_start(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those settings that a running server does not take by a reload."""
    kept = {key: value for key, value in settings.items() if key not in RELOADABLE}
    cluster = kept.get("cluster")
    if isinstance(cluster, Mapping):
        kept["cluster"] = {
            key: value for key, value in cluster.items() if key not in RELOADABLE_OF_CLUSTER
        }
    return kept


def _entries(settings: Mapping[Any, Any], path: tuple[str, ...], mask: bool) -> Iterator[str]:
    for key, value in settings.items():
        if value is None:
            continue
        here = (*path, str(key))
        first, *more = _value(value, here, mask)
        yield f"{_key(str(key), here)}: {first}"
        yield from more


def _key(key: str, path: tuple[str, ...]) -> str:
    if _BARE_KEY.match(key) and key.lower() != "include":
        return key
    for quote in "\"'":
        if key and quote not in key and not _CONTROL.search(key):
            return f"{quote}{key}{quote}"
    raise ConfigError(
        f"{_place(path)}: the server's format has no way to write this name; it may not be empty, "
        "have both sorts of quotes, or control characters"
    )


def _value(value: Any, path: tuple[str, ...], mask: bool) -> Iterator[str]:
    """Yield the lines of a value; all but the first are indented."""
    if isinstance(value, Mapping):
        yield from _block("{", _entries(value, path, mask), "}")
    elif isinstance(value, (list, tuple)):
        yield from _block("[", _items(value, path, mask), "]")
    else:
        yield _scalar(value, path, mask)


def _items(values: Any, path: tuple[str, ...], mask: bool) -> Iterator[str]:
    for number, value in enumerate(values):
        yield from _value(value, (*path[:-1], f"{path[-1]}[{number}]"), mask)


def _block(start: str, lines: Iterator[str], end: str) -> Iterator[str]:
    inner = [f"  {line}" for line in lines]
    if not inner:
        yield start + end
        return
    yield start
    yield from inner
    yield end


def _scalar(value: Any, path: tuple[str, ...], mask: bool) -> str:
    if hasattr(value, "__ENCRYPTED__"):  # of the vault, ansible-core < 2.19
        value = str(value)
    key = path[-1]
    if key in TEXTS and not isinstance(value, str):
        raise ConfigError(f"{_place(path)} has to be a text, not {_sort(value)}; put it in quotes")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        raise ConfigError(f"{_place(path)} cannot be a number without an end")
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if not isinstance(value, str):
        raise ConfigError(f"{_place(path)} cannot be {_sort(value)}")
    if key in SIZES:
        try:
            return str(parse_size(value))
        except UnitError as error:
            raise ConfigError(f"{_place(path)}: {error}") from error
    if mask:
        value = MASK if key in SECRETS else _USER_INFO.sub(MASK, value)
    return _quoted(value)


def _quoted(text: str) -> str:
    escaped = _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0], f"\\x{ord(match[0]):02x}"), text)
    return f'"{escaped}"'


def _sort(value: Any) -> str:
    """Return what a value is, in words. The templates of Ansible have types of their own."""
    sorts: dict[str, Any] = {
        "nothing": type(None),
        "a truth value": bool,
        "a number": (int, float),
        "a text": str,
        "a list": (list, tuple),
        "a dictionary": Mapping,
    }
    names = (name for name, types in sorts.items() if isinstance(value, types))
    return next(names, f"a {type(value).__name__}")


def _place(path: tuple[str, ...]) -> str:
    return ".".join(path)
