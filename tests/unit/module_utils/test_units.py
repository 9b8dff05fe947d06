# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.module_utils import _units as units

DURATIONS = {
    "0": 0,
    "30": 30 * 10**9,
    30: 30 * 10**9,
    "0.5": 5 * 10**8,
    "8.2": 8_200_000_000,  # as a float it would be 8199999999
    "90s": 90 * 10**9,
    "1h30m": 5400 * 10**9,
    "1h 30m": 5400 * 10**9,
    "1.5h": 5400 * 10**9,
    "2d": 172_800 * 10**9,
    "1w": 604_800 * 10**9,
    "1y": 31_536_000 * 10**9,
    "250ms": 250 * 10**6,
    "1.001s": 1_001_000_000,
    "10us": 10_000,
    "10µs": 10_000,
    "5ns": 5,
    "31536000": 31_536_000 * 10**9,
}


@pytest.mark.parametrize(("text", "nanoseconds"), DURATIONS.items())
def test_durations(text, nanoseconds):
    assert units.parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "5x", "-5s", "1h-3m", "h1", "5 5", "1.5ns", "1.s", "1S", "300y", "True", "1e3"],
)
def test_what_is_no_duration(text):
    with pytest.raises(units.UnitError):
        units.parse_duration(text)


def test_a_large_bare_number_looks_like_nanoseconds():
    with pytest.raises(units.UnitError, match=r"nanoseconds, write 2592000000000000ns"):
        units.parse_duration(2592000000000000)


@given(st.integers(0, units.MAX_INT64))
def test_durations_come_back_exactly(nanoseconds):
    assert units.parse_duration(units.format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0s"), (5400 * 10**9, "1h30m"), (30 * 86400 * 10**9, "30d"), (1_001_000_000, "1s1ms")],
)
def test_durations_for_people(nanoseconds, text):
    assert units.format_duration(nanoseconds) == text


SIZES = {
    "0": 0,
    512: 512,
    "512B": 512,
    "64KiB": 65536,
    "64kb": 65536,
    "64K": 65536,
    "10MB": 10 * 2**20,
    "1GiB": 2**30,
    "1.5GiB": 3 * 2**29,
    "2TB": 2**41,
    "-1": -1,
    -1: -1,
    "unlimited": -1,
}


@pytest.mark.parametrize(("text", "size"), SIZES.items())
def test_sizes(text, size):
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1X", "-2", "KiB", "0.3B", "1.0001KiB", "16EiB", "1 G B"])
def test_what_is_no_size(text):
    with pytest.raises(units.UnitError):
        units.parse_size(text)


@given(st.integers(-1, units.MAX_INT64))
def test_sizes_come_back_exactly(size):
    assert units.parse_size(units.format_size(size)) == size


def test_sizes_for_people():
    assert [units.format_size(size) for size in (-1, 0, 1000, 1024, 2**30)] == [
        "unlimited",
        "0B",
        "1000B",
        "1KiB",
        "1GiB",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.100Z", "2024-01-01T00:00:00.1Z"),
        ("2023-12-31T19:00:00.123456789-05:00", "2024-01-01T00:00:00.123456789Z"),
    ],
)
def test_the_same_instant(one, other):
    assert units.parse_instant(one) == units.parse_instant(other)


def test_the_zero_time_of_go():
    assert units.format_instant(units.parse_instant("0001-01-01T00:00:00Z")) == (
        "0001-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    "text",
    ["", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00+24:00"],
)
def test_what_is_no_instant(text):
    with pytest.raises(units.UnitError):
        units.parse_instant(text)


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(timezone.utc)),
    st.integers(0, 999),
)
def test_instants_come_back_exactly(moment, nanoseconds):
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    text += f".{moment.microsecond:06d}{nanoseconds:03d}Z"
    instant = units.parse_instant(text)
    assert instant % 1000 == nanoseconds
    assert units.parse_instant(units.format_instant(instant)) == instant
