"""Which language gets which slots of the batch, and in which order the languages take turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.sampling.pool import Pool, SamplerOptions
from xlt.sampling.quota import Language, deal, interleave_sides, slots, weights

#: Audit labels at which a language's own accuracy counts as much as the mean of all.
_PRIOR_AUDITS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tongues:
    """The L languages of a pool.

    Attributes:
        names: Codes as the pool writes them first.
        keys: The same, normalised.
        number: (N,) the language of each task.
        source: (L,) which of them are labelled for the others' sake.
    """

    names: list[str]
    keys: list[str]
    number: NDArray[np.intp]
    source: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The pool's L languages, in the order of first appearance, and what each gets.

    Attributes:
        names: Codes as the pool writes them first.
        keys: The same, normalised.
        number: (N,) the language of each task.
        languages: What their quotas depend on.
        share: (L,) long-run shares of the labels.
        slots: (L,) slots of the batch.
        audits: (L,) how many of the slots are for audit tasks.
        ties: (L,) decides between languages that are equal.
    """

    names: list[str]
    keys: list[str]
    number: NDArray[np.intp]
    languages: list[Language]
    share: NDArray[np.float64]
    slots: NDArray[np.intp]
    audits: NDArray[np.intp]
    ties: NDArray[np.float64]

    @property
    def source(self) -> NDArray[np.bool_]:
        """Which languages are sources, (L,)."""
        return np.array([language.source for language in self.languages], dtype=bool)

    def turns(self) -> list[tuple[int, bool]]:
        """The batch in order: (language, whether an audit task), audit slots evenly spread."""
        order = interleave_sides(
            self.slots, self.slots.astype(float), self.ties, self.source
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


def number_languages(pool: Pool, options: SamplerOptions) -> Tongues:
    """The languages of the pool, in the order of first appearance."""
    names: dict[str, str] = {}
    numbers: dict[str, int] = {}
    codes = {code: normalise(code) for code in dict.fromkeys(pool.langs)}
    for code, key in codes.items():
        names.setdefault(key, code)
        numbers.setdefault(key, len(numbers))
    sources = {normalise(code) for code in options.source_languages}
    return Tongues(
        names=list(names.values()),
        keys=list(names),
        number=np.array([numbers[codes[code]] for code in pool.langs], dtype=np.intp),
        source=np.array([key in sources for key in names], dtype=bool),
    )


def make_plan(
    pool: Pool,
    tongues: Tongues,
    audit: NDArray[np.bool_],
    nearness: float,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> Plan:
    """Shares the batch out among the languages of the pool.

    Args:
        pool: The tasks.
        tongues: Its languages.
        audit: (N,) which of them are audit tasks.
        nearness: Of the source to the targets, in [0, 1]: as of `scene.source_nearness`.
        options: Batch, quota, shares.
        rng: Decides between languages that are equal.
    """
    if options.quota == "adaptive":
        usual = options.source_share * nearness
        given = usual if pool.transfer is None else pool.transfer.share(usual)
        options = replace(options, source_share=given)
    keys, number = tongues.keys, tongues.number
    available = np.bincount(number, minlength=len(keys))
    audits = np.bincount(number[audit], minlength=len(keys))
    languages = _languages(tongues, available, pool, options)
    share = weights(languages, options)
    ties = rng.permutation(len(keys)).astype(np.float64)
    slot = slots(languages, share, options, ties)
    had = _counts(pool.audit_counts, keys)
    total = int(np.floor(slot.sum() * options.audit_share + 0.5))
    zero = np.zeros(len(keys), dtype=np.intp)
    drawn = deal(total, zero, slot.astype(float), np.minimum(slot, audits), ties, had)
    return Plan(
        names=tongues.names,
        keys=keys,
        number=number,
        languages=languages,
        share=share,
        slots=slot,
        audits=np.maximum(drawn, slot - (available - audits)),
        ties=ties,
    )


def _languages(
    tongues: Tongues, available: NDArray[np.intp], pool: Pool, options: SamplerOptions
) -> list[Language]:
    keys = tongues.keys
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
            source=bool(tongues.source[number]),
        )
        for number, key in enumerate(keys)
    ]


def _accuracies(pool: Pool) -> dict[str, float]:
    """Accuracies by key, those of few audit labels drawn to the mean of all languages.

    A lower bound of five labels says more of the five than of the language.
    """
    bounds = {normalise(code): value for code, value in pool.accuracies.items()}
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


def _counts(counts: Mapping[str, int], keys: list[str]) -> NDArray[np.intp]:
    """Counts by key; codes of one language are added up."""
    total: dict[str, int] = {}
    for code, count in counts.items():
        key = normalise(code)
        total[key] = total.get(key, 0) + count
    return np.array([total.get(key, 0) for key in keys], dtype=np.intp)
