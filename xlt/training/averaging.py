"""Averages of the weights seen along a training (arXiv 2305.16834: steadier across languages)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


def snapshot_steps(steps: int, wanted: int) -> frozenset[int]:
    """Steps after which weights join the average: `wanted` of them over the second half."""
    return frozenset(int(s) for s in np.linspace(steps / 2, steps, wanted + 1)[1:].round())


class WeightAverage:
    """A running mean of trainable weights: of snapshots, or exponential.

    Args:
        parameters: What is averaged, by name.
        kind: none, last (a plain mean of the snapshots) or ema.
        steps: Steps of the whole training.
        wanted: Snapshots for "last".
        decay: Decay per step for "ema"; the first steps weigh alike, so there is no bias to 0.
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
        """Let the present weights join the mean, where it is their turn."""
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
        """Put the mean into the parameters, where there is one."""
        for name, value in self.mean.items():
            self._parameters[name].copy_(value)
