"""Finds the languages that are plausible in a set, and the one that each text is in. Pure.

Each text alone would often be taken for a language that no text of the set is in: with hundreds of
profiles, one of them fits by chance. So the frequencies of languages in the set are estimated
together with the texts' languages (expectation maximisation, Saerens et al. 2002), and languages
that stay rare are dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import macrolanguage

#: The n-grams of a text lie within one another: each character is read about four times.
_TEMPER = 0.25
#: Scores of texts are sums over this number of n-grams at most, so that long ones are not certain.
_LONG = 400.0
_ROUNDS = 25
#: A language is plausible from this share of the texts on, and this number of them, if the set has
#: this number at least.
_SHARE, _LEAST, FEW = 0.005, 3, 15
#: In smaller sets a text says which languages are plausible from this number of n-grams on.
_ALONE = 30
#: A language of fewer texts than this share of those of the language that would get them must be
#: this much likelier (log odds of its median text).
_BESIDE = ((0.5, 10.0), (0.15, 20.0))
#: The same for two languages of one macrolanguage.
_SIBLINGS = ((1.0, 30.0),)
#: Expected texts below which all such languages are dropped at once.
_IDLE = 0.5
#: Score per n-gram below which no profile fits: texts in a language without a profile.
_FITS = -1.25
#: A text is in no plausible language if another scores this much better, per n-gram and in all.
_BETTER, _MUCH_BETTER, _ODDS = 0.4, 1.0, 12.0
#: A language is not sure below this probability.
_SURE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """N texts, scored in L languages.

    Attributes:
        languages: L keys.
        scores: (N, L) score per n-gram, -inf in another script (`Profiles.scores`).
        sizes: (N,) number of n-grams of each text.
        any_fit: (L,) True for languages whose profile says little of how well it fits, because
            their script has no spaces and thousands of letters.
    """

    languages: tuple[str, ...]
    scores: NDArray[np.float32]
    sizes: NDArray[np.float64]
    any_fit: NDArray[np.bool_]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Returns what scores of each text are multiplied by for log-likelihoods, (N,)."""
        return np.asarray(_TEMPER * np.minimum(self.sizes, _LONG))

    @property
    def evidence(self) -> NDArray[np.float64]:
        """Returns log-likelihoods (N, L), less those of n-grams within one another."""
        scores = np.asarray(self.scores, dtype=np.float64)
        fit = np.isfinite(scores)  # -inf times the weight 0 of an empty text is no number
        return np.where(fit, np.where(fit, scores, 0.0) * self.weights[:, None], -np.inf)

    @property
    def unfit(self) -> NDArray[np.float64]:
        """Returns the log-likelihood of each text (N,) in a language that has no profile."""
        judged = ~np.isfinite(self.scores[:, self.any_fit]).any(axis=1)
        return np.where(judged, _FITS * self.weights, -np.inf)

    @property
    def best(self) -> set[str]:
        """Returns the languages that have the best score of a text."""
        written = np.isfinite(self.scores).any(axis=1)
        return {self.languages[i] for i in set(self.scores[written].argmax(axis=1).tolist())}

    def without(self, languages: Collection[str]) -> Scored:
        """Returns the texts as if they were in none of these languages."""
        gone = [lang in languages for lang in self.languages]
        return replace(self, scores=np.where(gone, -np.inf, self.scores).astype(np.float32))

    def take(self, rows: NDArray[np.intp]) -> Scored:
        """Returns some of the texts."""
        return replace(self, scores=self.scores[rows], sizes=self.sizes[rows])


def plausible(scored: Scored, named: Collection[str]) -> dict[str, float]:
    """Returns the plausible languages of a set, each with its share of the texts.

    Args:
        scored: Texts of the set that do not name their language.
        named: Languages that other texts of the set name, or people: they are plausible.
    """
    votes: NDArray[np.bool_] = np.asarray(np.isfinite(scored.scores).any(axis=1))
    if len(votes) < FEW:
        votes &= scored.sizes >= _ALONE
    scored = scored.take(np.flatnonzero(votes))
    n = len(scored.sizes)
    given = np.array([lang in named for lang in scored.languages], dtype=bool)
    alive: NDArray[np.bool_] = np.asarray(np.isfinite(scored.scores).any(axis=0))
    least = 0.5 if n < FEW else max(_LEAST, _SHARE * n)
    share: NDArray[np.float64] = np.zeros(len(alive))
    while n and alive.any():
        share, beliefs = _frequencies(scored, alive, given)
        expected = beliefs.sum(axis=0)
        bad = alive & ~given & (expected < least)
        if not bad.any():
            bad = ~given & _beside(scored, beliefs, alive)
        if not bad.any():
            break
        # The rarest first and not all at once: the texts of a dropped language go to others.
        order = np.flatnonzero(bad)[np.argsort(expected[bad], kind="stable")]
        idle = order[expected[order] < _IDLE]
        alive[idle if len(idle) else order[:1]] = False
    return {scored.languages[i]: float(share[i]) for i in np.flatnonzero(alive)}


