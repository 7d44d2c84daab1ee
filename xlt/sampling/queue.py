"""One language's tasks in the order in which they should be labelled, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.diversity import distance_to, near_duplicates, spread
from xlt.sampling.pool import SamplerOptions
from xlt.sampling.typicality import by_typicality

_CANDIDATES_PER_SLOT = 10
_MIN_CANDIDATES = 50
#: Stands for a labelled text in `Queue.twin_of`.
LABELLED = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LanguageTasks:
    """What is known of one language's tasks that are not audit tasks.

    Attributes:
        name: The language code, as the user writes it.
        ids: N task ids.
        uncertainty: (N,) in [0, 1]; None before the first model.
        rows: (N, D) sentence vectors of length 1; None where there are none.
        labelled_rows: (M, D) the same of labelled texts.
        labelled: Labels that the language has.
        wanted: How many tasks the batch takes from this queue.
        ties: (N,) distinct numbers that decide between equals; the larger comes first.
    """

    name: str
    ids: Sequence[str]
    uncertainty: NDArray[np.float64] | None
    rows: NDArray[np.float32] | None
    labelled_rows: NDArray[np.float32]
    labelled: int
    wanted: int
    ties: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Queue:
    """The order of one language's tasks.

    Attributes:
        order: (N,) task numbers, first to label first.
        reasons: N sentences, by task number.
        phase: "typicality", a measure's name, or "random".
    """

    order: NDArray[np.intp]
    reasons: Sequence[str]
    phase: str


def queue(tasks: LanguageTasks, options: SamplerOptions, rng: np.random.Generator) -> Queue:
    """Orders a language's tasks: what says the same as an earlier or labelled one comes last."""
    phase = _phase(tasks, options)
    order = _by_worth(tasks, phase)
    if tasks.rows is None:
        return Queue(order=order, reasons=_plain_reasons(tasks, phase), phase=phase)
    twin_of = _twins(tasks, order, options.near_duplicate, rng)
    unique = order[twin_of[order] == order]
    twins = order[twin_of[order] != order]
    if phase == "typicality":
        unique, reasons = _typical(tasks, unique, options, rng)
    else:
        unique, reasons = _unsure_and_unlike(tasks, unique, phase)
    for twin in twins.tolist():
        other = int(twin_of[twin])
        same = "a labelled text" if other == LABELLED else f"task {tasks.ids[other]}"
        reasons[twin] = f"says nearly the same as {same}"
    return Queue(order=np.concatenate([unique, twins]), reasons=reasons, phase=phase)


def _phase(tasks: LanguageTasks, options: SamplerOptions) -> str:
    cold = tasks.uncertainty is None or tasks.labelled < options.cold_labels
    if cold and tasks.rows is not None:
        return "typicality"
    return "random" if tasks.uncertainty is None else options.measure


def _by_worth(tasks: LanguageTasks, phase: str) -> NDArray[np.intp]:
    if tasks.uncertainty is None or phase in ("typicality", "random"):
        return np.argsort(-tasks.ties, kind="stable")
    return np.asarray(np.lexsort((-tasks.ties, -tasks.uncertainty)))


def _twins(
    tasks: LanguageTasks, order: NDArray[np.intp], threshold: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each task the one that stands for it: itself, an earlier one, or `LABELLED`."""
    assert tasks.rows is not None
    if threshold >= 1.0:
        return np.arange(len(order))
    known = len(tasks.labelled_rows)
    rows = np.concatenate([tasks.labelled_rows, tasks.rows[order]])
    kept_by = near_duplicates(rows, threshold, rng)[known:] - known  # places in `order`
    twin_of = np.empty(len(order), dtype=np.intp)
    twin_of[order] = np.where(kept_by < 0, LABELLED, order[np.maximum(kept_by, 0)])
    return twin_of


def _typical(
    tasks: LanguageTasks,
    unique: NDArray[np.intp],
    options: SamplerOptions,
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], list[str]]:
    assert tasks.rows is not None
    found = by_typicality(tasks.rows[unique], tasks.wanted, tasks.labelled_rows, rng)
    why_cold = f"{tasks.name} has {tasks.labelled} labels"
    if tasks.labelled < options.cold_labels:
        why_cold += f" of the {options.cold_labels} that uncertainty needs"
    reasons = [""] * len(tasks.ids)
    for place, row in enumerate(unique.tolist()):
        reasons[row] = f"typical of {found.cluster_size[place]} texts ({why_cold})"
    return unique[found.order], reasons


def _unsure_and_unlike(
    tasks: LanguageTasks, unique: NDArray[np.intp], phase: str
) -> tuple[NDArray[np.intp], list[str]]:
    """The most uncertain candidates, thinned out for variety; the others by uncertainty alone."""
    assert tasks.rows is not None
    count = max(_CANDIDATES_PER_SLOT * tasks.wanted, _MIN_CANDIDATES) if tasks.wanted else 0
    candidates = unique[:count]
    rows = tasks.rows[candidates]
    worth = 1.0 - np.arange(len(candidates)) / max(len(candidates), 1)
    chosen = spread(rows, worth, tasks.wanted, distance_to(rows, tasks.labelled_rows))
    reasons = _plain_reasons(tasks, phase)
    for row in candidates[chosen].tolist():
        reasons[row] += ", and the text is unlike those before it"
    left = np.ones(len(unique), dtype=bool)
    left[chosen] = False
    return np.concatenate([candidates[chosen], unique[left]]), reasons


def _plain_reasons(tasks: LanguageTasks, phase: str) -> list[str]:
    if tasks.uncertainty is None or phase == "random":
        return ["in random order: no model yet"] * len(tasks.ids)
    return [f"the model is unsure ({phase} {value:.2f})" for value in tasks.uncertainty.tolist()]
