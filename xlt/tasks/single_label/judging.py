"""Judging: groups of labels, and F1; the rest is that of any label (`categorical`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xlt.tasks.outputs import Outputs


def regroup(believed: Outputs, columns: Sequence[Sequence[int]]) -> Outputs:
    """Returns the probabilities of groups of labels, given that one of the groups is right.

    Args:
        believed: (N, V) class probabilities.
        columns: C groups of columns, disjoint and not empty.
    """
    values = np.asarray(believed.values, dtype=np.float64)
    # From the largest of a row, so that tiny probabilities keep their ratio and 0 is no divisor.
    groups = np.stack([values[:, list(group)].sum(axis=1) for group in columns], axis=1)
    highest = groups.max(axis=1, keepdims=True, initial=0.0)
    ratios = np.where(highest > 0, groups / np.where(highest > 0, highest, 1.0), 1.0)
    return Outputs(ratios / ratios.sum(axis=1, keepdims=True))


def summary(truth: Sequence[str], predicted: Sequence[str]) -> Mapping[str, float]:
    """Returns the macro-averaged F1."""
    return {"macro_f1": macro_f1(truth, predicted)}


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Returns the mean F1 over the labels that occur in either sequence; 0 if there is none."""
    names = sorted(set(truth) | set(predicted))
    if not names:
        return 0.0
    total = 0.0
    for name in names:
        hits = sum(a == b == name for a, b in zip(truth, predicted, strict=True))
        seen = sum(a == name for a in truth) + sum(b == name for b in predicted)
        total += 2 * hits / seen
    return total / len(names)
