"""Selection of the batch: fills the slots of all languages together, by herding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.geometry import Geometry, reference_rows
from xlt.sampling.herding import herd
from xlt.sampling.neighbours import nearest

# If there are more candidates, this number of them is drawn at random.
_CANDIDATES = 3_200
_CANDIDATES_PER_SLOT = 16
_NEIGHBOURS = 3
#: Uncertainty counts squared: near the kernel's width it must outweigh a denser neighbourhood.
_POWER = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """The selected tasks.

    Attributes:
        rows: Rows of the pool, in the order of selection.
        coverage: For each of the rows, the share of the weighted texts that it covers first.
        duplicate_of: (N,) row of the near-duplicate that comes first: the row itself, another one,
            or `LABELLED`.
        neighbours: For each of the rows, the nearest labelled texts, the nearest first.
    """

    rows: Sequence[int]
    coverage: Sequence[float]
    duplicate_of: NDArray[np.intp]
    neighbours: Sequence[Sequence[int]]

    @classmethod
    def empty(cls, n: int) -> Batch:
        """Returns a batch without tasks, from a pool of n without near-duplicates."""
        return cls(rows=[], coverage=[], duplicate_of=np.arange(n), neighbours=[])


def choose_batch(geometry: Geometry, wanted: NDArray[np.intp], rng: np.random.Generator) -> Batch:
    """Fills the slots of all languages together, so that no two languages cover the same texts.

    Args:
        geometry: Tasks and labels.
        wanted: (L,) slots of each language.
        rng: Draws candidates and references, and decides between equals.
    """
    candidates = _candidates(geometry, wanted, rng)
    if not len(candidates):
        return Batch(rows=[], coverage=[], duplicate_of=geometry.duplicate_of, neighbours=[])
    references = reference_rows(geometry, rng)
    weights: NDArray[np.float64] = np.ones(len(references))
    if geometry.uncertainty is not None:
        uncertainty = geometry.uncertainty[references]
        weights = reference_weights(uncertainty, geometry.labels, geometry.trust)
    selected = herd(
        geometry.directions.of(candidates),
        geometry.languages.number[candidates],
        wanted,
        geometry.directions.of(references),
        weights,
        geometry.labelled_rows,
    )
    rows = candidates[selected.chosen]
    near: list[list[int]] = [[] for _ in rows]
    if len(geometry.labelled_rows):
        near = nearest(geometry.directions.of(rows), geometry.labelled_rows, _NEIGHBOURS)[
            0
        ].tolist()
    return Batch(
        rows=rows.tolist(),
        coverage=selected.coverage.tolist(),
        duplicate_of=geometry.duplicate_of,
        neighbours=near,
    )


def reference_weights(
    uncertainty: NDArray[np.float64], labels: int, trust: int
) -> NDArray[np.float64]:
    """Weighs references: equally at first, by uncertainty as labels come in.

    `(1 - t) + t u^2 / mean(u^2)` with `t = labels / (labels + trust)`: with few labels a model's
    uncertainty carries little information, and typical texts are best (Hacohen, Dekel and
    Weinshall 2022).

    Args:
        uncertainty: (R,) in [0, 1].
        labels: Labels of all languages that train the model.
        trust: Labels at which uncertainty counts as much as coverage.
    """
    square = uncertainty**_POWER
    mean = float(square.mean()) if len(square) else 0.0
    share = labels / (labels + trust) if labels and mean > 0 else 0.0
    return np.asarray((1.0 - share) + share * square / max(mean, 1e-12))


def _candidates(
    geometry: Geometry, wanted: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draws eligible rows of languages that have slots, in random order, limited per slot."""
    total, number = int(wanted.sum()), geometry.languages.number
    most = max(_CANDIDATES, _CANDIDATES_PER_SLOT * total)
    order = rng.permutation(np.flatnonzero(geometry.eligible))
    parts = [np.empty(0, dtype=np.intp)]
    for language, slots in enumerate(wanted.tolist()):
        parts.append(order[number[order] == language][: -(-most * slots // max(total, 1))])
    return rng.permutation(np.concatenate(parts))
