"""Judging: how probably a rating is above each level, the rating with most expected credit.

A model has one output for each two levels next to each other: is the answer above the lower one
(cumulative link, McCullagh 1980, each with weights of its own)? An answer between two levels of a
fine scale is above the lower one by a part. Its credit is 1 minus its distance from the right
answer, as a share of the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.rating.answers import Number, Scale, places
from xlt.tasks.task import Suggestion

Matrix = NDArray[np.float64]


def above(at: NDArray[np.intp], scale: Scale) -> Matrix:
    """Returns by how much answers are above each level but the highest, (N, K - 1) in [0, 1].

    Args:
        at: (N,) places of the answers on the scale.
        scale: The scale.
    """
    levels = scale.levels
    return np.asarray(np.clip((at[:, None] - levels[:-1]) / np.diff(levels), 0.0, 1.0))


def fit(
    outputs: Outputs, answers: Sequence[Number], langs: Sequence[str], scale: Scale
) -> Calibration:
    """Fits temperatures of the sigmoid."""
    targets = above(places(answers, scale), scale)
    return calibration.fit(outputs.values, targets, langs, "sigmoid")


def beliefs(outputs: Outputs, langs: Sequence[str], fitted: Calibration) -> Outputs:
    """Returns how probably the answer is above each level but the highest, (N, K - 1).

    Each row is put in descending order, which brings estimates of a monotone function nearer to it
    (Chernozhukov, Fernández-Val, Galichon 2009).
    """
    return Outputs(-np.sort(-fitted.apply(outputs.values, langs, "sigmoid"), axis=1))


def decide(believed: Outputs, scale: Scale) -> tuple[NDArray[np.intp], Matrix]:
    """Returns the places (N,) with most expected credit, and that credit (N,).

    Between two levels the credit is that of the distribution in which the answer is as far above
    the lower one as is believed. If all numbers are levels, the place is the median.
    """
    p = np.asarray(believed.values, dtype=np.float64)
    levels = scale.levels
    gaps = np.diff(levels)
    wrong_above, wrong_below = gaps * p, gaps * (1.0 - p)
    # Expected distance of an answer within each interval, without that interval's own part.
    below = np.cumsum(wrong_below, axis=1) - wrong_below
    beyond = wrong_above.sum(axis=1, keepdims=True) - np.cumsum(wrong_above, axis=1)
    best = (below + beyond).argmin(axis=1)
    within = np.take_along_axis(p, best[:, None], axis=1)[:, 0] * gaps[best]
    place = np.floor(levels[best] + within + 0.5).astype(np.intp)
    distance = (gaps * np.abs(p - above(place, scale))).sum(axis=1)
    return place, np.clip(1.0 - distance / scale.steps, 0.0, 1.0)


def decode(believed: Outputs, scale: Scale, labels: Sequence[str]) -> list[Suggestion]:
    """Returns the number with most expected credit of each example."""
    place, confidence = decide(believed, scale)
    p = np.asarray(believed.values, dtype=np.float64)
    ends = np.ones((len(p), 1))
    share = -np.diff(np.concatenate([ends, p, 0.0 * ends], axis=1), axis=1)  # (N, K)
    return [
        Suggestion(
            answer=scale.value(at),
            confidence=sure,
            probabilities=dict(zip(labels, row, strict=True)),
        )
        for at, sure, row in zip(place.tolist(), confidence.tolist(), share.tolist(), strict=True)
    ]


def _distance(believed: Outputs, scale: Scale) -> Matrix:
    """Returns twice the expected distance from the suggestion, as a share of the scale."""
    return 2.0 * (1.0 - decide(believed, scale)[1])


def _entropy(believed: Outputs, scale: Scale) -> Matrix:
    """Returns the mean entropy in bits of being above each level."""
    p = np.asarray(believed.values, dtype=np.float64)
    q = np.stack([p, 1.0 - p])
    each = -(q * np.log2(np.where(q > 0, q, 1.0))).sum(axis=0)
    return np.asarray(each @ np.diff(scale.levels) / scale.steps)


#: Measures of uncertainty. Both are greatest if either end of the scale is as probable.
MEASURES: dict[str, Callable[[Outputs, Scale], Matrix]] = {
    "distance": _distance,
    "entropy": _entropy,
}


def uncertainty(believed: Outputs, scale: Scale, measure: str) -> Matrix:
    """Returns an uncertainty measure of each example, (N,) in [0, 1].

    Raises:
        ConfigError: If there is none of that name.
    """
    if measure not in MEASURES:
        raise ConfigError(f"measure must be one of {list(MEASURES)}, got {measure!r}")
    return np.clip(MEASURES[measure](believed, scale), 0.0, 1.0)


def credit(truth: NDArray[np.intp], predicted: NDArray[np.intp], scale: Scale) -> Matrix:
    """Returns 1 minus the distance of each two places (N,), as a share of the scale."""
    return np.asarray(1.0 - np.abs(truth - predicted) / scale.steps)


def brier(believed: Outputs, answers: Sequence[Number], scale: Scale) -> Matrix:
    """Returns the ranked probability score, (N,) (Epstein 1969), not divided."""
    targets = above(places(answers, scale), scale)
    return np.asarray(((believed.values - targets) ** 2).sum(axis=1))


def summary(truth: NDArray[np.intp], predicted: NDArray[np.intp]) -> Mapping[str, float]:
    """Returns the share of exactly right answers, and the quadratic weighted kappa, at least 0."""
    if not len(truth):
        return {"exact": 0.0, "quadratic_kappa": 0.0}
    return {
        "exact": float((truth == predicted).mean()),
        "quadratic_kappa": max(0.0, quadratic_kappa(truth, predicted)),
    }


def quadratic_kappa(truth: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    """Returns the agreement beyond chance by squared distances (Cohen 1968).

    It is 1 if all are equal, and below 0 if they are farther apart than by chance.
    """
    a, b = truth.astype(np.float64), predicted.astype(np.float64)
    seen = float(((a - b) ** 2).mean())
    # The mean over all pairs of a rating of one and a rating of the other.
    chance = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    return 1.0 - seen / chance if chance > 0 else 1.0
