"""Outputs of a model, and the scores of a pass over texts: outputs and sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
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
        values: (M, W). The kind of task defines the columns. Row i belongs to example i, and M = N,
            unless there are starts.
        starts: (N + 1,) first row of each example, and M; None if each example has one row.
        where: (M, 2) place of each row in its text, in code points; with starts only.

    Raises:
        DataError: If the shapes do not fit together.
    """

    values: NDArray[np.floating]
    starts: NDArray[np.int64] | None = None
    where: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise DataError(f"outputs must have shape (N, W), got {self.values.shape}")
        if (self.starts is None) != (self.where is None):
            raise DataError("outputs of several rows per example need starts and places")
        if self.starts is None or self.where is None:
            return
        rows = len(self.values)
        rising = self.starts.ndim == 1 and len(self.starts) and (np.diff(self.starts) >= 0).all()
        if not rising or self.starts[0] != 0 or self.starts[-1] != rows:
            raise DataError(f"starts must rise from 0 to {rows}, got {self.starts}")
        if self.where.shape != (rows, 2):
            raise DataError(f"places must have shape {(rows, 2)}, got {self.where.shape}")

    def __len__(self) -> int:
        return len(self.values) if self.starts is None else len(self.starts) - 1

    def ragged(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns starts and places.

        Raises:
            DataError: If each example has one row.
        """
        if self.starts is None or self.where is None:
            if len(self.values) == 0:
                return np.zeros(1, np.int64), np.zeros((0, 2), np.int64)
            raise DataError("expected outputs of several rows per example, got one row each")
        return self.starts, self.where

    def take(self, rows: Rows) -> Outputs:
        """Returns the outputs of some examples, in the order of `rows`."""
        index = _index(rows)
        if self.starts is None or self.where is None:
            return Outputs(self.values[index])
        lengths = np.diff(self.starts)[index]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        shift = np.repeat(self.starts[:-1][index] - starts[:-1], lengths)
        own = np.arange(starts[-1]) + shift
        return Outputs(self.values[own], starts, self.where[own])

    def concat(self, others: Outputs) -> Outputs:
        """Returns these outputs, followed by others."""
        values = np.concatenate([self.values, others.values])
        if self.starts is None and others.starts is None:
            return Outputs(values)
        (starts, where), (more, places) = self.ragged(), others.ragged()
        return Outputs(
            values, np.concatenate([starts, more[1:] + starts[-1]]), np.concatenate([where, places])
        )

    def arrays(self) -> dict[str, Any]:
        """Returns the arrays by name, for a file that `from_arrays` reads."""
        if self.starts is None or self.where is None:
            return {"logits": self.values}
        return {"logits": self.values, "starts": self.starts, "where": self.where}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Outputs:
        """Reads arrays that `arrays` returned; former versions wrote the values alone."""
        if "starts" not in arrays:
            return cls(arrays["logits"])
        return cls(arrays["logits"], arrays["starts"], arrays["where"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A model's scores of N examples; row i belongs to example i.

    Attributes:
        outputs: N outputs, not calibrated.
        vectors: (N, D) float32, mean over the tokens of the encoder's final layer; those of
            several texts combined (`xlt.encoder.together.combined`).

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
        """Writes the arrays to a .npz file."""
        with path.open("wb") as file:
            np.savez(file, **self.outputs.arrays(), vectors=self.vectors)

    @classmethod
    def load(cls, path: Path) -> Scores:
        """Reads a file that `save` wrote; it unpickles nothing.

        Raises:
            DataError: If the file is missing or holds no scores.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                outputs = Outputs.from_arrays(arrays)
                values = outputs.values.astype(np.float32, copy=False)
                return cls(
                    outputs=replace(outputs, values=values),
                    vectors=arrays["vectors"].astype(np.float32, copy=False),
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise DataError(f"{path} holds no scores: {error}") from error


def of_vectors(vectors: NDArray[np.float32]) -> Scores:
    """Returns the scores of an encoder without a head: vectors (N, D), and outputs (N, 0)."""
    return Scores(outputs=Outputs(np.zeros((len(vectors), 0), np.float32)), vectors=vectors)
