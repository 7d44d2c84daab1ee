"""Token ids of many texts in one flat array, and the batches cut from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """Rows of different lengths, one after the other."""

    flat: NDArray[np.int32]  # all token ids
    start: NDArray[np.int64]  # (N + 1,) where each row begins

    def __len__(self) -> int:
        return len(self.start) - 1

    def lengths(self) -> NDArray[np.int64]:
        """Returns the number of tokens of every row: (N,)."""
        return np.diff(self.start)

    def tokens(
        self, rows: NDArray[np.int64], *, max_tokens: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the ids of `rows` one after the other, and which of the rows each is of: (T,)."""
        lengths = np.minimum(self.start[rows + 1] - self.start[rows], max_tokens)
        offsets = np.cumsum(lengths) - lengths
        positions = np.arange(int(lengths.sum())) - np.repeat(offsets, lengths)
        ids = self.flat[np.repeat(self.start[rows], lengths) + positions]
        text = np.repeat(np.arange(len(rows)), lengths)
        return torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(text)

    def padded(
        self,
        rows: NDArray[np.int64],
        *,
        max_tokens: int,
        first: int,
        last: int,
        pad: int,
        multiple_of: int = 1,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns ids and mask, both (B, T), each row between the ids `first` and `last`.

        T is the longest row's length, rounded up to a multiple of `multiple_of`.
        """
        lengths = np.minimum(self.start[rows + 1] - self.start[rows], max_tokens - 2)
        width = -(-(int(lengths.max(initial=0)) + 2) // multiple_of) * multiple_of
        ids = np.full((len(rows), width), pad, dtype=np.int64)
        ids[:, 0] = first
        for row, (start, length) in enumerate(zip(self.start[rows], lengths, strict=True)):
            ids[row, 1 : 1 + length] = self.flat[start : start + length]
            ids[row, 1 + length] = last
        mask = np.arange(ids.shape[1])[None, :] < (lengths + 2)[:, None]
        return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Ragged:
    """Cuts every text once, without special tokens."""
    parts: list[NDArray[np.int32]] = []
    lengths: list[int] = [0]
    for begin in range(0, len(texts), _CHUNK):
        chunk = list(texts[begin : begin + _CHUNK])
        encodings = tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        lengths.extend(len(encoding.ids) for encoding in encodings)
        parts.extend(np.array(encoding.ids, dtype=np.int32) for encoding in encodings)
    flat = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    return Ragged(flat=flat, start=np.cumsum(lengths, dtype=np.int64))
