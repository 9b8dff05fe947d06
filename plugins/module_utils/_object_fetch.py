# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""An object as a file: fetched when the file is another one, and put in its place in one step."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Any, Optional

from ansible_collections.nats.jetstream.plugins.module_utils import _object_store, _objects
from ansible_collections.nats.jetstream.plugins.module_utils._errors import JetStreamError
from ansible_collections.nats.jetstream.plugins.module_utils._object_store import Place


def target(dest: str, name: str) -> str:
    """Return the file that dest means: in a directory it has the last part of the object's name."""
    if not os.path.isdir(dest):
        return dest
    last = name.rpartition("/")[2]
    if last in ("", ".", "..") or "\0" in last:
        raise JetStreamError(
            f"dest: {dest} is a directory, and the object's name {name!r} is no name of a file "
            "in it; name the file in dest"
        )
    return os.path.join(dest, last)


async def fetch(session: Any) -> dict[str, Any]:
    """Fetch the object of a task to its dest; return what jetstream_object_fetch returns."""
    module, params, check = session.module, session.params, session.check_mode
    place = Place(params["bucket"], params["name"])
    # A name without a directory is one in the directory that the module runs in.
    dest = target(os.path.join(os.getcwd(), params["dest"]), place.name)
    result: dict[str, Any] = {"dest": dest, "changed": True, "object": None}
    found, stored = await _object_store.follow(session.manager, place)
    if stored is None:
        text = f"there is no {found}"
        if found != place:
            text += f", to which {place} links"
        if not check:
            raise JetStreamError(text)
        module.warn(f"{text} yet; an earlier task has to create it")
        return result
    meta = stored.meta
    result["object"] = _objects.row(found.bucket, stored)
    existing = await _existing(dest)
    same = existing is not None and _is(meta, existing)
    if not same and not check:
        backup = module.backup_local(dest) if params["backup"] and existing is not None else None
        if backup:
            result["backup_file"] = backup
        await _replace(session, found, meta, dest)
    diff = {"before": _file(dest, existing), "after": _file(dest, existing if same else meta)}
    # A new file has the attributes that it is created with only after it is.
    arguments = module.load_file_common_arguments(params, path=dest)
    result["changed"] = module.set_fs_attributes_if_different(
        arguments, not same, diff=diff if existing is not None else None, expand=False
    )
    if module._diff:
        result["diff"] = {**diff, "before_header": dest, "after_header": dest}
    return result


async def _existing(dest: str) -> Optional[_objects.Data]:
    try:
        os.stat(dest)
    except (FileNotFoundError, NotADirectoryError):
        folder = os.path.dirname(dest) or "."
        if not os.path.isdir(folder):
            raise JetStreamError(
                f"dest: there is no directory {folder} to put {dest} into"
            ) from None
        return None
    except OSError as error:
        raise _unwritable(dest, error) from error
    return await _object_store.data_of(_object_store.Source(path=dest, option="dest"))


def _is(meta: _objects.Meta, data: _objects.Data) -> bool:
    return data.size == _objects.size_of(meta) and data.digest == _objects.digest_of(meta)


def _file(dest: str, data: Any) -> dict[str, Any]:
    """Return what a diff shows of a file with these data, or those of a meta."""
    if data is None:
        return {"path": dest, "state": "absent"}
    if isinstance(data, dict):
        data = _objects.Data(_objects.size_of(data), _objects.digest_of(data))
    digest = data.digest.hex() if data.digest else "unknown"
    return {"path": dest, "state": "file", "size": data.size, "sha256": digest}


async def _replace(session: Any, place: Place, meta: _objects.Meta, dest: str) -> None:
    """Fetch into a file beside dest, and let it take its place when it is whole."""
    from ansible_collections.nats.jetstream.plugins.module_utils import _object_transfer

    try:
        number, partial = tempfile.mkstemp(prefix=".ansible_tmp", dir=os.path.dirname(dest))
    except OSError as error:
        raise _unwritable(dest, error) from error
    try:
        with os.fdopen(number, "wb") as file:
            await _object_transfer.receive(session.manager, place.bucket, meta, file.write)
        _put(session, partial, dest)
    except OSError as error:
        raise _unwritable(dest, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def _put(session: Any, partial: str, dest: str) -> None:
    """Let a file take another's place, with its attributes."""
    try:
        session.module.atomic_move(partial, dest, session.params["unsafe_writes"])
    except Exception as error:
        # What ansible-core 2.19 and later raise is no more than an Exception with a cause.
        cause = error.__cause__
        raise (cause if isinstance(cause, OSError) else error) from error


def _unwritable(dest: str, error: OSError) -> JetStreamError:
    return JetStreamError(f"dest: {dest} cannot be written: {error.strerror}")
