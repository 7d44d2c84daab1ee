"""Texts that belong together: taken apart to be read, and their vectors combined to one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError

Array = NDArray[np.float32]

#: Shortest length that a vector is divided by, as in torch.nn.functional.normalize.
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


def combined(vectors: Array) -> Array:
    """Combines vectors (B, K, L, H) of K texts, each of L layers; returns (B, L, D).

    It does what `xlt.encoder.pooling.combine` does, without torch and without gradients.
    """
    if vectors.shape[1] == 1:
        return vectors[:, 0]
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    each = np.moveaxis(vectors / np.maximum(lengths, np.float32(_LEAST_LENGTH)), 1, 0)
    differences = [np.abs(u - v) for u, v in combinations(each, 2)]
    scale = np.float32(vectors.shape[-1] ** 0.5)
    products = [u * v * scale for u, v in combinations(each, 2)]
    return np.concatenate([*each, *differences, *products], axis=-1)
