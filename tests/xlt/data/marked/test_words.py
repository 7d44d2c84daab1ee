"""Words of texts, for files with a token per line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.marked.words import words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ama lives in Nairobi-West.", ["Ama", "lives", "in", "Nairobi-West", "."]),
        ("«Ẹ̀kọ́!» (O'Neil)", ["«", "Ẹ̀kọ́", "!", "»", "(", "O'Neil", ")"]),
        ("𞤀𞤣𞤢𞤥\n𞤀𞤣", ["𞤀𞤣𞤢𞤥", "𞤀𞤣"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("北京，iPhone 4", ["北", "京", "，", "iPhone", "4"]),
        ("ภูเก็ต", ["ภู", "เ", "ก็", "ต"]),
        ("ភ្នំពេញ", ["ភ្នំ", "ពេ", "ញ"]),
        ("क्षमा है", ["क्षमा", "है"]),
        ("... 👩\u200d🚀 a\u200bb", [".", ".", ".", "👩\u200d🚀", "a", "b"]),
        (" \n", []),
        ("", []),
    ],
    ids=[
        "Latin",
        "Yoruba",
        "Adlam",
        "ZWNJ",
        "Chinese",
        "Thai",
        "Khmer",
        "Devanagari",
        "signs",
        "blank",
        "empty",
    ],
)
def test_words_are_found_in_every_script(text, words):
    """Runs without white space, without the punctuation around them; letters where none is set."""
    assert [text[start:end] for start, end in words_in(text)] == words


@given(st.text(st.sampled_from("ab.'-,\u0301𞤀𞤢กำ北क् \n\t\u200b\u200d\u2060’"), max_size=30))
def test_words_hold_all_of_a_text_but_white_space(text):
    """In order; none is empty."""
    places = words_in(text)
    assert all(start < end for start, end in places)
    assert [end for _, end in places[:-1]] <= [start for start, _ in places[1:]]
    kept = "".join(text[start:end] for start, end in places)
    assert kept == "".join(c for c in text if not c.isspace() and c not in "\u200b\u2060")
