"""Cells of tables: strings, numbers, and lists in the forms that tools write."""

from __future__ import annotations

import json
import re

from xlt.data.choice_trees import paths_of_cell
from xlt.data.examples import UNKNOWN_LANGUAGE
from xlt.data.label_names import canonical, is_missing
from xlt.data.rows import is_blank

_MAX_LIST_CHARACTERS = 100_000

_QUOTED = r"""(?:'[^'\\]*'|"[^"\\]*")"""
#: A list as Python and NumPy print it, and pandas writes it to CSV: `['a', 'b']`, `['a' 'b']`.
_PRINTED = re.compile(rf"\[\s*{_QUOTED}(?:(?:\s*,\s*|\s+){_QUOTED})*\s*\]")


def as_text(cell: str | float) -> str:
    """Returns a cell as text; whole numbers are written without `.0`.

    pandas makes 1.0 of 1 in a column that lacks a value somewhere.
    """
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()


def language(cell: str | None) -> str:
    """Returns a language; words for no value are none, but `nan` is the code of Min Nan."""
    if cell is None or (is_missing(cell) and cell not in ("nan", "NAN")):
        return UNKNOWN_LANGUAGE
    return cell


def strings(cell: object) -> tuple[str, ...] | None:
    """Returns the strings of a list; None for any other cell."""
    if not isinstance(cell, list) or not all(isinstance(part, str) for part in cell):
        return None
    return tuple(part.strip() for part in cell)


def labels(cell: object) -> tuple[str, ...] | None:
    """Returns the labels of a list, or of a list that is written in a string; None for others.

    The list is JSON, or as Python prints it. Numbers are labels too. Each label is there once, and
    nothing is none.
    """
    parts = _written(cell.strip()) if isinstance(cell, str) else cell
    if not isinstance(parts, list) or not all(map(_is_label, parts)):
        return None
    names: dict[str, str] = {}
    for name in map(as_text, parts):
        if not is_missing(name):
            names.setdefault(canonical(name), name)
    return tuple(names.values())


def labels_or_paths(cell: object) -> tuple[str, ...] | tuple[tuple[str, ...], ...] | None:
    """Returns the labels of a list, or its paths of a tree (`paths_of_cell`); None for others."""
    return paths_of_cell(cell) or labels(cell)


def _is_label(part: object) -> bool:
    return isinstance(part, str) or (type(part) in (int, float) and not is_blank(part))


def _written(cell: str) -> object:
    """Returns the list that a string writes; None if it writes none."""
    if not cell.startswith("[") or len(cell) > _MAX_LIST_CHARACTERS:
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        printed = _PRINTED.fullmatch(cell)
    return [part[1:-1] for part in re.findall(_QUOTED, cell)] if printed else None
