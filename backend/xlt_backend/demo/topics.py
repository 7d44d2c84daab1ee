"""Texts of the demo: a pool to annotate, and held-out texts to measure on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlt.cli.arguments import read_table
from xlt.data.examples import Example
from xlt.data.languages import languages_named, listed, spellings
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS, infer_task, read_answers
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.task import AnyTask

#: The texts that ship with xlt; see the README in their folder.
SHIPPED = Path(__file__).parent / "texts" / "topics.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on the number of texts that the demo uses.

    Attributes:
        source: Largest number of source-language texts in the pool.
        target: Largest number of texts of each other language in the pool.
        held_out: Largest number of held-out texts of each language.
        held_out_share: Share of the groups that is held out, in (0, 1).
    """

    source: int = 400
    target: int = 160
    held_out: int = 100
    held_out_share: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTexts:
    """A pool to annotate and held-out texts; no group is in both.

    Attributes:
        pool: Labelled examples in random order; only the scripted annotator reads their labels.
        held_out: Labelled examples that never reach Label Studio.
        source: Code of the high-resource language.
        targets: Codes of all other languages, sorted.
        task: What annotators decide.
        lines: Lines for users: which columns were read, what was left out.
    """

    pool: tuple[Example, ...]
    held_out: tuple[Example, ...]
    source: str
    targets: tuple[str, ...]
    task: AnyTask
    lines: tuple[str, ...] = ()


def load(
    path: Path,
    columns: Mapping[str, str | None],
    *,
    source: str,
    languages: Sequence[str] | None,
    kind: str | None = None,
    limits: Limits,
    rng: np.random.Generator,
) -> DemoTexts:
    """Reads a labelled table and splits it into pool and held-out texts.

    Args:
        path: Any table or export that commands on files read, with texts and labels.
        columns: Field -> column; None to find it by its usual names, empty for no column.
        source: Code of the high-resource language, in any form that normalises to the table's.
        languages: Codes of the languages to use; None for all.
        kind: Kind of task to make of texts that have one label each; None: as the labels are.
        limits: Limits on the number of texts.
        rng: Generator for the split and the order.

    Raises:
        DataError: If the table has no labels, lacks a language or leaves nothing to annotate, or if
            no task of the kind can be made of it.
    """
    corpus = read_table(str(path), columns)
    corpus.check_groups()
    called = spellings(e.lang for e in corpus.labelled)
    examples = [replace(e, lang=called[e.lang]) for e in corpus.labelled]
    codes = _codes_in_table(examples, [source, *(languages or [])], path)
    source = codes[0]
    if languages:
        examples = [e for e in examples if e.lang in codes]
    codes = sorted({e.lang for e in examples})
    if codes == [source]:
        raise DataError(f"{path}: all texts are in {source!r}; the demo needs other languages too")
    task = infer_task(examples)
    examples = read_answers(examples, task)
    if kind is not None and task.kind != kind:
        if task.kind != SingleLabel.kind or any(len(e.texts) > 1 for e in examples):
            raise DataError(
                f"{path}: tasks of the kind {kind} are made of single texts with one label each, "
                "which this table does not have: leave out --kind"
            )
        examples = KINDS[kind].demonstrate(examples, rng)
        task = infer_task(examples)
    pool, held_out = _split(examples, task, limits.held_out_share, rng)
    quota = {c: limits.source if c == source else limits.target for c in codes}
    return DemoTexts(
        pool=tuple(_at_most(pool, quota)),
        held_out=tuple(_at_most(held_out, dict.fromkeys(codes, limits.held_out))),
        source=source,
        targets=tuple(c for c in codes if c != source),
        task=task,
        lines=tuple(corpus.lines),
    )


def _codes_in_table(examples: Sequence[Example], wanted: Sequence[str], path: Path) -> list[str]:
    """Returns the table's own codes for the wanted languages, in the same order."""
    texts = Counter(e.lang for e in examples)
    found = [languages_named(name, texts) for name in wanted]
    if not all(found):
        missing = wanted[found.index(())]
        raise DataError(f"{path}: no text is in {missing[:60]!r}; texts are in {listed(texts)}")
    return [code for codes in found for code in codes]


def _split(
    examples: Sequence[Example], task: AnyTask, share: float, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """Holds out a share of the groups with the same labels, so that both parts have them all."""
    by_answer: dict[str, set[str]] = defaultdict(set)
    for e in examples:
        has = [label for label, is_in in task.decisions(e.answer) if is_in]
        by_answer[str(has)].add(e.group_key)
    # A group without texts in all languages cannot compare them: it stays in the pool.
    spread = Counter(key for key, _ in {(e.group_key, e.lang) for e in examples})
    widest = max(spread.values())
    held: set[str] = set()
    for answer in sorted(by_answer):
        keys = sorted(k for k in by_answer[answer] if spread[k] == widest or widest == 1)
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
    limited: list[Example] = []
    for e in examples:
        if left[e.lang] > 0:
            left[e.lang] -= 1
            limited.append(e)
    return limited
