"""Review of labels: which may be wrong, the most suspect first, and why.

The model that suspects a label must not have learned it. Fine-tuning once per fold would take
hours, so probes on frozen vectors are cross-fitted: each text is judged by a probe that was fitted
on the other texts, its translations left out too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.config import HEAD_L2
from xlt.data.examples import Example
from xlt.data.splits import folds_by_group
from xlt.errors import DataError
from xlt.review.consensus import Votes, consensus
from xlt.review.credit import credit_consensus
from xlt.tasks.logistic import scaled
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import AnyTask, Suggestion

_FOLDS = 5
#: Fewer labels than this say nothing about one another.
_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectLabel:
    """A labelled example, and how suspect its label is.

    Attributes:
        id: The example.
        lang: Its language.
        votes: Annotator -> answer.
        expected: The answer that annotators and model together find most probable.
        suspicion: In [0, 1], higher = less sure; comparable with `Review.unlabelled`.
        reason: Why, for people.
    """

    id: str
    lang: str
    votes: Mapping[str, Hashable]
    expected: Hashable
    suspicion: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Review:
    """What was found about labels and annotators.

    Attributes:
        labels: All labelled examples, the most suspect first.
        quality: Annotator -> in [0, 1], higher = better.
        given: Annotator -> number of votes that the quality rests on.
        unlabelled: Beliefs of N' examples without a label -> their suspicion (N',), on the scale
            of `SuspectLabel.suspicion`.
    """

    labels: tuple[SuspectLabel, ...]
    quality: Mapping[str, float]
    given: Mapping[str, int]
    unlabelled: Callable[[Outputs], NDArray[np.float64]]


def review(
    examples: Sequence[Example],
    votes: Mapping[str, Mapping[str, Hashable]],
    vectors: NDArray[np.float32],
    task: AnyTask,
    rng: np.random.Generator,
) -> Review | None:
    """Reviews every label; None if they are too few, or all the same.

    Args:
        examples: N labelled examples; an answer of None: the annotators do not agree.
        votes: Id -> annotator -> answer; every example has one at least.
        vectors: (N, H) of an encoder that was not fine-tuned on these labels.
        task: What the answers belong to.
        rng: Draws the folds.

    Raises:
        DataError: If an example has no vote, or a vote is not of the task.
    """
    agreed = [example.answer for example in examples if example.answer is not None]
    if len(agreed) < _LEAST or task.missing(agreed):
        return None
    for example in examples:
        if not votes.get(example.id):
            raise DataError(f"example {example.id!r} has no answer")
    given = [votes[example.id] for example in examples]
    beliefs = out_of_sample(examples, vectors, task, rng)
    by_class = _by_class if task.classes(agreed) is not None else _by_credit
    found = by_class(task, given, beliefs, rng)
    order = np.argsort(-found.suspicion, kind="stable").tolist()
    suggestions = task.decode(beliefs)
    return Review(
        labels=tuple(
            SuspectLabel(
                id=examples[row].id,
                lang=examples[row].lang,
                votes=dict(given[row]),
                expected=found.expected[row],
                suspicion=float(found.suspicion[row]),
                reason=_reason(task, given[row], suggestions[row]),
            )
            for row in order
        ),
        quality=found.quality,
        given=dict(Counter(who for each in given for who in each)),
        unlabelled=found.unlabelled,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Findings:
    """Consensus of N examples: answers, suspicion (N,), quality of the annotators."""

    expected: Sequence[Hashable]
    suspicion: NDArray[np.float64]
    quality: Mapping[str, float]
    unlabelled: Callable[[Outputs], NDArray[np.float64]]


def _by_class(
    task: AnyTask,
    given: Sequence[Mapping[str, Hashable]],
    beliefs: Outputs,
    rng: np.random.Generator,
) -> _Findings:
    """CROWDLAB, for answers that are one class of a distribution."""
    people: dict[str, int] = {}
    rows, annotators, answers = [], [], []
    for row, each in enumerate(given):
        for who, answer in each.items():
            rows.append(row)
            annotators.append(people.setdefault(who, len(people)))
            answers.append(answer)
    numbers = task.classes(answers)
    assert numbers is not None
    votes = Votes(
        rows=np.array(rows, dtype=np.intp),
        annotators=np.array(annotators, dtype=np.intp),
        labels=numbers,
    )
    found = consensus(votes, beliefs.values, len(people))
    certain = Outputs(np.eye(task.width)[found.labels])
    return _Findings(
        expected=[suggestion.answer for suggestion in task.decode(certain)],
        suspicion=found.suspicion,
        quality=dict(zip(people, found.quality.tolist(), strict=True)),
        unlabelled=lambda new: found.unlabelled_suspicion(new.values),
    )


def _by_credit(
    task: AnyTask,
    given: Sequence[Mapping[str, Hashable]],
    beliefs: Outputs,
    rng: np.random.Generator,
) -> _Findings:
    """Consensus by credit, for all other answers."""
    found = credit_consensus(task, given, task.decode(beliefs), rng)

    def unlabelled(new: Outputs) -> NDArray[np.float64]:
        confidence = [suggestion.confidence for suggestion in task.decode(new)]
        return found.unlabelled_suspicion(np.array(confidence))

    return _Findings(
        expected=found.answers,
        suspicion=found.suspicion,
        quality=found.quality,
        unlabelled=unlabelled,
    )


def out_of_sample(
    examples: Sequence[Example],
    vectors: NDArray[np.float32],
    task: AnyTask,
    rng: np.random.Generator,
) -> Outputs:
    """Returns calibrated beliefs of N examples, each by a probe that has not seen its answer.

    Args:
        examples: N examples; those without an answer are judged and train no probe.
        vectors: (N, H).
        task: What the answers belong to.
        rng: Draws the folds; texts with the same meaning are in one.
    """
    x = scaled(vectors, vectors)
    answered = np.array([example.answer is not None for example in examples], dtype=bool)
    folds = folds_by_group(examples, _FOLDS, rng)
    values = np.zeros((len(examples), task.width))
    for fold in range(_FOLDS):
        rest = np.flatnonzero((folds != fold) & answered)
        probe = task.probe(x[rest], [examples[row].answer for row in rest], l2=HEAD_L2)
        values[folds == fold] = probe.outputs(x[folds == fold]).values
    langs = [example.lang for example in examples]
    known = np.flatnonzero(answered)
    outputs = Outputs(values)
    fitted = task.fit(
        outputs.take(known), [examples[row].answer for row in known], [langs[row] for row in known]
    )
    return task.beliefs(outputs, langs, fitted)


def _reason(task: AnyTask, votes: Mapping[str, Hashable], suggestion: Suggestion) -> str:
    expects = f"{task.words(suggestion.answer)} ({suggestion.confidence:.2f})"
    model = f"a model that has not seen this label expects {expects}"
    counts = Counter(votes.values())
    if len(counts) > 1:
        given = ", ".join(f"{n} × {task.words(answer)}" for answer, n in counts.most_common())
        return f"annotators disagree: {given}; {model}"
    [answer] = counts
    probability = suggestion.probabilities.get(str(answer))
    own = ""
    if answer != suggestion.answer and probability is not None:
        own = f" and gives {task.words(answer)} {probability:.2f}"
    return f"labelled {task.words(answer)} by {len(votes)}; {model}{own}"
