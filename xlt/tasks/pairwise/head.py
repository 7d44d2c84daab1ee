"""Head: a linear layer on both orders of the texts, trained by cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor

from xlt.tasks.categorical_head import CategoricalHead
from xlt.tasks.pairwise.probe import swapped_columns
from xlt.tasks.pairwise.task import Pairwise


class PairwiseHead(CategoricalHead):
    """One logit for each of the two texts; exchanged texts exchange them."""

    columns: Tensor

    def __init__(self, task: Pairwise, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        columns = torch.from_numpy(swapped_columns(width, task.texts))
        self.register_buffer("columns", columns, persistent=False)

    def classify(self, vectors: Tensor) -> Tensor:
        """Returns logits (B, 2) in float32 from vectors (B, D), the mean of both orders."""
        here, there = super().classify(vectors), super().classify(vectors[:, self.columns])
        return (here + there.flip(1)) / 2

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fits the layer on both orders of the examples."""
        both = torch.cat([vectors, vectors[:, self.columns]])
        super().warm_start(
            both, torch.cat([targets, 1 - targets]), torch.cat([weights, weights]), l2=2 * l2
        )


HEAD = PairwiseHead
