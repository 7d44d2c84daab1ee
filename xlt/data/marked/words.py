"""Words of a text that came without tokens, for files with a token per line."""

from __future__ import annotations

import unicodedata

from xlt.data.marked.tokens import Places, in_unspaced_script

#: White space that `str.isspace` does not count.
_INVISIBLE = {"\u200b", "\u2060", "\ufeff"}
_JOINERS = {"\u200c", "\u200d"}
#: Canonical combining class of signs that join the letter behind them to the one before.
_VIRAMA = 9


def words_in(text: str) -> Places:
    """Returns the places of a text's words.

    A word is a run without white space; marks of punctuation around it are words of their own.
    Within a run of a script that sets no space between words, each letter is one, with its marks.
    """
    places: Places = []
    start = 0
    for at, character in enumerate(f"{text} "):
        if character.isspace() or character in _INVISIBLE:
            places += _parts(text, start, at)
            start = at + 1
    return places


def _parts(text: str, start: int, end: int) -> Places:
    """Returns the words of a run without white space."""
    clusters = _clusters(text, start, end)
    letters = [n for n, (a, _) in enumerate(clusters) if _is_letter(text[a])]
    first, last = (letters[0], letters[-1]) if letters else (0, -1)
    unspaced = [in_unspaced_script(text[a]) for a, _ in clusters]
    places: Places = []
    alone = True
    for n, (a, b) in enumerate(clusters):
        is_sign = not first <= n <= last or (
            any(unspaced[max(n - 1, 0) : n + 2]) and not _is_letter(text[a])
        )
        apart = unspaced[n] or is_sign
        if apart or alone:
            places.append((a, b))
        else:
            places[-1] = (places[-1][0], b)
        alone = apart
    return places


def _clusters(text: str, start: int, end: int) -> Places:
    """Returns the places of characters with the marks that belong to them."""
    places: Places = []
    joined = False
    for at in range(start, end):
        character = text[at]
        if places and (joined or character in _JOINERS or _category(character) == "M"):
            places[-1] = (places[-1][0], at + 1)
        else:
            places.append((at, at + 1))
        joined = character == "\u200d" or unicodedata.combining(character) == _VIRAMA
    return places


def _is_letter(character: str) -> bool:
    return _category(character) in "LN"


def _category(character: str) -> str:
    return unicodedata.category(character)[0]
