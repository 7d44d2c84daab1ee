"""Metrics of predictions by language, with intervals, computed from credit."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import spellings
from xlt.errors import DataError
from xlt.tasks.task import AnyTask

#: Two-sided 95 % point of the standard normal distribution.
_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageScore:
    """Scores of a model on the labels of one language.

    Attributes:
        n: Number of labels.
        correct: Sum of the credit.
        accuracy: Mean credit, correct / n, in [0, 1].
        low: Lower end of the 95 % Wilson interval of the accuracy.
        high: Upper end of the interval.
        more: The task's other measures by name, such as macro_f1, each in [0, 1].
    """

    n: int
    correct: float
    accuracy: float
    low: float
    high: float
    more: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, float]:
        """Returns all numbers by name; a whole number of right answers as an integer."""
        whole = float(self.correct).is_integer()
        return {
            "n": self.n,
            "correct": int(self.correct) if whole else round(self.correct, 6),
            "accuracy": self.accuracy,
            **self.more,
            "low": self.low,
            "high": self.high,
        }


def wilson(correct: float, n: float, *, z: float = _Z_95) -> tuple[float, float]:
    """Returns the Wilson score interval of a proportion; (0, 1) for n = 0.

    It is wide enough for a mean of numbers in [0, 1], too: their variance is at most that of zeros
    and ones with the same mean.

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


def score(task: AnyTask, truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> LanguageScore:
    """Judges predictions of all languages together."""
    _same_length(truth, predicted)
    n = len(truth)
    correct = float(task.credit(truth, predicted).sum())
    low, high = wilson(min(correct, n), n)
    return LanguageScore(
        n=n,
        correct=correct,
        accuracy=correct / n if n else 0.0,
        low=low,
        high=high,
        more=dict(task.summary(truth, predicted)),
    )


def per_language(
    task: AnyTask,
    truth: Sequence[Hashable],
    predicted: Sequence[Hashable],
    langs: Sequence[str],
) -> Mapping[str, LanguageScore]:
    """Judges predictions by language, in the order of first appearance.

    All codes and names of a language are one language, called by the first of them.

    Raises:
        DataError: If the three sequences differ in length.
    """
    _same_length(truth, predicted)
    _same_length(truth, langs)
    called = spellings(langs)
    rows: dict[str, list[int]] = {}
    for row, lang in enumerate(langs):
        rows.setdefault(called[lang], []).append(row)
    return {
        lang: score(task, [truth[i] for i in own], [predicted[i] for i in own])
        for lang, own in rows.items()
    }


def ece(confidence: NDArray[np.floating], credit: NDArray[np.floating], *, bins: int = 10) -> float:
    """Returns the expected calibration error over equal confidence bins (Guo et al. 2017).

    Args:
        confidence: (N,) in [0, 1], expected credit.
        credit: (N,) in [0, 1], earned credit.
        bins: Number of bins over (0, 1].

    Returns:
        Mean gap between confidence and credit, weighted by bin size, in [0, 1]; 0 for N = 0.
    """
    n = len(confidence)
    if n == 0:
        return 0.0
    slot = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(slot, weights=credit - confidence, minlength=bins)
    return float(np.abs(gap).sum() / n)


def _same_length(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        raise DataError(
            f"expected the same number of labels and predictions, got {len(first)} and "
            f"{len(second)}"
        )


def without_answers(task: AnyTask, answers: Iterable[Hashable]) -> list[str]:
    """Returns the labels that no answer has: such answers neither teach nor judge them."""
    given = {label for answer in answers for label, has in task.decisions(answer) if has}
    return [label for label in task.labels if label not in given]
