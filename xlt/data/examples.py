"""Examples: texts to label, with their language and the answer that annotators gave."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

from xlt.errors import DataError

#: The code of an unknown language (ISO 639-2 "und").
UNKNOWN_LANGUAGE = "und"
#: Largest number of texts of an example.
MOST_TEXTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text, or several texts, to label, with an answer if annotators gave one.

    Attributes:
        id: Unique in its table (Label Studio: the task id as a string).
        texts: Texts that belong together, at least one; none of them is empty.
        lang: Language code as the user writes it; `UNKNOWN_LANGUAGE` if unknown.
        answer: The annotators' answer, as the kind of task reads it (`xlt.tasks`), or None.
        group: Group of examples with the same meaning (translations); a group is never split
            across train and held-out. None for a group of its own.
        weight: Trust in the answer, in (0, 1]; lower if annotators disagree.

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
        """Returns all texts, joined by a line break."""
        return "\n".join(self.texts)

    @property
    def input(self) -> str | tuple[str, ...]:
        """Returns the text, or the texts that a model reads as one sequence."""
        return self.texts[0] if len(self.texts) == 1 else self.texts

    @property
    def digest(self) -> str:
        """Returns a digest of the texts. An id alone may be given to another text later."""
        content = "\0".join(self.texts).encode(errors="surrogatepass")
        return hashlib.blake2s(content, digest_size=8).hexdigest()

    @property
    def group_key(self) -> str:
        """Returns the group, or a key of this example alone."""
        return self.group if self.group is not None else f"id:{self.id}"
