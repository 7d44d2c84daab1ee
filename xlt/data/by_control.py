"""Answers to several controls of one labelling interface."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByControl:
    """Answers by the names of their controls. A control without an answer is not there.

    Attributes:
        items: Name and answer of each control, sorted by name.
    """

    items: tuple[tuple[str, Hashable], ...]

    @classmethod
    def of(cls, answers: Mapping[str, Hashable]) -> ByControl:
        """Returns the answers of a mapping."""
        return cls(tuple((name, answers[name]) for name in sorted(answers)))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[str, Hashable]]:
        return iter(self.items)

    def get(self, control: str) -> Hashable | None:
        """Returns the answer to a control; None if there is none."""
        return next((answer for name, answer in self.items if name == control), None)
