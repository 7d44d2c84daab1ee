"""An exported model scores like the model in torch, whatever its kind of task and its learner."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.xlt.tasks.samples import KEYS, PROBED, task_of
from xlt.config import TrainConfig
from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.encoder.exported import GRAPH, Encoders
from xlt.errors import DataError, EncoderError
from xlt.models import export as exporting
from xlt.models.export import export_model
from xlt.models.exported import ExportedModel
from xlt.models.parity import compare
from xlt.models.predictor import Predictor
from xlt.models.serving import FILE, Serving, load_served, read_serving
from xlt.tasks.calibration import Calibration
from xlt.tasks.parts import Composed
from xlt.tasks.spans.task import Spans
from xlt.tasks.task import AnyTask
from xlt.training.train import train

TEXTS = ["the team won the game", "a vote in the state", "tax law", "wasan kwallo", "", "a goal"]
LANGS = ["en", "ha", "yo"]


def answer(task: AnyTask, number: int) -> object:
    """One of the task's answers."""
    if isinstance(task, Composed):
        return ByControl.of({part.name: answer(part.task, number) for part in task.parts})
    if task.kind == "rating":
        return task.scale.value(number % (task.scale.steps + 1))
    if task.kind == "taxonomy":
        return (task.paths[number % len(task.paths)],)
    label = task.labels[number % len(task.labels)]
    return (label,) if task.kind == "multi_label" else label


def examples(kind: str, answers: Sequence[object] = ()) -> list[Example]:
    """Twelve examples; pairs for kinds that read two texts."""
    texts = [TEXTS[i % len(TEXTS)] for i in range(13)]
    return [
        Example(
            id=str(i),
            texts=(texts[i], texts[i + 1]) if kind in KEYS else (texts[i],),
            lang=LANGS[i % 3],
            answer=answers[i] if answers else None,
        )
        for i in range(12)
    ]


def trained(encoder: Path, out: Path, kind: str, learner: str) -> Path:
    """A model of a kind that saw twelve labels."""
    task = task_of(kind)
    labelled = examples(kind, [answer(task, i % len(TEXTS)) for i in range(12)])
    steps = {} if learner == "frozen" else {"epochs": 2.0, "min_steps": 0}
    config = TrainConfig(encoder=str(encoder), learner=learner, precision="fp32", **steps)
    train(labelled, examples(kind), task, config, out)
    return out


@pytest.fixture(scope="module")
def folder(tiny_encoder, tmp_path_factory) -> Path:
    """A frozen model, exported."""
    out = trained(tiny_encoder, tmp_path_factory.mktemp("model") / "m", "single_label", "frozen")
    texts = examples("single_label")
    export_model(out, texts, Predictor.load(out).score(texts))
    return out


@pytest.mark.parametrize("learner", ["frozen", "joint"])
@pytest.mark.parametrize("kind", PROBED)
def test_scores_are_those_of_torch(tiny_encoder, tmp_path, monkeypatch, kind, learner):
    """In float32: outputs, vectors and answers, of single texts and of pairs."""
    folder = trained(tiny_encoder, tmp_path / "m", kind, learner)
    Calibration(temperatures={"hau": 2.0}, pooled=0.5).save(folder)
    texts = examples(kind)
    predictor = Predictor.load(folder, precision="fp32")
    expected = predictor.predict(texts)
    monkeypatch.setattr("xlt.encoder.export.quantize", lambda wide, narrow: refuse())

    serving = export_model(folder, texts, expected.scores)
    assert serving.runtime == "torch"
    assert serving == read_serving(folder)
    monkeypatch.setattr("xlt.encoder.export.quantize", lambda wide, narrow: shutil.copytree(
        wide, narrow, dirs_exist_ok=True
    ))  # fmt: skip
    export_model(folder, texts, expected.scores)
    model = ExportedModel.load(folder, Encoders())
    found = model.predict(texts)

    assert (model.task, model.texts) == (predictor.task, predictor.texts)
    np.testing.assert_allclose(found.scores.vectors, expected.scores.vectors, atol=1e-4)
    np.testing.assert_allclose(
        found.scores.outputs.values, expected.scores.outputs.values, atol=2e-3
    )
    np.testing.assert_allclose(found.beliefs.values, expected.beliefs.values, atol=2e-3)
    assert [s.answer for s in found.suggestions] == [s.answer for s in expected.suggestions]


