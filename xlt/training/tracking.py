"""Logs what a training says of itself to TensorBoard, trackio, W&B or MLflow, by Accelerate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from xlt.data.examples import Example
from xlt.tasks.metrics import per_language
from xlt.tasks.predictions import Predictions
from xlt.tasks.task import AnyTask
from xlt.training.result import Progress

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker  # type: ignore[import-untyped]

    from xlt.config import TrainConfig

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Trackers:
    """The trackers of one training.

    One that fails is dropped with a warning: a training does not end because a tracker's server
    cannot be reached.

    Attributes:
        running: Trackers that have started.
        failed: What went wrong, by the tracker's name.
    """

    running: list[GeneralTracker] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    _last: int = 0
    _before: int = 0

    def progress(self, at: Progress) -> None:
        """Logs the parts of the loss of a step.

        Steps count on where one training follows another, as in a comparison of learners.
        """
        if not at.losses:
            return
        if at.step <= self._last:
            self._before += self._last
        self._last = at.step
        self._log({f"loss/{name}": value for name, value in at.losses.items()})

    def result(self, measured: Mapping[str, object], *, labels: int) -> None:
        """Logs the measurements of a training, `TrainResult.measured`, after its last step."""
        names = {"seconds": "seconds", "train_accuracy": "accuracy/training"}
        self._log({"labels": labels} | {names[k]: v for k, v in measured.items() if k in names})

    def judged(
        self, name: str, task: AnyTask, examples: Sequence[Example], predictions: Predictions
    ) -> None:
        """Logs the mean credit per language on texts that training did not read.

        Args:
            name: Of these texts: "held_out" or "audit".
            task: What the answers belong to.
            examples: N examples with answers.
            predictions: Of these examples.
        """
        truth = [example.answer for example in examples]
        answers = [suggestion.answer for suggestion in predictions.suggestions]
        scores = per_language(task, truth, answers, [example.lang for example in examples])
        self._log({f"accuracy/{name}/{lang}": score.accuracy for lang, score in scores.items()})

    def _log(self, values: Mapping[str, object]) -> None:
        # W&B drops a step that lies before the last one.
        step = self._before + self._last
        numbers = {name: float(value) for name, value in values.items() if _is_number(value)}
        if numbers:
            self.each(lambda tracker: tracker.log(numbers, step=step))

    def each(self, act: Callable[[GeneralTracker], object]) -> None:
        """Lets all trackers act; drops those that fail."""
        for tracker in tuple(self.running):
            try:
                act(tracker)
            # Each tracker's package has errors of its own, and no training may end by them.
            except Exception as error:  # noqa: BLE001
                self.running.remove(tracker)
                self.failed[tracker.name] = f"{type(error).__name__}: {error}"
                _log.warning(
                    "the tracker %s failed, the training goes on without it: %s",
                    tracker.name,
                    self.failed[tracker.name],
                )


@contextmanager
def tracked(
    names: Sequence[str], *, project: str, run: str, folder: Path, config: TrainConfig
) -> Iterator[Trackers]:
    """Starts trackers through Accelerate, and finishes them in the end.

    Credentials and addresses come from the environment variables that each tracker reads itself.

    Args:
        names: Some of `TRACKERS` in `xlt.cli.trackers`, installed; without any nothing is logged.
        project: Project, or experiment, that the run belongs to.
        run: Name of the run.
        folder: Where TensorBoard writes, below a folder per project and run.
        config: Hyper-parameters to log.
    """
    trackers = Trackers(running=[_made(name, project, run, folder) for name in names])
    trackers.each(lambda tracker: tracker.start())
    plain = {name: _plain(value) for name, value in asdict(config).items()}
    trackers.each(lambda tracker: tracker.store_init_configuration(plain))
    try:
        yield trackers
    finally:
        trackers.each(lambda tracker: tracker.finish())


def _made(name: str, project: str, run: str, folder: Path) -> GeneralTracker:
    """Makes a tracker that has not started; what Accelerate calls a run is the project."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    kind = LOGGER_TYPE_TO_CLASS[name]
    if name == "tensorboard":
        return kind(run, folder / project)
    if name == "mlflow":
        return kind(experiment_name=project, run_name=run)
    return kind(project, name=run)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float)


def _plain(value: object) -> object:
    """Returns a value that all trackers can store."""
    return value if isinstance(value, bool | int | float | str) else str(value)
