"""Head: that of each control's task, side by side on the vectors of one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module

import torch
from torch import Tensor, nn

from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.heads import Fit, Head
from xlt.tasks.linear_head import LinearHead, pooled
from xlt.tasks.multi_task.answers import check_names
from xlt.tasks.multi_task.judging import columns
from xlt.tasks.multi_task.task import MultiTask


class MultiTaskHead(Head):
    """One head per control.

    Targets are those of the controls, side by side as numbers; NaN for a control without an answer.
    """

    apart = True

    def __init__(self, task: MultiTask, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.names = [part.name for part in task.parts]
        self.task = task
        self.heads = nn.ModuleList(
            import_module(f"xlt.tasks.{part.task.kind}.head").HEAD(
                part.task, width, label_smoothing=label_smoothing
            )
            for part in task.parts
        )
        self._empty = [head.targets([]) for head in self._heads]
        ends = torch.tensor([own[:0].flatten(1).shape[1] if own.ndim > 1 else 1
                             for own in self._empty]).cumsum(0).tolist()  # fmt: skip
        self._slices = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    @property
    def _heads(self) -> list[LinearHead]:
        return list(self.heads)  # type: ignore[arg-type]

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Returns the targets of all controls, (B, T) float32.

        Raises:
            DataError: If an example has no answer, or one that is not of the task.
        """
        found = torch.full((len(examples), self._slices[-1].stop), torch.nan)
        for example in examples:
            if not isinstance(example.answer, ByControl) or not example.answer:
                raise DataError(f"example {example.id!r} has no answer")
            check_names(dict(example.answer.items), self.task.parts)
        for name, head, own in zip(self.names, self._heads, self._slices, strict=True):
            given = [e.answer.get(name) for e in examples if isinstance(e.answer, ByControl)]
            rows = [n for n, answer in enumerate(given) if answer is not None]
            if rows:
                answered = [replace(examples[row], answer=given[row]) for row in rows]
                found[rows, own] = head.targets(answered).reshape(len(rows), -1).float()
        return found

    def answered(self, targets: Tensor) -> Tensor:
        """Returns which controls have an answer, (B, C)."""
        return torch.stack([~targets[:, own.start].isnan() for own in self._slices], dim=1)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Returns logits (B, W) in float32 from states (B texts, T, H)."""
        vectors = pooled(states, mask, self.texts)
        return torch.cat([head.classify(vectors) for head in self._heads], dim=1)

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean loss of the controls that have an answer, (B,)."""
        known = self.answered(targets)
        each = torch.where(known, self.control_losses(logits, targets), 0.0)
        return each.sum(dim=1) / known.sum(dim=1).clamp(min=1)

    def control_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each control, (B, C); any number for those without an answer."""
        each = self._each(logits, targets)
        return torch.stack([head.losses(given, right) for head, given, right in each], dim=1)

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fits the head of each control on the examples that have an answer to it."""
        known = self.answered(targets)
        for column, (head, _, right) in enumerate(self._each(None, targets)):
            rows = known[:, column]
            if rows.any():
                head.warm_start(vectors[rows], right[rows], weights[rows], l2=l2)

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Measures the mean over the controls; collapsed if the heads of all of them are."""
        known = self.answered(targets)
        fits = [
            head.fit(given[known[:, column]], right[known[:, column]])
            for column, (head, given, right) in enumerate(self._each(logits, targets))
            if known[:, column].any()
        ]
        return Fit(
            accuracy=sum(fit.accuracy for fit in fits) / len(fits),
            collapsed=all(fit.collapsed for fit in fits),
        )

    def _each(
        self, logits: Tensor | None, targets: Tensor
    ) -> Iterator[tuple[LinearHead, Tensor, Tensor]]:
        """Yields each head with its logits and its targets, which are 0 without an answer."""
        logits = targets.new_zeros(len(targets), self.task.width) if logits is None else logits
        parts = zip(self._heads, columns(self.task.parts), self._slices, self._empty, strict=True)
        for head, of_logits, own, empty in parts:
            right = targets[:, own].nan_to_num(0.0).reshape(len(targets), *empty.shape[1:])
            yield head, logits[:, of_logits], right.to(empty.dtype)


HEAD = MultiTaskHead
