"""Vectors of texts that belong together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xlt.encoder.encoder import embed, load_encoder
from xlt.encoder.pooling import combine
from xlt.encoder.together import apart, combine_layers, combined_width
from xlt.errors import DataError


def drawn(rows: int, texts: int, width: int, seed: int) -> torch.Tensor:
    """Vectors (B, K, H) of any length."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(0, rng.uniform(0.1, 9), (rows, texts, width))).float()


def test_one_text_keeps_its_vector():
    """Nothing changes for tasks with one text."""
    vectors = drawn(3, 1, 5, 0)
    assert torch.equal(combine(vectors), vectors[:, 0])
    assert combined_width(5, 1) == 5


@given(st.integers(0, 99), st.integers(2, 3), st.integers(1, 4))
def test_several_texts(seed, texts, rows):
    """As written: each at length 1, then |u - v| and u v of each two, against numpy."""
    vectors = drawn(rows, texts, 6, seed)
    units = vectors.numpy() / np.linalg.norm(vectors.numpy(), axis=-1, keepdims=True)
    two = [(a, b) for a in range(texts) for b in range(a + 1, texts)]
    expected = [units[:, k] for k in range(texts)]
    expected += [np.abs(units[:, a] - units[:, b]) for a, b in two]
    expected += [units[:, a] * units[:, b] * np.sqrt(6) for a, b in two]

    found = combine(vectors)

    assert found.shape == (rows, combined_width(6, texts))
    np.testing.assert_allclose(found.numpy(), np.concatenate(expected, axis=1), atol=1e-6)


@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 3))
def test_layers_are_combined_one_by_one(seed, texts, layers):
    """By numpy, as torch combines the vectors of one layer."""
    each = [drawn(2, texts, 6, seed + layer) for layer in range(layers)]

    found = combine_layers(np.stack([one.numpy() for one in each], axis=2))

    assert found.shape == (2, layers, combined_width(6, texts))
    for layer, vectors in enumerate(each):
        np.testing.assert_allclose(found[:, layer], combine(vectors).numpy(), atol=1e-6)


@given(st.integers(0, 99))
def test_swapped_texts_swap_their_vectors_alone(seed):
    """What two texts share does not depend on their order."""
    vectors = drawn(2, 2, 5, seed)
    left, right = combine(vectors), combine(vectors.flip(1))
    assert torch.equal(left[:, 10:], right[:, 10:])
    assert torch.equal(left[:, :5], right[:, 5:10])


def test_texts_of_a_pair_are_read_apart(tiny_encoder):
    """Its vector is that of the two texts, whatever else is read; each distinct text once."""
    encoder = load_encoder(str(tiny_encoder))
    pairs = [("the ball", "a good game"), ("a good game", "law"), ("the ball", "a good game")]
    each = embed(["the ball", "a good game", "law"], encoder=encoder)

    together = embed(pairs, encoder=encoder)

    expected = combine(torch.from_numpy(each[[[0, 1], [1, 2], [0, 1]]]))
    np.testing.assert_allclose(together, expected.numpy(), atol=1e-5)
    assert embed([("law", "vote", "tax")], encoder=encoder).shape == (1, 9 * encoder.width)


def test_pairs_and_single_texts_do_not_mix():
    """Their vectors differ in length."""
    assert apart([("a", "b"), ("c", "d")]) == (["a", "b", "c", "d"], 2)
    assert apart([]) == ([], 1)
    with pytest.raises(DataError, match=r"same number of texts, got \[1, 2\]"):
        apart(["a", ("b", "c")])
