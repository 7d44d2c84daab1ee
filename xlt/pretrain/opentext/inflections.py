"""Adds inflected forms of translated words, because dictionaries have base forms only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar
from unicodedata import category

from xlt.pretrain.language_codes import joined, language_of_tag
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.lemma_files import read_lemmas
from xlt.pretrain.opentext.selection import digest
from xlt.pretrain.opentext.sources import Source

#: Words in lower case and their first English translations, by language (see `joined`).
TranslatedLemmas = Mapping[str, Mapping[str, tuple[str, ...]]]
#: Forms of lemmas in lower case.
Forms = Mapping[str, AbstractSet[str]]
Row = tuple[str, str]  # form and English
T = TypeVar("T")

_MOST_WORDS = 3  # of an English translation
_MOST_ENGLISH = 2  # translations of one word
_MOST_FORMS = 12  # of a lemma: languages with many forms have hundreds
_MOST_ROWS = 60_000  # of a language


def lemmas_of(entries: Iterable[Entry]) -> TranslatedLemmas:
    """Returns the single words that entries translate into few English words.

    Args:
        entries: Entries of words; the first two translations of each word are used.
    """
    lemmas: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for entry in entries:
        if not 1 <= len(entry.english.split()) <= _MOST_WORDS:
            continue
        for language, text in entry.translations:
            words, word = lemmas[joined(language)], text.strip().lower()
            known = words.get(word, ())
            if len(word.split()) == 1 and entry.english not in known[:_MOST_ENGLISH]:
                words[word] = (*known, entry.english)[:_MOST_ENGLISH]
    return lemmas


def inflection_entries(
    source: Source,
    files: Iterable[tuple[str, bytes]],
    lemmas: TranslatedLemmas,
    *,
    most_forms: int = _MOST_FORMS,
    most_rows: int = _MOST_ROWS,
) -> Iterator[Entry]:
    """Yields an entry for each form of a lemma and each English translation of the lemma.

    Args:
        source: The package.
        files: Its dictionaries that match the pattern.
        lemmas: Translated lemmas, see `lemmas_of`.
        most_forms: Largest number of forms of a lemma; the choice does not depend on their order.
        most_rows: Largest number of entries of a language.

    Raises:
        DataError: If a dictionary cannot be read.
    """
    by_language: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, data in files:
        tag = re.search(source.pattern, name)
        language = language_of_tag(tag["lang"]) if tag else None
        words = lemmas.get(language) if language else None
        if not language or not words:
            continue
        for form, lemma in read_lemmas(name, data):
            if _is_form(form, lemma, words):
                by_language[language][lemma.lower()].add(form.lower())
    for language, forms in sorted(by_language.items()):
        rows = _rows(forms, lemmas[language], most_forms)
        for form, english in sorted(_drawn(rows, most_rows, "\t".join)):
            yield Entry(corpus=source.corpus, english=english, translations=((language, form),))


def _is_form(form: str, lemma: str, words: Mapping[str, tuple[str, ...]]) -> bool:
    """Returns True if `form` is a word without a translation, and `lemma` has one."""
    letters = all(sign.isalpha() or category(sign).startswith("M") for sign in form)
    return letters and lemma.lower() in words and form.lower() not in words


def _rows(forms: Forms, words: Mapping[str, tuple[str, ...]], most_forms: int) -> set[Row]:
    """Returns the forms of each lemma with its English."""
    return {
        (form, english)
        for lemma, inflected in forms.items()
        for form in _drawn(inflected, most_forms, str)
        for english in words[lemma]
        if english.lower() != form
    }


def _drawn(items: Iterable[T], most: int, text: Callable[[T], str]) -> list[T]:
    """Draws at most `most` of the items, the same ones on every machine."""
    return sorted(items, key=lambda item: digest(text(item)))[:most]
