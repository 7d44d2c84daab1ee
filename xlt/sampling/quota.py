"""Quotas: the number of slots of the batch for each language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.pool import SamplerOptions

# The adaptive weight is (1 - A) N^0.3 / (n + 20): a language gets more if the model is worse at it,
# if it has more text or fewer labels. Weights stay within a factor of four of the mean.
_POOL_POWER = 0.3
_PRIOR_LABELS = 20.0
_LIMIT = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Numbers that decide the quota of a language.

    Attributes:
        available: Number of unlabelled tasks in the pool.
        labelled: Number of labels.
        accuracy: Lower bound of the model's accuracy on audit labels. None if unknown.
        share: Its weight under quota "fixed".
        source: True if it is labelled to help the others.
        unsure: True for texts whose language is not sure. They are no target with a share of its
            own: they come when the targets have no tasks left, or if there is no other target.
    """

    available: int
    labelled: int = 0
    accuracy: float | None = None
    share: float = 0.0
    source: bool = False
    unsure: bool = False


def weights(languages: Sequence[Language], options: SamplerOptions) -> NDArray[np.float64]:
    """Returns each language's share of the labels, (L,), summing to 1; 0 if it has no tasks.

    If quota "fixed" gives no target language with tasks a share, they share equally.
    """
    raw = np.array([_raw(language, options) for language in languages], dtype=np.float64)
    open_ = np.array([language.available > 0 for language in languages], dtype=bool)
    source = np.array([language.source for language in languages], dtype=bool)
    result = np.zeros(len(languages))
    target = ~source & open_
    sure = np.array([not language.unsure for language in languages], dtype=bool)
    target = target & sure if (target & sure).any() else target
    sides = [(source & open_, options.source_share), (target, 1 - options.source_share)]
    sides = [(side, part) for side, part in sides if side.any()]
    for side, part in sides:
        part = part if len(sides) == 2 else 1.0
        share = _limited(raw[side]) if options.quota == "adaptive" else raw[side]
        if share.sum() <= 0:  # the tasks in the languages with a share are used up
            share = np.ones_like(share)
        result[side] = part * share / share.sum()
    return result


def slots(
    languages: Sequence[Language],
    share: NDArray[np.float64],
    options: SamplerOptions,
    ties: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Returns slots of the batch per language, (L,).

    The sum is min(batch, tasks), and no language gets more slots than it has tasks. The sources get
    `source_share` of the slots, rounded. Each target gets its floor if there are enough slots; the
    divisor method of Sainte-Laguë deals out the rest. Slots that one side cannot use go to the
    other.

    Args:
        languages: L languages.
        share: (L,) as `weights` returns them.
        options: The batch, the source share, the floor.
        ties: (L,) distinct numbers; the larger wins a tie.
    """
    available = np.array([language.available for language in languages], dtype=np.intp)
    source = np.array([language.source for language in languages], dtype=bool)
    total = min(options.batch, int(available.sum()))
    source_tasks, target_tasks = int(available[source].sum()), int(available[~source].sum())
    for_source = min(int(np.floor(total * options.source_share + 0.5)), source_tasks)
    for_target = min(total - for_source, target_tasks)
    unsure = np.array([language.unsure for language in languages], dtype=bool)
    floors = np.where(source | unsure, 0, np.minimum(options.floor, available))
    start = _even(for_target, floors, languages, ties)
    targets = deal(for_target, start, share, np.where(source, 0, available), ties)
    return deal(total, targets, share, np.where(source, available, targets), ties)


def deal(
    total: int,
    start: NDArray[np.intp],
    share: NDArray[np.float64],
    limit: NDArray[np.intp],
    ties: NDArray[np.float64],
    given: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Deals seats by Sainte-Laguë until `total` are dealt or every limit is reached.

    Args:
        total: Number of seats, those of `start` included.
        start: (L,) seats dealt already.
        share: (L,) weights; seats go to weight 0 only when all others are full.
        limit: (L,) largest number of seats.
        ties: (L,) distinct numbers; the larger wins a tie.
        given: (L,) seats of earlier rounds, which count as well.
    """
    got: NDArray[np.intp] = start.copy()
    had = np.zeros_like(got) if given is None else given
    weight = np.maximum(share, 1e-12)
    for _ in range(total - int(got.sum())):
        quotient = np.where(got < limit, weight / (2.0 * (got + had) + 1.0), -1.0)
        best = quotient.max(initial=-1.0)
        if best < 0:
            break
        equal = np.flatnonzero(quotient >= best * (1 - 1e-9))
        got[equal[np.argmax(ties[equal])]] += 1
    return got


def _even(
    total: int, floors: NDArray[np.intp], languages: Sequence[Language], ties: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Returns the floors; if there are too few slots, languages with fewer labels come first."""
    if floors.sum() <= total:
        return floors.astype(np.intp)
    labelled = np.array([language.labelled for language in languages], dtype=np.intp)
    start = np.zeros(len(floors), dtype=np.intp)
    return deal(total, start, np.ones(len(floors)), floors, ties, labelled)


def _raw(language: Language, options: SamplerOptions) -> float:
    if language.source or options.quota == "equal":
        return 1.0
    if options.quota == "proportional":
        return float(language.available)
    if options.quota == "fixed":
        return language.share
    wrong = 1.0 - (language.accuracy if language.accuracy is not None else 0.0)
    pool = math.pow(language.available, _POOL_POWER)
    return wrong * pool / (language.labelled + _PRIOR_LABELS)


def _limited(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = raw.mean()
    if mean <= 0:
        return np.ones_like(raw)
    return np.asarray(np.clip(raw, mean / _LIMIT, mean * _LIMIT))


def interleave(
    counts: NDArray[np.intp],
    share: NDArray[np.float64],
    ties: NDArray[np.float64],
    had: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Returns a sequence in which l occurs counts[l] times and every start is shared fairly.

    The k-th turn of l, including the turns that it `had` before, comes at `(k + 1/2) / share[l]`.
    This is the order in which the divisor method of Sainte-Laguë deals seats. Weight 0 comes last;
    the larger of `ties` wins a tie.
    """
    number = np.repeat(np.arange(len(counts)), counts)
    turn = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
    turn = turn if had is None else turn + had[number]
    when = (turn + 0.5) / np.maximum(share, 1e-12)[number]
    return np.asarray(number[np.lexsort((-ties[number], when))])


def interleave_sides(
    counts: NDArray[np.intp],
    share: NDArray[np.float64],
    ties: NDArray[np.float64],
    source: NDArray[np.bool_],
    had: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Interleaves source and targets first, then the languages within each of the two.

    In one sequence of all languages, a large source would come before many small targets have a
    turn.
    """
    before = np.zeros_like(counts) if had is None else had
    sides = np.stack([~source, source])  # (2, L)
    by_side = [(sides * values).sum(axis=1) for values in (counts, share, before)]
    turns = interleave(by_side[0], by_side[1], np.array([1.0, 0.0]), by_side[2])
    result = np.empty(len(turns), dtype=np.intp)
    for side in (0, 1):
        result[turns == side] = interleave(counts * sides[side], share, ties, before)
    return result
