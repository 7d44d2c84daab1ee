"""Forecasts from the store: of good versions alone, silent if it is too early."""

from __future__ import annotations

import numpy as np
import pytest

from xlt.store.versions import ProjectStore, Store, VersionMeta
from xlt_backend.rounds.forecast import forecast_of


def commit(store: ProjectStore, labels: int, accuracy: float, **details: object) -> None:
    """Makes a version."""
    score = {"n": 1000, "correct": 1000 * accuracy, "accuracy": accuracy}
    meta = VersionMeta(
        data_hash=str(labels),
        label_counts={"hau": labels},
        metrics={"audit": {"hau": score, "yor": score}},
        details=details,
    )
    with store.stage() as stage:
        (stage / "model").write_text("x")
        store.commit(stage, meta)


@pytest.fixture
def store(tmp_path) -> ProjectStore:
    """A project whose accuracy rises as the square root of its labels says."""
    project = Store(tmp_path / "models").project("7.1")
    for labels in (20, 40, 60, 80, 100):
        commit(project, labels, 0.9 - 2 * labels**-0.5)
    return project


def test_a_language_with_a_curve_has_a_forecast(store):
    """A language without labels of its own has none."""
    found = forecast_of(store, np.random.default_rng(0))

    assert list(found) == ["hau"]
    left = 2 * 100**-0.5 - 0.02
    assert found["hau"]["low"] <= (2 / left) ** 2 - 100 <= found["hau"]["high"]
    assert found["hau"]["gain"] == 0.02


def test_versions_that_were_kept_back_do_not_count(store):
    """One that was worse would bend the curve."""
    before = forecast_of(store, np.random.default_rng(0))
    commit(store, 120, 0.2, refused=True)

    assert forecast_of(store, np.random.default_rng(0)) == before


def test_without_versions_there_is_nothing(tmp_path):
    """Nothing fails."""
    project = Store(tmp_path / "models").project("7.1")
    assert forecast_of(project, np.random.default_rng(0)) == {}
