"""Rows of tables."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence

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


def left_out(numbers: Sequence[int], why: str, table: str) -> str:
    """Returns a line on rows that are not used."""
    count = len(numbers)
    shown = ", ".join(map(str, numbers[:_NAMED])) + (", …" if count > _NAMED else "")
    return f"left out {count} row{'' if count == 1 else 's'} of {table} {why}: {shown}"
