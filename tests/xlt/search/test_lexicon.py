"""Translations of a query by a lexicon."""

from __future__ import annotations

from xlt.search.lexicon import Lexicon

ENTRIES = [
    ("dog", "eng", "dog"),
    ("dog", "hau", "kare"),
    ("dog", "swh", "mbwa"),
    ("hot dog", "eng", "hot dog"),
    ("hot dog", "hau", "naman kare"),
    ("hot", "eng", "hot"),
    ("hot", "hau", "zafi"),
    ("bank", "eng", "bank"),
    ("bank", "hau", "banki"),
    ("shore", "eng", "Bank"),
    ("shore", "hau", "gaba"),
]


def test_the_longest_phrase_is_translated_once():
    """Not word by word if the whole is known; unknown words give nothing."""
    lexicon = Lexicon(ENTRIES)

    assert lexicon.translations("Hot DOG, hot!", "en", ["ha"]) == {"hau": ["naman kare", "zafi"]}
    assert lexicon.translations("unknown words", "en", ["hau"]) == {}
    assert lexicon.translations("", "en", ["hau"]) == {}


def test_all_meanings_count_and_only_languages_that_are_wanted():
    """In any direction: a Hausa word is looked up like an English one."""
    lexicon = Lexicon(ENTRIES)

    assert lexicon.translations("bank", "English", ["hau", "swa"]) == {"hau": ["banki", "gaba"]}
    assert lexicon.translations("kare", "ha", ["en", "sw"]) == {"eng": ["dog"], "swa": ["mbwa"]}
    assert lexicon.translations("dog", "en", []) == {}
    assert lexicon.translations("dog", "ha", ["sw"]) == {}