def _beside(
    scored: Scored, beliefs: NDArray[np.float64], alive: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns which languages (L,) are hardly told from a language of many more texts."""
    expected = beliefs.sum(axis=0)
    columns = np.flatnonzero(alive)
    best = columns[beliefs[:, columns].argmax(axis=1)]
    result = np.zeros(len(alive), dtype=bool)
    for column in columns:
        rows = np.flatnonzero((best == column) & (beliefs[:, column] > 0))
        others = columns[columns != column]
        if not len(rows) or not len(others):
            continue
        second = others[scored.scores[np.ix_(rows, others)].argmax(axis=1)]
        rival = np.bincount(second).argmax()
        own, there = (scored.scores[rows, at] for at in (column, rival))
        if not np.isfinite(there).all():
            continue
        odds = float(np.median((own - there) * scored.weights[rows]))
        part = expected[column] / max(expected[rival], 1e-9)
        siblings = family(scored.languages[column]) == family(scored.languages[rival])
        limits = (*_BESIDE, *_SIBLINGS) if siblings else _BESIDE
        result[column] = any(part < share and odds < most for share, most in limits)
    return result


def family(lang: str) -> str:
    """Returns the macrolanguage of a language, or the language itself."""
    return macrolanguage(lang) or lang


def decide(
    scored: Scored, shares: Mapping[str, float], *, only: bool = False
) -> list[tuple[str | None, float]]:
    """Returns the language of each text and its probability; None if it is not sure.

    Args:
        scored: The texts.
        shares: Plausible language -> its share of the set.
        only: The texts are in no other language.
    """
    columns = [i for i, lang in enumerate(scored.languages) if lang in shares]
    if not columns:
        return [(None, 0.0)] * len(scored.sizes)
    names = [scored.languages[i] for i in columns]
    prior = np.log(np.maximum([shares[lang] for lang in names], 1e-3))
    beliefs = _softmax(scored.evidence[:, columns] + prior)
    best = beliefs.argmax(axis=1)
    inside = scored.scores[:, columns].max(axis=1)
    outside = scored.scores.max(axis=1)
    with np.errstate(invalid="ignore"):
        gap = np.where(np.isfinite(inside), outside - inside, np.inf)
        odds = gap * scored.weights  # without a number for an empty text that nothing fits
    other = (gap > (_MUCH_BETTER if only else _BETTER)) & (odds > _ODDS)
    if not only:
        with np.errstate(invalid="ignore"):
            other |= scored.unfit - inside * scored.weights > _ODDS
    top = beliefs[np.arange(len(best)), best]
    sure = np.isfinite(inside) & ~other & (top >= _SURE)
    return [
        (names[column] if ok else None, float(probability))
        for column, probability, ok in zip(best, top, sure, strict=True)
    ]


def _frequencies(
    scored: Scored, alive: NDArray[np.bool_], given: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates the share of each language (L,) and the beliefs of each text (N, L).

    The beliefs of a text that no profile fits sum to less than 1: it has a share of its own.
    """
    columns = np.flatnonzero(alive)
    evidence = scored.evidence
    own = np.column_stack([evidence[:, columns], scored.unfit])
    given = np.append(given[columns], True)
    rows = np.isfinite(own).any(axis=1)
    share = np.full(own.shape[1], 1.0 / own.shape[1])
    beliefs = np.zeros(own.shape)
    for _ in range(_ROUNDS):
        beliefs[rows] = _softmax(own[rows] + np.log(share))
        share = beliefs.sum(axis=0) + given + 1e-6
        share /= share.sum()
    all_shares, all_beliefs = np.zeros(evidence.shape[1]), np.zeros(evidence.shape)
    all_shares[columns], all_beliefs[:, columns] = share[:-1], beliefs[:, :-1]
    return all_shares, all_beliefs


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns probabilities of each row; zeros if a row is -inf throughout."""
    most = logits.max(axis=1, keepdims=True)
    values = np.exp(logits - np.where(np.isfinite(most), most, 0.0))
    return np.asarray(values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300))


def restrict(languages: Collection[str], shares: Mapping[str, float]) -> dict[str, float]:
    """Returns the shares of these languages alone; those without texts have a small one."""
    return {lang: max(shares.get(lang, 0.0), 1e-3) for lang in languages}
