"""Texts that belong together, without torch: as `xlt.encoder.pooling` combines them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xlt.encoder.pooling import combine_layers
from xlt.encoder.together import apart, combined
from xlt.errors import DataError


@given(st.integers(0, 99), st.integers(1, 3), st.integers(0, 4), st.integers(1, 3))
def test_they_are_combined_as_torch_does(seed, texts, rows, layers):
    """Vectors of any length, also of length zero."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(0, rng.uniform(0.1, 9), (rows, texts, layers, 6)).astype(np.float32)
    vectors[:, :, 0] *= seed % 3
    expected = combine_layers(torch.from_numpy(vectors)).numpy()
    found = combined(vectors)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pairs_and_single_texts_do_not_mix():
    """Their vectors differ in length."""
    assert apart([("a", "b"), ("c", "d")]) == (["a", "b", "c", "d"], 2)
    assert apart([]) == ([], 1)
    with pytest.raises(DataError, match=r"same number of texts, got \[1, 2\]"):
        apart(["a", ("b", "c")])
