"""Fits a frozen model: kernel ridge regression with self-training, and logistic regression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.config import HEAD_L2
from xlt.data.languages import normalise
from xlt.frozen.centres import Centres, fit_centres
from xlt.frozen.model import FrozenModel
from xlt.frozen.ridge import Matrix, gaussian, left_out, solve
from xlt.tasks import logistic
from xlt.tasks.calibration import Link, best_temperature, probabilities
from xlt.tasks.logistic import Linear
from xlt.tasks.swaps import Swap

#: Penalties of the kernel machine; its predictions of left-out groups choose one.
PENALTIES = (0.1, 0.3, 1.0, 3.0)
#: Weight of a text without a label in self-training; a label has 1.
POOL_WEIGHT = 0.3
#: Share of the kernel machine in the logits; the rest is the linear layer's.
KERNEL_SHARE = 0.65
#: Largest numbers of labels and of other texts that the kernel machine compares with: the time
#: grows with the cube of their sum. The linear layer learns from all labels.
MOST_LABELS, MOST_TEXTS = 3000, 2000

#: Scores in [0, 1] times this are logits that `best_temperature` can correct either way.
_STEEPNESS = 4.0
#: Labels at which the measured temperature weighs as much as temperature 1.
_PRIOR_LABELS = 100.0
#: Labels at which a language has half the say of one with many when the penalty is chosen.
_FEW_LABELS = 20.0
_FOLDS = 5
_LEAST_WEIGHT = 1e-3

Vectors = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Vectors and answers of labelled texts.

    Attributes:
        vectors: (N, D), N >= 2.
        langs: N language codes.
        targets: (N, W) in [0, 1], the right probabilities.
        groups: N keys; translations of one another have the same.
        weights: (N,) trust in the answers, in (0, 1].
    """

    vectors: Vectors
    langs: Sequence[str]
    targets: Matrix
    groups: Sequence[str]
    weights: Vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: NDArray[np.intp]) -> Labelled:
        """Returns the texts of some rows."""
        return Labelled(
            vectors=self.vectors[rows],
            langs=[self.langs[row] for row in rows],
            targets=self.targets[rows],
            groups=[self.groups[row] for row in rows],
            weights=self.weights[rows],
        )

    def both_orders(self, swap: Swap) -> Labelled:
        """Returns the examples, and the same with their two texts and their targets exchanged."""
        return Labelled(
            vectors=np.concatenate([self.vectors, swap(self.vectors)]),
            langs=[*self.langs, *self.langs],
            targets=np.concatenate([self.targets, self.targets[:, ::-1]]),
            groups=[*self.groups, *self.groups],
            weights=np.concatenate([self.weights, self.weights]),
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
    pool: Vectors,
    pool_langs: Sequence[str],
    link: Link,
    rng: np.random.Generator,
    *,
    l2: float = HEAD_L2,
    swap: Swap | None = None,
) -> Fitted:
    """Fits a frozen model.

    The kernel machine labels the pool by its own probabilities and learns from both (self-training
    with soft labels). Both models are brought to the scale of logits by predictions of left-out
    groups, then averaged.

    Args:
        labelled: The labelled texts.
        pool: (P, D) vectors of texts without a label; P may be 0.
        pool_langs: P language codes.
        link: Function from logits to probabilities.
        rng: Draws the rows of the kernel machine if there are too many, and the folds.
        l2: Penalty of the linear layer, see `xlt.tasks.logistic.fit`.
        swap: See `FrozenModel`. Both orders of the texts are learned then; `Fitted.rows` beyond N
            are those of exchanged texts.
    """
    if swap is not None:
        labelled = labelled.both_orders(swap)
        pool, pool_langs = np.concatenate([pool, swap(pool)]), [*pool_langs, *pool_langs]
    labelled = replace(labelled, targets=_possible(labelled.targets, labelled.weights, link))
    centres = fit_centres(np.concatenate([labelled.vectors, pool]), [*labelled.langs, *pool_langs])
    rows = _drawn(labelled.langs, MOST_LABELS, rng)
    texts = _drawn(pool_langs, MOST_TEXTS, rng)
    kernel = _kernel(labelled.take(rows), centres, link)
    support, coefficients = _self_trained(
        kernel, centres.units(pool[texts], [pool_langs[row] for row in texts]), link
    )
    linear, left_linear = _linear(labelled, link, l2 * (1 if swap is None else 2), rng)
    mixed = KERNEL_SHARE * kernel.logits(kernel.left) + (1 - KERNEL_SHARE) * left_linear[rows]
    hedged = _hedged(kernel.targets, kernel.weights, link)
    scale = 1 / _temperature(mixed, hedged, link, kernel.weights)
    prior = kernel.logits(kernel.prior) * KERNEL_SHARE
    share = (1 - KERNEL_SHARE) * scale
    model = FrozenModel(
        centres=centres,
        support=support,
        coefficients=(coefficients * 2 * kernel.scale * KERNEL_SHARE * scale).astype(np.float32),
        linear=Linear(weights=linear.weights * share, biases=linear.biases * share + prior * scale),
        swap=swap,
    )
    return Fitted(model=model, rows=rows, cross_fitted=mixed * scale, penalty=kernel.penalty)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kernel:
    """A kernel machine that was fitted on labels alone; scores are in [0, 1] or near."""

    units: NDArray[np.float32]
    gram: Matrix
    targets: Matrix
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]
    penalty: float
    scale: float
    left: Matrix

    def logits(self, scores: Matrix) -> Matrix:
        return self.scale * (2 * scores - 1)


