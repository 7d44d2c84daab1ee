"""The pieces of the student: marks, English and new scripts."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.xlt.pretrain.toy import foreign, sentences
from xlt.pretrain.vocabulary import build_vocabulary, frequent_characters, normalizer


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


def test_new_pieces_leave_the_cut_of_english(teacher_folder):
    """English is cut as by the teacher, and the new script is read without [UNK]."""
    teacher = Tokenizer.from_file(str(teacher_folder / "tokenizer.json"))
    rng = np.random.default_rng(1)
    english = [*sentences(rng, 60), "rivers and goats", "the markets' breads"]
    other = [foreign(text) for text in english] + ["rivera goatsu marketi"] * 20
    vocabulary = build_vocabulary(
        teacher,
        english=english,
        other=other,
        alphabet=frequent_characters(other, "strip-latin", at_least=2),
        n_english=len(teacher.get_vocab()),
        n_pieces=200,
        min_english_uses=1,
        accents="strip-latin",
    )
    for text in english:
        assert vocabulary.tokenizer.encode(text).tokens == teacher.encode(text).tokens
    tokens = vocabulary.tokenizer.encode(foreign("river song")).tokens
    assert "[UNK]" not in tokens
    assert len(tokens) < len("river song")
    assert len(vocabulary.pieces) <= 200
    assert (vocabulary.teacher_row >= 0).sum() == len(teacher.get_vocab())
