"""Outputs of a model, and the scores of a pass over texts: outputs and sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError

#: Numbers of rows, or one flag per row.
Rows = NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]


def _index(rows: Rows) -> NDArray[np.intp] | NDArray[np.bool_]:
    return rows if isinstance(rows, np.ndarray) else np.array(rows, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Outputs of a task's head, or of its calibration, for N examples.

    Attributes:
        values: (N, W); row i belongs to example i. The kind of task defines the columns.

    Raises:
        DataError: If the values do not have two dimensions.
    """

    values: NDArray[np.floating]

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise DataError(f"outputs must have shape (N, W), got {self.values.shape}")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Outputs:
        """Returns the outputs of some examples, in the order of `rows`."""
        return Outputs(self.values[_index(rows)])

    def concat(self, others: Outputs) -> Outputs:
        """Returns these outputs, followed by others."""
        return Outputs(np.concatenate([self.values, others.values]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A model's scores of N examples; row i belongs to example i.

    Attributes:
        outputs: N outputs, not calibrated.
        vectors: (N, D) float32, mean over the tokens of the encoder's final layer; those of
            several texts combined (`xlt.encoder.pooling.combine`).

    Raises:
        DataError: If the vectors do not have two dimensions and one row per output.
    """

    outputs: Outputs
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.outputs) != len(self.vectors):
            raise DataError(
                "outputs (N, W) and vectors (N, H) must have the same N, got "
                f"{self.outputs.values.shape} and {self.vectors.shape}"
            )

    def __len__(self) -> int:
        return len(self.outputs)

    def take(self, rows: Rows) -> Scores:
        """Returns the scores of some examples, in the order of `rows`."""
        return Scores(outputs=self.outputs.take(rows), vectors=self.vectors[_index(rows)])

    def concat(self, others: Scores) -> Scores:
        """Returns these scores, followed by others."""
        vectors = np.concatenate([self.vectors, others.vectors])
        return Scores(outputs=self.outputs.concat(others.outputs), vectors=vectors)

    def save(self, path: Path) -> None:
        """Writes both arrays to a .npz file."""
        with path.open("wb") as file:
            np.savez(file, logits=self.outputs.values, vectors=self.vectors)

    @classmethod
    def load(cls, path: Path) -> Scores:
        """Reads a file that `save` wrote; it unpickles nothing.

        Raises:
            DataError: If the file is missing or holds no scores.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    outputs=Outputs(arrays["logits"].astype(np.float32, copy=False)),
                    vectors=arrays["vectors"].astype(np.float32, copy=False),
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise DataError(f"{path} holds no scores: {error}") from error
