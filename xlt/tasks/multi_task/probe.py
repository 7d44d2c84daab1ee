"""Probe: that of each control's task, fitted on the examples that have an answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.data.by_control import ByControl
from xlt.tasks.multi_task.judging import answered, join
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Part
from xlt.tasks.task import Probe


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probes:
    """The probes of the controls, in the order of the parts."""

    each: tuple[Probe, ...]

    def outputs(self, vectors: NDArray[np.floating]) -> Outputs:
        """Returns the outputs of all controls."""
        return join([probe.outputs(vectors) for probe in self.each])


def probe(
    vectors: NDArray[np.floating],
    answers: Sequence[ByControl],
    parts: Sequence[Part],
    *,
    l2: float,
    weights: NDArray[np.floating] | None,
    start: Probe | None,
) -> Probes:
    """Fits the probes; see `xlt.tasks.task.Task.probe`."""
    starts = start.each if isinstance(start, Probes) else (None,) * len(parts)
    return Probes(
        each=tuple(
            part.task.probe(
                vectors[rows],
                given,
                l2=l2,
                weights=None if weights is None else weights[rows],
                start=before,
            )
            for part, before, (rows, given) in zip(
                parts, starts, answered(answers, parts), strict=True
            )
        )
    )
