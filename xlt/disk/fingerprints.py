"""Fingerprints: hashes that differ where anything differs that they were taken of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 1 << 20


def fingerprint(parts: Iterable[object]) -> str:
    """64 hexadecimal digits, of the representations of the parts and where each one ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def fingerprint_of_file(path: Path) -> str:
    """64 hexadecimal digits (SHA-256) of a file's bytes; it need not fit into memory.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
