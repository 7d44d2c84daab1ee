"""Head: a linear layer on both orders of the texts, trained by cross-entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import Link
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.pairwise.answers import numbers
from xlt.tasks.pairwise.probe import swapped_columns
from xlt.tasks.pairwise.task import Pairwise

#: Share of a place from which on predicting it for all examples is accepted.
_ONE_PLACE_SHARE = 0.8


class PairwiseHead(LinearHead):
    """One logit for each of the two texts; exchanged texts exchange them."""

    link: ClassVar[Link] = "softmax"

    def __init__(self, task: Pairwise, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.labels = task.labels
        columns = torch.from_numpy(swapped_columns(width, task.texts))
        self.register_buffer("columns", columns, persistent=False)

    columns: Tensor

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

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns 0 for the left text, 1 for the right one, (B,) int64.

        Raises:
            DataError: If an example has no answer, or one that is neither.
        """
        for example in examples:
            if example.answer is None:
                raise DataError(f"example {example.id!r} has no label")
        found = numbers([str(e.answer) for e in examples], self.labels)
        return torch.from_numpy(found.astype(np.int64))

    def right(self, targets: Tensor) -> Tensor:
        """Returns 1 for the chosen text and 0 for the other (B, 2), smoothed towards equality."""
        one_hot = functional.one_hot(targets, 2).float()
        return one_hot * (1.0 - self.label_smoothing) + self.label_smoothing / 2

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns cross-entropy with label smoothing, (B,)."""
        return functional.cross_entropy(
            logits.float(), targets, reduction="none", label_smoothing=self.label_smoothing
        )

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the accuracy; a model has collapsed as `_ONE_PLACE_SHARE` defines."""
        predicted = logits.argmax(dim=-1)
        accuracy = float((predicted == targets).float().mean())
        one_place = bool((predicted == predicted[0]).all())
        return Fit(accuracy=accuracy, collapsed=one_place and accuracy < _ONE_PLACE_SHARE)


HEAD = PairwiseHead
