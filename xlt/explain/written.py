"""Explanations as JSON-ready values; places are counted in code points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlt.explain.changes import Change
from xlt.explain.explanation import Completeness, Explanation, Word
from xlt.explain.neighbours import Neighbour
from xlt.tasks.task import AnyTask


def as_json(
    task: AnyTask,
    found: Explanation,
    change: Change | None,
    neighbours: Sequence[Neighbour] = (),
    *,
    method: str = "occlusion",
) -> dict[str, Any]:
    """Returns an explanation as JSON-ready values.

    Args:
        task: Task of the labels.
        found: The explanation.
        change: Words that would change the answer; None if there are none.
        neighbours: Labelled examples like it.
        method: Name of the method that gave the scores.
    """
    example = found.example
    row: dict[str, Any] = {
        "id": example.id,
        "lang": example.lang,
        "texts": list(example.texts),
        "answer": task.plain(found.suggestion.answer),
        "label": found.label,
        "probability": round(found.probability, 4),
        "method": method,
        "words": [_word(word) | {"score": round(word.score, 4)} for word in found.words],
        "change": None if change is None else _change(task, change),
        "nearest": [_neighbour(task, near) for near in neighbours],
    }
    if found.completeness is not None:
        row["completeness"] = _sums(found.completeness)
    return row


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "number": word.number, "start": word.start, "end": word.end}


def _change(task: AnyTask, change: Change) -> dict[str, Any]:
    return {
        "words": [_word(word) for word in change.words],
        "answer": task.plain(change.answer),
        "confidence": round(change.confidence, 4),
    }


def _neighbour(task: AnyTask, near: Neighbour) -> dict[str, Any]:
    return {
        "id": near.example.id,
        "lang": near.example.lang,
        "texts": list(near.example.texts),
        "answer": task.plain(near.example.answer),
        "similarity": round(near.similarity, 4),
    }


def _sums(sums: Completeness) -> dict[str, Any]:
    return {
        "score": round(sums.score, 4),
        "baseline": round(sums.baseline, 4),
        "attributed": round(sums.attributed, 4),
        "gap": round(sums.gap, 4),
        "is_complete": sums.is_complete,
        "steps": sums.steps,
    }
