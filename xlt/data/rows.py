"""Rows of tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: A row's number (its line in text files, otherwise counted from 1) and its values by column.
Row = tuple[int, Mapping[str, object]]


def is_blank(cell: object) -> bool:
    """Returns whether a cell holds nothing: None, white space alone or a number's NaN."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))
