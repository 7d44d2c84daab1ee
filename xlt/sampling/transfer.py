"""Transfer: the gain of source labels over the targets' own labels, on target texts."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Typical size of gains: the root of their mean square over data sets (SIB-200 +0.04, NusaX -0.08).
_USUAL = 0.05
#: Gain that moves the log-odds of the source's share by 1.
_STEP = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The gain of source labels over equally many target labels.

    Attributes:
        gain: In [-2, 2]: the Brier score (Brier 1950; the mean squared distance to the right
            answer, lower = better) of a probe of target labels minus that of a probe of source
            labels, on target texts that neither has seen. Above 0, the source teaches better.
        error: Standard error of the gain, > 0.
        labels: Number of labels of each probe.
        judged: Number of target texts that judged.
    """

    gain: float
    error: float
    labels: int
    judged: int

    @property
    def effect(self) -> str:
        """Describes the gain for people; empty if it may be chance."""
        if abs(self.gain) < self.error:
            return ""
        than = "better" if self.gain > 0 else "worse"
        return f"its labels teach the targets {than} than their own labels do"

    def share(self, usual: float) -> float:
        """Returns the share of labels for the source, in [0, 1].

        The gain is shrunk to 0 by its error.

        Args:
            usual: Share at a gain of 0, in [0, 1].
        """
        if not 0.0 < usual < 1.0:
            return usual
        shrunk = self.gain * _USUAL**2 / (_USUAL**2 + self.error**2)
        return _logistic(math.log(usual / (1.0 - usual)) + shrunk / _STEP)


def _logistic(odds: float) -> float:
    """Returns the probability of log-odds of any size, without overflow."""
    small = math.exp(-abs(odds))
    return (1.0 if odds >= 0 else small) / (1.0 + small)
