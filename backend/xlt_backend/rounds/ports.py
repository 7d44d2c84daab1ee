"""What a round works with: Label Studio, the training process, the right to run."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from xlt.store.versions import Store
from xlt_backend.labelstudio.client import ProjectInfo
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.snapshot import Identify
from xlt_backend.settings import Settings


class LabelStudio(Protocol):
    """What a round needs of Label Studio; see `gateway.Gateway`."""

    def project(self, project_id: int) -> ProjectInfo:
        """One project."""

    def options(self, project_id: int) -> object:
        """The options that the project stores with its model; None: not to be found there."""

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """All tasks with their annotations."""

    def activity(self, project_id: int) -> str:
        """A signature that changes when tasks, labels or the interface change."""

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Task id -> score of its prediction of the version that the project shows."""

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Versions of predictions that are there, with their number."""

    def publish(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        """Stores predictions and makes sure that they are all there."""

    def switch(self, project_id: int, version: str) -> None:
        """From now on tasks are shown with and ordered by these predictions."""

    def quiet(self, project_id: int) -> bool:
        """Whether nobody has worked in the project for some minutes."""

    def list_tasks(self, project_id: int, title: str, tasks: Sequence[int]) -> None:
        """A tab of the Data Manager with these tasks, by their place in the queue."""

    def reopen(self, project_id: int, answers: Mapping[int, int]) -> None:
        """Finished tasks wait until they have so many answers."""

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Deletes predictions of all other versions but the project's own."""


class Right(Protocol):
    """The right to run this round; see `trainqueue.Lease`."""

    def renew(self) -> bool:
        """Prolongs it; False where somebody else has it."""

    def cancelled(self) -> bool:
        """Whether somebody asked this round to stop."""

    def others_wait(self) -> bool:
        """Whether more work was asked for since this round began."""

    @property
    def lost(self) -> bool:
        """Whether somebody else has it."""


class Trainer(Protocol):
    """Runs a plan in a folder; see `supervise.run_trainer`."""

    def __call__(
        self,
        folder: Path,
        *,
        timeout_s: float,
        on_progress: Callable[[Mapping[str, Any]], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """Runs it; what was measured."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What rounds work with; the same for all projects of a worker.

    Attributes:
        label_studio: The client.
        store: All versions of all projects.
        states: What Redis remembers.
        settings: Deployment facts.
        trainer: Runs the training process.
        identify: Finds languages that tasks do not say.
        stopping: Whether this worker is about to end.
        now: Seconds since the epoch.
    """

    label_studio: LabelStudio
    store: Store
    states: StateStore
    settings: Settings
    trainer: Trainer
    identify: Identify
    stopping: Callable[[], bool] = lambda: False
    now: Callable[[], float] = time.time
