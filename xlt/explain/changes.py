"""Words without which a model answers otherwise (Martens, Provost 2014, "SEDC")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xlt.explain.explanation import Explanation, Suggest, Word, without
from xlt.tasks.task import AnyTask

#: Largest number of words that are deleted.
MOST_WORDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Words without which a label is no longer in the answer, or comes into it.

    Attributes:
        words: The words, in their order.
        answer: The answer to the example without them.
        confidence: Its expected credit, in [0, 1].
    """

    words: tuple[Word, ...]
    answer: Any
    confidence: float


def smallest_change(
    task: AnyTask, suggest: Suggest, explained: Explanation, most: int = MOST_WORDS
) -> Change | None:
    """Finds few words whose deletion takes the explained label out of the answer.

    The words that are most for the label are deleted one after another until the answer is
    another; then each that is not needed, the weakest first, is put back. The set need not be the
    smallest of all.

    Args:
        task: Task of the model.
        suggest: The model.
        explained: The label and the scores of words.
        most: Largest number of words that are deleted, at least 1.

    Returns:
        None if the label is not in the answer, or stays in it without all these words.
    """
    example = explained.example
    if not _has(task, explained.suggestion.answer, explained.label):
        return None
    reasons = explained.reasons[:most]
    ever_more = [list(reasons[: count + 1]) for count in range(len(reasons))]
    answers = suggest([without(example, words) for words in ever_more])
    changed = [not _has(task, found.answer, explained.label) for found in answers]
    if not any(changed):
        return None
    first = changed.index(True)
    words, found = ever_more[first], answers[first]
    for word in reversed(words[:-1]):  # the last one was needed
        fewer = [each for each in words if each != word]
        other = suggest([without(example, fewer)])[0]
        if not _has(task, other.answer, explained.label):
            words, found = fewer, other
    return Change(
        words=tuple(sorted(words, key=lambda word: (word.number, word.start))),
        answer=found.answer,
        confidence=found.confidence,
    )


def _has(task: AnyTask, answer: Any, label: str) -> bool:  # noqa: ANN401 - an answer of any kind
    """Returns whether a label is one of those that an answer has."""
    return (label, True) in task.decisions(answer)
