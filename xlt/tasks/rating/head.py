"""Head: a linear layer on the mean vector, trained by one binary cross-entropy per level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.outputs import Outputs
from xlt.tasks.rating.answers import places
from xlt.tasks.rating.judging import above, beliefs, credit, decide
from xlt.tasks.rating.task import Rating

#: Share of a number from which on predicting it for all texts is accepted.
_ONE_NUMBER_SHARE = 0.8


class RatingHead(LinearHead):
    """One logit for each two levels next to each other."""

    def __init__(self, task: Rating, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.scale_of_task = task.scale

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns by how much answers are above each level but the highest, (B, K - 1) float32.

        Raises:
            DataError: If an example has no answer, or one that is not on the scale.
        """
        answers = []
        for example in examples:
            if not isinstance(example.answer, int | float):
                raise DataError(f"example {example.id!r} has no answer")
            answers.append(example.answer)
        scale = self.scale_of_task
        return torch.from_numpy(above(places(answers, scale), scale)).float()

    def right(self, targets: Tensor) -> Tensor:
        """Returns the right probabilities (B, K - 1), smoothed towards a half."""
        return targets * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean of the binary cross-entropies, (B,): like the credit, for any scale."""
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), self.right(targets), reduction="none"
        )
        return each.mean(dim=-1)

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean credit; a model has collapsed as `_ONE_NUMBER_SHARE` defines."""
        scale = self.scale_of_task
        believed = beliefs(Outputs(logits.double().numpy()), ["und"] * len(logits), Calibration())
        predicted, _ = decide(believed, scale)
        gaps = np.diff(scale.levels)
        truth = np.rint(targets.double().numpy() @ gaps).astype(np.intp)
        same = bool((predicted == predicted[0]).all())
        exact = float((predicted == truth).mean())
        return Fit(
            accuracy=float(credit(truth, predicted, scale).mean()),
            collapsed=same and exact < _ONE_NUMBER_SHARE,
        )


HEAD = RatingHead
