"""Pairwise preference: the task of choosing one of two texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.sampling.uncertainty import MEASURES
from xlt.tasks import categorical
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.labels import checked
from xlt.tasks.outputs import Outputs
from xlt.tasks.pairwise import answers, judging, probe
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise:
    """The task of choosing the left or the right one of two texts.

    Attributes:
        labels: Names of the left and of the right text.
        context: Whether a third text comes before the two.

    Raises:
        DataError: If there are not two labels, or if they look the same.
    """

    kind: ClassVar[str] = "pairwise"
    measure: ClassVar[str] = "accuracy"
    measures: ClassVar[tuple[str, ...]] = tuple(MEASURES)
    link: ClassVar[Link] = "softmax"
    width: ClassVar[int] = 2
    labels: tuple[str, ...]
    context: bool = False

    def __post_init__(self) -> None:
        checked(self.labels, least=2)
        if len(self.labels) != 2:
            raise DataError(f"a preference has two labels, left and right, got {self.labels}")

    @property
    def texts(self) -> int:
        """Number of texts of an example."""
        return 3 if self.context else 2

    def swap(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Returns vectors (N, ..., D) of the examples with their two texts exchanged."""
        return probe.swapped(vectors, self.texts)

    def read(self, value: Json) -> str:
        """Reads the name of a text."""
        return answers.read(value, self.labels)

    def plain(self, answer: str) -> Json:
        """Returns the name itself."""
        return answer

    def describe(self, answer: str) -> str:
        """Returns the name in quotes."""
        return repr(answer)

    def decisions(self, answer: str) -> tuple[tuple[str, bool], ...]:
        """Returns the name: that it is not the other follows."""
        return ((answer, True),)

    def agree(self, votes: Mapping[str, str]) -> Agreement:
        """Returns the text with most votes."""
        return answers.agree(votes)

    def missing(self, given: Sequence[str]) -> str:
        """Returns what is missing to train: a second answer."""
        return answers.missing(given)

    def targets(self, given: Sequence[str]) -> NDArray[np.float64]:
        """Returns 1 for the chosen text, 0 for the other: (N, 2)."""
        return answers.one_hot(given, self.labels)

    def fit(self, outputs: Outputs, given: Sequence[str], langs: Sequence[str]) -> Calibration:
        """Fits temperatures of the softmax."""
        return categorical.fit(outputs, self.targets(given), langs)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the probabilities (N, 2) of the two texts."""
        return categorical.beliefs(outputs, langs, calibration)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the more probable text of each example."""
        return categorical.decode(beliefs, self.labels)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns an uncertainty measure of each example, (N,)."""
        return categorical.uncertainty(beliefs, measure or self.measures[0])

    def credit(self, truth: Sequence[str], predicted: Sequence[str]) -> NDArray[np.float64]:
        """Returns 1 for each right choice, 0 for each wrong one: (N,)."""
        return categorical.credit(truth, predicted)

    def brier(self, beliefs: Outputs, given: Sequence[str]) -> NDArray[np.float64]:
        """Returns the squared distance of the probabilities from the right ones, (N,)."""
        return categorical.brier(beliefs, self.targets(given))

    def summary(self, truth: Sequence[str], predicted: Sequence[str]) -> Mapping[str, float]:
        """Returns how often the left text is chosen."""
        return judging.summary(truth, predicted, self.labels)

    def classes(self, given: Sequence[str]) -> NDArray[np.intp] | None:
        """Returns 0 for the left text, 1 for the right one, (N,)."""
        return answers.numbers(given, self.labels)

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[str],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits logistic regression on both orders."""
        return probe.probe(
            vectors,
            given,
            self.labels,
            texts=self.texts,
            l2=l2,
            weights=weights,
            start=start,
        )

    def to_json(self) -> dict[str, Json]:
        """Returns the kind, the labels, and whether there is a context."""
        return {"kind": self.kind, "labels": list(self.labels), "context": self.context}
