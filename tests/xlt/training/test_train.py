"""Trainings on texts that belong together, by every learner."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.xlt.training.test_loop import TEXTS
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import embed
from xlt.encoder.pooling import combine
from xlt.errors import DataError
from xlt.models.predictor import Predictor
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

TASK = SingleLabel(labels=("same", "other"))
BY_TEXT = {text: topic for topic, texts in TEXTS.items() for text in texts}


def pair(id: str, *texts: str) -> Example:
    """Texts, with whether they are about the same topic."""
    answer = "same" if len({BY_TEXT[text] for text in texts}) == 1 else "other"
    return Example(id=id, texts=texts, lang="en", answer=answer)


PAIRS = [pair(f"{n}", *texts) for n, texts in enumerate(product(BY_TEXT, repeat=2))]
LABELLED, HELD_OUT = PAIRS[::2], PAIRS[1::7]
POOL = [replace(example, answer=None) for example in PAIRS[1:6]]

LEARNERS = {
    "frozen": {"learner": "frozen"},
    "joint": {
        "body_learning_rate": 5e-3,
        "head_learning_rate": 5e-3,
        "epochs": 8.0,
        "unlabelled_rows": 2,
        "mlm_weight": 0.1,
    },
}


@pytest.fixture(params=LEARNERS)
def config(request: pytest.FixtureRequest, tiny_encoder: Path) -> TrainConfig:
    """Settings of each learner."""
    settings = {"encoder": str(tiny_encoder), "precision": "fp32", **LEARNERS[request.param]}
    return TrainConfig.from_mapping(settings)


def test_what_two_texts_share_is_learned(config: TrainConfig, tmp_path: Path) -> None:
    """Every topic is as often in either place, so that no text alone tells the answer."""
    result = train(LABELLED, POOL, TASK, config, tmp_path / "out", held_out=HELD_OUT)

    assert result.train_accuracy >= 0.9
    predictor = Predictor.load(tmp_path / "out")
    assert predictor.texts == 2
    found = predictor.predict(PAIRS)
    right = [s.answer == e.answer for s, e in zip(found.suggestions, PAIRS, strict=True)]
    assert np.mean(right) >= 0.7
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| texts of an example | 2 |" in card
    assert 'texts=("Some text.", "Another text.")' in card


def test_scores_do_not_depend_on_what_else_is_read(config: TrainConfig, tmp_path: Path) -> None:
    """Each distinct text is read once; row i is example i, as if it were alone."""
    train(LABELLED, POOL, TASK, config, tmp_path / "out")
    predictor = Predictor.load(tmp_path / "out")
    done: list[tuple[int, int]] = []
    together = predictor.score(PAIRS, batch_tokens=64, progress=lambda *at: done.append(at))

    assert together.outputs.values.shape == (64, 2)
    assert together.vectors.shape[0] == 64
    for row in (0, 9, 63):
        alone = predictor.score([PAIRS[row]])
        np.testing.assert_allclose(together.vectors[row], alone.vectors[0], atol=0.02)
        np.testing.assert_allclose(together.outputs.values[row], alone.outputs.values[0], atol=0.1)
    assert done[-1] == (64, 64)
    assert len(predictor.score([])) == 0


def test_vectors_are_those_of_the_texts_together(config: TrainConfig, tmp_path: Path) -> None:
    """Those of the model's own body: of a frozen model, of its encoder."""
    train(LABELLED, POOL, TASK, config, tmp_path / "out")
    texts = [text for example in PAIRS[:5] for text in example.texts]
    each = embed(texts, encoder=str(tmp_path / "out"), precision="fp32")

    vectors = Predictor.load(tmp_path / "out").score(PAIRS[:5]).vectors

    expected = combine(torch.from_numpy(each).view(5, 2, -1)).numpy()
    np.testing.assert_allclose(vectors, expected, atol=0.02)


@pytest.mark.parametrize("part", ["labelled", "unlabelled", "held_out"])
def test_examples_with_different_numbers_of_texts(
    config: TrainConfig, tmp_path: Path, part: str
) -> None:
    """They are refused before the work, with both examples."""
    odd = Example(id="odd", texts=("a vote in the state",), lang="en", answer="same")
    parts = {"labelled": LABELLED, "unlabelled": POOL, "held_out": HELD_OUT}
    parts[part] = [*parts[part], odd]
    with pytest.raises(DataError, match="2 texts in every example, as in '0', got 1 in 'odd'"):
        train(
            parts["labelled"],
            parts["unlabelled"],
            TASK,
            config,
            tmp_path / "out",
            held_out=parts["held_out"],
        )


def test_the_same_training_twice(config: TrainConfig, tmp_path: Path) -> None:
    """Pairs change nothing about it: the same seed gives the same outputs."""
    outputs = []
    for name in ("one", "two"):
        train(LABELLED, POOL, TASK, config, tmp_path / name)
        outputs.append(Predictor.load(tmp_path / name).score(PAIRS).outputs.values)
    np.testing.assert_array_equal(*outputs)
