"""What would change an answer: words that suffice, and none that is not needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.xlt.explain.conftest import LABELLED, MIXED
from xlt.explain.changes import smallest_change
from xlt.explain.explanation import without
from xlt.explain.occlusion import occluded
from xlt.models.predictor import Predictor


def test_without_the_words_the_answer_is_another_and_each_is_needed(models):
    """On every labelled text for which there is a change; at least one has none or some."""
    model = Predictor.load(models["frozen"])
    found = 0
    for example in [*LABELLED, MIXED]:
        explained = occluded(model.task, model.suggestions, replace(example, answer=None))
        change = smallest_change(model.task, model.suggestions, explained)
        if change is None:
            continue
        found += 1
        left = model.predict([without(example, change.words)]).suggestions[0]
        assert left.answer == change.answer != explained.suggestion.answer
        assert left.confidence == pytest.approx(change.confidence, abs=1e-3)
        for word in change.words:
            fewer = [other for other in change.words if other != word]
            kept = model.predict([without(example, fewer)]).suggestions[0]
            assert kept.answer == explained.suggestion.answer
    assert found


def test_a_label_that_is_not_in_the_answer_has_no_change(models):
    """Deleting words for it would only keep it out."""
    model = Predictor.load(models["frozen"])
    answer = model.predict([MIXED]).suggestions[0].answer
    other = next(label for label in model.task.labels if label != answer)

    assert (
        smallest_change(
            model.task, model.suggestions, occluded(model.task, model.suggestions, MIXED, other)
        )
        is None
    )
