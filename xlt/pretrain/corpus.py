"""Reads tables of monolingual and parallel text into one corpus."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc  # type: ignore[import-untyped]  # no stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.pretrain.language_codes import joined, script_of
from xlt.pretrain.tifinagh import in_tifinagh

COLUMNS = ("corpus", "key", "lang", "text")
_ENGLISH_CODES = ("eng", "eng_Latn")
_UNKNOWN_LANGUAGE = "und"

# OLDI Seed: a third of the texts under the first code are exact copies of the second.
_COPIES = {"taq_Tfng": "zgh_Tfng"}

# Look-alikes that a source has in place of the right letter, as seen in its text.
_REPAIRS: dict[str, dict[int, str]] = {"yor": {0x3D9: "ọ", 0x3D8: "Ọ", 0x1F7A: "ù", 0x1F78: "ò"}}


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """N texts in every language but English, and the English texts that they translate.

    Attributes:
        languages: Languages as "iso639-3_Script".
        language: (N,) rows of `languages`.
        text: (N,) the texts.
        source: (N,) row of each text's translation in `sources`, or -1.
        lexical: (N,) True for words and phrases, False for sentences.
        held_out: (N,) True for texts that are never trained on; all translations of a sentence
            are held out together.
        sources: Distinct English texts.
        english: Rows of `sources` that are whole sentences and not held out.
    """

    languages: tuple[str, ...]
    language: NDArray[np.int32]
    text: Sequence[str]
    source: NDArray[np.int32]
    lexical: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    sources: Sequence[str]
    english: NDArray[np.int32]


def read_corpus(
    paths: Sequence[Path],
    *,
    corpora: Sequence[str],
    lexicons: Sequence[str],
    respelled: Sequence[str] = (),
    held_out_percent: float,
) -> Corpus:
    """Reads Parquet tables with the columns corpus, key, lang and text.

    Rows with the same key are translations of one another, unless the key is empty.

    Args:
        paths: The tables.
        corpora: Rows of other corpora are left out.
        lexicons: Corpora of words; a key without an English row is `CORPUS:ENGLISH WORD`.
        respelled: Codes of Tamasheq in Latin letters, which is read in Tifinagh as well.
        held_out_percent: Share of the English sentences that are held out with all their
            translations.

    Raises:
        DataError: If a table cannot be read or lacks a column, if no sentence to train on has an
            English translation, or if there are no English sentences.
    """
    known = _by_key(_rows(paths, corpora, codes=(*_ENGLISH_CODES, *_COPIES.values())))
    english = known["eng"]
    index: dict[str, int] = {}
    languages: dict[str, int] = {}
    texts: list[str] = []
    columns: list[tuple[int, int, bool]] = []
    for corpus, key, code, text in _respelled(_rows(paths, corpora), respelled):
        if code in _COPIES and known[joined(_COPIES[code])].get(key) == text:
            continue
        lexical = corpus in lexicons
        translation = english.get(key) if key else None
        if lexical and translation is None and ":" in key:
            translation = key.split(":", 1)[1]
        if code.startswith(_UNKNOWN_LANGUAGE):
            continue
        if joined(code) == "eng":
            index.setdefault(text, len(index))
            continue
        script = script_of(text)
        if script in ("Zyyy", "Zzzz") or (lexical and translation == text):
            continue  # no letters, or a word left untranslated
        language = joined(code)
        texts.append(text.translate(_REPAIRS.get(language, {})))
        source = -1 if translation is None else index.setdefault(translation, len(index))
        unit = languages.setdefault(f"{language}_{script}", len(languages))
        columns.append((unit, source, lexical))
    if not texts:
        raise DataError(
            f"no text in another language than English in the corpora {', '.join(corpora)} of "
            f"{len(paths)} tables: name other corpora, or give other tables"
        )
    whole = _corpus(texts, columns, list(index), tuple(languages), held_out_percent)
    _refuse_nothing(whole, corpora)
    return whole


def _refuse_nothing(whole: Corpus, corpora: Sequence[str]) -> None:
    """Raises DataError if there is nothing to learn sentence vectors from."""
    sentences = (whole.source >= 0) & ~whole.held_out & ~whole.lexical
    for n, missing in (
        (sentences.sum(), "sentence with an English translation"),
        (len(whole.english), "English sentence of four words or more"),
    ):
        if not n:
            raise DataError(f"no {missing} to train on in the corpora {', '.join(corpora)}")


def _rows(
    paths: Sequence[Path], corpora: Sequence[str], *, codes: Sequence[str] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """Yields the rows of the wanted corpora, of these codes alone if any are given."""
    for path in paths:
        try:
            for batch in pq.ParquetFile(path).iter_batches(columns=list(COLUMNS)):
                wanted = pc.field("corpus").isin(list(corpora))
                if codes:
                    wanted &= pc.field("lang").isin(list(codes))
                selected = batch.filter(wanted)
                lists = [selected.column(name).to_pylist() for name in COLUMNS]
                yield from (row for row in zip(*lists, strict=True) if row[3])
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"cannot read {path} with the columns {', '.join(COLUMNS)}: {error}"
            ) from error


def _respelled(
    rows: Iterable[tuple[str, str, str, str]], codes: Sequence[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yields the rows, and a copy in Tifinagh of those of `codes`."""
    for row in rows:
        yield row
        if row[2] in codes:
            yield (*row[:3], in_tifinagh(row[3]))


def _by_key(
    rows: Iterable[tuple[str, str, str, str]],
) -> Mapping[str, Mapping[str, str]]:
    """Returns the first text of each key, by language."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for _, key, code, text in rows:
        if key:
            texts[joined(code)].setdefault(key, text)
    return texts


def _corpus(
    texts: list[str],
    columns: list[tuple[int, int, bool]],
    sources: list[str],
    languages: tuple[str, ...],
    held_out_percent: float,
) -> Corpus:
    arrays = (np.array(column) for column in zip(*columns, strict=True))
    language, source, lexical = arrays
    hashed = np.array([zlib.crc32(text.encode()) % 10_000 for text in sources])
    out = hashed < held_out_percent * 100 if sources else np.zeros(0, dtype=np.bool_)
    words = np.array([len(text.split()) for text in sources])
    held_out = np.zeros(len(texts), dtype=np.bool_)
    held_out[source >= 0] = out[source[source >= 0]]
    return Corpus(
        languages=languages,
        language=language.astype(np.int32),
        text=texts,
        source=source.astype(np.int32),
        lexical=lexical.astype(np.bool_),
        held_out=held_out & ~lexical.astype(np.bool_),
        sources=sources,
        english=np.flatnonzero((words >= 4) & ~out).astype(np.int32),
    )
