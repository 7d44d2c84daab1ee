"""Versioned model folders: written whole or not at all, never changed, with a pointer to one.

    <url>/<project>/v0001-20261122T082011/   the files of a version and its manifest.json
                    current.json             the active version, why, and those before it
                    history.jsonl            the last promotions, refusals and rollbacks
                    any other file           a note of the store's user

A version exists once its manifest does. On a disk a version is written beside the others, synced
and renamed; behind a URL its manifest is uploaded last. Writers of one project exclude each other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from xlt.errors import StoreError
from xlt.store.change_log import ANY, Change
from xlt.store.manifest import VersionMeta
from xlt.store.names import is_project
from xlt.store.places import storage_at
from xlt.store.project import ProjectStore
from xlt.store.storage import store_errors

__all__ = ["ANY", "Change", "ProjectStore", "Store", "VersionMeta"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """The versions of all projects, on a local or shared disk or behind an fsspec URL."""

    def __init__(
        self,
        url: str | Path,
        *,
        cache: Path | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Opens a store without reading or writing.

        Args:
            url: A path, or an fsspec URL (`s3://bucket/models`, `file:///srv/models`).
            cache: Folder for downloaded versions; default `~/.cache/xlt/versions`.
            now: The clock, in UTC.

        Raises:
            StoreError: If the URL's protocol is unknown or its package is not installed.
        """
        self.url = str(url)
        base = cache if cache is not None else Path.home() / ".cache" / "xlt" / "versions"
        self._cache = base / sha256(self.url.encode()).hexdigest()[:16]
        self._now = now
        self._verified: set[tuple[str, str]] = set()
        self._storage = storage_at(url)

    def project(self, name: str) -> ProjectStore:
        """Returns the versions of one project, which need not exist yet.

        Raises:
            StoreError: If the name is not 1-128 of `A-Za-z0-9._-` or begins with a dot.
        """
        if not is_project(name):
            raise StoreError(
                f"expected a project name of 1 to 128 letters, digits and '._-', got {name!r}"
            )
        return ProjectStore(self._storage, name, self._cache, self._now, self._verified)

    def projects(self) -> tuple[str, ...]:
        """Returns the names of the projects that have a folder, sorted."""
        with store_errors(f"list {self.url}"):
            return tuple(name for name in self._storage.folders() if is_project(name))
