"""The nouns of the project: examples, the task they are labelled for, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xlt.errors import DataError

#: The language of a text that nobody named and no identifier was sure of (ISO 639-2 "und").
UNKNOWN_LANGUAGE = "und"


class TaskKind(StrEnum):
    """What is labelled. A new kind adds a member here, a head in heads.py and a converter."""

    SINGLE_LABEL = "single_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """What a project's annotators decide: the kind of task and its label set, in order.

    Raises:
        DataError: If there are fewer than two labels, or one of them twice.
    """

    labels: tuple[str, ...]
    kind: TaskKind = TaskKind.SINGLE_LABEL

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            raise DataError(f"a task needs at least 2 labels, got {list(self.labels)}")
        if len(set(self.labels)) != len(self.labels):
            raise DataError(f"labels must be distinct, got {list(self.labels)}")

    def index(self, label: str) -> int:
        """Position of `label` in the label set.

        Raises:
            DataError: If the label is not one of the task's.
        """
        try:
            return self.labels.index(label)
        except ValueError:
            raise DataError(f"unknown label {label!r}; labels: {list(self.labels)}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text, with its label where somebody gave one.

    Attributes:
        id: Unique in its table (Label Studio: the task id as a string).
        text: What is read; never empty.
        lang: Language code as the user writes it; `UNKNOWN_LANGUAGE` where not known.
        label: One of the task's labels, or None.
        group: Examples that say the same thing (translations) share a group; such a group is
            never split across train and held-out. None: a group of its own.
        weight: Trust in the label, in (0, 1]; annotators who disagree lower it.
    """

    id: str
    text: str
    lang: str = UNKNOWN_LANGUAGE
    label: str | None = None
    group: str | None = None
    weight: float = 1.0

    @property
    def group_key(self) -> str:
        """The group, or a key that only this example has."""
        return self.group if self.group is not None else f"id:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one text.

    Attributes:
        id: The example's id.
        label: The most probable label.
        probabilities: Label -> calibrated probability; sums to 1.
    """

    id: str
    label: str
    probabilities: Mapping[str, float]

    @property
    def confidence(self) -> float:
        """Probability of `label`, in (0, 1]."""
        return self.probabilities[self.label]
