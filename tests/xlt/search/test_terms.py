"""Terms of texts in many scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.search.terms import terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),  # vowel signs are parts of words
        ("ẹ̀kọ́ e\u0301", ["ẹ̀kọ́", "é"]),
        ("Ng’ombe ng'ombe", ["ng'ombe", "ng'ombe"]),
        ("السَّلامُ عليكم", ["السَّلامُ", "عليكم"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("3.5 kg — !", ["3", "5", "kg"]),
        ("", []),
    ],
)
def test_a_word_is_its_letters_with_their_marks(text, found):
    """In any script; capitals and the way of composing do not count."""
    whole = [term for term in terms(text) if not term.startswith("\u0001")]

    assert whole == [unicodedata.normalize("NFC", word) for word in found]


@pytest.mark.parametrize("text", ["黑猫", "สวัสดี", "ខ្មែរ", "ကောင်း", "བོད"])
def test_scripts_without_spaces_are_cut_into_characters_and_pairs(text):
    """A character of a text finds it, and two that stand together find it better."""
    found = terms(text)
    characters = (len(found) + 1) // 2

    assert len(words(text)) == 1
    assert "".join(found[:characters]) == text
    assert [*found[characters:]] == ["".join(found[n : n + 2]) for n in range(characters - 1)]


def test_endings_differ_and_the_stem_is_shared():
    """Parts of four characters are terms beside the word."""
    assert set(terms("nyumbani")) & set(terms("nyumba"))
    assert "cats" in terms("cats")
    assert terms("cats") == ["cats"]


@given(st.text())
def test_how_text_is_composed_and_written_does_not_matter(text):
    """Composed or decomposed, the terms are the same."""
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@given(st.text())
def test_every_letter_is_in_a_word(text):
    """Nothing that can be read is lost, in any script."""
    letters = [c for c in unicodedata.normalize("NFC", text) if c.isalnum()]

    assert bool(letters) <= bool(words(text))
