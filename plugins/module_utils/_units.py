# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Durations, sizes and instants: what people write, and the integers of the wire, both ways.

All arithmetic is on integers. Floats lose nanoseconds (8.2 s would become 8199999999 ns), and a
lost nanosecond is a difference that a second run would report.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_INT64 = 2**63 - 1

# A bare number is seconds. A larger one than a year of them is most likely nanoseconds that were
# copied from an answer of the server.
MAX_BARE_SECONDS = 31_536_000

_DURATION_UNITS = {
    "y": 365 * DAY,
    "w": 7 * DAY,
    "d": DAY,
    "h": HOUR,
    "m": MINUTE,
    "s": SECOND,
    "ms": MILLISECOND,
    "us": MICROSECOND,
    "µs": MICROSECOND,  # the micro sign
    "μs": MICROSECOND,  # the Greek letter mu
    "ns": NANOSECOND,
}
_DURATION_OUTPUT = (
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("us", MICROSECOND),
    ("ns", NANOSECOND),
)
_DURATION_PART = re.compile(r"(\d+)(?:\.(\d+))?([a-zµμ]+)")
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?\Z")

# Powers of 1024 for every spelling, as the nats command has it.
_SIZE_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50, "e": 2**60}
_SIZE_OUTPUT = (
    ("EiB", 2**60),
    ("PiB", 2**50),
    ("TiB", 2**40),
    ("GiB", 2**30),
    ("MiB", 2**20),
    ("KiB", 2**10),
)
_SIZE = re.compile(r"(\d+)(?:\.(\d+))?\s*(?:([kmgtpe])i?b?|(b))?\Z")
UNLIMITED = "unlimited"

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|([+-])(\d\d):(\d\d))\Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class UnitError(ValueError):
    """A text that is no duration, size or instant. Its message says what was expected."""


def parse_duration(value: object) -> int:
    """Return the nanoseconds of a duration.

    Takes ``90s``, ``1h30m``, ``1.5h``, ``2d``, ``1w``, ``1y`` (365 days), ``250ms``, ``10us``,
    ``5ns`` and combinations of them. A bare number (text or not) is seconds, ``0`` included.

    Raises UnitError for anything else, for negative values, for fractions of a nanosecond, for
    more than 64 bits, and for bare numbers above 31,536,000, which look like nanoseconds.
    """
    return _nanoseconds(str(value).strip())


@lru_cache(maxsize=256)  # an environment says the same few durations a thousand times
def _nanoseconds(text: str) -> int:
    number = _NUMBER.match(text)
    if number:
        nanoseconds = _scaled(number.group(1), number.group(2), SECOND, text)
        if nanoseconds > MAX_BARE_SECONDS * SECOND:
            raise UnitError(
                f"{text!r} is read as seconds and is more than a year; if it is nanoseconds, "
                f"write {text}ns, otherwise add a unit such as d or y"
            )
        return nanoseconds
    total = end = 0
    for part in _DURATION_PART.finditer(text.replace(" ", "")):
        unit = _DURATION_UNITS.get(part.group(3))
        if part.start() != end or unit is None:
            break
        total += _scaled(part.group(1), part.group(2), unit, text)
        end = part.end()
    if not end or end != len(text.replace(" ", "")):
        raise UnitError(
            f"{text!r} is not a duration; write it like 90s, 1h30m, 2d, 1w, 1y, 250ms or 5ns"
        )
    if total > MAX_INT64:
        raise UnitError(f"{text!r} is longer than the 292 years that the server can store")
    return total


def format_duration(nanoseconds: int) -> str:
    """Return nanoseconds as text that parse_duration reads back: ``1h30m``, ``30d``, ``0s``."""
    if nanoseconds == 0:
        return "0s"
    sign, rest, out = "", nanoseconds, ""
    if rest < 0:
        sign, rest = "-", -rest
    for unit, size in _DURATION_OUTPUT:
        count, rest = divmod(rest, size)
        if count:
            out += f"{count}{unit}"
    return sign + out


def parse_size(value: object) -> int:
    """Return the bytes of a size: ``512``, ``512B``, ``64KiB``, ``10MB``, ``1.5GiB``, ``2T``.

    Units are powers of 1024 in every spelling. ``-1`` and ``unlimited`` return -1.

    Raises UnitError for anything else, and for what is no whole number of bytes.
    """
    text = str(value).strip().lower()
    if text in ("-1", UNLIMITED):
        return -1
    match = _SIZE.match(text)
    if not match:
        raise UnitError(
            f"{value!r} is not a size; write it like 512B, 64KiB, 10MB, 1GiB or unlimited"
        )
    size = _scaled(match.group(1), match.group(2), _SIZE_UNITS[match.group(3) or "b"], str(value))
    if size > MAX_INT64:
        raise UnitError(f"{value!r} is more than the server can store (8 EiB)")
    return size


def format_size(size: int) -> str:
    """Return bytes as text that parse_size reads back: ``1GiB``, ``1000B``, ``unlimited``."""
    if size < 0:
        return UNLIMITED
    for unit, factor in _SIZE_OUTPUT:
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_instant(value: object) -> int:
    """Return the nanoseconds since 1970-01-01T00:00:00Z of an RFC 3339 time.

    All nine digits of a fraction count; every UTC offset is understood. The zero time of Go,
    ``0001-01-01T00:00:00Z``, is an instant like any other.

    Raises UnitError for anything else.
    """
    text = str(value).strip()
    match = _INSTANT.match(text)
    if not match:
        raise UnitError(
            f"{text!r} is not an RFC 3339 time; write it like 2030-01-31T12:00:00Z "
            "or 2030-01-31T12:00:00.123456789+02:00"
        )
    fields = [int(part) for part in match.group(1, 2, 3, 4, 5, 6)]
    try:
        moment = datetime(*fields, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise UnitError(f"{text!r} is not a time: {error}") from error
    elapsed = moment - _EPOCH
    seconds = elapsed.days * 86400 + elapsed.seconds
    if match.group(9):
        hours, minutes = int(match.group(10)), int(match.group(11))
        if hours > 23 or minutes > 59:
            raise UnitError(f"{text!r} is not a time: the UTC offset is out of range")
        offset = hours * 3600 + minutes * 60
        seconds += -offset if match.group(9) == "+" else offset
    return seconds * SECOND + int((match.group(7) or "0").ljust(9, "0"))


def format_instant(nanoseconds: int) -> str:
    """Return nanoseconds since 1970 as an RFC 3339 time in UTC, with the digits it needs."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def _scaled(whole: str, fraction: str | None, unit: int, text: str) -> int:
    """Return (whole.fraction * unit) as an integer; the fraction must come out even."""
    value = int(whole) * unit
    if fraction:
        part, rest = divmod(int(fraction) * unit, 10 ** len(fraction))
        if rest:
            raise UnitError(f"{text!r} is no whole number of the smallest unit")
        value += part
    return value
