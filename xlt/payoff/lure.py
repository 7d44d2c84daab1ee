"""LURE: an unbiased estimate of accuracy from selected labels with known chances.

Selected labels differ from the other texts, so their unweighted mean is a biased estimate of
accuracy. If every text had a known chance > 0 at each pick, weights remove the bias: the levelled
unbiased risk estimator of Farquhar, Gal and Rainforth (2021), used to judge models by Kossen et al.
(2021).

It adds little to audit labels. Our sampler is nearly deterministic: a text that it preferred had a
chance near 1 and gets a weight near 0; a text drawn at random, with chance
`control_share / remaining`, gets a weight near `1 / control_share`. So nearly all information is in
the control labels. With a tenth of the labels drawn at random, 100 labels judge about as well as
ten audit labels; they judge better only when much of the pool is labelled. The advantage is that
control labels train as well. Selected labels do not become judges by this method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.metrics import wilson

#: A label's weight is at most this share of all weights (Kossen et al. truncate at 5 to 40 %).
CAP = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Accuracy estimated from weighted labels.

    Attributes:
        accuracy: In [0, 1].
        low: Lower end of the 95 % interval.
        high: Upper end of the interval.
        labels: Number of judged labels.
        effective: Number of random labels that would give the same variance.
    """

    accuracy: float
    low: float
    high: float
    labels: int
    effective: float


def lure_weights(
    propensities: NDArray[np.floating],
    pool: int,
    remaining: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Returns the weight of each of M labels, in the order of picking, each with mean 1.

    `v_m = 1 + (N - M) / (N - m) (1 / ((N - m + 1) q_m) - 1)` for m = 1..M (Farquhar et al. 2021,
    eq. 4); all 1 if M = N. `mean(v * loss)` is then unbiased for the mean loss of the N texts, for
    any dependence on earlier picks.

    Args:
        propensities: (M,) in (0, 1], chance of the m-th text among those that were left.
        pool: N, number of texts that could be picked, M <= N.
        remaining: (M,) number of texts left at each pick, this one included, if texts came and went
            in between; None for N, N - 1, ...

    Raises:
        DataError: If a propensity is not in (0, 1], or there are more picks than texts.
    """
    q = np.asarray(propensities, dtype=np.float64)
    m = len(q)
    if m > pool:
        raise DataError(f"expected at most {pool} picks from {pool} texts, got {m}")
    if not ((q > 0) & (q <= 1)).all():
        bad = q[~((q > 0) & (q <= 1))][0]
        raise DataError(f"a propensity must be in (0, 1], got {bad}")
    if m == pool:
        return np.ones(m)
    before = np.arange(1, m + 1)
    left = pool - before + 1 if remaining is None else np.asarray(remaining, dtype=np.float64)
    return np.asarray(1.0 + (pool - m) / (pool - before) * (1.0 / (left * q) - 1.0))


def capped(weights: NDArray[np.float64], share: float = CAP) -> NDArray[np.float64]:
    """Caps weights at a share of their sum.

    This adds a small bias and reduces the variance: one label with a tiny chance cannot decide
    alone.
    """
    return np.minimum(weights, share * weights.sum()) if len(weights) else weights


def lure(losses: NDArray[np.floating], weights: NDArray[np.float64]) -> float:
    """Returns the unbiased estimate `mean(v * loss)`; weights from `lure_weights`, not capped."""
    return float(np.mean(weights * losses))


def weighted_accuracy(
    credit: NDArray[np.float64], weights: NDArray[np.float64], random_credit: NDArray[np.float64]
) -> Accuracy:
    """Estimates accuracy from selected and random labels, with Wilson's interval.

    Both estimate the same accuracy; they count by their effective numbers, which minimises the
    variance of the combined estimate. Weights of selected labels are divided by their sum, not by
    M: this adds a bias of order 1/M and reduces the variance much, because the sum depends on the
    number of random picks among the M.

    Args:
        credit: (M,) in [0, 1], credit of the prediction for each selected label.
        weights: (M,) > 0, from `lure_weights` or `capped`.
        random_credit: (R,) the same for labels drawn at random (audit labels).
    """
    effective, random = effective_number(weights), len(random_credit)
    hits = effective * float((weights * credit).sum() / weights.sum()) if len(weights) else 0.0
    n = effective + random
    hits = min(n, hits + float(random_credit.sum()))
    low, high = wilson(hits, n)
    share = hits / n if n else 0.0
    labels = len(credit) + random
    return Accuracy(accuracy=share, low=low, high=high, labels=labels, effective=n)


def effective_number(weights: NDArray[np.float64]) -> float:
    """Returns the number of random labels with the same variance as labels with these weights.

    Kish's `(sum v)^2 / sum v^2`, times `sum v / M` if that is below 1: the weights have mean 1, and
    if they sum to less, the random picks that carry the weight are not drawn yet.
    """
    if not len(weights):
        return 0.0
    total = float(weights.sum())
    return total**2 / float((weights**2).sum()) * min(1.0, total / len(weights))
