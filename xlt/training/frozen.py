"""Training of a frozen model: reads all texts once by the base encoder, and fits on the vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, embed, load_encoder
from xlt.errors import CancelledError
from xlt.frozen.fit import Fitted, Labelled, fit_frozen
from xlt.models.artifact import save_model
from xlt.tasks.outputs import Outputs
from xlt.tasks.predictions import Predictions
from xlt.tasks.task import AnyTask
from xlt.training.finish import finish
from xlt.training.result import Progress, TrainResult

#: Texts between two reports of progress.
_CHUNK = 512


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
) -> TrainResult:
    """Fits a frozen model, see `xlt.training.train.train`; translations are not used."""
    started_s = time.monotonic()
    progress(Progress(phase="load", step=0, steps=0))
    encoder = load_encoder(config.encoder)

    def read(done: int, total: int) -> None:
        if should_stop():
            raise CancelledError(f"the training was cancelled after reading {done} of {total}")
        progress(Progress(phase="read", step=done, steps=total))

    vectors = _vectors([*labelled, *unlabelled], encoder, config, read)
    progress(Progress(phase="train", step=0, steps=1))
    fitted = _fitted(labelled, unlabelled, vectors, task, config)
    progress(Progress(phase="save", step=1, steps=1))
    judged: list[Predictions | None] = []
    save_model(
        out,
        encoder,
        fitted.model,
        task=task,
        config=config,
        losses=(),
        finish=lambda folder: judged.append(
            finish(folder, task, encoder=config.encoder, labelled=labelled, held_out=held_out)
        ),
    )
    langs = [example.lang for example in labelled]
    outputs = fitted.model.outputs(vectors[: len(labelled)], langs)
    return TrainResult(
        folder=out,
        steps=0,
        resumed_at=0,
        seconds=time.monotonic() - started_s,
        losses={},
        train_accuracy=_credit(outputs, labelled, task),
        precision=config.precision,
        held_out=judged[0],
    )


def _vectors(
    examples: Sequence[Example],
    encoder: Encoder,
    config: TrainConfig,
    progress: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Returns the sentence vectors (N, H) of examples."""
    parts = []
    for start in range(0, len(examples), _CHUNK):
        progress(start, len(examples))
        texts = [example.input for example in examples[start : start + _CHUNK]]
        parts.append(
            embed(texts, encoder=encoder, max_length=config.max_length, precision=config.precision)
        )
    return np.concatenate(parts)


def _fitted(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    vectors: NDArray[np.float32],
    task: AnyTask,
    config: TrainConfig,
) -> Fitted:
    count = len(labelled)
    return fit_frozen(
        Labelled(
            vectors=vectors[:count],
            langs=[example.lang for example in labelled],
            targets=task.targets([example.answer for example in labelled]),
            groups=[example.group_key for example in labelled],
            weights=np.array([example.weight for example in labelled]),
        ),
        vectors[count:],
        [example.lang for example in unlabelled],
        task.link,
        np.random.default_rng(config.seed),
        l2=config.head_l2,
    )


def _credit(outputs: Outputs, examples: Sequence[Example], task: AnyTask) -> float:
    """Returns the mean credit of decisions by the outputs."""
    from xlt.tasks.calibration import Calibration

    langs = [example.lang for example in examples]
    suggestions = task.decode(task.beliefs(outputs, langs, Calibration()))
    truth = [example.answer for example in examples]
    return float(task.credit(truth, [suggestion.answer for suggestion in suggestions]).mean())
