"""Taxonomy: the task of choosing one path of a tree for an example, or several, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.labels import checked
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Agreement, Json, Probe, Suggestion
from xlt.tasks.taxonomy import answers, judging, probe
from xlt.tasks.trees import Paths, numbers, tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """The task of choosing one path, or any number of them.

    Attributes:
        paths: The paths that can be chosen, to leaves or inner nodes of a tree, in order.
        most: Largest number of paths that an annotator can choose, 1 or more; None for any.

    Raises:
        DataError: If there is no path, or only one where one is asked for; if a path is empty, has
            an empty part, or looks like another one.
    """

    kind: ClassVar[str] = "taxonomy"
    measure: ClassVar[str] = "hierarchical F1"
    paths: Paths
    most: int | None = 1

    def __post_init__(self) -> None:
        if self.most is not None and self.most < 1:
            raise DataError(f"expected at least 1 path per example, got {self.most}")
        empty = [path for path in self.paths if not all(map(str.strip, path)) or not path]
        if empty:
            raise DataError(f"expected names in every path, got {list(empty[0])}")
        checked(self.labels, least=2 if self.most == 1 else 1)

    @property
    def labels(self) -> tuple[str, ...]:
        """The paths as text: `Health / Diet`."""
        return answers.labels_of(self.paths)

    @property
    def width(self) -> int:
        """One column per path."""
        return len(self.paths)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the uncertainty measures, the default first."""
        return tuple(judging.measures_of(self.most))

    @property
    def link(self) -> Link:
        """Softmax where one path is asked for, sigmoid where several can be chosen."""
        return judging.link_of(self.most)

    def read(self, value: Json) -> Paths:
        """Reads a path or a list of paths."""
        return answers.read(value, self.paths, self.most)

    def plain(self, answer: Paths) -> Json:
        """Returns the paths as lists of names."""
        return [list(path) for path in answer]

    def describe(self, answer: Paths) -> str:
        """Returns the paths in quotes; for an empty answer, a phrase."""
        return answers.describe(answer)

    def decisions(self, answer: Paths) -> tuple[tuple[str, bool], ...]:
        """Returns the path; if several can be chosen, every one, and whether it is selected."""
        if self.most == 1:
            return ((answers.label_of(answer[0]), True),)
        selected = judging.targets([answer], self.paths, self.most)[0] > 0
        return tuple(zip(self.labels, selected.tolist(), strict=True))

    def agree(self, votes: Mapping[str, Paths]) -> Agreement:
        """Returns the deepest paths that more than half of the annotators share."""
        return answers.agree(votes, self.paths, self.most)

    def missing(self, given: Sequence[Paths]) -> str:
        """Returns what is missing to train: a second answer."""
        return answers.missing(given)

    def targets(self, given: Sequence[Paths]) -> NDArray[np.float64]:
        """Returns 1 for the path; if several can be chosen, for all selected ones: (N, W)."""
        return judging.targets(given, self.paths, self.most)

    def fit(self, outputs: Outputs, given: Sequence[Paths], langs: Sequence[str]) -> Calibration:
        """Fits temperatures."""
        return judging.fit(outputs, given, langs, self.paths, self.most)

    def beliefs(self, outputs: Outputs, langs: Sequence[str], calibration: Calibration) -> Outputs:
        """Returns the probability of each path, (N, W)."""
        return judging.beliefs(outputs, langs, calibration, self.paths, self.most)

    def decode(self, beliefs: Outputs) -> list[Suggestion]:
        """Returns the paths with most expected credit for each example."""
        return judging.decode(beliefs, self.paths, self.most)

    def uncertainty(self, beliefs: Outputs, measure: str | None = None) -> NDArray[np.float64]:
        """Returns the uncertainty of each example, (N,)."""
        return judging.uncertainty(beliefs, measure or self.measures[0], self.paths, self.most)

    def credit(self, truth: Sequence[Paths], predicted: Sequence[Paths]) -> NDArray[np.float64]:
        """Returns the hierarchical F1 of each pair of answers, (N,)."""
        return judging.credit(truth, predicted)

    def brier(self, beliefs: Outputs, given: Sequence[Paths]) -> NDArray[np.float64]:
        """Returns the squared distance of the probabilities from the right ones, (N,)."""
        return judging.brier(beliefs, given, self.paths, self.most)

    def summary(self, truth: Sequence[Paths], predicted: Sequence[Paths]) -> Mapping[str, float]:
        """Returns shares of exact and of first-level answers, and F1 of all nodes."""
        return judging.summary(truth, predicted)

    def classes(self, given: Sequence[Paths]) -> NDArray[np.intp] | None:
        """Returns the numbers of the paths; None if several can be chosen."""
        if self.most != 1:
            return None
        return numbers([answer[0] for answer in given], tree_of(self.paths))

    def probe(
        self,
        vectors: NDArray[np.floating],
        given: Sequence[Paths],
        *,
        l2: float,
        weights: NDArray[np.floating] | None = None,
        start: Probe | None = None,
    ) -> Probe:
        """Fits a softmax regression, or one logistic regression per path."""
        targets = self.targets(given)
        return probe.probe(vectors, targets, self.link, l2=l2, weights=weights, start=start)

    def to_json(self) -> dict[str, Json]:
        """Returns the kind, the paths, and how many can be chosen."""
        paths = [list(path) for path in self.paths]
        return {"kind": self.kind, "paths": paths, "most": self.most}
