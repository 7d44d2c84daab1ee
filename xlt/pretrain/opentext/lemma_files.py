"""Reads the dictionaries of the package simplemma: forms of words with their lemmas.

An .xz file holds `SMFC1`, a byte of flags, the number of records, and the records. A number has
seven bits in each byte, the lowest first. A record starts with its key: the number of bytes that it
shares with the key before, then the size and the bytes of the rest. A byte tells how the value is
made: 254 repeats the value before, 255 starts a new value, any other number removes that many bytes
from the end of the key. Except after 254, the size and the bytes to append follow. With flag 1 the
bytes of keys and values are in reverse order.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator

from xlt.errors import DataError

_MAGIC = b"SMFC1"
_REVERSED = 1
_AS_BEFORE, _LITERAL = 254, 255
_MOST_BYTES = 100_000_000  # of a file; the largest one has less than 30 million
_MOST_MEMORY = 100_000_000  # bytes that unpacking may take
_MOST_BITS = 28  # of a number
_MOST_WORD = 1_000  # bytes of a form or a lemma


def read_lemmas(
    name: str, data: bytes, *, most_bytes: int = _MOST_BYTES
) -> Iterator[tuple[str, str]]:
    """Yields each form with its lemma.

    Args:
        name: The file's name, for error messages.
        data: Its bytes, compressed.
        most_bytes: Largest size of an unpacked file.

    Raises:
        DataError: If the file is truncated, damaged, too large or of another format; forms before
            the damage may have been yielded.
    """
    try:
        for form, lemma in _records(_unpacked(data, most_bytes)):
            yield form.decode(), lemma.decode()
    except (IndexError, ValueError, lzma.LZMAError) as error:
        raise DataError(f"{name} is truncated or not a dictionary of simplemma: {error}") from error


def _unpacked(data: bytes, most_bytes: int) -> bytes:
    unpacking = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
    unpacked = unpacking.decompress(data, max_length=most_bytes)
    if not unpacking.eof:
        raise ValueError(f"no end within {most_bytes} bytes")
    if not unpacked.startswith(_MAGIC):
        raise ValueError(f"it starts with {unpacked[: len(_MAGIC)]!r}, expected {_MAGIC!r}")
    return unpacked


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields keys and values."""
    flags = data[len(_MAGIC)]
    if flags & ~_REVERSED:
        raise ValueError(f"unknown flags {flags}")
    step = -1 if flags else 1
    count, at = _number(data, len(_MAGIC) + 1)
    key = value = b""
    for _ in range(count):
        shared, at = _number(data, at)
        end, at = _bytes(data, at)
        key = _word(key, shared, end)
        how, at = data[at], at + 1
        if how != _AS_BEFORE:
            end, at = _bytes(data, at)
            value = _word(key, 0 if how == _LITERAL else len(key) - how, end)
        yield key[::step], value[::step]
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes follow the last of {count} records")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Returns the number at a position, and the position after it."""
    value, bits = data[at], 7
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    while data[at] & 0x80:
        at += 1
        value |= (data[at] & 0x7F) << bits
        bits += 7
        if bits > _MOST_BITS:
            raise ValueError(f"a number has more than {_MOST_BITS} bits")
    return value, at + 1


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Returns the bytes whose size is at a position, and the position after them."""
    size, at = _number(data, at)
    if at + size > len(data):
        raise ValueError(f"expected {size} bytes at {at}, but there are {len(data)} in all")
    return data[at : at + size], at + size


def _word(before: bytes, shared: int, end: bytes) -> bytes:
    """Returns the first `shared` bytes of a word with another end."""
    if not 0 <= shared <= len(before) or shared + len(end) > _MOST_WORD:
        raise ValueError(f"a word has {shared} of {len(before)} bytes and {len(end)} more")
    return before[:shared] + end
