"""The masked-token loss on texts (MLM) and on texts followed by their translation (TLM)."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import ElectraForMaskedLM

from xlt.pretrain.ragged import Ragged


def mask_tokens(
    ids: NDArray[np.int64],
    *,
    special: tuple[int, ...],
    n_pieces: int,
    share: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns ids with some tokens hidden, and which: 80 % masked, 10 % random, 10 % kept.

    Args:
        ids: Padded token ids.  # (B, T)
        special: Ids that are never hidden; the last is [MASK].
        n_pieces: Size of the vocabulary, for random tokens.
        share: Chance of a token to be chosen.
        rng: Source of randomness.
    """
    chosen = (rng.random(ids.shape) < share) & ~np.isin(ids, special)  # (B, T)
    kind = rng.random(ids.shape)
    hidden = np.where(chosen & (kind < 0.8), special[-1], ids)
    noise = rng.integers(len(special), n_pieces, size=ids.shape)
    return np.where(chosen & (kind >= 0.9), noise, hidden), chosen


def masked_loss(
    student: ElectraForMaskedLM,
    texts: Ragged,
    sources: Ragged,
    source: NDArray[np.int32],
    rows: NDArray[np.int64],
    *,
    special: tuple[int, ...],
    masked_share: float,
    paired_share: float,
    max_tokens: int,
    rng: np.random.Generator,
    accelerator: Accelerator,
    train_body: bool = True,
) -> Tensor:
    """Returns the mean cross-entropy of the hidden tokens; 0 where none is hidden.

    Only the hidden positions go through the head, so that the vocabulary costs little.
    With `train_body` off, the gradient reaches the head alone.
    """
    ids, mask = pair_batch(
        texts, sources, source, rows,
        paired=rng.random(len(rows)) < paired_share, special=special, max_tokens=max_tokens,
    )  # fmt: skip
    n_pieces = student.config.vocab_size
    hidden_ids, chosen = mask_tokens(
        ids, special=special, n_pieces=n_pieces, share=masked_share, rng=rng
    )
    device = accelerator.device
    spots = torch.from_numpy(chosen).to(device)
    with accelerator.autocast(), torch.set_grad_enabled(train_body):
        states = student.electra(
            input_ids=torch.from_numpy(hidden_ids).to(device),
            attention_mask=torch.from_numpy(mask).to(device),
        ).last_hidden_state
    with accelerator.autocast():
        scores = student.generator_lm_head(student.generator_predictions(states[spots]))
    right = torch.from_numpy(ids).to(device)[spots]
    return F.cross_entropy(scores.float(), right, reduction="sum") / max(1, len(right))


def pair_batch(
    texts: Ragged,
    sources: Ragged,
    source: NDArray[np.int32],
    rows: NDArray[np.int64],
    *,
    paired: NDArray[np.bool_],
    special: tuple[int, ...],
    max_tokens: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns ids and mask of texts, the `paired` ones followed by their translation: (B, T)."""
    pad, _, first, last, _ = special
    lines: list[NDArray[np.int64]] = []
    for row, wanted in zip(rows, paired, strict=True):
        line = [
            [first],
            texts.flat[texts.start[row] : texts.start[row + 1]][: max_tokens - 2],
            [last],
        ]
        english = int(source[row])
        if wanted and english >= 0:
            cut = sources.flat[sources.start[english] : sources.start[english + 1]]
            line += [cut[: max_tokens - 1], [last]]
        lines.append(np.concatenate([np.asarray(part, dtype=np.int64) for part in line]))
    ids = np.full((len(lines), max(map(len, lines), default=1)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, line_ids in enumerate(lines):
        ids[row, : len(line_ids)] = line_ids
        mask[row, : len(line_ids)] = 1
    return ids, mask
