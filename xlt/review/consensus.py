"""Which answers to ask for again: consensus of annotators and model, and a doubt for every text.

CROWDLAB (Goh, Tkachenko and Mueller 2022) weighs annotators and model by how far each is better
than naming the most frequent class; ActiveLab (Goh and Mueller 2023) makes of it one score for
texts with and without answers: how sure one may be of a text's class, drawn towards a guess by as
much as one more answer would weigh. Here 1 minus that, so that higher means less sure.

Both estimate the weights from texts with several answers. Annotators mostly give one, so the rates
of agreement are drawn towards a prior, and how often the model errs is counted on all texts. With
`prior=0` and several answers to every text the numbers are cleanlab's, but for the temperature:
cleanlab fits one only where some text has several answers, and one for all languages; here the
probabilities come calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlt.errors import SamplingError
from xlt.sampling.checks import refuse_rows

#: Two annotators agree so often before anything is known of them ...
PRIOR_AGREEMENT = 0.9
#: ... and that counts as much as so many answers.
PRIOR_ANSWERS = 10.0
_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """V answers of M annotators to N texts; an annotator has at most one for a text.

    Attributes:
        rows: (V,) the texts, in [0, N); every text has an answer.
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
        agreement: (N,) share of a text's answers that are its consensus label.
        doubt: (N,) in [0, 1], higher = less sure; comparable with `unlabelled_doubt`.
        quality: (M,) of the annotators, in [0, 1]: how probable their answers are, and how often
            they agree with the consensus where others answered too.
        annotator_weights: (M,) > 0.
        model_weight: > 0.
    """

    labels: NDArray[np.intp]
    posterior: NDArray[np.float64]
    agreement: NDArray[np.float64]
    doubt: NDArray[np.float64]
    quality: NDArray[np.float64]
    annotator_weights: NDArray[np.float64]
    model_weight: float

    def unlabelled_doubt(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """Doubts (N',) of texts that nobody answered yet, on the scale of `doubt`.

        Args:
            probabilities: (N', C) by a model that is as good as the one of the consensus.
        """
        best = np.asarray(probabilities, dtype=np.float64).max(axis=1)
        return _doubt(best, self.model_weight, self.annotator_weights, probabilities.shape[1])


def consensus(
    answers: Answers,
    probabilities: NDArray[np.floating],
    annotators: int,
    *,
    prior: float = PRIOR_ANSWERS,
) -> Consensus:
    """Weighs answers and model, and doubts the outcome. Memory grows with N C + V.

    Args:
        answers: At least one to every text.
        probabilities: (N, C), N >= 1, out of sample: by a model that has not seen the text's
            answers. One that has agrees with them, and finds no error.
        annotators: M.
        prior: Answers at which what was seen of agreement counts as much as `PRIOR_AGREEMENT`.

    Raises:
        SamplingError: If a number is out of range, not finite, or a text has no answer.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    _check(answers, p, annotators)
    counts = _counts(answers, p.shape)  # (N, C)
    majority = _majority(answers, p, counts)
    first = _weighed(answers, p, counts, majority, annotators, prior)
    best = first.posterior.max(axis=1, keepdims=True)
    alone = (first.posterior == best).sum(axis=1) == 1
    labels = np.where(alone, first.posterior.argmax(axis=1), majority)
    found = _weighed(answers, p, counts, labels, annotators, prior)
    each = counts.sum(axis=1)
    weight = np.bincount(answers.rows, found.annotators[answers.annotators], minlength=len(p))
    own = found.posterior[np.arange(len(p)), labels]
    return Consensus(
        labels=labels,
        posterior=found.posterior,
        agreement=counts[np.arange(len(p)), labels] / each,
        doubt=_doubt(own, weight + found.model, found.annotators, p.shape[1]),
        quality=_quality(answers, found, labels, each),
        annotator_weights=found.annotators,
        model_weight=found.model,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighed:
    posterior: NDArray[np.float64]  # (N, C)
    annotators: NDArray[np.float64]  # (M,)
    model: float


def _weighed(
    answers: Answers,
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
    agree = _agreement(answers, counts, each, annotators, prior)
    weights = np.clip(1.0 - (1.0 - agree) / guess, _TINY, None)  # (M,)
    errors = float((p.argmax(axis=1) != labels).mean())
    model = float(max(1.0 - errors / guess, _TINY) * np.sqrt(each.mean()))
    of_answers = weights[answers.annotators]  # (V,)
    total = np.bincount(answers.rows, of_answers, minlength=n)
    said = np.bincount(answers.rows * classes + answers.labels, of_answers, minlength=n * classes)
    said = said.reshape(n, classes)
    wrong = (1.0 - sure) / (classes - 1)
    posterior = p * model + said * sure + (total[:, None] - said) * wrong
    return _Weighed(posterior=posterior / (total + model)[:, None], annotators=weights, model=model)


def _agreement(
    answers: Answers,
    counts: NDArray[np.float64],
    each: NDArray[np.float64],
    annotators: int,
    prior: float,
) -> NDArray[np.float64]:
    """How often each annotator says what another says of the same text, (M,)."""
    same = counts[answers.rows, answers.labels] - 1.0  # (V,)
    others = each[answers.rows] - 1.0
    agreed = np.bincount(answers.annotators, same, minlength=annotators)
    pairs = np.bincount(answers.annotators, others, minlength=annotators)
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
    answers: Answers, found: _Weighed, labels: NDArray[np.intp], each: NDArray[np.float64]
) -> NDArray[np.float64]:
    """CROWDLAB's quality of annotators, (M,); NaN for one without answers."""
    m = len(found.annotators)
    by = answers.annotators
    probable = _mean(by, found.posterior[answers.rows, answers.labels], m)
    beside = each[answers.rows] > 1
    agrees = answers.labels == labels[answers.rows]
    agreed = _mean(by[beside], agrees[beside].astype(np.float64), m)
    others = found.annotators.sum() * each.mean() / m
    share = found.model / (found.model + others)
    return np.where(np.isnan(agreed), probable, share * probable + (1.0 - share) * agreed)


def _mean(by: NDArray[np.intp], values: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    count = np.bincount(by, minlength=groups)
    total = np.bincount(by, values, minlength=groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _doubt(
    sure: NDArray[np.float64],
    weight: NDArray[np.floating] | float,
    annotators: NDArray[np.float64],
    classes: int,
) -> NDArray[np.float64]:
    """`1 - s` of ActiveLab: `sure`, drawn towards 1 / C by the weight of one answer more."""
    one = float(annotators.mean())
    return np.asarray(1.0 - (sure * weight + one / classes) / (weight + one))


def _counts(answers: Answers, shape: tuple[int, ...]) -> NDArray[np.float64]:
    n, classes = shape
    cells = np.bincount(answers.rows * classes + answers.labels, minlength=n * classes)
    return cells.reshape(n, classes).astype(np.float64)


def _majority(
    answers: Answers, p: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.intp]:
    """What most say; of equals what the model finds likelier, then the rarer, then the first."""
    n, classes = p.shape
    order = np.full((n, classes), len(answers.rows))
    np.minimum.at(order, (answers.rows, answers.labels), np.arange(len(answers.rows)))
    rare = np.broadcast_to(-counts.sum(axis=0), p.shape)
    best = counts == counts.max(axis=1, keepdims=True)
    for key in (p, rare, -order):
        value = np.where(best, key, -np.inf)
        best &= value == value.max(axis=1, keepdims=True)
    return np.asarray(best.argmax(axis=1))


def _check(answers: Answers, p: NDArray[np.float64], annotators: int) -> None:
    if p.ndim != 2 or not len(p) or p.shape[1] < 2:
        raise SamplingError(f"probabilities must have shape (N, C), N >= 1, C >= 2, got {p.shape}")
    refuse_rows(np.asarray(~np.isfinite(p).all(axis=1)), "probabilities must be finite")
    limits = {"rows": len(p), "annotators": annotators, "labels": p.shape[1]}
    for name, limit in limits.items():
        values = getattr(answers, name)
        if values.shape != answers.rows.shape or ((values < 0) | (values >= limit)).any():
            raise SamplingError(
                f"{name} of answers must be {len(answers.rows)} numbers in [0, {limit})"
            )
    given = np.bincount(answers.rows, minlength=len(p))
    refuse_rows(given == 0, "every text must have an answer")
    both = answers.rows * annotators + answers.annotators
    if len(np.unique(both)) != len(both):
        raise SamplingError("an annotator must have at most one answer to a text")
