"""Averages of the weights along a training."""

from __future__ import annotations

import pytest
import torch

from xlt.training.averaging import WeightAverage, snapshot_steps


def test_average_is_the_mean_of_its_snapshots():
    """Last: a plain mean over the second half. Ema: weights fall by the decay per step."""
    assert snapshot_steps(10, 5) == {6, 7, 8, 9, 10}
    values = [float(step) for step in range(1, 11)]
    for kind, expected in (("last", 8.0), ("none", 10.0)):
        parameter = torch.nn.Parameter(torch.zeros(1))
        average = WeightAverage({"w": parameter}, kind=kind, steps=10, wanted=5, decay=0.5)
        for step, value in enumerate(values, start=1):
            parameter.data.fill_(value)
            average.update(step)
        average.apply()
        assert parameter.item() == pytest.approx(expected)
    parameter = torch.nn.Parameter(torch.zeros(1))
    ema = WeightAverage({"w": parameter}, kind="ema", steps=10, wanted=1, decay=0.5)
    mean = 0.0
    for step, value in enumerate(values, start=1):
        parameter.data.fill_(value)
        ema.update(step)
        mean = value if step == 1 else 0.5 * mean + 0.5 * value
    ema.apply()
    assert parameter.item() == pytest.approx(mean)
