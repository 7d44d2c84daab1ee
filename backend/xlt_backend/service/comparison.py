"""Comparison of two versions: per language, per label, and the tasks that they answer otherwise."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.store.versions import ProjectStore
from xlt.tasks.calibration import Calibration
from xlt.tasks.metrics import score
from xlt.tasks.predictions import interpret
from xlt.tasks.task import AnyTask
from xlt_backend.rounds.known import EXAMPLES, task_of
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.folder import read_json
from xlt_backend.trainer.scorecache import Cached

#: Largest number of tasks that a comparison lists.
LISTED = 200

_NO_AUDIT = (
    "no audit label was answered by both: their labels differ, or one was saved before xlt kept "
    "these answers"
)
_NO_SCORES = (
    "the scores of both versions are not on this machine: only answers to audit tasks are compared"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Results of two versions on the same audit labels.

    Attributes:
        name: The language or the label.
        n: Number of audit labels.
        one: Scores of the one version: `correct`, `accuracy`, 95 % Wilson interval `low`, `high`.
        other: The same of the other version.
        lost: Number of answers with more credit from the one.
        won: Number of answers with more credit from the other.
    """

    name: str
    n: int
    one: Mapping[str, float]
    other: Mapping[str, float]
    lost: int
    won: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A task that two versions answer otherwise.

    Attributes:
        task: Label Studio's id.
        lang: Its language.
        one: Answer of the one version, for people.
        other: Answer of the other version, for people.
        truth: The audit label, for people; empty for tasks without one.
    """

    task: str
    lang: str
    one: str
    other: str
    truth: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The comparison of two versions.

    Attributes:
        one: The one version.
        other: The other version.
        languages: Results by language, on audit labels that both have answered.
        labels: Results by label of the audit answers.
        compared: Number of tasks whose answers are compared.
        comparable: Number of tasks that both have answered; more than `compared` if some are drawn.
        changed: Number of those with other answers.
        tasks: The first of these.
        source: What the answers are of: `tasks` with kept scores, or `audit` labels.
        note: What could not be compared, and why; empty if all was.
    """

    one: str
    other: str
    languages: tuple[Pair, ...]
    labels: tuple[Pair, ...]
    compared: int
    comparable: int
    changed: int
    tasks: tuple[Difference, ...]
    source: str
    note: str = ""


