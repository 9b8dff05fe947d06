# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Places beside the task that say how to connect: contexts of the nats command, and its variables.

Each becomes a Place with the options of a task. What the nats command knows and this collection
cannot do (a SOCKS proxy, what another program would have to be asked for) is a problem, because a
connection without it would be another one.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    VARIABLES,
    Place,
    Problems,
    has_login,
    has_login_in_urls,
)
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    UnitError,
    parse_duration,
)

# Fields of a context's file -> options. Those without one say nothing about a connection.
_FIELDS = {
    "url": "servers",
    "user": "user",
    "password": "password",
    "token": "token",
    "creds": "credentials_path",
    "nkey": "nkey_seed_path",
    "user_jwt": "jwt",
    "user_seed": "nkey_seed",
    "cert": "client_cert_path",
    "key": "client_key_path",
    "ca": "ca_path",
    "tls_first": "tls_first",
    "jetstream_domain": "domain",
    "jetstream_api_prefix": "api_prefix",
    "inbox_prefix": "inbox_prefix",
}
_NOT_HERE = {
    "socks_proxy": "is a SOCKS proxy, which is not supported",
    "nsc": "needs the nsc command, which is not asked; name the credentials file instead",
    "windows_cert_store": "is a store of Windows, which is not supported",
}
# The nats command takes the first of these kinds of login, and so is it done here.
_KINDS: tuple[tuple[str, ...], ...] = (
    ("user", "password"),
    ("credentials_path",),
    ("nkey_seed_path",),
    ("jwt", "nkey_seed"),
    ("token",),
)
# Whether what is written without a scheme is the path of a file, or the value itself.
_PATHS = {"credentials_path", "nkey_seed_path"}
_VALUES = {"password", "token", "jwt", "nkey_seed"}
_FILES_ONLY = {"ca_path", "client_cert_path", "client_key_path"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def places_beside(
    params: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[list[Place], Problems]:
    """Return the places in the order in which they are asked, and what is wrong with them."""
    problems: Problems = []
    places = []
    if params["context"] is not None or params["selected_context"]:
        option = "selected_context" if params["context"] is None else "context"
        place = _context(params["context"], option, 0, environ, problems)
        places += [place] if place else []
    task = [params, *(place.options for place in places)]
    variables = _variables(environ, problems)
    whole = any(one.get("servers") for one in task) and any(
        has_login(one) or has_login_in_urls(one.get("servers")) for one in task
    )
    if whole:  # what was exported is for others
        timeout = {name: variables[name] for name in ("timeout",) if name in variables}
        return [*places, _environment(timeout)], [*problems]
    if environ.get("NATS_SOCKS_PROXY") and not any(one.get("servers") for one in task):
        problems.append(("NATS_SOCKS_PROXY", _NOT_HERE["socks_proxy"]))
    places.append(_environment(_readable(variables, _names_of_variables(), environ, problems)))
    if environ.get("NATS_CONTEXT"):
        place = _context(environ["NATS_CONTEXT"], "NATS_CONTEXT", 1, environ, problems)
        places += [place] if place else []
    return places, problems


# ---- the environment


def _names_of_variables() -> dict[str, str]:
    return {option: variable for variable, option in VARIABLES.items() if option}


def _environment(options: dict[str, Any]) -> Place:
    return Place("the environment", 1, options, _names_of_variables())


def _variables(environ: Mapping[str, str], problems: Problems) -> dict[str, Any]:
    """Return what the variables of the nats command say; a user without a password is a token."""
    found: dict[str, Any] = {
        option: environ[variable]
        for variable, option in VARIABLES.items()
        if option and environ.get(variable)
    }
    if "user" in found and "password" not in found:
        found["token"] = found.pop("user")
    if "timeout" in found:
        try:
            found["timeout"] = parse_duration(found["timeout"]) / SECOND or None
        except UnitError as error:
            problems.append(("NATS_TIMEOUT", str(error)))
            del found["timeout"]
    return found


# ---- contexts


def _context(
    named: Optional[str], option: str, level: int, environ: Mapping[str, str], problems: Problems
) -> Optional[Place]:
    """Return what a context says: one by name or path, or the selected one if none is named."""
    folder = os.path.join(
        environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config"), "nats"
    )
    if named is None:
        named = _selected(folder)
        if not named:
            text = f"no context is selected in {folder}; nats context select does it"
            problems.append((option, text))
            return None
    is_path = os.sep in named or named.endswith(".json")
    path = (
        os.path.expanduser(named) if is_path else os.path.join(folder, "context", f"{named}.json")
    )
    if not named or (not is_path and ".." in named):
        problems.append((option, f"{named!r} is no name of a context"))
        return None
    settings = _settings(path, option, problems)
    if settings is None:
        return None
    label = f"{option} {named}" if option != "selected_context" else f"selected context {named}"
    called = {name: f"{label}: {field}" for field, name in _FIELDS.items()}
    for field, text in _NOT_HERE.items():
        if settings.get(field):
            problems.append((f"{label}: {field}", text))
    found: dict[str, Any] = {}
    for field, name in _FIELDS.items():
        value = settings.get(field)
        if value is not None and not isinstance(value, bool if name == "tls_first" else str):
            problems.append((called[name], "is of the wrong type"))
        elif value:
            found[name] = value
    if "user" in found:
        found.setdefault("password", "")
    return Place(label, level, _readable(found, called, environ, problems), called)


def _selected(folder: str) -> str:
    try:
        with open(os.path.join(folder, "context.txt"), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def _settings(path: str, option: str, problems: Problems) -> Optional[dict[str, Any]]:
    """Return the fields of a context's file; what is in it is not quoted, it holds secrets."""
    try:
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
    except OSError as error:
        problems.append((option, f"{path} cannot be read: {error.strerror}"))
        return None
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        problems.append((option, f"{path} is no context of the nats command: no JSON object"))
        return None
    return settings


# ---- both


def _readable(
    found: dict[str, Any], called: Mapping[str, str], environ: Mapping[str, str], problems: Problems
) -> dict[str, Any]:
    """Return options as a task would have them: one login, its references looked up."""
    options = dict(found)
    kind = next((kind for kind in _KINDS if kind[0] in found), ())
    if not kind and "nkey_seed" in found:
        problems.append((called["nkey_seed"], f"needs {called['jwt']}"))
    for name in {name for kinds in _KINDS for name in kinds} - set(kind):
        options.pop(name, None)
    if "servers" in options:
        options["servers"] = [url.strip() for url in options["servers"].split(",") if url.strip()]
    for name in (_PATHS | _VALUES | _FILES_ONLY) & options.keys():
        _look_up(name, options, called[name], environ, problems)
    return options


def _look_up(
    name: str, options: dict[str, Any], where: str, environ: Mapping[str, str], problems: Problems
) -> None:
    """Replace a reference (env://, file://, data:) by what it stands for."""
    value = options[name]
    if name not in _VALUES:
        value = os.path.expandvars(value)
    matched = _SCHEME.match(value)
    scheme = matched.group(1).lower() if matched else ""
    rest = value[len(scheme) + 1 :] if scheme else value
    rest = rest[2:] if rest.startswith("//") and scheme else rest
    if scheme in ("op", "nsc"):
        text = f"needs the {scheme} command, which is not asked; name a file or a value instead"
        problems.append((where, text))
        del options[name]
    elif scheme in ("env", "data") and name not in _FILES_ONLY:
        text = environ.get(rest, "") if scheme == "env" else _data(rest)
        if not text:
            told = f"the variable {rest} is not set" if scheme == "env" else "is no Base64 data"
            problems.append((where, told))
        del options[name]
        options[_value_of(name)] = text or "x"
    elif name not in _VALUES:
        options[name] = os.path.expanduser(rest if scheme == "file" else value)
    elif scheme == "file":
        options[name] = _content(os.path.expanduser(rest), where, problems)


def _value_of(name: str) -> str:
    """Return the option that takes the content of what an option names."""
    return name[: -len("_path")] if name.endswith("_path") else name


def _data(text: str) -> str:
    header, _comma, payload = text.partition(",")
    if "base64" not in header.split(";"):
        return ""
    try:
        return base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _content(path: str, where: str, problems: Problems) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        problems.append((where, f"{path} cannot be read: {reason}"))
        return "x"
