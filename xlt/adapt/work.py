"""The work folder of an adaptation, beside its output: stages of a run that was killed."""

from __future__ import annotations

import shutil
from pathlib import Path

from xlt.disk.outputs import check_folder, check_new_folder
from xlt.errors import StoreError

#: File that tells which encoder, data and options the stages belong to.
_MARK = "key"


def check_outputs(out: Path, *, replaces: bool) -> None:
    """Checks that an adaptation can write `out` and its work folder.

    Args:
        out: Folder of the adapted encoder.
        replaces: Whether `out` may hold an older one.

    Raises:
        StoreError: If it cannot, or if a folder of something else stands there.
    """
    (check_folder if replaces else check_new_folder)(out)
    work = _work(out)
    check_folder(work)
    if work.is_dir() and any(work.iterdir()) and not (work / _MARK).is_file():
        raise StoreError(
            f"{work} is needed for the stages of the adaptation, but holds something else: name "
            "another folder to write"
        )


def claim_work(out: Path, key: str) -> Path:
    """Returns the work folder beside `out`; it is empty but for stages with the same key."""
    work = _work(out)
    mark = work / _MARK
    if not mark.is_file() or mark.read_text() != key:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        mark.write_text(key)
    return work


def _work(out: Path) -> Path:
    place = out.resolve()
    return place.with_name(place.name + ".work")
