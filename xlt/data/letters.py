"""The script of a text, by its letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

#: Number of letters that decide the script of a text.
_LETTERS = 60
#: Scripts that are written together.
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}


def script(text: str) -> str:
    """Returns the Unicode name of the script of most of a text's first letters; empty if none."""
    counts: Counter[str] = Counter()
    seen = 0
    for character in text:
        name = _script_of(character)
        if name:
            counts[name] += 1
            seen += 1
            if seen == _LETTERS:
                break
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=65_536)
def _script_of(character: str) -> str:
    if not unicodedata.category(character).startswith("L"):
        return ""
    name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return _TOGETHER.get(name, name)
