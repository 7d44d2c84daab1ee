"""Remarks of people for the log: one line that shows as it is written."""

from __future__ import annotations

import unicodedata

#: Largest length of a remark in code points.
MOST_CHARACTERS = 500
#: Marks that turn the direction of the text behind them. Those of single letters are kept.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Unicode categories of control characters, which terminals obey, and of halves of characters,
#: which cannot be written.
_UNPRINTABLE = ("Cc", "Cs")


def remark(text: str) -> str:
    """Returns a text in one line, without control characters, of at most `MOST_CHARACTERS`."""
    kept = "".join(c for c in text[: 10 * MOST_CHARACTERS] if c.isspace() or _is_shown(c))
    return " ".join(kept.split())[:MOST_CHARACTERS]


def _is_shown(c: str) -> bool:
    return c not in _TURNING and unicodedata.category(c) not in _UNPRINTABLE
