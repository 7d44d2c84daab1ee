"""Rows of a table in a safetensors file, mapped into memory: only those that are read take any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.errors import EncoderError

_LENGTH_BYTES = 8
#: Types of tables by their names in safetensors, as numpy reads their bits.
_BITS: dict[str, type[np.generic]] = {
    "F8_E4M3": np.uint8,
    "F16": np.float16,
    "BF16": np.uint16,
    "F32": np.float32,
}


class Rows:
    """The rows of a table (V, E) of eight, sixteen or 32 bits; processes share their memory.

    Args:
        path: The file.
        name: Name of the table in it, which may have the whole model's prefix there.

    Raises:
        EncoderError: If the file has no such table.
    """

    def __init__(self, path: Path, name: str) -> None:
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
                header = json.loads(file.read(length))
            (entry,) = (header[key] for key in header if f".{key}".endswith(f".{name}"))
            self._type = entry["dtype"]
            self._table: NDArray[np.generic] = np.memmap(
                path,
                dtype=_BITS[self._type],
                mode="r",
                offset=_LENGTH_BYTES + length + entry["data_offsets"][0],
                shape=tuple(entry["shape"]),
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
            raise EncoderError(f"{path} has no table {name!r}: {error!r}") from error

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the rows (..., E) of ids (...)."""
        stored = self._table[ids]
        if self._type == "F8_E4M3":
            return np.asarray(_EIGHT_BITS[stored])
        if self._type == "BF16":
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
