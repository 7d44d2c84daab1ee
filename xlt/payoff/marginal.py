"""What the last labels of a language bought: the signal to stop, language by language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.payoff.intervals import Interval, paired_difference
from xlt.payoff.labelled import Labelled
from xlt.tasks.task import Probe

#: So many labels are the last ones, or half of a language's where it has fewer than twice as many.
LAST = 100
#: Below so many last labels, or labels to judge by, it is too early to say.
LEAST_LAST, _LEAST_JUDGED = 10, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """What the last labels of a language bought.

    Attributes:
        labels: How many they are.
        gain: Accuracy in the language with them minus without them. The interval is that of the
            labels that judge; it says what these labels bought, not what the next ones will.
        judged: Labels that judged.
    """

    labels: int
    gain: Interval
    judged: int


def last_labels(count: int) -> int:
    """How many of a language's `count` labels are its last ones."""
    return min(LAST, count // 2)


def improvement_by_last(
    labelled: Labelled,
    trained: NDArray[np.intp],
    judging: NDArray[np.intp],
) -> dict[str, Improvement | None]:
    """What the last labels of each language bought; None: too early to say.

    One quick head is trained on all labels, one more for each language on all but its last ones,
    and both are judged on the same labels of the language.

    Args:
        labelled: All labels.
        trained: Rows that train, the oldest label first.
        judging: Rows that judge; they train neither head.
    """
    data = labelled.scaled()
    found: dict[str, Improvement | None] = {}
    whole: Probe | None = None
    for lang in dict.fromkeys(data.langs[np.concatenate([trained, judging])].tolist()):
        rows = judging[data.langs[judging] == lang]
        own = np.flatnonzero(data.langs[trained] == lang)
        last = own[len(own) - last_labels(len(own)) :]
        if len(last) < LEAST_LAST or len(rows) < _LEAST_JUDGED:
            found[lang] = None
            continue
        whole = whole or data.fit(trained)
        gain = paired_difference(*compared(data, trained, last, rows, whole))
        found[lang] = Improvement(labels=len(last), gain=gain, judged=len(rows))
    return found


def compared(
    data: Labelled,
    trained: NDArray[np.intp],
    last: NDArray[np.intp],
    judging: NDArray[np.intp],
    whole: Probe,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the credit of judging rows with all trained rows, and without those at `last`."""
    without = data.fit(np.delete(trained, last), start=whole)
    return data.credit(whole, judging), data.credit(without, judging)
