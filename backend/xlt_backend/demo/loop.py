"""The demo's labelling loop: label a batch of tasks, wait for the new model, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from xlt.errors import ServiceError
from xlt_backend.demo.annotator import Annotator, LabelledTask
from xlt_backend.demo.project import DemoProject, phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """The outcome of scripted labelling.

    Attributes:
        tasks: The tasks in the order in which they were labelled.
        seconds: Per promoted version, the time from the last label of its batch to its
            predictions in Label Studio.
    """

    tasks: tuple[LabelledTask, ...]
    seconds: tuple[float, ...]


def annotate(project: DemoProject, count: int, *, per_round: int) -> Annotation:
    """Labels tasks as Label Studio serves them; waits for a new model after each full batch.

    Args:
        project: The project.
        count: Number of tasks to label.
        per_round: Number of labels that start a training.

    Raises:
        ServiceError: If the project has too few tasks, or a model takes too long.
    """
    answers = {example.id: example.answer for example in project.texts.pool}
    annotator = Annotator(project.client, project.id, answers)
    tasks: list[LabelledTask] = []
    seconds: list[float] = []
    with _bar(project.console) as bar:
        labelling = bar.add_task("labelling", total=count, note="")
        while len(tasks) < count:
            size = min(per_round, count - len(tasks))
            shown = project.shown()
            for _ in range(size):
                task = annotator.label_next()
                if task is None:
                    raise ServiceError(f"Label Studio has no more tasks after {len(tasks)}")
                tasks.append(task)
                bar.advance(labelling)
            if size == per_round:
                duration = _wait_for_model(
                    project, shown, lambda text: bar.update(labelling, note=text)
                )
                seconds += [] if duration is None else [duration]
    return Annotation(tasks=tuple(tasks), seconds=tuple(seconds))


def _wait_for_model(project: DemoProject, shown: str, note: Callable[[str], None]) -> float | None:
    """Waits for predictions of a new version; returns the seconds that it took.

    Returns None if the round did not promote its model.
    """
    start, started_at = time.monotonic(), time.time()

    def is_rejected() -> bool:
        state = project.state()
        note(phase(state))
        if reason := rejection(state, started_at):
            project.say(f"model not promoted: {reason}")
        return bool(reason)

    promoted = project.wait_for_predictions("a new model", after=shown, in_vain=is_rejected)
    note("")
    return time.monotonic() - start if promoted else None


def rejection(state: Mapping[str, Any], started_at: float) -> str:
    """Returns why the last round did not promote the model that it trained; empty if it did.

    Args:
        state: A project's part of /status.
        started_at: Rounds that ended before do not count; seconds since the epoch.
    """
    last = state.get("last_round") or {}
    ended = last.get("trained") and float(last.get("ended_at") or 0.0) > started_at
    return str(last.get("reason")) if ended and last.get("action") != "publish" else ""


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("[dim]xlt:[/] {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )
