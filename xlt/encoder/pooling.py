"""Pooling: one vector for a text from the hidden states of its tokens, one for several texts."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean of hidden states (B, T, H) over the tokens of `mask` (B, T).

    The vectors, (B, H), are float32.
    """
    weights = mask.unsqueeze(-1).float()  # (B, T, 1)
    return (states.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def combine(vectors: Tensor) -> Tensor:
    """Returns one vector for texts that belong together, from the vector of each, (B, K, H).

    A single text keeps its vector. Of several texts, it holds the vectors at length 1, then
    |u - v| and sqrt(H) u v of each two of them: what they share is in those (Conneau et al. 2017,
    section 3.2). All three kinds of numbers have about the same size.

    Returns:
        (B, `combined_width(H, K)`) float32.
    """
    if vectors.shape[1] == 1:
        return vectors[:, 0].float()
    units = functional.normalize(vectors.float(), dim=-1)
    each = units.unbind(dim=1)
    differences = [(u - v).abs() for u, v in combinations(each, 2)]
    products = [u * v * vectors.shape[-1] ** 0.5 for u, v in combinations(each, 2)]
    return torch.cat([*each, *differences, *products], dim=1)


def combine_layers(vectors: Tensor) -> Tensor:
    """Combines the vectors of each of L layers, (B, K, L, H); returns (B, L, D)."""
    texts, layers, width = vectors.shape[1:]
    apart_by_layer = vectors.transpose(1, 2).reshape(-1, texts, width)
    return combine(apart_by_layer).view(-1, layers, combined_width(width, texts))


def combined_width(width: int, texts: int) -> int:
    """Returns the length of the vector of `texts` texts, each with a vector of length `width`."""
    return width * texts * texts
