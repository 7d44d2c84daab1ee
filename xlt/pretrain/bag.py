"""Step 2: learns the new rows alone, as bags of pieces in the teacher's input space.

A sentence is the mean of its pieces' embeddings. The bag of a text is pulled to the bag of its
English translation, whose rows are the teacher's and fixed, and pushed from the other English
bags of the batch. No body is run, so that a step costs a thousandth of a real one.
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
_CHUNK = 8192


@dataclass(frozen=True, kw_only=True)
class BagOptions:
    """How step 2 runs."""

    steps: int = 2500
    batch_size: int = 2048
    learning_rate: float = 4e-3
    lexicon_share: float = 0.4  # of each batch
    contrast_weight: float = 1.0
    distance_weight: float = 1.0
    temperature: float = 0.05
    max_tokens: int = 64
    dropout: float = 0.0  # of the pieces of a text, so that each learns to speak for itself
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
    """Returns the embeddings after step 2; the rows marked `frozen` are unchanged.

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
    table.grad = torch.zeros_like(rows)
    fixed = torch.from_numpy(frozen)
    centre = rows[fixed].mean(dim=0)
    targets = _bags(sources, rows, options.max_tokens)
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
        english = torch.from_numpy(source[batch].astype(np.int64))
        ids, text = texts.tokens(batch, max_tokens=options.max_tokens)
        if options.dropout:
            stays = torch.from_numpy(rng.random(len(ids)) >= options.dropout)
            ids, text = ids[stays], text[stays]
        ours = _means(ids, text, table.detach(), len(batch)).requires_grad_()
        distance, apart = _losses(ours, targets[english], centre, english, options)
        torch.autograd.backward(
            options.distance_weight * distance + options.contrast_weight * apart
        )
        _step(optimizer, table, ours, ids, text, fixed)
        if time.monotonic() - last > 10:
            last = time.monotonic()
            progress(
                f"bag {step}/{options.steps} distance {distance.item():.3f} "
                f"contrast {apart.item():.3f}"
            )
    return table.detach()


def _losses(
    ours: Tensor, theirs: Tensor, centre: Tensor, english: Tensor, options: BagOptions
) -> tuple[Tensor, Tensor]:
    """Returns the squared distance and the contrast of bags (B, H) and their translations'."""
    distance = (ours - theirs).pow(2).sum(dim=-1).mean()
    apart = contrast(ours - centre, theirs - centre, english, temperature=options.temperature)
    return distance, apart


def _step(
    optimizer: torch.optim.Optimizer,
    table: torch.nn.Parameter,
    bags: Tensor,
    ids: Tensor,
    text: Tensor,
    fixed: Tensor,
) -> None:
    """Hands the bags' gradient on to their rows, but the `fixed` ones, and takes one step.

    Done by hand, because autograd would fill a gradient of the whole table anew for every batch.
    """
    assert bags.grad is not None
    assert table.grad is not None
    counts = torch.bincount(text, minlength=len(bags)).clamp_min(1)
    shares = bags.grad / counts[:, None]
    moves = ~fixed[ids]
    table.grad.index_add_(0, ids[moves], shares[text[moves]])
    optimizer.step()
    table.grad.index_fill_(0, ids, 0.0)


def _bags(texts: Ragged, table: Tensor, max_tokens: int) -> Tensor:
    """Returns the mean row of each text: (len(texts), H)."""
    found = []
    for begin in range(0, len(texts), _CHUNK):
        rows = np.arange(begin, min(begin + _CHUNK, len(texts)))
        ids, text = texts.tokens(rows, max_tokens=max_tokens)
        found.append(_means(ids, text, table, len(rows)))
    return torch.cat(found)


def _means(ids: Tensor, text: Tensor, table: Tensor, size: int) -> Tensor:
    """Returns the mean of `table[ids]` over each text's tokens, 0 where it has none: (size, H)."""
    counts = torch.bincount(text, minlength=size)
    return F.embedding_bag(ids, table, counts.cumsum(0) - counts)


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
