"""The training loop: from the base encoder and all labels to a folder that a Predictor loads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlt.config import TrainConfig
from xlt.schema import Example, TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a training or a scoring stands.

    Attributes:
        phase: "load", "probe", "train" or "save".
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
        DivergedError: If the loss is not finite, or one class is predicted for everything.
        CancelledError: If `should_stop` said so.
    """
    raise NotImplementedError
