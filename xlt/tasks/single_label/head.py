"""Head: a linear layer on the mean vector, trained by cross-entropy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.single_label.answers import numbers
from xlt.tasks.single_label.task import SingleLabel

#: Share of a label from which on predicting it for all texts is accepted.
_ONE_LABEL_SHARE = 0.8


class SingleLabelHead(LinearHead):
    """One logit per label."""

    def __init__(self, task: SingleLabel, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.labels = task.labels

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns label positions (B,) int64.

        Raises:
            DataError: If an example has no label, or one that is not of the task.
        """
        for example in examples:
            if example.answer is None:
                raise DataError(f"example {example.id!r} has no label")
        return torch.from_numpy(numbers([str(e.answer) for e in examples], self.labels))

    def right(self, targets: Tensor) -> Tensor:
        """Returns 1 for the label and 0 for the others (B, C), smoothed towards equality."""
        one_hot = functional.one_hot(targets, len(self.labels)).float()
        return one_hot * (1.0 - self.label_smoothing) + self.label_smoothing / len(self.labels)

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns cross-entropy with label smoothing, (B,)."""
        return functional.cross_entropy(
            logits.float(), targets, reduction="none", label_smoothing=self.label_smoothing
        )

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the accuracy; a model has collapsed as `_ONE_LABEL_SHARE` defines."""
        predicted = logits.argmax(dim=-1)
        accuracy = float((predicted == targets).float().mean())
        one_class = bool((predicted == predicted[0]).all())
        return Fit(accuracy=accuracy, collapsed=one_class and accuracy < _ONE_LABEL_SHARE)


HEAD = SingleLabelHead
