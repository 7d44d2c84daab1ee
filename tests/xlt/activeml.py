"""Pools as scikit-activeml reads them."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from skactiveml.base import SkactivemlClassifier

QUICK = settings(max_examples=25)
SEEDS = st.integers(0, 2**31)


class Given(SkactivemlClassifier):
    """A classifier that answers what it was given, by row of the pool."""

    def __init__(self, table=None, width=0, classes=None, missing_label=np.nan, random_state=None):
        super().__init__(classes=classes, missing_label=missing_label, random_state=random_state)
        self.table, self.width = table, width

    def fit(self, X, y, sample_weight=None):
        """Learns nothing."""
        return self

    def predict_proba(self, X):
        """Rows carry their number in a last column too small to move any distance."""
        return self.table[np.round(np.asarray(X)[:, -1] * 1e9).astype(int)].copy()


def pool(seed: int, n: int = 40, d: int = 4, c: int = 3, labelled: int = 6):
    """Vectors, probabilities, which rows are labelled, and labels with nan for the others."""
    rng = np.random.default_rng(seed)
    x = np.hstack([rng.standard_normal((n, d)), np.arange(n)[:, None] * 1e-9])
    p = rng.dirichlet(np.ones(c), size=n)
    known = np.zeros(n, bool)
    known[rng.permutation(n)[:labelled]] = True
    y = np.where(known, rng.integers(0, c, n), np.nan)
    return x, p, known, y
