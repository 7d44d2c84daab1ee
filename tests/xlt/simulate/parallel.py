"""Parallel texts whose classes a simulation can learn, and cells that are finished."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xlt.data.examples import Example
from xlt.frozen.features import Features
from xlt.frozen.ngrams import count_ngrams
from xlt.simulate.journal import Cell
from xlt.simulate.learning_curve import CurveSettings
from xlt.simulate.replay import make_replay

LANGS = ("en", "ha", "yo")


def example(number: int, lang: str, label: int, side: str = "p") -> Example:
    """One of the translations of a sentence."""
    group = f"{side}{number}"
    return Example(
        id=f"{group}/{lang}", texts=(f"{group} {lang}",), lang=lang, answer=f"l{label}", group=group
    )


def replay(groups: int = 40, seed: int = 0, classes: int = 3):
    """Parallel texts in three languages whose classes are directions plus noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size=2 * groups)
    pool = [example(i, lang, labels[i]) for i in range(groups) for lang in LANGS]
    test = [example(i, lang, labels[groups + i], "t") for i in range(groups) for lang in LANGS]
    centre = 0.6 * rng.standard_normal((classes, 8))
    of = np.array([int(str(e.answer)[1:]) for e in (*pool, *test)])
    vectors = (centre[of] + rng.standard_normal((len(of), 8))).astype(np.float32)
    return make_replay(pool, test, features(vectors, (*pool, *test)), source=["eng"])


def features(vectors: np.ndarray, examples: Sequence[Example]) -> Features:
    """Features of examples by an encoder of one layer."""
    return Features(vectors=vectors[:, None], ngrams=count_ngrams([e.text for e in examples]))


SMALL = CurveSettings(budgets=(6, 20), batch=10)


def points(*accuracies: float, step: int = 10):
    """A curve whose languages are equally good."""
    return [
        {"labels": step * (i + 1), "trained": 1, "spent": {"ha": 1}, "accuracy": {"ha": a, "yo": a}}
        for i, a in enumerate(accuracies)
    ]


def cell(name: str, seed: int, *accuracies: float) -> Cell:
    """A finished cell."""
    return Cell(setup="s", strategy=name, seed=seed, seconds=0.0, points=points(*accuracies))
