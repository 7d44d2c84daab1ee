"""Tokenises texts, and makes padded batches of their token ids with little padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from xlt.encoder.words import Words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_WIDTHS = 8

#: Token ids of one text, special tokens included.
TokenIds = NDArray[np.int64]


#: A text, or two that are read as one sequence.
Input = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokens:
    """One tokenised text, or two in one sequence.

    Attributes:
        ids: (T,) token ids, special tokens included.
        special: (T,) bool, True for a token that belongs to no text.
        types: (T,) 0 for the first text, 1 for the second; 0 for special tokens of models that
            know no second text.
        words: Words of the text; None if they are not asked for.
    """

    ids: TokenIds
    special: NDArray[np.bool_]
    types: TokenIds
    words: Words | None = None

    def __len__(self) -> int:
        return len(self.ids)


class TextTokenizer:
    """A fast tokenizer with truncation set once, so that threads may share it.

    The Hugging Face wrapper sets truncation on its Rust half at every call, which raises
    "Already borrowed" if two threads do so at once. This class calls a copy of that half directly.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        self._backend = copied(tokenizer.backend_tokenizer)
        self._backend.enable_truncation(max_length)
        self._with_types = "token_type_ids" in tokenizer.model_input_names

    def __call__(self, texts: Sequence[Input]) -> list[Tokens]:
        """Tokenises texts, or pairs of texts into one sequence each."""
        return [
            Tokens(
                ids=np.array(encoding.ids, dtype=np.int64),
                special=np.array(encoding.special_tokens_mask, dtype=bool),
                types=np.array(encoding.type_ids if self._with_types else 0, dtype=np.int64)
                * np.ones(len(encoding.ids), dtype=np.int64),
            )
            for encoding in self._backend.encode_batch(list(texts))
        ]


def copied(backend: Tokenizer) -> Tokenizer:
    """Returns the same tokenizer without padding and with a truncation of its own.

    Both share the vocabulary: copying 320,000 pieces takes 80 MiB and 0.4 s.
    """
    copy = Tokenizer(backend.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor"):
        if getattr(backend, part) is not None:
            setattr(copy, part, getattr(backend, part))
    copy.encode_special_tokens = backend.encode_special_tokens
    added = backend.get_added_tokens_decoder()
    copy.add_tokens([added[i] for i in sorted(added)])  # in this order each gets its id again
    return copy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PaddedWords:
    """The words of B rows, padded on the right to the most words of a row.

    Attributes:
        of_token: (B, T) int64 word of each token, from 0; -1 for a token of no word.
        shapes: (B, U) int64, see `xlt.encoder.words.SHAPES`; -1 for padding.
    """

    of_token: Tensor
    shapes: Tensor

    def to(self, device: torch.device) -> PaddedWords:
        """Returns the words on another device."""
        return PaddedWords(of_token=self.of_token.to(device), shapes=self.shapes.to(device))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Padded:
    """B rows of token ids, padded on the right to the longest.

    Attributes:
        input_ids: (B, T) int64.
        attention_mask: (B, T) int64, 1 for a token, 0 for padding.
        token_type_ids: (B, T) int64, or None if every row is one text.
        words: Words of the first rows, those that a head decides on; None without such a head.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor | None = None
    words: PaddedWords | None = None

    def to(self, device: torch.device) -> Padded:
        """Returns the batch on another device."""
        types = self.token_type_ids
        return Padded(
            input_ids=self.input_ids.to(device),
            attention_mask=self.attention_mask.to(device),
            token_type_ids=None if types is None else types.to(device),
            words=None if self.words is None else self.words.to(device),
        )

    def inputs(self) -> dict[str, Tensor]:
        """Returns the keyword arguments of a Hugging Face encoder."""
        named = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        if self.token_type_ids is not None:
            named["token_type_ids"] = self.token_type_ids
        return named


def padded_width(longest: int, limit: int) -> int:
    """Returns a multiple of 8 to pad rows to, at most the `limit` of what a model can read.

    CPUs prepare a matrix product for every new shape, which takes a third of its time and some MB
    of memory; GPUs multiply such shapes faster (NVIDIA's guide to mixed precision).
    """
    return max(longest, min(-(-longest // _WIDTHS) * _WIDTHS, limit))


def pad(
    rows: Sequence[TokenIds], pad_id: int, *, types: Sequence[TokenIds] = (), width: int = 1
) -> Padded:
    """Pads rows on the right to the longest of them, or to `width` if that is more.

    Padding on the right keeps the position ids of the unpadded text, also for models that count
    from another first position (XLM-R: padding_idx + 1).

    Args:
        rows: B rows of token ids.
        pad_id: The tokenizer's padding id.
        types: Token types of the rows; empty if all rows are single texts.
        width: Smallest length T of a padded row.
    """
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    width = int(max(lengths.max(initial=0), width))
    mask = np.arange(width)[None, :] < lengths[:, None]  # (B, T)
    return Padded(
        input_ids=_fill(rows, mask, pad_id),
        attention_mask=torch.from_numpy(mask.astype(np.int64)),
        token_type_ids=_fill(types, mask, 0) if len(types) else None,
    )


def pad_words(rows: Sequence[Tokens], width: int) -> PaddedWords | None:
    """Pads the words of rows whose tokens are padded to `width`; None if they have no words."""
    words = [row.words for row in rows if row.words is not None]
    if len(words) < len(rows) or not rows:
        return None
    most = max(1, *map(len, words))
    of_token = np.full((len(rows), width), -1, dtype=np.int64)
    shapes = np.full((len(rows), most), -1, dtype=np.int64)
    for row, own in enumerate(words):
        of_token[row, : len(own.of_token)] = own.of_token
        shapes[row, : len(own)] = own.shapes
    return PaddedWords(of_token=torch.from_numpy(of_token), shapes=torch.from_numpy(shapes))


def _fill(rows: Sequence[TokenIds], mask: NDArray[np.bool_], value: int) -> Tensor:
    filled = np.full(mask.shape, value, dtype=np.int64)
    if len(rows):
        filled[mask] = np.concatenate(rows)
    return torch.from_numpy(filled)


def budget_batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Sorts positions by length and groups them so that no padded batch exceeds `max_tokens`.

    The longest come first, so that a batch too large for the memory fails at once. A text longer
    than the budget is a batch of its own. Every position occurs exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batches: list[list[int]] = []
    for position in order:
        if batches and (len(batches[-1]) + 1) * max(lengths[batches[-1][0]], 1) <= max_tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches
