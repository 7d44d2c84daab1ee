"""Predictions from scores: calibrated beliefs, suggestions and uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.task import AnyTask, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Predictions of a model for N examples.

    Attributes:
        scores: Outputs and sentence vectors.
        beliefs: Calibrated probabilities.
        suggestions: The answers with most expected credit.
        uncertainty: (N,) in [0, 1], higher = less sure.
    """

    scores: Scores
    beliefs: Outputs
    suggestions: list[Suggestion]
    uncertainty: NDArray[np.float64]


def interpret(
    task: AnyTask,
    scores: Scores,
    langs: Sequence[str],
    calibration: Calibration,
    *,
    measure: str | None = None,
) -> Predictions:
    """Makes predictions from scores.

    Args:
        task: Task of the predictions.
        scores: Scores of N examples.
        langs: N language codes.
        calibration: Calibration of the model that gave the scores.
        measure: Uncertainty measure; None for the task's default.
    """
    beliefs = task.beliefs(scores.outputs, langs, calibration)
    return Predictions(
        scores=scores,
        beliefs=beliefs,
        suggestions=task.decode(beliefs),
        uncertainty=task.uncertainty(beliefs, measure),
    )
