"""Archives of folders, made piece by piece, so that no file is whole in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

#: Bytes that are read at a time.
PIECE_BYTES = 1 << 20


class _Pieces:
    """A file that is written to and not read back: pieces wait until they are taken."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Adds a piece."""
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Does nothing: pieces are taken by `take`."""

    def take(self) -> bytes:
        """Returns what waits, and forgets it."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def zipped(folder: Path, name: str) -> Iterator[bytes]:
    """Yields a zip archive of a folder's plain files; weights are not compressed any further.

    Args:
        folder: The folder; hidden files and links are left out.
        name: Name of the folder inside the archive.

    Raises:
        OSError: If a file cannot be read.
    """
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in inside.parts)
            if path.is_symlink() or not path.is_file() or hidden:
                continue
            info = zipfile.ZipInfo.from_file(path, f"{name}/{inside.as_posix()}")
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield pieces.take()
    yield pieces.take()
