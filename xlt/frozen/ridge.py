"""Kernel ridge regression with a Gaussian kernel, and its predictions of left-out groups.

The predictions of left-out examples have a closed form, so that no model is fitted again
(Rifkin, Lippert 2007, "Notes on Regularized Least Squares", for single examples).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def gaussian(left: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.floating]:
    """Returns the mean over layers of exp(-|a - b|^2), (N, M), in the type of `left`.

    Args:
        left: (N, L, D), a unit vector for each layer.
        right: (M, L, D).
    """
    layers = left.shape[1]
    total = np.zeros((len(left), len(right)), dtype=left.dtype)
    for layer in range(layers):
        products = left[:, layer] @ right[:, layer].T
        total += np.exp(2.0 * (products - 1.0))
    return np.asarray(total / layers)


def solve(gram: Matrix, targets: Matrix, weights: NDArray[np.floating], penalty: float) -> Matrix:
    """Returns the coefficients (N, W) whose sum of kernels minimises the penalised squared error.

    Args:
        gram: (N, N) kernel of the examples.
        targets: (N, W).
        weights: (N,) > 0, weights of the examples.
        penalty: > 0, on the squared norm of the function.
    """
    from scipy.linalg import solve as solved  # type: ignore[import-untyped]  # no stubs

    return np.asarray(solved(gram + np.diag(penalty / weights), targets, assume_a="pos"))


def left_out(
    gram: Matrix,
    targets: Matrix,
    weights: NDArray[np.floating],
    groups: Sequence[str],
    penalties: Sequence[float],
) -> list[Matrix]:
    """Returns, for each penalty, what is predicted for each example without its group.

    With G = gram + penalty / weights and c = G^-1 targets, the predictions for group g by a fit
    without it are targets_g - ((G^-1)_gg)^-1 c_g.

    Args:
        gram: (N, N).
        targets: (N, W).
        weights: (N,) > 0.
        groups: N keys: translations of one another have the same.
        penalties: P values > 0.

    Returns:
        P arrays (N, W).
    """
    # Scaled by the weights' roots, one decomposition serves all penalties.
    roots = np.sqrt(np.asarray(weights, dtype=np.float64))
    values, vectors = np.linalg.eigh(gram * np.outer(roots, roots))
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    alone = [row for rows in members.values() if len(rows) == 1 for row in rows]
    together = [rows for rows in members.values() if len(rows) > 1]
    predictions = []
    for penalty in penalties:
        shrunk = vectors / (values + penalty)
        coefficients = roots[:, None] * (shrunk @ (vectors.T @ (roots[:, None] * targets)))
        predicted = np.empty_like(targets)
        own = roots**2 * (shrunk * vectors).sum(axis=1)  # of texts without a group: a number each
        predicted[alone] = targets[alone] - coefficients[alone] / own[alone, None]
        for rows in together:
            block = shrunk[rows] @ vectors[rows].T * np.outer(roots[rows], roots[rows])
            predicted[rows] = targets[rows] - np.linalg.solve(block, coefficients[rows])
        predictions.append(predicted)
    return predictions
