"""The texts of an adaptation: target languages, translations, lexicon, source language."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from xlt.data.examples import Example
from xlt.data.languages import languages_named, macrolanguage, normalise, spellings
from xlt.data.rows import is_blank, left_out
from xlt.data.tables import read_rows
from xlt.errors import DataError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text and its translation into the source language."""

    text: str
    source: str
    lang: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptData:
    """The texts that an encoder is adapted with.

    Attributes:
        texts: (language, text) in the languages to adapt to.
        pairs: Translated sentences; their `text` need not be among `texts`.
        lexicon: Translated words.
        sources: Texts in the source language, in addition to those of the pairs.
    """

    texts: tuple[tuple[str, str], ...] = ()
    pairs: tuple[Pair, ...] = ()
    lexicon: tuple[Pair, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.texts and not self.pairs:
            raise DataError("expected texts in a language other than the source, got none")

    @property
    def languages(self) -> tuple[str, ...]:
        """Returns the codes of the languages to adapt to, sorted."""
        return tuple(sorted(self.by_language()))

    def by_language(self) -> dict[str, list[str]]:
        """Returns each language's distinct texts, including those of its pairs but no words."""
        distinct: dict[str, dict[str, None]] = {}
        for lang, text in self.texts:
            distinct.setdefault(lang, {})[text] = None
        for pair in self.pairs:
            distinct.setdefault(pair.lang, {})[pair.text] = None
        return {lang: list(texts) for lang, texts in distinct.items()}

    def source_texts(self) -> list[str]:
        """Returns the distinct sentences of the source language."""
        return list(dict.fromkeys([*self.sources, *(pair.source for pair in self.pairs)]))

    def digest(self) -> str:
        """Returns a hash of all texts; their order does not matter."""
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
    """Divides texts into target languages, source language and translations.

    Texts of one group are translations of one another, so each text of a group that has one in
    the source language makes a pair with it. Labels are not read. All codes and names of one
    language are replaced by the first one.

    Args:
        examples: Texts with their languages.
        source: Code of the source language.
        pairs: More translated sentences.
        lexicon: Translated words.
        sources: More texts of the source language.

    Raises:
        DataError: If every text is in the source language.
    """
    pairs, lexicon = list(pairs), list(lexicon)
    called = spellings([*(e.lang for e in examples), *(pair.lang for pair in [*pairs, *lexicon])])
    examples = [replace(e, lang=called[e.lang]) for e in examples]
    key = normalise(source)
    in_source = [e for e in examples if normalise(e.lang) == key]
    by_group: Mapping[str, str] = {e.group: e.text for e in in_source if e.group is not None}
    from_groups = [
        Pair(text=e.text, source=by_group[e.group], lang=e.lang)
        for e in examples
        if normalise(e.lang) != key and e.group is not None and e.group in by_group
    ]
    return AdaptData(
        texts=tuple(
            dict.fromkeys(
                (e.lang, text) for e in examples if normalise(e.lang) != key for text in e.texts
            )
        ),
        pairs=tuple(dict.fromkeys([*from_groups, *_called(pairs, called)])),
        lexicon=tuple(dict.fromkeys(_called(lexicon, called))),
        sources=tuple(dict.fromkeys([*(text for e in in_source for text in e.texts), *sources])),
    )


def pairs_for(languages: Set[str], pairs: Iterable[Pair]) -> list[Pair]:
    """Returns the translations that help these languages, in their codes.

    Those in a macrolanguage are for its members, and those in a member for its macrolanguage,
    unless both are among the languages.

    Args:
        languages: Normalised codes.
        pairs: Translations in any languages.
    """
    return [
        replace(pair, lang=lang)
        for pair in pairs
        for lang in languages_named(pair.lang, languages) or languages & {macrolanguage(pair.lang)}
        if lang is not None
    ]


def _called(pairs: Iterable[Pair], names: Mapping[str, str]) -> list[Pair]:
    return [replace(pair, lang=names[pair.lang]) for pair in pairs]


def read_translations(
    path: str | Path, *, lang: str | None = None, note: Callable[[str], None] = _log.warning
) -> list[Pair]:
    """Reads a table of translations: columns `source` (source language), `target` and `lang`.

    Args:
        path: A table that `read_rows` can read.
        lang: Language of the targets if the table has no column `lang`.
        note: Takes a line on rows that lack a text or the language, which are left out.

    Raises:
        DataError: If a column is missing, or if no row has two texts and a language.
    """
    rows = read_rows(path)
    names = {name for _, row in rows for name in row}
    if not {"source", "target"} <= names or not ("lang" in names or lang):
        raise DataError(f"{path} must have columns source, target and lang; it has {sorted(names)}")
    pairs, incomplete = [], []
    for number, row in rows:
        code = lang if is_blank(row.get("lang")) else row["lang"]
        if code is None or is_blank(row.get("source")) or is_blank(row.get("target")):
            incomplete.append(number)
        else:
            text, source = (str(row[name]).strip() for name in ("target", "source"))
            pairs.append(Pair(text=text, source=source, lang=str(code)))
    if not pairs:
        raise DataError(f"no row of {path} has two texts and a language")
    if incomplete:
        note(left_out(incomplete, "without two texts and a language", Path(path).name))
    return pairs
