"""Several controls: the kind of task, made of tasks of the other kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.labels import label_list
from xlt.tasks.multi_task.control import Controls
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.parts import Part
from xlt.tasks.tags import Condition
from xlt.tasks.task import AnyTask, Json, Kind

#: Names of the controls of the demo, and the number of its ratings.
_TOPIC, _RATING, _RATINGS = "topic", "rating", 3


@dataclass(frozen=True, slots=True)
class MultiTaskKind:
    """The kind of task with several controls.

    Attributes:
        kinds: The kinds of tasks that its parts may have.
    """

    name: ClassVar[str] = MultiTask.kind
    kinds: Mapping[str, Kind[Any]]

    @property
    def control(self) -> Controls:
        """The kind in Label Studio's JSON and XML."""
        return Controls(self.kinds)

    def task(self, labels: Sequence[str]) -> MultiTask:
        """Returns the task with these labels, each written as "control: label".

        A control whose labels are all numbers is a rating; any other asks for one of its labels.

        Raises:
            DataError: If a label names no control, or if those of one make no task.
        """
        return MultiTask(parts=tuple(self.control.parts(labels)))

    def from_json(self, value: Mapping[str, Json]) -> MultiTask:
        """Reads a task that `MultiTask.to_json` returned."""
        return MultiTask(parts=tuple(self._part(one) for one in value["controls"]))

    def _part(self, value: Mapping[str, Json]) -> Part:
        task = value["task"]
        if task["kind"] not in self.kinds or not isinstance(value["name"], str):
            raise DataError(f"expected the task of a control, got {value!r}")
        return Part(
            name=value["name"],
            task=self.kinds[task["kind"]].from_json(task),
            conditions=tuple(
                Condition(
                    control=str(one["control"]),
                    labels=tuple(label_list(one["labels"])),
                    selected=bool(one["selected"]),
                )
                for one in value.get("conditions", ())
            ),
        )

    def infer(self, cells: Sequence[Json]) -> MultiTask | None:
        """Returns the task of cells with answers by control; None if one is no such."""
        if not cells or not all(isinstance(cell, ByControl) for cell in cells):
            return None
        names = list(dict.fromkeys(name for cell in cells for name, _ in cell))
        return MultiTask(parts=tuple(Part(name=n, task=self._inferred(n, cells)) for n in names))

    def _inferred(self, name: str, cells: Sequence[ByControl]) -> AnyTask:
        own = [answer for answer in (cell.get(name) for cell in cells) if answer is not None]
        for kind in self.kinds.values():
            task = kind.infer(own)
            if task is not None:
                return task
        raise DataError(f"expected labels of one of the kinds {list(self.kinds)} for {name!r}")

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Adds a rating from 1 to 3 to the label of each text, by the place of the label."""
        labels = sorted({str(example.answer) for example in examples})
        ratings = {label: 1 + place * _RATINGS // len(labels) for place, label in enumerate(labels)}
        return [
            replace(
                example,
                answer=ByControl.of(
                    {_TOPIC: str(example.answer), _RATING: ratings[str(example.answer)]}
                ),
            )
            for example in examples
        ]


def kind_of(kinds: Mapping[str, Kind[Any]]) -> MultiTaskKind:
    """Returns the kind whose parts are of these kinds."""
    return MultiTaskKind(kinds)
