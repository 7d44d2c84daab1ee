"""Choice of a learner by labels that are left out: fine-tuning must pay for its time."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.splits import split_by_group, without_groups
from xlt.disk.fingerprints import fingerprint
from xlt.errors import DivergedError
from xlt.tasks.calibration import Calibration
from xlt.tasks.intervals import paired_difference
from xlt.tasks.predictions import interpret
from xlt.tasks.task import AnyTask
from xlt.training.comparison import Comparison, read_comparison
from xlt.training.result import TrainResult

#: Share of the labels that is left out, and the least number of them that decides something.
LEFT_OUT, LEAST_LEFT_OUT = 0.3, 20
#: The learners are compared again at this multiple of the labels of the last comparison.
AGAIN_AT = 1.5
#: Fine-tuning is chosen if its gain is above this share of half its 95 % interval: four in five
#: such gains are real (0.84 of 1.96 standard errors), and it costs minutes where a frozen model
#: costs seconds.
_CLEAR = 0.84 / 1.96


class Learn(Protocol):
    """Trains a model of one learner into a new folder."""

    def __call__(
        self,
        labelled: Sequence[Example],
        unlabelled: Sequence[Example],
        config: TrainConfig,
        out: Path,
        held_out: Sequence[Example],
    ) -> TrainResult:
        """Trains it; `held_out` are examples to predict."""


def compare(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    learn: Learn,
    *,
    earlier: Comparison | None = None,
    work: Path | None = None,
) -> Comparison:
    """Chooses the learner for a training whose learner is "best".

    Both learn from about 70 % of the labels and predict the others; translations of a text are on
    one side. Fine-tuning is chosen if its gain is clear enough for its cost.

    Args:
        labelled: All labelled examples.
        unlabelled: Texts without a label.
        task: Task of the answers.
        config: The settings; those of the joint loss do not count for the frozen model.
        learn: Trains a model.
        earlier: The last comparison of this project. It is kept until there are `AGAIN_AT` times
            its labels, or other settings.
        work: Folder in which the result is kept, so that a killed training does not compare again.

    Raises:
        XltError: As `learn` does. A fine-tuning that diverges has lost instead.
    """
    settings, labels = fingerprint([config]), len(labelled)
    if earlier is not None and earlier.settings == settings and labels < AGAIN_AT * earlier.labels:
        return earlier
    known = read_comparison(work)
    if known is not None and (known.settings, known.labels) == (settings, labels):
        return known
    rng = np.random.default_rng(config.seed)
    kept, held = split_by_group(labelled, LEFT_OUT, rng, decisions=task.decisions)
    if len(held) < LEAST_LEFT_OUT or task.missing([example.answer for example in kept]):
        note = (
            f"{len(held)} of {labels} labels can be left out to compare it with fine-tuning, "
            f"{LEAST_LEFT_OUT} are needed"
        )
        return Comparison(chosen="frozen", labels=labels, settings=settings, note=note)
    found = _compared(kept, held, without_groups(unlabelled, held), task, config, learn)
    found = replace(found, labels=labels, settings=settings)
    if work is not None:
        found.write(work)
    return found


def frozen_config(config: TrainConfig) -> TrainConfig:
    """Returns the settings of the frozen model beside a fine-tuned one."""
    return TrainConfig(
        encoder=config.encoder,
        learner="frozen",
        seed=config.seed,
        max_length=config.max_length,
        precision=config.precision,
    )


def config_of(learner: str, config: TrainConfig) -> TrainConfig:
    """Returns the settings of the learner that was chosen for `config`."""
    return frozen_config(config) if learner == "frozen" else replace(config, learner="joint")


def _compared(
    kept: Sequence[Example],
    held: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    learn: Learn,
) -> Comparison:
    credit, seconds = {}, {}
    for learner in ("frozen", "joint"):
        with tempfile.TemporaryDirectory(prefix="xlt-compare-") as folder:
            try:
                result = learn(
                    kept, unlabelled, config_of(learner, config), Path(folder) / learner, held
                )
            except DivergedError as error:
                if learner == "frozen":
                    raise
                return Comparison(chosen="frozen", labels=0, note=f"fine-tuning fails: {error}")
        credit[learner], seconds[learner] = _credit(result, held, task), result.seconds
    gain = paired_difference(credit["joint"], credit["frozen"])
    clear = gain.value > _CLEAR * (gain.high - gain.low) / 2
    return Comparison(
        chosen="joint" if clear else "frozen",
        labels=0,
        judged=len(held),
        frozen=float(credit["frozen"].mean()),
        joint=float(credit["joint"].mean()),
        gain=gain,
        frozen_seconds=seconds["frozen"],
        joint_seconds=seconds["joint"],
    )


def _credit(result: TrainResult, held: Sequence[Example], task: AnyTask) -> NDArray[np.float64]:
    """Returns the credit (H,) of predictions that are not calibrated on the same labels."""
    assert result.held_out is not None, "examples to predict were given"
    langs = [example.lang for example in held]
    predicted = interpret(task, result.held_out.scores, langs, Calibration())
    truth = [example.answer for example in held]
    return task.credit(truth, [suggestion.answer for suggestion in predicted.suggestions])
