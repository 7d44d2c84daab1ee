"""The kernel machine: ridge regression whose labels left out choose its penalty and its scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.frozen.features import Labelled
from xlt.frozen.ridge import Matrix, left_out, solve
from xlt.tasks.calibration import Link, best_temperature, probabilities

#: Penalties of the kernel machine; its predictions of left-out groups choose one.
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Weight of a text without a label in self-training; a label has 1.
POOL_WEIGHT = 0.3
#: Labels of each class that are supposed beside those given when shares of classes are expected.
SUPPOSED_LABELS = 10.0

#: Scores in [0, 1] times this are logits that `best_temperature` can correct either way.
_STEEPNESS = 4.0
#: Labels at which the measured temperature weighs as much as temperature 1.
_PRIOR_LABELS = 100.0
#: Labels at which a language has half the say of one with many when the penalty is chosen.
_FEW_LABELS = 20.0
_LEAST_WEIGHT = 1e-3
_LEAST_SHARE = 1e-9
_PASSES = 3

Vectors = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """A kernel machine that was fitted on labels alone; its scores are in [0, 1] or near.

    Attributes:
        gram: (N, N) kernel of the labelled texts.
        targets: (N, W) the right probabilities.
        weights: (N,) trust in them.
        prior: (W,) their mean, which a text without a like one gets.
        penalty: The penalty whose predictions of left-out groups are best.
        scale: Factor that makes logits of scores.
        left: (N, W) scores of the texts without their groups.
        error: Their mean squared error over languages.
    """

    gram: Matrix
    targets: Matrix
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]
    penalty: float
    scale: float
    left: Matrix
    error: float

    def logits(self, scores: Matrix) -> Matrix:
        """Returns logits (N, W) of scores (N, W)."""
        return self.scale * (2 * scores - 1)


def fit_machine(labelled: Labelled, gram: Matrix, link: Link) -> Machine:
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
    return Machine(
        gram=gram,
        targets=targets,
        weights=weights,
        prior=prior,
        penalty=PENALTIES[best],
        scale=_STEEPNESS / _temperature(steep, targets, link, weights),
        left=left,
        error=errors[best],
    )


def self_trained(machine: Machine, gram: Matrix, link: Link) -> Matrix:
    """Learns from labels and pool; returns the coefficients of scores (S, W), labels first.

    If a text has one label, the pool's shares of labels are those that the given ones let expect:
    with few labels the scores lean towards the one that was given most by chance ("distribution
    alignment" of Berthelot et al. 2020).
    """
    labels = len(machine.targets)
    targets = machine.targets - machine.prior
    coefficients = solve(machine.gram, targets, machine.weights, machine.penalty)
    if len(gram) == labels:
        return coefficients
    scores = gram[labels:, :labels] @ coefficients + machine.prior
    believed = probabilities(machine.logits(scores), link)
    if link == "softmax":
        believed = balanced(believed, expected_shares(machine.prior, float(machine.weights.sum())))
    weights = np.concatenate([machine.weights, np.full(len(scores), POOL_WEIGHT)])
    return solve(
        gram, np.concatenate([targets, believed - machine.prior]), weights, machine.penalty
    )


def expected_shares(prior: NDArray[np.float64], labels: float) -> NDArray[np.float64]:
    """Returns shares (W,) of classes among all texts, nearer to even ones with fewer labels.

    Args:
        prior: (W,) shares among the given labels.
        labels: Their number, by weight.
    """
    supposed = SUPPOSED_LABELS * len(prior)
    return np.asarray((labels * prior + SUPPOSED_LABELS) / (labels + supposed))


def balanced(believed: Matrix, shares: NDArray[np.float64]) -> Matrix:
    """Returns probabilities (N, W) like those believed, whose means come near to shares (W,)."""
    for _ in range(_PASSES):
        believed = believed * (shares / np.maximum(believed.mean(axis=0), _LEAST_SHARE))
        believed /= believed.sum(axis=1, keepdims=True)
    return believed


def _temperature(logits: Matrix, targets: Matrix, link: Link, weights: Vectors) -> float:
    """Returns the temperature of logits (N, W) for left-out labels, near 1 if they weigh little."""
    own = math.log(best_temperature(logits, targets, link, weights))
    labels = float(weights.sum())
    return math.exp(own * labels / (labels + _PRIOR_LABELS))


def possible(targets: Matrix, weights: Vectors, link: Link) -> Matrix:
    """Returns targets in which no label is impossible or certain, by the rule of succession.

    No temperature suits a label that no text has, or that all texts have.
    """
    never, always = (targets == 0).all(axis=0), (targets == 1).all(axis=0)
    if link == "sigmoid":
        rare = 1 / (weights.sum() + 2)
        return np.asarray(np.where(never, rare, np.where(always, 1 - rare, targets)))
    rare = 1 / (weights.sum() + len(never))
    return np.asarray(np.where(never, rare, targets * (1 - never.sum() * rare)))


def hedged(machine: Machine, link: Link) -> float:
    """Returns the factor of the logits that left-out labels call for, by the rule of succession.

    All right so far is not certainty (Platt 1999).
    """
    count = machine.weights.sum()
    outcomes = 2 if link == "sigmoid" else machine.targets.shape[1]
    targets = (count * machine.targets + 1) / (count + outcomes)
    return 1 / _temperature(machine.logits(machine.left), targets, link, machine.weights)


def _language_shares(langs: Sequence[str], weights: Vectors) -> NDArray[np.float64]:
    """Returns shares (N,) by weight; their sum is about the same for languages with many labels."""
    keys = np.array([normalise(lang) for lang in langs])
    _, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, weights=weights)
    return np.asarray(weights / (sums + _FEW_LABELS)[place])
