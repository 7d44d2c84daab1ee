"""Rounds whose workers died: ended, and reported in the state of their projects."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore

logger = logging.getLogger(__name__)

_DEATH = (
    "the worker ended in the middle of the round (killed, out of memory, or its machine went "
    "down); the round is started again"
)


def report_deaths(
    queue: TrainQueue, states: StateStore, now: Callable[[], float] = time.time
) -> None:
    """Ends the rounds whose lease expired; says in their projects' states what happened.

    Raises:
        RedisDownError: If Redis does not answer.
    """
    for project in queue.end_abandoned():
        error = f"{states.get(project).phase}: {_DEATH}"
        logger.warning("project %s: %s", project, error)
        states.put(project, last_error=error, last_error_at=now())
