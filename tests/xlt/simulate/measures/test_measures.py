"""Invariances that all measures share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.activeml import QUICK, SEEDS, pool
from xlt.sampling.neighbours import contrast
from xlt.simulate.measures.committee import bald, epig
from xlt.simulate.measures.coverage import core_set, k_means, prob_cover, typical_of_clusters
from xlt.simulate.measures.gradients import badge
from xlt.simulate.measures.stochastic import power_batch


@QUICK
@given(SEEDS, st.integers(0, 30))
def test_batches_are_distinct_and_of_the_size_asked_for(seed, count):
    """min(count, N) rows, none twice, the same for the same seed."""
    x, p, known, _ = pool(seed, n=20)
    clusters = np.arange(20) % 3
    left = int((~known).sum())
    for find, n in [
        (lambda rng: badge(p, x, count, rng), 20),
        (lambda rng: k_means(x, count, rng), 20),
        (lambda rng: core_set(x, x[:0], count), 20),
        (lambda rng: power_batch(p[:, 0], count, rng), 20),
        (lambda rng: typical_of_clusters(x, clusters, known, count), left),
        (lambda rng: prob_cover(x, known, count, delta=0.7), left),
    ]:
        found = find(np.random.default_rng(seed)).tolist()
        assert len(set(found)) == len(found) == min(count, n)
        assert found == find(np.random.default_rng(seed)).tolist()


@QUICK
@given(SEEDS)
def test_the_order_of_classes_does_not_matter(seed):
    """Columns in another order: the same scores."""
    rng = np.random.default_rng(seed)
    samples, other = rng.dirichlet(np.ones(4), size=(3, 9)), rng.permutation(4)
    x = rng.standard_normal((9, 3))
    p = samples[0]
    assert np.allclose(bald(samples), bald(samples[..., other]))
    assert np.allclose(epig(samples, samples), epig(samples[..., other], samples[..., other]))
    assert np.allclose(
        contrast(p, x, p[:4], x[:4]), contrast(p[:, other], x, p[:4][:, other], x[:4])
    )
    one, two = (badge(q, x, 5, np.random.default_rng(0)) for q in (p, p[:, other]))
    assert one.tolist() == two.tolist()
