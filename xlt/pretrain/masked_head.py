"""Step 4: trains a masked-token head on the finished body, which does not change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from transformers import ElectraForMaskedLM

from xlt.pretrain.distil.batches import DistilData
from xlt.pretrain.masked_tokens import masked_loss

_FIRST_SCALE = 0.1


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """Options of step 4.

    Attributes:
        minutes: Time limit; 0 for none.
        steps: Largest number of steps.
        batch_size: Texts in a batch.
        learning_rate: Rate of the first step; it falls to 0.
        masked_share: Chance of a token to be hidden.
        max_tokens: Longer texts are truncated.
    """

    minutes: float = 3.0
    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 2e-3
    masked_share: float = 0.2
    max_tokens: int = 48


def learn_head(
    student: ElectraForMaskedLM,
    data: DistilData,
    *,
    options: HeadOptions,
    rng: np.random.Generator,
    accelerator: Accelerator,
    progress: Callable[[str], None],
) -> float:
    """Trains the head's transform and bias in place; body and embeddings do not change.

    Returns:
        The mean loss of the last twenty steps, in nats; `nan` without steps.
    """
    start_head(student, data)
    table = student.electra.embeddings.word_embeddings.weight
    weights = [*student.generator_predictions.parameters(), student.generator_lm_head.bias]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.0)
    table.requires_grad_(False)
    cumulative = np.cumsum(data.translations.sentence_chance)
    started = last = time.monotonic()
    losses: list[float] = []
    for step in range(options.steps):
        share = step / options.steps
        if options.minutes:
            share = max(share, (time.monotonic() - started) / (60 * options.minutes))
        if share >= 1:
            break
        optimizer.param_groups[0]["lr"] = options.learning_rate * (1 - share)
        draws = rng.random(options.batch_size) * cumulative[-1]
        loss = masked_loss(
            student, data.translations, np.searchsorted(cumulative, draws, side="right"),
            special=data.special, masked_share=options.masked_share, paired_share=0.0,
            max_tokens=options.max_tokens, rng=rng, accelerator=accelerator, train_body=False,
        )  # fmt: skip
        optimizer.zero_grad()
        accelerator.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        if time.monotonic() - last > 15:
            last = time.monotonic()
            progress(f"head {100 * share:.0f} % masked {losses[-1]:.2f}")
    table.requires_grad_(True)
    return float(np.mean(losses[-20:])) if losses else float("nan")


@torch.no_grad()
def start_head(student: ElectraForMaskedLM, data: DistilData) -> None:
    """Starts the head at the pieces' frequencies, which it would need a few hundred steps to learn.

    The transform's scale starts near 0, so that its random first directions do not outweigh the
    frequencies.
    """
    texts = data.translations.texts
    counts = np.bincount(texts.flat, minlength=student.config.vocab_size) + 0.5
    student.generator_lm_head.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    student.generator_predictions.LayerNorm.weight.fill_(_FIRST_SCALE)
