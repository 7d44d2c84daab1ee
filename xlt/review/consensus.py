"""Consensus of annotators and model about classes, and how suspect each label is.

CROWDLAB (Goh, Tkachenko and Mueller 2022) weighs annotators and model by how far each is better
than naming the most frequent class; ActiveLab (Goh and Mueller 2023) makes one score of it for
texts with and without votes: how sure one may be of a text's class, drawn towards a guess by as
much as one more vote would weigh. Here 1 minus that, so that higher means less sure.

Both estimate the weights from texts with several votes. Annotators mostly give one, so the rates
of agreement are drawn towards a prior, and how often the model errs is counted on all texts. With
`prior=0` and several votes on every text the numbers are those of cleanlab, but for the
temperature: cleanlab fits one only if some text has several votes, and one for all languages; here
the probabilities come calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlt.errors import SamplingError
from xlt.sampling.validation import refuse_rows

#: Rate at which two annotators agree before anything is known of them ...
PRIOR_AGREEMENT = 0.9
#: ... and the number of votes that this counts as.
PRIOR_VOTES = 10.0
_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Votes:
    """V votes of M annotators on N texts; an annotator has at most one on a text.

    Attributes:
        rows: (V,) the texts, in [0, N); every text has a vote.
        annotators: (V,) who gave them, in [0, M).
        labels: (V,) class numbers.
    """

    rows: NDArray[np.intp]
    annotators: NDArray[np.intp]
    labels: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consensus:
    """What annotators and model say together.

    Attributes:
        labels: (N,) most probable class.
        posterior: (N, C) probabilities of the classes.
        agreement: (N,) share of a text's votes that are its consensus label.
        suspicion: (N,) in [0, 1], higher = less sure; comparable with `unlabelled_suspicion`.
        quality: (M,) of the annotators, in [0, 1]: how probable their votes are, and how often
            they agree with the consensus if others voted too.
        annotator_weights: (M,) > 0.
        model_weight: > 0.
    """

    labels: NDArray[np.intp]
    posterior: NDArray[np.float64]
    agreement: NDArray[np.float64]
    suspicion: NDArray[np.float64]
    quality: NDArray[np.float64]
    annotator_weights: NDArray[np.float64]
    model_weight: float

    def unlabelled_suspicion(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the same (N',) of texts without a vote, on the scale of `suspicion`.

        Args:
            probabilities: (N', C) by a model that is as good as the one of the consensus.
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
        votes: At least one to every text.
        probabilities: (N, C), N >= 1, out of sample: by a model that has not seen the text's
            votes. One that has agrees with them, and finds no error.
        annotators: M.
        prior: Votes at which what was seen of agreement counts as much as `PRIOR_AGREEMENT`.

    Raises:
        SamplingError: If a number is out of range, not finite, or a text has no vote.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    _check(votes, p, annotators)
    counts = _counts(votes, p.shape)  # (N, C)
    majority = _majority(votes, p, counts)
    first = _weighed(votes, p, counts, majority, annotators, prior)
    best = first.posterior.max(axis=1, keepdims=True)
    alone = (first.posterior == best).sum(axis=1) == 1
    labels = np.where(alone, first.posterior.argmax(axis=1), majority)
    found = _weighed(votes, p, counts, labels, annotators, prior)
    each = counts.sum(axis=1)
    weight = np.bincount(votes.rows, found.annotators[votes.annotators], minlength=len(p))
    own = found.posterior[np.arange(len(p)), labels]
    return Consensus(
        labels=labels,
        posterior=found.posterior,
        agreement=counts[np.arange(len(p)), labels] / each,
        suspicion=_suspicion(own, weight + found.model, found.annotators, p.shape[1]),
        quality=_quality(votes, found, labels, each),
        annotator_weights=found.annotators,
        model_weight=found.model,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighed:
    posterior: NDArray[np.float64]  # (N, C)
    annotators: NDArray[np.float64]  # (M,)
    model: float


def _weighed(
    votes: Votes,
    p: NDArray[np.float64],
    counts: NDArray[np.float64],
    labels: NDArray[np.intp],
    annotators: int,
    prior: float,
) -> _Weighed:
    """One step of CROWDLAB: weights by what the labels (N,) say, and the posterior they give."""
    n, classes = p.shape
    each = counts.sum(axis=1)  # (N,)
    several = each > 1
    right = counts[np.arange(n), labels][several] / each[several]
    sure = float(_drawn(right.sum(), several.sum(), PRIOR_AGREEMENT, prior))
    guess = max(1.0 - np.bincount(labels, minlength=classes).max() / n, _TINY)
    agree = _agreement(votes, counts, each, annotators, prior)
    weights = np.clip(1.0 - (1.0 - agree) / guess, _TINY, None)  # (M,)
    errors = float((p.argmax(axis=1) != labels).mean())
    model = float(max(1.0 - errors / guess, _TINY) * np.sqrt(each.mean()))
    weight_of_votes = weights[votes.annotators]  # (V,)
    total = np.bincount(votes.rows, weight_of_votes, minlength=n)
    said = np.bincount(votes.rows * classes + votes.labels, weight_of_votes, minlength=n * classes)
    said = said.reshape(n, classes)
    wrong = (1.0 - sure) / (classes - 1)
    posterior = p * model + said * sure + (total[:, None] - said) * wrong
    return _Weighed(posterior=posterior / (total + model)[:, None], annotators=weights, model=model)


def _agreement(
    votes: Votes,
    counts: NDArray[np.float64],
    each: NDArray[np.float64],
    annotators: int,
    prior: float,
) -> NDArray[np.float64]:
    """How often each annotator says what another says of the same text, (M,)."""
    same = counts[votes.rows, votes.labels] - 1.0  # (V,)
    others = each[votes.rows] - 1.0
    agreed = np.bincount(votes.annotators, same, minlength=annotators)
    pairs = np.bincount(votes.annotators, others, minlength=annotators)
    mean = _drawn(agreed.sum(), pairs.sum(), PRIOR_AGREEMENT, prior)
    return _drawn(agreed, pairs, mean, prior)


def _drawn(
    hits: ArrayLike, tries: ArrayLike, towards: ArrayLike, prior: float
) -> NDArray[np.float64]:
    """`(hits + prior towards) / (tries + prior)`; `towards` where nothing was tried."""
    rate = np.asarray(towards, dtype=np.float64)
    n = np.asarray(tries, dtype=np.float64) + prior
    k = np.asarray(hits, dtype=np.float64) + prior * rate
    return np.where(n > 0, k / np.where(n > 0, n, 1.0), rate)


def _quality(
    votes: Votes, found: _Weighed, labels: NDArray[np.intp], each: NDArray[np.float64]
) -> NDArray[np.float64]:
    """CROWDLAB's quality of annotators, (M,); NaN for one without votes."""
    m = len(found.annotators)
    by = votes.annotators
    probable = _mean(by, found.posterior[votes.rows, votes.labels], m)
    beside = each[votes.rows] > 1
    agrees = votes.labels == labels[votes.rows]
    agreed = _mean(by[beside], agrees[beside].astype(np.float64), m)
    others = found.annotators.sum() * each.mean() / m
    share = found.model / (found.model + others)
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
    """`1 - s` of ActiveLab: `sure`, drawn towards 1 / C by the weight of one more vote."""
    one = float(annotators.mean())
    return np.asarray(1.0 - (sure * weight + one / classes) / (weight + one))


def _counts(votes: Votes, shape: tuple[int, ...]) -> NDArray[np.float64]:
    n, classes = shape
    cells = np.bincount(votes.rows * classes + votes.labels, minlength=n * classes)
    return cells.reshape(n, classes).astype(np.float64)


def _majority(
    votes: Votes, p: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.intp]:
    """What most say; of equals what the model finds likelier, then the rarer, then the first."""
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
