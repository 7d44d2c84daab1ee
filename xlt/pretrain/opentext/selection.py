"""Selects the messages with most translations from packages that have too many."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from xlt.pretrain.opentext.entries import Entry

_FEW = 3_000  # a language with fewer messages keeps them all


def most_translated(
    entries: Iterable[Entry], most: Mapping[str, int], few: int = _FEW
) -> Iterator[Entry]:
    """Yields the entries with translations into most languages, and all texts of rare languages.

    Of entries with the same English text, one is used. In a language that is not rare, an entry
    keeps a single translation, and none if it is not among those with most languages.

    Args:
        entries: Messages of one source, each with a key.
        most: Largest number of entries of each corpus, not counting those for rare languages.
        few: A language with fewer entries is rare.
    """
    ranked = sorted(entries, key=lambda entry: (-len(_languages(entry)), digest(entry.key)))
    texts = {entry.english: entry for entry in reversed(ranked)}
    distinct = list(reversed(texts.values()))
    count = Counter(language for entry in distinct for language in _languages(entry))
    taken: Counter[str] = Counter()
    for entry in distinct:
        first = (
            {} if taken[entry.corpus] == most[entry.corpus] else dict(reversed(entry.translations))
        )
        taken[entry.corpus] += bool(first)
        translations = tuple(
            (language, text)
            for language, text in entry.translations
            if count[language] < few or first.get(language) == text
        )
        if translations:
            yield replace(entry, translations=translations)


def _languages(entry: Entry) -> set[str]:
    return {language for language, _ in entry.translations}


def digest(key: str) -> str:
    """Returns a hash to sort entries by: arbitrary, but the same on every machine."""
    return hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
