"""Labelled examples as arrays, and probes trained on some of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.config import HEAD_L2
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.logistic import scaled
from xlt.tasks.task import AnyTask, Probe


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """N labelled examples.

    Attributes:
        vectors: (N, D) sentence vectors of an encoder that has not seen the labels.
        answers: N answers.
        task: Task of the answers.
        langs: (N,) language codes, one code per language.
        groups: (N,) groups; texts with the same meaning in any language share one.
        l2: Penalty of the probes.

    Raises:
        DataError: If the lengths disagree.
    """

    vectors: NDArray[np.float32]
    answers: Sequence[Hashable]
    task: AnyTask
    langs: NDArray[np.str_]
    groups: NDArray[np.str_]
    l2: float = HEAD_L2

    def __post_init__(self) -> None:
        n = len(self.vectors)
        for name in ("answers", "langs", "groups"):
            if len(getattr(self, name)) != n:
                raise DataError(f"expected {n} {name}, one per vector")

    def scaled(self) -> Labelled:
        """Returns a copy with vectors of mean 0 and mean length 1, as probes expect them."""
        if not len(self.vectors):
            return self
        return replace(self, vectors=scaled(self.vectors, self.vectors))

    def fit(self, rows: NDArray[np.intp], start: Probe | None = None) -> Probe:
        """Trains a probe on some of the rows; `start` only saves time."""
        answers = [self.answers[row] for row in rows]
        return self.task.probe(self.vectors[rows], answers, l2=self.l2, start=start)

    def credit(self, probe: Probe, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Returns a probe's credit on the rows, (K,) in [0, 1]."""
        outputs = probe.outputs(self.vectors[rows])
        beliefs = self.task.beliefs(outputs, self.langs[rows].tolist(), Calibration())
        predicted = [suggestion.answer for suggestion in self.task.decode(beliefs)]
        return self.task.credit([self.answers[row] for row in rows], predicted)
