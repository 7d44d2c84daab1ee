"""The course of a round: what it works on, its phase, its right to go on, what it reports."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt.errors import CancelledError
from xlt.store.versions import ProjectStore
from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.adaptation import Record
from xlt_backend.rounds.ports import Right, Tools
from xlt_backend.trainer.bench import Bench

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a round learned of its project before it began.

    Attributes:
        key: The project's name in the store.
        options: Its options.
        interface: What is labelled.
        config: Hyper-parameters.
        base: The encoder before any adaptation.
        record: What is known of its adaptation.
        versions: Its models.
        bench: Where they are made.
    """

    key: str
    options: ProjectOptions
    interface: Interface
    config: dict[str, Any]
    base: str
    record: Record
    versions: ProjectStore
    bench: Bench


class Course:
    """One round's; all of its steps share it.

    Attributes:
        project: The project's number, as text.
        id: The same as a number.
        tools: What the round works with.
        phase: What it does now.
    """

    def __init__(self, project: str, right: Right, tools: Tools) -> None:
        self.project = project
        self.id = int(project)
        self.tools = tools
        self.phase = ""
        self._right = right
        self._begin = time.monotonic()
        self._yields = False

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begin

    def enter(self, phase: str, *, total: int = 0) -> None:
        """Begins a phase."""
        self.phase = phase
        self.report(phase=phase, done=0, total=total, losses={})

    def report(self, **values: Any) -> None:  # noqa: ANN401 - fields of ProjectState
        """Tells Redis; a round does not end because nobody can read about it."""
        try:
            self.tools.states.put(self.project, **values)
        except RedisDownError as error:
            logger.warning("project %s: not reported: %s", self.project, error)

    def explain(
        self, reasons: Mapping[str, Any], rows: Sequence[PublishRow], *, anew: bool
    ) -> None:
        """Tells Redis why the tasks of these rows stand where they stand."""
        said = {id: reasons[id] for id in (str(row.task_id) for row in rows) if id in reasons}
        try:
            self.tools.states.explain(self.project, said, anew=anew)
        except RedisDownError as error:
            logger.warning("project %s: not explained: %s", self.project, error)

    def run_trainer(self, folder: Path) -> dict[str, Any]:
        """Runs the plan in a folder within the time that the round has left; what was measured.

        Raises:
            XltError: See `supervise.run_trainer`.
        """
        return self.tools.trainer(
            folder,
            timeout_s=max(1.0, self.tools.settings.round_timeout_s - self.seconds),
            on_progress=self._progress,
            should_stop=self.should_stop,
        )

    def should_stop(self) -> bool:
        """Whether it is to end, or is interruptible and other work waits."""
        return self.must_stop() or (self._yields and self._right.others_wait())

    def must_stop(self) -> bool:
        """Whether the whole round is to end."""
        return self._right.lost or self.tools.stopping() or self._right.cancelled()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it other work may interrupt; `CancelledError` then does not mean the round."""
        self._yields = True
        try:
            yield
        finally:
            self._yields = False

    def fence(self) -> None:
        """Goes on only as long as no other worker runs a round of this project.

        Raises:
            CancelledError: If one does, or this round is to stop.
        """
        try:
            if not self._right.renew():
                raise CancelledError("another worker took this round over")
        except RedisDownError as error:
            logger.warning("project %s: %s; nobody can take over either", self.project, error)
        if self.should_stop():
            raise CancelledError("the round was asked to stop")

    def _progress(self, said: Mapping[str, Any]) -> None:
        self.report(
            phase=str(said.get("phase")),
            done=int(said.get("done") or 0),
            total=int(said.get("total") or 0),
            losses=said.get("losses") or {},
        )
