# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of streams.yml and consumers.yml on every server: check mode, the run, and once more.

The words of ``expect`` (one for all servers, or one each for 2.9.10, 2.10.27 and 2.15.1; another
server is judged by the nearest lower one):

``=``       unchanged, and not a byte of the stored configuration moves
``~``       the same; sending it would only rewrite a text (``~!code``: would even be refused)
``Y``       updated, and the third run is unchanged; ``+field`` is changed along with it
``R code``  no update can do it: refused as immutable, and recreate=always does it
``X code``  refused, and a new asset like that as well
``D``       the server would accept it and drop it: refused
``D1``      the same for the first configuration

What is asserted is what an independent client reads from the server, not what a module says.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.nats.jetstream.plugins.modules import jetstream_consumer, jetstream_stream

HERE = Path(__file__).parent
COLUMNS = ((2, 9, 10), (2, 10, 27), (2, 15, 1))
SECOND = 10**9

DURATIONS = {
    "ack_wait",
    "backoff",
    "duplicate_window",
    "idle_heartbeat",
    "inactive_threshold",
    "max_age",
    "max_expires",
    "subject_delete_marker_ttl",
}

# What a server may show for a setting that is at its default: absent or zero, or one of these.
DEFAULTS = {
    "ack_wait": {30 * SECOND, SECOND},
    "compression": {"none"},
    "deliver_policy": {"all"},
    "duplicate_window": {120 * SECOND, 60 * SECOND},
    "max_ack_pending": {1000},
    "max_waiting": {512},
    "subjects": {"['S']"},
    "max_bytes": {-1, -5},
    "max_consumers": {-1, -5},
    "max_deliver": {-1, -5},
    "max_msg_size": {-1, -5},
    "max_msgs": {-1, -5},
    "max_msgs_per_subject": {-1},
}


def rows(name):
    return [pytest.param(row, id=row["id"]) for row in yaml.safe_load((HERE / name).read_text())]


def expected(row, server):
    """Return the letter and the rest for this server, and the column it was taken from."""
    version = tuple(map(int, server.version.split(".")))
    column = max(index for index, one in enumerate(COLUMNS) if one <= version)
    if version != COLUMNS[column]:
        print(f"{server.version} is judged by the column of {COLUMNS[column]}")
    words = row["expect"] if isinstance(row["expect"], str) else row["expect"][column]
    return words.split()[0].split("!")[0], words.split()[1:]


class Asset:
    """One asset under test: the module that manages it, and the client that looks at it."""

    def __init__(self, run_module, nats, module, identity, info):
        self.run_module, self.nats, self.module = run_module, nats, module
        self.identity, self.info = identity, info

    def run(self, options, **args):
        reset = [name for name, value in options.items() if value is None]
        given = {name: value for name, value in options.items() if value is not None}
        return self.run_module(self.module, **self.identity, **given, reset=reset, **args)

    def stored(self):
        """Return the stored configuration without what the server keeps in the metadata."""
        answer = self.nats.api(self.info)
        if "error" in answer:
            return None
        config = answer["config"]
        kept = {k: v for k, v in config.get("metadata", {}).items() if not k.startswith("_nats.")}
        config.pop("metadata", None)
        return {**config, "metadata": kept} if kept else config


def on_the_wire(name, value):
    if isinstance(value, list):
        return [on_the_wire(name, one) for one in value]
    if isinstance(value, dict):
        return {key: str(one) if name == "metadata" else one for key, one in value.items()}
    if name in DURATIONS and isinstance(value, str):
        return int(float(value.rstrip("s")) * SECOND)
    return value


def is_stored(name, value, stored):
    """Say whether the server has a value that was asked for."""
    if value in (None, 0, "", [], {}, False, "none", "default") or (
        value == -1 and name != ("max_ack_pending")
    ):
        found = stored.get(name)
        return found in (None, 0, "", [], {}, False) or (
            (str(found) if isinstance(found, list) else found) in DEFAULTS.get(name, ())
        )
    if name == "filter_subjects" and len(value) == 1:
        return stored.get("filter_subject") == value[0] or stored.get(name) == value
    return stored.get(name) == on_the_wire(name, value)


