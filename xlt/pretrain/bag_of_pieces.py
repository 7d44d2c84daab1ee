"""Step 2: trains the new embeddings alone, on bags of pieces.

A text is the mean of its pieces' embeddings. The bag of a text is pulled to the bag of its English
translation, whose embeddings are the teacher's and fixed, and pushed from the other English bags
of the batch. The body does not run, so that a step takes a thousandth of the time.
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

from xlt.pretrain.tokenized_texts import TokenizedTexts
from xlt.pretrain.translations import Translations

Progress = Callable[[str], None]
_DRAWN = 50
_CHUNK = 8192


@dataclass(frozen=True, kw_only=True)
class BagOptions:
    """Options of step 2.

    Attributes:
        steps: Number of steps.
        batch_size: Texts in a batch.
        learning_rate: Rate of the first step; it falls to 0.
        lexicon_share: Share of words in a batch.
        contrast_weight: Weight of the contrast.
        distance_weight: Weight of the distance.
        temperature: Divides the cosines of the contrast.
        max_tokens: Longer texts are truncated.
        dropout: Share of the pieces of a text left out, so that each piece carries meaning alone.
        minutes: Time limit; 0 for none.
    """

    steps: int = 2500
    batch_size: int = 2048
    learning_rate: float = 4e-3
    lexicon_share: float = 0.4
    contrast_weight: float = 1.0
    distance_weight: float = 1.0
    temperature: float = 0.05
    max_tokens: int = 64
    dropout: float = 0.0
    minutes: float = 0.0


def contrast(left: Tensor, right: Tensor, group: Tensor, *, temperature: float) -> Tensor:
    """Returns InfoNCE from `left` to `right` with in-batch negatives.

    Args:
        left: Vectors.  # (B, H)
        right: The translation of each.  # (B, H)
        group: Rows with the same number translate one sentence and are no negatives.  # (B,)
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
    translations: Translations,
    options: BagOptions,
    rng: np.random.Generator,
    progress: Progress,
) -> Tensor:
    """Returns the embeddings after step 2.

    Args:
        rows: First embeddings.  # (V, H)
        frozen: True for embeddings that do not change.  # (V,)
        translations: Texts to learn from.
        options: See `BagOptions`.
        rng: Draws the batches.
        progress: Called with one line now and then.
    """
    table = torch.nn.Parameter(rows.clone())
    table.grad = torch.zeros_like(rows)
    fixed = torch.from_numpy(frozen)
    centre = rows[fixed].mean(dim=0)
    targets = _bags(translations.sources, rows, options.max_tokens)
    optimizer = torch.optim.Adam([table], lr=options.learning_rate, fused=True)
    draws = _draws(translations, options, rng)
    seconds, started, last = 60 * options.minutes, time.monotonic(), 0.0
    for step in range(options.steps):
        share = step / options.steps
        if seconds:
            share = max(share, (time.monotonic() - started) / seconds)
        if share >= 1:
            break
        optimizer.param_groups[0]["lr"] = options.learning_rate * (1 - share)
        batch = next(draws)
        english = torch.from_numpy(translations.source_row[batch].astype(np.int64))
        ids, text = translations.texts.tokens(batch, max_tokens=options.max_tokens)
        if options.dropout:
            remains = torch.from_numpy(rng.random(len(ids)) >= options.dropout)
            ids, text = ids[remains], text[remains]
        bags = _means(ids, text, table.detach(), len(batch)).requires_grad_()
        distance, contrasted = _losses(bags, targets[english], centre, english, options)
        torch.autograd.backward(
            options.distance_weight * distance + options.contrast_weight * contrasted
        )
        _step(optimizer, table, bags, ids, text, fixed)
        if time.monotonic() - last > 10:
            last = time.monotonic()
            progress(
                f"bag {step}/{options.steps} distance {distance.item():.3f} "
                f"contrast {contrasted.item():.3f}"
            )
    return table.detach()


def _losses(
    bags: Tensor, targets: Tensor, centre: Tensor, english: Tensor, options: BagOptions
) -> tuple[Tensor, Tensor]:
    """Returns the squared distance and the contrast of bags and their translations' bags."""
    distance = (bags - targets).pow(2).sum(dim=-1).mean()
    contrasted = contrast(bags - centre, targets - centre, english, temperature=options.temperature)
    return distance, contrasted


def _step(
    optimizer: torch.optim.Optimizer,
    table: torch.nn.Parameter,
    bags: Tensor,
    ids: Tensor,
    text: Tensor,
    fixed: Tensor,
) -> None:
    """Passes the bags' gradient to the embeddings that are not `fixed`, and takes one step.

    Autograd would fill a gradient of the whole table for every batch.
    """
    assert bags.grad is not None
    assert table.grad is not None
    counts = torch.bincount(text, minlength=len(bags)).clamp_min(1)
    shares = bags.grad / counts[:, None]
    moves = ~fixed[ids]
    table.grad.index_add_(0, ids[moves], shares[text[moves]])
    optimizer.step()
    table.grad.index_fill_(0, ids, 0.0)


def _bags(texts: TokenizedTexts, table: Tensor, max_tokens: int) -> Tensor:
    """Returns the bag of each text: (len(texts), H)."""
    bags = []
    for first in range(0, len(texts), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(texts)))
        ids, text = texts.tokens(rows, max_tokens=max_tokens)
        bags.append(_means(ids, text, table, len(rows)))
    return torch.cat(bags)


def _means(ids: Tensor, text: Tensor, table: Tensor, size: int) -> Tensor:
    """Returns the mean of `table[ids]` over each text's tokens, 0 without tokens: (size, H)."""
    counts = torch.bincount(text, minlength=size)
    return F.embedding_bag(ids, table, counts.cumsum(0) - counts)


def _draws(
    translations: Translations, options: BagOptions, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yields batches of text rows; many are drawn at once, because each draw sums all chances."""
    chances = (translations.word_chance, translations.sentence_chance)
    n_words = round(options.batch_size * options.lexicon_share) if chances[0].any() else 0
    sizes = (n_words, options.batch_size - n_words)
    while True:
        blocks = [
            rng.choice(len(chance), size=(_DRAWN, size), p=chance / chance.sum())
            for chance, size in zip(chances, sizes, strict=True)
            if size
        ]
        yield from np.concatenate(blocks, axis=1)
