"""How good predictions are, language by language, with honest intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError

#: Two-sided 95 % point of the standard normal distribution.
_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageScore:
    """What labels say of a model in one language.

    Attributes:
        n: Labels that it was judged by.
        correct: How many of them were predicted.
        accuracy: correct / n, in [0, 1].
        macro_f1: Mean F1 over the classes that were seen or predicted, in [0, 1].
        low: Lower end of the 95 % Wilson interval of the accuracy.
        high: Upper end of it.
    """

    n: int
    correct: int
    accuracy: float
    macro_f1: float
    low: float
    high: float


def wilson(correct: float, n: float, *, z: float = _Z_95) -> tuple[float, float]:
    """Wilson score interval of a proportion; (0, 1) where nothing was seen.

    Raises:
        DataError: If `correct` is not between 0 and `n`.
    """
    if not 0 <= correct <= n:
        raise DataError(f"expected 0 <= correct <= n, got correct={correct}, n={n}")
    if n == 0:
        return 0.0, 1.0
    share = correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def macro_f1(labels: Sequence[str], predicted: Sequence[str]) -> float:
    """Mean F1 over the classes that occur in either sequence; 0 where there is none."""
    _same_length(labels, predicted)
    classes = sorted(set(labels) | set(predicted))
    if not classes:
        return 0.0
    total = 0.0
    for name in classes:
        hits = sum(a == b == name for a, b in zip(labels, predicted, strict=True))
        seen = sum(a == name for a in labels) + sum(b == name for b in predicted)
        total += 2 * hits / seen
    return total / len(classes)


def score(labels: Sequence[str], predicted: Sequence[str]) -> LanguageScore:
    """Judges predictions against labels, whatever their languages."""
    _same_length(labels, predicted)
    n = len(labels)
    correct = sum(a == b for a, b in zip(labels, predicted, strict=True))
    low, high = wilson(correct, n)
    return LanguageScore(
        n=n,
        correct=correct,
        accuracy=correct / n if n else 0.0,
        macro_f1=macro_f1(labels, predicted),
        low=low,
        high=high,
    )


def per_language(
    labels: Sequence[str], predicted: Sequence[str], langs: Sequence[str]
) -> Mapping[str, LanguageScore]:
    """Judges predictions language by language, in the order of first appearance.

    Raises:
        DataError: If the three sequences differ in length.
    """
    _same_length(labels, predicted)
    _same_length(labels, langs)
    rows: dict[str, list[int]] = {}
    for row, lang in enumerate(langs):
        rows.setdefault(lang, []).append(row)
    return {
        lang: score([labels[i] for i in found], [predicted[i] for i in found])
        for lang, found in rows.items()
    }


def ece(
    probabilities: NDArray[np.floating], label_indices: NDArray[np.integer], *, bins: int = 10
) -> float:
    """Expected calibration error over equally wide confidence bins (Guo et al. 2017).

    Args:
        probabilities: (N, C), rows sum to 1.
        label_indices: (N,), the right class of each row.
        bins: Number of bins over (0, 1].

    Returns:
        Mean gap between confidence and accuracy, weighted by bin size, in [0, 1]; 0 for N = 0.
    """
    n = len(probabilities)
    if n == 0:
        return 0.0
    confidence = probabilities.max(axis=1)  # (N,)
    right = probabilities.argmax(axis=1) == label_indices  # (N,)
    slot = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(slot, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / n)


def _same_length(first: Sequence[str], second: Sequence[str]) -> None:
    if len(first) != len(second):
        raise DataError(
            f"expected as many labels as predictions, got {len(first)} and {len(second)}"
        )
