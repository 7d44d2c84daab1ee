"""Penalised logistic regression on frozen sentence vectors, softmax or sigmoid.

One function fits the warm start of a training, the probes that measure the payoff of labels and
those that review labels. The penalty is `xlt.config.HEAD_L2`; exceptions give a reason. Selecting
texts with frozen vectors and fine-tuning at the end loses little accuracy (Vysogorets, Dai, Rieder,
Kersting 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Link
from xlt.tasks.outputs import Outputs

_MAX_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """A linear layer: weights (W, D) and biases (W,)."""

    weights: NDArray[np.float64]
    biases: NDArray[np.float64]

    def outputs(self, vectors: NDArray[np.floating]) -> Outputs:
        """Returns logits (N, W) of vectors (N, D), scaled like those of the fit."""
        return Outputs(np.asarray(vectors @ self.weights.T + self.biases))


def scaled(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moves and scales vectors (N, D) so that `reference` (M, D) has mean 0 and mean length 1."""
    center = reference.mean(axis=0)
    scale = max(float(np.linalg.norm(reference - center, axis=1).mean()), 1e-6)
    return np.asarray((vectors - center) / np.float32(scale))


def fit(
    rows: NDArray[np.floating],
    targets: NDArray[np.floating],
    link: Link,
    *,
    l2: float,
    weights: NDArray[np.floating] | None = None,
    start: Linear | None = None,
) -> Linear:
    """Minimises the summed cross-entropy plus `l2 / 2` times the squared norm of the weights.

    Args:
        rows: (N, D).
        targets: (N, W) in [0, 1], the right probabilities; N = 0 makes a layer of zeros.
        link: Function from logits to probabilities.
        l2: The penalty, > 0: 1 / C of scikit-learn.
        weights: (N,) >= 0, weights of the rows, of any scale; None for equal weights.
        start: Starting point; it saves time and does not change the optimum.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # no stubs

    n, width = rows.shape
    classes = targets.shape[1]
    first = start or Linear(weights=np.zeros((classes, width)), biases=np.zeros(classes))
    if n == 0:
        return first
    x = np.asarray(rows, dtype=np.float64)
    share = None if weights is None else (weights * (n / weights.sum())).reshape(-1, 1)  # (N, 1)
    loss_of = _softmax_loss if link == "softmax" else _sigmoid_loss

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        layer, biases = flat[: classes * width].reshape(classes, width), flat[classes * width :]
        each, slope = loss_of(x @ layer.T + biases, targets)  # (N, 1), (N, W)
        if share is not None:
            each, slope = each * share, slope * share
        slope_of_weights = slope.T @ x + l2 * layer
        flat_slope = np.concatenate([slope_of_weights.ravel(), slope.sum(axis=0)])
        return (float(each.sum()) + 0.5 * l2 * float((layer**2).sum())) / n, flat_slope / n

    initial = np.concatenate([first.weights.ravel(), first.biases])
    best = minimize(loss, initial, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_STEPS})
    return Linear(
        weights=best.x[: classes * width].reshape(classes, width),
        biases=best.x[classes * width :],
    )


def _softmax_loss(
    z: NDArray[np.float64], targets: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the cross-entropy of each row (N, 1), and its slope in the logits (N, W)."""
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    return np.log(total) - (z * targets).sum(axis=1, keepdims=True), e / total - targets


def _sigmoid_loss(
    z: NDArray[np.float64], targets: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the sum of each row's binary cross-entropies (N, 1), and its slope (N, W)."""
    each = np.logaddexp(0.0, z) - z * targets
    return each.sum(axis=1, keepdims=True), 0.5 * (1.0 + np.tanh(0.5 * z)) - targets
