"""Use case of people who look at a project's queue: the next tasks, and why they come next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from xlt.data.languages import normalise

#: Tasks that the queue shows.
NEXT = 50


class Waiting(Protocol):
    """The part of `xlt_backend.queue.state.StateStore` that the use case needs."""

    def waiting(self, project: str) -> Mapping[str, Mapping[str, Any]]:
        """Maps the explained tasks that wait to the reasons for their places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """A task near the front of the queue.

    Attributes:
        task: Label Studio's id.
        place: Its place in the published order, from 1.
        lang: Its language.
        slot: Slot of its place: `quota`, `audit`, `control` or `rest`.
        reason: Why it comes here, for people.
    """

    task: str
    place: int
    lang: str
    slot: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front of a project's queue.

    Attributes:
        tasks: The next tasks, of the wanted language and slot.
        langs: Number of explained tasks by language.
        slots: Number of explained tasks by slot.
    """

    tasks: tuple[Next, ...]
    langs: Mapping[str, int]
    slots: Mapping[str, int]


def front(reasons: Waiting, project: str, *, lang: str = "", slot: str = "") -> Front:
    """Returns the next `NEXT` tasks of a project, first the one that is served next.

    Args:
        reasons: The explained tasks.
        project: Label Studio's id of the project.
        lang: Only tasks of this language; empty for all.
        slot: Only tasks in slots of this kind; empty for all.

    Raises:
        RedisDownError: If Redis does not answer.
    """
    tasks = [
        Next(
            task=task,
            place=int(reason.get("place") or 0),
            lang=str(reason.get("lang") or ""),
            slot=str(reason.get("slot") or ""),
            reason=str(reason.get("reason") or ""),
        )
        for task, reason in reasons.waiting(project).items()
    ]
    wanted = [
        task
        for task in sorted(tasks, key=lambda task: task.place)
        if (not lang or normalise(task.lang) == normalise(lang)) and slot in ("", task.slot)
    ]
    return Front(
        tasks=tuple(wanted[:NEXT]),
        langs=dict(Counter(task.lang for task in tasks).most_common()),
        slots=dict(Counter(task.slot for task in tasks).most_common()),
    )
