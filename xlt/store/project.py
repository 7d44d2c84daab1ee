"""The versions of one project: committed, promoted, rolled back and deleted; notes beside them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from xlt.errors import CorruptVersionError, NeededVersionError, NoVersionError, StoreError
from xlt.store.change_log import ANY, Change, ChangeLog
from xlt.store.copies import Copies
from xlt.store.manifest import Manifest, VersionMeta, describe
from xlt.store.names import EXAMPLE, by_age, checked_note, is_version, next_version
from xlt.store.storage import MANIFEST, Storage, disk_full_errors, store_errors
from xlt.store.uploads import killed_uploads


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

    def promote(self, version: str, reason: str, *, seen: str | None = ANY, by: str = "") -> None:
        """Makes a version the active one.

        Args:
            version: The version.
            reason: Why, for people.
            seen: The active version that the caller saw.
            by: Person who does it; empty for xlt itself.

        Raises:
            NoVersionError: If it does not exist.
            CorruptVersionError: If its manifest cannot be read.
            StaleVersionError: If another version than `seen` is active.
        """
        with store_errors(f"promote {version}"), self._storage.lock(self.name):
            before = self._log.seen(seen)
            self._read(version)
            trail = () if before is None else before.trail
            if before is not None and before.version != version:
                trail = (*trail, before.version)
            self._log.point(version, trail, "promoted", reason, by)

    def refuse(self, version: str, reason: str) -> None:
        """Adds to the history that a version was not promoted, and why.

        Raises:
            NoVersionError: If it does not exist.
        """
        self._read(version)
        with store_errors(f"refuse {version}"), self._storage.lock(self.name):
            self._log.note(version, "refused", reason)

    def before(self) -> str | None:
        """Returns the version that was active before the current one; None if there was none."""
        with store_errors(f"read the active version of project {self.name}"):
            pointer = self._log.pointer()
        return pointer.trail[-1] if pointer is not None and pointer.trail else None

    def rollback(
        self, reason: str = "rolled back by hand", *, seen: str | None = ANY, by: str = ""
    ) -> str:
        """Activates the version before the current one and returns its name.

        Args:
            reason: Why, for people.
            seen: The active version that the caller saw.
            by: Person who does it; empty for xlt itself.

        Raises:
            NoVersionError: If there is no earlier version, or it was deleted.
            StaleVersionError: If another version than `seen` is active.
        """
        with store_errors(f"roll back project {self.name}"), self._storage.lock(self.name):
            before = self._log.seen(seen)
            if before is None or not before.trail:
                raise NoVersionError(f"project {self.name} has no earlier version to go back to")
            *trail, target = before.trail
            if self._manifest(target) is None:
                others = [name for name in self.versions() if name != before.version]
                raise NoVersionError(
                    f"version {target}, which was active before, was deleted; promote another: "
                    f"{', '.join(others[-3:]) or 'there is none'}"
                )
            self._log.point(target, tuple(trail), "rolled back", reason, by)
            return target

    def remove(self, version: str) -> None:
        """Deletes a version.

        Raises:
            NoVersionError: If it does not exist.
            NeededVersionError: If it is the active one, or the newest, which knows the labels that
                were trained on.
        """
        with store_errors(f"delete {version}"), self._storage.lock(self.name):
            self._read(version)
            if version == self.current():
                raise NeededVersionError(f"{version} is the active version: promote another first")
            if version == self.versions()[-1]:
                raise NeededVersionError(
                    f"{version} is the newest version, which knows the labels that were trained "
                    "on: it can be deleted after the next training"
                )
            self._storage.remove(f"{self.name}/{version}")

    def prunable(self, keep: int) -> tuple[str, ...]:
        """Returns the versions that `prune` would remove, oldest first.

        Raises:
            StoreError: If `keep` is below 1, or the folder cannot be read.
        """
        if keep < 1:
            raise StoreError(f"expected to keep at least 1 version, got {keep}")
        needed = {self.current(), self.before()}
        return tuple(name for name in self.versions()[:-keep] if name not in needed)

    def prune(self, keep: int) -> tuple[str, ...]:
        """Removes all but the newest `keep` versions and returns the names removed.

        The current version and the one that `rollback` would activate always stay. What killed
        uploads left a day ago or earlier goes too.

        Raises:
            StoreError: If `keep` is below 1, or the folder cannot be written.
        """
        with (
            store_errors(f"remove old versions of project {self.name}"),
            self._storage.lock(self.name),
        ):
            old = self.prunable(keep)
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
        self.edit_note(name, lambda _: data)

    def edit_note(self, name: str, edit: Callable[[bytes | None], bytes]) -> None:
        """Replaces a note by what `edit` makes of it; other writers wait.

        Raises:
            StoreError: If the name is not plain or belongs to the store, or writing fails.
        """
        path = f"{self.name}/{checked_note(name)}"
        with store_errors(f"write {name} of project {self.name}"), self._storage.lock(self.name):
            self._storage.write(path, edit(self._storage.read(path)))

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
