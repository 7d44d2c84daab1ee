"""Consensus of annotators and model about graded answers, from credit alone.

This is the idea of `xlt.review.consensus` for kinds of tasks whose answers are not classes of one
distribution. Annotators and model are weighted by the credit that they earn beyond the credit of a
guess, which is an answer of another example. The suspicion of a label is the weighted credit that
it lacks, shrunk towards that of a guess by the weight of one more vote.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.review.consensus import PRIOR_AGREEMENT, PRIOR_VOTES
from xlt.tasks.task import AnyTask, Suggestion

_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CreditConsensus:
    """Consensus of annotators and model.

    Attributes:
        answers: N answers, the most trusted of each example.
        suspicion: (N,) in [0, 1], higher = less sure.
        quality: Annotator -> mean credit against the others, in [0, 1].
        guess: Mean credit of an answer of another example, in [0, 1].
        vote_weight: Mean weight of a vote, > 0.
        model_weight: Weight of the model, > 0.
    """

    answers: list[Hashable]
    suspicion: NDArray[np.float64]
    quality: dict[str, float]
    guess: float
    vote_weight: float
    model_weight: float

    def unlabelled_suspicion(self, confidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the suspicion (N',) of texts without a vote, by the model's confidence (N',)."""
        total = self.model_weight + self.vote_weight
        expected = _expected(np.ones(len(confidence)), confidence, self.guess)
        sure = expected * self.model_weight + self.guess * self.vote_weight
        return np.asarray(1.0 - sure / total)


def credit_consensus(
    task: AnyTask,
    votes: Sequence[Mapping[str, Hashable]],
    suggestions: Sequence[Suggestion],
    rng: np.random.Generator,
) -> CreditConsensus:
    """Weighs votes and model.

    Args:
        task: Task of the votes.
        votes: For each of N examples, annotator -> answer, at least one.
        suggestions: N suggestions of a model that has not seen the example's votes.
        rng: Pairs examples, for the credit of a guess.
    """
    agreed = [task.agree(given).answer for given in votes]
    answers = [
        suggestion.answer if answer is None else answer
        for answer, suggestion in zip(agreed, suggestions, strict=True)
    ]
    shuffled = [answers[row] for row in rng.permutation(len(answers))]
    guess = min(float(task.credit(answers, shuffled).mean()), 1.0 - _TINY)
    quality = _quality(task, votes, answers)
    own = task.credit(answers, [suggestion.answer for suggestion in suggestions])
    per_example = float(np.mean([len(given) for given in votes]))
    model = _weight(float(own.mean()), guess) * float(np.sqrt(per_example))
    weights = {annotator: _weight(mean, guess) for annotator, mean in quality.items()}
    typical = float(np.mean(list(weights.values())))
    confidence = np.array([suggestion.confidence for suggestion in suggestions])
    sure = _expected(own, confidence, guess) * model + guess * typical
    total = np.full(len(votes), model + typical)
    for row, given in enumerate(votes):
        weight = np.array([weights[annotator] for annotator in given])
        credit = task.credit([answers[row]] * len(given), list(given.values()))
        sure[row] += float((weight * credit).sum())
        total[row] += float(weight.sum())
    return CreditConsensus(
        answers=answers,
        suspicion=np.clip(1.0 - sure / total, 0.0, 1.0),
        quality=quality,
        guess=guess,
        vote_weight=typical,
        model_weight=model,
    )


def _expected(
    own: NDArray[np.float64], confidence: NDArray[np.floating], guess: float
) -> NDArray[np.float64]:
    """Returns the credit that the model expects: that of its suggestion, otherwise of a guess."""
    return np.asarray(own * confidence + (1.0 - confidence) * guess)


def _weight(credit: float, guess: float) -> float:
    return max(1.0 - (1.0 - credit) / (1.0 - guess), _TINY)


def _quality(
    task: AnyTask, votes: Sequence[Mapping[str, Hashable]], answers: Sequence[Hashable]
) -> dict[str, float]:
    """Returns each annotator's mean credit on examples with other votes, shrunk to the prior."""
    earned: dict[str, list[float]] = {}
    for given, answer in zip(votes, answers, strict=True):
        for annotator, vote in given.items():
            own = earned.setdefault(annotator, [])
            if len(given) > 1:
                own.append(float(task.credit([answer], [vote])[0]))
    return {
        annotator: (sum(own) + PRIOR_AGREEMENT * PRIOR_VOTES) / (len(own) + PRIOR_VOTES)
        for annotator, own in earned.items()
    }
