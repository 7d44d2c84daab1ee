"""Several controls of one interface are learned together, by every learner."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.xlt.training.test_loop import LABELLED as TOPICS
from tests.xlt.training.test_loop import POOL
from tests.xlt.training.test_train import LEARNERS
from xlt.config import TrainConfig
from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.models.predictor import Predictor
from xlt.tasks.kinds import KINDS
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.parts import Part
from xlt.training.train import train

LABELS = tuple(dict.fromkeys(str(example.answer) for example in TOPICS))
TASK = MultiTask(
    parts=(
        Part(name="topic", task=KINDS["single_label"].task(LABELS)),
        Part(name="stars", task=KINDS["rating"].task(["3"])),
        Part(name="tags", task=KINDS["multi_label"].task(["known", "new"])),
    )
)


def answered(example: Example, **given: Hashable) -> Example:
    """The example with answers by control."""
    return replace(example, answer=ByControl.of(given))


def everything(example: Example) -> Example:
    """The example with an answer to each control; topic decides all of them."""
    first = example.answer == LABELS[0]
    return answered(
        example,
        topic=example.answer,
        stars=3 if first else 1,
        tags=("known",) if first else ("known", "new"),
    )


@pytest.fixture(params=LEARNERS)
def config(request: pytest.FixtureRequest, tiny_encoder: Path) -> TrainConfig:
    """Settings of each learner."""
    settings = {"encoder": str(tiny_encoder), "precision": "fp32", **LEARNERS[request.param]}
    return TrainConfig.from_mapping(settings)


def test_all_controls_are_learned_in_one_training(config: TrainConfig, tmp_path: Path) -> None:
    """The stored model suggests an answer to each, calibrated on held-out examples."""
    examples = [everything(example) for example in TOPICS]
    result = train(examples, POOL, TASK, config, tmp_path / "out", held_out=examples[:2])
    predictor = Predictor.load(tmp_path / "out")
    found = predictor.predict(examples).suggestions

    assert predictor.task == TASK
    assert set(predictor.calibration.parts) == {"topic", "stars", "tags"}
    assert [one.answer for one in found] == [example.answer for example in examples]
    assert result.train_accuracy > 0.9
    assert result.held_out is not None
    again = predictor.predict(examples[:2]).beliefs.values
    assert result.held_out.beliefs.values == pytest.approx(again, abs=1e-5)


def test_a_control_that_nobody_filled_in_is_missing(config: TrainConfig, tmp_path: Path) -> None:
    """Half of the texts have one answer, half the other: all get both."""
    examples = [
        answered(example, topic=example.answer)
        if number % 4 < 2
        else answered(example, stars=3 if example.answer == LABELS[0] else 1)
        for number, example in enumerate(TOPICS)
    ]
    train(examples, POOL, TASK, config, tmp_path / "out")
    found = Predictor.load(tmp_path / "out").predict(examples).suggestions

    for example, one in zip(examples, found, strict=True):
        assert {name for name, _ in one.answer} == {"topic", "stars"}
        assert dict(example.answer.items).items() <= dict(one.answer.items).items()
        assert all(one.probabilities[f"tags: {label}"] == 0 for label in ("known", "new"))


def test_a_control_with_too_few_answers_waits(config: TrainConfig, tmp_path: Path) -> None:
    """All stars are 2 so far, which teaches nothing: the others are learned."""
    examples = [answered(e, topic=e.answer, stars=2) for e in TOPICS]
    train(examples, POOL, TASK, config, tmp_path / "out")
    found = Predictor.load(tmp_path / "out").predict(examples).suggestions

    assert [one.answer for one in found] == [ByControl.of({"topic": e.answer}) for e in TOPICS]


def test_a_control_learns_as_it_does_alone(tiny_encoder: Path, tmp_path: Path) -> None:
    """A frozen model of two controls gives what the models of each give."""
    config = TrainConfig(encoder=str(tiny_encoder), learner="frozen", precision="fp32")
    several = [everything(example) for example in TOPICS]
    train(several, POOL, TASK, config, tmp_path / "several")
    together = Predictor.load(tmp_path / "several").score(several).outputs.values
    start = 0
    for part in TASK.parts:
        own = [replace(e, answer=e.answer.get(part.name)) for e in several]
        train(own, POOL, part.task, config, tmp_path / part.name)
        alone = Predictor.load(tmp_path / part.name).score(own).outputs.values
        np.testing.assert_allclose(
            together[:, start : start + part.task.width], alone, rtol=1e-5, atol=1e-5
        )
        start += part.task.width
