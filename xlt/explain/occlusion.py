"""Occlusion: what a label loses without each word (Zeiler, Fergus 2014, section 4.2).

It asks the model alone, so that it explains every kind of task that has labels.
"""

from __future__ import annotations

from dataclasses import replace

from xlt.data.examples import Example
from xlt.explain.explanation import (
    Explanation,
    check_kind,
    label_to_explain,
    log_odds,
    without,
    words_of,
)
from xlt.models.model import Model


def occluded(model: Model, example: Example, label: str | None = None) -> Explanation:
    """Explains a label by reading the example without each of its words.

    Args:
        model: The model.
        example: The example.
        label: One of the task's labels; None for the one that the model suggests.

    Raises:
        ConfigError: If there is no such label, or if the answers are no labels.
        DataError: If the example has no words or too many, or another number of texts than the
            model reads.
    """
    check_kind(model.task)
    words = words_of(example)
    suggestion = model.predict([example]).suggestions[0]
    name = label_to_explain(model.task, suggestion, label)
    others = model.predict([without(example, [word]) for word in words]).suggestions
    whole = log_odds(suggestion.probabilities[name])
    scores = [whole - log_odds(other.probabilities[name]) for other in others]
    return Explanation(
        example=example,
        suggestion=suggestion,
        label=name,
        words=tuple(replace(w, score=s) for w, s in zip(words, scores, strict=True)),
    )
