"""Words of a text: their places, their tokens, and the shape of their letters.

In scripts that put no spaces between words every piece of the tokenizer is a word. A tokenizer's
own words are not used: some tokenizers call a whole sentence one word. Nor are its offsets alone:
those of composing tokenizers leave marks out, and those of others hold spaces.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Blocks of letters that are written without spaces between words: first and last code point.
_UNSPACED = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),  # Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0x20000, 0x3FFFF),
)
_FIRST = [first for first, _ in _UNSPACED]

#: What a shape tells of a word, one bit each, from the lowest. Encoders that lower-case texts do
#: not know it. Scripts without case have the first bit only, or a digit's.
SHAPES = (
    "no case",
    "lower case",
    "first letter upper",
    "one upper letter",
    "all upper",
    "mixed case",
    "digits only",
    "no letter",
    "a digit",
    "begins a sentence",
    "upper at the beginning of a sentence",
    "joined to the left",
)
#: Number of the shapes that exclude one another, which come first.
CASES = 8
#: Steps of a word's length, a third of its characters; the two bits above those of `SHAPES`.
LENGTHS = 4
_UPPER = 0b111100
_DIGIT, _BEGINS, _UPPER_AND_BEGINS, _JOINED = (1 << bit for bit in range(CASES, len(SHAPES)))
_ENDS_SENTENCE = frozenset(".!?:…\n。！？।॥።؟۔")
_OPENS = frozenset("\"'“”„«»‘’-–—([¿¡*•")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Words:
    """The U words of a text, or of a part of it, that a model decides on.

    Attributes:
        of_token: (T,) the word of each token, from 0; -1 for a token of no word.
        shapes: (U,) bits of `SHAPES`, and the step of the length above them.
        where: (U, 2) first code point and the one behind the last, in rising order.
    """

    of_token: NDArray[np.int64]
    shapes: NDArray[np.int64]
    where: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.where)

    def part(self, first: int, last: int, tokens: NDArray[np.intp]) -> Words:
        """Returns the words from `first` to before `last`, and only these tokens."""
        numbers = self.of_token[tokens]
        own = (numbers >= first) & (numbers < last)
        return Words(
            of_token=np.where(own, numbers - first, -1),
            shapes=self.shapes[first:last],
            where=self.where[first:last],
        )


def words_of(text: str, offsets: Sequence[tuple[int, int]], special: NDArray[np.bool_]) -> Words:
    """Finds the words of a tokenised text.

    A word reaches from its first letter to its last mark, whatever offsets its tokens have. A
    token that is in several words makes one word of them.

    Args:
        text: The text.
        offsets: (T, 2) first code point of each token, and the one behind its last.
        special: (T,) True for a token that is in no word.
    """
    begins, ends = _edges(text)
    of_token = np.full(len(offsets), -1, dtype=np.int64)
    where: list[list[int]] = []
    for token, (start, end) in enumerate(offsets):
        if special[token]:
            continue
        while start < end and _is_blank(text[start]):
            start += 1
        while end > start and _is_blank(text[end - 1]):
            end -= 1
        if start == end:
            continue
        start, end = begins[start], ends[end - 1]
        if where and start < where[-1][1]:
            where[-1][1] = max(end, where[-1][1])
        else:
            where.append([start, end])
        of_token[token] = len(where) - 1
    return Words(
        of_token=of_token,
        shapes=np.array(_shapes(text, where), dtype=np.int64),
        where=np.array(where, dtype=np.int64).reshape(-1, 2),
    )


def _edges(text: str) -> tuple[list[int], list[int]]:
    """Returns, for each character, where its word begins and ends.

    A letter of a script without spaces, or a character that is no letter, is one with its marks.
    """
    begins, ends = list(range(len(text))), list(range(1, len(text) + 1))
    first, in_word = 0, False
    for at, character in enumerate(text):
        kind = _kind(character)
        if (kind == "mark" and at and not _is_blank(text[at - 1])) or (kind == "word" and in_word):
            begins[at] = first
        else:
            first = at
        in_word = kind == "word" or (kind == "mark" and in_word)
    for at in range(len(text) - 2, -1, -1):
        if begins[at + 1] <= at:
            ends[at] = ends[at + 1]
    return begins, ends


@lru_cache(maxsize=65_536)
def _kind(character: str) -> str:
    """Returns "mark", "word" for a letter that makes words with others, or an empty string."""
    category = unicodedata.category(character)
    if category[0] == "M" or character in "\u200c\u200d":
        return "mark"
    if category[0] not in "LN":
        return ""
    block = bisect_right(_FIRST, ord(character)) - 1
    return "" if block >= 0 and ord(character) <= _UNSPACED[block][1] else "word"


def _is_blank(character: str) -> bool:
    return character.isspace() or character in "\u200b\u2060\ufeff"


def _shapes(text: str, where: Sequence[Sequence[int]]) -> list[int]:
    shapes, begins, before = [], True, 0
    for start, end in where:
        begins = begins or "\n" in text[before:start]
        word, before = text[start:end], end
        shape = _own_shape(word)
        if begins:
            shape |= _BEGINS | (_UPPER_AND_BEGINS if shape & _UPPER else 0)
        if start and not _is_blank(text[start - 1]):
            shape |= _JOINED
        shapes.append(shape)
        begins = word in _ENDS_SENTENCE or (begins and word in _OPENS)
    return shapes


@lru_cache(maxsize=65_536)
def _own_shape(word: str) -> int:
    """Returns the bits that a word alone decides: case, digits and length."""
    length = min(len(word) // 3, LENGTHS - 1) << len(SHAPES)
    return length | 1 << _case(word) | (_DIGIT if any(map(str.isdigit, word)) else 0)


def _case(word: str) -> int:
    """Returns the number of a word's shape among the first eight of `SHAPES`."""
    letters = [character for character in word if character.isalpha()]
    upper = [character.isupper() or character.istitle() for character in letters]
    if not letters:
        return 6 if any(map(str.isdigit, word)) else 7
    if not any(upper):
        return 1 if all(map(str.islower, letters)) else 0 if not any(map(str.islower, word)) else 5
    if len(letters) == 1:
        return 3
    if all(upper):
        return 4
    return 2 if upper[0] and not any(upper[1:]) else 5
