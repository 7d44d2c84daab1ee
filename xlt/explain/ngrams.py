"""Credit of characters for the n-grams that cover them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from xlt.frozen.ngrams import occurrences

_WORD = re.compile(r"\S+")


def by_character(text: str, credit: Mapping[int, float]) -> NDArray[np.float64]:
    """Returns the credit of each code point of a text, (len(text),).

    The n-grams of a column share its credit equally, as do the characters of an n-gram. The spaces
    that are put around words get nothing.

    Args:
        text: The text.
        credit: Column of the text's n-grams -> its credit.
    """
    # Some letters have two code points in lower case.
    origin = [at for at, character in enumerate(text) for _ in character.lower()]
    lower = text.lower()
    places = [match.span() for match in _WORD.finditer(lower)]
    padded = [at for start, end in places for at in (-1, *origin[start:end], -1)]
    found = occurrences([[f" {lower[start:end]} " for start, end in places]])
    characters = np.array(padded, dtype=np.int64)
    counts: dict[int, int] = {}
    for column in found.columns.tolist():
        counts[column] = counts.get(column, 0) + 1
    scores = np.zeros(len(text))
    each = zip(found.columns.tolist(), found.starts, found.lengths, strict=True)
    for column, start, length in each:
        own = characters[start : start + length]
        own = own[own >= 0]
        np.add.at(scores, own, credit.get(column, 0.0) / counts[column] / len(own))
    return scores
