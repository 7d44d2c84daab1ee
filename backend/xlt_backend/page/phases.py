"""The phase of a project's round, as pages show it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xlt_backend.queue.state import ProjectState

_FAILED = "failed in "


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The phase of a round.

    Attributes:
        state: Standing of the round: it runs, waits for a worker, failed, cannot start until
            people correct interface or options (`blocked`), or nothing is to do.
        step: Step of the round that runs or failed, or outcome of the last one.
        done: Number of finished parts of the step.
        total: Number of all parts; 0 if that is not known.
    """

    state: Literal["running", "waiting", "blocked", "failed", "idle"]
    step: str
    done: int = 0
    total: int = 0


def phase_of(state: ProjectState, queue: str) -> Phase:
    """Returns the phase of a project.

    Args:
        state: Its state.
        queue: Status of its rounds: `running`, `waiting`, `held` or `idle`.
    """
    failed = state.phase.startswith(_FAILED)
    step = state.phase.removeprefix(_FAILED)
    if queue == "running":
        total = max(0, state.total)
        return Phase(state="running", step=step, done=min(max(0, state.done), total), total=total)
    if state.config_error:
        return Phase(state="blocked", step=step)
    if queue == "waiting":
        return Phase(state="waiting", step=step)
    return Phase(state="failed" if failed or queue == "held" else "idle", step=step)
