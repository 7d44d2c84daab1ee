"""Splits that tables name, and splits and folds that keep translations together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.cells import as_text
from xlt.data.columns import usual_column
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.rows import Row
from xlt.errors import DataError

_NAMED_SPLITS = 20


def of_split(rows: list[Row], split: str, path: str) -> list[Row]:
    """Returns the rows of a split; raises DataError, which lists the splits, if there are none."""
    names = dict.fromkeys(name for _, row in rows for name in row)
    column = usual_column("split", list(names))
    if column is None:
        raise DataError(f"{path} has no column split; it has {list(names)}")
    splits = [
        as_text(cell) if isinstance(cell := row.get(column), str | int | float) else ""
        for _, row in rows
    ]
    selected = [row for row, name in zip(rows, splits, strict=True) if name == split.strip()]
    if not selected:
        known = sorted(set(splits))[:_NAMED_SPLITS]
        raise DataError(f"{path} has no rows with split {split!r}; it has {known}")
    return selected


def split_by_group(
    examples: Sequence[Example],
    share: float,
    rng: np.random.Generator,
    *,
    decisions: Callable[[Any], Iterable[Hashable]] = lambda answer: (),
) -> tuple[list[Example], list[Example]]:
    """Splits examples into (train, held out), in their order; no group is on both sides.

    Args:
        examples: Examples to split, with answers if `decisions` is given.
        share: Share of the groups that is held out, in [0, 1]. It is less if the rest has the last
            examples of something.
        rng: Draws the groups.
        decisions: Returns what an answer decides (`Task.decisions`). The last example of each stays
            in training.

    Raises:
        DataError: If the share is out of range.
    """
    if not 0.0 <= share <= 1.0:
        raise DataError(f"the held-out share must be in [0, 1], got {share}")
    within: dict[str, Counter[Hashable]] = {}
    for example in examples:
        within.setdefault(example.group_key, Counter()).update(decisions(example.answer))
    left: Counter[Hashable] = Counter()
    for own in within.values():
        left.update(own)
    groups = list(within)
    count = int(np.floor(len(groups) * share + 0.5))
    held: set[str] = set()
    for place in rng.permutation(len(groups)):
        own = within[groups[place]]
        if len(held) < count and all(left[decided] > n for decided, n in own.items()):
            left.subtract(own)
            held.add(groups[place])
    train = [example for example in examples if example.group_key not in held]
    return train, [example for example in examples if example.group_key in held]


def folds_by_group(
    examples: Sequence[Example], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Returns the fold of each example, (N,) from 0 on; texts of one group share a fold.

    Args:
        examples: N examples.
        count: Number of folds; their numbers of groups differ by at most one.
        rng: Draws the folds.
    """
    groups = {group: n for n, group in enumerate(dict.fromkeys(e.group_key for e in examples))}
    fold_of = rng.permutation(len(groups)) % count
    return np.array([fold_of[groups[example.group_key]] for example in examples], dtype=np.intp)


def without_groups(examples: Sequence[Example], held_out: Sequence[Example]) -> list[Example]:
    """Returns the examples that are neither held out nor in a group with one that is.

    An example with the texts and the language of a held-out one is the same under another id.
    """
    groups = {example.group_key for example in held_out}
    texts = {(normalise(example.lang), example.texts) for example in held_out}
    return [
        example
        for example in examples
        if example.group_key not in groups and (normalise(example.lang), example.texts) not in texts
    ]


def drawn_evenly(langs: Sequence[str], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Returns all rows in order, or `most` of them, as even over the languages as they allow."""
    if len(langs) <= most:
        return np.arange(len(langs))
    order = rng.permutation(len(langs))
    seen: dict[str, int] = {}
    turns = []
    for row in order.tolist():
        key = normalise(langs[row])
        seen[key] = seen.get(key, 0) + 1
        turns.append(seen[key])
    first = np.argsort(turns, kind="stable")[:most]
    return np.sort(order[first])
