"""Uploads of versions that were killed before their manifest was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from xlt.store.names import VERSION
from xlt.store.storage import MANIFEST, Storage

#: Age at which a folder without a manifest is no longer an upload that runs.
_LONGEST_UPLOAD = timedelta(days=1)


def killed_uploads(storage: Storage, project: str, now: datetime) -> list[str]:
    """Returns the folders that killed uploads left in a project a day ago or earlier.

    On a disk there are none: a version's files and its manifest appear together.
    """
    folders = [] if storage.exclusive else storage.folders(project)
    old = (name for name in folders if _began(name) < now - _LONGEST_UPLOAD)
    return [name for name in old if storage.read(f"{project}/{name}/{MANIFEST}") is None]


def _began(folder: str) -> datetime:
    """Returns the time in a version's name; the end of time for other folders."""
    match = VERSION.fullmatch(folder)
    if match is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.strptime(match[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
