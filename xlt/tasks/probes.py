"""Probes, which some tasks do not have: quick models on frozen sentence vectors."""

from __future__ import annotations

from xlt.tasks.parts import Composed
from xlt.tasks.task import AnyTask

#: Reason that something is left out for a task without probes, after a comma.
NO_PROBE = "because sentence vectors do not tell them"


def has_probe(task: AnyTask) -> bool:
    """Returns whether the task has probes, and frozen models that learn from sentence vectors."""
    if isinstance(task, Composed):
        return all(has_probe(part.task) for part in task.parts)
    return task.link is not None
