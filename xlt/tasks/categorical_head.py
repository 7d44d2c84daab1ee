"""A linear head trained by cross-entropy, for kinds whose answers are one of the labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.heads import Fit
from xlt.tasks.linear_head import LinearHead

#: Share of a label from which on predicting it for all examples is accepted.
_ONE_LABEL_SHARE = 0.8


class CategoricalHead(LinearHead):
    """One logit per label."""

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns label positions (B,) int64.

        Raises:
            DataError: If an example has no label, or one that is not of the task.
        """
        for example in examples:
            if example.answer is None:
                raise DataError(f"example {example.id!r} has no label")
        classes = self.task.classes([str(example.answer) for example in examples])
        assert classes is not None, "the kind's answers are classes"
        return torch.from_numpy(classes)

    def right(self, targets: Tensor) -> Tensor:
        """Returns 1 for the label and 0 for the others (B, C), smoothed towards equality."""
        labels = self.task.width
        one_hot = functional.one_hot(targets, labels).float()
        return one_hot * (1.0 - self.label_smoothing) + self.label_smoothing / labels

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
