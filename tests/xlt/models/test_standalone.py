"""Exports for programs without xlt: they answer as the model does, or are not kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.exported import session
from xlt.errors import EncoderError
from xlt.models import standalone
from xlt.models.predictor import Predictor
from xlt.models.standalone import GRAPH, export_standalone
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

TASK = SingleLabel(labels=("sport", "politics", "tax"))
TEXTS = ["the ball", "a good game of the team won", "law", "vote and tax in the state " * 30]


def trained(encoder: Path, out: Path, **config: object) -> Path:
    """A model of three labels."""
    examples = [
        Example(id=str(i), texts=(text,), answer=TASK.labels[i % 3])
        for i, text in enumerate(["the team won", "a vote", "tax law"] * 4)
    ]
    settings = {"encoder": str(encoder), "precision": "fp32"}
    train(examples, [], TASK, TrainConfig.from_mapping(settings | config), out)
    return out


@pytest.fixture(scope="module")
def folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine-tuned model."""
    return trained(
        tiny_encoder,
        tmp_path_factory.mktemp("model") / "v1",
        learner="joint",
        epochs=1.0,
        min_steps=0,
    )


def logits(folder: Path) -> np.ndarray:
    """What the model itself says."""
    rows = [Example(id=str(i), texts=(text,)) for i, text in enumerate(TEXTS)]
    return Predictor.load(folder, precision="fp32").score(rows).outputs.values


def test_transformers_loads_and_answers(folder, tmp_path):
    """With its Auto classes alone; the labels have their names."""
    handover = export_standalone(folder, tmp_path / "hf", "huggingface")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "hf")
    model = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "hf", trust_remote_code=True
    )
    with torch.inference_mode():
        batch = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
        found = model(**batch).logits.numpy()

    np.testing.assert_allclose(found, logits(folder), atol=1e-3)
    assert list(model.config.id2label.values()) == list(TASK.labels)
    assert handover.texts == 64
    assert handover.changed == 0


def test_onnx_runtime_answers(folder, tmp_path):
    """From token ids to logits, for any size of batch."""
    export_standalone(folder, tmp_path / "onnx", "onnx", [Example(id="1", texts=("the team",))])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "onnx")
    batch = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="np")
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    (found,) = session(tmp_path / "onnx" / GRAPH, threads=1).run(None, inputs)

    np.testing.assert_allclose(found, logits(folder), atol=1e-3)
    assert (tmp_path / "onnx" / "task.json").exists()


@pytest.mark.parametrize("form", ["onnx", "huggingface"])
def test_an_export_that_answers_otherwise_is_not_kept(folder, tmp_path, form, monkeypatch):
    """It fails in one line, and leaves no folder."""
    whole = standalone._whole

    def broken(*args):
        model = whole(*args)
        with torch.no_grad():
            model.classifier.bias.add_(torch.tensor([5.0, 0.0, 0.0]))
        return model

    monkeypatch.setattr(standalone, "_whole", broken)
    with pytest.raises(EncoderError, match="answers otherwise"):
        export_standalone(folder, tmp_path / "out", form)

    assert list(tmp_path.iterdir()) == []


def test_a_frozen_model_is_refused_with_the_reason(tiny_encoder, tmp_path):
    """Neither format has a word for its kernel machine."""
    frozen = trained(tiny_encoder, tmp_path / "v2", learner="frozen")
    for form in ("onnx", "huggingface"):
        with pytest.raises(EncoderError, match="kernel machine"):
            export_standalone(frozen, tmp_path / "out", form)

    assert not (tmp_path / "out").exists()
