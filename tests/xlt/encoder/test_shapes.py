"""Shapes of words as numbers: what is around a word, and texts without case."""

from __future__ import annotations

import numpy as np
import torch

from xlt.encoder.shapes import CONTEXT, context, flags, has_case, without_case
from xlt.encoder.words import SHAPES, words_of


def shapes_of(*texts: str) -> torch.Tensor:
    """The shapes of texts, padded."""
    rows = []
    for text in texts:
        offsets = [(at, at + 1) for at in range(len(text))]
        rows.append(words_of(text, offsets, np.zeros(len(text), bool)).shapes)
    padded = np.full((len(rows), max(map(len, rows))), -1)
    for row, shapes in enumerate(rows):
        padded[row, : len(shapes)] = shapes
    return torch.from_numpy(padded)


def test_flags_are_the_bits_of_a_shape():
    """The length above them is none of them; padding has none."""
    found = flags(shapes_of("Ama saw a verylongword", "no"))
    assert found.shape == (2, 4, len(SHAPES))
    assert [SHAPES[bit] for bit in found[0, 1].nonzero()[:, 0]] == ["lower case"]
    assert [SHAPES[bit] for bit in found[0, 3].nonzero()[:, 0]] == ["lower case"]
    assert found[1, 1:].sum() == 0


def test_the_context_of_a_word_is_the_same_beside_longer_texts():
    """Padding tells nothing, and each text has its own share of upper letters."""
    alone = context(shapes_of("Ama saw Accra"))
    both = context(shapes_of("Ama saw Accra", "a much longer text with no NAMES in it at all"))
    assert alone.shape == (1, 3, CONTEXT)
    torch.testing.assert_close(both[:1, :3], alone)
    assert both[0, 3:].sum() == 0


def test_words_that_look_alike_in_the_same_place_have_the_same_context():
    """In any language; a longer word, another neighbour or another place make a difference."""
    first = context(shapes_of("then Ama saw him"))
    torch.testing.assert_close(first, context(shapes_of("puis Léa vit moi")))
    for other in (
        "then Amanuel saw him",
        "then Ama Saw him",
        "then, Ama saw him",
        "Ama saw him so",
    ):
        assert (context(shapes_of(other))[0, 1] != first[0, 1]).any()


def test_a_text_has_case_if_it_has_upper_and_lower_letters():
    """One of both does not tell names from other words."""
    texts = ["Ama saw", "AMA SAW", "ama saw", "អាម៉ា", "12 !"]
    assert has_case(shapes_of(*texts)).tolist() == [True, False, False, False, False]


def test_without_case_all_letters_are_alike():
    """Digits, signs, lengths and padding stay."""
    cased, plain = shapes_of("Ama saw AB 12.", "x"), shapes_of("ama saw ab 12.", "x")
    torch.testing.assert_close(without_case(cased), without_case(plain))
    assert without_case(cased)[1, 1:].unique().tolist() == [-1]
    names = [SHAPES[bit] for bit in flags(without_case(cased))[0, 0].nonzero()[:, 0]]
    assert names == ["no case", "begins a sentence"]
    assert (without_case(cased)[0, 3:] == cased[0, 3:]).all()
