"""Reads bilingual dictionaries: dictd files (WikDict, ESPDIC), JMdict and CC-CEDICT."""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from xlt.errors import DataError
from xlt.pretrain.opentext.entries import Entry
from xlt.pretrain.opentext.pivot import Pair

_DIGITS = {
    digit: value
    for value, digit in enumerate(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    )
}
_STRESS = {0x300: None, 0x301: None}
_STRESSED = ("bul", "rus")  # languages whose dictionaries mark the stress
_MOST_LETTERS = 30
_MOST_WORDS = 4
_MOST_ENGLISH = 3  # translations of one word
_MOST_CHARACTERS = 3  # of a Chinese word; longer words are mostly names and sayings
# Remarks of CC-CEDICT in place of a translation.
_REMARKS = ("variant", "old variant", "see ", "surname", "CL:", "also written", "abbr")
# The first spelling and the first reading of the entries that are marked as frequent.
_JMDICT_QUERY = """
WITH frequent AS (
  SELECT idseq FROM Kanji JOIN KJP ON kid = ID UNION SELECT idseq FROM Kana JOIN KNP ON kid = ID
), words AS (
  SELECT idseq, text, min(ID) FROM Kanji GROUP BY idseq
  UNION ALL SELECT idseq, text, min(ID) FROM Kana GROUP BY idseq
)
SELECT words.text, SenseGloss.text
FROM frequent JOIN words USING (idseq) JOIN Sense USING (idseq) JOIN SenseGloss ON sid = Sense.ID
"""


def dictd_entries(index: bytes, data: bytes) -> Iterator[str]:
    """Yields the distinct entries of a dictionary in dictd format.

    Args:
        index: Lines of headword, offset and size; the numbers are in base 64.
        data: The entries, gzipped.
    """
    texts = gzip.decompress(data)
    seen: set[tuple[str, str]] = set()
    for line in index.decode("utf-8").splitlines():
        headword, offset, size = line.split("\t")
        if not headword.startswith("00") and (offset, size) not in seen:
            seen.add((offset, size))
            start = _number(offset)
            yield texts[start : start + _number(size)].decode("utf-8", errors="replace")


def dictd_entry(entry: str) -> tuple[str, list[str]]:
    """Returns the headword and the translations of an entry.

    Translations are in the line after the headword, or in lines that start with the number of a
    sense; any other line explains the line before it. Pronunciation, grammar and glosses are left
    out.
    """
    first, *lines = entry.split("\n")
    parts: list[str] = []
    for at, line in enumerate(lines):
        line = re.sub(r"\s+\d+\.$", "", line.rstrip())  # the number of a sense with only a gloss
        numbered = re.match(r"\d+\. (.+)", line)
        if numbered or at == 0:
            senses = numbered[1] if numbered else line
            parts += re.split(r"[,;]", re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", senses))
    headword = re.sub(r"\s*[/<(].*$", "", first).strip()
    return headword, [text for text in (" ".join(part.split()) for part in parts) if text]


def dictd_pairs(
    dictionaries: Iterable[tuple[str, str, Iterable[str]]],
) -> dict[tuple[str, str], set[Pair]]:
    """Returns the pairs of words of dictionaries, by language and in both directions.

    Args:
        dictionaries: First language, second language and entries of each dictionary.
    """
    pairs: dict[tuple[str, str], set[Pair]] = defaultdict(set)
    for first, second, entries in dictionaries:
        for headword, translations in map(dictd_entry, entries):
            word = _word(first, headword)
            for other in (_word(second, text) for text in translations):
                if word and other:
                    pairs[first, second].add((word, other))
                    pairs[second, first].add((other, word))
    return pairs


def jmdict_pairs(database: Path) -> list[Pair]:
    """Returns Japanese words, in their usual spelling and in kana, with their English.

    Args:
        database: JMdict in the tables of the package jamdict.

    Raises:
        DataError: If a table is missing.
    """
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute(_JMDICT_QUERY).fetchall()
    except sqlite3.Error as error:
        raise DataError(f"{database} is not a database of jamdict: {error}") from error
    finally:
        connection.close()
    return [(word, _plain(text)) for word, text in rows]


def cedict_pairs(script: bytes) -> Iterator[Pair]:
    """Yields Chinese words, simplified and traditional, with their English.

    Args:
        script: The JavaScript of the package cc-cedict, a single literal of JSON.
    """
    literal = script.decode("utf-8").removeprefix("export default ").rstrip().rstrip(";")
    for traditional, simplified, _, glosses, *_ in json.loads(literal)["all"]:
        for gloss in [glosses] if isinstance(glosses, str) else glosses:
            texts = map(_plain, gloss.split(";") if isinstance(gloss, str) else ())
            for text in (text for text in texts if not text.startswith(_REMARKS)):
                for word in dict.fromkeys((simplified, traditional)):
                    if len(word) <= _MOST_CHARACTERS:
                        yield word, text


def word_entries(
    corpus: str,
    language: str,
    pairs: Iterable[Pair],
    *,
    vocabulary: AbstractSet[str],
    most_words: int = _MOST_WORDS,
) -> Iterator[Entry]:
    """Yields an entry for each usable pair; of a word, the first three in alphabetical order.

    Args:
        corpus: Corpus of the entries.
        language: Language of the first word of each pair.
        pairs: Words with their English.
        vocabulary: Known English words; pairs with other words are left out.
        most_words: Largest number of words of the English.
    """
    taken: Counter[str] = Counter()
    for text, english in sorted(set(pairs)):
        words = english.lower().replace("-", " ").split()
        if not 1 <= len(words) <= most_words or len(text) > _MOST_LETTERS:
            continue
        known = all(re.fullmatch("[a-z]+", word) and word in vocabulary for word in words)
        if known and text.lower() != english.lower() and taken[text] < _MOST_ENGLISH:
            taken[text] += 1
            yield Entry(corpus=corpus, english=english, translations=((language, text),))


def drawn(entries: Iterable[Entry], most: int, seed: int) -> Sequence[Entry]:
    """Draws at most `most` of the entries without repetition; returns them in their order."""
    listed = list(entries)
    rows = random.Random(seed).sample(range(len(listed)), min(most, len(listed)))
    return [listed[row] for row in sorted(rows)]


def _number(digits: str) -> int:
    """Returns the value of a number in base 64."""
    value = 0
    for digit in digits:
        value = 64 * value + _DIGITS[digit]
    return value


def _word(language: str, text: str) -> str:
    """Returns a dictionary's word as texts spell it; empty if it is not a word."""
    if language == "eng":
        text = text.removeprefix("to ")
    if language in _STRESSED:
        text = text.translate(_STRESS)
    return "" if re.search(r"[][{}]", text) or len(text) > _MOST_LETTERS else text


def _plain(gloss: str) -> str:
    """Returns an English gloss without parentheses and without the infinitive's `to`."""
    return " ".join(re.sub(r"\([^)]*\)", " ", gloss).split()).removeprefix("to ")
