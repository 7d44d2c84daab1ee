"""Step 1: learns the new rows alone, as bags of pieces in the teacher's input space.

A sentence is the mean of its pieces' embeddings. The bag of a text is pulled to the bag of its
English translation, whose rows are the teacher's and fixed, and pushed from the other English
bags of the batch. No body is run, so that a step costs a thousandth of a real one (cf. WECHSEL,
arXiv 2112.06598, and FOCUS, arXiv 2305.14481, which start new rows from a lexicon).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xlt.pretrain.ragged import Ragged

Progress = Callable[[str], None]
_DRAWN = 50


@dataclass(frozen=True, kw_only=True)
class BagOptions:
    """How step 1 runs."""

    steps: int = 2500
    batch_size: int = 2048
    learning_rate: float = 4e-3
    lexicon_share: float = 0.4  # of each batch
    language_exponent: float = 0.5
    contrast_weight: float = 1.0
    distance_weight: float = 1.0
    temperature: float = 0.05
    max_tokens: int = 64
    minutes: float = 0.0  # stop early after so long; 0 never


def contrast(left: Tensor, right: Tensor, group: Tensor, *, temperature: float) -> Tensor:
    """Returns InfoNCE from `left` to `right` with in-batch negatives.

    Args:
        left: Vectors.  # (B, H)
        right: The translation of each.  # (B, H)
        group: Rows of one group translate the same sentence and are no negatives.  # (B,)
        temperature: Divides the cosines.
    """
    scores = F.normalize(left, dim=-1) @ F.normalize(right, dim=-1).T / temperature  # (B, B)
    same = group[:, None] == group[None, :]
    same.fill_diagonal_(False)
    target = torch.arange(len(left), device=left.device)
    return F.cross_entropy(scores.masked_fill(same, float("-inf")), target)


def learn_rows(
    rows: Tensor,
    frozen: NDArray[np.bool_],
    *,
    texts: Ragged,
    sources: Ragged,
    source: NDArray[np.int32],
    lexicon: NDArray[np.float64],
    sentences: NDArray[np.float64],
    options: BagOptions,
    rng: np.random.Generator,
    progress: Progress,
) -> Tensor:
    """Returns the embeddings after step 1; the rows marked `frozen` are unchanged.

    Args:
        rows: First embeddings.  # (V, H)
        frozen: Rows that stay as they are.  # (V,)
        texts: The N texts, cut.
        sources: The English sentences, cut.
        source: The English row of each text.  # (N,)
        lexicon: Chance of each text in the lexicon part of a batch.  # (N,)
        sentences: Chance of each text in the other part.  # (N,)
        options: See `BagOptions`.
        rng: Draws the batches.
        progress: Called with one line now and then.
    """
    table = torch.nn.Parameter(rows.clone())
    fixed = torch.from_numpy(frozen)
    centre = rows[fixed].mean(dim=0)
    optimizer = torch.optim.Adam([table], lr=options.learning_rate, fused=True)
    n_lexicon = round(options.batch_size * options.lexicon_share) if lexicon.any() else 0
    draws = _draws(lexicon, sentences, n_lexicon, options, rng)
    seconds, began, last = 60 * options.minutes, time.monotonic(), 0.0
    for step in range(options.steps):
        share = step / options.steps
        if seconds:
            share = max(share, (time.monotonic() - began) / seconds)
        if share >= 1:
            break
        optimizer.param_groups[0]["lr"] = options.learning_rate * (1 - share)
        batch = next(draws)
        english = source[batch].astype(np.int64)
        ours = F.embedding_bag(*_swap(texts.bag(batch, max_tokens=options.max_tokens), table))
        theirs = F.embedding_bag(*_swap(sources.bag(english, max_tokens=options.max_tokens), rows))
        distance = (ours - theirs).pow(2).sum(dim=-1).mean()
        apart = contrast(
            ours - centre,
            theirs - centre,
            torch.from_numpy(english),
            temperature=options.temperature,
        )
        loss = options.distance_weight * distance + options.contrast_weight * apart
        optimizer.zero_grad(set_to_none=False)
        torch.autograd.backward(loss)
        assert table.grad is not None
        table.grad[fixed] = 0.0
        optimizer.step()
        if time.monotonic() - last > 10:
            last = time.monotonic()
            progress(
                f"bag {step}/{options.steps} distance {distance.item():.3f} "
                f"contrast {apart.item():.3f}"
            )
    return table.detach()


def _draws(
    lexicon: NDArray[np.float64],
    sentences: NDArray[np.float64],
    n_lexicon: int,
    options: BagOptions,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.int64]]:
    """Yields batches of text rows; many are drawn at once, because each draw sums all chances."""
    sizes = (n_lexicon, options.batch_size - n_lexicon)
    while True:
        blocks = [
            rng.choice(len(chance), size=(_DRAWN, size), p=chance / chance.sum())
            for chance, size in zip((lexicon, sentences), sizes, strict=True)
            if size
        ]
        yield from np.concatenate(blocks, axis=1)


def _swap(bag: tuple[Tensor, Tensor], table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return bag[0], table, bag[1]
