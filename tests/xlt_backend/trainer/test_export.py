"""A trained model is exported once per encoder, and fine-tuned ones score by their export."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from xlt.encoder.exported import GRAPH
from xlt.models import export as exporting
from xlt.models.exported import ExportedModel
from xlt.models.parity import Parity
from xlt.models.serving import read_serving
from xlt_backend.trainer import folder as files
from xlt_backend.trainer import scoring, work


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every export answers as its model: tiny ones are unsure of all texts."""
    parity = Parity(texts=9, changed=0.0, failing=(), cosine=1.0, least_cosine=1.0)
    monkeypatch.setattr(exporting, "compare", lambda *given: parity)


def trained(plan: Path, **changed: object) -> dict[str, object]:
    """Carries out the plan with changes."""
    files.write_plan(plan, replace(files.read_plan(plan), **changed))
    return work.run(plan, work.Speaker(None, lambda: False))


def frozen(plan: Path) -> dict[str, object]:
    """Settings of a frozen model."""
    return {"encoder": files.read_plan(plan).config["encoder"], "learner": "frozen"}


def test_the_next_frozen_model_has_the_export_of_the_one_before(plan, tmp_path, monkeypatch, alike):
    """Of the same encoder; the round says what runs the model, and why."""
    first = trained(plan, config=frozen(plan))
    former = Path(shutil.move(plan / files.MODEL, tmp_path / "former"))
    assert first["serving"]["runtime"] == "int8"
    assert "9 texts" in first["serving"]["reason"]

    monkeypatch.setattr("xlt.encoder.export.export", lambda *given: 1 / 0)
    second = trained(plan, sibling=str(former))

    assert second["serving"]["runtime"] == "int8"
    assert (plan / files.MODEL / GRAPH).read_bytes() == (former / GRAPH).read_bytes()


def test_another_encoder_has_an_export_of_its_own(plan, tmp_path, alike):
    """As if the one before had been adapted since."""
    trained(plan, config=frozen(plan))
    former = Path(shutil.move(plan / files.MODEL, tmp_path / "former"))
    (former / "encoder.json").write_text('{"digest": "of another", "files": []}')
    (former / GRAPH).write_bytes(b"of another")

    assert trained(plan, sibling=str(former))["serving"]["runtime"] == "int8"
    assert (plan / files.MODEL / GRAPH).stat().st_size > 1000


def test_a_fine_tuned_model_scores_the_pool_by_its_export(plan, monkeypatch, alike):
    """On a CPU; on a GPU torch does."""
    trained(plan)
    assert read_serving(plan / files.MODEL).runtime == "int8"
    task = files.read_plan(plan)

    assert isinstance(scoring._scorer(plan / files.MODEL, task), ExportedModel)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("xlt.models.predictor.Predictor.load", lambda folder, threads: "torch")
    assert scoring._scorer(plan / files.MODEL, task) == "torch"
