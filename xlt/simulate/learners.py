"""Learners of a simulation: the task's probe, the frozen model, or training by the joint loss."""

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
from xlt.errors import ConfigError, DivergedError
from xlt.frozen.features import Labelled
from xlt.frozen.several import fit_task
from xlt.simulate.replay import Texts
from xlt.simulate.state import State
from xlt.tasks.logistic import scaled
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.probes import NO_PROBE, has_probe
from xlt.tasks.task import AnyTask, Probe

_log = logging.getLogger(__name__)

#: Names of the learners, the quickest first.
LEARNERS = ("head", "frozen", "joint")

#: Hyper-parameters by name, as `xlt.config.TrainConfig.from_mapping` takes them.
Training = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """Outputs of a model on all texts.

    Attributes:
        outputs: Outputs on the N texts of the pool.
        test_outputs: Outputs on the T test texts.
        vectors: (N, D) float32 of the pool, frozen or the model's own.
        probe: Probe from which the next one may start.
        trained: False if nothing was trained.
    """

    outputs: Outputs
    test_outputs: Outputs
    vectors: NDArray[np.float32]
    probe: Probe | None = None
    trained: bool = True


class Learner(Protocol):
    """Learns from a state's labels; `before` is its result of the previous round."""

    def __call__(self, state: State, test: Texts, before: Learned | None) -> Learned:
        """Trains the model of this round."""


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


def frozen(seed: int) -> Learner:
    """Returns the learner that fits a frozen model, on labels and all other texts.

    It needs `Texts.features` of pool and test texts.
    """

    def learn(state: State, test: Texts, before: Learned | None) -> Learned:
        pool, rows, others = state.pool, state.trained, state.open_rows
        if state.task.missing(state.answers(rows)):
            return before or _untrained(state, test)
        assert pool.features is not None
        assert test.features is not None
        langs = pool.langs.tolist()
        model = fit_task(
            Labelled(
                features=pool.features.take(rows),
                langs=[langs[row] for row in rows],
                targets=state.task.targets(state.answers(rows)),
                groups=pool.groups[rows].tolist(),
                weights=np.ones(len(rows)),
            ),
            pool.features.take(others),
            [langs[row] for row in others],
            state.task,
            np.random.default_rng(seed),
        )
        return Learned(
            outputs=model.outputs(pool.features, langs),
            test_outputs=model.outputs(test.features, test.langs.tolist()),
            vectors=pool.vectors,
        )

    return learn


def joint(training: Training, folder: Path, announce: Callable[[str], None]) -> Learner:
    """Returns the learner that trains the base encoder on all labels and unlabelled texts.

    It stores the outputs of each round in `folder`, so that a stopped simulation repeats no
    training. It trains nothing until the answers differ. If a training diverges, the model of the
    previous round stays, as in the service.

    Args:
        training: Hyper-parameters, including the encoder.
        folder: Folder for one learning curve; created if needed.
        announce: Called with a message before each training.
    """

    def learn(state: State, test: Texts, before: Learned | None) -> Learned:
        rows, previous = state.trained, before or _untrained(state, test)
        if state.task.missing(state.answers(rows)):
            return previous
        folder.mkdir(parents=True, exist_ok=True)
        ids = sorted(state.pool.ids[row] for row in rows)
        name = fingerprint([sorted(training.items()), *ids])[:16]
        files = [folder / f"{name}-{side}.npz" for side in ("pool", "test")]
        if not all(file.is_file() for file in files):
            announce(f"training on {len(rows)} labels")
            try:
                _train(state, test, training, folder, files)
            except DivergedError as error:
                _log.warning("%d labels: %s; the previous model stays", len(rows), error)
                return previous
        pool, judged = (Scores.load(file) for file in files)
        return Learned(
            outputs=pool.outputs,
            test_outputs=judged.outputs,
            vectors=scaled(pool.vectors, pool.vectors),
        )

    return learn


def _untrained(state: State, test: Texts) -> Learned:
    def nothing(count: int) -> Outputs:
        if has_probe(state.task):
            return Outputs(np.zeros((count, state.task.width)))
        starts, where = np.zeros(count + 1, np.int64), np.zeros((0, 2), np.int64)
        return Outputs(np.zeros((0, state.task.width)), starts, where)

    return Learned(
        outputs=nothing(len(state.pool)),
        test_outputs=nothing(len(test)),
        vectors=state.pool.vectors,
        trained=False,
    )


def check_learner(name: str, task: AnyTask) -> None:
    """Checks that a learner can learn a task.

    Raises:
        ConfigError: If it learns from sentence vectors, and they do not tell the answers.
    """
    if name != "joint" and not has_probe(task):
        raise ConfigError(
            f"the learner {name} cannot learn {task.kind}, {NO_PROBE}: give --learner joint"
        )


def _train(state: State, test: Texts, training: Training, folder: Path, files: list[Path]) -> None:
    """Trains a model, writes the scores of pool and test texts, and deletes the model."""
    from xlt.config import TrainConfig
    from xlt.models.predictor import Predictor
    from xlt.training.train import train

    labelled = [_example(state.pool, row) for row in state.trained.tolist()]
    texts = [replace(_example(state.pool, row), answer=None) for row in state.open_rows.tolist()]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        model = Path(place) / "model"
        train(labelled, texts, state.task, TrainConfig.from_mapping(training), model)
        predictor = Predictor.load(model)
        for side, file in zip((state.pool, test), files, strict=True):
            examples = [_example(side, row) for row in range(len(side))]
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
    """Deletes the stored rounds of a finished learning curve."""
    shutil.rmtree(folder, ignore_errors=True)
