"""Held-out pairs and batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.xlt.adapt.toy import QUICK
from xlt.adapt.batches import draw_batch, split_pairs


def test_held_out_pairs_share_no_source_sentence(texts, rng):
    """All translations of a sentence are on one side."""
    pairs = [p for p in texts.pairs] + [replace(p, lang="xx") for p in texts.pairs]

    kept, held = split_pairs(pairs, replace(QUICK, held_out_percent=20.0, max_pairs=50), rng)

    assert held
    assert not {p.source for p in kept} & {p.source for p in held}
    assert sum(p.lang == "xx" for p in kept) == 50


def test_windows_fill_the_budget(rng):
    """Rows that may be drawn, each once, and no more padded tokens than asked for."""
    chance = np.where(np.arange(100) % 2, 1.0, 0.0)
    lengths = rng.integers(3, 30, size=100)

    for _ in range(20):
        rows = draw_batch(chance, lengths, 120, rng)
        assert (rows % 2 == 1).all()
        assert len(rows) == len(set(rows.tolist()))
        assert len(rows) * lengths[rows].max() <= 120
    assert len(draw_batch(0 * chance, lengths, 120, rng)) == 0
