"""Shapes of words and of their neighbours as numbers, for heads that decide about words."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from xlt.encoder.words import CASES, LENGTHS, SHAPES

#: Words to the left and to the right whose shapes count.
_WINDOW = 2
_SHARES = 4
_CASED = slice(1, 6)
_UPPER = slice(2, 6)
_BEGINS = SHAPES.index("begins a sentence")
_UPPER_AT_BEGINNING = SHAPES.index("upper at the beginning of a sentence")

#: Numbers of a word in `context`.
CONTEXT = (2 * _WINDOW + 1) * len(SHAPES) + CASES * (2 * CASES + 1 + _SHARES + LENGTHS) + 2


def flags(shapes: Tensor) -> Tensor:
    """Returns the bits of shapes (B, U) as numbers (B, U, len(SHAPES)); 0 for padding."""
    bits = torch.arange(len(SHAPES), device=shapes.device)
    return ((shapes.clamp(min=0)[..., None] >> bits) & 1).float()


def context(shapes: Tensor) -> Tensor:
    """Returns the shapes of words (B, U) and what is around them, (B, U, CONTEXT).

    These are the shapes of a word and of two words on either side; the pairs of its case and that
    of its neighbours; its case with its length, with the share of words in the text that begin
    with an upper letter, and with the beginning of a sentence; and the ends of the text.
    """
    own = flags(shapes)
    case = own[..., :CASES]
    count = shapes.shape[1]
    is_word = shapes >= 0
    padded = functional.pad(own, (0, 0, _WINDOW, _WINDOW))
    near = [padded[:, shift : shift + count] for shift in range(2 * _WINDOW + 1)]
    left, right = near[_WINDOW - 1][..., :CASES], near[_WINDOW + 1][..., :CASES]
    cased, upper = own[..., _CASED].sum(dim=(1, 2)), own[..., _UPPER].sum(dim=(1, 2))
    share = (upper / cased.clamp(min=1.0) * _SHARES).long().clamp(max=_SHARES - 1)
    shares = functional.one_hot(share, _SHARES)[:, None].expand(-1, count, -1).float()
    length = (shapes.clamp(min=0) >> len(SHAPES)) & (LENGTHS - 1)
    lengths = functional.one_hot(length, LENGTHS).float()
    last = is_word & ~functional.pad(is_word[:, 1:], (0, 1))
    first = torch.zeros_like(last)
    first[:, 0] = is_word[:, 0]
    pairs = [(case[..., :, None] * other[..., None, :]).flatten(2) for other in (
        left, right, own[..., _BEGINS : _BEGINS + 1], shares, lengths
    )]  # fmt: skip
    ends = torch.stack([first, last], dim=-1).float()
    return torch.cat([*near, *pairs, ends], dim=-1) * is_word[..., None]


def has_case(shapes: Tensor) -> Tensor:
    """Returns which texts (B,) have upper and lower letters, so that case tells something."""
    own = flags(shapes)
    return own[..., _UPPER].any(dim=-1).any(dim=-1) & own[..., 1].any(dim=-1)


def without_case(shapes: Tensor) -> Tensor:
    """Returns the shapes (B, U) as if the script had no case."""
    cased = sum(1 << bit for bit in range(_CASED.start, _CASED.stop))
    has = (shapes.clamp(min=0) & cased) > 0
    cleared = shapes & ~(cased | 1 << _UPPER_AT_BEGINNING)
    return torch.where(has & (shapes >= 0), cleared | 1, torch.where(shapes >= 0, cleared, shapes))
