"""Texts of several languages whose classes are directions plus noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xlt.payoff.labelled import Labelled
from xlt.tasks.single_label.task import SingleLabel

TASK = SingleLabel(labels=("c0", "c1", "c2", "c3"))


def named(classes) -> list[str]:
    """The answers that class numbers stand for."""
    return [TASK.labels[number] for number in classes]


def numbers(data: Labelled) -> np.ndarray:
    """The class numbers of answers."""
    return TASK.classes(data.answers)


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
        answers=named(y),
        task=TASK,
        langs=np.array([f"l{i}" for i in rng.integers(0, langs, n)], dtype="<U8"),
        groups=np.arange(n).astype(str),
    )


def replaced(data: Labelled, **fields) -> Labelled:
    """The same with other answers, languages or groups."""
    return replace(data, **fields)
