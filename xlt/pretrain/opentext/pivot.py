"""Translates words into a target language, directly or through pivot languages.

A dictionary through a pivot language has wrong pairs if the pivot word has several meanings. A pair
is kept if several pivot languages agree on it (Tanaka & Umemura 1994, "Construction of a bilingual
dictionary intermediated by a third language").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

Pair = tuple[str, str]
#: Pairs of words by their two languages, with both directions of each dictionary.
Pairs = Mapping[tuple[str, str], AbstractSet[Pair]]

_LEAST_PIVOTS = 2
_LEAST_SHARE = 0.5  # of the number of pivots of the word's best translation


def direct(pairs: Pairs, language: str, target: str) -> set[Pair]:
    """Returns the pairs of a dictionary of the two languages."""
    return set(pairs.get((language, target), ()))


def pivoted(pairs: Pairs, language: str, target: str) -> set[Pair]:
    """Returns the pairs of words on which enough pivot languages agree."""
    voters: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pivot in [second for first, second in pairs if first == language]:
        onward: dict[str, list[str]] = defaultdict(list)
        for between, translation in pairs.get((pivot, target), ()):
            onward[between].append(translation)
        for word, between in pairs[language, pivot]:
            for translation in onward.get(between, ()):
                voters[word][translation].add(pivot)
    return {
        (word, translation)
        for word, candidates in voters.items()
        for translation in _agreed({text: len(pivots) for text, pivots in candidates.items()})
    }


def _agreed(votes: Mapping[str, int]) -> set[str]:
    """Returns the translations with enough votes."""
    least = max(_LEAST_PIVOTS, _LEAST_SHARE * max(votes.values()))
    return {translation for translation, count in votes.items() if count >= least}
