"""Single label: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.data.label_names import canonical
from xlt.errors import DataError
from xlt.tasks.labels import label_list
from xlt.tasks.single_label.control import Choices
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.task import Json


@dataclass(frozen=True, slots=True)
class SingleLabelKind:
    """The kind of task with one label per example."""

    name: ClassVar[str] = SingleLabel.kind
    control: ClassVar[Choices] = Choices()

    def task(self, labels: Sequence[str]) -> SingleLabel:
        """Returns the task with these labels."""
        return SingleLabel(labels=tuple(labels))

    def from_json(self, value: Mapping[str, Json]) -> SingleLabel:
        """Reads a task that `SingleLabel.to_json` returned."""
        return self.task(label_list(value["labels"]))

    def infer(self, cells: Sequence[Json]) -> SingleLabel | None:
        """Returns the task with all labels that occur, sorted; None if a cell is no string."""
        if not all(isinstance(cell, str) for cell in cells):
            return None
        labels = sorted({canonical(cell) for cell in cells})
        if len(labels) < 2:
            raise DataError(f"expected texts with at least 2 different labels, got {labels}")
        return self.task(labels)

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Returns the examples as they are."""
        return list(examples)


KIND = SingleLabelKind()
