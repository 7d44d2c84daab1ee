"""Models of a task whose labels changed: what they say of the labels of now.

A label can be renamed, merged with another, removed or added. A model that was trained before goes
on with the labels that both have, so that suggestions do not stop until the next training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs
from xlt.tasks.predictions import Predictions
from xlt.tasks.renames import GONE, Renames, label_now
from xlt.tasks.task import AnyTask


@runtime_checkable
class Regrouping(Protocol):
    """A task with one column of beliefs per label, which tells the columns of fewer labels.

    Models of kinds without this are not used once their labels changed.
    """

    def regroup(self, beliefs: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
        """Returns beliefs (N, W) in this task's labels.

        Args:
            beliefs: Beliefs (N, V) of a task of the same kind with other labels.
            columns: W lists of its columns, without one in common: those that became each label.
        """


@dataclass(frozen=True, kw_only=True)
class Relabelling:
    """The reading of a model's beliefs in the labels of another task of the same kind.

    Attributes:
        source: Task of the model.
        target: The project's task.
        known: The task with only those labels of the target that the model knows.
        columns: Columns of the source's beliefs that are each label of `known`.
        changed: Label of the source -> its label in the target, if that differs; `GONE` if none.
    """

    source: AnyTask
    target: AnyTask
    known: AnyTask
    columns: tuple[tuple[int, ...], ...]
    changed: Mapping[str, str]

    @property
    def added(self) -> tuple[str, ...]:
        """Labels of the target that the model does not know."""
        return tuple(label for label in self.target.labels if label not in self.known.labels)

    def read(self, predictions: Predictions, measure: str | None = None) -> Predictions:
        """Returns predictions of the source as those of the target.

        Suggestions and uncertainty are about the labels that the model knows; an added label has
        probability 0 and changes neither.

        Args:
            predictions: The model's predictions.
            measure: Uncertainty measure; None for the task's default.
        """
        if self.source == self.target:
            return predictions
        believed = self.beliefs(predictions.beliefs)
        return Predictions(
            scores=predictions.scores,
            beliefs=self._widened(believed),
            suggestions=self.known.decode(believed),
            uncertainty=self.known.uncertainty(believed, measure),
        )

    def beliefs(self, believed: Outputs) -> Outputs:
        """Returns the source's beliefs in the labels of `known`."""
        if self.source == self.target:
            return believed
        assert isinstance(self.known, Regrouping)
        return self.known.regroup(believed, self.columns)

    def _widened(self, believed: Outputs) -> Outputs:
        """Returns beliefs in the target's labels, 0 for those that the model does not know."""
        place = {label: number for number, label in enumerate(self.target.labels)}
        wide = np.zeros((len(believed), self.target.width))
        wide[:, [place[label] for label in self.known.labels]] = believed.values
        return Outputs(wide)


def relabelling(
    source: AnyTask | None, target: AnyTask, renames: Renames | None = None
) -> Relabelling | None:
    """Compares the task of a model with the project's task.

    Args:
        source: Task of the model; None if this xlt does not know its kind.
        target: The project's task.
        renames: Former labels of the project -> the label that each is now.

    Returns:
        None if the model cannot be used: it is of another kind, or of one that does not tell the
        columns of its labels, or it knows too few of the labels to choose among them.
    """
    if source is None or source.kind != target.kind:
        return None
    if source == target:
        columns = tuple((number,) for number in range(source.width))
        return Relabelling(source=source, target=target, known=target, columns=columns, changed={})
    if not isinstance(target, Regrouping) or not isinstance(source, Regrouping):
        return None
    now = {label: label_now(label, target.labels, renames or {}) or GONE for label in source.labels}
    labels = [label for label in target.labels if label in now.values()]
    try:
        known = KINDS[target.kind].task(labels)
    except DataError:
        return None
    return Relabelling(
        source=source,
        target=target,
        known=known,
        columns=tuple(
            tuple(number for number, former in enumerate(source.labels) if now[former] == label)
            for label in labels
        ),
        changed={label: name for label, name in now.items() if name != label},
    )
