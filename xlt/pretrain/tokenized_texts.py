"""Token ids of many texts in one flat array, and padded batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class TokenizedTexts:
    """Token ids of N texts, one text after the other.

    Attributes:
        flat: All token ids.
        start: (N + 1,) position of each text's first token in `flat`, and the end of the last.
    """

    flat: NDArray[np.int32]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start) - 1

    def lengths(self) -> NDArray[np.int64]:
        """Returns the number of tokens of every text: (N,)."""
        return np.diff(self.start)

    def tokens(
        self, rows: NDArray[np.int64], *, max_tokens: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the ids of `rows`, one row after the other, and the row of each id: (T,) both."""
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
        """Returns a padded batch: ids and mask, both (B, T).

        Args:
            rows: Texts of the batch.
            max_tokens: Longer texts are truncated.
            first: Id before each text.
            last: Id after each text.
            pad: Id of padding.
            multiple_of: T is the length of the longest row, rounded up to a multiple of this.
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


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> TokenizedTexts:
    """Tokenises texts without special tokens."""
    parts: list[NDArray[np.int32]] = []
    lengths: list[int] = [0]
    for first in range(0, len(texts), _CHUNK):
        chunk = list(texts[first : first + _CHUNK])
        encodings = tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        lengths.extend(len(encoding.ids) for encoding in encodings)
        parts.extend(np.array(encoding.ids, dtype=np.int32) for encoding in encodings)
    flat = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    return TokenizedTexts(flat=flat, start=np.cumsum(lengths, dtype=np.int64))
