"""A lexicon: words and phrases with their translations, which a query is translated by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlt.data.languages import normalise
from xlt.search.terms import words

#: Longest phrase that is looked up, in words.
_LONGEST = 4
#: Translations of a phrase into a language that are used, the first ones.
_MOST_OF_PHRASE = 3


class Lexicon:
    """Entries in many languages; entries with the same key translate one another.

    Args:
        entries: Key, language and words of each.
    """

    def __init__(self, entries: Iterable[tuple[str, str, str]]) -> None:
        self._keys_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._entries: dict[str, list[tuple[str, str]]] = {}
        for key, lang, text in entries:
            phrase = tuple(words(text))
            if phrase:
                lang = normalise(lang)
                self._entries.setdefault(key, []).append((lang, text))
                keys = self._keys_of.setdefault((lang, phrase), [])
                if key not in keys:
                    keys.append(key)

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def translations(self, query: str, lang: str, langs: Sequence[str]) -> dict[str, list[str]]:
        """Returns what the lexicon has for the phrases of a query, by language.

        The longest phrases are looked up first; a word is used once.

        Args:
            query: Any text.
            lang: Its language. Words of others that are spelled alike mean something else.
            langs: Languages to translate to.
        """
        own, wanted = normalise(lang), {normalise(other) for other in langs}
        found: dict[str, list[str]] = {}
        spoken = words(query)
        start = 0
        while start < len(spoken):
            phrase = self._longest(own, spoken[start : start + _LONGEST])
            per_lang: dict[str, list[str]] = {}
            for key in self._keys_of.get((own, phrase), []):
                for other, text in self._entries[key]:
                    others = per_lang.setdefault(other, [])
                    if other in wanted - {own} and text not in others:
                        others.append(text)
            for other, texts in per_lang.items():
                if texts:
                    found.setdefault(other, []).extend(texts[:_MOST_OF_PHRASE])
            start += max(1, len(phrase))
        return found

    def _longest(self, lang: str, spoken: Sequence[str]) -> tuple[str, ...]:
        """Returns the longest phrase at the beginning that the lexicon has; empty if none."""
        lengths = range(len(spoken), 0, -1)
        phrases = (tuple(spoken[:length]) for length in lengths)
        return next((phrase for phrase in phrases if (lang, phrase) in self._keys_of), ())
