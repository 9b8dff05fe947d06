# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""What is stored, as a task writes it and as a result shows it: text, JSON, Base64, or a file.

No value ever becomes part of an error here: it may be secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem

ENCODINGS = ("text", "json", "base64")
LONGEST_TEXT = 1024  # bytes; a diff shows what is longer by its size and digest


class Payload(NamedTuple):
    """The bytes that are wanted. ``by_meaning`` says that they are JSON and compared as such."""

    data: bytes
    by_meaning: bool = False


def payload_spec(text: str = "value") -> dict[str, dict[str, Any]]:
    """Return the argument spec of a payload; ``text`` names the option that holds it as text."""
    return {
        text: {"type": "raw"},
        "json": {"type": "raw"},
        "base64": {"type": "str"},
        "src": {"type": "path"},
    }


def given(options: Mapping[str, Any], text: str = "value") -> list[str]:
    """Return the names of the options that give a payload."""
    return [name for name in payload_spec(text) if options.get(name) is not None]


def payload_of(
    options: Mapping[str, Any], place: str, problems: list[Any], text: str = "value"
) -> Optional[Payload]:
    """Return what the one of ``text``, json, base64, and src that is there stands for.

    When none or several are there, or the one does not do, a Problem is added, and None returned.
    place is where the options stand, such as ``entries[3]``, or empty for those of the task.
    """
    names = given(options, text)
    if len(names) != 1:
        wanted = f"give one of {', '.join(payload_spec(text))}"
        here = f"{', '.join(names)} exclude each other; {wanted}" if names else wanted
        problems.append(Problem(place or text, here))
        return None
    name = names[0]
    readers: dict[str, Callable[[Any], Payload]] = {
        "json": _from_json,
        "base64": _from_base64,
        "src": _from_file,
    }
    try:
        return readers.get(name, _from_text)(options[name])
    except _Unfit as error:
        problems.append(Problem(f"{place}.{name}" if place else name, str(error)))
        return None


class _Unfit(Exception):
    """Why an option is no payload; the text must not hold any of it."""


def _from_text(value: Any) -> Payload:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Unfit(f"is no text but a {type(value).__name__}; quote it, or use json")
    return Payload(_encoded(str(value)))


def _from_json(value: Any) -> Payload:
    try:
        return Payload(_encoded(_compact(value)), by_meaning=True)
    except (TypeError, ValueError, RecursionError):
        raise _Unfit("cannot be written as JSON") from None


def _from_base64(value: str) -> Payload:
    try:
        return Payload(base64.b64decode("".join(value.splitlines()).strip(), validate=True))
    except ValueError:
        raise _Unfit("is no Base64") from None


def _from_file(path: str) -> Payload:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise _Unfit(f"{path} is no regular file")
        with open(path, "rb") as file:
            return Payload(file.read())
    except OSError as error:
        raise _Unfit(f"{path} cannot be read: {error.strerror}") from error


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _Unfit("cannot be written as UTF-8") from None


def same(wanted: Payload, data: bytes) -> bool:
    """Say whether what is stored is what is wanted; for JSON, whether it means the same."""
    if wanted.data == data:
        return True
    if not wanted.by_meaning:
        return False
    try:
        return _compact(_parsed(data)).encode() == wanted.data
    except (TypeError, ValueError, RecursionError):
        return False


def shown(
    data: bytes, encoding: Optional[str] = None, what: str = "the value", name: str = "value"
) -> dict[str, Any]:
    """Return the data under ``name`` in the asked form, and under ``encoding`` which one it is.

    Without an encoding it is text where the data is UTF-8, and base64 otherwise. Raises
    JetStreamError, with ``what``, for data that does not have the asked form.
    """
    form = encoding or ("base64" if _text(data) is None else "text")
    if form == "base64":
        value: Any = base64.b64encode(data).decode()
    elif form == "json":
        try:
            value = _parsed(data)
        except (ValueError, RecursionError):
            raise JetStreamError(f"{what} is no JSON; ask for another encoding") from None
    else:
        value = _text(data)
        if value is None:
            raise JetStreamError(f"{what} is no UTF-8 text; ask for encoding base64")
    return {name: value, "encoding": form}


def digest_text(data: bytes) -> str:
    """Return the size and the SHA-256 of some data, for people."""
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def for_diff(data: bytes) -> str:
    """Return what a diff shows of some data: the text if it is short, its digest otherwise."""
    text = _text(data) if len(data) <= LONGEST_TEXT else None
    return digest_text(data) if text is None else text


def _text(data: bytes) -> Optional[str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _compact(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _parsed(data: bytes) -> Any:
    """Return what JSON stands for; raise ValueError for what is none, NaN and the like included."""
    return json.loads(data.decode(), parse_constant=_refuse, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
