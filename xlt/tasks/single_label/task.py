"""Single label: the task of choosing one label for an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.uncertainty import MEASURES
from xlt.tasks import categorical
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.labels import checked
from xlt.tasks.outputs import Outputs
from xlt.tasks.single_label import answers, judging, probe
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleLabel:
    """The task of choosing one of at least two labels.

    Raises:
        DataError: If there are fewer than two labels, or one of them twice.
    """

    kind: ClassVar[str] = "single_label"
    measure: ClassVar[str] = "accuracy"
    measures: ClassVar[tuple[str, ...]] = tuple(MEASURES)
    link: ClassVar[Link] = "softmax"
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        checked(self.labels, least=2)

    @property
    def width(self) -> int:
        """One column per label."""
        return len(self.labels)

    def read(self, value: Json) -> str:
        """Reads a label."""
        return answers.read(value, self.labels)

    def plain(self, answer: str) -> Json:
        """Returns the label itself."""
        return answer

    def describe(self, answer: str) -> str:
        """Returns the label in quotes."""
        return repr(answer)

    def decisions(self, answer: str) -> tuple[tuple[str, bool], ...]:
        """Returns the label: that it is not another follows."""
        return ((answer, True),)

    def agree(self, votes: Mapping[str, str]) -> Agreement:
        """Returns the label with most votes."""
        return answers.agree(votes)

    def missing(self, given: Sequence[str]) -> str:
        """Returns what is missing to train: a second label."""
        return answers.missing(given)

    def targets(self, given: Sequence[str]) -> NDArray[np.float64]:
        """Returns 1 for the label, 0 for the others: (N, C)."""
        return answers.one_hot(given, self.labels)

    def fit(self, outputs: Outputs, given: Sequence[str], langs: Sequence[str]) -> Calibration:
        """Fits temperatures of the softmax."""
        return categorical.fit(outputs, self.targets(given), langs)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the class probabilities (N, C)."""
        return categorical.beliefs(outputs, langs, calibration)

    def regroup(self, beliefs: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
        """Returns the probabilities (N, C), given that one of these labels is right."""
        return judging.regroup(beliefs, columns)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the most probable label of each example."""
        return categorical.decode(beliefs, self.labels)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns an uncertainty measure of each example, (N,)."""
        return categorical.uncertainty(beliefs, measure or self.measures[0])

    def credit(self, truth: Sequence[str], predicted: Sequence[str]) -> NDArray[np.float64]:
        """Returns 1 for each right label, 0 for each wrong one: (N,)."""
        return categorical.credit(truth, predicted)

    def brier(self, beliefs: Outputs, given: Sequence[str]) -> NDArray[np.float64]:
        """Returns the squared distance of the probabilities from the right ones, (N,)."""
        return categorical.brier(beliefs, self.targets(given))

    def summary(self, truth: Sequence[str], predicted: Sequence[str]) -> Mapping[str, float]:
        """Returns the macro-averaged F1."""
        return judging.summary(truth, predicted)

    def classes(self, given: Sequence[str]) -> NDArray[np.intp] | None:
        """Returns the positions (N,) of labels in the label set."""
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
        """Fits softmax regression."""
        return probe.probe(vectors, given, self.labels, l2=l2, weights=weights, start=start)

    def to_json(self) -> dict[str, Json]:
        """Returns the kind and the labels."""
        return {"kind": self.kind, "labels": list(self.labels)}
