"""The training loop: from the base encoder and all labels to a folder that a Predictor loads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import (  # type: ignore[import-untyped]
    Accelerator,
    DistributedDataParallelKwargs,
)

from xlt.config import Schedule, TrainConfig
from xlt.data.examples import Example, TaskSpec
from xlt.disk.fingerprints import fingerprint
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.encoder.tokens import Tokens
from xlt.errors import CancelledError, DataError, DivergedError
from xlt.losses import LossWeights
from xlt.models.artifact import save_model
from xlt.tasks.single_label.head import Fit
from xlt.training.averaging import WeightAverage
from xlt.training.batches import Material, Stream, Vocabulary
from xlt.training.checkpoint import (
    TrainingState,
    drop_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from xlt.training.material import build_material
from xlt.training.network import (
    Reading,
    TransferModel,
    batch_loss,
    build_model,
    parameter_groups,
    read,
    trainable,
)

_log = logging.getLogger(__name__)

#: At most so many labelled examples are looked at for "one class for everything".
_CHECKED_EXAMPLES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a training stands.

    Attributes:
        phase: "load", "probe", "train", "check" or "save".
        step: Steps done, from 0.
        steps: Steps in all.
        losses: Parts of the last step's loss by name: total, task, mlm, tlm, align.
    """

    phase: str
    step: int
    steps: int
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training did.

    Attributes:
        folder: Where the model is; `Predictor.load` reads it.
        steps: Optimizer steps.
        resumed_at: Step at which a killed training was taken up again; 0: from the start.
        seconds: Wall clock, all phases together.
        losses: Parts of the loss, means over the last tenth of the steps.
        train_accuracy: Share of the labelled examples that the model gets right.
        precision: "fp32" or "bf16".
    """

    folder: Path
    steps: int
    resumed_at: int
    seconds: float
    losses: Mapping[str, float]
    train_accuracy: float
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """The live objects of one training."""

    config: TrainConfig
    accelerator: Accelerator
    encoder: Encoder
    model: TransferModel
    wrapped: torch.nn.Module
    optimizer: torch.optim.Optimizer
    material: Material
    stream: Stream
    state: TrainingState
    steps: int
    dtype: torch.dtype
    history: list[dict[str, float]]

    def read(self, tokens: Sequence[Tokens]) -> Reading:
        """Logits and vectors of the model as it is."""
        return read(
            self.encoder.model, self.model.head, tokens, self.encoder.pad_id, dtype=self.dtype
        )

    def autocast(self) -> torch.autocast:
        """What the forward pass runs in."""
        return torch.autocast(
            self.accelerator.device.type,
            dtype=torch.bfloat16,
            enabled=self.dtype == torch.bfloat16,
        )


def train(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: TaskSpec,
    config: TrainConfig,
    out: Path,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    work: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Fine-tune the base encoder on all labels, jointly with the unlabelled texts.

    Always starts from the base encoder, never from an earlier version: no drift over rounds.

    Args:
        labelled: Examples with a label, of source and target languages together.
        unlabelled: The target pool; its labels are not looked at. May be empty.
        task: The label set.
        config: Hyper-parameters.
        out: Folder to write; appears whole or not at all. Must not exist or be empty.
        pairs: Translations, for TLM and alignment. May be empty.
        work: Folder for checkpoints; a training that was killed goes on from there.
        progress: Called at every step.
        should_stop: Asked at every step.

    Raises:
        DataError: If fewer than two different labels are given, or one is not of the task.
        EncoderError: If the encoder cannot be loaded.
        StoreError: If the model or a checkpoint cannot be written.
        DivergedError: If the loss is not finite, or one class is predicted for everything.
        CancelledError: If `should_stop` said so.
    """
    started_s = time.monotonic()
    _check_labels(labelled, task)
    progress(Progress(phase="load", step=0, steps=0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        run = _set_up(labelled, unlabelled, task, config, pairs)
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
    if run.accelerator.is_main_process:
        save_model(
            out,
            run.encoder,
            run.model.get_submodule("head"),
            task=task,
            config=config,
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
    )


def _check_labels(labelled: Sequence[Example], task: TaskSpec) -> None:
    for example in labelled:
        if example.label is None:
            raise DataError(f"example {example.id!r} has no label")
        task.index(example.label)
    seen = sorted({str(example.label) for example in labelled})
    if len(seen) < 2:
        raise DataError(f"training needs examples of at least 2 different labels, got {seen}")


def _set_up(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: TaskSpec,
    config: TrainConfig,
    pairs: Sequence[tuple[str, str]],
) -> _Run:
    handlers = [DistributedDataParallelKwargs(find_unused_parameters=True)]
    accelerator = Accelerator(kwargs_handlers=handlers)
    encoder = load_encoder(config.encoder, with_mlm=_uses_mlm(config, unlabelled, pairs))
    model = build_model(encoder, task, config)
    material = build_material(labelled, unlabelled, pairs, encoder, model.head, config)
    vocabulary = Vocabulary(
        pad_id=encoder.pad_id,
        mask_id=encoder.mask_id,
        n_tokens=encoder.n_tokens,
        max_length=encoder.max_length,
    )
    stream = Stream(
        material,
        vocabulary,
        config,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    model.to(accelerator.device)
    dtype = encoder.forward_dtype(accelerator.device, config.precision)
    if accelerator.device.type == "cpu" and dtype == torch.bfloat16:
        encoder.model.set_attn_implementation("eager")  # the fused backward is slower: benchmarks/
    optimizer = torch.optim.AdamW(parameter_groups(model, config), fused=True)
    parameters = trainable(model)
    steps = n_steps(config, stream.steps_per_epoch)
    average = WeightAverage(
        parameters,
        kind=config.averaging,
        steps=steps,
        wanted=config.averaged_checkpoints,
        decay=config.averaging_decay,
    )
    state = TrainingState(
        parameters=parameters,
        buffers={f"head.{name}": b for name, b in model.head.named_buffers()},
        optimizer=optimizer,
        average=average,
    )
    return _Run(
        config=config,
        accelerator=accelerator,
        encoder=encoder,
        model=model,
        wrapped=accelerator.prepare_model(model),
        optimizer=optimizer,
        material=material,
        stream=stream,
        state=state,
        steps=steps,
        dtype=dtype,
        history=[],
    )


def _uses_mlm(
    config: TrainConfig, unlabelled: Sequence[Example], pairs: Sequence[tuple[str, str]]
) -> bool:
    mlm = len(unlabelled) > 0 and not Schedule.parse(config.mlm_weight).is_zero
    tlm = len(pairs) > 0 and not Schedule.parse(config.tlm_weight).is_zero
    return mlm or tlm


def n_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """Optimizer steps of a training: the epochs' worth, within min_steps and max_steps."""
    steps = max(round(config.epochs * steps_per_epoch), config.min_steps, 1)
    return min(steps, config.max_steps) if config.max_steps else steps


def learning_rate_share(step: int, steps: int, warmup_share: float) -> float:
    """Share of the peak rate at a step: a straight line up, then a straight line towards 0."""
    warmup = max(round(warmup_share * steps), 1)
    if step < warmup:
        return (step + 1) / warmup
    return (steps - step) / max(steps - warmup, 1)


def _warm_start(run: _Run) -> None:
    """Fit the head on the frozen encoder's vectors: linear probing before fine-tuning."""
    device, material = run.accelerator.device, run.material
    vectors = run.read(material.labelled).vectors
    run.model.head.warm_start(
        vectors.to(device),
        material.task_targets.to(device),
        material.weights.to(device),
        l2=run.config.head_l2,
    )


def _loop(
    run: _Run,
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
            raise CancelledError(f"the training was stopped after step {step} of {run.steps}")
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


def _step(run: _Run, step: int) -> dict[str, float]:
    """One optimizer step; gives the parts of the loss over all processes."""
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
    # Data parallelism averages gradients; the terms of the processes are to be summed.
    accelerator.backward(loss.total * accelerator.num_processes)
    if config.max_gradient_norm:
        accelerator.clip_grad_norm_(list(run.state.parameters.values()), config.max_gradient_norm)
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.state.average.update(step + 1)
    return loss.named(summed)


def _check_fit(run: _Run) -> Fit:
    """How the model does on its own labels.

    Raises:
        DivergedError: If it predicts one class for everything, and the labels do not.
    """
    rows = torch.randperm(len(run.material.labelled))[:_CHECKED_EXAMPLES]
    logits = run.read([run.material.labelled[row] for row in rows]).logits
    fit = run.model.head.fit(logits, run.material.task_targets[rows])
    if fit.collapsed:
        raise DivergedError(
            "the model predicts one class for everything, though the labels differ "
            f"(training accuracy {fit.accuracy:.2f})"
        )
    return fit


def _last_tenth(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    last = history[-max(len(history) // 10, 1) :]
    return {
        name: sum(row[name] for row in last) / len(last) for name in history[-1] if name != "step"
    }
