"""Outputs of long work: checked before it begins, and kept if they cannot be put in their place."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from xlt.disk.durable import replace_folder, sync_folder, sync_tree
from xlt.errors import StoreError

#: Ends the name of a folder that is not finished or could not be put in its place.
UNFINISHED = ".tmp"


def beside(out: Path) -> Path:
    """Returns the name of a folder beside `out`, in which this process makes what `out` will be."""
    return out.parent / f".{out.name}.{os.getpid()}{UNFINISHED}"


def check_new_folder(out: Path) -> None:
    """Checks that a folder can be put at `out`, which does not exist yet or is empty.

    Raises:
        StoreError: If it cannot.
    """
    check_folder(out)
    if os.path.ismount(out):
        raise StoreError(f"{out} is a mount point: name a folder in it")
    if os.path.isdir(out) and os.listdir(out):
        raise StoreError(f"{out} exists and is not empty: name another folder, or remove it first")
    _check_place(out.resolve())


def check_folder(out: Path) -> None:
    """Checks that files can be written to the folder `out`, which may exist.

    Raises:
        StoreError: If they cannot.
    """
    if os.path.lexists(out) and not os.path.isdir(out):
        raise StoreError(f"{out} is not a folder: name a folder, or remove the file first")
    if os.path.isdir(out):
        _check_writable(out, out)
    else:
        _check_place(out)


def check_file(out: Path) -> None:
    """Checks that a file can be written to `out`; it may exist.

    Raises:
        StoreError: If it cannot.
    """
    if os.path.isdir(out):
        raise StoreError(f"{out} is a folder: name a file")
    _check_place(out)


def put_in_place(made: Path, out: Path, *, replaces: bool = False) -> None:
    """Moves the finished folder `made` to `out`, in one step.

    Args:
        made: A folder on the same disk.
        out: Its place: a name that is free, or an empty folder.
        replaces: Whether `out` may hold an older folder, which is removed afterwards.

    Raises:
        StoreError: If that fails. `made` is kept, and the message names it.
    """
    try:
        if replaces:
            replace_folder(made, out)
        else:
            sync_tree(made)
            os.rename(made, out)  # over an empty folder too, never over a full one
            sync_folder(out.parent)
    except OSError as error:
        raise StoreError(
            f"cannot write {out} ({error.strerror or error}): the finished folder is kept as {made}"
        ) from error


def _check_place(out: Path) -> None:
    """Checks that a file or folder can be made beside `out`, in its nearest folder that exists."""
    parent = Path(os.path.abspath(out)).parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise StoreError(f"cannot write {out}: {parent} is not a folder")
    _check_writable(parent, out)


def _check_writable(folder: Path, out: Path) -> None:
    """Makes a folder in `folder` and removes it; permissions alone tell too little."""
    trial = beside(folder / Path(os.path.abspath(out)).name)
    try:
        with suppress(FileExistsError):
            trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise StoreError(f"cannot write {out}: {error.strerror} in {folder}") from error
