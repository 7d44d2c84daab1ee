"""Translations: tables with two texts in a row."""

from __future__ import annotations

from pathlib import Path

from xlt.data.tables import read_rows
from xlt.errors import DataError

#: Largest number of columns in a message.
_NAMED_COLUMNS = 20


def read_pairs(path: str | Path) -> list[tuple[str, str]]:
    """Reads translations: a table with columns `source` and `target`, or of two columns.

    Raises:
        DataError: If there are no such columns, or a row lacks one of its texts.
    """
    rows = read_rows(path)
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = ["source", "target"] if {"source", "target"} <= set(names) else names
    if len(columns) != 2:
        raise DataError(
            f"{path} must have columns source and target, or two columns; it has "
            f"{names[:_NAMED_COLUMNS]}"
        )
    pairs = []
    for number, row in rows:
        left, right = (str(row.get(name) or "").strip() for name in columns)
        if not left or not right:
            raise DataError(f"{path}, row {number}: expected two texts, one is empty")
        pairs.append((left, right))
    return pairs
