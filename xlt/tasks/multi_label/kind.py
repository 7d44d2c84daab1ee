"""Several labels: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.data.label_names import canonical
from xlt.errors import DataError
from xlt.tasks.labels import label_list
from xlt.tasks.multi_label.control import Choices
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.task import Json


@dataclass(frozen=True, slots=True)
class MultiLabelKind:
    """The kind of task with any number of labels per example."""

    name: ClassVar[str] = MultiLabel.kind
    control: ClassVar[Choices] = Choices()

    def task(self, labels: Sequence[str]) -> MultiLabel:
        """Returns the task with these labels."""
        return MultiLabel(labels=tuple(labels))

    def from_json(self, value: Mapping[str, Json]) -> MultiLabel:
        """Reads a task that `MultiLabel.to_json` returned."""
        return self.task(label_list(value["labels"]))

    def infer(self, cells: Sequence[Json]) -> MultiLabel | None:
        """Returns the task with all labels that occur, sorted; None for other cells than lists."""
        if not cells or not all(map(_is_labels, cells)):
            return None
        labels = sorted({canonical(label) for cell in cells for label in cell})
        if not labels:
            raise DataError("expected a label in at least one row, got empty lists only")
        return self.task(labels)

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Makes texts about two topics, about one topic, and about none of the labels' topics.

        Of three groups (texts with the same meaning in all languages), two are joined and one stays
        alone. The last label in order is left out, so that its texts have none.

        Args:
            examples: Examples with one label each.
            rng: Pairs the groups.
        """
        left_out = max(str(example.answer) for example in examples)
        groups: dict[str, dict[str, Example]] = {}
        for example in examples:
            groups.setdefault(example.group_key, {})[example.lang] = example
        keys = [list(groups)[row] for row in rng.permutation(len(groups))]
        made: list[Example] = []
        for start in range(0, len(keys), 3):
            parts = [groups[key] for key in keys[start : start + 3]]
            made += (_labelled((alone,), left_out) for alone in parts[-1].values())
            if len(parts) == 3:
                made += (_labelled(pair, left_out) for pair in _pairs(parts[0], parts[1]))
        return made


def _is_labels(cell: Json) -> bool:
    return isinstance(cell, tuple) and all(isinstance(part, str) for part in cell)


def _pairs(
    first: Mapping[str, Example], second: Mapping[str, Example]
) -> Iterator[tuple[Example, ...]]:
    """Yields the two texts of each language, or the only one."""
    for lang in dict.fromkeys([*first, *second]):
        yield tuple(texts[lang] for texts in (first, second) if lang in texts)


def _labelled(parts: tuple[Example, ...], left_out: str) -> Example:
    labels = sorted({str(part.answer) for part in parts} - {left_out})
    return replace(
        parts[0],
        id="+".join(part.id for part in parts),
        texts=(" ".join(part.text for part in parts),),
        answer=tuple(labels),
        group="+".join(sorted(part.group_key for part in parts)),
    )


KIND = MultiLabelKind()
