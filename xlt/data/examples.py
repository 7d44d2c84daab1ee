"""Examples: texts to label, with their language and the answer that annotators gave."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xlt.errors import DataError

#: The language of a text that has no code and that no identifier was sure of (ISO 639-2 "und").
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One thing to label, with its answer if annotators gave one.

    Attributes:
        id: Unique in its table (Label Studio: the task id as a string).
        texts: The texts to read together, one or more; none of them is empty.
        lang: Language code as the user writes it; `UNKNOWN_LANGUAGE` if it is not known.
        answer: What annotators decided, as the kind of task reads it (`xlt.tasks`), or None.
        group: Examples with the same meaning (translations) share a group; a group is never split
            across train and held-out. None: a group of its own.
        weight: Trust in the answer, in (0, 1]; annotators who disagree lower it.

    Raises:
        DataError: If there is no text.
    """

    id: str
    texts: tuple[str, ...]
    lang: str = UNKNOWN_LANGUAGE
    answer: Hashable | None = None
    group: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.texts:
            raise DataError(f"example {self.id!r} has no text")

    @property
    def text(self) -> str:
        """All texts, joined by a line break."""
        return "\n".join(self.texts)

    @property
    def input(self) -> str | tuple[str, ...]:
        """The text, or the texts that are read as one sequence."""
        return self.texts[0] if len(self.texts) == 1 else self.texts

    @property
    def group_key(self) -> str:
        """The group, or a key that only this example has."""
        return self.group if self.group is not None else f"id:{self.id}"
