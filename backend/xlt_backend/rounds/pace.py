"""Pace of trainings: after how many labels, and after how long, the next one is due. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask
from xlt_backend.options import ProjectOptions

#: The pace of trainings that take long: new labels, and seconds after the first of them.
SLOW_LABELS, SLOW_S = 20, 600.0
#: The fastest pace.
FAST_LABELS, FAST_S = 5, 30.0
#: Waiting tasks from which on the pace is the slow one. Each training publishes a prediction for
#: each waiting task, and Label Studio deletes old ones slowly: no project gets more of them per
#: label, or per second, than one with this number of tasks has at the slow pace.
SLOW_TASKS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The pace of a project's trainings.

    Attributes:
        labels: Number of new labels that make a training due.
        seconds: Seconds after the first new label that make it due with fewer.
    """

    labels: int
    seconds: float


def pace_of(options: ProjectOptions, task: AnyTask, waiting: int) -> Pace:
    """Returns the options' pace; where they name none, a fast one if trainings take seconds.

    Args:
        options: The project's options.
        task: Its task.
        waiting: Number of tasks that wait for annotators.
    """
    share = min(1.0, waiting / SLOW_TASKS) if _is_quick(options, task) else 1.0
    labels, seconds = options.retrain_after_labels, options.retrain_after_s
    return Pace(
        labels=max(FAST_LABELS, ceil(SLOW_LABELS * share)) if labels is None else labels,
        seconds=max(FAST_S, SLOW_S * share) if seconds is None else seconds,
    )


def _is_quick(options: ProjectOptions, task: AnyTask) -> bool:
    """Returns whether a training reads no text twice: it fits a frozen model of whole texts."""
    return has_probe(task) and options.training("bundled").resolved().learner == "frozen"
