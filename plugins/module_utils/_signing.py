# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Signatures of NKeys (Ed25519), made by cryptography or nkeys, whichever is there."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._errors import MissingLibrary

_SEED, _USER = 18 << 3, 20 << 3  # what "S" and "U" stand for at the beginning of a key
_LENGTH = 2 + 32 + 2  # bytes: two for the kind, the seed, two for the check sum
_NO_SEED = "holds no NKey seed; one begins with SU and has 58 characters"


class BrokenSeed(Exception):
    """What should be a seed is none; the text says why, without the seed."""


class Signer(NamedTuple):
    """A user's public key as NATS writes it, and what signs with the private one."""

    public_key: str
    sign: Callable[[bytes], bytes]


def signer(seed: str, where: str) -> Signer:
    """Return what signs with a user's seed (SU...).

    Raises BrokenSeed, and MissingLibrary with the name of the option when nothing can sign.
    """
    raw = _decoded(seed)
    for make in (_with_cryptography, _with_nkeys):
        pair = make(raw, seed)
        if pair is not None:
            public, sign = pair
            return Signer(_encoded(_USER, public), sign)
    raise MissingLibrary(
        f"{where} needs the Python package cryptography or nkeys on the host that runs the module; "
        "install one of them for its Python: pip install cryptography"
    )


_Pair = Optional[tuple[bytes, Callable[[bytes], bytes]]]


def _with_cryptography(raw: bytes, _seed: str) -> _Pair:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519

        key = ed25519.Ed25519PrivateKey.from_private_bytes(raw)
    except Exception:  # not there, too old, or built without Ed25519
        return None
    public = key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return public, key.sign


def _with_nkeys(_raw: bytes, seed: str) -> _Pair:
    try:
        import nkeys  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    pair: Any = nkeys.from_seed(bytearray(seed.encode()))
    return base64.b32decode(pair.public_key + b"=" * (-len(pair.public_key) % 8))[1:-2], pair.sign


def _decoded(seed: str) -> bytes:
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except (binascii.Error, ValueError) as error:
        raise BrokenSeed(_NO_SEED) from error
    if len(raw) != _LENGTH or raw[0] & 0xF8 != _SEED:
        raise BrokenSeed(_NO_SEED)
    if (raw[0] & 7) << 5 | raw[1] >> 3 != _USER:
        raise BrokenSeed("holds the seed of something else than a user; a user's begins with SU")
    if _check_sum(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise BrokenSeed("holds a damaged NKey seed: its check sum is wrong")
    return raw[2:-2]


def _encoded(kind: int, public: bytes) -> str:
    raw = bytes([kind]) + public
    raw += _check_sum(raw).to_bytes(2, "little")
    return base64.b32encode(raw).rstrip(b"=").decode()


def _check_sum(data: bytes) -> int:
    """CRC-16 as NKeys have it (XMODEM)."""
    return binascii.crc_hqx(data, 0)
