"""The loss of one step."""

from __future__ import annotations

import pytest
import torch

from xlt.adapt.losses import relative_distance


def test_the_distance_has_no_unit(rng):
    """0 at the target, 1 at the targets' mean, whatever their scale and offset."""
    target = torch.from_numpy(rng.standard_normal((30, 5))) * 7 + 3
    centre = target.mean(dim=0)
    spread = (target - centre).square().sum(dim=-1).mean()

    assert relative_distance(target, target, spread).item() == 0.0
    assert relative_distance(centre.expand(30, 5), target, spread).item() == pytest.approx(1.0)
