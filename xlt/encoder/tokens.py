"""Texts to token ids, and rows of token ids to padded batches with little padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_WIDTHS = 8

#: Token ids of one text, special tokens included.
TokenIds = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokens:
    """One tokenised text, or two in one sequence.

    Attributes:
        ids: (T,) token ids, special tokens included.
        special: (T,) bool, True where a token belongs to no text.
        types: (T,) 0 for the first text, 1 for the second; 0 for special tokens of models that
            know no second text.
    """

    ids: TokenIds
    special: NDArray[np.bool_]
    types: TokenIds

    def __len__(self) -> int:
        return len(self.ids)


class TextTokenizer:
    """A fast tokenizer with truncation set once, so that threads may share it.

    The Hugging Face wrapper sets truncation on its Rust half at every call, which raises
    "Already borrowed" when two threads meet there; this calls a twin of that half directly.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        self._backend = _twin(tokenizer.backend_tokenizer)
        self._backend.enable_truncation(max_length)
        self._with_types = "token_type_ids" in tokenizer.model_input_names

    def __call__(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> list[Tokens]:
        """Tokenise texts, or pairs of texts into one sequence each."""
        return [
            Tokens(
                ids=np.array(encoding.ids, dtype=np.int64),
                special=np.array(encoding.special_tokens_mask, dtype=bool),
                types=np.array(encoding.type_ids if self._with_types else 0, dtype=np.int64)
                * np.ones(len(encoding.ids), dtype=np.int64),
            )
            for encoding in self._backend.encode_batch(list(texts))
        ]


def _twin(backend: Tokenizer) -> Tokenizer:
    """A tokenizer that cuts the same, never pads and has a truncation of its own.

    Both hold one vocabulary: a copy of 320,000 pieces takes 80 MiB and 0.4 s.
    """
    twin = Tokenizer(backend.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor"):
        if getattr(backend, part) is not None:
            setattr(twin, part, getattr(backend, part))
    twin.encode_special_tokens = backend.encode_special_tokens
    added = backend.get_added_tokens_decoder()
    twin.add_tokens([added[i] for i in sorted(added)])  # in this order each gets its id again
    return twin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Padded:
    """B rows of token ids, padded on the right to the longest.

    Attributes:
        input_ids: (B, T) int64.
        attention_mask: (B, T) int64, 1 for a token, 0 for padding.
        token_type_ids: (B, T) int64, or None where every row is one text.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor | None = None

    def to(self, device: torch.device) -> Padded:
        """The same on another device."""
        types = self.token_type_ids
        return Padded(
            input_ids=self.input_ids.to(device),
            attention_mask=self.attention_mask.to(device),
            token_type_ids=None if types is None else types.to(device),
        )

    def inputs(self) -> dict[str, Tensor]:
        """Keyword arguments of a Hugging Face encoder."""
        named = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        if self.token_type_ids is not None:
            named["token_type_ids"] = self.token_type_ids
        return named


def padded_width(longest: int, limit: int) -> int:
    """Rows of tokens are padded to a multiple of 8, within the `limit` of what a model can read.

    Processors prepare a matrix product anew for every shape, which takes a third of its time and
    keeps some MB for each; GPUs multiply such shapes faster (NVIDIA's guide to mixed precision).
    """
    return max(longest, min(-(-longest // _WIDTHS) * _WIDTHS, limit))


def pad(
    rows: Sequence[TokenIds], pad_id: int, *, types: Sequence[TokenIds] = (), width: int = 1
) -> Padded:
    """Pad rows on the right to the longest of them, or to `width` where that is more.

    Padding stands on the right, so position ids that the model counts from its own first
    position (XLM-R: padding_idx + 1) are those of the unpadded text.

    Args:
        rows: B rows of token ids.
        pad_id: The tokenizer's padding id.
        types: Token types of the rows; none: all rows are single texts.
        width: Least length T of a padded row.
    """
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    width = int(max(lengths.max(initial=0), width))
    mask = np.arange(width)[None, :] < lengths[:, None]  # (B, T)
    return Padded(
        input_ids=_fill(rows, mask, pad_id),
        attention_mask=torch.from_numpy(mask.astype(np.int64)),
        token_type_ids=_fill(types, mask, 0) if len(types) else None,
    )


def _fill(rows: Sequence[TokenIds], mask: NDArray[np.bool_], value: int) -> Tensor:
    filled = np.full(mask.shape, value, dtype=np.int64)
    if len(rows):
        filled[mask] = np.concatenate(rows)
    return torch.from_numpy(filled)


def budget_batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Positions sorted by length and cut so that no padded batch exceeds `max_tokens`.

    Longest first: what does not fit into memory fails at once. A text longer than the budget
    is a batch of its own. Every position occurs exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batches: list[list[int]] = []
    for position in order:
        if batches and (len(batches[-1]) + 1) * max(lengths[batches[-1][0]], 1) <= max_tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches
