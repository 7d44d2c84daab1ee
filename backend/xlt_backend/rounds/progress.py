"""Progress of a round: its phase, its lease, and its reports to Redis and to people."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from xlt.errors import CancelledError, XltError
from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.rounds.ports import Lease, Tools

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Progress:
    """The progress of one round, shared by all of its steps.

    Attributes:
        project: The project's number, as text.
        id: The same as a number.
        tools: The tools of the round.
        phase: The current phase.
        fault: A damaged version that the round left aside; reported when it ends.
    """

    def __init__(self, project: str, lease: Lease, tools: Tools) -> None:
        self.project = project
        self.id = int(project)
        self.tools = tools
        self.phase = ""
        self.fault = ""
        self._lease = lease
        self._start = time.monotonic()
        self._yields = False

    @property
    def seconds(self) -> float:
        """Seconds since the round started."""
        return time.monotonic() - self._start

    def enter(self, phase: str, *, total: int = 0) -> None:
        """Starts a phase."""
        self.phase = phase
        self.report(phase=phase, done=0, total=total, losses={})

    def report(self, **values: Any) -> None:  # noqa: ANN401 - fields of ProjectState
        """Writes fields of the project's state; the round goes on if Redis is down."""
        try:
            self.tools.states.put(self.project, **values)
        except RedisDownError as error:
            logger.warning("project %s: not reported: %s", self.project, error)

    def report_failure(self, error: Exception) -> None:
        """Reports the error that ends the round, and the phase that it ended in."""
        self.report(
            phase=f"failed in {self.phase}",
            done=0,
            total=0,
            losses={},
            last_error=f"{self.phase}: {_one_line(error)}",
            last_error_at=self.tools.now(),
        )

    def explain(
        self, reasons: Mapping[str, Any], rows: Sequence[PublishRow], *, replace: bool
    ) -> None:
        """Writes the reasons for the places of these rows; the round goes on if Redis is down."""
        published = [str(row.task_id) for row in rows]
        explained = {task: reasons[task] for task in published if task in reasons}
        try:
            self.tools.states.explain(self.project, explained, replace=replace)
        except RedisDownError as error:
            logger.warning("project %s: not explained: %s", self.project, error)

    def forget_reasons(self, *, keep: Collection[str]) -> None:
        """Deletes the reasons of tasks that wait no more; the round goes on if Redis is down."""
        try:
            gone = self.tools.states.explained(self.project).difference(keep)
            self.tools.states.forget_reasons(self.project, sorted(gone))
        except RedisDownError as error:
            logger.warning("project %s: reasons are kept: %s", self.project, error)

    def run_trainer(self, folder: Path) -> dict[str, Any]:
        """Runs the plan in a folder within the time that the round has left.

        Returns:
            Its measurements.

        Raises:
            XltError: See `xlt_backend.trainer.supervise.run_trainer`.
        """
        return self.tools.trainer(
            folder,
            timeout_s=max(1.0, self.tools.settings.round_timeout_s - self.seconds),
            on_progress=self._report_training,
            should_stop=self.should_stop,
        )

    def attempt(self, work: Callable[[], T | None], otherwise: str) -> T | None:
        """Returns the result of work that the round can do without; None if it fails.

        Args:
            work: Raises `XltError` if it fails.
            otherwise: Logged then, with the error.

        Raises:
            CancelledError: If the round is to stop.
        """
        try:
            return work()
        except CancelledError:
            raise
        except XltError as error:
            logger.warning("project %s: %s: %s", self.project, otherwise, error)
            return None

    def should_stop(self) -> bool:
        """Returns whether the current work is to end: it may yield, or the round must stop."""
        return self.must_stop() or (self._yields and self._lease.others_wait())

    def must_stop(self) -> bool:
        """Returns whether the whole round is to end."""
        return self._lease.lost or self.tools.stopping() or self._lease.cancelled()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Lets other work interrupt this one; `CancelledError` then need not mean the round."""
        self._yields = True
        try:
            yield
        finally:
            self._yields = False

    def fence(self) -> None:
        """Renews the lease before something is written that another round must not write too.

        Raises:
            CancelledError: If another worker holds the lease, or this round is to stop.
        """
        try:
            if not self._lease.renew():
                raise CancelledError("another worker took this round over")
        except RedisDownError as error:  # then no other worker can take the lease either
            logger.warning("project %s: the lease is not renewed: %s", self.project, error)
        if self.should_stop():
            raise CancelledError("the round was asked to stop")

    def _report_training(self, line: Mapping[str, Any]) -> None:
        self.report(
            phase=str(line.get("phase")),
            done=int(line.get("done") or 0),
            total=int(line.get("total") or 0),
            losses=line.get("losses") or {},
        )


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, XltError) else f"{type(error).__name__}: {text}"
