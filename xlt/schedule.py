"""Weights that change over a training: a number, or straight lines between points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from xlt.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Schedule:
    """A piecewise-linear function of the step; constant before the first and after the last point.

    The grammar is that of XLM (arXiv 1901.07291): "0.5", or "0:1,1000:0.1" (1 at step 0,
    falling to 0.1 at step 1000).
    """

    points: tuple[tuple[int, float], ...]

    @classmethod
    def parse(cls, text: str | float) -> Schedule:
        """Read a schedule.

        Raises:
            ConfigError: If it is neither a number nor step:value pairs with rising steps, or a
                value is negative or not finite.
        """
        parts = str(text).split(",")
        try:
            if len(parts) == 1 and ":" not in parts[0]:
                points: tuple[tuple[int, float], ...] = ((0, float(parts[0])),)
            else:
                pairs = [part.split(":") for part in parts]
                points = tuple((int(step), float(value)) for step, value in pairs)
        except ValueError:
            raise ConfigError(
                f'a weight is a number or "step:value,step:value", got {text!r}'
            ) from None
        steps = [step for step, _ in points]
        if steps[0] < 0 or any(a >= b for a, b in pairwise(steps)):
            raise ConfigError(f"the steps of a weight must be >= 0 and rise, got {text!r}")
        if any(not math.isfinite(value) or value < 0 for _, value in points):
            raise ConfigError(f"a weight must be finite and >= 0, got {text!r}")
        return cls(points)

    def at(self, step: int) -> float:
        """The value at a step."""
        before = self.points[0]
        for point in self.points:
            if point[0] > step:
                share = (step - before[0]) / max(point[0] - before[0], 1)
                return before[1] + max(share, 0.0) * (point[1] - before[1])
            before = point
        return before[1]

    @property
    def is_zero(self) -> bool:
        """Whether the value is 0 at every step."""
        return all(value == 0 for _, value in self.points)
