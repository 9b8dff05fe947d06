# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Logins that are signed: NKey seeds, user JWTs, and credentials files that hold both.

What is broken is refused here, before a server hears of it: nats-py waits forever on a file
without a JWT, and refuses line ends of Windows. A server says no more than that a login is refused,
so what can be wrong with it is looked for here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    Login,
    Problems,
)
from ansible_collections.nats.jetstream.plugins.module_utils._signing import (
    BrokenSeed,
    Signer,
    signer,
)

_BLOCK = re.compile(r"-{3,}BEGIN ([A-Z ]+)-{3,}(.*?)-{3,}END \1-{3,}", re.DOTALL)


class _Claims(NamedTuple):
    """What a user's JWT says: the user's public key, the account, the end (Unix time) or 0."""

    user: str
    account: str
    expires: int
    is_bearer: bool


def load(
    options: Mapping[str, Any], called: Mapping[str, str], problems: Problems
) -> tuple[Login, set[str]]:
    """Return the login, and what in it is secret; add (place, text) of what is wrong."""
    secrets: set[str] = set()
    texts = _Texts(options, called, problems)
    credentials = texts.of("credentials")
    if credentials:
        where, text = credentials
        secrets.add(text)
        jwt, seed = _block(text, "JWT"), _block(text, "SEED")
        for name, body in (("user JWT", jwt), ("NKey seed", seed)):
            if not body:
                problems.append((where, f"holds no {name}; a credentials file has both"))
        of_jwt = of_seed = where
    else:
        of_jwt, jwt = texts.of("jwt") or ("", None)
        of_seed, seed = texts.of("nkey_seed") or ("", None)
        seed = _seed_alone(seed)
    secrets |= {text for text in (jwt, seed) if text}
    if problems and (not seed or (credentials and not jwt)):
        return Login(), secrets
    claims = _claims(jwt, of_jwt, problems) if jwt else None
    pair = _signer(seed, of_seed, problems) if seed else None
    if jwt and claims and pair and claims.user != pair.public_key:
        problems.append((of_seed, f"is not the seed of {of_jwt}: their public keys differ"))
    if jwt and claims and not seed and not claims.is_bearer:
        problems.append((of_jwt, "needs nkey_seed or nkey_seed_path: it is no bearer token"))
    advice = f"look at {called_both(of_jwt, of_seed)}"
    if claims and claims.expires:
        advice += f"; the JWT ends at {_instant(claims.expires)}"
    login = Login(
        sign=_signature(jwt, pair), account=claims.account if claims else None, advice=advice
    )
    return login, secrets


def called_both(first: str, second: str) -> str:
    return " and ".join(dict.fromkeys(name for name in (first, second) if name))


class _Texts(NamedTuple):
    """Reads options that come as a text or as the path of a file."""

    options: Mapping[str, Any]
    called: Mapping[str, str]
    problems: Problems

    def of(self, name: str) -> Optional[tuple[str, str]]:
        """Return what the option is called and its text, None if it is not given."""
        text, path = (self.options.get(option) for option in (name, f"{name}_path"))
        where = self.called[name if text is not None else f"{name}_path"]
        if text is None and path is None:
            return None
        try:
            text = self._content(path) if text is None else text
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            self.problems.append((where, f"{path} cannot be read: {reason}"))
            return where, ""
        if not text.strip():
            self.problems.append((where, "is empty" if path is None else f"{path} is empty"))
        return where, text.strip()

    @staticmethod
    def _content(path: Any) -> str:
        with open(path, encoding="utf-8") as file:
            return file.read()


def _seed_alone(text: Optional[str]) -> Optional[str]:
    """Return the seed of a file, which may be decorated like the one in a credentials file."""
    return text and (_block(text, "SEED") or text)


def _block(text: str, kind: str) -> Optional[str]:
    """Return what stands between BEGIN and END of a kind, in one line."""
    blocks = _BLOCK.findall(text)
    return next(("".join(body.split()) for name, body in blocks if name.endswith(kind)), None)


def _signer(seed: str, where: str, problems: Problems) -> Optional[Signer]:
    try:
        return signer(seed, where)
    except BrokenSeed as error:
        problems.append((where, str(error)))
        return None


def _signature(jwt: Optional[str], pair: Optional[Signer]) -> Callable[[str], dict[str, str]]:
    """Return what is told to a server for its nonce. A bearer's JWT needs no signature."""

    def sign(nonce: str) -> dict[str, str]:
        told = {"jwt": jwt} if jwt else {"nkey": pair.public_key} if pair else {}
        if pair and nonce:
            signature = base64.urlsafe_b64encode(pair.sign(nonce.encode())).rstrip(b"=")
            told["sig"] = signature.decode()
        return told

    return sign


def _claims(jwt: str, where: str, problems: Problems) -> Optional[_Claims]:
    try:
        _head, body, _signature_of_it = jwt.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        nats = claims["nats"]
        return _Claims(
            str(claims["sub"]),
            str(nats.get("issuer_account") or claims["iss"]),
            int(claims.get("exp") or 0),
            bool(nats.get("bearer_token")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        problems.append((where, "holds no user JWT of NATS"))
        return None


def _instant(seconds: int) -> str:
    import datetime

    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
