"""Rows from word alignment: the model is IBM's, and words are found in few sentences."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch

from tests.xlt.pretrain.bodies import translations_of
from xlt.pretrain.tokenized_texts import TokenizedTexts
from xlt.pretrain.word_alignment import AlignOptions, aligned_rows, link

N_ENGLISH, N_FOREIGN = 30, 30
SIZE = N_ENGLISH + N_FOREIGN


def ragged(rows: list[list[int]]) -> TokenizedTexts:
    """Rows of ids as one flat array."""
    lengths = [0, *(len(row) for row in rows)]
    flat = np.array([i for row in rows for i in row], dtype=np.int32)
    return TokenizedTexts(flat=flat, start=np.cumsum(lengths, dtype=np.int64))


def pairs(n: int, seed: int = 7) -> tuple[list[list[int]], list[list[int]]]:
    """English sentences, frequent words among them, and their word-by-word translations."""
    rng = np.random.default_rng(seed)
    chance = 1 / np.arange(1, N_ENGLISH + 1)
    english = [
        rng.choice(N_ENGLISH, size=6, replace=False, p=chance / chance.sum()).tolist()
        for _ in range(n)
    ]
    return [[N_ENGLISH + word for word in row[::-1]] for row in english], english


def model_one(
    explained: list[list[int]], given: list[list[int]], iterations: int
) -> dict[tuple[int, int], float]:
    """t(explained | given) of IBM Model 1, written as in the paper."""
    t: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts: dict[tuple[int, int], float] = defaultdict(float)
        totals: dict[int, float] = defaultdict(float)
        for left, right in zip(explained, given, strict=True):
            for e in left:
                norm = sum(t[e, f] for f in right)
                for f in right:
                    counts[e, f] += t[e, f] / norm
                    totals[f] += t[e, f] / norm
        t = defaultdict(float, {(e, f): c / totals[f] for (e, f), c in counts.items()})
    return t


@pytest.mark.parametrize("iterations", [1, 4])
def test_links_are_those_of_model_one(iterations):
    """Both directions are the textbook's, with a piece for none; the weight combines them."""
    texts, sources = pairs(40)
    left, right = ragged(texts), ragged(sources)
    with_none = [[*row, SIZE] for row in texts]
    forth = model_one(sources, with_none, iterations)
    back = model_one(with_none, sources, iterations)

    links = link(
        (left.flat.astype(np.int64), left.start),
        (right.flat.astype(np.int64), right.start),
        size=SIZE,
        iterations=iterations,
    )

    assert len(links.weight) == len(forth)
    for f, e, weight in zip(links.text.tolist(), links.source.tolist(), links.weight, strict=True):
        assert weight == pytest.approx(forth[e, f] * np.sqrt(forth[e, f] * back[f, e]))


def align(texts, sources, rows, frozen, **changes):
    """Rows after the step, all pairs in one language."""
    return aligned_rows(
        rows,
        frozen,
        translations=translations_of(ragged(sources), ragged(texts), **changes),
        options=AlignOptions(),
        rng=np.random.default_rng(1),
        progress=lambda line: None,
    )


def test_words_find_their_translations_in_few_sentences():
    """From 60 sentences nearly every word's row is nearest to its translation's; English stays."""
    texts, sources = pairs(60)
    rows = torch.randn(SIZE, 16, generator=torch.Generator().manual_seed(3))
    frozen = np.arange(SIZE) < N_ENGLISH

    moved = align(texts, sources, rows, frozen)

    torch.testing.assert_close(moved[:N_ENGLISH], rows[:N_ENGLISH])
    near = torch.nn.functional.normalize(moved) @ torch.nn.functional.normalize(rows[:N_ENGLISH]).T
    right = near[N_ENGLISH:].argmax(dim=1) == torch.arange(N_FOREIGN)
    assert right.float().mean() >= 0.9


def test_only_what_may_be_learned_from_counts():
    """Texts that are kept out, and pieces that no text has, change nothing."""
    texts, sources = pairs(20)
    rows = torch.randn(SIZE + 1, 8, generator=torch.Generator().manual_seed(3))
    frozen = np.arange(SIZE + 1) < N_ENGLISH

    nothing = align(texts, sources, rows, frozen, sentence_chance=np.zeros(20))
    some = align(texts, sources, rows, frozen)

    torch.testing.assert_close(nothing, rows)
    torch.testing.assert_close(some[SIZE], rows[SIZE])
    assert not torch.allclose(some, rows)
