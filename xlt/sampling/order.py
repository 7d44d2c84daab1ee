"""One language's tasks in the order in which they should be labelled, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Stands for a labelled text in `LanguageTasks.twin_of`.
LABELLED = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LanguageTasks:
    """What is known of one language's K tasks that are not audit tasks, in a pool of N.

    Attributes:
        rows: (K,) its rows of the pool.
        ids: N task ids.
        chosen: Row -> share of the uncertain texts that it speaks for, in the order of choosing.
        twin_of: (N,) the row that says nearly the same: itself, another, or `LABELLED`.
        uncertainty: (N,) in [0, 1]; None before the first model.
        measure: What the uncertainty is.
        ties: (N,) distinct numbers that decide between equals; the larger comes first.
        held_back: Task id -> why it comes after all others.
    """

    rows: NDArray[np.intp]
    ids: Sequence[str]
    chosen: Mapping[int, float]
    twin_of: NDArray[np.intp]
    uncertainty: NDArray[np.float64] | None
    measure: str
    ties: NDArray[np.intp]
    held_back: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Queue:
    """The order of one language's tasks: rows of the pool, and a sentence for each by row."""

    order: NDArray[np.intp]
    reasons: Mapping[int, str]


def queue(tasks: LanguageTasks) -> Queue:
    """What was chosen, the most uncertain, what says the same as another or a label, what waits."""
    rows, last = tasks.rows, len(tasks.chosen)
    rank_of = {row: rank for rank, row in enumerate(tasks.chosen)}
    rank = np.array([rank_of.get(row, last) for row in rows.tolist()], dtype=np.intp)
    twin = (tasks.twin_of[rows] != rows) & (rank == last)
    sure = np.zeros(len(rows)) if tasks.uncertainty is None else -tasks.uncertainty[rows]
    held = np.array([tasks.ids[row] in tasks.held_back for row in rows.tolist()], dtype=bool)
    order = rows[np.lexsort((-tasks.ties[rows], sure, rank, twin, held))]
    copies = Counter(tasks.twin_of[rows][twin].tolist())
    return Queue(order=order, reasons={row: _reason(tasks, copies, row) for row in rows.tolist()})


def _reason(tasks: LanguageTasks, copies: Mapping[int, int], row: int) -> str:
    other = int(tasks.twin_of[row])
    if tasks.ids[row] in tasks.held_back:
        return f"comes last: {tasks.held_back[tasks.ids[row]]}"
    if row in tasks.chosen:
        share = f"{100 * tasks.chosen[row]:.1f} %"
        alike = f"; {copies[row]} more say nearly the same" if row in copies else ""
        if tasks.uncertainty is None:
            return f"typical: speaks for {share} of the texts in the target languages{alike}"
        return (
            f"speaks for {share} of what the model is unsure of in the target languages "
            f"({tasks.measure} of the text itself {tasks.uncertainty[row]:.2f}){alike}"
        )
    if other != row:
        same = "a labelled text" if other == LABELLED else f"task {tasks.ids[other]}"
        return f"says nearly the same as {same}"
    if tasks.uncertainty is None:
        return "in random order: no model yet"
    return f"the model is unsure ({tasks.measure} {tasks.uncertainty[row]:.2f})"
