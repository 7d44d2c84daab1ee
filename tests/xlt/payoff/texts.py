"""Texts of several languages whose classes are directions plus noise."""

from __future__ import annotations

import numpy as np

from xlt.payoff.labelled import Labelled


def middles(width: int) -> np.ndarray:
    """Where the texts of four classes are."""
    return np.random.default_rng(99).standard_normal((4, width))


def labels(seed: int, n: int, *, langs=4, width=12, noise=1.2):
    """Texts whose classes are directions plus noise, in several languages."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    vectors = middles(width)[y] + noise * rng.standard_normal((n, width))
    return Labelled(
        vectors=vectors.astype(np.float32),
        labels=y,
        langs=np.array([f"l{i}" for i in rng.integers(0, langs, n)], dtype="<U8"),
        groups=np.arange(n).astype(str),
        classes=4,
    )


def replaced(data: Labelled, **fields) -> Labelled:
    """The same with other labels, languages or groups."""
    names = ("vectors", "labels", "langs", "groups", "classes", "l2")
    return Labelled(**{name: getattr(data, name) for name in names} | fields)
