"""English texts with their translations, and the removal of evaluation texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # no stubs

from xlt.errors import DataError

#: corpus, key, lang, text
Row = tuple[str, str, str, str]
_TEXT_COLUMNS = ("text", "english", "tokens")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One English text and its translations.

    Attributes:
        corpus: Corpus of its rows.
        english: The English text.
        translations: Language and text of each translation.
        key: Key of its rows. If it is empty, the key contains the English text, which then has no
            row of its own.
    """

    corpus: str
    english: str
    translations: tuple[tuple[str, str], ...]
    key: str = ""

    def rows(self) -> Iterator[Row]:
        """Yields the rows of the table, English first."""
        if self.key:
            yield self.corpus, self.key, "eng", self.english
        key = self.key or f"{self.corpus}:{self.english}"
        for language, text in self.translations:
            yield self.corpus, key, language, text


def normalised(text: str) -> str:
    """Returns the letters and digits of a text, in lower case."""
    return re.sub(r"[\W_]+", "", text.lower())


def evaluation_texts(tables: Sequence[Path]) -> frozenset[str]:
    """Returns the normalised texts of evaluation tables.

    Args:
        tables: Parquet tables with one or more of the columns text, english and tokens.

    Raises:
        DataError: If a table cannot be read or has none of the columns.
    """
    texts: set[str] = set()
    for path in tables:
        for value in _values(path):
            texts.add(normalised(value if isinstance(value, str) else "".join(value)))
    return frozenset(texts - {""})


def without(entries: Iterable[Entry], forbidden: AbstractSet[str]) -> Iterator[Entry]:
    """Yields the entries without a forbidden text, English or translated."""
    for entry in entries:
        texts = (entry.english, *(text for _, text in entry.translations))
        if not any(normalised(text) in forbidden for text in texts):
            yield entry


def _values(path: Path) -> Iterator[str | list[str]]:
    try:
        columns = [name for name in pq.read_schema(path).names if name in _TEXT_COLUMNS]
        table = pq.read_table(path, columns=columns)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the table {path}: {error}") from error
    if not columns:
        raise DataError(f"{path} has none of the columns {', '.join(_TEXT_COLUMNS)}")
    for name in columns:
        yield from (value for value in table.column(name).to_pylist() if value)
