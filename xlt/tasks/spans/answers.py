"""Answers: the marked spans of a text in order, as a tuple; () is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from xlt.data.spans import Span, in_order
from xlt.errors import DataError
from xlt.tasks.agreement import DISAGREE
from xlt.tasks.labels import own_label
from xlt.tasks.spans.judging import credit
from xlt.tasks.tagging import Answer
from xlt.tasks.task import Agreement, Json

#: Spans of an answer that a description names.
_NAMED = 5


def read(value: Json, labels: Sequence[str]) -> Answer:
    """Reads a list of spans, in any order; a span that occurs twice is one.

    Raises:
        DataError: If it is no list, or holds what is no span or has no label of the task.
    """
    if not isinstance(value, list | tuple):
        raise DataError(f"expected a list of spans, got {value!r}; labels: {list(labels)}")
    spans = []
    for part in value:
        span = Span.from_json(part)
        own = own_label(span.label, labels)
        if own is None:
            raise DataError(f"unknown label {span.label!r}; labels: {list(labels)}")
        spans.append(Span(span.start, span.end, own))
    return in_order(spans)


def describe(answer: Answer) -> str:
    """Returns labels and offsets of the first spans; for an empty answer, a phrase."""
    named = [f"{span.label!r} at {span.start}-{span.end}" for span in answer[:_NAMED]]
    more = [f"{len(answer) - _NAMED} more"] if len(answer) > _NAMED else []
    return " and ".join(named + more) or "no spans"


def agree(votes: Mapping[str, Answer]) -> Agreement:
    """Returns the spans that more than half of the annotators marked, from end to end.

    There is no answer if annotators marked spans but none of them has a majority, unless a majority
    marked nothing. The weight is the mean credit of the votes against the answer.
    """
    counts = Counter(span for vote in votes.values() for span in vote)
    answer = in_order(span for span, count in counts.items() if 2 * count > len(votes))
    empty = sum(not vote for vote in votes.values())
    if not answer and 2 * empty <= len(votes):
        return Agreement(reason=DISAGREE)
    weight = float(credit([answer] * len(votes), list(votes.values())).mean())
    return Agreement(answer=answer, weight=weight)


def missing(answers: Sequence[Answer]) -> str:
    """Returns what is missing to train: a second answer, if all are the same."""
    seen = sorted(set(answers))
    if len(seen) > 1:
        return ""
    return f"at least 2 different answers, got {[describe(answer) for answer in seen]}"
