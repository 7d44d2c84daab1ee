"""Occlusion: what a label loses without each word (Zeiler, Fergus 2014, section 4.2).

It asks the model alone, so that it explains every kind of task that has labels.
"""

from __future__ import annotations

from dataclasses import replace

from xlt.data.examples import Example
from xlt.explain.explanation import (
    Explanation,
    Suggest,
    check_kind,
    label_to_explain,
    log_odds,
    without,
    words_of,
)
from xlt.tasks.task import AnyTask


def occluded(
    task: AnyTask, suggest: Suggest, example: Example, label: str | None = None
) -> Explanation:
    """Explains a label by reading the example without each of its words.

    Args:
        task: Task of the model.
        suggest: The model; it is asked twice.
        example: The example.
        label: One of the task's labels; None for the one that the model suggests.

    Raises:
        ConfigError: If there is no such label, or if the answers are no labels.
        DataError: If the example has no words or too many, or another number of texts than the
            model reads.
    """
    check_kind(task)
    words = words_of(example)
    suggestion = suggest([example])[0]
    name = label_to_explain(task, suggestion, label)
    others = suggest([without(example, [word]) for word in words])
    whole = log_odds(suggestion.probabilities[name])
    scores = [whole - log_odds(other.probabilities[name]) for other in others]
    return Explanation(
        example=example,
        suggestion=suggestion,
        label=name,
        words=tuple(replace(w, score=s) for w, s in zip(words, scores, strict=True)),
    )
