"""Learners of a simulation: the task's probe, or the trainer with its joint loss."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.disk.durable import replacement
from xlt.disk.fingerprints import fingerprint
from xlt.errors import DivergedError
from xlt.simulate.replay import Texts
from xlt.simulate.state import State
from xlt.tasks.logistic import scaled
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.task import Probe

_log = logging.getLogger(__name__)

#: Hyper-parameters by name, as `xlt.config.TrainConfig.from_mapping` takes them.
Training = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """What a model says of all texts.

    Attributes:
        outputs: Of the N texts of the pool.
        test_outputs: Of the T test texts.
        vectors: (N, D) float32 of the pool; the frozen ones, or the model's own.
        probe: A probe that the next one may start from.
        trained: Whether it knows more than nothing.
    """

    outputs: Outputs
    test_outputs: Outputs
    vectors: NDArray[np.float32]
    probe: Probe | None = None
    trained: bool = True


class Learner(Protocol):
    """Learns from a state's labels; `before` is what it gave the round before."""

    def __call__(self, state: State, test: Texts, before: Learned | None) -> Learned:
        """The model of this round."""


def quick_probe(l2: float) -> Learner:
    """Returns the learner that fits the task's probe on frozen vectors."""

    def learn(state: State, test: Texts, before: Learned | None) -> Learned:
        vectors, rows = state.pool.vectors, state.trained
        start = before.probe if before else None
        probe = state.task.probe(vectors[rows], state.answers(rows), l2=l2, start=start)
        return Learned(
            outputs=probe.outputs(vectors),
            test_outputs=probe.outputs(test.vectors),
            vectors=vectors,
            probe=probe,
        )

    return learn


def joint(training: Training, folder: Path, told: Callable[[str], None]) -> Learner:
    """The trainer: from the base encoder and all labels, jointly with the texts without one.

    What a round learned is kept in `folder`, so that a simulation that was stopped trains only what
    it had not trained. Until the answers differ nothing is learned; a training that diverges
    leaves the model of the round before, as in the service.

    Args:
        training: Hyper-parameters, the encoder among them.
        folder: For one learning curve; made where it is not there.
        told: Called with a few words before each training.
    """

    def learn(state: State, test: Texts, before: Learned | None) -> Learned:
        rows, nothing = state.trained, before or _nothing(state, test)
        if state.task.missing(state.answers(rows)):
            return nothing
        folder.mkdir(parents=True, exist_ok=True)
        named = sorted(state.pool.ids[row] for row in rows)
        name = fingerprint([sorted(training.items()), *named])[:16]
        kept = [folder / f"{name}-{side}.npz" for side in ("pool", "test")]
        if not all(file.is_file() for file in kept):
            told(f"training on {len(rows)} labels")
            try:
                _train(state, test, training, folder, kept)
            except DivergedError as error:
                _log.warning("%d labels: %s; the model before stays", len(rows), error)
                return nothing
        pool, judged = (Scores.load(file) for file in kept)
        return Learned(
            outputs=pool.outputs,
            test_outputs=judged.outputs,
            vectors=scaled(pool.vectors, pool.vectors),
        )

    return learn


def _nothing(state: State, test: Texts) -> Learned:
    return Learned(
        outputs=Outputs(np.zeros((len(state.pool), state.task.width))),
        test_outputs=Outputs(np.zeros((len(test), state.task.width))),
        vectors=state.pool.vectors,
        trained=False,
    )


def _train(state: State, test: Texts, training: Training, folder: Path, kept: list[Path]) -> None:
    """Trains, scores pool and test texts, keeps the scores; the model itself is not kept."""
    from xlt.config import TrainConfig
    from xlt.models.predictor import Predictor
    from xlt.training.loop import train

    labelled = [_example(state.pool, row) for row in state.trained.tolist()]
    texts = [replace(_example(state.pool, row), answer=None) for row in state.open_rows.tolist()]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        model = Path(place) / "model"
        train(labelled, texts, state.task, TrainConfig.from_mapping(training), model)
        predictor = Predictor.load(model)
        for texts_of, file in zip((state.pool, test), kept, strict=True):
            examples = [_example(texts_of, row) for row in range(len(texts_of))]
            with replacement(file) as beside:
                predictor.score(examples).save(beside)


def _example(texts: Texts, row: int) -> Example:
    text = texts.texts[row]
    return Example(
        id=texts.ids[row],
        texts=(text,) if isinstance(text, str) else text,
        lang=str(texts.langs[row]),
        answer=texts.answers[row],
        group=str(texts.groups[row]),
    )


def forget(folder: Path) -> None:
    """Drops what the rounds of a finished learning curve learned."""
    shutil.rmtree(folder, ignore_errors=True)
