"""Acquisition functions: the literature's measures, selecting a batch from rows of a pool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.directions import unit
from xlt.sampling.neighbours import contrast, density, near_targets, peculiarity
from xlt.sampling.uncertainty import MEASURES
from xlt.simulate.measures.committee import bald, epig
from xlt.simulate.measures.coverage import (
    core_set,
    k_means,
    prob_cover,
    pure_radius,
    typical_of_clusters,
)
from xlt.simulate.measures.gradients import badge
from xlt.simulate.measures.stochastic import power_batch
from xlt.simulate.state import State

#: (state, candidates, count, rng) -> `count` of the candidates.
Acquisition = Callable[[State, NDArray[np.intp], int, np.random.Generator], NDArray[np.intp]]
#: (state, candidates, rng) -> a score for each, higher = sooner.
Score = Callable[[State, NDArray[np.intp], np.random.Generator], NDArray[np.float64]]

# Measures that compare candidates with one another use at most this number, drawn at random.
_MOST_ROWS = 3_000
_TARGETS = 256
_CANDIDATES_PER_LABEL = 4


def at_random(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Selects rows at random, each with the same chance."""
    return rng.permutation(rows)[:count]


def _top(score: Score, *, needs_model: bool = True) -> Acquisition:
    """Returns a function that selects the best rows by a score.

    If the score needs a model, it selects at random before the first one.
    """

    def choose(
        state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        rows = rng.permutation(rows)  # ties are not broken by position
        if needs_model and state.beliefs is None:
            return rows[:count]
        return rows[np.argsort(-score(state, rows, rng), kind="stable")[:count]]

    return choose


def _uncertainty(name: str) -> Score:
    def score(
        state: State, rows: NDArray[np.intp], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        assert state.beliefs is not None
        return state.task.uncertainty(state.beliefs.take(rows), name)

    return score


def _bald(state: State, rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    assert state.committee is not None
    return bald(state.committee()[:, rows])


def _epig(state: State, rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    assert state.committee is not None
    samples = state.committee()
    return epig(samples[:, rows], samples[:, _targets(state, rng)])


def _contrast(
    state: State, rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.float64]:
    p, x, known = state.probabilities, state.pool.vectors, state.trained
    assert p is not None
    return contrast(p[rows], x[rows], p[known], x[known])


def _density(state: State, rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    return density(state.pool.vectors[rows])


def _peculiarity(
    state: State, rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.float64]:
    source = np.flatnonzero(np.isin(state.pool.langs, state.source))
    return peculiarity(state.pool.vectors[rows], state.pool.vectors[_sample(source, rng)])


def _badge(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    if state.probabilities is None:
        return at_random(state, rows, count, rng)
    return rows[badge(state.probabilities[rows], state.pool.vectors[rows], count, rng)]


def _power_margin(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    if state.beliefs is None:
        return at_random(state, rows, count, rng)
    return rows[power_batch(_uncertainty("margin")(state, rows, rng), count, rng)]


def _near_target_margin(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Selects the most uncertain of the rows that are nearest to target texts (DeMuX)."""
    x = state.pool.vectors
    near = near_targets(x[rows], x[_targets(state, rng)], _CANDIDATES_PER_LABEL * count)
    return _top(_uncertainty("margin"))(state, rows[near], count, rng)


def _core_set(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    rows = rng.permutation(rows)
    return rows[core_set(state.pool.vectors[rows], state.pool.vectors[state.trained], count)]


def _k_means(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    rows = _sample(rows, rng)
    return rows[k_means(state.pool.vectors[rows], count, rng)]


def _typiclust(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    rows, both, labelled = _with_labelled(state, rows, rng)
    clusters = _clusters(both, count + int(labelled.sum()), rng)
    return rows[typical_of_clusters(both, clusters, labelled, count)]


def _prob_cover(
    state: State, rows: NDArray[np.intp], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    rows, both, labelled = _with_labelled(state, rows, rng)
    classes = 2 if state.beliefs is None else state.task.width
    radius = pure_radius(both, _clusters(both, classes, rng))
    return rows[prob_cover(both, labelled, count, delta=radius)]


def _with_labelled(
    state: State, rows: NDArray[np.intp], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
    """Draws candidates and adds labelled texts.

    Returns:
        Drawn rows; directions of these rows and of the labelled texts after them; True for the
        labelled ones.
    """
    rows, known = _sample(rows, rng), state.trained
    both = unit(state.pool.vectors[np.concatenate([rows, known])])
    return rows, both, np.arange(len(both)) >= len(rows)


def _clusters(
    vectors: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]  # no stubs

    count = min(count, len(vectors), 500)
    means = MiniBatchKMeans(count, n_init=1, random_state=int(rng.integers(2**31)))
    return np.asarray(means.fit_predict(vectors), dtype=np.intp)


def _sample(rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(rows)[:_MOST_ROWS]


def _targets(state: State, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draws a sample of the texts in target languages."""
    rows = np.flatnonzero(~np.isin(state.pool.langs, state.source))
    return rng.permutation(rows)[:_TARGETS]


#: The acquisition functions by their names in strategies.
ACQUISITIONS: dict[str, Acquisition] = {
    "random": at_random,
    **{name: _top(_uncertainty(name)) for name in (*MEASURES, "mnlp")},
    "bald": _top(_bald),
    "epig": _top(_epig),
    "cal": _top(_contrast),
    "density": _top(_density, needs_model=False),
    "peculiarity": _top(_peculiarity, needs_model=False),
    "badge": _badge,
    "power_margin": _power_margin,
    "near_target": _near_target_margin,
    "core_set": _core_set,
    "k_means": _k_means,
    "typiclust": _typiclust,
    "prob_cover": _prob_cover,
}
