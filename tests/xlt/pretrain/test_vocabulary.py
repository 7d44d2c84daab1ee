"""The pieces of the student: English and new scripts."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from tests.xlt.pretrain.toy import foreign, sentences
from xlt.pretrain.vocabulary import build_vocabulary
from xlt.pretrain.wordpiece import frequent_characters


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
