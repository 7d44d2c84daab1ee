"""Files and folders that appear whole or not at all, and are there after a power cut."""

from __future__ import annotations

import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """A name beside `path`: what the block writes there takes its place in one step.

    Where the block fails, what was there stays, and nothing beside it.
    """
    beside = path.parent / f".{uuid.uuid4().hex}-{path.name}"
    try:
        yield beside
        sync_file(beside)
        os.replace(beside, path)
        sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def drop_unfinished(path: Path) -> None:
    """Removes what killed writers of `path` left beside it; only where one writes at a time."""
    for left in path.parent.glob(f".{'[0-9a-f]' * 32}-{glob.escape(path.name)}"):
        left.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file in one step; the one that was there stays until then."""
    with replacement(path) as beside:
        beside.write_bytes(data)


def replace_folder(made: Path, path: Path) -> None:
    """Moves a finished folder to its place beside it, where another one may stand.

    Killed between the two renames it leaves the old one as `former(path)`.
    """
    sync_tree(made)
    old = former(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    os.replace(made, path)
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def former(path: Path) -> Path:
    """Where `replace_folder` keeps what stood at `path` until the new one does."""
    return path.with_name(path.name + ".old")


def empty_beside(path: Path) -> Path:
    """An empty folder in which to make what is to replace `path`."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def sync_tree(folder: Path) -> None:
    """Has a folder's files and names on the disk, not only in the system's memory."""
    for inside, _, files in os.walk(folder):
        for file in files:
            sync_file(Path(inside, file))
        sync_folder(Path(inside))


def sync_file(path: Path) -> None:
    """Has a file's bytes on the disk."""
    with open(path, "rb") as opened:
        os.fsync(opened.fileno())


def sync_folder(path: Path) -> None:
    """Has a folder's names on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
