"""Fits a frozen model: kernel ridge regression with self-training on the texts without labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.frozen.centres import Centres, fit_centres
from xlt.frozen.features import Features
from xlt.frozen.model import FrozenModel
from xlt.frozen.ngrams import rarity, tf_idf
from xlt.frozen.ridge import Matrix, gaussian, left_out, solve
from xlt.tasks.calibration import Link, best_temperature, probabilities

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

#: Penalties of the kernel machine; its predictions of left-out groups choose one.
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Weight of a text without a label in self-training; a label has 1.
POOL_WEIGHT = 0.3
#: Weight of the kernel of n-grams; that of the vectors has 1.
NGRAM_WEIGHT = 1.0
#: Largest numbers of labels and of other texts that the kernel machine compares with: the time
#: grows with the cube of their sum.
MOST_LABELS, MOST_TEXTS = 3000, 2000

#: Scores in [0, 1] times this are logits that `best_temperature` can correct either way.
_STEEPNESS = 4.0
#: Labels at which the measured temperature weighs as much as temperature 1.
_PRIOR_LABELS = 100.0
#: Labels at which a language has half the say of one with many when the penalty is chosen.
_FEW_LABELS = 20.0
_LEAST_WEIGHT = 1e-3

Vectors = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Features and answers of labelled texts.

    Attributes:
        features: Features of N texts, N >= 2.
        langs: N language codes.
        targets: (N, W) in [0, 1], the right probabilities.
        groups: N keys; translations of one another have the same.
        weights: (N,) trust in the answers, in (0, 1].
    """

    features: Features
    langs: Sequence[str]
    targets: Matrix
    groups: Sequence[str]
    weights: Vectors

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[np.intp]) -> Labelled:
        """Returns the texts of some rows."""
        return Labelled(
            features=self.features.take(rows),
            langs=[self.langs[row] for row in rows],
            targets=self.targets[rows],
            groups=[self.groups[row] for row in rows],
            weights=self.weights[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A frozen model, and what it predicts for labels that it has not seen.

    Attributes:
        model: The model, fitted on all labels.
        rows: (M,) rows of the labelled texts that were left out, each with its group.
        cross_fitted: (M, W) their logits.
        penalty: The kernel machine's penalty.
    """

    model: FrozenModel
    rows: NDArray[np.intp]
    cross_fitted: Matrix
    penalty: float


def fit_frozen(
    labelled: Labelled,
    pool: Features,
    pool_langs: Sequence[str],
    link: Link,
    rng: np.random.Generator,
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
    """
    labelled = replace(labelled, targets=_possible(labelled.targets, labelled.weights, link))
    rows = _drawn(labelled.langs, MOST_LABELS, rng)
    texts = _drawn(pool_langs, MOST_TEXTS, rng)
    known = labelled.take(rows)
    others = pool.take(texts)
    both = known.features.concat(others)
    langs = [*known.langs, *(pool_langs[row] for row in texts)]
    centres = fit_centres(both.vectors, langs)
    idf = rarity(both.ngrams)
    support = _Support(units=centres.units(both.vectors, langs), ngrams=tf_idf(both.ngrams, idf))
    gram = support.gram()
    kernel = _kernel(known, gram[: len(known), : len(known)], link)
    coefficients = _self_trained(kernel, gram, link)
    hedged = _hedged(kernel.targets, kernel.weights, link)
    logits = kernel.logits(kernel.left)
    scale = 1 / _temperature(logits, hedged, link, kernel.weights)
    model = _model(centres, idf, support, coefficients * 2 * kernel.scale * scale)
    biases = kernel.logits(kernel.prior) * scale
    return Fitted(
        model=replace(model, biases=biases.astype(np.float32)),
        rows=rows,
        cross_fitted=logits * scale,
        penalty=kernel.penalty,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Support:
    """Texts that a kernel machine compares with: unit vectors (S, L, D), and TF-IDF rows."""

    units: NDArray[np.float32]
    ngrams: csr_matrix

    def gram(self) -> Matrix:
        shared = (self.ngrams @ self.ngrams.T).toarray()
        return np.asarray(gaussian(self.units, self.units) + NGRAM_WEIGHT * shared, np.float64)


def _model(
    centres: Centres, idf: NDArray[np.float32], support: _Support, coefficients: Matrix
) -> FrozenModel:
    """Returns the model without biases; its large values need two bytes each in a file."""
    ngrams = NGRAM_WEIGHT * (support.ngrams.T @ coefficients)
    return FrozenModel(
        centres=centres,
        support=support.units.astype(np.float16).astype(np.float32),
        coefficients=coefficients.astype(np.float32),
        idf=idf.astype(np.float16).astype(np.float32),
        ngrams=ngrams.astype(np.float16).astype(np.float32),
        biases=np.zeros(coefficients.shape[1], dtype=np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kernel:
    """A kernel machine that was fitted on labels alone; scores are in [0, 1] or near."""

    gram: Matrix
    targets: Matrix
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]
    penalty: float
    scale: float
    left: Matrix

    def logits(self, scores: Matrix) -> Matrix:
        return self.scale * (2 * scores - 1)


def _kernel(labelled: Labelled, gram: Matrix, link: Link) -> _Kernel:
    """Fits the machine with the penalty whose predictions of left-out groups are best."""
    weights = np.maximum(np.asarray(labelled.weights, dtype=np.float64), _LEAST_WEIGHT)
    targets = np.asarray(labelled.targets, dtype=np.float64)
    prior = np.average(targets, axis=0, weights=weights)
    each = left_out(gram, targets - prior, weights, labelled.groups, PENALTIES)
    share = _language_shares(labelled.langs, weights)
    errors = [
        float((share * ((predicted + prior - targets) ** 2).sum(axis=1)).sum())
        for predicted in each
    ]
    best = int(np.argmin(errors))
    left = each[best] + prior
    steep = _STEEPNESS * (2 * left - 1)
    return _Kernel(
        gram=gram,
        targets=targets,
        weights=weights,
        prior=prior,
        penalty=PENALTIES[best],
        scale=_STEEPNESS / _temperature(steep, targets, link, weights),
        left=left,
    )


def _self_trained(kernel: _Kernel, gram: Matrix, link: Link) -> Matrix:
    """Learns from labels and pool; returns the coefficients of scores (S, W), labels first."""
    labels = len(kernel.targets)
    targets = kernel.targets - kernel.prior
    coefficients = solve(kernel.gram, targets, kernel.weights, kernel.penalty)
    if len(gram) == labels:
        return coefficients
    scores = gram[labels:, :labels] @ coefficients + kernel.prior
    believed = probabilities(kernel.logits(scores), link)
    weights = np.concatenate([kernel.weights, np.full(len(scores), POOL_WEIGHT)])
    return solve(gram, np.concatenate([targets, believed - kernel.prior]), weights, kernel.penalty)


def _temperature(logits: Matrix, targets: Matrix, link: Link, weights: Vectors) -> float:
    """Returns the temperature of logits (N, W) for left-out labels, near 1 if they weigh little."""
    own = math.log(best_temperature(logits, targets, link, weights))
    labels = float(weights.sum())
    return math.exp(own * labels / (labels + _PRIOR_LABELS))


def _possible(targets: Matrix, weights: Vectors, link: Link) -> Matrix:
    """Returns targets in which no label is impossible or certain, by the rule of succession.

    Logistic regression has no optimum for a label that no text has, or that all texts have.
    """
    never, always = (targets == 0).all(axis=0), (targets == 1).all(axis=0)
    if link == "sigmoid":
        rare = 1 / (weights.sum() + 2)
        return np.asarray(np.where(never, rare, np.where(always, 1 - rare, targets)))
    rare = 1 / (weights.sum() + len(never))
    return np.asarray(np.where(never, rare, targets * (1 - never.sum() * rare)))


def _hedged(targets: Matrix, weights: Vectors, link: Link) -> Matrix:
    """Returns targets by the rule of succession (Platt 1999): all right so far is not certainty."""
    count = weights.sum()
    outcomes = 2 if link == "sigmoid" else targets.shape[1]
    return np.asarray((count * targets + 1) / (count + outcomes))


def _language_shares(langs: Sequence[str], weights: Vectors) -> NDArray[np.float64]:
    """Returns shares (N,) by weight; their sum is about the same for languages with many labels."""
    keys = np.array([normalise(lang) for lang in langs])
    _, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, weights=weights)
    return np.asarray(weights / (sums + _FEW_LABELS)[place])


def _drawn(langs: Sequence[str], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Returns all rows in order, or `most` of them, as even over the languages as they allow."""
    if len(langs) <= most:
        return np.arange(len(langs))
    order = rng.permutation(len(langs))
    seen: dict[str, int] = {}
    turns = []
    for row in order.tolist():
        key = normalise(langs[row])
        seen[key] = seen.get(key, 0) + 1
        turns.append(seen[key])
    first = np.argsort(turns, kind="stable")[:most]
    return np.sort(order[first])
