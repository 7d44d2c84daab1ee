"""The texts of an adaptation: monolingual, translations, a lexicon, and the source language's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.data.tables import read_rows
from xlt.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text and its translation into the source language."""

    text: str
    source: str
    lang: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptData:
    """What an encoder is adapted with.

    Attributes:
        texts: (language, text), none in the source language.
        pairs: Sentences and their translations; `text` need not be among `texts`.
        lexicon: Words and their translations.
        sources: Texts in the source language, besides those in the pairs.
    """

    texts: tuple[tuple[str, str], ...] = ()
    pairs: tuple[Pair, ...] = ()
    lexicon: tuple[Pair, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.texts and not self.pairs:
            raise DataError("expected texts in at least one language besides the source, got none")

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages to adapt to, sorted."""
        return tuple(sorted(self.by_language()))

    def by_language(self) -> dict[str, list[str]]:
        """Each language's distinct texts, those of its pairs included; no words."""
        found: dict[str, dict[str, None]] = {}
        for lang, text in self.texts:
            found.setdefault(lang, {})[text] = None
        for pair in self.pairs:
            found.setdefault(pair.lang, {})[pair.text] = None
        return {lang: list(texts) for lang, texts in found.items()}

    def source_texts(self) -> list[str]:
        """Distinct sentences of the source language."""
        return list(dict.fromkeys([*self.sources, *(pair.source for pair in self.pairs)]))

    def digest(self) -> str:
        """Hash of all texts; their order does not matter."""
        lines = sorted(
            json.dumps(line, ensure_ascii=False)
            for line in (
                *(("text", *text) for text in self.texts),
                *(("pair", p.lang, p.text, p.source) for p in self.pairs),
                *(("word", p.lang, p.text, p.source) for p in self.lexicon),
                *(("source", text) for text in self.sources),
            )
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def from_examples(
    examples: Sequence[Example],
    *,
    source: str,
    pairs: Iterable[Pair] = (),
    lexicon: Iterable[Pair] = (),
    sources: Iterable[str] = (),
) -> AdaptData:
    """Sorts a project's texts into languages to adapt to, source texts and translations.

    Texts of one group are translations of one another: one with a text in the source language
    makes a pair. Labels are not read.

    Args:
        examples: Texts with their languages.
        source: Code of the source language.
        pairs: More pairs.
        lexicon: Words and their translations.
        sources: More texts of the source language.

    Raises:
        DataError: If no text is in another language than the source.
    """
    key = normalise(source)
    ours = [e for e in examples if normalise(e.lang) == key]
    by_group: Mapping[str, str] = {e.group: e.text for e in ours if e.group is not None}
    found = [
        Pair(text=e.text, source=by_group[e.group], lang=e.lang)
        for e in examples
        if normalise(e.lang) != key and e.group is not None and e.group in by_group
    ]
    return AdaptData(
        texts=tuple(dict.fromkeys((e.lang, e.text) for e in examples if normalise(e.lang) != key)),
        pairs=tuple(dict.fromkeys([*found, *pairs])),
        lexicon=tuple(dict.fromkeys(lexicon)),
        sources=tuple(dict.fromkeys([*(e.text for e in ours), *sources])),
    )


def read_translations(path: str | Path, *, lang: str | None = None) -> list[Pair]:
    """Reads translations: columns `source` (in the source language), `target` and `lang`.

    Args:
        path: As `read_rows` takes it.
        lang: Language of the targets where there is no column `lang`.

    Raises:
        DataError: If a column is missing or a row lacks one of its texts.
    """
    found = []
    for number, row in read_rows(path):
        code = row.get("lang") or lang
        if not {"source", "target"} <= set(row) or not code:
            raise DataError(
                f"{path} must have columns source, target and lang, it has {sorted(row)}"
            )
        text, source = (str(row[name] or "").strip() for name in ("target", "source"))
        if not text or not source:
            raise DataError(f"{path}, row {number}: expected two texts, one is empty")
        found.append(Pair(text=text, source=source, lang=str(code)))
    return found
