# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NKeys, user JWTs and credentials files, made with cryptography alone.

It shares nothing with the collection, so that a mistake in there is not made here as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
UNLIMITED = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
STREAMS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


def check_sum(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _bit in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc.to_bytes(2, "little")


def base32(raw):
    return base64.b32encode(raw + check_sum(raw)).decode().rstrip("=")


def url_safe(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Key:
    """A pair of keys of one kind; ``public`` and ``seed`` as NATS writes them."""

    def __init__(self, kind):
        self.private = ed25519.Ed25519PrivateKey.generate()
        raw = self.private.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )
        public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.public = base32(bytes([kind]) + public)
        self.seed = base32(bytes([SEED | kind >> 5, (kind & 31) << 3]) + raw)


def jwt(issuer, subject, name, nats, expires=0):
    claims = {"iat": int(time.time()), "iss": issuer.public, "name": name, "sub": subject.public}
    claims["nats"] = {"version": 2, **nats}
    if expires:
        claims["exp"] = int(expires)
    digest = hashlib.new("sha512_256", json.dumps(claims, sort_keys=True).encode()).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    head = url_safe(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
    body = url_safe(json.dumps(claims).encode())
    signature = issuer.private.sign(f"{head}.{body}".encode())
    return f"{head}.{body}.{url_safe(signature)}"


def credentials(token, seed):
    stars = "*" * 57
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n{stars}\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n{stars}\n"
    )


class Operator:
    """An operator, an account with JetStream and one without; ``config`` starts a server."""

    def __init__(self):
        self.key, self.system = Key(OPERATOR), Key(ACCOUNT)
        self.account, self.without = Key(ACCOUNT), Key(ACCOUNT)
        kinds = {
            "SYS": (self.system, UNLIMITED),
            "APP": (self.account, {**UNLIMITED, **STREAMS}),
            "NOJS": (self.without, UNLIMITED),
        }
        self.config = {
            "operator": jwt(
                self.key, self.key, "op", {"type": "operator", "system_account": self.system.public}
            ),
            "system_account": self.system.public,
            "resolver": "MEMORY",
            "resolver_preload": {
                key.public: jwt(
                    self.key,
                    key,
                    name,
                    {"type": "account", "limits": {**limits, "wildcards": True}},
                )
                for name, (key, limits) in kinds.items()
            },
        }

    def user(self, account=None, expires=0, **nats):
        """Return the JWT and the seed of a new user."""
        key = Key(USER)
        limits = {"subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}}
        nats = {"type": "user", **limits, **nats}
        return jwt(account or self.account, key, "alice", nats, expires), key.seed
