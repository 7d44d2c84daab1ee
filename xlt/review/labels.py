"""Review of labels: lists all labels, the most suspect first, with reasons.

The model that reviews a label must not have learned it. Fine-tuning once per fold would take hours,
so probes on frozen vectors are cross-fitted: the probe that judges a text was fitted on other
texts, without its translations.
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
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask, Suggestion

_FOLDS = 5
#: Smallest number of labels for a review.
_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectLabel:
    """A labelled example, and the suspicion of its label.

    Attributes:
        id: The example.
        lang: Its language.
        votes: Annotator -> answer.
        expected: The answer that annotators and model together find most probable.
        suspicion: In [0, 1], higher = less sure; comparable with `Review.unlabelled`.
        reason: Reason for the suspicion, for people.
        certainty: Probability in [0, 1] that `expected` is right, by all answers and the model
            (CROWDLAB); None if answers are not classes of a distribution.
    """

    id: str
    lang: str
    votes: Mapping[str, Hashable]
    expected: Hashable
    suspicion: float
    reason: str
    certainty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Review:
    """Result of a review of labels and annotators.

    Attributes:
        labels: All labelled examples, the most suspect first.
        quality: Annotator -> quality in [0, 1], higher = better.
        given: Annotator -> number of votes from which the quality was estimated.
        unlabelled: Turns beliefs of N' examples without a label into their suspicion (N',), on the
            scale of `SuspectLabel.suspicion`.
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
    """Reviews every label.

    Args:
        examples: N labelled examples; the answer is None if the annotators do not agree.
        votes: Id -> annotator -> answer; at least one for every example.
        vectors: (N, H) of an encoder that was not fine-tuned on these labels.
        task: Task of the answers.
        rng: Draws the folds.

    Returns:
        None if there are too few labels, if all are the same, or if the task has no probes.

    Raises:
        DataError: If an example has no vote, or a vote is not of the task.
    """
    agreed = [example.answer for example in examples if example.answer is not None]
    if len(agreed) < _LEAST or task.missing(agreed) or not has_probe(task):
        return None
    for example in examples:
        if not votes.get(example.id):
            raise DataError(f"example {example.id!r} has no answer")
    given = [votes[example.id] for example in examples]
    beliefs = out_of_sample(examples, vectors, task, rng)
    by_class = task.classes(agreed) is not None
    findings = (_by_class if by_class else _by_credit)(task, given, beliefs, rng)
    order = np.argsort(-findings.suspicion, kind="stable").tolist()
    suggestions = task.decode(beliefs)
    return Review(
        labels=tuple(
            SuspectLabel(
                id=examples[row].id,
                lang=examples[row].lang,
                votes=dict(given[row]),
                expected=findings.expected[row],
                suspicion=float(findings.suspicion[row]),
                reason=_reason(task, given[row], suggestions[row]),
                certainty=None if findings.certainty is None else float(findings.certainty[row]),
            )
            for row in order
        ),
        quality=findings.quality,
        given=dict(Counter(annotator for each in given for annotator in each)),
        unlabelled=findings.unlabelled,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Findings:
    """Consensus of N examples: answers, suspicion and certainty (N,), quality of annotators."""

    expected: Sequence[Hashable]
    suspicion: NDArray[np.float64]
    quality: Mapping[str, float]
    unlabelled: Callable[[Outputs], NDArray[np.float64]]
    certainty: NDArray[np.float64] | None = None


def _by_class(
    task: AnyTask,
    given: Sequence[Mapping[str, Hashable]],
    beliefs: Outputs,
    rng: np.random.Generator,
) -> _Findings:
    """Finds the consensus of answers that are one class of a distribution (CROWDLAB)."""
    number_of: dict[str, int] = {}
    rows, annotators, answers = [], [], []
    for row, each in enumerate(given):
        for annotator, answer in each.items():
            rows.append(row)
            annotators.append(number_of.setdefault(annotator, len(number_of)))
            answers.append(answer)
    numbers = task.classes(answers)
    assert numbers is not None
    votes = Votes(
        rows=np.array(rows, dtype=np.intp),
        annotators=np.array(annotators, dtype=np.intp),
        labels=numbers,
    )
    agreed = consensus(votes, beliefs.values, len(number_of))
    certain = Outputs(np.eye(task.width)[agreed.labels])
    return _Findings(
        expected=[suggestion.answer for suggestion in task.decode(certain)],
        suspicion=agreed.suspicion,
        quality=dict(zip(number_of, agreed.quality.tolist(), strict=True)),
        unlabelled=lambda new: agreed.unlabelled_suspicion(new.values),
        certainty=agreed.posterior[np.arange(len(given)), agreed.labels],
    )


def _by_credit(
    task: AnyTask,
    given: Sequence[Mapping[str, Hashable]],
    beliefs: Outputs,
    rng: np.random.Generator,
) -> _Findings:
    """Finds the consensus of all other answers, by credit."""
    agreed = credit_consensus(task, given, task.decode(beliefs), rng)

    def unlabelled(new: Outputs) -> NDArray[np.float64]:
        confidence = [suggestion.confidence for suggestion in task.decode(new)]
        return agreed.unlabelled_suspicion(np.array(confidence))

    return _Findings(
        expected=agreed.answers,
        suspicion=agreed.suspicion,
        quality=agreed.quality,
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
        examples: N examples; those without an answer train no probe.
        vectors: (N, H).
        task: Task of the answers.
        rng: Draws the folds; texts with the same meaning share a fold.
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
    expects = f"{task.describe(suggestion.answer)} ({suggestion.confidence:.2f})"
    model = f"a model that has not seen this label expects {expects}"
    counts = Counter(votes.values())
    if len(counts) > 1:
        given = ", ".join(f"{n} × {task.describe(answer)}" for answer, n in counts.most_common())
        return f"annotators disagree: {given}; {model}"
    [answer] = counts
    probability = suggestion.probabilities.get(str(answer))
    own = ""
    if answer != suggestion.answer and probability is not None:
        own = f" and gives {task.describe(answer)} {probability:.2f}"
    return f"labelled {task.describe(answer)} by {len(votes)}; {model}{own}"
