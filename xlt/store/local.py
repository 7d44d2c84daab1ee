"""Storage on a disk that this machine sees, alone or with others."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from xlt.disk.durable import replace_file, sync_folder, sync_tree
from xlt.store.storage import MANIFEST

_STAGING = ".staging"


class LocalStorage:
    """A folder of a local or shared disk."""

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def folders(self, under: str = "") -> list[str]:
        """See `Storage`."""
        try:
            entries = [e.name for e in os.scandir(self.root / under) if e.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in entries if not name.startswith("."))

    def read(self, name: str) -> bytes | None:
        """See `Storage`."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """See `Storage`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)

    def delete(self, name: str) -> None:
        """See `Storage`."""
        (self.root / name).unlink()

    def add(self, folder: Path, name: str, manifest: bytes) -> bool:
        """See `Storage`."""
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
        """See `Storage`; returns the folder itself."""
        return self.root / name

    def remove(self, name: str) -> None:
        """See `Storage`."""
        path = self.root / name
        gone = self._staging_of(path) / f"gone-{uuid.uuid4().hex}"
        gone.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.rename(path, gone)
        shutil.rmtree(gone, ignore_errors=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Storage`."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """See `Storage`; also removes what killed processes left behind."""
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
    """Removes staging folders whose owner has died (its lock is free) and half-removed ones."""
    for gone in base.glob("gone-*"):
        shutil.rmtree(gone, ignore_errors=True)
    for lock in base.glob("*.lock"):
        with suppress(OSError), open(lock, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
