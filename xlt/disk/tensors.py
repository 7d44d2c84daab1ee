"""Copies a safetensors file with other tensors added, without reading what stays the same.

The format: the header's length in eight bytes (little-endian), the header in JSON (name -> type,
shape, place behind the header), then the bytes of all tensors without gaps.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")
#: The header's length is a multiple of this, so that tensors begin at whole numbers of any type.
_ALIGNED = 8
_METADATA = "__metadata__"
_TYPES = {np.dtype(np.float16): "F16", np.dtype(np.float32): "F32"}


def read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Returns a file's header, and where the tensors begin.

    Raises:
        ValueError: If it is no safetensors file.
    """
    raw = file.read(_LENGTH.size)
    if len(raw) < _LENGTH.size:
        raise ValueError(f"{file.name} is not a safetensors file: it has {len(raw)} bytes")
    (length,) = _LENGTH.unpack(raw)
    header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError(f"{file.name} is not a safetensors file: its header is no object")
    return header, _LENGTH.size + length


def copy_tensors(
    source: Path, target: Path, *, without: str, added: Mapping[str, NDArray[np.floating]]
) -> None:
    """Copies a file's tensors and metadata, and adds tensors.

    Args:
        source: The file; written by safetensors.
        target: The new file.
        without: Tensors with names that start so are left out.
        added: Tensors to add, in float16 or float32.

    Raises:
        OSError: If a file cannot be read or written.
        ValueError: If `source` is no such file.
    """
    with source.open("rb") as old:
        header, start = read_header(old)
        metadata = header.pop(_METADATA, {})
        kept = {name: entry for name, entry in header.items() if not name.startswith(without)}
        entries = kept | {name: _described(value) for name, value in added.items()}
        # Wide types first, so that each tensor begins at a multiple of its type's size.
        names = sorted(entries, key=lambda name: (-_width(entries[name]), name))
        with target.open("wb") as new:
            new.write(_header({name: entries[name] for name in names}, metadata))
            for name in names:
                if name in added:
                    new.write(np.ascontiguousarray(added[name]).tobytes())
                else:
                    _copy(old, new, start, *kept[name]["data_offsets"])


def _header(entries: Mapping[str, Mapping[str, Any]], metadata: Mapping[str, str]) -> bytes:
    """Returns a header, with places in the order of the entries."""
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    place = 0
    for name, entry in entries.items():
        end = place + _size(entry)
        header[name] = dict(entry) | {"data_offsets": [place, end]}
        place = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return _LENGTH.pack(len(text)) + text


def _described(values: NDArray[np.floating]) -> dict[str, Any]:
    return {
        "dtype": _TYPES[values.dtype],
        "shape": list(values.shape),
        "data_offsets": [0, values.nbytes],
    }


def _size(entry: Mapping[str, Any]) -> int:
    start, end = entry["data_offsets"]
    return int(end - start)


def _width(entry: Mapping[str, Any]) -> int:
    """Returns the bytes of a number."""
    return _size(entry) // max(1, int(math.prod(entry["shape"])))


def _copy(old: BinaryIO, new: BinaryIO, first: int, start: int, end: int) -> None:
    """Copies the bytes of a tensor."""
    old.seek(first + start)
    left = end - start
    while left:
        block = old.read(min(left, 1 << 20))
        if not block:
            raise ValueError(f"{old.name} ends in the middle of a tensor")
        new.write(block)
        left -= len(block)
