"""Judging: probabilities, the set of labels with most expected credit, uncertainty and credit.

The credit of a set of labels is its Jaccard index with the right one: the labels in both, as a
share of the labels in either; two empty sets earn 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError, DataError
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Suggestion

Labels = tuple[str, ...]


def many_hot(answers: Sequence[Labels], labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the right probabilities (N, C): 1 for each chosen label, 0 for the others.

    Raises:
        DataError: If a label is unknown.
    """
    position = {label: number for number, label in enumerate(labels)}
    targets = np.zeros((len(answers), len(labels)))
    for row, answer in enumerate(answers):
        for label in answer:
            if label not in position:
                raise DataError(f"unknown label {label!r}; labels: {list(labels)}")
            targets[row, position[label]] = 1.0
    return targets


def fit(
    outputs: Outputs, answers: Sequence[Labels], langs: Sequence[str], labels: Sequence[str]
) -> Calibration:
    """Fits temperatures of the sigmoid."""
    return calibration.fit(outputs.values, many_hot(answers, labels), langs, "sigmoid")


def beliefs(outputs: Outputs, langs: Sequence[str], fitted: Calibration) -> Outputs:
    """Returns the probability of each label, (N, C)."""
    return Outputs(fitted.apply(outputs.values, langs, "sigmoid"))


def regroup(believed: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
    """Returns the probabilities (N, C) that any label of a group is right, taken as independent.

    Args:
        believed: (N, V) probabilities.
        columns: C groups of columns, disjoint and not empty.
    """
    wrong = 1.0 - np.asarray(believed.values, dtype=np.float64)
    # 1 - (1 - p) is not p in floating point: a group of one label keeps its probability exactly.
    groups = [
        believed.values[:, group[0]]
        if len(group) == 1
        else 1.0 - wrong[:, list(group)].prod(axis=1)
        for group in columns
    ]
    return Outputs(np.stack(groups, axis=1))


def decode(believed: Outputs, labels: Sequence[str]) -> list[Suggestion]:
    """Returns the labels with most expected credit for each example, possibly none."""
    p = np.asarray(believed.values, dtype=np.float64)
    ranked = np.argsort(-p, axis=1, kind="stable")  # (N, C)
    expected = expected_credit(np.take_along_axis(p, ranked, axis=1))  # (N, C + 1)
    counts = expected.argmax(axis=1)
    suggestions = []
    for row, count in enumerate(counts.tolist()):
        chosen = set(ranked[row, :count].tolist())
        suggestions.append(
            Suggestion(
                answer=tuple(label for number, label in enumerate(labels) if number in chosen),
                confidence=float(min(expected[row, count], 1.0)),
                probabilities=dict(zip(labels, p[row].tolist(), strict=True)),
            )
        )
    return suggestions


def expected_credit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the expected credit of the k most probable labels, (N, C + 1) for k from 0 to C.

    Labels are assumed independent. With A of the k chosen labels and B of the others right, the
    credit is A / (k + B); A and B are independent, so its mean is exactly E[A] E[1 / (k + B)]. For
    each k no other k labels have more: fewer of them would be right, and more of the others.

    Args:
        p: (N, C) probabilities, each row in descending order.
    """
    n, width = p.shape
    expected = np.zeros((n, width + 1))
    right = np.cumsum(p, axis=1)  # (N, C): E[A] for k = 1..C
    others = np.zeros((n, width + 1))  # (N, C + 1): distribution of B
    others[:, 0] = 1.0
    for k in range(width, 0, -1):
        expected[:, k] = right[:, k - 1] * (others / (k + np.arange(width + 1))).sum(axis=1)
        chance = p[:, k - 1 : k]
        others[:, 1:] = others[:, 1:] * (1.0 - chance) + others[:, :-1] * chance
        others[:, :1] *= 1.0 - chance
    expected[:, 0] = others[:, 0]
    return expected


def _margin(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 - np.abs(2.0 * p - 1.0))


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    q = np.stack([p, 1.0 - p])
    return np.asarray(-(q * np.log2(np.where(q > 0, q, 1.0))).sum(axis=0))


#: Measures of one label's uncertainty; the uncertainty of an example is the mean over its labels.
MEASURES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "margin": _margin,
    "entropy": _entropy,
}


def uncertainty(believed: Outputs, measure: str) -> NDArray[np.float64]:
    """Returns the mean uncertainty of the labels, (N,) in [0, 1].

    Raises:
        ConfigError: If there is no measure of that name.
    """
    if measure not in MEASURES:
        raise ConfigError(f"measure must be one of {list(MEASURES)}, got {measure!r}")
    each = MEASURES[measure](np.asarray(believed.values, dtype=np.float64))
    mean: NDArray[np.float64] = each.mean(axis=1)
    return np.clip(mean, 0.0, 1.0)


def credit(truth: Sequence[Labels], predicted: Sequence[Labels]) -> NDArray[np.float64]:
    """Returns the Jaccard index of each pair of answers, (N,)."""
    pairs = [(set(one), set(two)) for one, two in zip(truth, predicted, strict=True)]
    each = [len(one & two) / len(one | two) if one | two else 1.0 for one, two in pairs]
    return np.array(each, dtype=np.float64)


def brier(
    believed: Outputs, answers: Sequence[Labels], labels: Sequence[str]
) -> NDArray[np.float64]:
    """Returns the squared distance of the probabilities from the right ones, (N,)."""
    return np.asarray(((believed.values - many_hot(answers, labels)) ** 2).sum(axis=1))


def summary(truth: Sequence[Labels], predicted: Sequence[Labels]) -> Mapping[str, float]:
    """Returns the share of exactly right answers, and F1 over all labels of all examples."""
    pairs = [(set(one), set(two)) for one, two in zip(truth, predicted, strict=True)]
    hits = sum(len(one & two) for one, two in pairs)
    seen = sum(len(one) + len(two) for one, two in pairs)
    return {
        "exact": sum(one == two for one, two in pairs) / len(pairs) if pairs else 0.0,
        "micro_f1": 2 * hits / seen if seen else float(bool(pairs)),
    }
