"""What is decided before the first step."""

from __future__ import annotations

from dataclasses import replace

from xlt.config import TrainConfig
from xlt.training.run import n_steps


def test_steps_are_the_epochs_within_the_bounds():
    """As many as the epochs take, at least `min_steps`, at most `max_steps`."""
    config = TrainConfig(epochs=3.0, min_steps=20, max_steps=0)

    assert n_steps(config, 2) == 20
    assert n_steps(config, 50) == 150
    assert n_steps(replace(config, max_steps=60), 50) == 60
