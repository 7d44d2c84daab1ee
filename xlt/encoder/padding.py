"""Makes padded batches of token ids, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlt.encoder.tokens import TokenIds, Tokens


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
