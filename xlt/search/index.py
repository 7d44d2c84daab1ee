"""An index of a pool, and what a query finds in it: by meaning, by words, by translated words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.errors import DataError
from xlt.search.lexical import Lexical
from xlt.search.ranks import place, top
from xlt.search.terms import MOST_CHARACTERS, MOST_WORDS, words
from xlt.search.vectors import Space

#: What a query is compared by.
By = Literal["meaning", "words", "translation"]
WAYS: tuple[By, ...] = get_args(By)
#: What all words of a query in a text count for, beside a cosine of 1 (docs/results/search.md).
WORDS_WEIGHT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text of an index, without its words.

    Attributes:
        id: Of the example.
        lang: Its language, as the pool calls it.
        digest: Of its text.
        labelled: Whether it has an answer.
    """

    id: str
    lang: str
    digest: str
    labelled: bool

    @classmethod
    def of(cls, example: Example) -> Row:
        """Returns the row of an example."""
        return cls(
            id=example.id,
            lang=example.lang,
            digest=example.digest,
            labelled=example.answer is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query, with its translations.

    Attributes:
        text: Its words.
        lang: Its language.
        translations: Language -> its words as a lexicon translates them.
    """

    text: str
    lang: str
    translations: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A text that a query found.

    Attributes:
        row: Its number in the index.
        score: The cosine, plus `WORDS_WEIGHT` times the larger overlap; what texts are ordered by.
        similarity: Cosine of the vectors about the centres of their languages, in [-1, 1].
        overlap: By words and translation: share of the query's words that the text has, in (0, 1],
            rare ones counting most (`Lexical.overlap`).
        ranks: By meaning, words and translation: its place, from 1, where it has one.
    """

    row: int
    score: float
    similarity: float
    overlap: dict[str, float]
    ranks: dict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """N texts that can be searched.

    Attributes:
        rows: Of each text.
        space: Their vectors.
        lexical: Their terms.
    """

    rows: Sequence[Row]
    space: Space
    lexical: Lexical

    def __len__(self) -> int:
        return len(self.rows)

    def wanted(self, langs: Sequence[str] = (), labelled: bool | None = None) -> NDArray[np.bool_]:
        """Returns which texts pass filters, (N,).

        Args:
            langs: Languages; none for all.
            labelled: True for texts with an answer, False for those without, None for both.
        """
        found = np.ones(len(self), dtype=bool)
        if langs:
            keys = {normalise(lang) for lang in langs}
            own = np.array([lang in keys for lang in self.space.langs], dtype=bool)
            found &= own[self.space.lang_of]
        if labelled is not None:
            found &= np.array([row.labelled == labelled for row in self.rows], dtype=bool)
        return found

    def search(
        self,
        query: Query,
        vector: NDArray[np.floating],
        limit: int,
        wanted: NDArray[np.bool_] | None = None,
        ways: Sequence[By] = WAYS,
    ) -> list[Hit]:
        """Returns what a query finds, the best first. Every text is compared, none is skipped.

        Args:
            query: The query.
            vector: Its sentence vector (D,), by the encoder that read the pool.
            limit: The number of hits; fewer if there are not that many.
            wanted: (N,) True for texts that may be found; None for all.
            ways: What counts.
        """
        wanted = self.wanted() if wanted is None else wanted
        cosines = self.space.cosines(vector, query.lang)
        overlaps = self._overlaps(query, ways)
        by_meaning = "meaning" in ways
        shared = np.max([*overlaps.values(), np.zeros_like(cosines)], axis=0)
        scores = by_meaning * cosines + np.float32(WORDS_WEIGHT) * shared
        wanted = wanted if by_meaning else wanted & (shared > 0)
        return [
            Hit(
                row=row,
                score=float(scores[row]),
                similarity=float(cosines[row]),
                overlap={name: float(own[row]) for name, own in overlaps.items() if own[row] > 0},
                ranks=({"meaning": place(cosines, row, wanted)} if by_meaning else {})
                | {n: place(own, row, wanted) for n, own in overlaps.items() if own[row] > 0},
            )
            for row in top(scores, limit, wanted)
        ]

    def _overlaps(self, query: Query, ways: Sequence[By]) -> dict[str, NDArray[np.float32]]:
        """Returns what texts share with a query, and with its translations in their language, (N,).

        Where no text shares anything there is no entry.
        """
        found: dict[str, NDArray[np.float32]] = {}
        if "words" in ways:
            found["words"] = self.lexical.overlap(query.text)
        if "translation" in ways and query.translations:
            numbers = {lang: number for number, lang in enumerate(self.space.langs)}
            found["translation"] = np.zeros(len(self), dtype=np.float32)
            for lang in query.translations.keys() & numbers.keys():
                own = self.space.lang_of == numbers[lang]
                shared = self.lexical.overlap(" ".join(query.translations[lang]))
                found["translation"] += np.where(own, shared, 0)
        return {name: each for name, each in found.items() if each.any()}

    def like(self, row: int, limit: int, wanted: NDArray[np.bool_] | None = None) -> list[Hit]:
        """Returns the texts that mean most nearly what one of them means; no equal text.

        Args:
            row: Number of the text.
            limit: See `search`.
            wanted: See `search`.
        """
        own = self.rows[row]
        others = self.wanted() if wanted is None else wanted.copy()
        others &= np.array([other.digest != own.digest for other in self.rows], dtype=bool)
        vector = self.space.vectors.wide(np.array([row]))[0]
        query = Query(text="", lang=own.lang)
        return self.search(query, vector, limit, others, ways=("meaning",))


def check_query(text: str) -> None:
    """Refuses a query that cannot be searched for.

    Raises:
        DataError: If it has no word or too many.
    """
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"the query has {len(text):,} characters; at most {MOST_CHARACTERS:,} are searched for"
        )
    count = max(len(words(text)), len(text.split()))
    if count == 0 or not words(text):
        raise DataError(f"expected a query with words, got {text[:40]!r}")
    if count > MOST_WORDS:
        raise DataError(f"the query has {count:,} words; at most {MOST_WORDS} are searched for")
