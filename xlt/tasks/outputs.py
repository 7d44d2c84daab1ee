"""What one pass over texts gives: logits and sentence vectors, in the order of the texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A model's answer for N texts; row i belongs to text i.

    Attributes:
        logits: (N, C) float32, before calibration and softmax.
        vectors: (N, H) float32, mean over the tokens of the encoder's final layer.

    Raises:
        DataError: If the two do not have two dimensions and the same number of rows.
    """

    logits: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.logits.ndim != 2 or self.vectors.ndim != 2 or len(self.logits) != len(self.vectors):
            raise DataError(
                "logits (N, C) and vectors (N, H) must have the same N, got "
                f"{self.logits.shape} and {self.vectors.shape}"
            )

    def __len__(self) -> int:
        return len(self.logits)

    def save(self, path: Path) -> None:
        """Write both arrays to a .npz file."""
        with path.open("wb") as file:
            np.savez(file, logits=self.logits, vectors=self.vectors)

    @classmethod
    def load(cls, path: Path) -> Scores:
        """Read what `save` wrote; nothing is unpickled.

        Raises:
            DataError: If the file is not there or not such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    logits=arrays["logits"].astype(np.float32, copy=False),
                    vectors=arrays["vectors"].astype(np.float32, copy=False),
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise DataError(f"{path} holds no scores: {error}") from error
