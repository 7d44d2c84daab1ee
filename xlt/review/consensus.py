"""Consensus of annotators and model about classes, and the suspicion of each label.

CROWDLAB (Goh, Tkachenko and Mueller 2022) weights annotators and model by their gain over naming
the most frequent class. ActiveLab (Goh and Mueller 2023) turns the result into one score for texts
with and without votes: the certainty of a text's class, shrunk towards a guess by the weight of one
more vote. Here the score is 1 minus that, so that higher means less sure.

Both estimate the weights from texts with several votes. Most texts have a single vote, so the rates
of agreement are shrunk towards a prior here, and the model's errors are counted on all texts. With
`prior=0` and several votes on every text the numbers are those of cleanlab, except for the
temperature: cleanlab fits one for all languages, and only if some text has several votes; here the
probabilities are calibrated beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlt.errors import SamplingError
from xlt.sampling.validation import refuse_rows

#: Prior rate at which two annotators agree.
PRIOR_AGREEMENT = 0.9
#: Number of votes that the prior counts as.
PRIOR_VOTES = 10.0
_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Votes:
    """V votes of M annotators on N texts; an annotator has at most one vote on a text.

    Attributes:
        rows: (V,) texts, in [0, N); every text has a vote.
        annotators: (V,) annotators, in [0, M).
        labels: (V,) class numbers.
    """

    rows: NDArray[np.intp]
    annotators: NDArray[np.intp]
    labels: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consensus:
    """Consensus of annotators and model.

    Attributes:
        labels: (N,) most probable class.
        posterior: (N, C) probabilities of the classes.
        agreement: (N,) share of a text's votes that are its consensus label.
        suspicion: (N,) in [0, 1], higher = less sure; comparable with `unlabelled_suspicion`.
        quality: (M,) quality of the annotators, in [0, 1]: the probability of their votes, and
            their rate of agreement with the consensus on texts with other votes.
        annotator_weights: (M,) weights of the annotators, > 0.
        model_weight: Weight of the model, > 0.
    """

    labels: NDArray[np.intp]
    posterior: NDArray[np.float64]
    agreement: NDArray[np.float64]
    suspicion: NDArray[np.float64]
    quality: NDArray[np.float64]
    annotator_weights: NDArray[np.float64]
    model_weight: float

    def unlabelled_suspicion(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the suspicion (N',) of texts without a vote, on the scale of `suspicion`.

        Args:
            probabilities: (N', C) from a model as good as the one of the consensus.
        """
        best = np.asarray(probabilities, dtype=np.float64).max(axis=1)
        return _suspicion(best, self.model_weight, self.annotator_weights, probabilities.shape[1])


def consensus(
    votes: Votes,
    probabilities: NDArray[np.floating],
    annotators: int,
    *,
    prior: float = PRIOR_VOTES,
) -> Consensus:
    """Weighs votes and model. Memory grows with N C + V.

    Args:
        votes: At least one vote on every text.
        probabilities: (N, C), N >= 1, from a model that has not seen the text's votes. A model that
            has seen them agrees with them, and finds no error.
        annotators: M.
        prior: Number of votes at which the observed agreement counts as much as `PRIOR_AGREEMENT`.

    Raises:
        SamplingError: If a number is out of range, not finite, or a text has no vote.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    _check(votes, p, annotators)
    counts = _counts(votes, p.shape)  # (N, C)
    majority = _majority(votes, p, counts)
    first = _weigh(votes, p, counts, majority, annotators, prior)
    best = first.posterior.max(axis=1, keepdims=True)
    alone = (first.posterior == best).sum(axis=1) == 1
    labels = np.where(alone, first.posterior.argmax(axis=1), majority)
    weighed = _weigh(votes, p, counts, labels, annotators, prior)
    each = counts.sum(axis=1)
    weight = np.bincount(votes.rows, weighed.annotators[votes.annotators], minlength=len(p))
    own = weighed.posterior[np.arange(len(p)), labels]
    return Consensus(
        labels=labels,
        posterior=weighed.posterior,
        agreement=counts[np.arange(len(p)), labels] / each,
        suspicion=_suspicion(own, weight + weighed.model, weighed.annotators, p.shape[1]),
        quality=_quality(votes, weighed, labels, each),
        annotator_weights=weighed.annotators,
        model_weight=weighed.model,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighed:
    posterior: NDArray[np.float64]  # (N, C)
    annotators: NDArray[np.float64]  # (M,)
    model: float


def _weigh(
    votes: Votes,
    p: NDArray[np.float64],
    counts: NDArray[np.float64],
    labels: NDArray[np.intp],
    annotators: int,
    prior: float,
) -> _Weighed:
    """Runs one step of CROWDLAB: weights given the labels (N,), and the posterior from them."""
    n, classes = p.shape
    each = counts.sum(axis=1)  # (N,)
    several = each > 1
    right = counts[np.arange(n), labels][several] / each[several]
    sure = float(_shrunk(right.sum(), several.sum(), PRIOR_AGREEMENT, prior))
    guess = max(1.0 - np.bincount(labels, minlength=classes).max() / n, _TINY)
    agree = _agreement(votes, counts, each, annotators, prior)
    weights = np.clip(1.0 - (1.0 - agree) / guess, _TINY, None)  # (M,)
    errors = float((p.argmax(axis=1) != labels).mean())
    model = float(max(1.0 - errors / guess, _TINY) * np.sqrt(each.mean()))
    weight_of_votes = weights[votes.annotators]  # (V,)
    total = np.bincount(votes.rows, weight_of_votes, minlength=n)
    voted = np.bincount(votes.rows * classes + votes.labels, weight_of_votes, minlength=n * classes)
    voted = voted.reshape(n, classes)
    wrong = (1.0 - sure) / (classes - 1)
    posterior = p * model + voted * sure + (total[:, None] - voted) * wrong
    return _Weighed(posterior=posterior / (total + model)[:, None], annotators=weights, model=model)


def _agreement(
    votes: Votes,
    counts: NDArray[np.float64],
    each: NDArray[np.float64],
    annotators: int,
    prior: float,
) -> NDArray[np.float64]:
    """Returns each annotator's rate of agreement with other votes on the same text, (M,)."""
    same = counts[votes.rows, votes.labels] - 1.0  # (V,)
    others = each[votes.rows] - 1.0
    agreed = np.bincount(votes.annotators, same, minlength=annotators)
    pairs = np.bincount(votes.annotators, others, minlength=annotators)
    mean = _shrunk(agreed.sum(), pairs.sum(), PRIOR_AGREEMENT, prior)
    return _shrunk(agreed, pairs, mean, prior)


