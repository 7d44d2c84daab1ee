"""Names of trackers: known, installed, each once."""

from __future__ import annotations

import pytest

from xlt.cli import trackers
from xlt.errors import ConfigError


def test_names_are_read_once_each(monkeypatch):
    """Spaces and empty parts do not count."""
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)
    assert trackers.read_trackers(" wandb, tensorboard,,wandb ") == ("wandb", "tensorboard")
    assert trackers.read_trackers("") == ()


def test_unknown_and_missing_trackers_are_refused(monkeypatch):
    """With the names that are known, or the command that installs it."""
    with pytest.raises(ConfigError, match="unknown tracker 'tensorbord', expected some of tensor"):
        trackers.read_trackers("tensorbord")
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="mlflow is not installed: pip install mlflow"):
        trackers.read_trackers("mlflow")