def refuse() -> None:
    """Stands in for a quantizer that stumbles."""
    raise EncoderError("the exported encoder cannot be quantized: no")


def test_texts_may_be_any_number(folder):
    """None, and the same one again; progress ends with all."""
    model = ExportedModel.load(folder, Encoders())
    seen = []
    two = examples("single_label")[:1] * 2
    scores = model.score(two, progress=lambda *counts: seen.append(counts))

    assert (scores.outputs.values[0] == scores.outputs.values[1]).all()
    assert seen[-1] == (2, 2)
    assert model.score([]).vectors.shape == (0, 16)
    with pytest.raises(DataError, match="'7' has 2 texts; the model reads 1"):
        model.score([Example(id="7", texts=("a", "b"))])


def test_the_served_model_is_the_export(folder):
    """With the reason for it: the share of answers that stay."""
    model, serving = load_served(folder, Encoders())

    assert isinstance(model, ExportedModel)
    assert serving.runtime in ("int8", "float32")
    assert "the same answers on 12 texts, cosine" in serving.reason


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / FILE).unlink(), "saved without an export"),
        (lambda f: (f / FILE).write_text("{"), "cannot be read"),
        (lambda f: (f / FILE).write_text(json.dumps([1])), "cannot be read"),
        (lambda f: (f / GRAPH).write_bytes(b"x"), "cannot load the exported encoder"),
        (lambda f: (f / GRAPH).unlink(), "cannot load the exported encoder"),
    ],
    ids=["none", "cut", "list", "damaged graph", "no graph"],
)
def test_torch_serves_what_has_no_export(folder, tmp_path, damage, reason):
    """A version of a former xlt, or one that this ONNX Runtime cannot read; it says why."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    damage(copy)

    model, serving = load_served(copy, Encoders())

    assert isinstance(model, Predictor)
    assert serving.runtime == "torch"
    assert reason in serving.reason


def test_an_export_that_answers_otherwise_is_not_served(folder, tmp_path, monkeypatch):
    """Eight bits first, then 32; if neither answers as torch does, nothing of them stays."""
    texts = examples("single_label")
    scores = Predictor.load(folder).score(texts)
    copy = shutil.copytree(folder, tmp_path / "copy")

    def strict(*given: object) -> object:
        return replace(compare(*given), cosine=next(cosines))

    cosines = iter([0.5, 0.9999])
    monkeypatch.setattr(exporting, "compare", strict)
    serving = export_model(copy, texts, scores)
    assert serving.runtime == "float32"
    assert "int8: " in serving.reason
    assert isinstance(load_served(copy, Encoders())[0], ExportedModel)

    cosines = iter([0.5, 0.4])
    serving = export_model(copy, texts, scores)
    assert serving.runtime == "torch"
    assert not (copy / GRAPH).exists()
    assert isinstance(load_served(copy, Encoders())[0], Predictor)


def test_a_ready_export_of_the_encoder_is_used(folder, tmp_path, monkeypatch):
    """Frozen models of one encoder need one export."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    texts = examples("single_label")
    monkeypatch.setattr("xlt.encoder.export.export", lambda *given: refuse())

    serving = export_model(copy, texts, Predictor.load(folder).score(texts), ready=folder)

    assert serving.runtime == "int8"
    assert (copy / GRAPH).read_bytes() == (folder / GRAPH).read_bytes()


def test_without_texts_nothing_is_exported(folder, tmp_path):
    """What cannot be compared is not served."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    serving = export_model(copy, [], Predictor.load(folder).score([]))

    assert (serving.runtime, serving.reason[:5]) == ("torch", "int8:")
    assert "no text to compare on" in serving.reason


def test_spans_stay_with_torch(tmp_path, monkeypatch):
    """Their heads read words and add to the embeddings."""
    (tmp_path / "task.json").write_text(json.dumps(Spans(labels=("PER",)).to_json()))

    serving = export_model(tmp_path, [], None)

    assert serving == Serving(runtime="torch", reason="it reads texts word by word")
    assert read_serving(tmp_path) == serving
