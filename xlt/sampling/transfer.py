"""Transfer: how much better source labels teach the targets than the targets' own labels do."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: How large gains are, the root of their mean square over data sets (SIB-200 +0.04, NusaX -0.08).
_USUAL = 0.05
#: Gains of so much move the log-odds of the source's share by 1.
_STEP = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How much better source labels teach the targets than as many target labels do.

    Attributes:
        gain: In [-2, 2], the Brier score (Brier 1950; the mean squared distance to the right
            answer, lower = better) of a head of target labels minus that of a head of source
            labels, on target texts that neither has seen. Above 0: the source teaches better.
        error: Its standard error, > 0.
        labels: How many labels each head had.
        judged: How many target texts judged.
    """

    gain: float
    error: float
    labels: int
    judged: int

    @property
    def words(self) -> str:
        """What to say of it; empty where it may as well be chance."""
        if abs(self.gain) < self.error:
            return ""
        than = "better" if self.gain > 0 else "worse"
        return f"its labels teach the targets {than} than theirs do"

    def share(self, usual: float) -> float:
        """The share of labels that the source gets where `usual` is the one of no difference.

        Both in [0, 1]. The gain counts as far as it is sure: shrunk to 0 by its error.
        """
        if not 0.0 < usual < 1.0:
            return usual
        sure = self.gain * _USUAL**2 / (_USUAL**2 + self.error**2)
        return _logistic(math.log(usual / (1.0 - usual)) + sure / _STEP)


def _logistic(odds: float) -> float:
    """Of log-odds of any size."""
    small = math.exp(-abs(odds))
    return (1.0 if odds >= 0 else small) / (1.0 + small)
