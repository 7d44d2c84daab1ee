"""Chooses messages of packages that have too many: those that most languages have."""

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
    """Yields the entries with translations into most languages, and what rare languages have.

    Of entries with the same English text it is one. Into a language that has many, an entry keeps
    one translation; and none if it is not among those with translations into most languages.

    Args:
        entries: The messages of one source, each with a key.
        most: So many are taken of a corpus, whatever languages they have.
        few: A language of fewer entries is a rare one.
    """
    ranked = sorted(entries, key=lambda entry: (-len(_languages(entry)), digest(entry.key)))
    texts = {entry.english: entry for entry in reversed(ranked)}
    found = list(reversed(texts.values()))
    count = Counter(language for entry in found for language in _languages(entry))
    taken: Counter[str] = Counter()
    for entry in found:
        first = (
            {} if taken[entry.corpus] == most[entry.corpus] else dict(reversed(entry.translations))
        )
        taken[entry.corpus] += bool(first)
        kept = tuple(
            (language, text)
            for language, text in entry.translations
            if count[language] < few or first.get(language) == text
        )
        if kept:
            yield replace(entry, translations=kept)


def _languages(entry: Entry) -> set[str]:
    return {language for language, _ in entry.translations}


def digest(key: str) -> str:
    """Returns what orders entries alike on every machine, and by nothing that they have."""
    return hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
