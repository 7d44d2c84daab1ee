"""Averages of weights during a training (arXiv 2305.16834: more stable across languages)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


def snapshot_steps(steps: int, wanted: int) -> frozenset[int]:
    """Returns the steps after which weights join the average: `wanted` in the second half."""
    return frozenset(int(s) for s in np.linspace(steps / 2, steps, wanted + 1)[1:].round())


class WeightAverage:
    """A running mean of trainable weights: of snapshots, or exponential.

    Args:
        parameters: Parameters to average, by name.
        kind: none, last (a plain mean of the snapshots) or ema.
        steps: Number of steps of the whole training.
        wanted: Number of snapshots for "last".
        decay: Decay per step for "ema"; the first steps weigh the same, so there is no bias to 0.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        *,
        kind: str,
        steps: int,
        wanted: int,
        decay: float,
    ) -> None:
        self._parameters = parameters
        self._least_share = 1.0 - decay if kind == "ema" else 0.0
        self._when = {
            "none": frozenset[int](),
            "last": snapshot_steps(steps, wanted),
            "ema": frozenset(range(1, steps + 1)),
        }[kind]
        self.n_averaged = 0
        self.mean: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, steps_done: int) -> None:
        """Adds the current weights to the mean, if this step is in the average."""
        if steps_done not in self._when:
            return
        if not self.mean:
            self.mean = {name: p.detach().clone() for name, p in self._parameters.items()}
        share = max(1.0 / (self.n_averaged + 1), self._least_share)
        for name, parameter in self._parameters.items():
            self.mean[name].lerp_(parameter, share)
        self.n_averaged += 1

    @torch.no_grad()
    def apply(self) -> None:
        """Copies the mean into the parameters, if there is one."""
        for name, value in self.mean.items():
            self._parameters[name].copy_(value)
