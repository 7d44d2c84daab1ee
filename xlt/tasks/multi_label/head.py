"""Head: a linear layer on the mean vector, trained by one binary cross-entropy per label."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.multi_label.judging import credit, decode, many_hot
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.outputs import Outputs

#: Mean credit from which on one answer for all texts is accepted: it is nearly always right.
_ONE_ANSWER_CREDIT = 0.8


class MultiLabelHead(LinearHead):
    """One logit per label, each an independent decision."""

    def __init__(self, task: MultiLabel, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.labels = task.labels

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns 1 for each chosen label and 0 for the others, (B, C) float32.

        Raises:
            DataError: If an example has no answer.
        """
        answers = []
        for example in examples:
            if not isinstance(example.answer, tuple):
                raise DataError(f"example {example.id!r} has no label")
            answers.append(example.answer)
        return torch.from_numpy(many_hot(answers, self.labels)).float()

    def right(self, targets: Tensor) -> Tensor:
        """Returns the right probabilities (B, C), smoothed towards a half."""
        return targets * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the sum of the labels' binary cross-entropies, (B,)."""
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), self.right(targets), reduction="none"
        )
        return each.sum(dim=-1)

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean credit; a model has collapsed as `_ONE_ANSWER_CREDIT` defines."""
        probabilities = Outputs(torch.sigmoid(logits.double()).numpy())
        predicted = [suggestion.answer for suggestion in decode(probabilities, self.labels)]
        truth = [
            tuple(label for label, chosen in zip(self.labels, row, strict=True) if chosen)
            for row in targets.tolist()
        ]
        mean = float(credit(truth, predicted).mean())
        same = len(set(predicted)) == 1
        return Fit(accuracy=mean, collapsed=same and mean < _ONE_ANSWER_CREDIT)


HEAD = MultiLabelHead
