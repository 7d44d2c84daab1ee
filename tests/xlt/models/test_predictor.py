"""Prediction: n in, n out, in order, from several threads, and only from whole models."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from xlt.config import TrainConfig
from xlt.data.examples import Example, TaskSpec
from xlt.errors import DataError, EncoderError
from xlt.models.predictor import Predictor
from xlt.tasks.outputs import Scores
from xlt.training.loop import train

TASK = TaskSpec(labels=("sport", "politics", "tax"))
TEXTS = ["the ball", "a good game of the team won", "law", "", "vote and tax in the state " * 30]


@pytest.fixture(scope="module")
def folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model."""
    out = tmp_path_factory.mktemp("model") / "v1"
    examples = [
        Example(id=str(i), text=text, label=TASK.labels[i % 3])
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
        TEXTS * 20, batch_tokens=64, progress=lambda n, total: done.append((n, total))
    )

    assert together.logits.shape == (100, 3)
    assert together.vectors.shape == (100, 16)
    assert together.logits.dtype == together.vectors.dtype == np.float32
    for i, text in enumerate(TEXTS):
        alone = predictor.score([text])
        np.testing.assert_allclose(together.logits[i], alone.logits[0], atol=0.05)
        np.testing.assert_allclose(together.vectors[i], alone.vectors[0], atol=0.05)
    assert done[-1] == (100, 100)
    assert [n for n, _ in done] == sorted(n for n, _ in done)


def test_no_text_gives_no_row(folder):
    """An empty pool is scored, not refused."""
    scores = Predictor.load(folder).score([])

    assert (scores.logits.shape, scores.vectors.shape) == ((0, 3), (0, 16))


def test_threads_share_a_predictor(folder):
    """Concurrent requests get what they would get alone."""
    predictor = Predictor.load(folder, threads=1)
    assert predictor.task == TASK
    expected = predictor.score(TEXTS)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: predictor.score(TEXTS), range(40)))

    for scores in results:
        np.testing.assert_array_equal(scores.logits, expected.logits)
        np.testing.assert_array_equal(scores.vectors, expected.vectors)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "task.json").unlink(),
        lambda f: (f / "task.json").write_text("{"),
        lambda f: (f / "task.json").write_text(json.dumps({"kind": "spans", "labels": ["a", "b"]})),
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


def test_scores_are_the_same_after_saving(tmp_path):
    """Bit for bit, without pickle."""
    scores = Scores(
        logits=np.arange(6, dtype=np.float32).reshape(2, 3), vectors=np.ones((2, 4), np.float32)
    )
    scores.save(tmp_path / "scores.npz")

    loaded = Scores.load(tmp_path / "scores.npz")

    np.testing.assert_array_equal(loaded.logits, scores.logits)
    np.testing.assert_array_equal(loaded.vectors, scores.vectors)
    assert len(loaded) == 2


def test_broken_scores_are_refused(tmp_path):
    """Rows that do not match, absent, damaged and pickled files: one clear error each."""
    with pytest.raises(DataError, match=r"\(2, 3\) and \(1, 4\)"):
        Scores(logits=np.ones((2, 3), np.float32), vectors=np.ones((1, 4), np.float32))
    path = tmp_path / "scores.npz"
    for content in (None, b"", b"junk"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match="holds no scores"):
            Scores.load(path)
    with path.open("wb") as file:
        np.savez(file, logits=np.array([[{}]], dtype=object), vectors=np.ones((1, 1)))
    with pytest.raises(DataError, match="holds no scores"):
        Scores.load(path)
