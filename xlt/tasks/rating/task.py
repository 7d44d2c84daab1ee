"""Rating: the task of placing an example on a scale of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.outputs import Outputs
from xlt.tasks.rating import answers, judging, probe
from xlt.tasks.rating.answers import Number, Scale, places
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """The task of choosing a number on a scale; its labels are the scale's levels."""

    kind: ClassVar[str] = "rating"
    measure: ClassVar[str] = "closeness"
    measures: ClassVar[tuple[str, ...]] = tuple(judging.MEASURES)
    link: ClassVar[Link] = "sigmoid"
    scale: Scale

    @property
    def labels(self) -> tuple[str, ...]:
        """The numbers that a model tells apart, the least first."""
        return tuple(str(self.scale.value(place)) for place in self.scale.levels.tolist())

    @property
    def width(self) -> int:
        """One column for each two levels next to each other."""
        return len(self.scale.levels) - 1

    def read(self, value: Json) -> Number:
        """Reads a number on the scale."""
        return answers.read(value, self.scale)

    def plain(self, answer: Number) -> Json:
        """Returns the number itself."""
        return answer

    def describe(self, answer: Number) -> str:
        """Returns the number."""
        return str(answer)

    def decisions(self, answer: Number) -> tuple[tuple[str, bool], ...]:
        """Returns the level that is nearest to the number: that it is not another follows."""
        return ((str(self.nearest_level(answer)), True),)

    def nearest_level(self, answer: Number) -> Number:
        """Returns the level that is nearest to a number, the lower one of two."""
        levels = self.scale.levels
        return self.scale.value(int(levels[np.abs(levels - self.scale.place(answer)).argmin()]))

    def agree(self, votes: Mapping[str, Number]) -> Agreement:
        """Returns the median of the votes."""
        return answers.agree(votes, self.scale)

    def missing(self, given: Sequence[Number]) -> str:
        """Returns what is missing to train: a second number."""
        return answers.missing(given)

    def targets(self, given: Sequence[Number]) -> NDArray[np.float64]:
        """Returns by how much answers are above each level but the highest, (N, K - 1)."""
        return judging.above(places(given, self.scale), self.scale)

    def fit(self, outputs: Outputs, given: Sequence[Number], langs: Sequence[str]) -> Calibration:
        """Fits temperatures of the sigmoid."""
        return judging.fit(outputs, given, langs, self.scale)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns how probably the answer is above each level but the highest, (N, K - 1)."""
        return judging.beliefs(outputs, langs, calibration)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the number with most expected credit for each example."""
        return judging.decode(beliefs, self.scale, self.labels)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns an uncertainty measure of each example, (N,)."""
        return judging.uncertainty(beliefs, self.scale, measure or self.measures[0])

    def credit(self, truth: Sequence[Number], predicted: Sequence[Number]) -> NDArray[np.float64]:
        """Returns 1 minus the distance of each pair as a share of the scale, (N,)."""
        return judging.credit(places(truth, self.scale), places(predicted, self.scale), self.scale)

    def brier(self, beliefs: Outputs, given: Sequence[Number]) -> NDArray[np.float64]:
        """Returns the squared distance of the beliefs from the right ones, (N,)."""
        return judging.brier(beliefs, given, self.scale)

    def summary(self, truth: Sequence[Number], predicted: Sequence[Number]) -> Mapping[str, float]:
        """Returns the share of exactly right answers, and quadratic weighted kappa."""
        return judging.summary(places(truth, self.scale), places(predicted, self.scale))

    def classes(self, given: Sequence[Number]) -> NDArray[np.intp] | None:
        """Returns None: beliefs are no distribution over classes."""
        return None

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[Number],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits one logistic regression for each two levels next to each other."""
        return probe.probe(vectors, given, self.scale, l2=l2, weights=weights, start=start)

    def to_json(self) -> dict[str, Json]:
        """Returns the kind and the scale."""
        scale = self.scale
        return {
            "kind": self.kind,
            "lowest": scale.lowest,
            "step": scale.step,
            "steps": scale.steps,
        }
