"""Quality of a model by label and by confidence: precision, recall, confusions, calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import spellings
from xlt.errors import DataError
from xlt.tasks.intervals import Interval
from xlt.tasks.metrics import ece, wilson
from xlt.tasks.task import AnyTask

#: Equal bins of confidence, as those of `xlt.tasks.metrics.ece`.
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelQuality:
    """Judgement of one label.

    Attributes:
        label: The label.
        given: Number of right answers that have it.
        said: Number of the model's answers that have it.
        right: Number of examples of which both have it.
        precision: right / said with its 95 % Wilson interval; None if the model never gave it.
        recall: right / given, likewise; None if no right answer has it.
    """

    label: str
    given: int
    said: int
    right: int
    precision: Interval | None
    recall: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """A cell of the confusion matrix that is not 0.

    Attributes:
        truth: The right label.
        said: The model's label.
        n: Number of examples.
    """

    truth: str
    said: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers with about the same confidence.

    Attributes:
        low: Lower end of the bin, which is not in it.
        high: Upper end.
        n: Number of answers, at least 1.
        confidence: Their mean confidence, in [0, 1].
        credit: Their mean credit with its 95 % Wilson interval.
    """

    low: float
    high: float
    n: int
    confidence: float
    credit: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Judgement of a model on labelled examples.

    Attributes:
        n: Number of examples.
        labels: The labels that an answer has, in the order of the task.
        confusions: Cells of the confusion matrix; empty if an answer is not one label.
        bins: Bins with answers, from low to high confidence; empty if confidences are not known.
        ece: Expected calibration error; None if confidences are not known.
    """

    n: int
    labels: tuple[LabelQuality, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    bins: tuple[Bin, ...] = ()
    ece: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns all numbers by name."""
        return asdict(self)


def quality(
    task: AnyTask,
    truth: Sequence[Hashable],
    predicted: Sequence[Hashable],
    confidence: Sequence[float] | None = None,
) -> Quality:
    """Judges N answers.

    An answer with several labels counts for each of them: for spans, precision and recall of a
    label are those of texts that have it anywhere.

    Args:
        task: Task of the answers.
        truth: The right answers.
        predicted: The model's answers.
        confidence: Expected credit of each, in [0, 1]; None if it is not known.

    Raises:
        DataError: If the sequences differ in length.
    """
    lengths = {len(truth), len(predicted), *([] if confidence is None else [len(confidence)])}
    if len(lengths) > 1:
        raise DataError(f"expected one prediction for each label, got {sorted(lengths)}")
    right, said = ([_labels(task, answer) for answer in answers] for answers in (truth, predicted))
    confusions: tuple[Confusion, ...] = ()
    if truth and task.classes(truth) is not None:
        cells = Counter((a[0], b[0]) for a, b in zip(right, said, strict=True))
        place = {label: at for at, label in enumerate(task.labels)}
        ordered = sorted(cells, key=lambda cell: [place.get(label, len(place)) for label in cell])
        confusions = tuple(Confusion(truth=a, said=b, n=cells[a, b]) for a, b in ordered)
    sure = None if confidence is None else np.asarray(confidence, dtype=np.float64)
    credit = task.credit(truth, predicted)
    return Quality(
        n=len(truth),
        labels=_by_label(task, right, said),
        confusions=confusions,
        bins=() if sure is None else _bins(sure, credit),
        ece=None if sure is None else round(ece(sure, credit, bins=BINS), 4),
    )


def by_language(
    task: AnyTask,
    truth: Sequence[Hashable],
    predicted: Sequence[Hashable],
    langs: Sequence[str],
    confidence: Sequence[float] | None = None,
) -> Mapping[str, Quality]:
    """Judges answers by language; languages are named as by `metrics.per_language`."""
    called = spellings(langs)
    rows: dict[str, list[int]] = {}
    for row, lang in enumerate(langs):
        rows.setdefault(called[lang], []).append(row)
    return {
        lang: quality(
            task,
            [truth[row] for row in own],
            [predicted[row] for row in own],
            None if confidence is None else [confidence[row] for row in own],
        )
        for lang, own in rows.items()
    }


def _labels(task: AnyTask, answer: Hashable) -> list[str]:
    return [label for label, has in task.decisions(answer) if has]


def _by_label(
    task: AnyTask, truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]
) -> tuple[LabelQuality, ...]:
    given = Counter(label for answer in truth for label in answer)
    chosen = Counter(label for answer in said for label in answer)
    both = Counter(label for a, b in zip(truth, said, strict=True) for label in {*a} & {*b})
    known = [*task.labels, *sorted({*given, *chosen} - {*task.labels})]
    return tuple(
        LabelQuality(
            label=label,
            given=given[label],
            said=chosen[label],
            right=both[label],
            precision=_share(both[label], chosen[label]),
            recall=_share(both[label], given[label]),
        )
        for label in known
        if given[label] or chosen[label]
    )


def _share(right: float, n: int) -> Interval | None:
    if n == 0:
        return None
    low, high = wilson(min(right, n), n)
    return Interval(value=right / n, low=low, high=high)


def _bins(confidence: NDArray[np.float64], credit: NDArray[np.float64]) -> tuple[Bin, ...]:
    slot = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = []
    for number in np.unique(slot).tolist():
        own = slot == number
        share = _share(float(credit[own].sum()), int(own.sum()))
        assert share is not None
        bins.append(
            Bin(
                low=number / BINS,
                high=(number + 1) / BINS,
                n=int(own.sum()),
                confidence=float(confidence[own].mean()),
                credit=share,
            )
        )
    return tuple(bins)
