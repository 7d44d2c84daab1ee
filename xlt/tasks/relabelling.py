"""Models of a task whose labels changed: what they say of the labels of now.

A label can be renamed, merged with another, removed or added. A model that was trained before goes
on with the labels that both have, so that suggestions do not stop until the next training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Composed, controls_of, label_of, nothing_known
from xlt.tasks.predictions import Predictions
from xlt.tasks.renames import GONE, Renames, label_now
from xlt.tasks.task import AnyTask, Json


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


class Relabelling(Protocol):
    """The reading of a model's predictions as those of another task."""

    @property
    def source(self) -> AnyTask:
        """Task of the model."""

    @property
    def changed(self) -> Mapping[str, str]:
        """Label of the source -> its label in the target, if that differs; `GONE` if none."""

    def read(self, predictions: Predictions, measure: str | None = None) -> Predictions:
        """Returns predictions of the source as those of the target.

        Args:
            predictions: The model's predictions.
            measure: Uncertainty measure; None for the task's default.
        """


@dataclass(frozen=True, kw_only=True)
class LabelRelabelling:
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
        """Returns predictions of the source as those of the target, see `Relabelling`.

        Suggestions and uncertainty are about the labels that the model knows; an added label has
        probability 0 and changes neither.
        """
        if self.source == self.target and not isinstance(self.target, Composed):
            return predictions
        if self.source == self.target:  # the weights of the controls may differ
            uncertainty = self.target.uncertainty(predictions.beliefs, measure)
            return replace(predictions, uncertainty=uncertainty)
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
        columns of its labels, or it knows too few of the labels to choose among them. Of several
        controls, those are read that the model knows.
    """
    if source is None:
        return None
    if source != target and (isinstance(source, Composed) or isinstance(target, Composed)):
        return _of_controls(source, target, renames or {})
    if source.kind != target.kind:
        return None
    if source == target:
        columns = tuple((number,) for number in range(source.width))
        return LabelRelabelling(
            source=source, target=target, known=target, columns=columns, changed={}
        )
    if not isinstance(target, Regrouping) or not isinstance(source, Regrouping):
        return None
    now = {label: label_now(label, target.labels, renames or {}) or GONE for label in source.labels}
    labels = [label for label in target.labels if label in now.values()]
    try:
        known = KINDS[target.kind].task(labels)
    except DataError:
        return None
    return LabelRelabelling(
        source=source,
        target=target,
        known=known,
        columns=tuple(
            tuple(number for number, former in enumerate(source.labels) if now[former] == label)
            for label in labels
        ),
        changed={label: name for label, name in now.items() if name != label},
    )


# Several controls ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ControlRelabelling:
    """The reading of a model in a task of other controls: those that both have are read.

    Attributes:
        source: Task of the model.
        target: The project's task.
        readings: For each control of the target, the place of the model's control and its reading;
            None if the model does not know it: nothing is suggested for it.
        changed: See `Relabelling`.
    """

    source: AnyTask
    target: AnyTask
    readings: tuple[tuple[int, Relabelling] | None, ...]
    changed: Mapping[str, str]

    def answer(self, plain: Json) -> Json:
        """Returns the JSON of an answer of the source as one of the target; None if it says none.

        Labels keep the names that they had.
        """
        theirs = [part.name for part in controls_of(self.source)]
        given = plain if isinstance(self.source, Composed) else {"": plain}
        own = {
            part.name: given[theirs[found[0]]]
            for part, found in zip(controls_of(self.target), self.readings, strict=True)
            if found is not None and theirs[found[0]] in given
        }
        return (own or None) if isinstance(self.target, Composed) else own.get("")

    def read(self, predictions: Predictions, measure: str | None = None) -> Predictions:
        """Returns predictions of the source as those of the target, see `Relabelling`."""
        beliefs = predictions.beliefs
        own = self.source.split(beliefs) if isinstance(self.source, Composed) else [beliefs]
        each = []
        for part, found in zip(controls_of(self.target), self.readings, strict=True):
            if found is None:
                each.append(
                    _decoded(part.task, nothing_known(part.task, len(beliefs)), predictions)
                )
            else:
                place, reading = found
                each.append(reading.read(_decoded(reading.source, own[place], predictions)))
        if not isinstance(self.target, Composed):
            return each[0]
        beliefs = self.target.join([one.beliefs for one in each])
        return Predictions(
            scores=predictions.scores,
            beliefs=beliefs,
            suggestions=self.target.suggest([one.suggestions for one in each], beliefs),
            uncertainty=self.target.uncertainty(beliefs, measure),
        )


def _decoded(task: AnyTask, beliefs: Outputs, predictions: Predictions) -> Predictions:
    """Returns the predictions of a control from its beliefs."""
    return Predictions(
        scores=predictions.scores,
        beliefs=beliefs,
        suggestions=task.decode(beliefs),
        uncertainty=task.uncertainty(beliefs),
    )


def _of_controls(source: AnyTask, target: AnyTask, renames: Renames) -> ControlRelabelling | None:
    """Compares tasks of which one has several controls; None if they have none in common.

    A task of one control does not know its name: it is the first control that it can be read as.
    """
    theirs, alone = (
        controls_of(source),
        not (isinstance(source, Composed) and isinstance(target, Composed)),
    )
    readings: list[tuple[int, Relabelling] | None] = []
    changed: dict[str, str] = {}
    left = set(range(len(theirs)))
    for part in controls_of(target):
        found = None
        for place in sorted(left):
            if found is None and (alone or theirs[place].name == part.name):
                reading = relabelling(theirs[place].task, part.task, renames)
                found = None if reading is None else (place, reading)
        readings.append(found)
        if found is not None:
            left.remove(found[0])
            changed |= {label_of(part, a): b for a, b in found[1].changed.items()}
    if not any(readings):
        return None
    changed |= {label_of(theirs[n], a): GONE for n in left for a in theirs[n].task.labels}
    return ControlRelabelling(
        source=source, target=target, readings=tuple(readings), changed=changed
    )
