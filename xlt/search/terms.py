"""Terms of a text that search compares: words, their parts, and characters without spaces."""

from __future__ import annotations

import unicodedata
from itertools import islice

import regex  # type: ignore[import-untyped]

#: Longest query, in words and in characters.
MOST_WORDS, MOST_CHARACTERS = 512, 20_000

#: Scripts that put no space between words.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tibetan}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Balinese}\p{Javanese}"
)
#: A run of an unspaced script, or a word; marks belong to the letters before them. Apostrophes and
#: joiners are parts of words inside these.
_RUN = regex.compile(
    rf"(?P<unspaced>(?:[{_UNSPACED}][\p{{M}}\u200c\u200d]*)+)"
    rf"|[\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+(?:['’ʼ\u200c\u200d][\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+)*",
    regex.VERSION1,
)
_CHARACTER = regex.compile(r"\X")
#: Characters of a part of a word; words with at most as many have no parts.
PART = 4
#: Marks parts, so that the word `cats` is not the part `cats`.
_MARK = "\u0001"


def plain(text: str) -> str:
    """Returns a text composed (NFC) and without case, so that its spellings are the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def words(text: str) -> list[str]:
    """Returns the words of a text, as `plain` writes them; runs of unspaced scripts are whole."""
    return [run.group() for run in _RUN.finditer(plain(text))]


def terms(text: str) -> list[str]:
    r"""Returns the terms of a text, in their order, with repetitions.

    A word is a term, and so are the runs of `PART` characters in a longer one: endings and prefixes
    differ, and names are alike across languages. Of scripts without spaces the characters are
    terms, each with the one behind it too. A character is what a reader sees as one (`regex` \X).
    """
    found: list[str] = []
    for run in _RUN.finditer(plain(text)):
        characters = _CHARACTER.findall(run.group())
        if run["unspaced"]:
            found += characters
            found += map("".join, zip(characters, islice(characters, 1, None), strict=False))
        else:
            found.append(run.group().replace("’", "'"))
            found += _parts(characters)
    return found


def _parts(characters: list[str]) -> list[str]:
    if len(characters) <= PART:
        return []
    starts = range(len(characters) - PART + 1)
    return [_MARK + "".join(characters[start : start + PART]) for start in starts]
