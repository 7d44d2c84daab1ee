"""What learns from the labels of a round: the quick head, or the trainer with its joint loss."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example, TaskSpec
from xlt.disk.durable import replacement
from xlt.disk.fingerprints import fingerprint
from xlt.errors import DivergedError
from xlt.simulate.replay import Texts
from xlt.simulate.state import State
from xlt.tasks.logistic import Head, fit_head, scaled
from xlt.tasks.outputs import Scores

_log = logging.getLogger(__name__)

#: Hyper-parameters by name, as `xlt.config.TrainConfig.from_mapping` takes them.
Training = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """What a model says of all texts.

    Attributes:
        logits: (N, C) of the pool.
        test_logits: (T, C) of the test texts.
        vectors: (N, D) float32 of the pool; the frozen ones, or the model's own.
        head: A quick head's weights, where the next one may begin.
        trained: Whether it knows more than nothing.
    """

    logits: NDArray[np.floating]
    test_logits: NDArray[np.floating]
    vectors: NDArray[np.float32]
    head: Head | None = None
    trained: bool = True


class Learner(Protocol):
    """Learns from a state's labels; `before` is what it gave the round before."""

    def __call__(self, state: State, test: Texts, before: Learnt | None) -> Learnt:
        """The model of this round."""


def fit_rows(
    state: State, rows: NDArray[np.intp], classes: int, l2: float, start: Head | None
) -> Head:
    """A quick head, fitted on some rows of the pool."""
    x, y = state.pool.vectors[rows], state.pool.labels[rows]
    return fit_head(x, y, classes, l2=l2, start=start)


def quick_head(classes: int, l2: float) -> Learner:
    """The logistic regression on frozen vectors."""

    def learn(state: State, test: Texts, before: Learnt | None) -> Learnt:
        head = fit_rows(state, state.trained, classes, l2, before.head if before else None)
        vectors = state.pool.vectors
        return Learnt(
            logits=head.logits(vectors),
            test_logits=head.logits(test.vectors),
            vectors=vectors,
            head=head,
        )

    return learn


def joint(
    classes: tuple[str, ...], training: Training, folder: Path, told: Callable[[str], None]
) -> Learner:
    """The trainer: from the base encoder and all labels, jointly with the texts without one.

    What a round learnt is kept in `folder`, so that a simulation that was stopped trains only what
    it had not trained. Before there are two classes nothing is learnt; a training that diverges
    leaves the model of the round before, as in the service.

    Args:
        classes: Labels by class number.
        training: Hyper-parameters, the encoder among them.
        folder: For one learning curve; made where it is not there.
        told: Called with a few words before each training.
    """
    task = TaskSpec(labels=classes)

    def learn(state: State, test: Texts, before: Learnt | None) -> Learnt:
        rows, nothing = state.trained, before or _nothing(state, test, len(classes))
        if len(set(state.pool.labels[rows].tolist())) < 2:
            return nothing
        folder.mkdir(parents=True, exist_ok=True)
        named = sorted(state.pool.ids[row] for row in rows)
        name = fingerprint([sorted(training.items()), *named])[:16]
        kept = [folder / f"{name}-{side}.npz" for side in ("pool", "test")]
        if not all(file.is_file() for file in kept):
            told(f"training on {len(rows)} labels")
            try:
                _train(state, test, task, training, folder, kept)
            except DivergedError as error:
                _log.warning("%d labels: %s; the model before stays", len(rows), error)
                return nothing
        pool, judged = (Scores.load(file) for file in kept)
        return Learnt(
            logits=pool.logits,
            test_logits=judged.logits,
            vectors=scaled(pool.vectors, pool.vectors),
        )

    return learn


def _nothing(state: State, test: Texts, classes: int) -> Learnt:
    return Learnt(
        logits=np.zeros((len(state.pool), classes)),
        test_logits=np.zeros((len(test), classes)),
        vectors=state.pool.vectors,
        trained=False,
    )


def _train(
    state: State, test: Texts, task: TaskSpec, training: Training, folder: Path, kept: list[Path]
) -> None:
    """Trains, scores pool and test texts, keeps the scores; the model itself is not kept."""
    from xlt.config import TrainConfig
    from xlt.models.predictor import Predictor
    from xlt.training.loop import train

    labelled = [_example(state.pool, row, task) for row in state.trained.tolist()]
    texts = [_example(state.pool, row, None) for row in state.open_rows.tolist()]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        model = Path(place) / "model"
        train(labelled, texts, task, TrainConfig.from_mapping(training), model)
        predictor = Predictor.load(model)
        for of, file in zip((state.pool, test), kept, strict=True):
            with replacement(file) as beside:
                predictor.score(of.texts).save(beside)


def _example(texts: Texts, row: int, task: TaskSpec | None) -> Example:
    return Example(
        id=texts.ids[row],
        text=texts.texts[row],
        lang=str(texts.langs[row]),
        label=None if task is None else task.labels[texts.labels[row]],
        group=str(texts.groups[row]),
    )


def forget(folder: Path) -> None:
    """Drops what the rounds of a finished learning curve learnt."""
    shutil.rmtree(folder, ignore_errors=True)
