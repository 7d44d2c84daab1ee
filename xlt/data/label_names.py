"""Names of labels: which are one label, and which say that there is none."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from xlt.data.rows import is_blank

#: Cells that spreadsheets, databases and pandas write for a missing value.
_MISSING = frozenset({"nan", "NaN", "NAN", "<NA>", "#N/A", "null", "NULL"})


@lru_cache(maxsize=4096)
def canonical(label: str) -> str:
    """Returns one form of all labels that look the same.

    They are canonically equivalent in Unicode (normal form C), and white space counts as one space
    within a label and as none around it.
    """
    return " ".join(unicodedata.normalize("NFC", label).split())


def is_missing(cell: object) -> bool:
    """Returns whether a cell says that there is no label: nothing, or a word for nothing."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip() in _MISSING)
