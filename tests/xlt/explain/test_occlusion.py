"""Occlusion: the model asked without each word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.xlt.explain.conftest import MIXED
from xlt.data.examples import Example
from xlt.errors import ConfigError, DataError
from xlt.explain.explanation import MOST_WORDS, without, words_of
from xlt.explain.occlusion import occluded
from xlt.models.predictor import Predictor


@pytest.mark.parametrize("name", ["frozen", "joint", "multi_label"])
def test_a_score_is_what_the_log_odds_lose_without_the_word(models, float32, name):
    """By the model alone, text by text."""
    model = Predictor.load(models[name])

    found = occluded(model.task, model.suggestions, MIXED, "sport")

    for word in found.words:
        text = MIXED.text[: word.start] + MIXED.text[word.end :]
        asked = [MIXED, replace(MIXED, texts=(text,))]
        p = [s.probabilities["sport"] for s in model.predict(asked).suggestions]
        odds = np.log(np.array(p) / (1 - np.array(p)))
        assert word.score == pytest.approx(odds[0] - odds[1], abs=1e-3)


def test_reasons_are_words_for_the_label_the_strongest_first(models):
    """Marks of punctuation alone are no reason."""
    model = Predictor.load(models["frozen"])
    found = occluded(model.task, model.suggestions, MIXED)

    scores = [word.score for word in found.reasons]
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert not {word.text for word in found.reasons} & {",", "."}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ba\u0301 zo!", ["Ba\u0301", "zo", "!"]),
        ("他去了。", ["他", "去", "了", "。"]),
        ("क्षमा 👍", ["क्षमा", "👍"]),
    ],
)
def test_words_are_what_people_see(text, words):
    """A letter keeps its marks; in scripts without spaces each character is a word."""
    example = Example(id="1", texts=("x", text))
    found = words_of(example)[1:]

    assert [word.text for word in found] == words
    assert {word.number for word in found} == {1}
    assert without(example, found).texts[1].strip() == ""


def test_signs_may_be_reasons_but_marks_of_punctuation_are_not():
    """A thumb says something; a full stop is what it is in all texts."""
    words = words_of(Example(id="1", texts=("ok 👍 5 $ ... “",)))

    assert [word.text for word in words if word.is_named] == ["ok", "👍", "5", "$"]


def test_texts_without_words_or_with_too_many_are_refused(models):
    """Time grows with the words; the message says how many there are."""
    model = Predictor.load(models["frozen"])
    with pytest.raises(DataError, match="'1' has no words"):
        occluded(model.task, model.suggestions, Example(id="1", texts=(" \n",)))
    with pytest.raises(DataError, match=f"'2' has 513 words; at most {MOST_WORDS}"):
        occluded(model.task, model.suggestions, Example(id="2", texts=("go " * 513,)))


def test_a_label_of_another_task_is_refused(models):
    """With the labels that there are."""
    model = Predictor.load(models["frozen"])
    with pytest.raises(ConfigError, match="no label 'tax': expected one of law, sport"):
        occluded(model.task, model.suggestions, MIXED, "tax")
