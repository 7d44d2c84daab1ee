"""Storage behind an fsspec URL: object stores, and any other protocol of fsspec.

Object stores have no rename and no lock. A folder's files are uploaded first and its manifest
last; without a manifest the folder does not exist. A small file is replaced by one upload. Nothing
is ever moved. The queue of rounds keeps apart writers on several machines: it runs one round per
project.

Other processes write too, so nothing may be remembered of what was there: file systems of fsspec
keep listings, answer `exists`, `info` and even reads from them, and share them with all other code
of the process. This one has an instance of its own that keeps none.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xlt.errors import StoreError, XltError
from xlt.store.local import LocalStorage
from xlt.store.storage import MANIFEST


@contextmanager
def _system_errors() -> Iterator[None]:
    """Turns the errors of any client into errors of the operating system.

    Each protocol's package has kinds of its own for a server that does not answer or credentials
    that are missing; s3fs passes those of botocore on.

    Raises:
        OSError: If the block fails; on one line.
    """
    try:
        yield
    except (OSError, XltError):
        raise
    except Exception as error:
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from error


class RemoteStorage:
    """A folder behind an fsspec URL."""

    exclusive = False

    def __init__(self, url: str) -> None:
        """Prepares the URL's file system.

        Raises:
            StoreError: If the protocol is unknown, its package is not installed, or the URL names
                a chain of file systems: those keep copies of files, which would be read long after
                another process replaced them.
        """
        if "::" in url:
            raise StoreError(f"the model folder must be one file system, got the chain {url!r}")
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # no stubs

        try:
            with _system_errors():
                fs, self._root = url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
        except OSError as error:
            raise StoreError(f"cannot open the model folder {url!r}: {error}") from error
        self._fs: Any = fs  # fsspec is not typed
        self._lock = threading.Lock()

    @_system_errors()
    def folders(self, under: str = "") -> list[str]:
        """See `Storage`."""
        try:
            entries = self._fs.ls(self._path(under), detail=True)
        except FileNotFoundError:
            return []
        names = [
            entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if _is_dir(entry)
        ]
        return sorted(name for name in names if not name.startswith("."))

    @_system_errors()
    def read(self, name: str) -> bytes | None:
        """See `Storage`."""
        try:
            return bytes(self._fs.cat_file(self._path(name)))
        except FileNotFoundError:
            return None

    @_system_errors()
    def write(self, name: str, data: bytes) -> None:
        """See `Storage`."""
        path = self._path(name)
        self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._fs.pipe_file(path, data)

    @_system_errors()
    def delete(self, name: str) -> None:
        """See `Storage`."""
        self._fs.rm_file(self._path(name))

    @_system_errors()
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
            with suppress(OSError), _system_errors():
                self._fs.rm(path, recursive=True)
            raise
        return True

    @_system_errors()
    def fetch(self, name: str, files: list[str], to: Path) -> Path:
        """See `Storage`; downloads into `to` unless it exists."""
        if to.is_dir():
            return to
        with LocalStorage(to.parent).staging("") as beside:
            for file in files:
                (beside / file).parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._fs.get_file(f"{self._path(name)}/{file}", str(beside / file))
                except FileNotFoundError:
                    raise FileNotFoundError(file) from None
            try:
                beside.rename(to)
            except OSError:
                if not to.is_dir():  # otherwise another process made it first
                    raise
        return to

    @_system_errors()
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
