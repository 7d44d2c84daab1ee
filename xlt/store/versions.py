"""Versioned model folders: written whole or not at all, never changed, with a pointer to one.

    <url>/<project>/v0001-20261122T082011/   the files of a version and its manifest.json
                    current.json             the active version, why, and those before it
                    history.jsonl            the last promotions, refusals and rollbacks
                    any other file           a note of the store's user

A version exists once its manifest does. On a disk a version is written beside the others, synced
and renamed; behind a URL its manifest is uploaded last. Writers of one project exclude each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from xlt.errors import CorruptVersionError, NoVersionError, StoreError
from xlt.store.change_log import Change, ChangeLog
from xlt.store.copies import Copies
from xlt.store.manifest import Manifest, VersionMeta, describe
from xlt.store.names import EXAMPLE, by_age, checked_note, is_project, is_version, next_version
from xlt.store.places import storage_at
from xlt.store.storage import MANIFEST, Storage, disk_full_errors, store_errors
from xlt.store.uploads import killed_uploads

__all__ = ["Change", "ProjectStore", "Store", "VersionMeta"]


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


class ProjectStore:
    """The versions of one project; several processes may use it at once."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        cache: Path,
        now: Callable[[], datetime],
        verified: set[tuple[str, str]],
    ) -> None:
        """Made by `Store.project`; `verified` holds the versions that this process has checked."""
        self.name = name
        self._storage = storage
        self._copies = Copies(storage, name, cache / name, verified)
        self._now = now
        self._log = ChangeLog(storage, name, now)

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """Makes a local folder to build a version in; removed at the end unless committed.

        Raises:
            StoreError: If the folder cannot be made, or the disk is full while it is used.
        """
        with ExitStack() as stack:
            with store_errors(f"make a folder for a version of project {self.name}"):
                folder = stack.enter_context(self._storage.staging(self.name))
            with disk_full_errors(f"write a version of project {self.name}"):
                yield folder

    def commit(self, folder: Path, meta: VersionMeta) -> str:
        """Makes the files of `folder` a version and returns its name.

        A staged folder is moved, any other is copied. The version appears whole or not at all.

        Raises:
            StoreError: If the folder is empty, holds links, or cannot be written (disk full).
        """
        with store_errors(f"save a version of project {self.name}"):
            manifest = describe(folder, meta)
            with self._storage.lock(self.name):
                while True:
                    now = self._now()
                    name = self._next_version(now)
                    named = replace(meta, name=name, created_utc=now.isoformat(timespec="seconds"))
                    data = replace(manifest, meta=named).to_bytes()
                    if self._storage.add(folder, f"{self.name}/{name}", data):
                        return name

    def versions(self) -> tuple[str, ...]:
        """Returns the names of all versions, oldest first."""
        with store_errors(f"list the versions of project {self.name}"):
            names = [name for name in self._storage.folders(self.name) if is_version(name)]
            return tuple(sorted((n for n in names if self._manifest(n) is not None), key=by_age))

    def meta(self, version: str) -> VersionMeta:
        """Returns the metadata of a version.

        Raises:
            NoVersionError: If it does not exist.
            CorruptVersionError: If its manifest cannot be read.
        """
        return self._read(version).meta

    def open(self, version: str) -> Path:
        """Returns a local folder with the version's files; checks their hashes the first time.

        Raises:
            NoVersionError: If it does not exist.
            CorruptVersionError: If a file is missing or has changed.
        """
        manifest = self._read(version)
        try:
            with store_errors(f"read version {version} of project {self.name}"):
                return self._copies.open(version, manifest)
        except CorruptVersionError:
            self._read(version)  # if it was removed meanwhile, that is what to report
            raise

    def current(self) -> str | None:
        """Returns the active version, None before the first promotion.

        Raises:
            StoreError: If the pointer cannot be read.
        """
        with store_errors(f"read the active version of project {self.name}"):
            pointer = self._log.pointer()
        return None if pointer is None else pointer.version

    def promote(self, version: str, reason: str) -> None:
        """Makes a version the active one.

        Raises:
            NoVersionError: If it does not exist.
            CorruptVersionError: If its manifest cannot be read.
        """
        self._read(version)
        with store_errors(f"promote {version}"), self._storage.lock(self.name):
            before = self._log.pointer()
            trail = () if before is None else before.trail
            if before is not None and before.version != version:
                trail = (*trail, before.version)
            self._log.point(version, trail, "promoted", reason)

    def refuse(self, version: str, reason: str) -> None:
        """Adds to the history that a version was not promoted, and why.

        Raises:
            NoVersionError: If it does not exist.
        """
        self._read(version)
        with store_errors(f"refuse {version}"), self._storage.lock(self.name):
            self._log.note(version, "refused", reason)

    def rollback(self, reason: str = "rolled back by hand") -> str:
        """Activates the version before the current one and returns its name.

        Raises:
            NoVersionError: If there is no earlier version.
        """
        existing = set(self.versions())
        with store_errors(f"roll back project {self.name}"), self._storage.lock(self.name):
            before = self._log.pointer()
            trail = () if before is None else before.trail
            while trail and trail[-1] not in existing:
                trail = trail[:-1]
            if not trail:
                raise NoVersionError(f"project {self.name} has no earlier version to go back to")
            self._log.point(trail[-1], trail[:-1], "rolled back", reason)
            return trail[-1]

    def prune(self, keep: int) -> tuple[str, ...]:
        """Removes all but the newest `keep` versions and returns the names removed.

        The current version and the one that `rollback` would activate always stay. What killed
        uploads left a day ago or earlier goes too.

        Raises:
            StoreError: If `keep` is below 1, or the folder cannot be written.
        """
        if keep < 1:
            raise StoreError(f"expected to keep at least 1 version, got {keep}")
        with (
            store_errors(f"remove old versions of project {self.name}"),
            self._storage.lock(self.name),
        ):
            names = self.versions()
            pointer = self._log.pointer()
            needed = set() if pointer is None else {pointer.version, *pointer.trail[-1:]}
            old = tuple(name for name in names[:-keep] if name not in needed)
            for name in (*old, *killed_uploads(self._storage, self.name, self._now())):
                self._storage.remove(f"{self.name}/{name}")
            return old

    def note(self, name: str) -> bytes | None:
        """Returns a file that `write_note` kept beside the versions, None if it does not exist.

        Raises:
            StoreError: If it cannot be read.
        """
        with store_errors(f"read {name} of project {self.name}"):
            return self._storage.read(f"{self.name}/{checked_note(name)}")

    def write_note(self, name: str, data: bytes) -> None:
        """Keeps a small file beside the versions; replaces the one of that name.

        Raises:
            StoreError: If the name is not plain or belongs to the store, or writing fails.
        """
        with store_errors(f"write {name} of project {self.name}"), self._storage.lock(self.name):
            self._storage.write(f"{self.name}/{checked_note(name)}", data)

    def history(self) -> tuple[Change, ...]:
        """Returns the last promotions, refusals and rollbacks, oldest first (at most 200)."""
        with store_errors(f"read the history of project {self.name}"):
            return self._log.history()

    def _next_version(self, now: datetime) -> str:
        name = next_version(self._storage.folders(self.name), now)
        return name if self._storage.exclusive else f"{name}-{uuid.uuid4().hex[:8]}"

    def _manifest(self, version: str) -> bytes | None:
        return self._storage.read(f"{self.name}/{version}/{MANIFEST}")

    def _read(self, version: str) -> Manifest:
        if not is_version(version):
            raise NoVersionError(
                f"expected the name of a version such as {EXAMPLE}, got {version!r}"
            )
        with store_errors(f"read version {version} of project {self.name}"):
            data = self._manifest(version)
        if data is None:
            known = ", ".join(self.versions()[-3:]) or "none"
            raise NoVersionError(f"project {self.name} has no version {version}; newest: {known}")
        return Manifest.from_bytes(data, version)
