"""Judgement of a new model: may it replace the active one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

#: A candidate is worse if chance alone explains its errors with at most this probability.
WORSE_AT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The decision on a candidate, with its reason."""

    worse: bool
    reason: str


def judge(candidate: Sequence[bool], active: Sequence[bool] | None) -> Judgement:
    """Judges by audit labels whether a candidate may replace the active version.

    It may, unless it is worse by a one-sided exact sign test on the examples of which only one of
    the two is right.

    Args:
        candidate: For each audit example, whether the candidate got it right.
        active: The same for the active version; None if there is none.
    """
    n = len(candidate)
    if active is None:
        reason = f"{sum(candidate)} of {n} audit labels right, no earlier model to compare with"
        return Judgement(worse=False, reason=reason)
    lost = sum(a and not c for c, a in zip(candidate, active, strict=True))
    won = sum(c and not a for c, a in zip(candidate, active, strict=True))
    right = f"{sum(candidate)} of {n} audit labels right, before {sum(active)}"
    if n == 0:
        return Judgement(worse=False, reason="no audit labels to judge by yet")
    chance = sum(comb(lost + won, k) for k in range(lost, lost + won + 1)) / 2 ** (lost + won)
    if lost > won and chance <= WORSE_AT:
        return Judgement(
            worse=True, reason=f"worse than the active version: {right} (p={chance:.3f})"
        )
    return Judgement(worse=False, reason=f"not worse: {right}")
