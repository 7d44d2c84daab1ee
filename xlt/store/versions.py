"""Versioned model folders: written whole or not at all, never changed, with a pointer to one.

    <url>/<project>/v0001-20261122T082011/   the files of a version and its manifest.json
                    current.json             which version is active, why, and which were before
                    history.jsonl            the last promotions, refusals and roll-backs
                    any other file           a note of whoever uses the store

A version without a manifest is not there. On a disk a version is written beside the others, synced
and renamed; behind a URL its manifest is uploaded last. Writers of one project exclude each other.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from xlt.errors import CorruptVersionError, NoVersionError, StoreError
from xlt.store.log import VERSION, Change, ChangeLog
from xlt.store.manifest import Manifest, VersionMeta, describe
from xlt.store.places import MANIFEST, LocalPlace, Place, disk_full_errors, store_errors
from xlt.store.remote import RemotePlace

__all__ = ["Change", "ProjectStore", "Store", "VersionMeta"]

_PROJECT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_OWN_FILES = (MANIFEST, "current.json", "history.jsonl")
_EXAMPLE = "v0001-20261122T082011"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """The folder of all projects' versions, on a local or shared disk or behind an fsspec URL."""

    def __init__(
        self,
        url: str | Path,
        *,
        cache: Path | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Opens a store; nothing is read or written yet.

        Args:
            url: A path, or an fsspec URL (`s3://bucket/models`, `file:///srv/models`).
            cache: Where versions of a remote store are kept; default `~/.cache/xlt/versions`.
            now: The clock, in UTC.

        Raises:
            StoreError: If the URL's protocol is not known or its package is not installed.
        """
        self.url = str(url)
        parts = urlsplit(self.url)
        base = cache if cache is not None else Path.home() / ".cache" / "xlt" / "versions"
        self._cache = base / sha256(self.url.encode()).hexdigest()[:16]
        self._now = now
        self._verified: set[tuple[str, str]] = set()
        self._place: Place
        if isinstance(url, Path) or "://" not in self.url:
            self._place = LocalPlace(Path(url).expanduser().absolute())
        elif parts.scheme == "file":
            self._place = LocalPlace(Path(url2pathname(parts.path)))
        else:
            self._place = RemotePlace(self.url)

    def project(self, name: str) -> ProjectStore:
        """The versions of one project; it need not exist yet.

        Raises:
            StoreError: If the name is not 1-128 of `A-Za-z0-9._-` or begins with a dot.
        """
        if not _PROJECT.fullmatch(name):
            raise StoreError(
                f"expected a project name of 1 to 128 letters, digits and '._-', got {name!r}"
            )
        return ProjectStore(self._place, name, self._cache, self._now, self._verified)

    def projects(self) -> tuple[str, ...]:
        """Names of the projects that have a folder, sorted."""
        with store_errors(f"list {self.url}"):
            return tuple(n for n in self._place.folders() if _PROJECT.fullmatch(n))


class ProjectStore:
    """The versions of one project; safe with several processes at once."""

    def __init__(
        self,
        place: Place,
        name: str,
        cache: Path,
        now: Callable[[], datetime],
        verified: set[tuple[str, str]],
    ) -> None:
        """Made by `Store.project`; `verified` holds what this process has checked already."""
        self.name = name
        self._place = place
        self._cache = cache / name
        self._now = now
        self._log = ChangeLog(place, name, now)
        self._verified = verified

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """A local folder to build a version in; removed at the end unless committed.

        Raises:
            StoreError: If the folder cannot be made, or the disk is full while it is used.
        """
        with ExitStack() as stack:
            with store_errors(f"make a folder for a version of project {self.name}"):
                folder = stack.enter_context(self._place.staging(self.name))
            with disk_full_errors(f"write a version of project {self.name}"):
                yield folder

    def commit(self, folder: Path, meta: VersionMeta) -> str:
        """Makes the files of `folder` a version; returns its name.

        A staged folder is moved, any other copied. The version is there whole or not at all.

        Raises:
            StoreError: If the folder is empty, holds links, or cannot be written (disk full).
        """
        with store_errors(f"save a version of project {self.name}"):
            manifest = describe(folder, meta)
            with self._place.lock(self.name):
                while True:
                    now = self._now()
                    name = self._next_name(now)
                    named = replace(meta, name=name, created_utc=now.isoformat(timespec="seconds"))
                    data = replace(manifest, meta=named).to_bytes()
                    if self._place.add(folder, f"{self.name}/{name}", data):
                        return name

    def versions(self) -> tuple[str, ...]:
        """Names of all versions, oldest first."""
        with store_errors(f"list the versions of project {self.name}"):
            names = [n for n in self._place.folders(self.name) if VERSION.fullmatch(n)]
            return tuple(sorted((n for n in names if self._manifest(n) is not None), key=_age))

    def meta(self, version: str) -> VersionMeta:
        """What is known of a version.

        Raises:
            NoVersionError: If it is not there.
            CorruptVersionError: If its manifest cannot be read.
        """
        return self._read(version).meta

    def open(self, version: str) -> Path:
        """A local folder with the version's files; their hashes are checked the first time.

        Raises:
            NoVersionError: If it is not there.
            CorruptVersionError: If a file is missing or not what was written.
        """
        manifest = self._read(version)
        with store_errors(f"read version {version} of project {self.name}"):
            folder = self._fetch(version, manifest)
            if (self.name, version) not in self._verified:
                try:
                    manifest.verify(folder, version)
                except CorruptVersionError:
                    if folder != self._cache / version:
                        raise
                    shutil.rmtree(folder)  # a damaged cache is fetched anew, once
                    manifest.verify(self._fetch(version, manifest), version)
                self._verified.add((self.name, version))
            return folder

    def current(self) -> str | None:
        """The active version; None before the first promotion.

        Raises:
            StoreError: If the pointer cannot be read.
        """
        with store_errors(f"read the active version of project {self.name}"):
            pointer = self._log.pointer()
        return None if pointer is None else pointer.version

    def promote(self, version: str, reason: str) -> None:
        """Makes a version the active one.

        Raises:
            NoVersionError: If it is not there.
            CorruptVersionError: If its manifest cannot be read.
        """
        self._read(version)
        with store_errors(f"promote {version}"), self._place.lock(self.name):
            before = self._log.pointer()
            trail = () if before is None else before.trail
            if before is not None and before.version != version:
                trail = (*trail, before.version)
            self._log.point(version, trail, "promoted", reason)

    def refuse(self, version: str, reason: str) -> None:
        """Notes that a version was not promoted, and why.

        Raises:
            NoVersionError: If it is not there.
        """
        self._read(version)
        with store_errors(f"refuse {version}"), self._place.lock(self.name):
            self._log.note(version, "refused", reason)

    def rollback(self, reason: str = "rolled back by hand") -> str:
        """Makes the version active that was so before the current one; returns its name.

        Raises:
            NoVersionError: If there is none.
        """
        there = set(self.versions())
        with store_errors(f"roll back project {self.name}"), self._place.lock(self.name):
            before = self._log.pointer()
            trail = () if before is None else before.trail
            while trail and trail[-1] not in there:
                trail = trail[:-1]
            if not trail:
                raise NoVersionError(f"project {self.name} has no earlier version to go back to")
            self._log.point(trail[-1], trail[:-1], "rolled back", reason)
            return trail[-1]

    def prune(self, keep: int) -> tuple[str, ...]:
        """Removes all but the newest `keep` versions; returns the names removed.

        The current version and the one that `rollback` would return to always stay.

        Raises:
            StoreError: If `keep` is below 1, or the folder cannot be written.
        """
        if keep < 1:
            raise StoreError(f"expected to keep at least 1 version, got {keep}")
        with (
            store_errors(f"remove old versions of project {self.name}"),
            self._place.lock(self.name),
        ):
            names = self.versions()
            pointer = self._log.pointer()
            held = set() if pointer is None else {pointer.version, *pointer.trail[-1:]}
            gone = tuple(name for name in names[:-keep] if name not in held)
            for name in gone:
                self._place.remove(f"{self.name}/{name}")
            return gone

    def note(self, name: str) -> bytes | None:
        """A small file that `write_note` kept beside the versions; None where there is none.

        Raises:
            StoreError: If it cannot be read.
        """
        with store_errors(f"read {name} of project {self.name}"):
            return self._place.read(f"{self.name}/{_note(name)}")

    def write_note(self, name: str, data: bytes) -> None:
        """Keeps a small file beside the versions, in place of the one of that name.

        Raises:
            StoreError: If the name is not a plain one or is taken, or it cannot be written.
        """
        with store_errors(f"write {name} of project {self.name}"), self._place.lock(self.name):
            self._place.write(f"{self.name}/{_note(name)}", data)

    def history(self) -> tuple[Change, ...]:
        """The last promotions, refusals and roll-backs, oldest first (at most 200)."""
        with store_errors(f"read the history of project {self.name}"):
            return self._log.history()

    def _next_name(self, now: datetime) -> str:
        taken = [int(m[1]) for n in self._place.folders(self.name) if (m := VERSION.fullmatch(n))]
        name = f"v{max(taken, default=0) + 1:04d}-{now:%Y%m%dT%H%M%S}"
        return name if self._place.exclusive else f"{name}-{uuid.uuid4().hex[:8]}"

    def _manifest(self, version: str) -> bytes | None:
        return self._place.read(f"{self.name}/{version}/{MANIFEST}")

    def _read(self, version: str) -> Manifest:
        if not VERSION.fullmatch(version):
            raise NoVersionError(f"{version!r} is no version's name; expected one like {_EXAMPLE}")
        with store_errors(f"read version {version} of project {self.name}"):
            data = self._manifest(version)
        if data is None:
            known = ", ".join(self.versions()[-3:]) or "none"
            raise NoVersionError(f"project {self.name} has no version {version}; newest: {known}")
        return Manifest.from_bytes(data, version)

    def _fetch(self, version: str, manifest: Manifest) -> Path:
        try:
            name = f"{self.name}/{version}"
            return self._place.fetch(name, sorted(manifest.files), self._cache / version)
        except FileNotFoundError as error:
            raise CorruptVersionError(f"version {version}: a file is missing: {error}") from error


def _note(name: str) -> str:
    if not _PROJECT.fullmatch(name) or name in _OWN_FILES or VERSION.fullmatch(name):
        raise StoreError(f"expected a plain file name that is not the store's own, got {name!r}")
    return name


def _age(version: str) -> tuple[int, str]:
    found = VERSION.fullmatch(version)
    return (int(found[1]) if found else 0), version
