"""Task heads: from hidden states to logits, and from labels to a loss per example.

The loop and the predictor know a head by the `Head` protocol only. A new kind of task adds a
member to `TaskKind`, a class here and a line in `_HEADS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt.data.examples import Example, TaskKind, TaskSpec
from xlt.encoder.pooling import mean_pool
from xlt.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How logits fit labels.

    Attributes:
        accuracy: Share of decisions that are right.
        collapsed: One class is predicted for everything, though the labels differ.
    """

    accuracy: float
    collapsed: bool


class Head(Protocol):
    """What training and prediction need of a task. The class is an `nn.Module`."""

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Labels as a tensor whose first dimension is B."""
        ...

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, ..., C) from final hidden states (B, T, H) and attention mask (B, T)."""
        ...

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Loss of each example, (B,)."""
        ...

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fit the head alone on frozen sentence vectors (N, H), weighted by (N,)."""
        ...

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """How well logits fit the labels, and whether the model has collapsed."""
        ...

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Tensors that `warm_start` sets and training does not."""
        ...


#: Where so large a share of the labels is one class, predicting it for everything is no fault.
_ONE_LABEL_SHARE = 0.8


class SingleLabelHead(nn.Module):
    """One label per text: a linear layer on the centred and scaled mean vector.

    Centre and scale are buffers, measured on the frozen encoder's vectors, so that one learning
    rate suits encoders of any scale.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, task: TaskSpec, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.task = task
        self.label_smoothing = label_smoothing
        self.linear = nn.Linear(width, len(task.labels))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(()))

    def targets(self, examples: Sequence[Example]) -> Tensor:
        """Label positions (B,) int64.

        Raises:
            DataError: If an example has no label, or one that is not of the task.
        """
        for example in examples:
            if example.label is None:
                raise DataError(f"example {example.id!r} has no label")
        return torch.tensor([self.task.index(str(e.label)) for e in examples], dtype=torch.int64)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, C) in float32 from states (B, T, H)."""
        return self.classify(mean_pool(states, mask))

    def classify(self, vectors: Tensor) -> Tensor:
        """Logits (B, C) in float32 from sentence vectors (B, H)."""
        with torch.autocast(vectors.device.type, enabled=False):
            return self.linear((vectors.float() - self.center) / self.scale)  # type: ignore[no-any-return]

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy with label smoothing, (B,)."""
        return functional.cross_entropy(
            logits.float(), targets, reduction="none", label_smoothing=self.label_smoothing
        )

    def fit(self, logits: Tensor, targets: Tensor) -> Fit:
        """Accuracy of the most probable label; collapsed: see `_ONE_LABEL_SHARE`."""
        predicted = logits.argmax(dim=-1)
        accuracy = float((predicted == targets).float().mean())
        one_class = bool((predicted == predicted[0]).all())
        return Fit(accuracy=accuracy, collapsed=one_class and accuracy < _ONE_LABEL_SHARE)

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Logistic regression on frozen vectors, by L-BFGS to its optimum.

        Args:
            vectors: (N, H).
            targets: (N,).
            weights: (N,) >= 0, of any scale.
            l2: Squared-norm penalty on the weights, against the sum over the N examples: 1 / C of
                scikit-learn.
        """
        shares = (weights / weights.sum()).double()  # (N,)
        center = (vectors.double() * shares[:, None]).sum(dim=0)  # (H,)
        scale = (vectors.double() - center).norm(dim=1).mean().clamp(min=1e-6)
        inputs = (vectors.double() - center) / scale
        layer = nn.Linear(vectors.shape[1], len(self.task.labels)).double().to(vectors.device)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        optimizer = torch.optim.LBFGS(
            layer.parameters(), max_iter=200, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = (self.losses(layer(inputs), targets).double() * shares).sum()
            loss = loss + 0.5 * l2 / len(vectors) * layer.weight.square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.linear.weight.copy_(layer.weight)
            self.linear.bias.copy_(layer.bias)
            self.center.copy_(center)
            self.scale.copy_(scale)


_HEADS = {TaskKind.SINGLE_LABEL: SingleLabelHead}


def build_head(task: TaskSpec, width: int, *, label_smoothing: float = 0.0) -> SingleLabelHead:
    """The head for a task, untrained, for an encoder of width H."""
    return _HEADS[task.kind](task, width, label_smoothing=label_smoothing)
