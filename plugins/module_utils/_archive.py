# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Looking into the archive of a snapshot, as far as it takes to know that it is whole.

An archive is an S2 stream of blocks. Inside it servers write a tar (seen from 2.9.10 to 2.10.27) or
a format of their own that begins with NATSARC1 (seen on 2.15.1). Of a tar all headers are looked
at, of the other format what stands before the messages, and its end. Only the blocks that hold
these are unpacked: the messages, which are nearly all of it, are left to the server, which checks
their checksums. An archive may come from anywhere, so nothing in it is believed beyond its bounds.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError

TAR, ARCHIVE = "tar", "archive"
MAGIC = b"NATSARC1"
MAGICS = (b"\xff\x06\x00\x00S2sTwO", b"\xff\x06\x00\x00sNaPpY")

COMPRESSED, STORED, PADDING, IDENTIFIER = 0x00, 0x01, 0xFE, 0xFF
FIRST_SKIPPABLE = 0x80
LARGEST_BLOCK = 4 * 1024 * 1024  # bytes, unpacked
LARGEST_ENTRY = 16 * 1024 * 1024  # bytes; of what is read whole: a state, a consumer
SENTINEL = b"\0" * 5  # an entry without name, time, sequence and sizes

_ENTRIES = re.compile(r"meta\.(inf|sum)|msgs/[^/\\]+|obs/[^/\\]+/(meta\.(inf|sum)|o\.dat)")
_CONSUMER = re.compile(r"obs/([^/\\]+)/meta\.inf")
FAILURE_FILE = "errors.txt"  # in a tar, where the server could not read something


class BadArchive(JetStreamError):
    """An archive that is not whole, or not one."""


class Contents(NamedTuple):
    """What an archive says of itself. state is None in a tar; consumers by name, with their config.

    places has ack_floor and delivered of the consumers, which a tar does not tell.
    """

    kind: str
    state: Optional[dict[str, Any]]
    consumers: dict[str, dict[str, Any]]
    places: dict[str, dict[str, Any]]


class Block(NamedTuple):
    """A block of an S2 stream: where its data is in the file, and where in what is unpacked."""

    kind: int
    at: int
    size: int
    start: int
    length: int


def look_into(path: str) -> Contents:
    """Return what an archive holds; raise BadArchive when it is not whole."""
    try:
        with open(path, "rb") as file:
            unpacked = Unpacked(file)
            if unpacked.read_at(0, len(MAGIC)) == MAGIC:
                return _own_format(unpacked)
            return _tar(unpacked)
    except OSError as error:
        raise BadArchive(f"the archive {path} cannot be read: {error.strerror}") from error
    except BadArchive as error:
        raise BadArchive(f"the archive {path} is not whole or not an archive: {error}") from error


# --------------------------------------------------------------------------------------------------
# The two formats
# --------------------------------------------------------------------------------------------------


def _own_format(unpacked: Unpacked) -> Contents:
    place = len(MAGIC)
    name, body, place = _entry(unpacked, place)
    if name != "state.json":
        raise BadArchive(f"it begins with {name[:60]!r} instead of the state")
    state = _json(body)
    consumers, places = {}, {}
    for _number in range(_count(state)):
        name, body, place = _entry(unpacked, place)
        if not name.startswith("consumers/"):
            raise BadArchive(f"{name[:60]!r} stands where a consumer should be")
        stored = _json(body)
        consumers[name.partition("/")[2]] = dict(stored.get("config") or {})
        places[name.partition("/")[2]] = dict(stored.get("state") or {})
    if unpacked.read_at(unpacked.length - len(SENTINEL), len(SENTINEL)) != SENTINEL:
        raise BadArchive("its end is missing")
    return Contents(ARCHIVE, state, consumers, places)


def _count(state: dict[str, Any]) -> int:
    count = state.get("consumer_count", 0)
    if not isinstance(count, int) or not 0 <= count <= 1_000_000:
        raise BadArchive(f"{count!r} is no number of consumers")
    return count


def _entry(unpacked: Unpacked, place: int) -> tuple[str, bytes, int]:
    """Return name and body of the entry at a place, and the place after it."""
    sizes = []
    for _field in ("name", "time", "sequence", "headers", "payload"):
        number, place = _number(unpacked, place)
        sizes.append(number)
    length, total = sizes[0], sizes[3] + sizes[4]
    if length > 4096 or total > LARGEST_ENTRY:
        raise BadArchive("an entry is larger than it can be")
    name = unpacked.read_at(place, length).decode("utf-8", "replace")
    body = unpacked.read_at(place + length, total)
    return name, body, place + length + total


def _number(unpacked: Unpacked, place: int) -> tuple[int, int]:
    data = unpacked.read_at(place, min(10, unpacked.length - place))
    number, used = _varint(data, 0)
    return number, place + used


def _tar(unpacked: Unpacked) -> Contents:
    consumers: dict[str, dict[str, Any]] = {}
    try:
        with tarfile.TarFile(fileobj=unpacked) as tar:
            names = set()
            while True:
                member = tar.next()
                if member is None:
                    break
                tar.members = []  # type: ignore[attr-defined]  # or else it keeps them all
                names.add(_checked_name(unpacked, tar, member))
                found = _CONSUMER.fullmatch(member.name)
                if found:
                    consumers[found[1]] = _json(_small(tar, member))
            end = tar.offset
    except (tarfile.TarError, EOFError) as error:
        raise BadArchive(str(error)) from error
    if "meta.inf" not in names:
        raise BadArchive("there is no stream in it")
    # A tar ends with two empty records; the first ended the loop.
    if unpacked.length < end + 512 or any(unpacked.read_at(end, 512)):
        raise BadArchive("its end is missing")
    return Contents(TAR, None, consumers, {})


