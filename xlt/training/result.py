"""The progress and the result of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xlt.tasks.predictions import Predictions
from xlt.training.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of a training.

    Attributes:
        phase: "load", "probe", "read", "train", "check" or "save".
        step: Steps done, from 0.
        steps: Number of steps of the training.
        losses: Parts of the last step's loss by name: total, task, mlm, tlm, align.
    """

    phase: str
    step: int
    steps: int
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """Result of a training.

    Attributes:
        folder: Folder of the model; `Predictor.load` reads it.
        steps: Number of optimizer steps.
        resumed_at: Step at which a killed training resumed; 0 if it ran from the start.
        seconds: Wall clock, all phases together.
        losses: Parts of the loss, means over the last tenth of the steps; empty without steps.
        train_accuracy: Mean credit on the labelled examples.
        precision: "fp32" or "bf16".
        held_out: Predictions of the held-out examples. None if there are none.
        comparison: Comparison that chose the learner. None if it was given.
    """

    folder: Path
    steps: int
    resumed_at: int
    seconds: float
    losses: Mapping[str, float]
    train_accuracy: float
    precision: str
    held_out: Predictions | None = None
    comparison: Comparison | None = None

    @property
    def measured(self) -> dict[str, object]:
        """Returns all values except the folder and the predictions, by name."""
        names = ("steps", "resumed_at", "seconds", "losses", "train_accuracy", "precision")
        values = {name: getattr(self, name) for name in names}
        compared = self.comparison
        return values if compared is None else values | {"comparison": compared.to_json()}
