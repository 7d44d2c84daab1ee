"""Translations: tables with two texts in a row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from xlt.data.rows import is_blank, left_out
from xlt.data.tables import read_rows
from xlt.errors import DataError

_log = logging.getLogger(__name__)

#: Largest number of columns in a message.
_NAMED_COLUMNS = 20


def read_pairs(
    path: str | Path, *, note: Callable[[str], None] = _log.warning
) -> list[tuple[str, str]]:
    """Reads translations: a table with columns `source` and `target`, or of two columns.

    Args:
        path: A table that `read_rows` can read.
        note: Takes a line on rows that lack a text, which are left out.

    Raises:
        DataError: If there are no such columns, if a cell is no text, or if no row has two texts.
    """
    rows = read_rows(path)
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = ["source", "target"] if {"source", "target"} <= set(names) else names
    if len(columns) != 2:
        raise DataError(
            f"{path} must have columns source and target, or two columns; it has "
            f"{names[:_NAMED_COLUMNS]}"
        )
    pairs, incomplete = [], []
    for number, row in rows:
        if any(is_blank(row.get(name)) for name in columns):
            incomplete.append(number)
        else:
            cells = [row[name] for name in columns]
            if not all(isinstance(cell, str | int | float) for cell in cells):
                raise DataError(f"{path}, row {number}: expected two texts, got {str(cells)[:100]}")
            left, right = (str(cell).strip() for cell in cells)
            pairs.append((left, right))
    if not pairs:
        raise DataError(f"no row of {path} has two texts")
    if incomplete:
        note(left_out(incomplete, "without two texts", Path(path).name))
    return pairs
