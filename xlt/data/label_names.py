"""Names of labels: which are one label, and which say that there is none."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from xlt.data.rows import is_blank

#: Cells that spreadsheets, databases and pandas write for a missing value.
_MISSING = frozenset({"nan", "NaN", "NAN", "<NA>", "#N/A", "null", "NULL"})


#: Characters that never show: zero-width and soft breaks, marks of direction, byte order marks.
#: Joiners are none of them, as they change the letters beside them in many scripts.
_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@lru_cache(maxsize=4096)
def canonical(label: str) -> str:
    """Returns one form of all labels that look the same.

    They are canonically equivalent in Unicode (normal form C), white space counts as one space
    within a label and as none around it, and characters that never show do not count.
    """
    return " ".join(unicodedata.normalize("NFC", seen(label)).split())


def seen(text: str) -> str:
    """Returns the text without characters that never show."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def is_missing(cell: object) -> bool:
    """Returns whether a cell says that there is no label: nothing, or a word for nothing."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip() in _MISSING)
