"""Control labels: a small share of the labels is drawn at random, with known chances.

Selection alone is deterministic: most texts have no chance at all, and selected labels show neither
how good a model is nor how much selection gains. So at every place of a language's order a coin
decides between the text that selection prefers and one drawn uniformly from all that are left.
Control labels train like the others. A task's random key, which never changes, decides when it is
drawn: any two orders of a pool draw the same tasks first. So the tasks with the smallest keys are a
uniformly random sample of the language, even if the order is computed many times and selection has
taken some of them earlier.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Share of the tasks with the smallest keys that must have labels before these tasks are a sample:
#: a few tasks that no annotator wants to label must not hold up the rest.
_LABELLED = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedOrder:
    """One language's order of K tasks, control tasks included.

    Attributes:
        order: (K,) rows of the pool.
        control: (K,) True for places that were drawn at random.
        propensity: (K,) in (0, 1], the chance of this task to get the place.
        remaining: (K,) number of tasks that could get the place.
    """

    order: NDArray[np.intp]
    control: NDArray[np.bool_]
    propensity: NDArray[np.float64]
    remaining: NDArray[np.intp]


def random_key(id: str, *, salt: str) -> float:
    """Returns the permanent random number in [0, 1) of the task `id` of the project `salt`."""
    digest = hashlib.sha256(f"control\x00{salt}\x00{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64)


def mix_in_control(
    order: NDArray[np.intp],
    random_keys: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
    *,
    last: int = 0,
) -> MixedOrder:
    """Puts control tasks between the selected ones.

    With the chance `share`, the k-th place goes to the task of the smallest key that has no place
    yet. Otherwise it goes to the first such task of `order`. So each of the R tasks that are left
    has a chance of `share / R`, and the one that selection prefers has `1 - share` more.

    Args:
        order: (K,) rows in the order of selection.
        random_keys: (N,) keys of all rows.
        share: Share of control tasks, in [0, 1].
        rng: Tosses the coins.
        last: Number of rows at the end of `order` that keep their places and are never drawn.
    """
    order, behind = order[: len(order) - last], order[len(order) - last :]
    k = len(order)
    control = rng.random(k) < share
    preferred = order.tolist()
    drawn = order[np.argsort(random_keys[order], kind="stable")].tolist()
    placed: set[int] = set()
    result = np.empty(k, dtype=np.intp)
    propensity = share / np.arange(k, 0, -1)
    at = [0, 0]
    for place, at_random in enumerate(control.tolist()):
        for side, rows in enumerate((preferred, drawn)):
            while rows[at[side]] in placed:
                at[side] += 1
        first = preferred[at[0]]
        row = drawn[at[1]] if at_random else first
        propensity[place] += (1.0 - share) * (row == first)
        placed.add(row)
        result[place] = row
    return MixedOrder(
        order=np.concatenate([result, behind]),
        control=np.append(control, np.zeros(last, dtype=bool)),
        propensity=np.append(propensity, np.ones(last)),
        remaining=np.append(np.arange(k, 0, -1), np.ones(last)).astype(np.intp),
    )


def random_sample(
    random_keys: NDArray[np.float64], labelled: NDArray[np.bool_], langs: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Finds labelled tasks that are a uniformly random sample of their language.

    In each language these are the tasks with the smallest keys, as long as nine tenths of them have
    labels. It does not matter whether selection or chance drew them first.

    Args:
        random_keys: (N,) keys of all tasks with and without a label, except audit tasks.
        labelled: (N,) True for tasks with a label.
        langs: (N,) their languages.

    Returns:
        (N,) True for tasks of the sample.
    """
    sample = np.zeros(len(random_keys), dtype=bool)
    for lang in np.unique(langs):
        rows = np.flatnonzero(langs == lang)
        rows = rows[np.argsort(random_keys[rows], kind="stable")]
        share = np.cumsum(labelled[rows]) / np.arange(1, len(rows) + 1)
        enough = np.flatnonzero(share >= _LABELLED)
        if len(enough):
            sample[rows[: int(enough[-1]) + 1]] = True
    return sample & labelled
