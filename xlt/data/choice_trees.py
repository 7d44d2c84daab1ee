"""Trees of choices: what Label Studio writes for a chosen leaf, and the labels of leaves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from xlt.data.label_names import canonical

#: Between the parts of a path.
PATH = " / "
_MAX_CHARACTERS = 100_000


def leaf_labels(paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Returns the label of each leaf: its name, or its path if another leaf has that name.

    Args:
        paths: Different paths from the root of a tree to its leaves.
    """
    leaves = list(paths)
    names = Counter(path[-1] for path in leaves)
    return {path: path[-1] if names[path[-1]] == 1 else PATH.join(path) for path in leaves}


def paths_of_cell(cell: object) -> tuple[tuple[str, ...], ...] | None:
    """Reads a list of paths, `[["Health", "Diet"]]`, or the JSON of one; None for other cells.

    Each path is there once, with its names in their canonical form.
    """
    if isinstance(cell, str) and cell.lstrip().startswith("[[") and len(cell) <= _MAX_CHARACTERS:
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    if not isinstance(cell, list) or not cell or not all(map(_is_path, cell)):
        return None
    return tuple(dict.fromkeys(tuple(map(canonical, path)) for path in cell))


def _is_path(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)


def outermost(chosen: Sequence[Any]) -> list[Any]:
    """Leaves out paths that lead to another one.

    Label Studio writes the path of a chosen leaf, and those of the nodes above it of which all
    leaves are chosen: `[["Animal"], ["Animal", "Dog"]]`.

    Args:
        chosen: Paths, which are lists, among any other values.
    """
    paths = [choice for choice in chosen if isinstance(choice, list)]

    def leads_on(choice: object) -> bool:
        return isinstance(choice, list) and any(
            len(path) > len(choice) and path[: len(choice)] == choice for path in paths
        )

    return [choice for choice in chosen if not leads_on(choice)]
