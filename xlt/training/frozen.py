"""Training of a frozen model: reads all texts once by the base encoder, and fits on features."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.disk.blobs import Blobs
from xlt.errors import CancelledError, DivergedError
from xlt.frozen.features import Features, Labelled
from xlt.frozen.several import Frozen, fit_task
from xlt.models.features import FeatureReader, base_reader
from xlt.models.frozen import encoder_of
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import AnyTask
from xlt.training.finish import save
from xlt.training.result import Progress, TrainResult


def train_frozen(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    out: Path,
    *,
    held_out: Sequence[Example],
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    cache: Blobs | None = None,
    sibling: Path | None = None,
) -> TrainResult:
    """Fits a frozen model, see `xlt.training.train.train`; translations are not used."""
    started_s = time.monotonic()
    progress(Progress(phase="load", step=0, steps=0))
    reader = base_reader(config, cache, to_save=True)

    def at(phase: str, done: int, total: int) -> None:
        if should_stop():
            raise CancelledError(
                f"the training was cancelled after {done} of {total} in the phase {phase!r}"
            )
        progress(Progress(phase=phase, step=done, steps=total))

    features = _features([*labelled, *unlabelled], reader, config, partial(at, "read"))
    at("train", 0, 1)
    model = _fitted(labelled, unlabelled, features, task, config)
    at("save", 1, 1)
    like = sibling is not None and encoder_of(sibling) == reader.identity
    predictions = save(
        out,
        sibling if sibling is not None and like else reader.encoder,
        model,
        task,
        config=config,
        labelled=labelled,
        held_out=held_out,
    )
    langs = [example.lang for example in labelled]
    outputs = model.outputs(features.take(slice(len(labelled))), langs)
    return TrainResult(
        folder=out,
        steps=0,
        resumed_at=0,
        seconds=time.monotonic() - started_s,
        losses={},
        train_accuracy=_credit(outputs, labelled, task),
        precision=reader.precision,
        held_out=predictions,
    )


def _features(
    examples: Sequence[Example],
    reader: FeatureReader,
    config: TrainConfig,
    progress: Callable[[int, int], None],
) -> Features:
    """Returns the features of examples.

    Raises:
        DivergedError: If a vector is not finite.
    """
    features = reader.read([example.input for example in examples], progress)
    broken = np.flatnonzero(~np.isfinite(features.vectors).all(axis=(1, 2)))
    if len(broken):
        raise DivergedError(
            f"the encoder {config.encoder!r} gives vectors that are not finite for {len(broken)} "
            f"of {len(examples)} texts; the first is that of {examples[broken[0]].id!r}"
        )
    return features


def _fitted(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    features: Features,
    task: AnyTask,
    config: TrainConfig,
) -> Frozen:
    count = len(labelled)
    return fit_task(
        Labelled(
            features=features.take(slice(count)),
            langs=[example.lang for example in labelled],
            targets=task.targets([example.answer for example in labelled]),
            groups=[example.group_key for example in labelled],
            weights=np.array([example.weight for example in labelled]),
        ),
        features.take(slice(count, None)),
        [example.lang for example in unlabelled],
        task,
        np.random.default_rng(config.seed),
    )


def _credit(outputs: Outputs, examples: Sequence[Example], task: AnyTask) -> float:
    """Returns the mean credit of decisions by the outputs."""
    from xlt.tasks.calibration import Calibration

    langs = [example.lang for example in examples]
    suggestions = task.decode(task.beliefs(outputs, langs, Calibration()))
    truth = [example.answer for example in examples]
    return float(task.credit(truth, [suggestion.answer for suggestion in suggestions]).mean())
