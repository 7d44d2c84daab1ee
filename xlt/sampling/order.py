"""The order of one language's tasks, with the reason for each place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Stands for a labelled text in `LanguageTasks.duplicate_of`.
LABELLED = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LanguageTasks:
    """The K tasks of one language that are not audit tasks, in a pool of N.

    Attributes:
        rows: (K,) rows of the pool.
        ids: N task ids.
        chosen: Row -> share of the weighted target texts that it covers, in the order of selection.
        duplicate_of: (N,) row of the near-duplicate that comes first: the row itself, another one,
            or `LABELLED`.
        uncertainty: (N,) in [0, 1]; None before the first model.
        measure: Name of the uncertainty.
        ties: (N,) distinct numbers that decide between equals; the larger comes first.
        held_back: Task id -> why it comes after all others.
    """

    rows: NDArray[np.intp]
    ids: Sequence[str]
    chosen: Mapping[int, float]
    duplicate_of: NDArray[np.intp]
    uncertainty: NDArray[np.float64] | None
    measure: str
    ties: NDArray[np.intp]
    held_back: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LanguageOrder:
    """The order of one language's tasks.

    Attributes:
        rows: (K,) rows of the pool.
        reasons: Row -> a sentence for people.
    """

    rows: NDArray[np.intp]
    reasons: Mapping[int, str]


def order_language(tasks: LanguageTasks) -> LanguageOrder:
    """Orders tasks: selected, by uncertainty, near-duplicates, and those held back."""
    rows, last = tasks.rows, len(tasks.chosen)
    rank_of = {row: rank for rank, row in enumerate(tasks.chosen)}
    rank = np.array([rank_of.get(row, last) for row in rows.tolist()], dtype=np.intp)
    duplicate = (tasks.duplicate_of[rows] != rows) & (rank == last)
    sure = np.zeros(len(rows)) if tasks.uncertainty is None else -tasks.uncertainty[rows]
    held = np.array([tasks.ids[row] in tasks.held_back for row in rows.tolist()], dtype=bool)
    ordered = rows[np.lexsort((-tasks.ties[rows], sure, rank, duplicate, held))]
    copies = Counter(tasks.duplicate_of[rows][duplicate].tolist())
    reasons = {row: _reason(tasks, copies, row) for row in rows.tolist()}
    return LanguageOrder(rows=ordered, reasons=reasons)


def _reason(tasks: LanguageTasks, copies: Mapping[int, int], row: int) -> str:
    first = int(tasks.duplicate_of[row])
    if tasks.ids[row] in tasks.held_back:
        return f"comes last: {tasks.held_back[tasks.ids[row]]}"
    if row in tasks.chosen:
        return _reason_chosen(tasks, copies.get(row, 0), row)
    if first != row:
        same = "a labelled text" if first == LABELLED else f"task {tasks.ids[first]}"
        return f"says nearly the same as {same}"
    if tasks.uncertainty is None:
        return "in random order: there is no model yet"
    return f"the model is unsure ({tasks.measure} {tasks.uncertainty[row]:.2f})"


def _reason_chosen(tasks: LanguageTasks, copies: int, row: int) -> str:
    share = f"{100 * tasks.chosen[row]:.1f} %"
    more = f"; {copies} more say nearly the same" if copies else ""
    if tasks.uncertainty is None:
        return f"typical: covers {share} of the texts in the target languages{more}"
    return (
        f"covers {share} of what the model is unsure of in the target languages "
        f"({tasks.measure} of the text itself {tasks.uncertainty[row]:.2f}){more}"
    )
