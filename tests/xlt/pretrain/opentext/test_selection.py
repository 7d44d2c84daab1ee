"""The choice of the most translated messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.selection import most_translated

ENTRIES = st.lists(
    st.builds(
        Entry,
        corpus=st.sampled_from(["a", "b"]),
        english=st.sampled_from("vwxyz"),
        key=st.uuids().map(str),
        translations=st.lists(
            st.tuples(st.sampled_from(["deu", "fra", "swa"]), st.sampled_from("12")),
            min_size=1,
            unique=True,
        ).map(tuple),
    ),
    max_size=12,
    unique_by=lambda entry: entry.key,
)


@given(ENTRIES, st.fixed_dictionaries(dict.fromkeys("ab", st.integers(0, 4))), st.integers(0, 4))
def test_the_most_translated_messages_are_taken(entries, most, few):
    """At most so many with common languages; every English text of a rare one; each text once."""
    found = list(most_translated(entries, most, few))
    given_by_key = {entry.key: entry for entry in entries}
    every = list(most_translated(entries, dict.fromkeys("ab", 12), 0))
    count = Counter(code for entry in every for code in {c for c, _ in entry.translations})
    rare = {code for code in count if count[code] < few}

    assert found == list(most_translated(entries[::-1], most, few))
    assert len({entry.english for entry in found}) == len(found)
    assert {e.english for e in every} == {e.english for e in entries}
    for entry in found:
        original = given_by_key[entry.key]
        assert replace(entry, translations=original.translations) == original
        assert set(entry.translations) <= set(original.translations)
        common = [code for code, _ in entry.translations if code not in rare]
        assert len(common) == len(set(common))
    for code in rare:
        assert sum(c == code for e in found for c in {c for c, _ in e.translations}) == count[code]
    for corpus in {entry.corpus for entry in found}:
        of_corpus = [e for e in found if e.corpus == corpus]
        assert sum(any(c not in rare for c, _ in e.translations) for e in of_corpus) <= most[corpus]


def test_more_languages_come_first():
    """The first variant of each language is kept, and the rest of a rare language."""

    def entry(english, *translations):
        return Entry(corpus="c", key=english, english=english, translations=translations)

    entries = [
        entry("one", ("deu", "eins")),
        entry("three", ("deu", "drei"), ("fra", "trois"), ("swa", "tatu")),
        entry("two", ("deu", "zwei"), ("deu", "zwo"), ("fra", "deux"), ("swa", "mbili")),
        entry("four", ("deu", "vier"), ("swa", "nne"), ("swa", "minne")),
    ]

    found = list(most_translated(entries, {"c": 2}, few=4))

    assert {e.english: e.translations for e in found} == {
        "three": (("deu", "drei"), ("fra", "trois"), ("swa", "tatu")),
        "two": (("deu", "zwei"), ("fra", "deux"), ("swa", "mbili")),
        "four": (("swa", "nne"), ("swa", "minne")),
    }
