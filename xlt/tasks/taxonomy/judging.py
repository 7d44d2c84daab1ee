"""Judging: probabilities along the tree, suggestions, uncertainty, and credit by shared path.

Where one path is asked for, outputs are a softmax over the paths: the probability that an answer
ends there. That of a node is the sum over all ends at or below it. Where several can be chosen, a
column is the probability that an answer selects the end of the path, there or below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.sampling import uncertainty as of_distribution
from xlt.tasks import calibration
from xlt.tasks.calibration import Calibration, Link
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Suggestion
from xlt.tasks.taxonomy.answers import labels_of
from xlt.tasks.trees import (
    Paths,
    best_sets,
    credits_of,
    f1,
    nodes_of,
    numbers,
    raised,
    tree_of,
)

Values = NDArray[np.float64]


def link_of(most: int | None) -> Link:
    """Returns the function from outputs to probabilities."""
    return "softmax" if most == 1 else "sigmoid"


def targets(answers: Sequence[Paths], paths: Paths, most: int | None) -> Values:
    """Returns the right probabilities (N, W).

    Raises:
        DataError: If a path is not in the tree.
    """
    tree = tree_of(paths)
    right = np.zeros((len(answers), len(paths)))
    for row, answer in enumerate(answers):
        chosen = numbers(answer, tree)
        if most == 1:
            right[row, chosen] = 1.0
        else:
            right[row] = tree.selected[chosen][:, tree.ends].any(axis=0)
    return right


def beliefs(
    outputs: Outputs, langs: Sequence[str], fitted: Calibration, paths: Paths, most: int | None
) -> Outputs:
    """Returns the probabilities (N, W); no node is less probable than one below it."""
    p = fitted.apply(outputs.values, langs, link_of(most))
    return Outputs(p if most == 1 else raised(p, tree_of(paths)))


def decode(believed: Outputs, paths: Paths, most: int | None) -> list[Suggestion]:
    """Returns the answers with most expected credit."""
    tree, p = tree_of(paths), np.asarray(believed.values, dtype=np.float64)
    if most == 1:
        expected = p @ credits_of(paths)  # (N, W)
        best = expected.argmax(axis=1)
        answers: list[Paths] = [(paths[number],) for number in best.tolist()]
        confidence = np.take_along_axis(expected, best[:, None], axis=1)[:, 0]
        p = p @ tree.selected[:, tree.ends]
    else:
        p = raised(p, tree)
        answers, confidence = best_sets(p, tree, most)
    return [
        Suggestion(
            answer=answer,
            confidence=min(max(sure, 0.0), 1.0),
            probabilities=dict(zip(labels_of(paths), row, strict=True)),
        )
        for answer, sure, row in zip(answers, confidence.tolist(), p.tolist(), strict=True)
    ]


def _expected_loss(p: Values, paths: Paths) -> Values:
    """Returns the credit that the suggestion is expected to lose, 1 for equal probabilities."""
    credits = credits_of(paths)
    least = 1.0 - (p @ credits).max(axis=1)
    return np.asarray(least / (1.0 - credits.mean(axis=0).max()))


def _margin(p: Values, paths: Paths) -> Values:
    return of_distribution.margin(p)


def _entropy(p: Values, paths: Paths) -> Values:
    return of_distribution.entropy(p)


def _mean_margin(p: Values, paths: Paths) -> Values:
    return np.asarray((1.0 - np.abs(2.0 * p - 1.0)).mean(axis=1))


def _mean_entropy(p: Values, paths: Paths) -> Values:
    q = np.stack([p, 1.0 - p])
    return np.asarray(-(q * np.log2(np.where(q > 0, q, 1.0))).sum(axis=0).mean(axis=1))


Measures = Mapping[str, Callable[[Values, Paths], Values]]

#: Measures where one path is asked for, the default first.
OF_ONE: Measures = {"expected_loss": _expected_loss, "margin": _margin, "entropy": _entropy}
#: Measures where several can be chosen: means over the paths.
OF_SEVERAL: Measures = {"margin": _mean_margin, "entropy": _mean_entropy}


def measures_of(most: int | None) -> Measures:
    """Returns the uncertainty measures by name, the default first."""
    return OF_ONE if most == 1 else OF_SEVERAL


def uncertainty(believed: Outputs, measure: str, paths: Paths, most: int | None) -> Values:
    """Returns an uncertainty measure of each example, (N,) in [0, 1].

    Raises:
        ConfigError: If there is none of that name.
    """
    measures = measures_of(most)
    if measure not in measures:
        raise ConfigError(f"measure must be one of {list(measures)}, got {measure!r}")
    p = np.asarray(believed.values, dtype=np.float64)
    return np.clip(measures[measure](p, paths), 0.0, 1.0)


def fit(
    outputs: Outputs, answers: Sequence[Paths], langs: Sequence[str], paths: Paths, most: int | None
) -> Calibration:
    """Fits temperatures of the softmax, or of the sigmoid."""
    right = targets(answers, paths, most)
    return calibration.fit(outputs.values, right, langs, link_of(most))


def credit(truth: Sequence[Paths], predicted: Sequence[Paths]) -> Values:
    """Returns the hierarchical F1 of each pair of answers, (N,)."""
    return np.array([f1(a, b) for a, b in zip(truth, predicted, strict=True)], dtype=np.float64)


def brier(believed: Outputs, answers: Sequence[Paths], paths: Paths, most: int | None) -> Values:
    """Returns the squared distance of the probabilities from the right ones, (N,)."""
    return np.asarray(((believed.values - targets(answers, paths, most)) ** 2).sum(axis=1))


def summary(truth: Sequence[Paths], predicted: Sequence[Paths]) -> Mapping[str, float]:
    """Returns shares of right answers, whole and at the first level, and F1 of all nodes."""
    pairs = list(zip(truth, predicted, strict=True))
    nodes = [(set(nodes_of(one)), set(nodes_of(two))) for one, two in pairs]
    hits = sum(len(one & two) for one, two in nodes)
    seen = sum(len(one) + len(two) for one, two in nodes)
    roots = [{path[0] for path in one} == {path[0] for path in two} for one, two in pairs]
    return {
        "exact": float(np.mean([one == two for one, two in pairs])) if pairs else 0.0,
        "first_level": float(np.mean(roots)) if pairs else 0.0,
        "micro_f1": 2 * hits / seen if seen else float(bool(pairs)),
    }
