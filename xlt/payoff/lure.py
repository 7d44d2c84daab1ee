"""LURE: an unbiased accuracy from labels that were chosen, where the chances are known.

Labels that a sampler chose are not like the rest, and an unweighted mean of them says little of a
model. Where every text had a known chance > 0 at each pick, weights put that right: the levelled
unbiased risk estimator of Farquhar, Gal and Rainforth (2021), used for judging models by Kossen et
al. (2021).

What it adds beyond audit labels, plainly: under a sampler that is nearly deterministic, as ours is,
a text that the sampler wanted had a chance near 1 and gets a weight near 0; a text drawn at random,
with chance `control_share / remaining`, gets one near `1 / control_share`. So nearly all of the
information is in the control labels: with a tenth of the labels drawn at random, a hundred labels
judge about as well as ten audit labels, and only the finite pool, of which much is labelled at the
end, makes it better than that. Its worth is that control labels train as well. The labels that were
chosen do not become judges by it.
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
    """What weighted labels say of a model.

    Attributes:
        accuracy: In [0, 1].
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        labels: How many labels were judged.
        effective: How many labels drawn at random would say as much.
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
    """The weight of each of M labels, in the order in which they were picked, each with mean 1.

    `v_m = 1 + (N - M) / (N - m) (1 / ((N - m + 1) q_m) - 1)` for m = 1..M (Farquhar et al. 2021,
    eq. 4); all 1 where M = N. `mean(v * loss)` is then unbiased for the mean loss of the N texts,
    whatever the picks before depend on.

    Args:
        propensities: (M,) chances in (0, 1]: of the m-th text among those that were left.
        pool: N, texts of which these are picks, M <= N.
        remaining: (M,) how many were left at each pick, it included, where texts came and went
            meanwhile; None: N, N - 1, ...

    Raises:
        DataError: If a propensity is not in (0, 1], or there are more picks than texts.
    """
    q = np.asarray(propensities, dtype=np.float64)
    m = len(q)
    if m > pool:
        raise DataError(f"expected at most {pool} picks, as many as there are texts, got {m}")
    if not ((q > 0) & (q <= 1)).all():
        bad = q[~((q > 0) & (q <= 1))][0]
        raise DataError(f"a propensity must be in (0, 1], got {bad}")
    if m == pool:
        return np.ones(m)
    before = np.arange(1, m + 1)
    left = pool - before + 1 if remaining is None else np.asarray(remaining, dtype=np.float64)
    return np.asarray(1.0 + (pool - m) / (pool - before) * (1.0 / (left * q) - 1.0))


def capped(weights: NDArray[np.float64], share: float = CAP) -> NDArray[np.float64]:
    """Weights of which none is more than a share of their sum.

    Trades unbiasedness for a smaller variance: one label with a tiny chance cannot decide alone.
    """
    return np.minimum(weights, share * weights.sum()) if len(weights) else weights


def lure(losses: NDArray[np.floating], weights: NDArray[np.float64]) -> float:
    """The unbiased estimate `mean(v * loss)`; with weights as of `lure_weights`, not capped."""
    return float(np.mean(weights * losses))


def weighted_accuracy(
    credit: NDArray[np.float64], weights: NDArray[np.float64], random_credit: NDArray[np.float64]
) -> Accuracy:
    """The share of right answers of chosen and of random labels, with Wilson's interval.

    Both tell of the same accuracy and count by their effective numbers, which makes the variance of
    the two together least. Weights of chosen labels are divided by their sum, not by M: a bias of
    order 1/M for a far smaller variance, since their sum depends on how many random picks happened
    to be among the M.

    Args:
        credit: (M,) in [0, 1], how right the prediction of each chosen label was.
        weights: (M,) > 0, as of `lure_weights` or `capped`.
        random_credit: (R,) the same of labels drawn at random (audit labels).
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
    """How many labels drawn at random would say as much as labels with these weights.

    Kish's `(sum v)^2 / sum v^2`, times `sum v / M` where that is below 1: the weights have mean 1,
    and where they sum to less the random picks that carry the weight were not drawn yet.
    """
    if not len(weights):
        return 0.0
    total = float(weights.sum())
    return total**2 / float((weights**2).sum()) * min(1.0, total / len(weights))
