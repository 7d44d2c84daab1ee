"""Fertility: the number of tokens a tokenizer needs for the words of each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

#: Mean length of words, in characters, above which a script has no spaces between words.
_LONGEST_WORDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fertility:
    """Fertility of a tokenizer in one language.

    Attributes:
        unknown: Share of the characters, without spaces, in an unknown token, in [0, 1].
        tokens_per_word: Tokens for each word; words are separated by spaces.
        tokens_per_character: Tokens for each character, without spaces.
        spaced: True if words are separated by spaces.
    """

    unknown: float
    tokens_per_word: float
    tokens_per_character: float
    spaced: bool


def measure(tokenizer: Tokenizer, texts: Sequence[str], *, unknown_id: int | None) -> Fertility:
    """Measures the fertility of texts; it is zero for texts without characters.

    Args:
        tokenizer: Fast tokenizer.
        texts: Texts of one language.
        unknown_id: Id of the unknown token; None for byte-level tokenizers, which have none.
    """
    characters = words = tokens = unknown = 0
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        characters += sum(not c.isspace() for c in text)
        words += len(text.split())
        tokens += len(encoding.ids)
        unknown += sum(
            sum(not c.isspace() for c in text[start:end])
            for id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if id == unknown_id
        )
    return Fertility(
        unknown=unknown / max(1, characters),
        tokens_per_word=tokens / max(1, words),
        tokens_per_character=tokens / max(1, characters),
        spaced=characters <= _LONGEST_WORDS * max(1, words),
    )


def badly_read(
    fertilities: Mapping[str, Fertility],
    *,
    max_unknown: float,
    max_tokens_per_word: float,
    max_tokens_per_character: float,
) -> list[str]:
    """Returns the languages that a tokenizer cannot read or splits too finely, sorted.

    Scripts without spaces are judged by tokens per character, all others by tokens per word.
    """
    return sorted(
        lang
        for lang, fertility in fertilities.items()
        if fertility.unknown > max_unknown
        or (
            fertility.tokens_per_word > max_tokens_per_word
            if fertility.spaced
            else fertility.tokens_per_character > max_tokens_per_character
        )
    )
