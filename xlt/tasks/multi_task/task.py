"""Several controls: the task of answering each of them, or some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.data.by_control import ByControl
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.multi_task import answers, judging, probe
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Part, check_parts, label_of
from xlt.tasks.task import Agreement, Json, Probe, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiTask:
    """The task of answering several controls of an interface.

    Raises:
        DataError: If the parts make no task (`xlt.tasks.parts.check_parts`).
    """

    kind: ClassVar[str] = "multi_task"
    measure: ClassVar[str] = "mean credit"
    measures: ClassVar[tuple[str, ...]] = (judging.MEASURE,)
    link: ClassVar[Link | None] = None
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        check_parts(self.parts)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all controls, each behind its control's name."""
        return tuple(label_of(p, label) for p in self.parts for label in p.task.labels)

    @property
    def width(self) -> int:
        """The columns of all controls, side by side."""
        return sum(part.task.width for part in self.parts)

    def read(self, value: Json) -> ByControl:
        """Reads an object with answers by control."""
        return answers.read(value, self.parts)

    def plain(self, answer: ByControl) -> Json:
        """Returns the answers by control."""
        return answers.plain(answer, self.parts)

    def describe(self, answer: ByControl) -> str:
        """Returns the name and the answer of each control."""
        return answers.describe(answer, self.parts)

    def decisions(self, answer: ByControl) -> tuple[tuple[str, bool], ...]:
        """Returns what the answers to the controls decide."""
        given = dict(answer.items)
        return tuple(
            (label_of(part, label), has)
            for part in self.parts
            if part.name in given
            for label, has in part.task.decisions(given[part.name])
        )

    def agree(self, votes: Mapping[str, ByControl]) -> Agreement:
        """Returns the agreement about each control."""
        return answers.agree(votes, self.parts)

    def missing(self, given: Sequence[ByControl]) -> str:
        """Returns what is missing to train: answers to one control suffice."""
        return answers.missing(given, self.parts)

    def targets(self, given: Sequence[ByControl]) -> NDArray[np.float64]:
        """Returns the right probabilities (N, W); NaN for controls without an answer."""
        return judging.targets(given, self.parts)

    def fit(
        self, outputs: Outputs, given: Sequence[ByControl], langs: Sequence[str]
    ) -> Calibration:
        """Fits a calibration of each control."""
        return judging.fit(outputs, given, langs, self.parts)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the probabilities of all controls, side by side."""
        return judging.beliefs(outputs, langs, calibration, self.parts)

    def split(self, outputs: Outputs) -> list[Outputs]:
        """Returns the outputs, or the beliefs, of each control."""
        return judging.split(outputs, self.parts)

    def join(self, each: Sequence[Outputs]) -> Outputs:
        """Returns the outputs, or the beliefs, of all controls side by side."""
        return judging.join(each)

    def suggest(self, each: Sequence[Sequence[Suggestion]], beliefs: Outputs) -> list[Suggestion]:
        """Returns the suggestions for the controls that the model knows and that are shown."""
        return judging.suggest(each, beliefs, self.parts)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the suggestions for the controls that are shown with them."""
        return judging.decode(beliefs, self.parts)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns the weighted mean of the controls' uncertainties, (N,)."""
        return judging.uncertainty(beliefs, self.parts, measure or self.measures[0])

    def credit(
        self, truth: Sequence[ByControl], predicted: Sequence[ByControl]
    ) -> NDArray[np.float64]:
        """Returns the mean credit over the controls that both have answers to, (N,)."""
        return judging.credit(truth, predicted, self.parts)

    def brier(self, beliefs: Outputs, given: Sequence[ByControl]) -> NDArray[np.float64]:
        """Returns the mean squared distance over the controls that have an answer, (N,)."""
        return judging.brier(beliefs, given, self.parts)

    def summary(
        self, truth: Sequence[ByControl], predicted: Sequence[ByControl]
    ) -> Mapping[str, float]:
        """Returns the measures of each control."""
        return judging.summary(truth, predicted, self.parts)

    def classes(self, given: Sequence[ByControl]) -> NDArray[np.intp] | None:
        """Returns None: an answer is not one class of a distribution."""
        return None

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[ByControl],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits a probe of each control."""
        return probe.probe(vectors, given, self.parts, l2=l2, weights=weights, start=start)

    def to_json(self) -> dict[str, Json]:
        """Returns the kind, and name, task and conditions of each control."""
        return {"kind": self.kind, "controls": [_part_json(part) for part in self.parts]}


def _part_json(part: Part) -> dict[str, Json]:
    conditions = [
        {"control": c.control, "labels": list(c.labels), "selected": c.selected}
        for c in part.conditions
    ]
    more = {"conditions": conditions} if conditions else {}
    return {"name": part.name, "task": part.task.to_json(), **more}
