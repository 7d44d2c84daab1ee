"""A frozen model is trained, stored and read like any other, and costs no step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from tests.xlt.training.test_loop import LABELLED, POOL, TASK
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import embed
from xlt.errors import CancelledError, DivergedError, EncoderError
from xlt.frozen.features import Features
from xlt.models.features import FeatureReader
from xlt.models.predictor import Predictor
from xlt.tasks.multi_label.task import MultiLabel
from xlt.training.result import Progress
from xlt.training.train import train


@pytest.fixture
def config(tiny_encoder: Path) -> TrainConfig:
    """The learner, on the tiny encoder."""
    return TrainConfig(encoder=str(tiny_encoder), learner="frozen", precision="fp32")


def test_it_fits_eight_examples_and_says_so(config: TrainConfig, tmp_path: Path):
    """Without a step or a loss; progress names the phases in order."""
    seen: list[Progress] = []
    result = train(LABELLED, POOL, TASK, config, tmp_path / "out", progress=seen.append)
    assert result.train_accuracy == 1.0
    assert (result.steps, result.losses, result.held_out) == (0, {}, None)
    assert list(dict.fromkeys(p.phase for p in seen)) == ["load", "read", "train", "save"]
    found = Predictor.load(tmp_path / "out").predict(LABELLED)
    assert [s.answer for s in found.suggestions] == [e.answer for e in LABELLED]


def test_the_encoder_stays_as_it_was(config: TrainConfig, tmp_path: Path):
    """The vectors of a frozen model are those of its base encoder."""
    train(LABELLED, POOL, TASK, config, tmp_path / "out")
    texts = [example.input for example in POOL]
    vectors = Predictor.load(tmp_path / "out").score(POOL).vectors
    assert vectors == pytest.approx(embed(texts, encoder=config.encoder), abs=1e-5)


def test_the_language_of_a_text_counts(config: TrainConfig, tmp_path: Path):
    """A text is read about the centre of its language."""
    train(LABELLED, POOL, TASK, config, tmp_path / "out")
    predictor = Predictor.load(tmp_path / "out")
    read = [
        predictor.score([Example(id="1", texts=("wasan kwallo",), lang=lang)]).outputs.values
        for lang in ("ha", "hau_Latn", "en")
    ]
    assert (read[0] == read[1]).all()
    assert (read[0] != read[2]).any()


def test_several_labels_are_learned_too(config: TrainConfig, tmp_path: Path):
    """With an answer that has none of them."""
    task = MultiLabel(labels=TASK.labels)
    answered = [replace(example, answer=(example.answer,)) for example in LABELLED]
    answered += [Example(id=f"n{i}", texts=(t,), answer=()) for i, t in enumerate(["of", "and"])]
    train(answered, POOL, task, config, tmp_path / "out")
    found = Predictor.load(tmp_path / "out").predict(answered)
    suggested = [suggestion.answer for suggestion in found.suggestions]
    assert task.credit([example.answer for example in answered], suggested).mean() > 0.7
    assert len(set(suggested)) > 1


def test_held_out_examples_calibrate_and_judge(config: TrainConfig, tmp_path: Path):
    """The predictions are those that the folder gives."""
    result = train(LABELLED[2:], POOL, TASK, config, tmp_path / "out", held_out=LABELLED[:2])
    again = Predictor.load(tmp_path / "out").predict(LABELLED[:2])
    assert result.held_out is not None
    np.testing.assert_array_equal(result.held_out.beliefs.values, again.beliefs.values)
    assert (tmp_path / "out" / "calibration.json").is_file()


def test_the_same_seed_gives_the_same_file(config: TrainConfig, tmp_path: Path):
    """Bit for bit."""
    for name in ("one", "two"):
        train(LABELLED, POOL, TASK, config, tmp_path / name)
    first, second = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("phase", "message"),
    [("load", "0 of 10 in the phase 'read'"), ("read", "10 of 10"), ("train", "'save'")],
)
def test_it_can_be_cancelled_in_every_phase(
    phase: str, message: str, config: TrainConfig, tmp_path: Path
):
    """Nothing is left behind."""
    seen: list[str] = []

    def progress(at: Progress) -> None:
        seen.append(at.phase)

    with pytest.raises(CancelledError, match=message):
        train(
            LABELLED,
            POOL,
            TASK,
            config,
            tmp_path / "out",
            progress=progress,
            should_stop=lambda: phase in seen,
        )
    assert list(tmp_path.iterdir()) == []


def test_vectors_that_are_not_finite_are_named(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """An encoder that overflows on one text; without it the error would be scipy's."""
    read = FeatureReader.read

    def overflowing(*args: Any) -> Features:
        features = read(*args)
        features.vectors[3, 0, 0] = np.inf
        return features

    monkeypatch.setattr(FeatureReader, "read", overflowing)
    with pytest.raises(DivergedError, match=f"1 of 10 texts; the first is .*{LABELLED[3].id}"):
        train(LABELLED, POOL, TASK, config, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_result_names_the_precision_that_was_used(config: TrainConfig, tmp_path: Path):
    """Not the one that was asked for."""
    auto = replace(config, precision="auto")
    assert train(LABELLED, [], TASK, auto, tmp_path / "out").precision in ("fp32", "bf16")


def test_the_card_says_that_the_encoder_was_not_trained(config: TrainConfig, tmp_path: Path):
    """Else it would be taken for a fine-tuned one."""
    train(LABELLED, POOL, TASK, config, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert ", not trained further |" in text


def test_it_learns_without_a_pool(config: TrainConfig, tmp_path: Path):
    """All texts are labelled."""
    assert train(LABELLED, [], TASK, config, tmp_path / "out").train_accuracy == 1.0


@pytest.mark.parametrize("damage", ["missing", "narrow"])
def test_a_damaged_model_is_refused(damage: str, config: TrainConfig, tmp_path: Path):
    """In one line that names the folder."""
    out = tmp_path / "out"
    train(LABELLED, POOL, TASK, config, out)
    tensors = load_file(out / "model.safetensors")
    if damage == "missing":
        del tensors["xlt_head.support"]
    else:
        tensors["xlt_head.coefficients"] = tensors["xlt_head.coefficients"][:, :1].clone()
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"no complete model in .*out"):
        Predictor.load(out)
