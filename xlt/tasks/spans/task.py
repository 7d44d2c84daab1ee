"""Spans: the task of marking parts of a text, each with a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.labels import checked
from xlt.tasks.outputs import Outputs
from xlt.tasks.spans import answers, judging, probe
from xlt.tasks.tagging import LAYERS, Answer, count_tags
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The task of marking spans with one of the labels each, or none.

    Spans may touch, overlap and lie in one another.

    Raises:
        DataError: If there is no label, or if a label occurs twice.
    """

    kind: ClassVar[str] = "spans"
    measure: ClassVar[str] = "F1"
    measures: ClassVar[tuple[str, ...]] = tuple(judging.MEASURES)
    link: ClassVar[Link | None] = None
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        checked(self.labels, least=1)

    @property
    def width(self) -> int:
        """One column per tag and layer."""
        return LAYERS * count_tags(self.labels)

    def read(self, value: Json) -> Answer:
        """Reads a list of spans."""
        return answers.read(value, self.labels)

    def plain(self, answer: Answer) -> Json:
        """Returns the spans as a list."""
        return [span.to_json() for span in answer]

    def describe(self, answer: Answer) -> str:
        """Returns labels and offsets of the spans; for an empty answer, a phrase."""
        return answers.describe(answer)

    def decisions(self, answer: Answer) -> tuple[tuple[str, bool], ...]:
        """Returns every label, and whether a span has it."""
        used = {span.label for span in answer}
        return tuple((label, label in used) for label in self.labels)

    def agree(self, votes: Mapping[str, Answer]) -> Agreement:
        """Returns the spans that more than half of the annotators marked."""
        return answers.agree(votes)

    def missing(self, given: Sequence[Answer]) -> str:
        """Returns what is missing to train: a second answer."""
        return answers.missing(given)

    def targets(self, given: Sequence[Answer]) -> NDArray[np.float64]:
        """Refuses: outputs are one row per word, not per example."""
        probe.probe()

    def fit(self, outputs: Outputs, given: Sequence[Answer], langs: Sequence[str]) -> Calibration:
        """Fits temperatures of the words' tags."""
        return judging.fit(outputs, given, langs, self.labels)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the probability of each tag of each word."""
        return judging.beliefs(outputs, langs, calibration, self.labels)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the most probable spans of each example."""
        return judging.decode(beliefs, self.labels)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns the mean uncertainty of the words, (N,)."""
        return judging.uncertainty(beliefs, measure or self.measures[0], self.labels)

    def credit(self, truth: Sequence[Answer], predicted: Sequence[Answer]) -> NDArray[np.float64]:
        """Returns the F1 of each pair of answers, (N,)."""
        return judging.credit(truth, predicted)

    def brier(self, beliefs: Outputs, given: Sequence[Answer]) -> NDArray[np.float64]:
        """Returns the mean squared distance of the words' probabilities from the right ones."""
        return judging.brier(beliefs, given, self.labels)

    def summary(self, truth: Sequence[Answer], predicted: Sequence[Answer]) -> Mapping[str, float]:
        """Returns exact and partial F1 over all spans."""
        return judging.summary(truth, predicted)

    def classes(self, given: Sequence[Answer]) -> NDArray[np.intp] | None:
        """Returns None: an answer is not one class of a distribution."""
        return None

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[Answer],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Refuses: sentence vectors do not tell where spans are."""
        probe.probe()

    def to_json(self) -> dict[str, Json]:
        """Returns the kind and the labels."""
        return {"kind": self.kind, "labels": list(self.labels)}
