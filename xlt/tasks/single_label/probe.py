"""Probe: softmax regression on frozen sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.logistic import Linear, fit
from xlt.tasks.single_label.answers import one_hot
from xlt.tasks.task import Probe


def probe(
    vectors: NDArray[np.floating],
    answers: Sequence[str],
    labels: Sequence[str],
    *,
    l2: float,
    weights: NDArray[np.floating] | None,
    start: Probe | None,
) -> Linear:
    """Fits the probe; see `xlt.tasks.task.Task.probe`."""
    initial = start if isinstance(start, Linear) else None
    targets = one_hot(answers, labels)
    return fit(vectors, targets, "softmax", l2=l2, weights=weights, start=initial)
