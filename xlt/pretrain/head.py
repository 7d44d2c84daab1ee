"""Step 4: a masked-token head for the finished body, which it leaves as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from transformers import ElectraForMaskedLM

from xlt.pretrain.distil import DistilData
from xlt.pretrain.masking import masked_loss

_FIRST_SCALE = 0.1


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """How step 4 runs."""

    minutes: float = 3.0  # 0: `steps` alone decides
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
    """Trains the head's transform and bias in place; body and embeddings do not move.

    Returns:
        The mean loss over the last twenty steps, in nats; `nan` without any.
    """
    start_head(student, data)
    table = student.electra.embeddings.word_embeddings.weight
    weights = [*student.generator_predictions.parameters(), student.generator_lm_head.bias]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.0)
    table.requires_grad_(False)
    cumulative = np.cumsum(data.sentences)
    began = last = time.monotonic()
    losses: list[float] = []
    for step in range(options.steps):
        share = step / options.steps
        if options.minutes:
            share = max(share, (time.monotonic() - began) / (60 * options.minutes))
        if share >= 1:
            break
        optimizer.param_groups[0]["lr"] = options.learning_rate * (1 - share)
        spots = rng.random(options.batch_size) * cumulative[-1]
        loss = masked_loss(
            student, data.texts, data.sources, data.source,
            np.searchsorted(cumulative, spots, side="right"),
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
    """Starts the head at the pieces' frequencies, which a few hundred steps would only relearn.

    The transform's scale starts near nothing, so that its first directions, which mean nothing
    yet, do not speak louder than the frequencies.
    """
    counts = np.bincount(data.texts.flat, minlength=student.config.vocab_size) + 0.5
    student.generator_lm_head.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    student.generator_predictions.LayerNorm.weight.fill_(_FIRST_SCALE)
