"""The loss of one step of distillation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import ElectraForMaskedLM

from xlt.encoder.pooling import mean_pool
from xlt.losses import alignment, contrast_with_bank
from xlt.pretrain.distil.batches import WIDTH_STEP, DistilData
from xlt.pretrain.distil.options import DistilOptions
from xlt.pretrain.masked_tokens import masked_loss

# CPUs prepare a matrix product for every new shape, which takes a third of its time and some MB of
# memory: batches have few shapes.
_ENGLISH_WIDTH_STEP = 16
_ENGLISH_TOKENS = 32  # mean length of an English text


def step_losses(
    student: ElectraForMaskedLM,
    look_up: Callable[[Tensor], Tensor],
    data: DistilData,
    rows: NDArray[np.int64],
    options: DistilOptions,
    rng: np.random.Generator,
    accelerator: Accelerator,
) -> dict[str, Tensor]:
    """Returns the weighted terms of one step.

    Args:
        student: The student.
        look_up: Returns the embeddings (T, r) of ids (T,).
        data: See `DistilData`.
        rows: Texts of the batch.  # (B,)
        options: See `DistilOptions`.
        rng: Draws English texts, negatives and hidden tokens.
        accelerator: Device and precision.
    """
    translations = data.translations
    pad, _, first, last, _ = data.special
    limits = {"max_tokens": options.max_tokens, "pad": pad, "first": first, "last": last}
    n_english = max(1, round(options.batch_tokens * options.english_share / _ENGLISH_TOKENS))
    english = rng.choice(data.english, size=n_english)
    source = translations.source_row[rows].astype(np.int64)
    batches = [
        translations.texts.padded(rows, **limits, multiple_of=WIDTH_STEP),
        translations.sources.padded(english, **limits, multiple_of=_ENGLISH_WIDTH_STEP),
    ]
    if options.align_weight:
        few = source[: options.align_rows]
        batches.append(translations.sources.padded(few, **limits, multiple_of=_ENGLISH_WIDTH_STEP))
    vectors, english_vectors, *own = _vectors(student, look_up, batches, accelerator)
    target = data.target[torch.from_numpy(source)].to(vectors.device)
    anchor = data.target[torch.from_numpy(english.astype(np.int64))].to(vectors.device)
    negative = np.concatenate(
        [  # half of them sentences: most English texts are words of lexicons, too easy as negatives
            rng.choice(data.english, size=options.negatives // 2),
            rng.choice(len(data.target), size=options.negatives - options.negatives // 2),
        ]
    )
    terms = {
        "distance": options.distance_weight * _distance(vectors, target),
        "english": options.english_weight * _distance(english_vectors, anchor),
        "contrast": options.contrast_weight
        * contrast_with_bank(
            vectors,
            target,
            data.target[torch.from_numpy(negative)].to(vectors.device),
            torch.from_numpy(source[:, None] == negative[None, :]).to(vectors.device),
            torch.from_numpy(source[:, None] == source[None, :]).to(vectors.device),
            temperature=options.temperature,
        ),
    }
    if options.align_weight:
        terms["align"] = options.align_weight * alignment(
            vectors[: len(own[0])], own[0], kind=options.align_loss,
            temperature=options.temperature, koleo_weight=options.koleo_weight,
        )  # fmt: skip
    if options.masked_weight:
        terms["masked"] = options.masked_weight * masked_loss(
            student, translations, rows[: options.masked_rows],
            special=data.special, masked_share=options.masked_share,
            paired_share=options.paired_share, max_tokens=options.max_tokens, rng=rng,
            accelerator=accelerator,
        )  # fmt: skip
    return terms


def _distance(vectors: Tensor, target: Tensor) -> Tensor:
    """Returns the mean squared distance of unit vectors, in [0, 4]."""
    return (vectors - target).pow(2).sum(dim=-1).mean()


def _vectors(
    student: ElectraForMaskedLM,
    look_up: Callable[[Tensor], Tensor],
    batches: Sequence[tuple[Tensor, Tensor]],
    accelerator: Accelerator,
) -> list[Tensor]:
    """Returns the unit vectors of each batch of ids and masks: (B, H) each."""
    placed = [(i.to(accelerator.device), mask.to(accelerator.device)) for i, mask in batches]
    vectors = []
    with accelerator.autocast():
        for ids, mask in placed:
            rows = look_up(ids.flatten()).view(*ids.shape, -1)
            hidden = student.electra(inputs_embeds=rows, attention_mask=mask).last_hidden_state
            vectors.append(F.normalize(mean_pool(hidden, mask), dim=-1))
    return vectors
