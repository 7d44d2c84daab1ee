"""Words of texts in many scripts, whatever tokenizer there is."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.encoder.words import SHAPES, Words, words_of

TEXTS = st.text(
    st.sampled_from("aB 1.\n\u0301\u200bกา้ㄱ中𞤢𞤣\u1e944ក្រ‍'-،\u0600").map(str), max_size=30
)


def read(text: str, pieces: int = 1, special: tuple[int, ...] = ()) -> Words:
    """The words of a text whose tokens have this number of characters."""
    offsets = [(at, min(at + pieces, len(text))) for at in range(0, len(text), pieces)]
    return words_of(text, offsets, np.isin(np.arange(len(offsets)), special))


def parts(text: str, words: Words) -> list[str]:
    """What the words are in the text."""
    return [text[start:end] for start, end in words.where.tolist()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ama lives in Accra.", ["Ama", "lives", "in", "Accra", "."]),
        ("Accra-West, Ama's", ["Accra", "-", "West", ",", "Ama", "'", "s"]),
        ("one\ntwo  three", ["one", "two", "three"]),
        ("3G2 in 1960", ["3G2", "in", "1960"]),
        (unicodedata.normalize("NFD", "òní ọjọ́ dé"), ["òní", "ọjọ́", "dé"]),
        ("𞤀𞤣𞤢𞤥𞤢 𞤱𞤢𞤸𞤢", ["𞤀𞤣𞤢𞤥𞤢", "𞤱𞤢𞤸𞤢"]),
        ("वह दिल्ली।", ["वह", "दिल्ली", "।"]),
        ("می‌خواهم", ["می‌خواهم"]),
    ],
)  # fmt: skip
def test_words_end_at_spaces_and_signs(text, expected):
    """With their marks and joiners, composed or not, and in letters outside the BMP."""
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        found = parts(written, read(written))
        assert found == [unicodedata.normalize(form, word) for word in expected]


@pytest.mark.parametrize("text", ["กรุงเทพมหานคร", "លោកទៅភ្នំពេញ", "我去北京", "รับประทาน ข้าว"])
def test_pieces_are_words_where_no_spaces_are_written(text):
    """A piece with its marks; nothing but spaces is in no word."""
    whole, fine = read(text, 100), read(text, 1)
    assert "".join(parts(text, fine)) == text.replace(" ", "")
    assert all(unicodedata.category(word[0])[0] != "M" for word in parts(text, fine))
    assert len(fine) > len(whole) == 1


def test_a_token_in_several_words_makes_one_of_them():
    """Tokenizers with tokens across spaces, and offsets that hold the space before a word."""
    text = "New York is big"
    words = words_of(text, [(0, 8), (8, 11), (11, 13), (13, 15)], np.zeros(4, bool))
    assert parts(text, words) == ["New York", "is", "big"]
    assert words.of_token.tolist() == [0, 1, 2, 2]


def test_marks_that_a_tokenizer_leaves_out_belong_to_their_word():
    """Offsets of composing tokenizers end behind the base letter."""
    text = unicodedata.normalize("NFD", "ọjọ́ dé")
    short = [(0, text.index(" ") - 2), (text.index(" ") + 1, len(text) - 1)]
    words = words_of(text, short, np.zeros(2, bool))
    assert parts(text, words) == text.split(" ")


@given(TEXTS, st.integers(1, 5))
def test_words_are_parts_of_the_text_in_order(text, pieces):
    """None is empty, none overlaps another, none begins or ends with a space."""
    words = read(text, pieces, special=(1,))
    assert (words.where[:, 0] < words.where[:, 1]).all()
    assert (words.where[1:, 0] >= words.where[:-1, 1]).all()
    assert len(words.shapes) == len(words)
    assert set(words.of_token[words.of_token >= 0].tolist()) == set(range(len(words)))
    assert (np.diff(words.of_token[words.of_token >= 0]) >= 0).all()
    assert words.of_token[1:2].tolist() in ([], [-1])
    assert all(word == word.strip() for word in parts(text, words))


def flags(text: str) -> list[set[str]]:
    """The shape of each word."""
    return [
        {name for bit, name in enumerate(SHAPES) if shape >> bit & 1}
        for shape in read(text).shapes.tolist()
    ]


def test_shapes_tell_the_case_of_letters():
    """Which a lower-casing tokenizer drops; of scripts without case there is nothing to tell."""
    start = {"begins a sentence"}
    upper = "upper at the beginning of a sentence"
    assert flags("Ama saw A UN iPhone 12 !") == [
        {"first letter upper", upper} | start,
        {"lower case"},
        {"one upper letter"},
        {"all upper"},
        {"mixed case"},
        {"digits only", "a digit"},
        {"no letter"},
    ]
    assert flags("no. Yes") == [
        {"lower case"} | start, {"no letter", "joined to the left"},
        {"first letter upper", upper} | start,
    ]  # fmt: skip
    assert flags("सु वह") == [{"no case"} | start, {"no case"}]
    assert flags("𞤢 𞤀𞤣𞤢") == [{"lower case"} | start, {"first letter upper"}]