def judge(asset, row, server, base):
    letter, rest = expected(row, server)
    first = {**base, **row["first"]}
    if letter == "D1":
        refused(asset, first, None)
        return
    if not row.get("raw"):
        made = asset.run(first)
        assert made["action"] == "create", made
        assert asset.run(first)["changed"] is False
    before = asset.stored()
    assert before is not None
    second = row["second"]
    if letter in "=~":
        unchanged(asset, second, before)
    elif letter == "Y":
        updated(asset, row, before, {word.lstrip("+") for word in rest})
    elif letter == "R":
        immutable(asset, second, before)
    else:
        refused(asset, second, before)


def unchanged(asset, second, before):
    for check in (True, False):
        result = asset.run(second, check=check)
        assert result.get("changed") is False, result
        assert (result["action"], result["changes"]) == ("none", [])
        assert asset.stored() == before


def foretold(asset, second, before, **args):
    """Run in check mode and for real; return the real result after comparing the two."""
    check = asset.run(second, check=True, **args)
    assert check.get("changed") is True, check
    assert asset.stored() == before
    done = asset.run(second, **args)
    for key in ("changed", "action", "changes", "diff", "declaration", "would_lose"):
        assert check.get(key) == done.get(key), key
    third = asset.run(second, **args)
    assert third["changed"] is False, third["changes"]
    # What was foretold is what the server now has, in every setting.
    assert asset.run({})["declaration"] == done["declaration"]
    return done


def updated(asset, row, before, along):
    second = row["second"]
    result = foretold(asset, second, before)
    after = asset.stored()
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    spellings = {"filter_subject", "filter_subjects"}
    given = set(second) | (spellings if spellings & set(second) else set())
    assert changed <= given | along, f"changed besides: {changed - given - along}"
    assert along <= changed
    assert changed <= {row["option"] for row in result["changes"]} | spellings
    for name, value in second.items():
        kept = name in row.get("keeps", ()) and after[name] == before[name]
        assert kept or is_stored(name, value, after), (name, value, after.get(name))


def immutable(asset, second, before):
    for check in (True, False):
        result = asset.run(second, check=check)
        assert result.get("failed"), result
        assert result["immutable"], result
        assert asset.stored() == before
    result = foretold(asset, second, before, recreate="always")
    assert result["action"] == "recreate"
    after = asset.stored()
    for name, value in second.items():
        assert is_stored(name, value, after), (name, value, after.get(name))


def refused(asset, options, before):
    for check in (True, False):
        result = asset.run(options, check=check)
        assert result.get("failed"), result
        assert result.get("problems") or result.get("immutable"), result
        assert asset.stored() == before
    if before is not None:
        # A new one like that is refused as well.
        result = asset.run(options, check=True, recreate="always")
        assert result.get("failed") and result["problems"], result


@pytest.fixture
def origins(account):
    """The streams that rows refer to."""
    account.stream("O", subjects=["o.>"])
    account.stream("OD", subjects=["od.>"], allow_direct=True)
    return account


@pytest.mark.parametrize("row", rows("streams.yml"))
def test_stream(row, server, origins, run_module):
    base = {} if {"subjects", "mirror"} & set(row["first"]) else {"subjects": ["s.>"]}
    asset = Asset(run_module, origins, jetstream_stream, {"name": "S"}, "STREAM.INFO.S")
    if row.get("raw"):
        origins.stream("S", **base, **row["first"])
    judge(asset, row, server, base)


@pytest.mark.parametrize("row", rows("consumers.yml"))
def test_consumer(row, server, origins, run_module):
    origins.stream("S", subjects=["s.>"])
    identity = {"stream": "S", "name": "C"}
    asset = Asset(run_module, origins, jetstream_consumer, identity, "CONSUMER.INFO.S.C")
    if row.get("raw"):
        config = {"name": "C", "ack_policy": "explicit", **row["first"]}
        origins.ok("CONSUMER.CREATE.S.C", {"stream_name": "S", "config": config})
    judge(asset, row, server, {})
