"""Judging of answers that are one of the labels: probabilities, suggestion, uncertainty, credit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.sampling.uncertainty import MEASURES
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Suggestion


def fit(outputs: Outputs, targets: NDArray[np.float64], langs: Sequence[str]) -> Calibration:
    """Fits temperatures of the softmax for the right probabilities (N, C)."""
    return calibration.fit(outputs.values, targets, langs, "softmax")


def beliefs(outputs: Outputs, langs: Sequence[str], fitted: Calibration) -> Outputs:
    """Returns the class probabilities (N, C); rows sum to 1."""
    return Outputs(fitted.apply(outputs.values, langs, "softmax"))


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


def brier(believed: Outputs, targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the squared distance of the probabilities from the right ones (N, C), (N,)."""
    return np.asarray(((believed.values - targets) ** 2).sum(axis=1))
