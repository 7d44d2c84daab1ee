"""Tensors of a safetensors file as float32, without torch, whatever type they are stored in.

A table is mapped into memory: only the rows that are read take any, and processes share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.disk.tensors import read_header
from xlt.errors import EncoderError

#: Types of tensors by their names in safetensors, as numpy reads their bits.
_BITS: dict[str, type[np.generic]] = {
    "F8_E4M3": np.uint8,
    "F16": np.float16,
    "BF16": np.uint16,
    "F32": np.float32,
}


class Rows:
    """The rows of a table (V, E) of eight, sixteen or 32 bits.

    Args:
        path: The file.
        name: Name of the table in it, which may have the whole model's prefix there.

    Raises:
        EncoderError: If the file has no such table.
    """

    def __init__(self, path: Path, name: str) -> None:
        stored = _stored(path)
        names = [key for key in stored if f".{key}".endswith(f".{name}")]
        if len(names) != 1 or stored[names[0]].values.ndim != 2:
            raise EncoderError(f"{path} has no table {name!r}")
        self._table = stored[names[0]]

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the rows (..., E) of ids (...)."""
        return _widened(self._table.values[ids], self._table.type)


def read_tensors(path: Path, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Returns the tensors whose names have a prefix, without it.

    Raises:
        EncoderError: If it is no safetensors file, or one of them is no float.
    """
    return {
        name.removeprefix(prefix): _widened(np.array(tensor.values), tensor.type)
        for name, tensor in _stored(path).items()
        if name.startswith(prefix)
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """A tensor as the bits of its type."""

    values: NDArray[np.generic]
    type: str


def _stored(path: Path) -> dict[str, _Stored]:
    """Maps the floats of a file, by name."""
    try:
        with path.open("rb") as file:
            header, start = read_header(file)
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=start)
        return {
            name: _Stored(_part(data, entry), entry["dtype"])
            for name, entry in header.items()
            if entry.get("dtype") in _BITS
        }
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise EncoderError(f"{path} is no complete safetensors file: {error}") from error


def _part(data: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[np.generic]:
    start, end = entry["data_offsets"]
    return data[start:end].view(_BITS[entry["dtype"]]).reshape(entry["shape"])


def _widened(stored: NDArray[Any], type: str) -> NDArray[np.float32]:
    if type == "F8_E4M3":
        return np.asarray(_EIGHT_BITS[stored])
    if type == "BF16":
        return np.asarray((stored.astype(np.uint32) << 16).view(np.float32))
    return np.asarray(stored, dtype=np.float32)


def _eight_bits() -> NDArray[np.float32]:
    """Returns the numbers of all bytes: a sign, four bits of exponent, three of mantissa."""
    byte = np.arange(256)
    sign, exponent, mantissa = byte >> 7, byte >> 3 & 15, byte & 7
    small, normal = mantissa / 8 * 2.0**-6, (1 + mantissa / 8) * 2.0 ** (exponent - 7.0)
    values = np.where(exponent == 0, small, normal) * (1 - 2 * sign)
    values[[127, 255]] = np.nan
    return np.asarray(values, dtype=np.float32)


_EIGHT_BITS = _eight_bits()
