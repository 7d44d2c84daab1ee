"""Finds the translations of words in a target language, direct or through third languages.

Two dictionaries make a third, with wrong pairs where the word between them has several meanings.
A pair is kept where different languages between agree on it (Tanaka & Umemura 1994, "Construction
of a bilingual dictionary intermediated by a third language").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

Pair = tuple[str, str]
#: Pairs of words by their two languages; both directions of a dictionary are in it.
Pairs = Mapping[tuple[str, str], AbstractSet[Pair]]

_LEAST_PIVOTS = 2
_LEAST_SHARE = 0.5  # of the languages that the word's best translation has


def direct(pairs: Pairs, language: str, target: str) -> set[Pair]:
    """Returns the pairs that a dictionary of the two languages has."""
    return set(pairs.get((language, target), ()))


def pivoted(pairs: Pairs, language: str, target: str) -> set[Pair]:
    """Returns the pairs of words of two languages on which enough languages between them agree."""
    voters: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pivot in [second for first, second in pairs if first == language]:
        onward: dict[str, list[str]] = defaultdict(list)
        for between, found in pairs.get((pivot, target), ()):
            onward[between].append(found)
        for word, between in pairs[language, pivot]:
            for found in onward.get(between, ()):
                voters[word][found].add(pivot)
    return {
        (word, found)
        for word, candidates in voters.items()
        for found in _agreed({found: len(who) for found, who in candidates.items()})
    }


def _agreed(votes: Mapping[str, int]) -> set[str]:
    least = max(_LEAST_PIVOTS, _LEAST_SHARE * max(votes.values()))
    return {found for found, count in votes.items() if count >= least}
