"""Control labels: a small share of the labels is drawn at random, with known chances.

Choosing by itself is deterministic: most texts have no chance at all, and labels that were chosen
say neither how good a model is nor how much choosing gains. So at every place of a language's order
a coin decides between the text that choosing prefers and one drawn uniformly from all that are
left. Control labels train like the others. A task's random key, which never changes, decides when
it is drawn: any two orders of a pool draw the same tasks first. So the tasks with the smallest keys
are a uniformly random sample of the language, however often the order was made again, and although
choosing may have taken some of them before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Share of the tasks with the smallest keys that must have labels for them to be a sample: a few
#: tasks that no annotator wants to label must not hold up the rest.
_LABELLED = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixed:
    """One language's order after control tasks were drawn; K tasks.

    Attributes:
        order: (K,) rows of the pool.
        control: (K,) which places were drawn at random.
        propensity: (K,) the chance, in (0, 1], that of all tasks left this one got the place.
        remaining: (K,) how many those were.
    """

    order: NDArray[np.intp]
    control: NDArray[np.bool_]
    propensity: NDArray[np.float64]
    remaining: NDArray[np.intp]


def random_key(id: str, *, salt: str) -> float:
    """A number in [0, 1) that the task `id` of the project `salt` has for good."""
    digest = hashlib.sha256(f"control\x00{salt}\x00{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64)


def mixed(
    order: NDArray[np.intp],
    random_keys: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
    *,
    last: int = 0,
) -> Mixed:
    """Puts control tasks between the chosen ones.

    The k-th place goes, with the chance `share`, to the task of the smallest key that has no place
    yet, else to the first of `order` that has none: a chance of `share / R` for each of the R that
    are left, and `1 - share` more for the one that choosing wants.

    Args:
        order: (K,) rows as choosing wants them.
        random_keys: (N,) of all rows.
        share: In [0, 1].
        rng: Tosses the coins.
        last: So many rows at the end of `order` keep their places: they are in no draw.
    """
    order, behind = order[: len(order) - last], order[len(order) - last :]
    k = len(order)
    control = rng.random(k) < share
    wanted, drawn = order.tolist(), order[np.argsort(random_keys[order], kind="stable")].tolist()
    placed: set[int] = set()
    result = np.empty(k, dtype=np.intp)
    propensity = share / np.arange(k, 0, -1)
    at = [0, 0]
    for place, by_lot in enumerate(control.tolist()):
        for side, rows in enumerate((wanted, drawn)):
            while rows[at[side]] in placed:
                at[side] += 1
        first = wanted[at[0]]
        row = drawn[at[1]] if by_lot else first
        propensity[place] += (1.0 - share) * (row == first)
        placed.add(row)
        result[place] = row
    return Mixed(
        order=np.concatenate([result, behind]),
        control=np.append(control, np.zeros(last, dtype=bool)),
        propensity=np.append(propensity, np.ones(last)),
        remaining=np.append(np.arange(k, 0, -1), np.ones(last)).astype(np.intp),
    )


def random_sample(
    random_keys: NDArray[np.float64], labelled: NDArray[np.bool_], langs: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Labelled tasks that are a uniformly random sample of their language.

    Of each language these are the tasks with the smallest keys, as far as nine tenths of them have
    labels, whether choosing or chance drew them first.

    Args:
        random_keys: (N,) of all tasks with a label or waiting for one, audit tasks aside.
        labelled: (N,) which have one.
        langs: (N,) their languages.

    Returns:
        (N,) bool.
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
