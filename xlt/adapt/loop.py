"""Trains an encoder on new languages while the source language's vectors are held in place.

With translations, the vector of a text is pulled to the vector that the unadapted encoder gives
its translation, and pushed from the vectors of other sentences; source sentences are held at
their own old vectors. The unadapted encoder is its own teacher (knowledge distillation as in
arXiv 2004.09813), so that a sentence encoder keeps its space, which plain masked-token training
destroys. Masked-token terms on one text (MLM) or on a text and its translation (TLM, arXiv
1901.07291) can be added.

Without translations only embeddings that the source language does not use are trained, on masked
tokens: the vectors of source texts cannot change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from xlt.adapt.batches import TrainingTexts
from xlt.adapt.compact import CompactEncoder, trainable
from xlt.adapt.losses import step_losses
from xlt.adapt.options import AdaptOptions
from xlt.errors import DivergedError
from xlt.training.averaging import WeightAverage
from xlt.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint

Progress = Callable[[str], None]
_REPORT_EVERY_S = 15.0


@dataclass(slots=True, kw_only=True)
class Position:
    """Progress of a training in steps and seconds; checkpoints hold its `history`."""

    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    model: CompactEncoder,
    texts: TrainingTexts,
    options: AdaptOptions,
    *,
    work: Path,
    identity: str,
    progress: Progress,
) -> Position:
    """Trains in place until the steps or the minutes are used up.

    Args:
        model: What to train.
        texts: What to learn from.
        options: See `AdaptOptions`.
        work: Folder of checkpoints; the training continues from one of the same identity.
        identity: Names the training.
        progress: Called with one line now and then.

    Returns:
        The position at its end.

    Raises:
        DivergedError: If the loss is not finite.
    """
    parameters = trainable(model, body=texts.paired)
    start = {name: p.detach().clone() for name, p in parameters.items()} if options.anchor else {}
    optimizer = _optimizer(parameters, options)
    average = WeightAverage(parameters, kind="none", steps=options.steps, wanted=1, decay=0.0)
    state = TrainingState(parameters=parameters, buffers={}, optimizer=optimizer, average=average)
    position = Position()
    position.step = load_checkpoint(work, state, position.history, identity)
    position.seconds = position.history[-1]["seconds"] if position.history else 0.0
    saved = reported = time.monotonic()
    while (share := _share(position, options)) < 1:
        started = time.monotonic()
        rng = np.random.default_rng((options.seed, position.step))
        terms = step_losses(model, texts, options, rng)
        if not terms:
            break
        _update(parameters, optimizer, terms, share, options)
        _pull_back(parameters, start, options.anchor)
        position.step += 1
        position.seconds += time.monotonic() - started
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            values = " ".join(f"{name} {value.item():.3f}" for name, value in terms.items())
            progress(f"training {100 * share:.0f} % step {position.step} {values}")
        if time.monotonic() - saved > 60 * options.checkpoint_minutes:
            saved = time.monotonic()
            _note(position, terms)
            save_checkpoint(work, state, position.history, step=position.step, identity=identity)
    return position


def _optimizer(parameters: dict[str, nn.Parameter], options: AdaptOptions) -> torch.optim.Optimizer:
    rates = {"rows": options.row_learning_rate, "head": options.row_learning_rate}
    groups = [
        {"params": [p], "base": rates.get(name.partition(".")[0], options.body_learning_rate)}
        for name, p in parameters.items()
    ]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), weight_decay=0.0)


def _update(
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    terms: dict[str, Tensor],
    share: float,
    options: AdaptOptions,
) -> None:
    """Takes one step down the sum of the terms."""
    total = torch.stack(list(terms.values())).sum()
    if not torch.isfinite(total):
        values = {name: value.item() for name, value in terms.items()}
        raise DivergedError(f"the loss is not finite: {values}; lower the learning rates")
    factor = min(1.0, (share + 1e-3) / max(options.warmup_share, 1e-3))
    for group in optimizer.param_groups:
        group["lr"] = group["base"] * factor * 0.5 * (1 + float(np.cos(np.pi * share)))
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    optimizer.step()


@torch.no_grad()
def _pull_back(
    parameters: dict[str, nn.Parameter], start: dict[str, Tensor], anchor: float
) -> None:
    """Moves the weights a share of the way back to their start: a decoupled L2 penalty."""
    for name, old in start.items():
        parameters[name].lerp_(old, anchor)


def _share(position: Position, options: AdaptOptions) -> float:
    by_steps = position.step / max(1, options.steps) if options.steps else 1.0
    if not options.minutes:
        return by_steps
    return max(by_steps, position.seconds / (60 * options.minutes))


def _note(position: Position, terms: dict[str, Tensor]) -> None:
    values = {name: value.item() for name, value in terms.items()}
    position.history.append({"step": float(position.step), "seconds": position.seconds} | values)
