"""Builds one table from the texts of all sources."""

from __future__ import annotations

import io
import lzma
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # no stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # no stubs

from xlt.disk.durable import replace_file
from xlt.errors import DataError
from xlt.pretrain.corpus import COLUMNS
from xlt.pretrain.opentext.archives import Files, Progress, fetch, members
from xlt.pretrain.opentext.cldr import cldr_entries
from xlt.pretrain.opentext.dictionaries import (
    cedict_pairs,
    dictd_entries,
    dictd_pairs,
    drawn,
    jmdict_pairs,
    word_entries,
)
from xlt.pretrain.opentext.entries import Entry, Row, evaluation_texts, without
from xlt.pretrain.opentext.inflections import inflection_entries, lemmas_of
from xlt.pretrain.opentext.pivot import Pair, Pairs, direct, pivoted
from xlt.pretrain.opentext.sources import Source, licences
from xlt.pretrain.opentext.ui_messages import WORDS, message_entries, unrepeated

Read = Callable[[Source], Files]
Opened = Callable[[Source], Iterator[tuple[str, bytes]]]

_FEW_WORDS = 2  # of the English of JMdict and CC-CEDICT; longer ones are explanations
_MOST_ENTRIES = 70_000  # of each of the two, so that they do not outweigh other languages
_SEED = 13
_INTERFACE = "interface"


def build(
    out: Path,
    *,
    sources: Sequence[Source],
    cache: Path,
    vocabulary: AbstractSet[str],
    exclude: Sequence[Path] = (),
    progress: Progress,
) -> dict[str, object]:
    """Writes the table of all sources, in one step.

    Args:
        out: Parquet table to write, with the columns corpus, key, lang and text. Its folder is
            made.
        sources: Sources of the texts, see `read_sources`.
        cache: Folder of archives; missing ones are downloaded.
        vocabulary: Known English words; dictionary entries with other words are left out.
        exclude: Tables whose texts are left out.
        progress: Called with one line now and then.

    Returns:
        Numbers of rows and languages, in all and of each corpus, and the licences of each corpus.

    Raises:
        DataError: If an archive or a table cannot be read, or there is no text.
    """
    forbidden = evaluation_texts(exclude)
    out.parent.mkdir(parents=True, exist_ok=True)  # so that an error comes before minutes of work

    def opened(source: Source) -> Iterator[tuple[str, bytes]]:
        path = fetch(source, cache, progress=progress)
        progress(f"reading {source.name}")
        yield from members(path, source.pattern)

    entries = _entries(sources, opened, vocabulary, forbidden)
    rows = [row for entry in entries for row in entry.rows()]
    if not rows:
        raise DataError(f"the archives of {len(sources)} sources have no text")
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    replace_file(out, buffer.getvalue().to_pybytes())
    return _summary(rows, sources)


def _entries(
    sources: Sequence[Source],
    opened: Opened,
    vocabulary: AbstractSet[str],
    forbidden: AbstractSet[str],
) -> Iterator[Entry]:
    """Yields the entries of all sources without forbidden texts: words, messages, inflections."""

    def read(source: Source) -> Files:
        return list(opened(source))

    words = without(lexical_entries(sources, read, vocabulary), forbidden)
    messages = (
        entry
        for source in _read_by(sources, "files", "intents", "gettext")
        for entry in message_entries(source, opened(source))
    )
    inflected, corpora = [], _inflected(sources)
    for entry in chain(words, unrepeated(without(messages, forbidden))):
        if entry.corpus in corpora:
            inflected.append(entry)
        yield entry
    lemmas = lemmas_of(inflected)
    for source in _read_by(sources, "lemmas"):
        yield from without(inflection_entries(source, opened(source), lemmas), forbidden)


