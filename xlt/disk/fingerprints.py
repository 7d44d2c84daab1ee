"""Content hashes of values and files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 1 << 20


def fingerprint(parts: Iterable[object]) -> str:
    """Returns 64 hexadecimal digits (SHA-256) of the `repr` of each part, in order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def fingerprint_of_file(path: Path) -> str:
    """Returns 64 hexadecimal digits (SHA-256) of a file's bytes, read in blocks.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
