"""Prediction: n in, n out, in order, from several threads, and only from whole models."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.errors import DataError, EncoderError
from xlt.models.predictor import Predictor
from xlt.sampling.uncertainty import entropy
from xlt.tasks.calibration import Calibration
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

TASK = SingleLabel(labels=("sport", "politics", "tax"))
TEXTS = ["the ball", "a good game of the team won", "law", "", "vote and tax in the state " * 30]
EXAMPLES = [Example(id=f"t{i}", texts=(text,), lang="en") for i, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model."""
    out = tmp_path_factory.mktemp("model") / "v1"
    examples = [
        Example(id=str(i), texts=(text,), answer=TASK.labels[i % 3])
        for i, text in enumerate(["the team won", "a vote", "tax law"] * 2)
    ]
    config = TrainConfig(encoder=str(tiny_encoder), epochs=1.0, min_steps=0, precision="fp32")
    train(examples, [], TASK, config, out)
    return out


def test_n_texts_give_n_rows_in_order(folder):
    """Sorted and batched inside; outside, row i is text i, as if it were alone."""
    predictor = Predictor.load(folder)
    done = []

    together = predictor.score(
        EXAMPLES * 20, batch_tokens=64, progress=lambda n, total: done.append((n, total))
    )

    logits = together.outputs.values
    assert logits.shape == (100, 3)
    assert together.vectors.shape == (100, 16)
    assert logits.dtype == together.vectors.dtype == np.float32
    for i, example in enumerate(EXAMPLES):
        alone = predictor.score([example])
        np.testing.assert_allclose(logits[i], alone.outputs.values[0], atol=0.05)
        np.testing.assert_allclose(together.vectors[i], alone.vectors[0], atol=0.05)
    assert done[-1] == (100, 100)
    assert [n for n, _ in done] == sorted(n for n, _ in done)


def test_no_text_gives_no_row(folder):
    """An empty pool is scored, not refused."""
    predictor = Predictor.load(folder)
    scores = predictor.score([])

    assert (scores.outputs.values.shape, scores.vectors.shape) == ((0, 3), (0, 16))
    assert predictor.predict([]).suggestions == []


def test_threads_share_a_predictor(folder):
    """Concurrent requests get what they would get alone."""
    predictor = Predictor.load(folder, threads=1)
    assert predictor.task == TASK
    expected = predictor.score(EXAMPLES)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: predictor.score(EXAMPLES), range(40)))

    for scores in results:
        np.testing.assert_array_equal(scores.outputs.values, expected.outputs.values)
        np.testing.assert_array_equal(scores.vectors, expected.vectors)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "task.json").unlink(),
        lambda f: (f / "task.json").write_text("{"),
        lambda f: (f / "task.json").write_text(json.dumps({"kind": "rank", "labels": ["a", "b"]})),
        lambda f: (f / "task.json").write_text(
            json.dumps({"kind": "single_label", "labels": ["a", "b"]})
        ),
        lambda f: (f / "config.toml").unlink(),
        lambda f: (f / "model.safetensors").write_bytes(b"x" * 100),
        lambda f: (f / "model.safetensors").unlink(),
        lambda f: (f / "tokenizer.json").write_text("[]"),
        lambda f: (f / "tokenizer.json").write_text("{"),
        shutil.rmtree,
    ],
    ids=[
        "no task", "cut task", "kind", "labels", "no config", "weights", "no weights", "tokenizer",
        "cut tokenizer", "nothing",
    ],
)  # fmt: skip
def test_half_a_model_is_an_error_never_a_fall_back(folder, tmp_path, damage):
    """Whatever is missing or damaged, no base model steps in."""
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    damage(copy)

    with pytest.raises(EncoderError):
        Predictor.load(copy)


def test_a_prediction_is_the_tasks_reading_of_the_calibrated_scores(folder, tmp_path):
    """The calibration beside the model makes the beliefs; language by language."""
    calibrated = tmp_path / "calibrated"
    shutil.copytree(folder, calibrated)
    Calibration(temperatures={"eng": 4.0}, pooled=0.5).save(calibrated)
    examples = [*EXAMPLES, replace(EXAMPLES[0], lang="ha")]

    found = Predictor.load(calibrated).predict(examples, measure="entropy")

    logits = found.scores.outputs.values.astype(np.float64)
    expected = softmax(logits / np.array([4.0] * 5 + [0.5])[:, None], axis=1)
    np.testing.assert_allclose(found.beliefs.values, expected)
    np.testing.assert_allclose(found.uncertainty, entropy(expected))
    best = [TASK.labels[i] for i in expected.argmax(axis=1)]
    assert [suggestion.answer for suggestion in found.suggestions] == best
    assert [s.confidence for s in found.suggestions] == pytest.approx(expected.max(axis=1))
    plain = Predictor.load(folder).predict(examples)
    np.testing.assert_allclose(plain.beliefs.values, softmax(logits, axis=1), atol=1e-6)


@pytest.mark.parametrize("texts", [("the ball", "law"), ("the ball", "law", "a vote")])
def test_another_number_of_texts_is_refused(folder, texts):
    """The message names the example; a model knows how many it was trained on."""
    predictor = Predictor.load(folder)
    assert predictor.texts == 1
    with pytest.raises(DataError, match=f"'7' has {len(texts)} texts; the model reads 1"):
        predictor.score([EXAMPLES[0], Example(id="7", texts=texts)])


@pytest.mark.parametrize("count", [0, 4, "2", True])
def test_a_damaged_number_of_texts_is_an_error(folder, tmp_path, count):
    """As any other damage of a model."""
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    value = json.loads((copy / "task.json").read_text())
    (copy / "task.json").write_text(json.dumps(value | {"texts": count}))

    with pytest.raises(EncoderError, match="no complete model"):
        Predictor.load(copy)


def test_a_calibration_that_cannot_be_read_is_an_error(folder, tmp_path):
    """Never a model that is silently not calibrated."""
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    (copy / "calibration.json").write_text("{}")

    with pytest.raises(DataError, match="calibration"):
        Predictor.load(copy)
