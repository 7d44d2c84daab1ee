"""The storage below a store: folders and small files, on a disk or behind an fsspec URL.

A storage knows nothing of versions. Both kinds give the same guarantees: a folder appears whole or
not at all (it exists once its manifest does), a small file is replaced in one step, and `lock`
excludes other writers as far as the storage can.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from xlt.errors import StoreError

#: The file that makes a folder a version.
MANIFEST = "manifest.json"


class Storage(Protocol):
    """Folders and small files; names are relative, with `/`."""

    #: True if `lock` excludes other processes, so that numbers of versions never collide.
    exclusive: bool

    def folders(self, under: str = "") -> list[str]:
        """Returns the names of the folders directly below, sorted."""

    def read(self, name: str) -> bytes | None:
        """Returns a small file's bytes, None if it does not exist."""

    def write(self, name: str, data: bytes) -> None:
        """Replaces a small file in one step."""

    def delete(self, name: str) -> None:
        """Deletes a small file."""

    def add(self, folder: Path, name: str, manifest: bytes) -> bool:
        """Makes the local `folder` the folder `name`, whole or not at all.

        Returns:
            False if `name` exists already.
        """

    def fetch(self, name: str, files: list[str], to: Path) -> Path:
        """Returns a local folder with the files of `name`; `to` is where one may be made.

        Raises:
            FileNotFoundError: If a file is missing; holds its name.
        """

    def remove(self, name: str) -> None:
        """Removes a folder: first its manifest or name, then its files."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Excludes other writers from the folder `name`."""

    def staging(self, name: str) -> AbstractContextManager[Path]:
        """Makes a local folder for the files of a new folder below `name`; removed at the end."""


@contextmanager
def store_errors(doing: str) -> Iterator[None]:
    """Turns the operating system's errors into one line.

    Args:
        doing: The action, in the imperative.

    Raises:
        StoreError: If the block fails; names the action and the cause.
    """
    try:
        with disk_full_errors(doing):
            yield
    except OSError as error:
        raise StoreError(f"cannot {doing}: {error.strerror or error}") from error


@contextmanager
def disk_full_errors(doing: str) -> Iterator[None]:
    """Turns the error of a full disk into one line; other errors pass.

    Args:
        doing: The action, in the imperative.

    Raises:
        StoreError: If the disk is full; names the action.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoreError(f"the disk is full: cannot {doing}; free some space") from error
