"""Training of a head that reads words on the frozen base encoder, in one pass over the labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import load_encoder
from xlt.errors import CancelledError
from xlt.tasks.task import AnyTask
from xlt.training.finish import save
from xlt.training.material import build_material
from xlt.training.network import build_model, read
from xlt.training.result import Progress, TrainResult
from xlt.training.words import fit_words

#: Largest number of texts that the head is judged on after the training.
_CHECKED = 512


def train_frozen_words(
    labelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    out: Path,
    *,
    held_out: Sequence[Example],
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> TrainResult:
    """Fits a head on frozen states, see `xlt.training.train.train`; only labels are used."""
    started_s = time.monotonic()
    progress(Progress(phase="load", step=0, steps=0))
    encoder = load_encoder(config.encoder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(encoder, task, TrainConfig(encoder=config.encoder, learner="joint")).eval()
    encoder.model.to(device)  # type: ignore[arg-type]
    dtype = encoder.forward_dtype(device, config.precision)
    material = build_material(labelled, (), (), encoder, model.head, config)
    if should_stop():
        raise CancelledError("the training was cancelled before it read the texts")
    progress(Progress(phase="train", step=0, steps=1))
    targets, rows = material.task_targets, [row for (row,) in material.labelled]
    fit_words(encoder.model, model.head, rows, targets, material.weights, encoder.pad_id, dtype)
    model.head.to(device)
    checked = read(
        encoder.model, model.head, material.labelled[:_CHECKED], encoder.pad_id, dtype=dtype
    )
    fit = model.head.fit(checked.logits, targets[:_CHECKED])
    progress(Progress(phase="save", step=1, steps=1))
    predictions = save(
        out, encoder, model.head, task, config=config, labelled=labelled, held_out=held_out
    )
    return TrainResult(
        folder=out,
        steps=0,
        resumed_at=0,
        seconds=time.monotonic() - started_s,
        losses={},
        train_accuracy=fit.accuracy,
        precision="bf16" if dtype == torch.bfloat16 else "fp32",
        held_out=predictions,
    )
