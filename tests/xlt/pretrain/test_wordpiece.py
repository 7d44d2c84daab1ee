"""The normaliser of the student's tokenizer."""

from __future__ import annotations

import pytest

from xlt.pretrain.wordpiece import normalizer


@pytest.mark.parametrize("accents", ["keep", "strip-latin"])
def test_marks_of_other_scripts_are_kept(accents):
    """Indic vowel signs and Ethiopic survive; Latin marks go only where they are to go."""
    normal = normalizer(accents)
    assert normal.normalize_str("हिन्दी") == "हिन्दी"
    assert normal.normalize_str("ትግርኛ") == "ትግርኛ"
    assert normal.normalize_str("Café") == ("cafe" if accents == "strip-latin" else "café")


def test_marks_that_make_letters_stay():
    """Tones of Yoruba and Vietnamese go, its letters stay, and Korean syllables stay whole."""
    normal = normalizer("strip-latin")
    assert normal.normalize_str("Ọ̀rọ̀ ṣe") == "ọrọ ṣe"
    assert normal.normalize_str("Tiếng người ẩn") == "tieng ngươi ản"
    assert normal.normalize_str("한국어") == "한국어"
