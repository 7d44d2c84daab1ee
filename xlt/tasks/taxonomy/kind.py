"""Taxonomy: the kind of task, which makes tasks from labels, tables and interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xlt.data.examples import Example
from xlt.data.label_names import canonical
from xlt.errors import DataError
from xlt.tasks.labels import label_list
from xlt.tasks.task import Json
from xlt.tasks.taxonomy.answers import paths_of
from xlt.tasks.taxonomy.control import Tree
from xlt.tasks.taxonomy.task import Taxonomy
from xlt.tasks.trees import Path

#: Branches of the demo, and topics that belong to them; further topics are a branch of their own.
_BRANCHES = {
    "Economy": ("business", "farming", "technology", "science/technology"),
    "Society": ("education", "entertainment", "health", "politics", "sport", "sports"),
    "Earth": ("geography", "travel", "weather"),
}


@dataclass(frozen=True, slots=True)
class TaxonomyKind:
    """The kind of task with paths of a tree for each example."""

    name: ClassVar[str] = Taxonomy.kind
    control: ClassVar[Tree] = Tree()

    def task(self, labels: Sequence[str]) -> Taxonomy:
        """Returns the task of choosing one of these paths, `Health / Diet` or `Health/Diet`."""
        return Taxonomy(paths=paths_of(labels))

    def from_json(self, value: Mapping[str, Json]) -> Taxonomy:
        """Reads a task that `Taxonomy.to_json` returned."""
        most = value["most"]
        if not isinstance(value["paths"], list) or not (most is None or type(most) is int):
            raise DataError(f"expected paths, and how many can be chosen, got {value!r}")
        paths = tuple(tuple(label_list(path)) for path in value["paths"])
        return Taxonomy(paths=paths, most=most)

    def infer(self, cells: Sequence[Json]) -> Taxonomy | None:
        """Returns the task with all paths that occur, sorted.

        One path is asked for if every cell has exactly one.

        Returns:
            None if cells are neither all labels nor all lists of labels or paths.
        """
        if cells and all(isinstance(cell, str) for cell in cells):
            return Taxonomy(paths=tuple(sorted(set(map(_canonical, paths_of(cells))))))
        if not cells or not all(map(_is_paths, cells)):
            return None
        labels = [part for cell in cells for part in cell if isinstance(part, str)]
        paths = {part for cell in cells for part in cell if not isinstance(part, str)}
        found = sorted(set(map(_canonical, [*paths, *paths_of(labels)])))
        if not found:
            raise DataError("expected a path in at least one row, got empty lists only")
        one = all(len(cell) == 1 for cell in cells)
        return Taxonomy(paths=tuple(found), most=1 if one else None)

    def demonstrate(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Puts labels below two or three branches; a label that belongs to none is one."""
        branch = {topic: name for name, topics in _BRANCHES.items() for topic in topics}
        made = []
        for example in examples:
            topic = str(example.answer)
            path = (branch[topic], topic) if topic in branch else (topic,)
            made.append(replace(example, answer=(path,)))
        return made


def _canonical(path: Path) -> Path:
    return tuple(map(canonical, path))


def _is_paths(cell: Json) -> bool:
    """Returns whether a cell is a list of labels or of paths."""
    return isinstance(cell, tuple) and all(
        isinstance(part, str)
        or (isinstance(part, tuple) and part and all(isinstance(name, str) for name in part))
        for part in cell
    )


KIND = TaxonomyKind()
