"""Pooling: one vector for a text from the hidden states of its tokens, one for several texts."""

from __future__ import annotations

import torch
from torch import Tensor

from xlt.encoder.together import combined


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean of hidden states (B, T, H) over the tokens of `mask` (B, T).

    The vectors, (B, H), are float32.
    """
    weights = mask.unsqueeze(-1).float()  # (B, T, 1)
    return (states.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def combine(vectors: Tensor) -> Tensor:
    """Returns one vector (B, D) for texts that belong together, see `combined`."""
    one: Tensor = combined(vectors.float(), torch.cat)
    return one