def _checked_name(unpacked: Unpacked, tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    if member.name == FAILURE_FILE:
        text = _small(tar, member).decode("utf-8", "replace")
        raise BadArchive(f"the server could not read the stream: {text}")
    parts = member.name.split("/")
    if not member.isreg() or not _ENTRIES.fullmatch(member.name) or {"..", "."} & set(parts):
        raise BadArchive(f"{member.name[:100]!r} does not belong there")
    if member.offset_data + member.size > unpacked.length:
        raise BadArchive(f"{member.name} is cut off")
    return member.name


def _small(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > LARGEST_ENTRY:
        raise BadArchive(f"{member.name} is larger than it can be")
    file = tar.extractfile(member)
    return file.read() if file else b""


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise BadArchive(f"a part is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadArchive("a part is no JSON object")
    return found


# --------------------------------------------------------------------------------------------------
# S2
# --------------------------------------------------------------------------------------------------


class Unpacked(io.RawIOBase):
    """What an S2 stream unpacks to, as a file; a block is unpacked when something of it is read."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file
        self.blocks = list(_blocks(file))
        self.starts = [block.start for block in self.blocks]
        self.length = self.blocks[-1].start + self.blocks[-1].length if self.blocks else 0
        self._place, self._last = 0, (-1, b"")

    def read_at(self, place: int, count: int) -> bytes:
        """Return just so many bytes from a place on; raise BadArchive when there are less."""
        if place < 0 or place + count > self.length:
            raise BadArchive("it ends too early")
        parts = []
        while count:
            index = bisect_right(self.starts, place) - 1
            inside = place - self.starts[index]
            part = self._block(index)[inside : inside + count]
            parts.append(part)
            place, count = place + len(part), count - len(part)
        return b"".join(parts)

    def _block(self, index: int) -> bytes:
        if self._last[0] != index:
            block = self.blocks[index]
            self.file.seek(block.at)
            data = self.file.read(block.size)
            self._last = (index, data if block.kind == STORED else unpack(data, block.length))
        return self._last[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.length}[whence]
        self._place = max(0, base + place)
        return self._place

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self.length - self._place))
        buffer[:count] = self.read_at(self._place, count)
        self._place += count
        return count


def _blocks(file: BinaryIO) -> Iterator[Block]:
    """Yield the blocks that hold data; raise BadArchive where the stream is cut off or bent."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(10) not in MAGICS:
        raise BadArchive("it does not begin like an S2 stream")
    at, start = 10, 0
    while at < end:
        file.seek(at)
        head = file.read(18)
        size = int.from_bytes(head[1:4], "little")
        if len(head) < 4 or at + 4 + size > end:
            raise BadArchive(f"it is cut off in the block at byte {at}")
        kind, data = head[0], at + 4
        at = data + size
        if kind in (COMPRESSED, STORED):
            if size < 4:
                raise BadArchive(f"the block at byte {data - 4} is too small")
            used, length = 4, size - 4
            if kind == COMPRESSED:
                length, used = _varint(head[8:], 0)
                used += 4
            if length > LARGEST_BLOCK:
                raise BadArchive(f"the block at byte {data - 4} is too large")
            if length:
                yield Block(kind, data + used, size - used, start, length)
                start += length
        elif kind == IDENTIFIER:
            if head[:10] not in MAGICS:
                raise BadArchive(f"the block at byte {data - 4} is not known")
        elif kind < FIRST_SKIPPABLE:
            raise BadArchive(f"the block at byte {data - 4} is not known")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number in groups of 7 bits, the lowest first, and the place after it."""
    number = shift = 0
    for index in range(place, len(data)):
        number |= (data[index] & 0x7F) << shift
        if data[index] < 0x80:
            return number, index + 1
        shift += 7
    raise BadArchive("a number is cut off")


def unpack(data: bytes, length: int) -> bytes:
    """Return what a compressed block of S2 (or Snappy) stands for, which has this many bytes."""
    out, place, offset = bytearray(), 0, 0
    try:
        while place < len(data):
            tag = data[place]
            sort, upper = tag & 3, tag >> 2
            place += 1
            if sort == 0:
                if upper >= 60:
                    wide = upper - 59
                    upper = int.from_bytes(data[place : place + wide], "little")
                    place += wide
                out += data[place : place + upper + 1]
                place += upper + 1
            else:
                if sort == 1:
                    count, near = upper & 7, (tag & 0xE0) << 3 | data[place]
                    place += 1
                    if near:
                        offset = near
                    elif count >= 5:  # the last offset again, with a longer count
                        wide = count - 4
                        base = (0, 4, 1 << 8, 1 << 16)[wide]
                        count = base + int.from_bytes(data[place : place + wide], "little")
                        place += wide
                    count += 4
                else:
                    wide = 2 if sort == 2 else 4
                    offset = int.from_bytes(data[place : place + wide], "little")
                    place += wide
                    count = upper + 1
                _repeat(out, offset, count)
            if len(out) > length:
                raise BadArchive("a block unpacks to more than it says")
    except IndexError as error:
        raise BadArchive("a block is cut off") from error
    if len(out) != length or place != len(data):
        raise BadArchive("a block unpacks to less than it says")
    return bytes(out)


def _repeat(out: bytearray, offset: int, count: int) -> None:
    start = len(out) - offset
    if offset <= 0 or start < 0 or count > LARGEST_BLOCK:
        raise BadArchive("a block points outside of itself")
    if offset >= count:
        out += out[start : start + count]
    else:
        piece = bytes(out[start:])
        out += (piece * (count // offset + 1))[:count]
