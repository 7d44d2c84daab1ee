"""Where a store keeps its bytes: a local or shared disk, or anything behind an fsspec URL.

A place knows folders and small files and nothing of versions. Both kinds promise the same: a
folder appears whole or not at all (its manifest is what makes it be there), a small file is
replaced in one step, and `lock` keeps other writers out as far as the place can.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Protocol

from xlt.disk.durable import replace_file, sync_folder, sync_tree
from xlt.errors import StoreError

#: The file that makes a folder a version.
MANIFEST = "manifest.json"
_STAGING = ".staging"


class Place(Protocol):
    """What the store needs of a place; names are relative, with `/`."""

    #: Whether `lock` keeps out other processes, so that numbers never collide.
    exclusive: bool

    def folders(self, under: str = "") -> list[str]:
        """Names of the folders directly below, sorted."""

    def read(self, name: str) -> bytes | None:
        """A small file's bytes; None where it is not there."""

    def write(self, name: str, data: bytes) -> None:
        """Replaces a small file in one step."""

    def add(self, folder: Path, name: str, manifest: bytes) -> bool:
        """Makes the local `folder` the folder `name`, whole or not at all; False: it is there."""

    def fetch(self, name: str, files: list[str], to: Path) -> Path:
        """A local folder with the files of `name`; `to` is where one may be made."""

    def remove(self, name: str) -> None:
        """Removes a folder; it stops being there first, then its files go."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Keeps other writers out of the folder `name`."""

    def staging(self, name: str) -> AbstractContextManager[Path]:
        """A local folder for files of a future folder below `name`; gone at the end."""


@contextmanager
def store_errors(doing: str) -> Iterator[None]:
    """Turns the operating system's errors into one line.

    Raises:
        StoreError: What was being done, and why it failed.
    """
    try:
        with disk_full_errors(doing):
            yield
    except OSError as error:
        raise StoreError(f"cannot {doing}: {error.strerror or error}") from error


@contextmanager
def disk_full_errors(doing: str) -> Iterator[None]:
    """Turns a full disk into one line; other errors pass.

    Raises:
        StoreError: What was being done, and that the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoreError(f"the disk is full: cannot {doing}; free some space") from error


class LocalPlace:
    """A folder on a disk that this machine sees, alone or with others."""

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def folders(self, under: str = "") -> list[str]:
        """See `Place`."""
        try:
            entries = [e.name for e in os.scandir(self.root / under) if e.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in entries if not name.startswith("."))

    def read(self, name: str) -> bytes | None:
        """See `Place`."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """See `Place`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)

    def add(self, folder: Path, name: str, manifest: bytes) -> bool:
        """See `Place`."""
        path = self.root / name
        if self._staging_of(path) not in folder.parents:
            with self.staging(str(PurePosixPath(name).parent)) as staged:
                shutil.copytree(folder, staged, dirs_exist_ok=True)
                return self.add(staged, name, manifest)
        (folder / MANIFEST).write_bytes(manifest)
        sync_tree(folder)
        if path.exists():
            return False
        try:
            os.rename(folder, path)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        sync_folder(path.parent)
        return True

    def fetch(self, name: str, files: list[str], to: Path) -> Path:
        """See `Place`: the folder itself."""
        return self.root / name

    def remove(self, name: str) -> None:
        """See `Place`."""
        path = self.root / name
        gone = self._staging_of(path) / f"gone-{uuid.uuid4().hex}"
        gone.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.rename(path, gone)
        shutil.rmtree(gone, ignore_errors=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Place`."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """See `Place`; what killed processes left behind is removed on the way."""
        base = self.root / name / _STAGING
        base.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(base)
        own = base / uuid.uuid4().hex
        with open(f"{own}.lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                own.mkdir()
                yield own
            finally:
                shutil.rmtree(own, ignore_errors=True)
                Path(f"{own}.lock").unlink(missing_ok=True)

    def _staging_of(self, path: Path) -> Path:
        return path.parent / _STAGING


def _remove_abandoned(base: Path) -> None:
    """Removes staging folders whose owner is gone (its lock is free), and half-removed ones."""
    for gone in base.glob("gone-*"):
        shutil.rmtree(gone, ignore_errors=True)
    for lock in base.glob("*.lock"):
        with suppress(OSError), open(lock, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