def lexical_entries(
    sources: Sequence[Source], read: Read, vocabulary: AbstractSet[str]
) -> Iterator[Entry]:
    """Yields the entries of dictionaries and of lists of names."""
    yield from _dictd(_read_by(sources, "dictd"), read, vocabulary)
    for reader, language in (("jmdict", "jpn"), ("cedict", "zho")):
        for source in _read_by(sources, reader):
            entries = word_entries(
                source.corpus,
                language,
                _PAIRS[reader](read(source)),
                vocabulary=vocabulary,
                most_words=_FEW_WORDS,
            )
            yield from drawn(entries, _MOST_ENTRIES, _SEED)
    for source in _read_by(sources, "cldr-annotations", "cldr-names"):
        yield from cldr_entries(source, read(source))


def _dictd(sources: Sequence[Source], read: Read, vocabulary: AbstractSet[str]) -> Iterator[Entry]:
    """Yields translations into English, direct or through a third language."""
    corpora = dict.fromkeys(source.corpus for source in sources)
    for corpus in corpora:
        pairs: Pairs = dictd_pairs(
            _dictionary(source, read(source)) for source in sources if source.corpus == corpus
        )
        for language in sorted({first for first, _ in pairs} - {"eng"}):
            english = direct(pairs, language, "eng") | pivoted(pairs, language, "eng")
            yield from word_entries(corpus, language, english, vocabulary=vocabulary)


def _dictionary(source: Source, files: Files) -> tuple[str, str, Iterator[str]]:
    """Returns the two languages of a dictionary and its entries."""
    by_suffix = {name.rpartition(".")[2]: data for name, data in files}
    match = re.search(source.pattern, files[0][0]) if files else None
    if match is None or by_suffix.keys() != {"index", "dz"}:
        raise DataError(
            f"{source.name}: expected an .index and a .dict.dz file, got {len(files)} files"
        )
    entries = dictd_entries(by_suffix["index"], by_suffix["dz"])
    return match["first"], match["second"], entries


def _jmdict(files: Files) -> list[Pair]:
    """Reads the packed database, unpacked to a temporary file because SQLite needs one."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "jamdict.db")
        with lzma.open(io.BytesIO(files[0][1])) as packed, database.open("wb") as file:
            shutil.copyfileobj(packed, file)
        return jmdict_pairs(database)


def _cedict(files: Files) -> list[Pair]:
    """Reads the dictionary's script."""
    return list(cedict_pairs(files[0][1]))


_PAIRS: dict[str, Callable[[Files], list[Pair]]] = {"jmdict": _jmdict, "cedict": _cedict}


def _read_by(sources: Sequence[Source], *readers: str) -> list[Source]:
    return [source for source in sources if source.reader in readers]


def _inflected(sources: Sequence[Source]) -> set[str]:
    """Returns the corpora of words that inflections are added to.

    Names in CLDR are often names of pictures, and words of office programs seldom have their usual
    meaning.
    """
    return {_INTERFACE + WORDS, *(source.corpus for source in _read_by(sources, "dictd"))}


def _summary(rows: Sequence[Row], sources: Sequence[Source]) -> dict[str, object]:
    counts = Counter(corpus for corpus, *_ in rows)
    languages = {(corpus, language) for corpus, _, language, _ in rows}
    return {
        "rows": len(rows),
        "languages": len({language for _, language in languages}),
        "corpora": {
            corpus: {
                "rows": count,
                "languages": sum(owner == corpus for owner, _ in languages),
                "licences": _licences(corpus, sources),
            }
            for corpus, count in counts.items()
        },
    }


def _licences(corpus: str, sources: Sequence[Source]) -> list[str]:
    """Returns the licences of a corpus; inflections also have those of their English texts."""
    inflections = {source.corpus for source in _read_by(sources, "lemmas")}
    owners = {corpus, *_inflected(sources)} if corpus in inflections else {corpus}
    licensed = licences(sources)
    by_owner = (licensed.get(owner.removesuffix(WORDS), ()) for owner in owners)
    return sorted(set(chain.from_iterable(by_owner)))
