"""Judging: probabilities of the two texts, suggestions, uncertainty and credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.sampling.uncertainty import MEASURES
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.pairwise.answers import one_hot
from xlt.tasks.task import Suggestion


def fit(
    outputs: Outputs, answers: Sequence[str], langs: Sequence[str], labels: Sequence[str]
) -> Calibration:
    """Fits temperatures of the softmax; they keep left and right symmetric."""
    return calibration.fit(outputs.values, one_hot(answers, labels), langs, "softmax")


def beliefs(outputs: Outputs, langs: Sequence[str], fitted: Calibration) -> Outputs:
    """Returns the probabilities (N, 2) of the left and the right text; rows sum to 1."""
    return Outputs(fitted.apply(outputs.values, langs, "softmax"))


def decode(believed: Outputs, labels: Sequence[str]) -> list[Suggestion]:
    """Returns the more probable text of each example."""
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
    """Returns 1 for each right choice, 0 for each wrong one: (N,)."""
    return np.array([a == b for a, b in zip(truth, predicted, strict=True)], dtype=np.float64)


def brier(believed: Outputs, answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the squared distance of the probabilities from the right ones, (N,)."""
    return np.asarray(((believed.values - one_hot(answers, labels)) ** 2).sum(axis=1))


def summary(
    truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> Mapping[str, float]:
    """Returns the share of examples of which the left text is chosen, by annotators and model.

    If the two differ, the model or the annotators prefer a place to a text.
    """
    shares = {"left_given": truth, "left_predicted": predicted}
    return {
        name: float(np.mean([answer == labels[0] for answer in answers])) if answers else 0.0
        for name, answers in shares.items()
    }
