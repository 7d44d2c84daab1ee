"""Reads tables of monolingual and parallel text into one corpus, sampled by language."""

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
from xlt.pretrain.codes import joined, script_of
from xlt.pretrain.tifinagh import in_tifinagh

COLUMNS = ("corpus", "key", "lang", "text")
_ENGLISH_CODES = ("eng", "eng_Latn")
_UNKNOWN_LANGUAGE = "und"

# OLDI Seed: a third of the texts under the first code are those of the second, sign by sign.
_COPIES = {"taq_Tfng": "zgh_Tfng"}

# Look-alikes that a source typed for the letter it meant; seen in the text, not guessed.
_REPAIRS: dict[str, dict[int, str]] = {"yor": {0x3D9: "ọ", 0x3D8: "Ọ", 0x1F7A: "ù", 0x1F78: "ò"}}


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Texts of every language but English, and the English sentences that they translate.

    `source` holds, for each of the N texts, the row of its translation in `sources`, or -1.
    """

    languages: tuple[str, ...]
    language: NDArray[np.int32]  # (N,) rows of `languages`, each "iso639-3_Script"
    text: Sequence[str]  # (N,)
    source: NDArray[np.int32]  # (N,)
    lexical: NDArray[np.bool_]  # (N,) words and phrases rather than sentences
    held_out: NDArray[np.bool_]  # (N,) never trained on; all translations of a sentence together
    sources: Sequence[str]  # English, without repetition
    english: NDArray[np.int32]  # rows of `sources`: whole sentences, not held out


def read_corpus(
    paths: Sequence[Path],
    *,
    corpora: Sequence[str],
    lexicons: Sequence[str],
    respelled: Sequence[str] = (),
    held_out_percent: float,
) -> Corpus:
    """Reads Parquet tables with the columns corpus, key, lang and text.

    Rows with the same non-empty key are translations of one another.

    Args:
        paths: The tables.
        corpora: Rows of other corpora are left out.
        lexicons: Corpora of words; a key without an English row is itself the English word.
        respelled: Codes of Tamasheq in Latin letters, to be read in Tifinagh as well.
        held_out_percent: Share of the English sentences kept, with all their translations, from
            training.

    Raises:
        DataError: If a table cannot be read, lacks a column, or no sentence to train on has
            an English translation, or there are no English sentences.
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
        found = english.get(key) if key else None
        if lexical and found is None and ":" in key:
            found = key.split(":", 1)[1]
        if code.startswith(_UNKNOWN_LANGUAGE):
            continue
        if joined(code) == "eng":
            index.setdefault(text, len(index))
            continue
        script = script_of(text)
        if script in ("Zyyy", "Zzzz") or (lexical and found == text):
            continue  # no letters, or a word left untranslated
        language = joined(code)
        texts.append(text.translate(_REPAIRS.get(language, {})))
        source = -1 if found is None else index.setdefault(found, len(index))
        unit = languages.setdefault(f"{language}_{script}", len(languages))
        columns.append((unit, source, lexical))
    if not texts:
        raise DataError(
            f"no text but English of the corpora {', '.join(corpora)} in {len(paths)} tables"
        )
    whole = _corpus(texts, columns, list(index), tuple(languages), held_out_percent)
    _refuse_nothing(whole, corpora)
    return whole


def _refuse_nothing(whole: Corpus, corpora: Sequence[str]) -> None:
    """Raises DataError where there is nothing to learn sentence vectors from."""
    sentences = (whole.source >= 0) & ~whole.held_out & ~whole.lexical
    for n, what in (
        (sentences.sum(), "sentence with an English translation"),
        (len(whole.english), "English sentence of four words or more"),
    ):
        if not n:
            raise DataError(f"no {what} to train on in the corpora {', '.join(corpora)}")


def temperature(
    counts: NDArray[np.float64], exponent: float, *, few: float = 0.0
) -> NDArray[np.float64]:
    """Returns the chance p_l of each language, proportional to n_l ** exponent: (L,).

    Below `few` it falls in proportion to n_l, without a jump, to 0: hundreds of languages of sixty
    sentences each would otherwise take a third of the training and learn them by heart.
    """
    weights = np.maximum(counts, max(few, 1e-9)) ** exponent
    weights = weights * np.minimum(1.0, counts / max(few, 1e-9))
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances


def row_probabilities(
    language: NDArray[np.int32],
    keep: NDArray[np.bool_],
    exponent: float,
    *,
    few: float = 0.0,
) -> NDArray[np.float64]:
    """Returns the chance of each row when languages are drawn with a temperature.

    Args:
        language: Language of each row.  # (N,)
        keep: Rows that are drawn.  # (N,)
        exponent: 1 draws rows evenly, 0 draws languages evenly.
        few: See `temperature`.

    Returns:
        (N,), in all 1; or all 0 where no row is drawn.
    """
    if not keep.any():
        return np.zeros(len(keep))
    size = int(language.max()) + 1
    counts = np.bincount(language, weights=keep, minlength=size).astype(np.float64)
    per_unit = temperature(counts, exponent, few=few) / np.maximum(counts, 1e-9)
    found: NDArray[np.float64] = per_unit[language] * keep
    return found


def _rows(
    paths: Sequence[Path], corpora: Sequence[str], *, codes: Sequence[str] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """Yields the rows of the wanted corpora, and codes if any are given, piece by piece."""
    for path in paths:
        try:
            for batch in pq.ParquetFile(path).iter_batches(columns=list(COLUMNS)):
                wanted = pc.field("corpus").isin(list(corpora))
                if codes:
                    wanted &= pc.field("lang").isin(list(codes))
                found = batch.filter(wanted)
                lists = [found.column(name).to_pylist() for name in COLUMNS]
                yield from (row for row in zip(*lists, strict=True) if row[3])
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"cannot read {path} with the columns {', '.join(COLUMNS)}: {error}"
            ) from error


def _respelled(
    rows: Iterable[tuple[str, str, str, str]], codes: Sequence[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yields the rows, and those of `codes` in Tifinagh as well."""
    for row in rows:
        yield row
        if row[2] in codes:
            yield (*row[:3], in_tifinagh(row[3]))


def _by_key(
    rows: Iterable[tuple[str, str, str, str]],
) -> Mapping[str, Mapping[str, str]]:
    """Returns the first text of each key by language."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for _, key, code, text in rows:
        if key:
            found[joined(code)].setdefault(key, text)
    return found


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
