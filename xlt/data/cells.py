"""Cells of tables: strings, numbers, and lists in the forms that tools write."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Hashable

from xlt.data.by_control import ByControl
from xlt.data.choice_trees import paths_of_cell
from xlt.data.examples import UNKNOWN_LANGUAGE
from xlt.data.label_names import canonical, is_missing
from xlt.data.rows import is_blank

#: Words that people and tools write for no or any language; `mis`, `mul` and `zxx` are ISO 639-2.
_NO_LANGUAGE = frozenset(
    {
        *("unknown", "unk", "unkn", "undefined", "undetermined", "unspecified", "not specified"),
        *("none", "null", "nil", "n/a", "#n/a", "<na>", "not available", "missing", "no language"),
        *("other", "others", "any", "auto", "mixed", "multiple", "multilingual", "various"),
        *("mis", "mul", "zxx", "?", "??", "-", "--", "_", "."),
    }
)
_MAX_LIST_CHARACTERS = 100_000
_MAX_PRINTED_CHARACTERS = 1_000_000

_QUOTED = r"""(?:'[^'\\]*'|"[^"\\]*")"""
#: A list as Python and NumPy print it, and pandas writes it to CSV: `['a', 'b']`, `['a' 'b']`.
_PRINTED = re.compile(rf"\[\s*{_QUOTED}(?:(?:\s*,\s*|\s+){_QUOTED})*\s*\]")


def as_text(cell: str | float, *, exact: bool = False) -> str:
    """Returns a cell as text; whole numbers are written without `.0`.

    pandas makes 1.0 of 1 in a column that lacks a value somewhere.

    Args:
        cell: A string or a number.
        exact: Keeps the white space around a text, in which offsets are counted.
    """
    whole = isinstance(cell, float) and cell.is_integer()
    text = str(int(cell) if whole else cell)
    return text if exact else text.strip()


def language(cell: str | None) -> str:
    """Returns a language; words for no value are none, but `nan` is the code of Min Nan."""
    if cell is None or cell.strip().casefold() in _NO_LANGUAGE:
        return UNKNOWN_LANGUAGE
    return UNKNOWN_LANGUAGE if is_missing(cell) and cell not in ("nan", "NAN") else cell


def strings(cell: object, *, exact: bool = False) -> tuple[str, ...] | None:
    """Returns the strings of a list, `exact` or without white space around; None for others."""
    if not isinstance(cell, list) or not all(isinstance(part, str) for part in cell):
        return None
    return tuple(part if exact else part.strip() for part in cell)


def labels(cell: object) -> tuple[str, ...] | None:
    """Returns the labels of a list, or of a list that is written in a string; None for others.

    The list is JSON, or as Python prints it. Numbers are labels too. Each label is there once, and
    nothing is none.
    """
    parts = written_list(cell.strip()) if isinstance(cell, str) else cell
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


def by_control(cell: object) -> ByControl | None:
    """Returns the answers to several controls of an object, or of the JSON of one; None for others.

    An answer is a label, a number, or a list of labels or of paths. A control without an answer is
    left out.
    """
    if isinstance(cell, str) and cell.lstrip().startswith("{"):
        try:
            cell = json.loads(cell) if len(cell) <= _MAX_LIST_CHARACTERS else None
        except (ValueError, RecursionError):
            return None
    if not isinstance(cell, dict):
        return None
    given = {str(name): value for name, value in cell.items() if not is_missing(value)}
    answers = {name: _answer(value) for name, value in given.items()}
    known = {name: own for name, own in answers.items() if own is not None}
    return ByControl.of(known) if known and len(known) == len(answers) else None


def _answer(value: object) -> Hashable | None:
    """Returns the answer to one control; None if it is none."""
    if isinstance(value, list):
        return labels_or_paths(value)
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, int | float) and _is_label(value) else None


def _is_label(part: object) -> bool:
    return isinstance(part, str) or (type(part) in (int, float) and not is_blank(part))


def written_list(cell: str) -> object:
    """Returns the list that a string writes, as JSON or as Python prints it; None for others."""
    if not cell.startswith("[") or len(cell) > _MAX_LIST_CHARACTERS:
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        printed = _PRINTED.fullmatch(cell)
    return [part[1:-1] for part in re.findall(_QUOTED, cell)] if printed else None


def printed_list(cell: str) -> list[object] | None:
    """Returns the list of strings, numbers, lists, tuples and objects that Python printed.

    pandas writes such lists to CSV: `[{'start': 0, 'label': "it's"}]`. None for anything else.
    """
    if len(cell) > _MAX_PRINTED_CHARACTERS or not cell.lstrip().startswith("["):
        return None
    try:
        with warnings.catch_warnings():  # of escapes that Python does not know
            warnings.simplefilter("ignore")
            found = ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, list) else None
