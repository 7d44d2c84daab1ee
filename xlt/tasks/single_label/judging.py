"""Judging: probabilities, suggestions, uncertainty and credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.sampling.uncertainty import MEASURES
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.single_label.answers import one_hot
from xlt.tasks.task import Suggestion


def fit(
    outputs: Outputs, answers: Sequence[str], langs: Sequence[str], labels: Sequence[str]
) -> Calibration:
    """Fits temperatures of the softmax."""
    return calibration.fit(outputs.values, one_hot(answers, labels), langs, "softmax")


def beliefs(outputs: Outputs, langs: Sequence[str], fitted: Calibration) -> Outputs:
    """Returns the class probabilities (N, C); rows sum to 1."""
    return Outputs(fitted.apply(outputs.values, langs, "softmax"))


def regroup(believed: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
    """Returns the probabilities of groups of labels, given that one of the groups is right.

    Args:
        believed: (N, V) class probabilities.
        columns: C groups of columns, disjoint and not empty.
    """
    values = np.asarray(believed.values, dtype=np.float64)
    # From the largest of a row, so that tiny probabilities keep their ratio and 0 is no divisor.
    groups = np.stack([values[:, list(group)].sum(axis=1) for group in columns], axis=1)
    highest = groups.max(axis=1, keepdims=True, initial=0.0)
    ratios = np.where(highest > 0, groups / np.where(highest > 0, highest, 1.0), 1.0)
    return Outputs(ratios / ratios.sum(axis=1, keepdims=True))


def decode(believed: Outputs, labels: Sequence[str]) -> list[Suggestion]:
    """Returns the most probable label of each example."""
    best = believed.values.argmax(axis=1).tolist()
    return [
        Suggestion(
            answer=labels[number],
            confidence=row[number],
            probabilities=dict(zip(labels, row, strict=True)),
        )
        for number, row in zip(best, believed.values.tolist(), strict=True)
    ]


def uncertainty(believed: Outputs, measure: str) -> NDArray[np.float64]:
    """Returns an uncertainty measure of each example, (N,) in [0, 1].

    Raises:
        ConfigError: If there is none of that name.
    """
    if measure not in MEASURES:
        raise ConfigError(f"measure must be one of {list(MEASURES)}, got {measure!r}")
    return MEASURES[measure](believed.values)


def credit(truth: Sequence[str], predicted: Sequence[str]) -> NDArray[np.float64]:
    """Returns 1 for each right label, 0 for each wrong one: (N,)."""
    return np.array([a == b for a, b in zip(truth, predicted, strict=True)], dtype=np.float64)


def brier(believed: Outputs, answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the squared distance of the probabilities from the right ones, (N,)."""
    return np.asarray(((believed.values - one_hot(answers, labels)) ** 2).sum(axis=1))


def summary(truth: Sequence[str], predicted: Sequence[str]) -> Mapping[str, float]:
    """Returns the macro-averaged F1."""
    return {"macro_f1": macro_f1(truth, predicted)}


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Returns the mean F1 over the labels that occur in either sequence; 0 if there is none."""
    names = sorted(set(truth) | set(predicted))
    if not names:
        return 0.0
    total = 0.0
    for name in names:
        hits = sum(a == b == name for a, b in zip(truth, predicted, strict=True))
        seen = sum(a == name for a in truth) + sum(b == name for b in predicted)
        total += 2 * hits / seen
    return total / len(names)
