"""Texts that belong together: each is read apart, and their vectors make one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError

_LEAST_LENGTH = 1e-12


def apart(inputs: Sequence[str | tuple[str, ...]]) -> tuple[list[str], int]:
    """Returns the texts of all inputs one after another, and the number of texts of an input.

    Raises:
        DataError: If the inputs do not all have the same number of texts.
    """
    each = [(one,) if isinstance(one, str) else one for one in inputs]
    counts = sorted({len(texts) for texts in each})
    if len(counts) > 1:
        raise DataError(f"expected examples with the same number of texts, got {counts}")
    return [text for texts in each for text in texts], counts[0] if counts else 1


def combined(vectors: Any, concatenate: Callable[[list[Any], int], Any]) -> Any:  # noqa: ANN401 - of numpy, or of torch where gradients are needed
    """Returns one vector for texts that belong together, from the vector of each, (B, K, H).

    A single text keeps its vector. Of several texts, it holds the vectors at length 1, then
    |u - v| and sqrt(H) u v of each two of them: what they share is in those (Conneau et al. 2017,
    section 3.2). All three kinds of numbers have about the same size.

    Args:
        vectors: The vectors, an array or a tensor.
        concatenate: `numpy.concatenate` or `torch.cat`.

    Returns:
        (B, `combined_width(H, K)`).
    """
    if vectors.shape[1] == 1:
        return vectors[:, 0]
    lengths = (vectors * vectors).sum(-1)[:, :, None] ** 0.5
    units = vectors / lengths.clip(_LEAST_LENGTH)
    each = [units[:, text] for text in range(vectors.shape[1])]
    differences = [abs(u - v) for u, v in combinations(each, 2)]
    products = [u * v * vectors.shape[-1] ** 0.5 for u, v in combinations(each, 2)]
    return concatenate([*each, *differences, *products], 1)


def combine_layers(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Combines the vectors of each of L layers, (B, K, L, H); returns (B, L, D)."""
    texts, layers, width = vectors.shape[1:]
    apart_by_layer = vectors.swapaxes(1, 2).reshape(-1, texts, width)
    each: NDArray[np.float32] = combined(apart_by_layer, np.concatenate)
    return each.reshape(-1, layers, combined_width(width, texts))


def combined_width(width: int, texts: int) -> int:
    """Returns the length of the vector of `texts` texts, each with a vector of length `width`."""
    return width * texts * texts
