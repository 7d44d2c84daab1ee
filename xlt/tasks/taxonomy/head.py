"""Head: a linear layer on the mean vector, trained by cross-entropy over paths, or one per path."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import probabilities
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.outputs import Outputs
from xlt.tasks.taxonomy.task import Taxonomy

#: Mean credit from which on one answer for all texts is accepted: it is nearly always right.
_ONE_ANSWER_CREDIT = 0.8


class TaxonomyHead(LinearHead):
    """One logit per path: one path is right, or each is a decision whether its end is selected."""

    task: Taxonomy

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns the right probabilities (B, W) float32.

        Raises:
            DataError: If an example has no answer, or one that is not of the task.
        """
        answers = []
        for example in examples:
            if not isinstance(example.answer, tuple):
                raise DataError(f"example {example.id!r} has no label")
            answers.append(example.answer)
        return torch.from_numpy(self.task.targets(answers)).float()

    def right(self, targets: Tensor) -> Tensor:
        """Returns the right probabilities (B, W), smoothed towards equality or towards a half."""
        unknown = 1 / targets.shape[1] if self.task.link == "softmax" else 0.5
        return targets * (1.0 - self.label_smoothing) + unknown * self.label_smoothing

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns cross-entropy, or the sum of the paths' binary cross-entropies, (B,)."""
        right = self.right(targets)
        if self.task.link == "softmax":
            return functional.cross_entropy(logits.float(), right, reduction="none")
        each = functional.binary_cross_entropy_with_logits(logits.float(), right, reduction="none")
        return each.sum(dim=-1)

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean credit; a model has collapsed as `_ONE_ANSWER_CREDIT` defines."""
        p = probabilities(logits.double().numpy(), self.task.link)
        given = [suggestion.answer for suggestion in self.task.decode(Outputs(p))]
        right = self.task.decode(Outputs(targets.double().numpy()))
        mean = float(self.task.credit([suggestion.answer for suggestion in right], given).mean())
        return Fit(accuracy=mean, collapsed=len(set(given)) == 1 and mean < _ONE_ANSWER_CREDIT)


HEAD = TaxonomyHead
