"""Improvement by the last labels of each language: the signal to stop labelling it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.payoff.labelled import Labelled
from xlt.tasks.intervals import Interval, paired_difference
from xlt.tasks.task import Probe

#: Number of last labels, or half of a language's labels if that is less.
LAST = 100
#: Smallest number of last labels, and of labels that judge.
LEAST_LAST, _LEAST_JUDGED = 10, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """Improvement by the last labels of a language.

    Attributes:
        labels: Number of last labels.
        gain: Accuracy in the language with them minus without them. The interval covers the labels
            that judge; it is about these labels, not about the next ones.
        judged: Number of labels that judged.
    """

    labels: int
    gain: Interval
    judged: int


def last_labels(count: int) -> int:
    """Returns the number of last labels of a language with `count` labels."""
    return min(LAST, count // 2)


def improvement_by_last(
    labelled: Labelled,
    trained: NDArray[np.intp],
    judging: NDArray[np.intp],
) -> dict[str, Improvement | None]:
    """Measures the improvement by the last labels of each language.

    Trains one probe on all labels, and one more for each language on all but its last labels.
    Judges both on the same labels of the language.

    Args:
        labelled: All labels.
        trained: Rows that train, the oldest label first.
        judging: Rows that judge; they train no probe.

    Returns:
        Language -> improvement. None if the language has too few labels.
    """
    data = labelled.scaled()
    improvements: dict[str, Improvement | None] = {}
    whole: Probe | None = None
    for lang in dict.fromkeys(data.langs[np.concatenate([trained, judging])].tolist()):
        rows = judging[data.langs[judging] == lang]
        own = np.flatnonzero(data.langs[trained] == lang)
        last = own[len(own) - last_labels(len(own)) :]
        if len(last) < LEAST_LAST or len(rows) < _LEAST_JUDGED:
            improvements[lang] = None
            continue
        whole = whole or data.fit(trained)
        gain = paired_difference(*compared(data, trained, last, rows, whole))
        improvements[lang] = Improvement(labels=len(last), gain=gain, judged=len(rows))
    return improvements


def compared(
    data: Labelled,
    trained: NDArray[np.intp],
    last: NDArray[np.intp],
    judging: NDArray[np.intp],
    whole: Probe,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the credit of judging rows by all trained rows, and by all except those at `last`."""
    without = data.fit(np.delete(trained, last), start=whole)
    return data.credit(whole, judging), data.credit(without, judging)
