"""Learners of a simulation: frozen models and full trainings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.xlt.simulate.parallel import replay
from xlt.errors import ConfigError, DivergedError
from xlt.simulate.learning_curve import CurveSettings, run_cell
from xlt.simulate.replay import Texts


def test_a_training_that_diverges_leaves_the_model_before(tiny_encoder, tmp_path, monkeypatch):
    """As in the service; before the first model all classes are as likely as any other."""
    import xlt.training.train

    def train(*args, **kwargs):
        raise DivergedError("not finite")

    monkeypatch.setattr(xlt.training.train, "train", train)
    training = {"encoder": str(tiny_encoder)}
    options = CurveSettings(budgets=(6, 12), batch=6, learner="joint", training=training)
    points = run_cell(replay(), "margin", 0, options, folder=tmp_path / "f")
    assert [point["labels"] for point in points] == [6, 12]
    assert points[0]["accuracy"] == points[1]["accuracy"]


def test_a_frozen_model_learns_where_languages_lie_apart():
    """Moved by language, the texts of one language look like another class to the head."""
    data = replay()
    moved = replace(data, pool=apart(data.pool), test=apart(data.test))
    means = {}
    for learner in ("head", "frozen"):
        options = CurveSettings(budgets=(12,), batch=12, audit_share=0.0, learner=learner)
        curves = [run_cell(moved, "zero-shot", seed, options)[-1] for seed in range(3)]
        means[learner] = np.mean([list(point["accuracy"].values()) for point in curves])
    assert means["frozen"] > means["head"]


def apart(texts: Texts) -> Texts:
    """Moves the vectors of each language by a vector of its own."""
    names = sorted(set(texts.langs.tolist()))
    places = np.random.default_rng(0).normal(0, 4, (len(names), texts.vectors.shape[1]))
    rows = [names.index(lang) for lang in texts.langs.tolist()]
    vectors = (texts.vectors + places[rows]).astype(np.float32)
    assert texts.features is not None
    return replace(
        texts, vectors=vectors, features=replace(texts.features, vectors=vectors[:, None])
    )


@pytest.mark.parametrize(
    ("learner", "training"), [("joint", None), ("frozen", {"seed": 1}), ("heads", None)]
)
def test_a_learner_that_does_not_fit_its_settings_is_refused(learner, training):
    """Instead of a curve of another learner."""
    with pytest.raises(ConfigError, match="learner"):
        CurveSettings(learner=learner, training=training)
