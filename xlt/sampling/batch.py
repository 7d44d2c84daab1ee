"""The batch among all languages: which texts of each language fill its slots, by herding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.herding import herd
from xlt.sampling.neighbours import nearest
from xlt.sampling.scene import Scene, reference_rows

# Candidates are drawn at random where there are more.
_CANDIDATES = 3_200
_CANDIDATES_PER_SLOT = 16
_NEIGHBOURS = 3
#: Uncertainty counts squared: near the kernel's width it must outweigh a denser neighbourhood.
_POWER = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """What was chosen.

    Attributes:
        rows: Of the pool, in the order of choosing.
        speaks_for: For each of them the share of the weighted texts that it covers first.
        twin_of: (N,) the row that says nearly the same: itself, another, or `LABELLED`.
        neighbours: For each of the rows the labelled texts that are nearest, the nearest first.
    """

    rows: Sequence[int]
    speaks_for: Sequence[float]
    twin_of: NDArray[np.intp]
    neighbours: Sequence[Sequence[int]]

    @classmethod
    def empty(cls, n: int) -> Batch:
        """Nothing chosen, nobody anybody's twin."""
        return cls(rows=[], speaks_for=[], twin_of=np.arange(n), neighbours=[])


def choose_batch(scene: Scene, wanted: NDArray[np.intp], rng: np.random.Generator) -> Batch:
    """Fills the slots of all languages at once, so that no two languages say the same in a batch.

    Args:
        scene: Tasks and labels.
        wanted: (L,) slots of each language.
        rng: Draws candidates and references, and decides between equals.
    """
    candidates = _candidates(scene, wanted, rng)
    if not len(candidates):
        return Batch(rows=[], speaks_for=[], twin_of=scene.twin_of, neighbours=[])
    references = reference_rows(scene, rng)
    weights: NDArray[np.float64] = np.ones(len(references))
    if scene.uncertainty is not None:
        doubts = scene.uncertainty[references]
        weights = reference_weights(doubts, scene.labels, scene.trust)
    found = herd(
        scene.directions.of(candidates),
        scene.tongues.number[candidates],
        wanted,
        scene.directions.of(references),
        weights,
        scene.labelled_rows,
    )
    rows = candidates[found.chosen]
    near: list[list[int]] = [[] for _ in rows]
    if len(scene.labelled_rows):
        near = nearest(scene.directions.of(rows), scene.labelled_rows, _NEIGHBOURS)[0].tolist()
    return Batch(
        rows=rows.tolist(),
        speaks_for=found.speaks_for.tolist(),
        twin_of=scene.twin_of,
        neighbours=near,
    )


def reference_weights(
    uncertainty: NDArray[np.float64], labels: int, trust: int
) -> NDArray[np.float64]:
    """How much each reference counts: all alike at first, then the more the less sure it is.

    `(1 - t) + t u^2 / mean(u^2)` with `t = labels / (labels + trust)`: while there are few labels a
    model's doubts say little (Hacohen, Dekel and Weinshall 2022), and typical texts are best.

    Args:
        uncertainty: (R,) in [0, 1].
        labels: Labels of all languages that train the model.
        trust: Labels at which doubts count as much as coverage.
    """
    doubt = uncertainty**_POWER
    mean = float(doubt.mean()) if len(doubt) else 0.0
    share = labels / (labels + trust) if labels and mean > 0 else 0.0
    return np.asarray((1.0 - share) + share * doubt / max(mean, 1e-12))


def _candidates(
    scene: Scene, wanted: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Eligible rows of languages that have slots, in random order, at most so many per slot."""
    total, number = int(wanted.sum()), scene.tongues.number
    most = max(_CANDIDATES, _CANDIDATES_PER_SLOT * total)
    order = rng.permutation(np.flatnonzero(scene.eligible))
    parts = [np.empty(0, dtype=np.intp)]
    for language, slots in enumerate(wanted.tolist()):
        parts.append(order[number[order] == language][: -(-most * slots // max(total, 1))])
    return rng.permutation(np.concatenate(parts))
