"""Tokenises texts with their words; a text that is longer than an input becomes several windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xlt.encoder.tokens import Input, Tokens, copied
from xlt.encoder.words import words_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class WordTokenizer:
    """A fast tokenizer that keeps all of a text; threads may share it.

    Args:
        tokenizer: The encoder's tokenizer.
        max_length: Tokens of the longest input, special tokens included.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        self._backend = copied(tokenizer.backend_tokenizer)
        self._with_types = "token_type_ids" in tokenizer.model_input_names
        self._limit = max_length

    def __call__(self, texts: Sequence[Input]) -> list[list[Tokens]]:
        """Tokenises texts; of several texts that belong together, the first has the words.

        Returns:
            For each text its windows, at least one. Each word of the text is in one of them.
        """
        return [
            self._windows(encoding, text if isinstance(text, str) else text[0])
            for encoding, text in zip(self._backend.encode_batch(list(texts)), texts, strict=True)
        ]

    def _windows(self, encoding: Any, text: str) -> list[Tokens]:  # noqa: ANN401 - tokenizers has no types
        ids = np.array(encoding.ids, dtype=np.int64)
        first = np.array([n == 0 for n in encoding.sequence_ids], dtype=bool)
        types = encoding.type_ids if self._with_types else [0] * len(ids)
        tokens = Tokens(
            ids=ids,
            special=np.array(encoding.special_tokens_mask, dtype=bool),
            types=np.array(types, dtype=np.int64),
            words=words_of(text, encoding.offsets, ~first),
        )
        return windows(tokens, first, self._limit)


def windows(tokens: Tokens, moving: NDArray[np.bool_], limit: int) -> list[Tokens]:
    """Cuts a tokenised text with words into windows of at most `limit` tokens.

    Windows overlap by a quarter. A word belongs to the window in which its middle is farthest from
    an end, so that it is read with as much context as possible.

    Args:
        tokens: The text.
        moving: (T,) True for tokens that are cut; the others are in every window, at most half a
            window of them.
        limit: Largest number of tokens, at least 2.
    """
    words = tokens.words
    if len(tokens) <= limit or words is None:
        return [tokens]
    fixed = np.flatnonzero(~moving)[-(limit // 2) :]
    cut = np.flatnonzero(moving)
    room = limit - len(fixed)
    count = max(-(-(len(cut) - room // 4) // (room - room // 4)), 1)
    starts = np.linspace(0, max(len(cut) - room, 0), count).round().astype(np.intp)
    numbers = words.of_token[cut]
    middles = [np.flatnonzero(numbers == word).mean() for word in range(len(words))]
    centres = starts + (min(room, len(cut)) - 1) / 2
    owners = np.array([np.abs(centres - middle).argmin() for middle in middles], dtype=np.intp)
    parts = []
    for number, start in enumerate(starts):
        kept = np.sort(np.concatenate([fixed, cut[start : start + room]]))
        first, last = np.searchsorted(owners, [number, number + 1])
        parts.append(
            Tokens(
                ids=tokens.ids[kept],
                special=tokens.special[kept],
                types=tokens.types[kept],
                words=words.part(int(first), int(last), kept),
            )
        )
    return parts
