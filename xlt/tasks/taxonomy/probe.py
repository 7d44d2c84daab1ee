"""Probe: softmax regression on frozen sentence vectors, or one logistic regression per path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Link
from xlt.tasks.logistic import Linear, fit
from xlt.tasks.task import Probe


def probe(
    vectors: NDArray[np.floating],
    targets: NDArray[np.float64],
    link: Link,
    *,
    l2: float,
    weights: NDArray[np.floating] | None,
    start: Probe | None,
) -> Linear:
    """Fits the probe; see `xlt.tasks.task.Task.probe`."""
    initial = start if isinstance(start, Linear) else None
    return fit(vectors, targets, link, l2=l2, weights=weights, start=initial)
