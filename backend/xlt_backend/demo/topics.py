"""Which texts the demo annotates and which it keeps back to measure with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlt.data.corpus import read_examples
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.errors import DataError

#: The texts that come with xlt, written for it; their README is beside them.
SHIPPED = Path(__file__).parent / "texts" / "topics.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a data set the demo uses.

    Attributes:
        source: Most source-language texts in the pool.
        target: Most texts of each other language in the pool.
        held_out: Most held-out texts of each language.
        held_out_share: Share of the groups that is held out, in (0, 1).
    """

    source: int = 400
    target: int = 160
    held_out: int = 100
    held_out_share: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTexts:
    """A pool to annotate and texts to measure on; no group is in both.

    Attributes:
        pool: Labelled examples, in random order; the annotator alone reads their labels.
        held_out: Labelled examples that never reach Label Studio.
        source: Code of the high-resource language.
        targets: Codes of all other languages, sorted.
        labels: The label set, sorted.
    """

    pool: tuple[Example, ...]
    held_out: tuple[Example, ...]
    source: str
    targets: tuple[str, ...]
    labels: tuple[str, ...]


def load(
    path: Path,
    columns: Mapping[str, str | None],
    *,
    source: str,
    languages: Sequence[str] | None,
    limits: Limits,
    rng: np.random.Generator,
) -> DemoTexts:
    """Read a labelled table and split it into pool and held-out texts.

    Args:
        path: CSV, JSONL or Parquet with text, language and label.
        columns: Names of columns for `read_examples`; None where they are to be guessed.
        source: The high-resource language, in any code that the table's code equals.
        languages: Which languages to use; None for all.
        limits: How many texts.
        rng: Decides the split and the order.

    Raises:
        DataError: If the table has no labels, lacks a language or leaves nothing to annotate.
    """
    examples = [e for e in read_examples(path, **columns) if e.label is not None]
    if not examples:
        raise DataError(f"{path}: the demo's annotator needs a label column; no row has a label")
    codes = _codes(examples, [source, *(languages or [])], path)
    source = codes[0]
    if languages:
        examples = [e for e in examples if e.lang in codes]
    codes = sorted({e.lang for e in examples})
    pool, held_out = _split(examples, limits.held_out_share, rng)
    quota = {c: limits.source if c == source else limits.target for c in codes}
    texts = DemoTexts(
        pool=tuple(_at_most(pool, quota)),
        held_out=tuple(_at_most(held_out, dict.fromkeys(codes, limits.held_out))),
        source=source,
        targets=tuple(c for c in codes if c != source),
        labels=tuple(sorted({e.label for e in examples if e.label is not None})),
    )
    if not texts.targets:
        raise DataError(f"{path}: only {source!r} is there; the demo needs other languages too")
    return texts


def _codes(examples: Sequence[Example], wanted: Sequence[str], path: Path) -> list[str]:
    """The table's own codes for the languages wanted, in that order."""
    of_key = {normalise(e.lang): e.lang for e in examples}
    missing = [code for code in wanted if normalise(code) not in of_key]
    if missing:
        raise DataError(f"{path}: no text in {missing}; languages: {sorted(of_key.values())}")
    return [of_key[normalise(code)] for code in wanted]


def _split(
    examples: Sequence[Example], share: float, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """Hold out a share of the groups of every label, so that no label is missing on a side."""
    by_label: dict[str, set[str]] = defaultdict(set)
    for e in examples:
        by_label[str(e.label)].add(e.group_key)
    # A group that only the source has cannot compare languages: it stays in the pool.
    spread = Counter(key for key, _ in {(e.group_key, e.lang) for e in examples})
    widest = max(spread.values())
    held: set[str] = set()
    for label in sorted(by_label):
        keys = sorted(k for k in by_label[label] if spread[k] == widest or widest == 1)
        rng.shuffle(keys)
        held.update(keys[: round(len(keys) * share)])
    order = rng.permutation(len(examples))
    shuffled = [examples[i] for i in order]
    return (
        [e for e in shuffled if e.group_key not in held],
        [e for e in shuffled if e.group_key in held],
    )


def _at_most(examples: Iterable[Example], quota: dict[str, int]) -> list[Example]:
    left = dict(quota)
    kept: list[Example] = []
    for e in examples:
        if left[e.lang] > 0:
            left[e.lang] -= 1
            kept.append(e)
    return kept