def compare(
    versions: ProjectStore, one: str, other: str, scores: Path | None, *, most: int | None = None
) -> Comparison:
    """Compares two versions on the audit labels that both answered, and on tasks with scores.

    Args:
        versions: The project's versions.
        one: A version.
        other: Another version.
        scores: Folder with the scores that the worker keeps; None if there is none here.
        most: Largest number of tasks to compare, drawn at random; None for all.

    Raises:
        NoVersionError: If one does not exist.
        CorruptVersionError: If one is damaged.
    """
    first, second = (_answered(versions, name) for name in (one, other))
    task = second.task or first.task
    common = _common(first, second)
    notes = []
    if not common:
        notes.append(_NO_AUDIT)
    rows = [] if task is None else [_row(task, first, second, name) for name in common]
    found = None if scores is None else _of_tasks(first, second, scores, most)
    if found is None:
        notes.append(_NO_SCORES)
    compared, comparable, changed = found or (len(rows), len(rows), _of_audit(task, rows))
    return Comparison(
        one=one,
        other=other,
        languages=_pairs(task, rows, lambda row: [normalise(row.lang)]),
        labels=_pairs(task, rows, lambda row: _labels(task, row.truth)),
        compared=compared,
        comparable=comparable,
        changed=len(changed),
        tasks=tuple(changed[:LISTED]),
        source="audit" if found is None else "tasks",
        note="; ".join(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """A version with its answers to audit tasks, by id."""

    name: str
    folder: Path
    task: AnyTask | None
    audit: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An audit label, and the answers of the two versions."""

    id: str
    lang: str
    truth: Hashable
    one: Hashable
    other: Hashable


def _answered(versions: ProjectStore, name: str) -> _Answered:
    folder, meta = versions.open(name), versions.meta(name)
    stored = read_json(folder / EXAMPLES)
    audit = {k: v for k, v in stored.items() if isinstance(v, dict) and "said" in v}
    return _Answered(name=name, folder=folder, task=task_of(meta), audit=audit)


def _common(first: _Answered, second: _Answered) -> list[str]:
    """Returns the ids of audit tasks with the same text that both answered."""
    if first.task != second.task:
        return []
    return [
        name
        for name, label in second.audit.items()
        if name in first.audit and first.audit[name]["digest"] == label["digest"]
    ]


def _row(task: AnyTask, first: _Answered, second: _Answered, name: str) -> _Row:
    """Reads an audit label; the newer record of the right answer counts.

    Raises:
        DataError: If an answer is not of the task.
    """
    before, after = first.audit[name], second.audit[name]
    newer = before if first.name > second.name else after
    return _Row(
        id=name,
        lang=str(after["lang"]),
        truth=task.read(newer["answer"]),
        one=task.read(before["said"]),
        other=task.read(after["said"]),
    )


def _labels(task: AnyTask | None, answer: Hashable) -> list[str]:
    return [] if task is None else [label for label, has in task.decisions(answer) if has]


def _pairs(
    task: AnyTask | None, rows: Sequence[_Row], names: Callable[[_Row], Sequence[str]]
) -> tuple[Pair, ...]:
    """Judges both versions on the rows of each name."""
    if task is None:
        return ()
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        for name in names(row):
            groups.setdefault(name, []).append(row)
    pairs = []
    for name, own in sorted(groups.items()):
        truth = [row.truth for row in own]
        said = [[row.one for row in own], [row.other for row in own]]
        first, second = (task.credit(truth, answers) for answers in said)
        one, other = (score(task, truth, answers).to_json() for answers in said)
        pairs.append(
            Pair(
                name=name,
                n=len(own),
                one=one,
                other=other,
                lost=int((first > second).sum()),
                won=int((second > first).sum()),
            )
        )
    return tuple(pairs)


def _of_audit(task: AnyTask | None, rows: Sequence[_Row]) -> list[Difference]:
    if task is None:
        return []
    return [
        Difference(
            task=row.id,
            lang=row.lang,
            one=task.describe(row.one),
            other=task.describe(row.other),
            truth=task.describe(row.truth),
        )
        for row in rows
        if row.one != row.other
    ]


def _of_tasks(
    first: _Answered, second: _Answered, folder: Path, most: int | None
) -> tuple[int, int, list[Difference]] | None:
    """Compares answers to the tasks whose scores by both versions are kept; None if none are.

    Returns:
        The number of tasks that are compared, the number that could be, and the differences.
    """
    kept = [
        scorecache.load(folder / scorecache.file_of(each.name), vectors=False)
        for each in (first, second)
    ]
    rows = _same_texts(*kept)
    comparable = len(rows[0])
    if comparable == 0 or first.task is None or second.task is None:
        return None
    if most is not None and comparable > most:
        drawn = np.sort(np.random.default_rng(0).choice(comparable, most, replace=False))
        rows = (rows[0][drawn], rows[1][drawn])
    ids, langs = kept[1].tasks[rows[1]].tolist(), kept[1].langs[rows[1]].tolist()
    answers = [
        _answers(version, each, own, langs)
        for version, each, own in zip((first, second), kept, rows, strict=True)
    ]
    changed = [
        Difference(task=id, lang=lang, one=one, other=other)
        for id, lang, one, other in zip(ids, langs, *answers, strict=True)
        if one != other
    ]
    return len(ids), comparable, changed


def _same_texts(one: Cached, other: Cached) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the rows of the texts that both have, in the same order, without unnamed tasks."""
    _, first, second = np.intersect1d(one.keys, other.keys, return_indices=True)
    order = np.argsort(second)
    first, second = first[order], second[order]
    named = other.tasks[second] != ""
    return first[named], second[named]


def _answers(
    version: _Answered, kept: Cached, rows: NDArray[np.intp], langs: Sequence[str]
) -> list[str]:
    """Returns a version's answers, for people."""
    task = version.task
    assert task is not None, "versions of kinds that this xlt does not know are not compared"
    scores = kept.scores.take(rows)
    found = interpret(task, scores, langs, Calibration.load(version.folder))
    return [task.describe(suggestion.answer) for suggestion in found.suggestions]
