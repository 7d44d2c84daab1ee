"""Rating: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.rating.answers import Scale, number, scale_of
from xlt.tasks.rating.control import Numbers, scale_of_labels
from xlt.tasks.rating.task import Rating
from xlt.tasks.task import Json


@dataclass(frozen=True, slots=True)
class RatingKind:
    """The kind of task with a number on a scale per example."""

    name: ClassVar[str] = Rating.kind
    control: ClassVar[Numbers] = Numbers()

    def task(self, labels: Sequence[str]) -> Rating:
        """Returns the task with these numbers, or of 1 up to the only one."""
        return Rating(scale=scale_of_labels(labels))

    def from_json(self, value: Mapping[str, Json]) -> Rating:
        """Reads a task that `Rating.to_json` returned."""
        lowest, step, steps = (number(value[name]) for name in ("lowest", "step", "steps"))
        if lowest is None or step is None or not isinstance(steps, int):
            raise DataError(f"expected the scale of a rating, got {value!r}")
        return Rating(scale=Scale(lowest=lowest, step=step, steps=steps))

    def infer(self, cells: Sequence[Json]) -> Rating | None:
        """Returns the task with the scale that the cells span; None if one is no number."""
        found = [number(cell) for cell in cells]
        numbers = [value for value in found if value is not None]
        return Rating(scale=scale_of(numbers)) if cells and len(numbers) == len(cells) else None

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Joins two texts each, and rates how much of them is about the first half of the labels.

        1 is none of it, 2 one of the two texts, 3 both. Examples whose labels are numbers are rated
        already; those of a fine scale move to their nearest level.

        Args:
            examples: Examples with one label each.
            rng: Pairs the groups of texts with the same meaning.
        """
        task = self.infer([example.answer for example in examples])
        if task is not None:
            return [
                replace(example, answer=task.nearest_level(task.read(example.answer)))
                for example in examples
            ]
        labels = sorted({str(example.answer) for example in examples})
        about = set(labels[: len(labels) // 2])
        groups: dict[str, dict[str, Example]] = {}
        for example in examples:
            groups.setdefault(example.group_key, {})[example.lang] = example
        alike: dict[frozenset[str], list[str]] = {}
        for key, texts in groups.items():
            alike.setdefault(frozenset(texts), []).append(key)
        made: list[Example] = []
        for keys in alike.values():
            order = [keys[place] for place in rng.permutation(len(keys))]
            for one, two in zip(order[::2], order[1::2], strict=False):
                made += _rated(groups[one], groups[two], about)
        return made


def _rated(
    one: Mapping[str, Example], two: Mapping[str, Example], about: set[str]
) -> Iterator[Example]:
    """Yields the two texts of each language as one, with its rating."""
    for lang in one:
        parts = (one[lang], two[lang])
        yield replace(
            parts[0],
            id="+".join(part.id for part in parts),
            texts=(" ".join(part.text for part in parts),),
            answer=1 + sum(str(part.answer) in about for part in parts),
            group="+".join(sorted(part.group_key for part in parts)),
        )


KIND = RatingKind()
