"""Puts a whole pool in the order in which it should be labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Quota = Literal["equal", "proportional", "fixed", "adaptive"]
Measure = Literal["margin", "entropy", "least_confidence"]
Slot = Literal["audit", "quota", "rest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerOptions:
    """How the next labels are shared out.

    Attributes:
        batch: Tasks chosen by the full method; the rest of the pool follows in simpler order.
        source_languages: Languages that are labelled for the others' sake; () makes all targets.
        source_share: Share of the slots that goes to the source languages, in [0, 1].
        quota: How the other slots are shared among the target languages.
        shares: For quota "fixed": language -> weight; languages not named get nothing but floors.
        floor: Slots that each target language gets in a batch, where the batch suffices.
        audit_share: Share of the slots for audit tasks, in [0, 1].
        measure: Which uncertainty ranks tasks once a language is warm.
        cold_labels: A language with fewer labels is ordered by typicality, not by uncertainty.
        near_duplicate: Cosine above which two texts of a language say the same.
    """

    batch: int = 50
    source_languages: tuple[str, ...] = ()
    source_share: float = 0.4
    quota: Quota = "adaptive"
    shares: Mapping[str, float] = field(default_factory=dict)
    floor: int = 1
    audit_share: float = 0.1
    measure: Measure = "margin"
    cold_labels: int = 20
    near_duplicate: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The unlabelled tasks, and what is known of their languages.

    Attributes:
        ids: N distinct task ids.
        langs: N language codes.
        probabilities: (N, C) calibrated class probabilities; None before the first model.
        vectors: (N, D) sentence vectors; None turns off typicality, diversity and de-duplication.
        audit: (N,) bool, which tasks are audit tasks; None: none of them.
        labelled_counts: Language -> labels that models are trained on.
        audit_counts: Language -> audit labels.
        accuracies: Language -> lower bound of the accuracy on audit labels, for "adaptive".
        labelled_vectors: (M, D) vectors of what is labelled already.
        labelled_langs: M language codes.
    """

    ids: Sequence[str]
    langs: Sequence[str]
    probabilities: NDArray[np.floating] | None = None
    vectors: NDArray[np.floating] | None = None
    audit: NDArray[np.bool_] | None = None
    labelled_counts: Mapping[str, int] = field(default_factory=dict)
    audit_counts: Mapping[str, int] = field(default_factory=dict)
    accuracies: Mapping[str, float] = field(default_factory=dict)
    labelled_vectors: NDArray[np.floating] | None = None
    labelled_langs: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One task's place in the order.

    Attributes:
        id: The task.
        lang: Its language.
        rank: 0 is labelled first.
        slot: "audit" and "quota" within the batch, "rest" after it.
        uncertainty: In [0, 1], higher = less sure; None before the first model.
        reason: Why it stands where it stands, for people.
    """

    id: str
    lang: str
    rank: int
    slot: Slot
    uncertainty: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The whole pool in order.

    Attributes:
        picks: One per task of the pool, by rank.
        batch: How many of them are the batch.
        quotas: Language -> its slots in the batch.
        phases: Language -> "typicality", "margin" ... or "random", how its queue was ordered.
    """

    picks: tuple[Pick, ...]
    batch: int
    quotas: Mapping[str, int]
    phases: Mapping[str, str]


def select(pool: Pool, options: SamplerOptions, rng: np.random.Generator) -> Selection:
    """Orders the whole pool: first a batch by the full method, then everything else.

    Raises:
        SamplingError: If ids repeat, shapes disagree, or numbers are not finite (names the rows).
    """
    raise NotImplementedError
