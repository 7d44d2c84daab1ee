"""MurmurHash3 of many short byte strings at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]

_BLOCK = 4
_TAILS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint32)
_FIRST, _SECOND = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)


def murmur3(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
    """Returns the 32-bit hashes, with seed 0, of the parts (N) of a byte string.

    Args:
        data: The bytes.
        starts: (N,) place of the first byte of each part.
        ends: (N,) place behind its last byte.
    """
    padded = np.append(data, np.zeros(_BLOCK, np.uint8)).astype(np.uint32)
    at = sum(padded[byte : len(data) + 1 + byte] << np.uint32(8 * byte) for byte in range(_BLOCK))
    words: Hashes = np.asarray(at, dtype=np.uint32)  # the four bytes from each place on
    sizes = ends - starts
    blocks = sizes // _BLOCK
    hashes = np.zeros(len(starts), dtype=np.uint32)
    for block in range(int(blocks.max(initial=0))):
        own = np.flatnonzero(blocks > block)
        mixed = _rotated(hashes[own] ^ _scrambled(words[starts[own] + _BLOCK * block]), 13)
        hashes[own] = mixed * np.uint32(5) + np.uint32(0xE6546B64)
    tails = words[starts + _BLOCK * blocks] & _TAILS[sizes % _BLOCK]
    return _finished(hashes ^ _scrambled(tails) ^ sizes.astype(np.uint32))


def _scrambled(words: Hashes) -> Hashes:
    return _rotated(words * _FIRST, 15) * _SECOND


def _rotated(words: Hashes, bits: int) -> Hashes:
    return (words << np.uint32(bits)) | (words >> np.uint32(32 - bits))


def _finished(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))
