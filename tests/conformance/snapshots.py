# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of backups, restores and migrations share: a stream with everything, pictures."""

from __future__ import annotations

import os
import resource
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from independent import Account

V210, V215 = (2, 10), (2, 15)
SECOND = 10**9


def filled(account: Account, name: str = "S", messages: int = 60, size: int = 300, **config: Any):
    """A stream with headers, holes, and two consumers half way, one of them filtered."""
    subject = name.lower()
    account.stream(name, **{"subjects": [f"{subject}.>"], **config})
    if config.get("retention") == "interest":  # or else nothing stays
        account.consumer(name, "half", max_ack_pending=messages * 2)
    for number in range(messages - 1):
        account.nats.publish(f"{subject}.{number % 3}", os.urandom(size))
    # A server stores in order, so all of them are stored once the last one is acknowledged.
    account.nats.request(f"{subject}.{(messages - 1) % 3}", os.urandom(size))
    holes = [2, 7, 8, messages - 1] if not config.get("deny_delete") else []
    for seq in holes:
        account.ok(f"STREAM.MSG.DELETE.{name}", {"seq": seq})
    account.consumer(name, "half", max_ack_pending=messages * 2)
    acknowledge(account, name, "half", messages // 2)
    if config.get("retention") != "workqueue":
        account.consumer(name, "some", filter_subject=f"{subject}.1", description="filtered")
        acknowledge(account, name, "some", messages // 10)


def acknowledge(account: Account, stream: str, consumer: str, count: int) -> None:
    inbox = f"_INBOX.ack.{stream}.{consumer}"
    sid = account.nats.subscribe(inbox)
    subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
    account.nats.publish(subject, f'{{"batch": {count}, "expires": {5 * SECOND}}}', inbox)
    for _number in range(count):
        message = account.nats.next(sid)
        account.nats.request(message.reply, b"+ACK")


def picture(account: Account, name: str = "S") -> dict[str, Any]:
    """Everything a stream has: its configuration, each message, each consumer and its place."""
    info = account.ok(f"STREAM.INFO.{name}", {"deleted_details": True})
    state = info["state"]
    messages = {}
    for seq in range(state["first_seq"], state["last_seq"] + 1):
        answer = account.api(f"STREAM.MSG.GET.{name}", {"seq": seq})
        if "message" in answer:
            messages[seq] = answer["message"]
    return {
        "config": account.stored(name),
        "state": {one: state.get(one) for one in ("messages", "first_seq", "last_seq", "deleted")},
        "messages": messages,
        "consumers": places(account, name),
    }


def places(account: Account, name: str = "S") -> dict[str, Any]:
    return {
        one["name"]: {
            "config": account.stored(name, one["name"]),
            "ack_floor": one["ack_floor"]["stream_seq"],
            "delivered": one["delivered"]["stream_seq"],
            "num_pending": one["num_pending"],
            "num_ack_pending": one["num_ack_pending"],
        }
        for one in account.ok(f"CONSUMER.LIST.{name}")["consumers"]
    }


def tree(path: Path) -> dict[str, bytes]:
    """Every file below a directory, with what is in it."""
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def archive_of(folder: Path) -> Path:
    (found,) = folder.glob("stream.*.s2")
    return found


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that is full, as far as this process can see."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def s2_stored(data: bytes) -> bytes:
    """An S2 stream of blocks that are not compressed; nobody looks at their checksums here."""
    out = b"\xff\x06\x00\x00S2sTwO"
    for start in range(0, len(data), 65536):
        piece = data[start : start + 65536]
        out += b"\x01" + struct.pack("<I", len(piece) + 4)[:3] + b"\0\0\0\0" + piece
    return out


def nats_command() -> str | None:
    """The nats command, where it is on this machine."""
    return os.environ.get("NATS_CLI") or shutil.which("nats")
