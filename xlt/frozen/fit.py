"""Fits a frozen model: kernel ridge regression with self-training on the texts without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.data.splits import drawn_evenly
from xlt.frozen.centres import fit_centres
from xlt.frozen.features import Features, Labelled
from xlt.frozen.machine import fit_machine, hedged, possible, self_trained
from xlt.frozen.model import FrozenModel
from xlt.frozen.ngrams import rarity, tf_idf
from xlt.frozen.ridge import Matrix, gaussian
from xlt.tasks.calibration import Link
from xlt.tasks.swaps import Swap

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

#: Labels at which the kernel of n-grams weighs as much as that of the vectors, and the largest
#: weight that it has: few labels say little about words.
NGRAM_LABELS, MOST_NGRAM_WEIGHT = 300, 1.5
#: Largest numbers of labels and of other texts that the kernel machine compares with: the time
#: grows with the cube of their sum.
MOST_LABELS, MOST_TEXTS = 3000, 2000
#: Largest number of labels that choose the layers.
_CHOOSING = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A frozen model, and what it predicts for labels that it has not seen.

    Attributes:
        model: The model, fitted on all labels.
        rows: (M,) rows of the labelled texts that were left out, each with its group.
        cross_fitted: (M, W) their logits.
        penalty: The kernel machine's penalty.
        layers: The number of layers that it reads, from the final one downwards.
    """

    model: FrozenModel
    rows: NDArray[np.intp]
    cross_fitted: Matrix
    penalty: float
    layers: int


def fit_frozen(
    labelled: Labelled,
    pool: Features,
    pool_langs: Sequence[str],
    link: Link,
    rng: np.random.Generator,
    swap: Swap | None = None,
) -> Fitted:
    """Fits a frozen model.

    The kernel machine labels the pool by its own probabilities and learns from both (self-training
    with soft labels). Its scores are brought to the scale of logits by predictions of left-out
    groups.

    Args:
        labelled: The labelled texts.
        pool: Features of P texts without a label; P may be 0.
        pool_langs: P language codes.
        link: Function from logits to probabilities.
        rng: Draws the rows of the kernel machine if there are too many.
        swap: See `FrozenModel`. Both orders of the texts are learned then; `Fitted.rows` beyond N
            are those of exchanged texts.
    """
    if swap is not None:
        labelled = labelled.both_orders(swap)
        pool, pool_langs = pool.concat(pool.swapped(swap)), [*pool_langs, *pool_langs]
    labelled = replace(labelled, targets=possible(labelled.targets, labelled.weights, link))
    rows = drawn_evenly(labelled.langs, MOST_LABELS, rng)
    texts = drawn_evenly(pool_langs, MOST_TEXTS, rng)
    known = labelled.take(rows)
    both = known.features.concat(pool.take(texts))
    langs = [*known.langs, *(pool_langs[row] for row in texts)]
    ngrams = _Ngrams.of(both, min(len(known) / NGRAM_LABELS, MOST_NGRAM_WEIGHT))
    layers = _layers(known, both, langs, ngrams, link, rng)
    centres = fit_centres(both.vectors[:, -layers:], langs)
    units = centres.units(both.vectors[:, -layers:], langs)
    gram = np.asarray(gaussian(units, units) + ngrams.gram(), dtype=np.float64)
    machine = fit_machine(known, gram[: len(known), : len(known)], link)
    scale = hedged(machine, link)
    coefficients = self_trained(machine, gram, link) * 2 * machine.scale * scale
    model = FrozenModel(
        centres=centres,
        support=_half(units),
        coefficients=coefficients.astype(np.float32),
        idf=_half(ngrams.idf),
        ngrams=_half(ngrams.weight * (ngrams.rows.T @ coefficients)),
        biases=(machine.logits(machine.prior) * scale).astype(np.float32),
        swap=swap,
    )
    return Fitted(
        model=model,
        rows=rows,
        cross_fitted=machine.logits(machine.left) * scale,
        penalty=machine.penalty,
        layers=layers,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ngrams:
    """TF-IDF rows (S, COLUMNS) of the texts to compare with, and the weight of their kernel."""

    rows: csr_matrix
    idf: NDArray[np.float32]
    weight: float

    @classmethod
    def of(cls, features: Features, weight: float) -> _Ngrams:
        idf = rarity(features.ngrams)
        return cls(rows=tf_idf(features.ngrams, idf), idf=idf, weight=weight)

    def gram(self, rows: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.floating]:
        """Returns the kernel of some of the texts."""
        own = self.rows[rows]
        return np.asarray(self.weight * (own @ own.T).toarray())


def _layers(
    known: Labelled,
    both: Features,
    langs: Sequence[str],
    ngrams: _Ngrams,
    link: Link,
    rng: np.random.Generator,
) -> int:
    """Returns the number of layers whose predictions of left-out groups are better: one or all.

    The final layer of an encoder of sentences is about topics; the layers below it also tell
    sentiment.
    """
    rows = drawn_evenly(known.langs, _CHOOSING, rng)
    shared = ngrams.gram(rows)
    errors = {}
    for layers in sorted({1, both.vectors.shape[1]}):
        vectors = both.vectors[:, -layers:]
        units = fit_centres(vectors, langs).units(vectors[rows], [langs[row] for row in rows])
        gram = np.asarray(gaussian(units, units) + shared, dtype=np.float64)
        errors[layers] = fit_machine(known.take(rows), gram, link).error
    return min(errors, key=errors.__getitem__)


def _half(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Returns values that need two bytes each in a file."""
    return values.astype(np.float16).astype(np.float32)
