"""Answers: numbers on a scale, such as 1 to 5."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.agreement import DISAGREE
from xlt.tasks.task import Agreement, Json

#: An answer; whole numbers are integers.
Number = int | float

#: Levels by which a scale is learned, see `Scale.levels`.
MOST_LEVELS = 21
_MOST_STEPS = 1_000_000
#: Numbers beyond it are not read.
_LARGEST = 1e12
#: Share of a step by which a number may be beside it: decimals have no exact binary form.
_TOLERANCE = Decimal("0.001")
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Numbers at equal distances.

    Attributes:
        lowest: The least number.
        step: Distance of two numbers next to each other, above 0.
        steps: Number of steps from the least to the greatest number, at least 1.

    Raises:
        DataError: If they make no scale.
    """

    lowest: Number
    step: Number
    steps: int

    def __post_init__(self) -> None:
        finite = abs(self.lowest) <= _LARGEST and abs(self.step) <= _LARGEST
        if not finite or self.step <= 0 or not 1 <= self.steps <= _MOST_STEPS:
            raise DataError(
                f"a rating needs two numbers or more, at most {_MOST_STEPS} steps apart, got "
                f"{self.steps} steps of {self.step} from {self.lowest}"
            )

    @property
    def highest(self) -> Number:
        """The greatest number."""
        return self.value(self.steps)

    def value(self, place: int) -> Number:
        """Returns the number that is `place` steps above the least."""
        return _number(_exact(self.lowest) + place * _exact(self.step))

    def place(self, value: Number) -> int:
        """Returns by how many steps a number is above the least.

        Raises:
            DataError: If it is not on the scale.
        """
        place = (_exact(value) - _exact(self.lowest)) / _exact(self.step)
        nearest = int(place.to_integral_value())
        if not 0 <= nearest <= self.steps or abs(place - nearest) > _TOLERANCE:
            raise DataError(f"expected {self}, got {_shown(value)}")
        return nearest

    @property
    def levels(self) -> NDArray[np.intp]:
        """Returns the places (K,) that a model tells apart, K from 2 to `MOST_LEVELS`.

        They are all places, or, if these are more, places at about equal distances.
        """
        count = min(self.steps + 1, MOST_LEVELS)
        places: NDArray[np.intp] = np.rint(np.linspace(0, self.steps, count)).astype(np.intp)
        return places

    def __str__(self) -> str:
        """Describes the scale for people."""
        return f"a number from {self.lowest} to {self.highest} in steps of {self.step}"


def scale_of(values: Sequence[Number]) -> Scale:
    """Returns the scale from the least to the greatest of some numbers, with the largest step.

    Raises:
        DataError: If they are fewer than two different numbers, or too close for their distance.
    """
    exact = sorted({_exact(value) for value in values})
    if len(exact) < 2:
        raise DataError(f"expected at least 2 different ratings, got {list(map(_number, exact))}")
    digits = max(0, *(-int(value.normalize().as_tuple().exponent) for value in exact))
    whole = [int(value.scaleb(digits)) for value in exact]
    step = math.gcd(*(value - whole[0] for value in whole[1:]))
    if whole[-1] - whole[0] > step * _MOST_STEPS:
        finest = min(exact, key=lambda value: value.normalize().as_tuple().exponent)
        raise DataError(
            f"expected ratings at most {_MOST_STEPS} steps apart, got numbers such as {finest}: "
            "round them"
        )
    return Scale(
        lowest=_number(exact[0]),
        step=_number(Decimal(step).scaleb(-digits)),
        steps=(whole[-1] - whole[0]) // step,
    )


def number(value: Json) -> Number | None:
    """Returns a finite number from JSON or from a table's cell; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return _number(Decimal(str(found))) if abs(found) <= _LARGEST else None


def _exact(value: Number) -> Decimal:
    return Decimal(str(value))


def _number(value: Decimal) -> Number:
    """Returns a decimal as JSON should have it."""
    return int(value) if value == value.to_integral_value() else float(value)


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]


def read(value: Json, scale: Scale) -> Number:
    """Reads a number on the scale.

    Raises:
        DataError: If it is no number, or not on the scale.
    """
    found = number(value)
    if found is None:
        raise DataError(f"expected {scale}, got {_shown(value)}")
    return scale.value(scale.place(found))


def places(answers: Sequence[Number], scale: Scale) -> NDArray[np.intp]:
    """Returns by how many steps each answer is above the least number, (N,).

    Raises:
        DataError: If one of them is not on the scale.
    """
    return np.array([scale.place(answer) for answer in answers], dtype=np.intp)


def agree(votes: Mapping[str, Number], scale: Scale) -> Agreement:
    """Returns the median, weighted by the mean credit of the votes against it.

    With an even number of votes it is the middle between the two middle ones, or of the two
    numbers beside this point the one nearer to the middle of the scale. Votes of which half are at
    one end of the scale and half at the other have no answer.
    """
    ordered = sorted(scale.place(vote) for vote in votes.values())
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    upper = (low + high) % 2 == 1 and low + high < scale.steps
    median = (low + high) // 2 + upper
    distance = sum(abs(vote - median) for vote in ordered) / len(ordered)
    weight = 1.0 - distance / scale.steps
    if weight <= 0.5:
        return Agreement(reason=DISAGREE)
    return Agreement(answer=scale.value(median), weight=weight)


def missing(answers: Sequence[Number]) -> str:
    """Returns what is missing to train: a second answer, if all are the same."""
    seen = sorted(set(answers))
    return "" if len(seen) > 1 else f"at least 2 different ratings, got {seen}"
