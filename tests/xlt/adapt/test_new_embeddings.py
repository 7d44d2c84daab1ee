"""First embeddings of new pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import (
    Tokenizer,
    models,
    pre_tokenizers,
)
from torch.nn import functional

from tests.xlt.adapt.toy import WORDS, foreign, sentences
from xlt.adapt.new_embeddings import initial_rows, placed_by_translations
from xlt.adapt.options import AdaptOptions
from xlt.adapt.texts import Pair


def test_rows_start_from_old_pieces(rng):
    """The mean of the pieces that say the same; near the centre where nothing does."""
    old = rng.standard_normal((4, 3)).astype(np.float32)

    rows = initial_rows(old, [[0, 3], [1], []], rng)

    np.testing.assert_allclose(rows[0], (old[0] + old[3]) / 2, rtol=1e-6)
    np.testing.assert_allclose(rows[1], old[1], rtol=1e-6)
    assert np.isfinite(rows[2]).all()


@pytest.mark.parametrize("kind", ["sentences", "words", "both"])
@pytest.mark.parametrize("bag_steps", [0, 60])
def test_rows_go_to_their_translations(rng, kind, bag_steps):
    """From 60 sentences, or from a lexicon, each word's row is nearest to its translation's."""
    vocabulary = {word: row for row, word in enumerate(WORDS)}
    vocabulary |= {foreign(word): len(WORDS) + row for row, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary | {"?": len(vocabulary)}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    pairs = [Pair(text=foreign(text), source=text, lang="zgh") for text in sentences(rng, 60)]
    lexicon = [Pair(text=foreign(word), source=word, lang="zgh") for word in WORDS]
    english = rng.standard_normal((len(WORDS), 16)).astype(np.float32)
    first = initial_rows(english, [[]] * (len(WORDS) + 1), rng)
    old = torch.from_numpy(np.concatenate([english, first]))
    new = (np.arange(len(old)) >= len(WORDS)) & (np.arange(len(old)) < 2 * len(WORDS))

    moved = placed_by_translations(
        old, new, tokenizer,
        pairs=pairs if kind != "words" else [],
        lexicon=lexicon if kind != "sentences" else [],
        options=AdaptOptions(bag_steps=bag_steps), rng=rng, progress=lambda line: None,
    )  # fmt: skip

    torch.testing.assert_close(moved[~new], old[~new], rtol=0, atol=0)
    theirs = functional.normalize(old[: len(WORDS)])
    nearest = (functional.normalize(moved[new]) @ theirs.T).argmax(dim=1)
    assert nearest.tolist() == list(range(len(WORDS)))


def test_rows_stay_where_no_translation_can_be_read(rng):
    """Without any, the table is the same one."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = torch.from_numpy(rng.standard_normal((2, 3)))

    for pairs in ([], [Pair(text=" ", source=" ", lang="zgh")]):
        moved = placed_by_translations(
            table, np.array([True, False]), tokenizer, pairs=pairs, lexicon=[],
            options=AdaptOptions(), rng=rng, progress=lambda line: None,
        )  # fmt: skip
        assert moved is table
