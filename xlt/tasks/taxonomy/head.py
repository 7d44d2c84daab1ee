"""Head: a linear layer on the mean vector, trained by cross-entropy over paths, or one per path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import Link
from xlt.tasks.heads import Fit, Head
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.outputs import Outputs
from xlt.tasks.taxonomy.task import Taxonomy

#: Mean credit from which on one answer for all texts is accepted: it is nearly always right.
_ONE_ANSWER_CREDIT = 0.8


class PathHead(LinearHead):
    """One logit per path; one path is right."""

    link: ClassVar[Link] = "softmax"

    def __init__(self, task: Taxonomy, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.task = task

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
        """Returns the right probabilities (B, W), smoothed towards equality."""
        return targets * (1.0 - self.label_smoothing) + self.label_smoothing / targets.shape[1]

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns cross-entropy, (B,)."""
        return functional.cross_entropy(logits.float(), self.right(targets), reduction="none")

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean credit; a model has collapsed as `_ONE_ANSWER_CREDIT` defines."""
        predicted = self.task.decode(Outputs(self._probabilities(logits).numpy()))
        truth = self.task.decode(Outputs(targets.double().numpy()))
        given = [suggestion.answer for suggestion in predicted]
        mean = float(self.task.credit([suggestion.answer for suggestion in truth], given).mean())
        return Fit(accuracy=mean, collapsed=len(set(given)) == 1 and mean < _ONE_ANSWER_CREDIT)

    def _probabilities(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits.double(), dim=-1)


class SeveralPathsHead(PathHead):
    """One logit per path, each a decision whether an answer selects its end."""

    link: ClassVar[Link] = "sigmoid"

    def right(self, targets: Tensor) -> Tensor:
        """Returns the right probabilities (B, W), smoothed towards a half."""
        return targets * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the sum of the paths' binary cross-entropies, (B,)."""
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), self.right(targets), reduction="none"
        )
        return each.sum(dim=-1)

    def _probabilities(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits.double())


def head_of(task: Taxonomy, width: int, *, label_smoothing: float = 0.0) -> Head:
    """Returns the untrained head of a task."""
    head = PathHead if task.most == 1 else SeveralPathsHead
    return head(task, width, label_smoothing=label_smoothing)


HEAD = head_of
