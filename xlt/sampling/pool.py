"""Data types of sampling: the pool of tasks, its options, and the resulting order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.sampling.transfer import Transfer

Quota = Literal["equal", "proportional", "fixed", "adaptive"]
Slot = Literal["audit", "control", "quota", "rest", "relabel", "chosen"]
#: Largest weight of a language, so that sums of weights are finite.
MOST_SHARE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerOptions:
    """Options of the sampler.

    Attributes:
        batch: Tasks selected by the full method; the rest of the pool follows in simpler order.
        source_languages: Languages that are labelled to help the others; () makes all targets.
        source_share: Share of the slots for the source languages, in [0, 1]. With quota "adaptive",
            the farther the source's texts are from the targets', the less they get. As labels come
            in, they get more if source labels are seen to teach the targets better than the
            targets' own labels do, and less if worse (`xlt.sampling.transfer`).
        quota: Rule that shares the other slots among the target languages.
        shares: For quota "fixed": language -> weight; other languages get only their floors.
        floor: Slots that each target language gets in a batch that is large enough.
        audit_share: Share of the slots for audit tasks, in [0, 1].
        control_share: Share of the other slots whose tasks are drawn at random, in [0, 1]. Their
            labels train, and show whether selection pays. Above one half, the sampler has fallen
            back to random selection within the languages' quotas.
        measure: Uncertainty measure; empty for the task's default.
        cold_labels: Labels at which uncertainty counts as much as typicality.
        near_duplicate: Cosine above which two texts of a language are near-duplicates.

    Raises:
        ConfigError: If an option is out of range.
    """

    batch: int = 50
    source_languages: tuple[str, ...] = ()
    source_share: float = 0.5
    quota: Quota = "adaptive"
    shares: Mapping[str, float] = field(default_factory=dict)
    floor: int = 1
    audit_share: float = 0.1
    control_share: float = 0.1
    measure: str = ""
    cold_labels: int = 20
    near_duplicate: float = 0.95

    def __post_init__(self) -> None:
        _at_least(1, "batch", self.batch)
        _at_least(0, "floor", self.floor)
        _at_least(0, "cold_labels", self.cold_labels)
        _within_unit("source_share", self.source_share)
        _within_unit("audit_share", self.audit_share)
        _within_unit("control_share", self.control_share)
        _within_unit("near_duplicate", self.near_duplicate)
        _one_of("quota", self.quota, get_args(Quota))
        for lang, share in self.shares.items():
            if not 0 <= share <= MOST_SHARE:
                raise ConfigError(f"share of {lang!r} must be 0 to {MOST_SHARE:.0f}, got {share}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The N unlabelled tasks, and the labels of their languages.

    Attributes:
        ids: N distinct task ids.
        langs: N language codes.
        uncertainty: (N,) in [0, 1], higher = less sure; None before the first model.
        measure: Name of the uncertainty measure, for people.
        vectors: (N, D) sentence vectors; None turns off typicality, diversity and de-duplication.
        audit: (N,) True for audit tasks. None if there are none.
        labelled_counts: Language -> number of labels that train models.
        audit_counts: Language -> number of audit labels.
        accuracies: Language -> lower bound of the accuracy on audit labels, for "adaptive".
        labelled_vectors: (M, D) vectors of labelled texts.
        labelled_langs: M language codes.
        held_back: Task id -> why it comes after all others of its language.
        labelled_ids: M task ids that name the neighbours of a pick; () names none.
        transfer: How well source labels teach the targets, for "adaptive". None if unknown.
        random_keys: (N,) in [0, 1), see `xlt.sampling.control.random_key`. None draws at random.
    """

    ids: Sequence[str]
    langs: Sequence[str]
    uncertainty: NDArray[np.floating] | None = None
    measure: str = "uncertainty"
    vectors: NDArray[np.floating] | None = None
    audit: NDArray[np.bool_] | None = None
    labelled_counts: Mapping[str, int] = field(default_factory=dict)
    audit_counts: Mapping[str, int] = field(default_factory=dict)
    accuracies: Mapping[str, float] = field(default_factory=dict)
    labelled_vectors: NDArray[np.floating] | None = None
    labelled_langs: Sequence[str] = ()
    labelled_ids: Sequence[str] = ()
    held_back: Mapping[str, str] = field(default_factory=dict)
    transfer: Transfer | None = None
    random_keys: NDArray[np.float64] | None = None

    @property
    def labels(self) -> int:
        """Returns the number of labels that train the model, in all languages."""
        return max(sum(self.labelled_counts.values()), len(self.labelled_langs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One task's place in the order.

    Attributes:
        id: The task.
        lang: Its language.
        rank: 0 is labelled first.
        slot: "audit", "control" or "quota" within the batch, "rest" after it; "relabel" for a task
            that has an answer and waits for one more, "chosen" for one that people want next.
        uncertainty: In [0, 1], higher = less sure; None before the first model.
        reason: Reason for its place, for people.
        neighbours: For a selected text, the labelled tasks of any language that are nearest to it
            in meaning, the nearest first.
        propensity: Chance, in (0, 1], that this task got its place, among the tasks of its language
            that were left: audit tasks for an audit task, the others otherwise. With a
            `control_share` above 0, each of them had a chance above 0.
        remaining: Number of tasks that were left, this one included.
    """

    id: str
    lang: str
    rank: int
    slot: Slot
    uncertainty: float | None
    reason: str
    neighbours: tuple[str, ...] = ()
    propensity: float = 1.0
    remaining: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The whole pool in order.

    Attributes:
        picks: One per task of the pool, by rank.
        batch: Number of picks in the batch.
        quotas: Language -> its slots in the batch.
        phase: Main criterion of the batch: "typicality", a measure's name, or "random".
    """

    picks: tuple[Pick, ...]
    batch: int
    quotas: Mapping[str, int]
    phase: str

    @property
    def ids(self) -> list[str]:
        """Returns all ids in order."""
        return [pick.id for pick in self.picks]


def _at_least(least: int, name: str, value: int) -> None:
    if value < least:
        raise ConfigError(f"{name} must be at least {least}, got {value}")


def _within_unit(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"{name} must be in [0, 1], got {value}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"{name} must be one of {list(known)}, got {value!r}")
