"""Probe: logistic regression on frozen vectors, of which swapped texts swap the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.logistic import Linear, fit
from xlt.tasks.outputs import Outputs
from xlt.tasks.pairwise.answers import one_hot
from xlt.tasks.task import Probe


def swapped_columns(width: int, texts: int) -> NDArray[np.intp]:
    """Returns the columns of a combined vector, (width,), with the last two texts exchanged.

    Args:
        width: Length of the vector that `xlt.encoder.together.combined` makes of `texts` texts.
        texts: 2, or 3 with a context.

    Raises:
        DataError: If it is not the length of such a vector.
    """
    size, rest = divmod(width, texts * texts)
    if rest:
        raise DataError(f"expected a vector of {texts} texts, got one of length {width}")
    place = [*range(texts - 2), texts - 1, texts - 2]
    two = list(combinations(range(texts), 2))
    moved = [two.index((min(place[a], place[b]), max(place[a], place[b]))) for a, b in two]
    blocks = [*place, *(texts + at for at in moved), *(texts + len(two) + at for at in moved)]
    return np.concatenate([np.arange(block * size, (block + 1) * size) for block in blocks])


def swapped(vectors: NDArray[np.floating], texts: int) -> NDArray[np.floating]:
    """Returns combined vectors (N, ..., D) with the last two texts exchanged.

    They lie in memory as the originals do, so that matrix products round in the same way.
    """
    return np.ascontiguousarray(vectors[..., swapped_columns(vectors.shape[-1], texts)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Antisymmetric:
    """A linear layer whose outputs are exchanged if the texts are.

    Attributes:
        linear: The layer.
        texts: Number of texts of an example.
    """

    linear: Linear
    texts: int

    def outputs(self, vectors: NDArray[np.floating]) -> Outputs:
        """Returns logits (N, 2): the mean of those of both orders."""
        here = self.linear.outputs(vectors).values
        there = self.linear.outputs(swapped(vectors, self.texts)).values
        return Outputs((here + there[:, ::-1]) / 2)


def probe(
    vectors: NDArray[np.floating],
    answers: Sequence[str],
    labels: Sequence[str],
    *,
    texts: int,
    l2: float,
    weights: NDArray[np.floating] | None,
    start: Probe | None,
) -> Antisymmetric:
    """Fits the probe on both orders of each example; see `xlt.tasks.task.Task.probe`."""
    initial = start.linear if isinstance(start, Antisymmetric) else None
    targets = one_hot(answers, labels)
    linear = fit(
        np.concatenate([vectors, swapped(vectors, texts)]),
        np.concatenate([targets, targets[:, ::-1]]),
        "softmax",
        l2=2 * l2,
        weights=None if weights is None else np.concatenate([weights, weights]),
        start=initial,
    )
    return Antisymmetric(linear=linear, texts=texts)
