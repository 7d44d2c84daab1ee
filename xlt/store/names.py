"""Names of projects, versions and notes in a store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from xlt.errors import StoreError
from xlt.store.storage import MANIFEST

#: Names of versions: number, UTC, and a random part if numbers may collide.
VERSION = re.compile(r"v(\d{4,9})-(\d{8}T\d{6})(-[0-9a-f]{8})?")
EXAMPLE = "v0001-20261122T082011"
#: Files of a project that hold the active version and the changes of it.
POINTER, HISTORY = "current.json", "history.jsonl"
_PROJECT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


def is_project(name: str) -> bool:
    """Returns True if a project can have this name."""
    return _PROJECT.fullmatch(name) is not None


def is_version(name: str) -> bool:
    """Returns True if this is the name of a version."""
    return VERSION.fullmatch(name) is not None


def next_version(names: Iterable[str], now: datetime) -> str:
    """Returns the name of a version that follows those among `names`."""
    numbers = [int(match[1]) for name in names if (match := VERSION.fullmatch(name))]
    return f"v{max(numbers, default=0) + 1:04d}-{now:%Y%m%dT%H%M%S}"


def by_age(version: str) -> tuple[int, str]:
    """Returns a key that sorts versions from the oldest to the newest."""
    match = VERSION.fullmatch(version)
    return (int(match[1]) if match else 0), version


def checked_note(name: str) -> str:
    """Returns the name of a note.

    Raises:
        StoreError: If it is not a plain file name, or belongs to the store.
    """
    if not is_project(name) or name in (MANIFEST, POINTER, HISTORY) or is_version(name):
        raise StoreError(f"expected a plain file name that is not the store's own, got {name!r}")
    return name
