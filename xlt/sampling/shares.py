"""Shares of the batch among languages, and the order in which the languages take turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import UNKNOWN_LANGUAGE
from xlt.data.languages import normalise
from xlt.sampling.pool import Pool, SamplerOptions
from xlt.sampling.quota import Language, deal, interleave_sides, slots, weights

#: Audit labels at which a language's own accuracy counts as much as the mean of all.
_PRIOR_AUDITS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Languages:
    """The L languages of a pool, in the order of first appearance.

    Attributes:
        names: Codes as the pool writes them first.
        keys: The same codes, normalised.
        number: (N,) the language of each task.
        source: (L,) True for languages that are labelled to help the others.
    """

    names: list[str]
    keys: list[str]
    number: NDArray[np.intp]
    source: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Shares of the labels and slots of the batch for each of the L languages.

    Attributes:
        languages: The languages of the pool.
        available: (L,) tasks of the pool.
        long_run: (L,) shares of the labels in the long run.
        slots: (L,) slots of the batch.
        audits: (L,) number of the slots that are for audit tasks.
        ties: (L,) decides between languages that are equal.
    """

    languages: Languages
    available: NDArray[np.intp]
    long_run: NDArray[np.float64]
    slots: NDArray[np.intp]
    audits: NDArray[np.intp]
    ties: NDArray[np.float64]

    def turns(self) -> list[tuple[int, bool]]:
        """Returns the batch in order, audit slots evenly spread.

        Returns:
            Pairs (language, True for an audit task).
        """
        order = interleave_sides(
            self.slots, self.slots.astype(float), self.ties, self.languages.source
        ).tolist()
        audits, left = self.audits.copy(), self.slots.copy()
        share = self.audits.sum() / max(len(order), 1)
        given = 0
        result: list[tuple[int, bool]] = []
        for place, number in enumerate(order):
            due = given < (place + 1) * share - 0.5 or left[number] == audits[number]
            is_audit = bool(audits[number] and due)
            given += is_audit
            audits[number] -= is_audit
            left[number] -= 1
            result.append((number, is_audit))
        return result

    def after_batch(self) -> NDArray[np.intp]:
        """Returns the language of each task after the batch, in order."""
        return interleave_sides(
            self.available - self.slots,
            self.long_run,
            self.ties,
            self.languages.source,
            self.slots,
        )


def number_languages(pool: Pool, options: SamplerOptions) -> Languages:
    """Numbers the languages of the pool in the order of first appearance."""
    names: dict[str, str] = {}
    numbers: dict[str, int] = {}
    codes = {code: normalise(code) for code in dict.fromkeys(pool.langs)}
    for code, key in codes.items():
        names.setdefault(key, code)
        numbers.setdefault(key, len(numbers))
    sources = {normalise(code) for code in options.source_languages}
    return Languages(
        names=list(names.values()),
        keys=list(names),
        number=np.array([numbers[codes[code]] for code in pool.langs], dtype=np.intp),
        source=np.array([key in sources for key in names], dtype=bool),
    )


def share_out(
    pool: Pool,
    languages: Languages,
    audit: NDArray[np.bool_],
    nearness: float,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> Shares:
    """Shares the batch out among the languages of the pool.

    Args:
        pool: The tasks.
        languages: Its languages.
        audit: (N,) True for audit tasks.
        nearness: Nearness of the source to the targets in [0, 1], as
            `xlt.sampling.geometry.source_nearness` returns it.
        options: Batch, quota, shares.
        rng: Decides between languages that are equal.
    """
    if options.quota == "adaptive":
        usual = options.source_share * nearness
        given = usual if pool.transfer is None else pool.transfer.share(usual)
        options = replace(options, source_share=given)
    keys, number = languages.keys, languages.number
    available = np.bincount(number, minlength=len(keys))
    audits = np.bincount(number[audit], minlength=len(keys))
    each = _each_language(languages, available, pool, options)
    share = weights(each, options)
    ties = rng.permutation(len(keys)).astype(np.float64)
    slot = slots(each, share, options, ties)
    had = _counts(pool.audit_counts, keys)
    total = int(np.floor(slot.sum() * options.audit_share + 0.5))
    zero = np.zeros(len(keys), dtype=np.intp)
    drawn = deal(total, zero, slot.astype(float), np.minimum(slot, audits), ties, had)
    return Shares(
        languages=languages,
        available=available,
        long_run=share,
        slots=slot,
        audits=np.maximum(drawn, slot - (available - audits)),
        ties=ties,
    )


def _each_language(
    languages: Languages, available: NDArray[np.intp], pool: Pool, options: SamplerOptions
) -> list[Language]:
    keys = languages.keys
    labelled = _counts(pool.labelled_counts, keys)
    accuracy = _accuracies(pool)
    known = float(np.mean(list(accuracy.values()))) if accuracy else None
    share = {normalise(code): value for code, value in options.shares.items()}
    return [
        Language(
            available=int(available[number]),
            labelled=int(labelled[number]),
            accuracy=accuracy.get(key, known),
            share=share.get(key, 0.0),
            source=bool(languages.source[number]),
            unsure=key == UNKNOWN_LANGUAGE,
        )
        for number, key in enumerate(keys)
    ]


def _accuracies(pool: Pool) -> dict[str, float]:
    """Returns accuracies by key; with few audit labels, shrunk to the mean of all languages.

    A lower bound from five labels depends more on the five labels than on the language.
    """
    bounds = _bounds(pool)
    if not bounds:
        return {}
    audits = dict(zip(bounds, _counts(pool.audit_counts, list(bounds)).tolist(), strict=True))
    seen = sum(audits.values())
    weight = audits if seen else dict.fromkeys(bounds, 1)
    mean = sum(bounds[key] * weight[key] for key in bounds) / sum(weight.values())
    return {
        key: (audits[key] * value + _PRIOR_AUDITS * mean) / (audits[key] + _PRIOR_AUDITS)
        for key, value in bounds.items()
    }


def _bounds(pool: Pool) -> dict[str, float]:
    """Returns lower bounds by key; the mean over a language's audit labels for several codes."""
    sums: dict[str, tuple[float, int]] = {}
    for code, value in pool.accuracies.items():
        total, count = sums.get(normalise(code), (0.0, 0))
        weight = pool.audit_counts.get(code) or 1
        sums[normalise(code)] = (total + weight * value, count + weight)
    return {key: total / count for key, (total, count) in sums.items()}


def _counts(counts: Mapping[str, int], keys: list[str]) -> NDArray[np.intp]:
    """Returns counts by key; counts of codes of one language are added up."""
    total: dict[str, int] = {}
    for code, count in counts.items():
        key = normalise(code)
        total[key] = total.get(key, 0) + count
    return np.array([total.get(key, 0) for key in keys], dtype=np.intp)
