"""Pooling: from the states of tokens to one vector for a text."""

from __future__ import annotations

from torch import Tensor


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Mean of hidden states (B, T, H) over the tokens of `mask` (B, T), as float32 (B, H)."""
    kept = mask.unsqueeze(-1).float()  # (B, T, 1)
    return (states.float() * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1.0)
