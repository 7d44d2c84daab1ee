"""Several labels: the task of choosing any of the labels for an example, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.labels import checked
from xlt.tasks.multi_label import answers, judging, probe
from xlt.tasks.multi_label.judging import Labels
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabel:
    """The task of choosing any of the labels, or none.

    Raises:
        DataError: If there is no label, or if a label occurs twice.
    """

    kind: ClassVar[str] = "multi_label"
    measure: ClassVar[str] = "Jaccard"
    measures: ClassVar[tuple[str, ...]] = tuple(judging.MEASURES)
    link: ClassVar[Link] = "sigmoid"
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        checked(self.labels, least=1)

    @property
    def width(self) -> int:
        """One column per label."""
        return len(self.labels)

    def read(self, value: Json) -> Labels:
        """Reads a list of labels."""
        return answers.read(value, self.labels)

    def plain(self, answer: Labels) -> Json:
        """Returns the labels as a list."""
        return list(answer)

    def describe(self, answer: Labels) -> str:
        """Returns the labels in quotes; for an empty answer, a phrase."""
        return answers.describe(answer)

    def decisions(self, answer: Labels) -> tuple[tuple[str, bool], ...]:
        """Returns every label, and whether it was chosen."""
        return tuple((label, label in answer) for label in self.labels)

    def agree(self, votes: Mapping[str, Labels]) -> Agreement:
        """Returns the labels that more than half of the annotators chose."""
        return answers.agree(votes, self.labels)

    def missing(self, given: Sequence[Labels]) -> str:
        """Returns what is missing to train: a second answer."""
        return answers.missing(given)

    def targets(self, given: Sequence[Labels]) -> NDArray[np.float64]:
        """Returns 1 for each chosen label, 0 for the others: (N, C)."""
        return judging.many_hot(given, self.labels)

    def fit(self, outputs: Outputs, given: Sequence[Labels], langs: Sequence[str]) -> Calibration:
        """Fits temperatures of the sigmoid."""
        return judging.fit(outputs, given, langs, self.labels)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the probability of each label, (N, C)."""
        return judging.beliefs(outputs, langs, calibration)

    def regroup(self, beliefs: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
        """Returns the probability (N, C) that any label that became this one is right."""
        return judging.regroup(beliefs, columns)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the labels with most expected credit for each example."""
        return judging.decode(beliefs, self.labels)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns the mean uncertainty of the labels, (N,)."""
        return judging.uncertainty(beliefs, measure or self.measures[0])

    def credit(self, truth: Sequence[Labels], predicted: Sequence[Labels]) -> NDArray[np.float64]:
        """Returns the Jaccard index of each pair of answers, (N,)."""
        return judging.credit(truth, predicted)

    def brier(self, beliefs: Outputs, given: Sequence[Labels]) -> NDArray[np.float64]:
        """Returns the squared distance of the probabilities from the right ones, (N,)."""
        return judging.brier(beliefs, given, self.labels)

    def summary(self, truth: Sequence[Labels], predicted: Sequence[Labels]) -> Mapping[str, float]:
        """Returns the share of exactly right answers, and micro-averaged F1."""
        return judging.summary(truth, predicted)

    def classes(self, given: Sequence[Labels]) -> NDArray[np.intp] | None:
        """Returns None: an answer is not one class of a distribution."""
        return None

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[Labels],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits one logistic regression per label."""
        return probe.probe(vectors, given, self.labels, l2=l2, weights=weights, start=start)

    def to_json(self) -> dict[str, Json]:
        """Returns the kind and the labels."""
        return {"kind": self.kind, "labels": list(self.labels)}
