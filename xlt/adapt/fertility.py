"""How finely a tokenizer cuts each language, and which languages it shatters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

#: Texts whose words are longer in the mean are of a script without spaces between words.
_LONGEST_WORDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How the texts of a language are cut.

    Attributes:
        unknown: Share of the characters, blanks aside, that stand in an unknown token, in [0, 1].
        tokens_per_word: Words are what blanks separate.
        tokens_per_character: Blanks aside.
        spaced: Whether words are separated by blanks.
    """

    unknown: float
    tokens_per_word: float
    tokens_per_character: float
    spaced: bool


def measure(tokenizer: Tokenizer, texts: Sequence[str], *, unknown_id: int | None) -> Cut:
    """Cuts texts and counts; texts without a character give zeros.

    Args:
        tokenizer: Fast tokenizer.
        texts: Of one language.
        unknown_id: Id of the unknown token; None: every character has a token (byte-level).
    """
    characters = words = tokens = unknown = 0
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        characters += sum(not c.isspace() for c in text)
        words += len(text.split())
        tokens += len(encoding.ids)
        unknown += sum(
            sum(not c.isspace() for c in text[begin:end])
            for id, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if id == unknown_id
        )
    return Cut(
        unknown=unknown / max(1, characters),
        tokens_per_word=tokens / max(1, words),
        tokens_per_character=tokens / max(1, characters),
        spaced=characters <= _LONGEST_WORDS * max(1, words),
    )


def shattered(
    cuts: Mapping[str, Cut],
    *,
    max_unknown: float,
    max_tokens_per_word: float,
    max_tokens_per_character: float,
) -> list[str]:
    """Languages that a tokenizer cannot read or cuts too finely, sorted.

    Scripts without spaces are judged by tokens per character, the others by tokens per word.
    """
    return sorted(
        lang
        for lang, cut in cuts.items()
        if cut.unknown > max_unknown
        or (
            cut.tokens_per_word > max_tokens_per_word
            if cut.spaced
            else cut.tokens_per_character > max_tokens_per_character
        )
    )
