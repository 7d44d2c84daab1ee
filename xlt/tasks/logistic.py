"""A quick head: logistic regression on frozen sentence vectors.

The same function that the warm start of `xlt.tasks.single_label.head` fits, with the same penalty:
what labels are worth is measured in seconds where training needs hours. Choosing on frozen vectors
and fine-tuning at the end loses little (Vysogorets, Dai, Rieder, Kersting 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """A linear classifier: weights (C, D) and biases (C,)."""

    weights: NDArray[np.float64]
    biases: NDArray[np.float64]

    def logits(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, C) of rows (N, D) that were scaled like the ones it was fitted on."""
        return np.asarray(rows @ self.weights.T + self.biases)


def scaled(vectors: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors` (N, D) moved and scaled such that `of` (M, D) has mean 0 and mean length 1."""
    center = of.mean(axis=0)
    scale = max(float(np.linalg.norm(of - center, axis=1).mean()), 1e-6)
    return np.asarray((vectors - center) / np.float32(scale))


def fit_head(
    rows: NDArray[np.floating],
    labels: NDArray[np.intp],
    classes: int,
    *,
    l2: float,
    start: Head | None = None,
) -> Head:
    """Minimises the summed cross-entropy plus `l2 / 2` times the squared norm of the weights.

    Args:
        rows: (N, D).
        labels: (N,) class numbers; none makes a head that finds all classes equally likely.
        classes: How many classes there are, seen or not.
        l2: The penalty, > 0.
        start: Where to begin; the optimum is the same, it is found sooner.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # no stubs

    n, width = rows.shape
    first = start or Head(weights=np.zeros((classes, width)), biases=np.zeros(classes))
    if n == 0:
        return first
    x = np.asarray(rows, dtype=np.float64)
    right = np.eye(classes)[labels]  # (N, C)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, biases = flat[: classes * width].reshape(classes, width), flat[classes * width :]
        z = x @ weights.T + biases
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        value = float((np.log(total) - (z * right).sum(axis=1, keepdims=True)).sum())
        slope = e / total - right  # (N, C)
        of_weights = slope.T @ x + l2 * weights
        flat_slope = np.concatenate([of_weights.ravel(), slope.sum(axis=0)])
        return (value + 0.5 * l2 * float((weights**2).sum())) / n, flat_slope / n

    begin = np.concatenate([first.weights.ravel(), first.biases])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_STEPS})
    return Head(
        weights=found.x[: classes * width].reshape(classes, width),
        biases=found.x[classes * width :],
    )