def _shrunk(
    hits: ArrayLike, tries: ArrayLike, towards: ArrayLike, prior: float
) -> NDArray[np.float64]:
    """Returns `(hits + prior towards) / (tries + prior)`; `towards` if there are no tries."""
    rate = np.asarray(towards, dtype=np.float64)
    n = np.asarray(tries, dtype=np.float64) + prior
    k = np.asarray(hits, dtype=np.float64) + prior * rate
    return np.where(n > 0, k / np.where(n > 0, n, 1.0), rate)


def _quality(
    votes: Votes, weighed: _Weighed, labels: NDArray[np.intp], each: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns CROWDLAB's quality of annotators, (M,); NaN without votes."""
    m = len(weighed.annotators)
    annotator = votes.annotators
    probable = _mean(annotator, weighed.posterior[votes.rows, votes.labels], m)
    several = each[votes.rows] > 1
    agrees = votes.labels == labels[votes.rows]
    agreed = _mean(annotator[several], agrees[several].astype(np.float64), m)
    others = weighed.annotators.sum() * each.mean() / m
    share = weighed.model / (weighed.model + others)
    return np.where(np.isnan(agreed), probable, share * probable + (1.0 - share) * agreed)


def _mean(by: NDArray[np.intp], values: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    count = np.bincount(by, minlength=groups)
    total = np.bincount(by, values, minlength=groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _suspicion(
    sure: NDArray[np.float64],
    weight: NDArray[np.floating] | float,
    annotators: NDArray[np.float64],
    classes: int,
) -> NDArray[np.float64]:
    """Returns `1 - s` of ActiveLab: `sure`, shrunk towards 1 / C by the weight of one vote."""
    one = float(annotators.mean())
    return np.asarray(1.0 - (sure * weight + one / classes) / (weight + one))


def _counts(votes: Votes, shape: tuple[int, ...]) -> NDArray[np.float64]:
    n, classes = shape
    cells = np.bincount(votes.rows * classes + votes.labels, minlength=n * classes)
    return cells.reshape(n, classes).astype(np.float64)


def _majority(
    votes: Votes, p: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Returns the class with most votes; of equals the likeliest, then the rarest, the first."""
    n, classes = p.shape
    order = np.full((n, classes), len(votes.rows))
    np.minimum.at(order, (votes.rows, votes.labels), np.arange(len(votes.rows)))
    rare = np.broadcast_to(-counts.sum(axis=0), p.shape)
    best = counts == counts.max(axis=1, keepdims=True)
    for key in (p, rare, -order):
        value = np.where(best, key, -np.inf)
        best &= value == value.max(axis=1, keepdims=True)
    return np.asarray(best.argmax(axis=1))


def _check(votes: Votes, p: NDArray[np.float64], annotators: int) -> None:
    if p.ndim != 2 or not len(p) or p.shape[1] < 2:
        raise SamplingError(f"probabilities must have shape (N, C), N >= 1, C >= 2, got {p.shape}")
    refuse_rows(np.asarray(~np.isfinite(p).all(axis=1)), "probabilities must be finite")
    limits = {"rows": len(p), "annotators": annotators, "labels": p.shape[1]}
    for name, limit in limits.items():
        values = getattr(votes, name)
        if values.shape != votes.rows.shape or ((values < 0) | (values >= limit)).any():
            raise SamplingError(
                f"{name} of votes must be {len(votes.rows)} numbers in [0, {limit})"
            )
    given = np.bincount(votes.rows, minlength=len(p))
    refuse_rows(given == 0, "every text must have a vote")
    both = votes.rows * annotators + votes.annotators
    if len(np.unique(both)) != len(both):
        raise SamplingError("an annotator must have at most one vote on a text")
