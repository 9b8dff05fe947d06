# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""Names and subjects: what a server accepts, and which subjects meet.

A request for a stream whose name holds a dot or a space reaches no endpoint of the server and is
never answered, so names are looked at before anything is sent.
"""

from __future__ import annotations

import re

MAX_NAME = 255  # bytes
MANY = 100  # subjects; comparing each with each takes seconds for thousands
# A server takes lines of 4096 bytes, and ends the connection after a longer one (observed on 2.9.10
# to 2.15.1). So this is what can be published to, with a reply and sizes on the same line.
MAX_SUBJECT = 3900  # bytes

_FORBIDDEN_IN_NAMES = re.compile(r"[.*>/\\\s\x00-\x1f\x7f]")
_FORBIDDEN_IN_SUBJECTS = re.compile(r"[\s\x00-\x1f\x7f]")


def name_problem(name: str) -> str | None:
    """Return why a stream or consumer cannot have this name, None when it can.

    Servers 2.9 to 2.15 refuse more than 255 bytes and path separators, and cannot be asked
    about names with dots, wildcards or white space.
    """
    if not name:
        return "is empty"
    if _FORBIDDEN_IN_NAMES.search(name):
        return f"{name!r} holds white space or one of . * > / \\, which no name may hold"
    size = len(name.encode())
    if size > MAX_NAME:
        return f"has {size} bytes, a server accepts at most {MAX_NAME}"
    return None


def subject_problem(subject: str, wildcards: bool = True) -> str | None:
    """Return why this is no subject (with or without wildcards), None when it is one."""
    if not subject:
        return "is empty"
    if _FORBIDDEN_IN_SUBJECTS.search(subject):
        return f"{subject!r} holds white space"
    size = len(subject.encode())
    if size > MAX_SUBJECT:
        return f"has {size} bytes, and nobody can publish to more than {MAX_SUBJECT}"
    tokens = subject.split(".")
    if "" in tokens:
        return f"{subject!r} has an empty token (a dot too many)"
    if ">" in tokens[:-1]:
        return f"{subject!r} has a > that is not its last token"
    if not wildcards and ("*" in tokens or ">" in tokens):
        return f"{subject!r} holds a wildcard, a literal subject is needed"
    return None


def overlaps(one: str, other: str) -> bool:
    """Say whether a message can match both subjects (each with or without wildcards)."""
    left, right = one.split("."), other.split(".")
    for mine, theirs in zip(left, right):
        if mine == ">" or theirs == ">":
            return True
        if mine != theirs and "*" not in (mine, theirs):
            return False
    return len(left) == len(right)


def covers(wide: str, narrow: str) -> bool:
    """Say whether every message that matches the narrow subject matches the wide one as well."""
    left, right = wide.split("."), narrow.split(".")
    for index, token in enumerate(left):
        if token == ">":
            return len(right) > index
        if index >= len(right) or right[index] == ">":
            return False
        if token != "*" and (right[index] == "*" or token != right[index]):
            return False
    return len(left) == len(right)


def first_overlap(subjects: list[str]) -> tuple[str, str] | None:
    """Return two subjects of a list that overlap, in its order; None when no two do."""
    if len(subjects) > MANY:
        return _overlap_of_many(subjects)
    for index, one in enumerate(subjects):
        for other in subjects[index + 1 :]:
            if overlaps(one, other):
                return one, other
    return None


def _overlap_of_many(subjects: list[str]) -> tuple[str, str] | None:
    # Loaded when it is needed: hardly a stream has so many.
    from ansible_collections.nats.jetstream.plugins.module_utils._subject_index import SubjectIndex

    index = SubjectIndex()
    for one in subjects:
        for met in index.overlapping(one):
            return met.subject, one
        index.add(one, "")
    return None
