"""Masked tokens, and pairs of a text and its translation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.pretrain.bodies import N_TEXTS, N_WORDS, SPECIAL, translations_of
from xlt.pretrain.masked_tokens import mask_batch, pair_batch


def test_masking_leaves_special_tokens(rng):
    """Only text is hidden, at about the share asked for."""
    ids = rng.integers(5, 40, size=(50, 40))
    ids[:, 0], ids[:, -1] = 2, 0
    hidden, chosen = mask_batch(ids, special=SPECIAL, n_pieces=40, share=0.2, rng=rng)
    assert not chosen[:, [0, -1]].any()
    assert chosen.mean() == pytest.approx(0.19, abs=0.03)
    assert (hidden[~chosen] == ids[~chosen]).all()
    assert (hidden[chosen] == SPECIAL[-1]).mean() == pytest.approx(0.8, abs=0.06)


def test_pairs_follow_their_text(toy):
    """TLM: text, [SEP], translation, [SEP]; without translation the text alone."""
    sources, texts, _, _ = toy
    source = np.arange(N_TEXTS, dtype=np.int32)
    source[1] = -1
    ids, mask = pair_batch(
        translations_of(sources, texts, source_row=source), np.array([0, 1]),
        paired=np.array([True, True]), special=SPECIAL, max_tokens=32,
    )  # fmt: skip
    length = int(texts.lengths()[0])
    assert ids[0, 0] == 2
    assert ids[0, length + 1] == 3
    assert (ids[0, 1 : 1 + length] - N_WORDS == ids[0, 2 + length : 2 + 2 * length]).all()
    assert mask.sum(axis=1).tolist() == [2 * length + 3, int(texts.lengths()[1]) + 2]
