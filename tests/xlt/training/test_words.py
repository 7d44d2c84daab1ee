"""Heads that read words, trained: on a frozen encoder, by the joint loss, on long texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import save_tiny_encoder
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.spans import Span
from xlt.models.predictor import Predictor
from xlt.tasks.spans.kind import KIND
from xlt.training.train import train

TASK = KIND.task(("team",))


def examples(count: int, *, words: int = 4) -> list[Example]:
    """Texts with a name in upper letters somewhere."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        parts = rng.choice(["the", "team", "won", "law", "a"], size=words).tolist()
        at = int(rng.integers(words))
        parts[at] = "Team"
        start = sum(len(part) + 1 for part in parts[:at])
        answer = (Span(start, start + 4, "team"),)
        made.append(Example(id=str(number), texts=(" ".join(parts),), lang="en", answer=answer))
    return made


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random encoder of 42 positions."""
    return str(save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "bert"))


@pytest.mark.parametrize("learner", ["frozen", "joint"])
def test_spans_are_learned_saved_and_predicted(learner: str, encoder: str, tmp_path: Path) -> None:
    """Of texts that were not seen, by the shape of words; calibrated on held-out texts."""
    config = TrainConfig(encoder=encoder, learner="frozen")
    if learner == "joint":
        config = TrainConfig(encoder=encoder, learner="joint", epochs=2, mlm_weight=0.0)
    given = examples(60)
    result = train(given[:40], [], TASK, config, tmp_path / "model", held_out=given[40:50])
    assert result.train_accuracy == 1.0
    assert result.held_out is not None
    predictor = Predictor.load(tmp_path / "model")
    assert set(predictor.calibration.temperatures) == {"eng"}
    predictions = predictor.predict(given[50:])
    assert [s.answer for s in predictions.suggestions] == [e.answer for e in given[50:]]
    assert predictions.scores.vectors.shape == (10, 16)


def test_a_long_text_is_read_to_its_end(encoder: str, tmp_path: Path) -> None:
    """In windows: a name behind the longest input is learned and found."""
    config = TrainConfig(encoder=encoder, learner="frozen", max_length=16)
    given = examples(30, words=60)
    train(given[:25], [], TASK, config, tmp_path / "model")
    predictor = Predictor.load(tmp_path / "model")
    seen: list[tuple[int, int]] = []
    predictions = predictor.predict(given[25:], progress=lambda *at: seen.append(at))
    assert [s.answer for s in predictions.suggestions] == [e.answer for e in given[25:]]
    assert len(predictions.scores.outputs.values) == 5 * 60
    assert seen[-1] == (5, 5)
    assert predictor.predict([]).suggestions == []


def test_a_language_without_labels_gets_more_spans(encoder: str, tmp_path: Path) -> None:
    """Once a calibration says which languages have labels; before, all are alike."""
    given = examples(40)
    train(given[:30], [], TASK, TrainConfig(encoder=encoder, learner="frozen"), tmp_path / "model")
    scores = Predictor.load(tmp_path / "model").score(given[30:])
    fitted = TASK.fit(scores.outputs, [e.answer for e in given[30:]], ["en"] * 10)
    outside = [
        TASK.beliefs(scores.outputs, [lang] * 10, replace(fitted, pooled=p)).values[:, 0]
        for lang, p in (("en", 1.0), ("ha", fitted.temperatures["eng"]))
    ]
    assert (outside[1] <= outside[0]).all()
    assert (outside[1] < outside[0]).any()
