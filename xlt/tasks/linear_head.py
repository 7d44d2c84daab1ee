"""A linear head on the mean vector of a text, for kinds whose outputs are one row per example."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from xlt.encoder.pooling import combine, mean_pool
from xlt.tasks.heads import Head
from xlt.tasks.logistic import fit
from xlt.tasks.task import AnyTask


def pooled(states: Tensor, mask: Tensor, texts: int) -> Tensor:
    """Returns vectors (B, D) of B examples from the states (B texts, T, H) of their texts."""
    each = mean_pool(states, mask)
    return combine(each.view(-1, texts, each.shape[-1]))


class LinearHead(Head):
    """A linear layer on the centred and scaled mean vector, of several texts on their combination.

    Centre and scale are buffers, measured on the frozen encoder's vectors, so that one learning
    rate suits encoders of any scale.
    """

    apart = True

    center: Tensor
    scale: Tensor

    def __init__(self, task: AnyTask, width: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__(task, width, label_smoothing=label_smoothing)
        self.task = task
        self.label_smoothing = label_smoothing
        self.linear = nn.Linear(width, task.width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Returns logits (B, W) in float32 from states (B texts, T, H)."""
        return self.classify(pooled(states, mask, self.texts))

    def classify(self, vectors: Tensor) -> Tensor:
        """Returns logits (B, W) in float32 from sentence vectors (B, D)."""
        with torch.autocast(vectors.device.type, enabled=False):
            return self.linear((vectors.float() - self.center) / self.scale)  # type: ignore[no-any-return]

    @abstractmethod
    def right(self, targets: Tensor) -> Tensor:
        """Returns the right probabilities (N, W) of targets, smoothed."""

    def warm_start(self, vectors: Tensor, targets: Tensor, weights: Tensor, *, l2: float) -> None:
        """Fits the layer on frozen vectors, like the kind's probe.

        Args:
            vectors: (N, D).
            targets: (N, ...).
            weights: (N,) >= 0, of any scale.
            l2: Squared-norm penalty on the weights, against the sum over the N examples: 1 / C of
                scikit-learn.
        """
        assert self.task.link is not None, "the kind has a layer on sentence vectors"
        shares = (weights / weights.sum()).double()  # (N,)
        center = (vectors.double() * shares[:, None]).sum(dim=0)  # (H,)
        scale = (vectors.double() - center).norm(dim=1).mean().clamp(min=1e-6)
        layer = fit(
            ((vectors.double() - center) / scale).cpu().numpy(),
            self.right(targets).double().cpu().numpy(),
            self.task.link,
            l2=l2,
            weights=shares.cpu().numpy(),
        )
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(layer.weights))
            self.linear.bias.copy_(torch.from_numpy(layer.biases))
            self.center.copy_(center)
            self.scale.copy_(scale)
