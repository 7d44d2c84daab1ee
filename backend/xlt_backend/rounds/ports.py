"""Ports of a round: Label Studio, the training process, the lease; tests replace them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from xlt.identification.identify import Identify
from xlt.store.versions import Store
from xlt_backend.labelstudio.client import ProjectInfo, Published
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.queue.state import StateStore
from xlt_backend.settings import Settings


class LabelStudio(Protocol):
    """The Label Studio of a project; see `xlt_backend.labelstudio.gateway.Gateway`."""

    def project(self, project_id: int) -> ProjectInfo:
        """Returns one project."""

    def options(self, project_id: int) -> object:
        """Returns the options that the project stores with its model; None if that is another."""

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """Returns all tasks with their annotations and their place in the order that is shown."""

    def activity(self, project_id: int) -> str:
        """Returns a signature that changes when tasks, labels or the interface change."""

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Maps the ids of tasks that have a prediction of this version to its score."""

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Maps each version of the stored predictions to their number."""

    def publish(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> Published:
        """Stores predictions and makes sure that none is missing."""

    def withdraw(self, project_id: int, version: str, tasks: Sequence[int]) -> None:
        """Deletes the predictions of this version for these tasks."""

    def switch(self, project_id: int, version: str) -> None:
        """Shows and orders tasks by the predictions of this version from now on."""

    def quiet(self, project_id: int) -> bool:
        """Returns whether the project has been idle for some minutes."""

    def list_tasks(self, project_id: int, title: str, tasks: Sequence[int]) -> None:
        """Shows these tasks in a tab of the Data Manager, by their place in the queue."""

    def reopen(self, answers: Mapping[int, int]) -> None:
        """Puts finished tasks back into the queue until they have this number of answers."""

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Deletes the predictions of all versions but these and the project's own."""


class Lease(Protocol):
    """The permission to run this round; see `xlt_backend.queue.rounds.Lease`."""

    def renew(self) -> bool:
        """Extends it; returns False if another worker holds it."""

    def cancelled(self) -> bool:
        """Returns whether this round was asked to stop."""

    def others_wait(self) -> bool:
        """Returns whether more work was requested since this round started."""

    @property
    def lost(self) -> bool:
        """True if another worker holds it."""


class Trainer(Protocol):
    """Runs the plan in a folder; see `xlt_backend.trainer.supervise.run_trainer`."""

    def __call__(
        self,
        folder: Path,
        *,
        timeout_s: float,
        on_progress: Callable[[Mapping[str, Any]], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """Runs it; returns its measurements."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The tools of all rounds of a worker.

    Attributes:
        label_studio: The client.
        store: All versions of all projects.
        states: The projects' states in Redis.
        settings: Settings of this installation.
        trainer: Runs the training process.
        identify: Identifies the language of tasks that do not name it.
        stopping: Returns whether this worker is about to end.
        now: Returns seconds since the epoch.
    """

    label_studio: LabelStudio
    store: Store
    states: StateStore
    settings: Settings
    trainer: Trainer
    identify: Identify
    stopping: Callable[[], bool] = lambda: False
    now: Callable[[], float] = time.time
