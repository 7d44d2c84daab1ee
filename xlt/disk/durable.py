"""Durable writes: files and folders appear whole or not at all and survive a power cut."""

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
    """Yields a name beside `path` for a new file, which replaces `path` in one step at the end.

    If the block fails, the old file stays and the new one is removed.
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
    """Removes the files that killed writers of `path` left beside it.

    Call it only if a single process writes `path`.
    """
    for leftover in path.parent.glob(f".{'[0-9a-f]' * 32}-{glob.escape(path.name)}"):
        leftover.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file in one step; the old one stays until then."""
    with replacement(path) as beside:
        beside.write_bytes(data)


def replace_folder(made: Path, path: Path) -> None:
    """Moves the finished folder `made` to `path` beside it and removes the old folder there.

    If that fails, both folders stay where they are. If the process is killed between the two
    renames, the old folder remains as `former(path)`.
    """
    sync_tree(made)
    old = former(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(made, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def former(path: Path) -> Path:
    """Returns the name that `replace_folder` gives the old folder until the new one is in place."""
    return path.with_name(path.name + ".old")


def empty_beside(path: Path) -> Path:
    """Makes an empty folder beside `path`, to be filled and then replace it."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def sync_tree(folder: Path) -> None:
    """Flushes a folder's files and names from the system's memory to the disk."""
    for inside, _, files in os.walk(folder):
        for file in files:
            sync_file(Path(inside, file))
        sync_folder(Path(inside))


def sync_file(path: Path) -> None:
    """Flushes a file's bytes to the disk."""
    with open(path, "rb") as opened:
        os.fsync(opened.fileno())


def sync_folder(path: Path) -> None:
    """Flushes a folder's names to the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