def _kernel(labelled: Labelled, centres: Centres, link: Link) -> _Kernel:
    """Fits the machine with the penalty whose predictions of left-out groups are best."""
    units = centres.units(labelled.vectors, labelled.langs)
    weights = np.maximum(np.asarray(labelled.weights, dtype=np.float64), _LEAST_WEIGHT)
    targets = np.asarray(labelled.targets, dtype=np.float64)
    prior = np.average(targets, axis=0, weights=weights)
    gram = gaussian(units, units)
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
        units=units,
        gram=gram,
        targets=targets,
        weights=weights,
        prior=prior,
        penalty=PENALTIES[best],
        scale=_STEEPNESS / _temperature(steep, targets, link, weights),
        left=left,
    )


def _self_trained(
    kernel: _Kernel, units: NDArray[np.float32], link: Link
) -> tuple[NDArray[np.float32], Matrix]:
    """Learns from labels and pool: the support (S, D), and coefficients (S, W) of scores."""
    targets = kernel.targets - kernel.prior
    coefficients = solve(kernel.gram, targets, kernel.weights, kernel.penalty)
    if not len(units):
        return kernel.units, coefficients
    scores = gaussian(units, kernel.units) @ coefficients + kernel.prior
    believed = probabilities(kernel.logits(scores), link)
    support = np.concatenate([kernel.units, units])
    weights = np.concatenate([kernel.weights, np.full(len(units), POOL_WEIGHT)])
    both = np.concatenate([targets, believed - kernel.prior])
    return support, solve(gaussian(support, support), both, weights, kernel.penalty)


def _linear(
    labelled: Labelled, link: Link, l2: float, rng: np.random.Generator
) -> tuple[Linear, Matrix]:
    """Returns the layer on vectors as they are, and its logits (N, W) of left-out groups."""
    fold = _folds(labelled.groups, rng)
    left = np.zeros_like(labelled.targets, dtype=np.float64)
    for number in np.unique(fold):
        rest = np.flatnonzero(fold != number)
        layer = _layer(labelled.take(rest), link, l2)
        left[fold == number] = layer.outputs(labelled.vectors[fold == number]).values
    scale = 1 / _temperature(left, labelled.targets, link, labelled.weights)
    layer = _layer(labelled, link, l2)
    return Linear(weights=layer.weights * scale, biases=layer.biases * scale), left * scale


def _layer(labelled: Labelled, link: Link, l2: float) -> Linear:
    """Fits logistic regression; the layer takes vectors as they are."""
    rows = np.asarray(labelled.vectors, dtype=np.float64)
    if not len(rows):
        width = labelled.targets.shape[1]
        return Linear(weights=np.zeros((width, rows.shape[1])), biases=np.zeros(width))
    centre = rows.mean(axis=0)
    length = max(float(np.linalg.norm(rows - centre, axis=1).mean()), 1e-6)
    scaled = (rows - centre) / length
    layer = logistic.fit(scaled, labelled.targets, link, l2=l2, weights=labelled.weights)
    weights = layer.weights / length
    return Linear(weights=weights, biases=layer.biases - weights @ centre)


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


def _folds(groups: Sequence[str], rng: np.random.Generator) -> NDArray[np.intp]:
    """Returns the fold (N,) of each text; a group is in one fold."""
    names = sorted(set(groups))
    fold = dict(zip(names, rng.permutation(len(names)) % _FOLDS, strict=True))
    return np.array([fold[group] for group in groups], dtype=np.intp)


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
