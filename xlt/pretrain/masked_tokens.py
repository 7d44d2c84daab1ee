"""The masked-token loss on texts (MLM) and on texts followed by their translation (TLM)."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import ElectraForMaskedLM

from xlt.pretrain.translations import Translations


def mask_batch(
    ids: NDArray[np.int64],
    *,
    special: tuple[int, ...],
    n_pieces: int,
    share: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Hides tokens of a batch: 80 % masked, 10 % replaced by any token, 10 % unchanged.

    Args:
        ids: Padded token ids.  # (B, T)
        special: Ids that are never hidden; the last is [MASK].
        n_pieces: Size of the vocabulary that replacements are drawn from.
        share: Chance of a token to be hidden.
        rng: Source of randomness.

    Returns:
        Input ids and the hidden positions, (B, T) both.
    """
    chosen = (rng.random(ids.shape) < share) & ~np.isin(ids, special)  # (B, T)
    draw = rng.random(ids.shape)
    hidden = np.where(chosen & (draw < 0.8), special[-1], ids)
    replaced = rng.integers(len(special), n_pieces, size=ids.shape)
    return np.where(chosen & (draw >= 0.9), replaced, hidden), chosen


def masked_loss(
    student: ElectraForMaskedLM,
    translations: Translations,
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
    """Returns the mean cross-entropy of the hidden tokens, 0 if none is hidden.

    Only the hidden positions pass through the head, which saves most of its time.

    Args:
        student: Body and head.
        translations: Texts and their translations.
        rows: Texts of the batch.  # (B,)
        special: Ids of [PAD], [UNK], [CLS], [SEP] and [MASK].
        masked_share: Chance of a token to be hidden.
        paired_share: Chance of a text to be followed by its translation.
        max_tokens: Longer texts are truncated.
        rng: Source of randomness.
        accelerator: Device and precision.
        train_body: False if only the head gets a gradient.
    """
    ids, mask = pair_batch(
        translations, rows,
        paired=rng.random(len(rows)) < paired_share, special=special, max_tokens=max_tokens,
    )  # fmt: skip
    n_pieces = student.config.vocab_size
    hidden_ids, chosen = mask_batch(
        ids, special=special, n_pieces=n_pieces, share=masked_share, rng=rng
    )
    device = accelerator.device
    hidden = torch.from_numpy(chosen).to(device)
    with accelerator.autocast(), torch.set_grad_enabled(train_body):
        states = student.electra(
            input_ids=torch.from_numpy(hidden_ids).to(device),
            attention_mask=torch.from_numpy(mask).to(device),
        ).last_hidden_state
    with accelerator.autocast():
        scores = student.generator_lm_head(student.generator_predictions(states[hidden]))
    original = torch.from_numpy(ids).to(device)[hidden]
    return F.cross_entropy(scores.float(), original, reduction="sum") / max(1, len(original))


def pair_batch(
    translations: Translations,
    rows: NDArray[np.int64],
    *,
    paired: NDArray[np.bool_],
    special: tuple[int, ...],
    max_tokens: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns ids and mask (B, T) of texts; `paired` ones are followed by their translation."""
    texts, sources = translations.texts, translations.sources
    pad, _, first, last, _ = special
    lines: list[NDArray[np.int64]] = []
    for row, wanted in zip(rows, paired, strict=True):
        line = [
            [first],
            texts.flat[texts.start[row] : texts.start[row + 1]][: max_tokens - 2],
            [last],
        ]
        source = int(translations.source_row[row])
        if wanted and source >= 0:
            tokens = sources.flat[sources.start[source] : sources.start[source + 1]]
            line += [tokens[: max_tokens - 1], [last]]
        lines.append(np.concatenate([np.asarray(part, dtype=np.int64) for part in line]))
    ids = np.full((len(lines), max(map(len, lines), default=1)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, line_ids in enumerate(lines):
        ids[row, : len(line_ids)] = line_ids
        mask[row, : len(line_ids)] = 1
    return ids, mask
