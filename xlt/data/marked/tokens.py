"""Texts of tokens: how tokens are joined to a text, and where they stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from xlt.data.rows import is_blank

#: Start and end of each token in its text, in code points.
Places = list[tuple[int, int]]

#: First words of the Unicode names of letters in scripts that set no space between words: Chinese
#: and Japanese, and the scripts of class SA in Unicode's line breaking (UAX 14).
_UNSPACED = {
    *("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "IDEOGRAPHIC"),
    *("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "TAI", "NEW", "AHOM"),
}


def joined(tokens: Sequence[str]) -> tuple[str, Places]:
    """Joins tokens to a text, and returns where each of them stands.

    Tokens are joined by a space. If most of those with letters are in scripts that set no space
    between words, they are joined without one, except between two words or numbers of other
    scripts. An empty token takes no room.
    """
    unspaced = are_unspaced(tokens)
    places: Places = []
    parts: list[str] = []
    at, last = 0, ""
    for token in tokens:
        if token and last and (not unspaced or _are_apart(last, token[0])):
            parts.append(" ")
            at += 1
        places.append((at, at + len(token)))
        parts.append(token)
        at += len(token)
        last = token[-1:] or last
    return "".join(parts), places


def places_in(text: str, tokens: Sequence[str]) -> Places | None:
    """Returns where tokens stand in a text; None if it does not consist of them and white space."""
    places, at = [], 0
    for token in tokens:
        while at < len(text) and not text.startswith(token, at) and is_blank(text[at]):
            at += 1
        if not text.startswith(token, at):
            return None
        places.append((at, at + len(token)))
        at += len(token)
    return places if is_blank(text[at:]) else None


def are_unspaced(tokens: Sequence[str]) -> bool:
    """Returns whether most tokens with letters are in scripts that set no space between words."""
    first = [next((c for c in token if c.isalpha()), "") for token in tokens]
    letters = [letter for letter in first if letter]
    return sum(map(in_unspaced_script, letters)) * 2 > len(letters)


@lru_cache(maxsize=65_536)
def in_unspaced_script(character: str) -> bool:
    """Returns whether a character is of a script that sets no space between words."""
    return unicodedata.name(character, "").split(" ")[0].split("-")[0] in _UNSPACED


def _are_apart(one: str, other: str) -> bool:
    """Returns whether a space stands between two characters even in a text without spaces."""
    return all(c.isalnum() and not in_unspaced_script(c) for c in (one, other))
