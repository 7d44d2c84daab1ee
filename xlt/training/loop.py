"""The training loop: from the base encoder and all labels to a folder that a Predictor loads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from xlt.config import Schedule, TrainConfig
from xlt.data.examples import Example
from xlt.disk.fingerprints import fingerprint
from xlt.errors import CancelledError, DivergedError
from xlt.losses import LossWeights
from xlt.tasks.heads import Fit
from xlt.tasks.predictions import Predictions
from xlt.tasks.task import AnyTask
from xlt.training.checkpoint import drop_checkpoint, load_checkpoint, save_checkpoint
from xlt.training.finish import save
from xlt.training.network import batch_loss
from xlt.training.result import Progress, TrainResult
from xlt.training.run import Run, set_up
from xlt.training.words import fit_words

_log = logging.getLogger(__name__)

#: Largest number of labelled examples that the check for a collapsed model reads.
_CHECKED_EXAMPLES = 512


def train_joint(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    out: Path,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    held_out: Sequence[Example] = (),
    work: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Fine-tunes the base encoder by the joint loss, see `xlt.training.train.train`.

    It always starts from the base encoder, never from an earlier version, so that models do not
    drift over rounds.
    """
    started_s = time.monotonic()
    progress(Progress(phase="load", step=0, steps=0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        run = set_up(labelled, unlabelled, task, config, pairs)
        identity = fingerprint([config, task, labelled, unlabelled, pairs])
        resumed_at = load_checkpoint(work, run.state, run.history, identity) if work else 0
        if resumed_at:
            _log.info("resumed after step %d of %d", resumed_at, run.steps)
        elif config.warm_start_head:
            progress(Progress(phase="probe", step=0, steps=run.steps))
            _warm_start(run)
        _loop(run, resumed_at, work, identity, progress, should_stop)
        run.state.average.apply()
        progress(Progress(phase="check", step=run.steps, steps=run.steps))
        fit = _check_fit(run)
    progress(Progress(phase="save", step=run.steps, steps=run.steps))
    predictions: Predictions | None = None
    if run.accelerator.is_main_process:
        predictions = save(
            out,
            run.encoder,
            run.model.get_submodule("head"),
            task,
            config=config,
            labelled=labelled,
            held_out=held_out,
            losses=run.history,
        )
        if work:
            drop_checkpoint(work)
    run.accelerator.wait_for_everyone()
    return TrainResult(
        folder=out,
        steps=run.steps,
        resumed_at=resumed_at,
        seconds=time.monotonic() - started_s,
        losses=_last_tenth(run.history),
        train_accuracy=fit.accuracy,
        precision="bf16" if run.dtype == torch.bfloat16 else "fp32",
        held_out=predictions,
    )


def learning_rate_share(step: int, steps: int, warmup_share: float) -> float:
    """Returns the share of the peak rate at a step: linear warm-up, then linear decay to 0."""
    warmup = max(round(warmup_share * steps), 1)
    if step < warmup:
        return (step + 1) / warmup
    return (steps - step) / max(steps - warmup, 1)


def _warm_start(run: Run) -> None:
    """Fits the head on the frozen encoder's vectors: linear probing before fine-tuning."""
    device, material = run.accelerator.device, run.material
    if run.model.head.reads_words:
        body, pad_id = run.encoder.model, run.encoder.pad_id
        targets, weights = material.task_targets, material.weights
        rows = [row for (row,) in material.labelled]
        fit_words(body, run.model.head, rows, targets, weights, pad_id, run.dtype)
        return
    vectors = run.read(material.labelled).vectors
    run.model.head.warm_start(
        vectors.to(device),
        material.task_targets.to(device),
        material.weights.to(device),
        l2=run.config.head_l2,
    )


def _loop(
    run: Run,
    first: int,
    work: Path | None,
    identity: str,
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> None:
    saved_s = time.monotonic()
    main = run.accelerator.is_main_process
    for step in range(first, run.steps):
        if should_stop():
            raise CancelledError(f"the training was cancelled after step {step} of {run.steps}")
        try:
            losses = _step(run, step)
        except DivergedError:
            if work and main:
                drop_checkpoint(work)
            raise
        run.history.append({"step": step, **losses})
        if main:
            progress(Progress(phase="train", step=step + 1, steps=run.steps, losses=losses))
        if work and main and time.monotonic() - saved_s >= run.config.checkpoint_every_s:
            save_checkpoint(work, run.state, run.history, step=step + 1, identity=identity)
            saved_s = time.monotonic()


def _step(run: Run, step: int) -> dict[str, float]:
    """Runs one optimizer step; returns the parts of the loss over all processes."""
    config, accelerator = run.config, run.accelerator
    torch.manual_seed(config.seed * 1_000_003 + step * 1009 + accelerator.process_index)
    share = learning_rate_share(step, run.steps, config.warmup_share)
    for group in run.optimizer.param_groups:
        group["lr"] = group["peak"] * share
    weights = LossWeights(
        mlm=Schedule.parse(config.mlm_weight).at(step),
        tlm=Schedule.parse(config.tlm_weight).at(step),
        align=Schedule.parse(config.align_weight).at(step),
    )
    batch = run.stream.batch(step).to(accelerator.device)
    with run.autocast():
        outputs = run.wrapped(batch)
    loss = batch_loss(outputs, batch, run.model.head, weights, config)
    summed = accelerator.reduce(loss.values(), "sum")
    if not torch.isfinite(summed).all():
        raise DivergedError(f"the loss is not finite at step {step}: {loss.named(summed)}")
    # Data parallelism averages gradients, but the terms of the processes must be summed.
    accelerator.backward(loss.total * accelerator.num_processes)
    if config.max_gradient_norm:
        accelerator.clip_grad_norm_(list(run.state.parameters.values()), config.max_gradient_norm)
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.state.average.update(step + 1)
    return loss.named(summed)


def _check_fit(run: Run) -> Fit:
    """Checks the model on its own training examples.

    Raises:
        DivergedError: If it predicts one answer for all, though the answers differ.
    """
    rows = torch.randperm(len(run.material.labelled))[:_CHECKED_EXAMPLES]
    logits = run.read([run.material.labelled[row] for row in rows]).logits
    fit = run.model.head.fit(logits, run.material.task_targets[rows])
    if fit.collapsed:
        raise DivergedError(
            "the model predicts one answer for all texts, though the answers differ "
            f"(training accuracy {fit.accuracy:.2f}): train with more labels or lower rates"
        )
    return fit


def _last_tenth(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    last = history[-max(len(history) // 10, 1) :]
    return {
        name: sum(row[name] for row in last) / len(last) for name in history[-1] if name != "step"
    }
