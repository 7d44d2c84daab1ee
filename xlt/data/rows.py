"""Rows of tables."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

#: A row's number (its line in text files, otherwise counted from 1) and its values by column.
Row = tuple[int, Mapping[str, object]]

#: Categories of Unicode: controls, formats such as zero-width spaces, and separators.
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}

#: Largest number of rows in a message.
_NAMED = 10


def is_blank(cell: object) -> bool:
    """Returns whether a cell holds nothing: None, NaN, or invisible characters alone."""
    if isinstance(cell, str):
        return all(unicodedata.category(character) in _INVISIBLE for character in cell)
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def stripped(name: str) -> str:
    """Returns a name without invisible characters around it, such as a second byte order mark."""
    start, end = 0, len(name)
    while start < end and is_blank(name[start]):
        start += 1
    while start < end and is_blank(name[end - 1]):
        end -= 1
    return name[start:end]


def with_nested(rows: Sequence[Row], names: Iterable[str]) -> list[Row]:
    """Adds the values of nested objects that are asked for by dotted names, such as `doc.lang`.

    A column of that very name stays as it is.

    Args:
        rows: Rows of a table.
        names: Names of columns; those without a dot are not looked up.
    """
    paths = [name for name in names if "." in name]
    if not paths:
        return list(rows)
    return [(number, {**_nested(row, paths), **row}) for number, row in rows]


def _nested(row: Mapping[str, object], paths: Sequence[str]) -> dict[str, object]:
    """Returns the values at those paths that the row has."""
    found: dict[str, object] = {}
    for path in paths:
        value: object = row
        *outer, last = path.split(".")
        for key in outer:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and last in value:
            found[path] = value[last]
    return found


def left_out(numbers: Sequence[int], why: str, table: str) -> str:
    """Returns a line on rows that are not used."""
    count = len(numbers)
    shown = ", ".join(map(str, numbers[:_NAMED])) + (", …" if count > _NAMED else "")
    return f"left out {count} row{'' if count == 1 else 's'} of {table} {why}: {shown}"
