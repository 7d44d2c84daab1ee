"""Storage behind an fsspec URL: object stores, and any other protocol of fsspec.

Object stores have no rename and no lock. A folder's files are uploaded first and its manifest
last; without a manifest the folder does not exist. A small file is replaced by one upload. The
queue of rounds keeps apart writers on several machines: it runs one round per project.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xlt.errors import StoreError
from xlt.store.storage import MANIFEST


class RemoteStorage:
    """A folder behind an fsspec URL."""

    exclusive = False

    def __init__(self, url: str) -> None:
        """Connects to the URL's file system.

        Raises:
            StoreError: If the protocol is unknown or its package is not installed.
        """
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # no stubs

        try:
            fs, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError(f"cannot open the model folder {url!r}: {error}") from error
        self._fs: Any = fs  # fsspec is not typed
        self._lock = threading.Lock()

    def folders(self, under: str = "") -> list[str]:
        """See `Storage`."""
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._path(under), detail=True)
        except FileNotFoundError:
            return []
        names = [
            entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if _is_dir(entry)
        ]
        return sorted(name for name in names if not name.startswith("."))

    def read(self, name: str) -> bytes | None:
        """See `Storage`."""
        try:
            return bytes(self._fs.cat_file(self._path(name)))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """See `Storage`."""
        path = self._path(name)
        self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._fs.pipe_file(path, data)

    def add(self, folder: Path, name: str, manifest: bytes) -> bool:
        """See `Storage`."""
        path = self._path(name)
        if self._fs.exists(f"{path}/{MANIFEST}"):
            return False
        try:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    target = f"{path}/{file.relative_to(folder).as_posix()}"
                    self._fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
                    self._fs.put_file(str(file), target)
            self._fs.pipe_file(f"{path}/{MANIFEST}", manifest)
        except BaseException:
            with suppress(OSError):
                self._fs.rm(path, recursive=True)
            raise
        return True

    def fetch(self, name: str, files: list[str], to: Path) -> Path:
        """See `Storage`; downloads into `to` unless it exists."""
        if to.is_dir():
            return to
        to.parent.mkdir(parents=True, exist_ok=True)
        beside = to.parent / f".{to.name}-{uuid.uuid4().hex}"
        try:
            for file in files:
                (beside / file).parent.mkdir(parents=True, exist_ok=True)
                self._fs.get_file(f"{self._path(name)}/{file}", str(beside / file))
            with suppress(OSError):  # another process made it first
                beside.rename(to)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return to

    def remove(self, name: str) -> None:
        """See `Storage`."""
        path = self._path(name)
        with suppress(FileNotFoundError):
            self._fs.rm_file(f"{path}/{MANIFEST}")
        with suppress(FileNotFoundError):
            self._fs.rm(path, recursive=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Excludes the other threads of this process; see the module's docstring."""
        with self._lock:
            yield

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """See `Storage`."""
        with tempfile.TemporaryDirectory(prefix="xlt-") as folder:
            yield Path(folder)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}".rstrip("/")


def _is_dir(entry: dict[str, Any]) -> bool:
    return bool(entry["type"] == "directory")
