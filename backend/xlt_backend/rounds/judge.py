"""Judgement of a new model: may it replace the active one?"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

#: A candidate is worse if chance alone explains its errors with at most this probability.
WORSE_AT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The decision on a candidate, with its reason."""

    worse: bool
    reason: str


def judge(candidate: NDArray[np.floating], active: NDArray[np.floating] | None) -> Judgement:
    """Judges by audit labels whether a candidate may replace the active version.

    It may, unless it is worse by a one-sided exact sign test on the examples for which the two
    earn different credit.

    Args:
        candidate: (N,) in [0, 1], the candidate's credit for each audit example.
        active: The same for the active version; None if there is none.
    """
    n = len(candidate)
    if active is None:
        reason = f"{_total(candidate)} of {n} audit labels right, no earlier model to compare with"
        return Judgement(worse=False, reason=reason)
    lost, won = int((active > candidate).sum()), int((candidate > active).sum())
    right = f"{_total(candidate)} of {n} audit labels right, before {_total(active)}"
    if n == 0:
        return Judgement(worse=False, reason="no audit labels to judge by yet")
    chance = sum(comb(lost + won, k) for k in range(lost, lost + won + 1)) / 2 ** (lost + won)
    if lost > won and chance <= WORSE_AT:
        return Judgement(
            worse=True, reason=f"worse than the active version: {right} (p={chance:.3f})"
        )
    return Judgement(worse=False, reason=f"not worse: {right}")


def _total(credit: NDArray[np.floating]) -> str:
    """Returns the sum of credit, with one decimal if it is not whole."""
    return f"{round(float(credit.sum()), 1):g}"
