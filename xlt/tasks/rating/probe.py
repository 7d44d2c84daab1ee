"""Probe: one logistic regression per level on frozen sentence vectors: is the answer above it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.logistic import Linear, fit
from xlt.tasks.rating.answers import Number, Scale, places
from xlt.tasks.rating.judging import above
from xlt.tasks.task import Probe


def probe(
    vectors: NDArray[np.floating],
    answers: Sequence[Number],
    scale: Scale,
    *,
    l2: float,
    weights: NDArray[np.floating] | None,
    start: Probe | None,
) -> Linear:
    """Fits the probe; see `xlt.tasks.task.Task.probe`."""
    initial = start if isinstance(start, Linear) else None
    targets = above(places(answers, scale), scale)
    return fit(vectors, targets, "sigmoid", l2=l2, weights=weights, start=initial)
