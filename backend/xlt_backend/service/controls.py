"""Use cases of people who steer a project: train now, pause, resume, cancel, change the quota."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from xlt.data.languages import is_known, normalise
from xlt.errors import ConfigError
from xlt.store.versions import ProjectStore, Store
from xlt_backend.errors import PausedError
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds import steering
from xlt_backend.rounds.steering import Steering, paused_words
from xlt_backend.service.known import utc, versions_of
from xlt_backend.service.outcome import Outcome, outcome_of
from xlt_backend.service.ports import RoundQueue
from xlt_backend.service.queue import Front, front

#: Longest name of a language that no task has, in code points.
_LONGEST_NAME = 100
#: Largest number of tasks that people choose at once, and of those that the log names.
MOST_CHOSEN, _NAMED = 100, 10
#: Digits of the longest id in Label Studio's databases.
_DIGITS = 19


class Controls:
    """The use cases; each is one line in the log.

    Args:
        states: States of the projects.
        queue: Queue of rounds.
        store: All versions of all projects.
        now: Returns seconds since the epoch.
    """

    def __init__(
        self,
        *,
        states: StateStore,
        queue: RoundQueue,
        store: Store,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._states = states
        self._queue = queue
        self._store = store
        self._now = now

    def steering(self, project: str) -> Steering:
        """Returns what people set for a project.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If it cannot be read.
        """
        return steering.read(self._of(project)[1])

    def front(self, project: str, *, lang: str = "", slot: str = "") -> Front:
        """Returns the next tasks of a project (`xlt_backend.service.queue.front`).

        Raises:
            UnknownProjectError: If xlt does not know the project.
        """
        id, _ = self._of(project)
        return front(self._states, id, lang=lang, slot=slot)

    def train(self, project: str, *, by: str) -> Outcome:
        """Asks for a training now.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            PausedError: If the project is paused.
        """
        id, versions = self._of(project)
        set_now = steering.read(versions)
        if set_now.paused:
            raise PausedError(paused_words(id, set_now))
        self._states.request_training(id)
        outcome = outcome_of(self._queue.request(id, forced=True))
        self._note(versions, by, "asked to train")
        return outcome

    def pause(self, project: str, *, by: str) -> Steering:
        """Trains nothing in a project until `resume`; returns what was set before.

        A round that runs is not stopped (`cancel` does that). Labels are still counted, new tasks
        get their places, and a version that a person promotes is shown.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If it cannot be written.
        """
        _, versions = self._of(project)
        now = steering.read(versions)
        if now.paused:
            return now
        before = steering.change(versions, paused_by=by, paused_at_utc=utc(self._now()))
        self._note(versions, by, "paused")
        return before

    def resume(self, project: str, *, by: str) -> Steering:
        """Ends a pause and asks for a round; returns what was set before.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If it cannot be written.
        """
        id, versions = self._of(project)
        before = steering.change(versions, paused_by="", paused_at_utc="")
        if before.paused:
            self._note(versions, by, "resumed", before=f"paused by {before.paused_by}")
            self._queue.request(id)
        return before

    def cancel(self, project: str, *, by: str) -> bool:
        """Stops the round that runs; returns False if none runs.

        Raises:
            UnknownProjectError: If xlt does not know the project.
        """
        id, versions = self._of(project)
        stopped = self._queue.cancel(id)
        if stopped:
            self._note(versions, by, "stopped a round")
        return stopped

    def set_quota(self, project: str, quota: Mapping[str, float], *, by: str) -> Steering:
        """Sets weights of target languages, which replace the option `quota` from the next order.

        Args:
            project: The project.
            quota: Weights by language, such as `{"hau": 2, "yor": 1}`; empty for the option again.
            by: The person.

        Returns:
            What was set before.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            ConfigError: If the weights are not valid.
            StoreError: If it cannot be written.
        """
        _, versions = self._of(project)
        self.check_quota(project, quota)
        before = steering.change(versions, quota=dict(quota), quota_by=by if quota else "")
        self._note(versions, by, "quota", before=_words(before.quota), after=_words(quota))
        return before

    def check_quota(self, project: str, quota: Mapping[str, float]) -> None:
        """Refuses weights that `set_quota` cannot set.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            ConfigError: If a weight is out of range, or not the only one of a language.
        """
        if not quota:
            return
        id, versions = self._of(project)
        found = {*front(self._states, id).langs, *steering.read(versions).quota}
        named: dict[str, str] = {}
        for lang in quota:
            _check_language(lang, found)
            if (first := named.setdefault(normalise(lang), lang)) != lang:
                raise ConfigError(f"{first!r} and {lang!r} are one language: give one weight")
        ProjectOptions.from_extra_params({"quota": dict(quota)}).sampler()

    def label_next(self, project: str, tasks: Sequence[str], *, by: str) -> Steering:
        """Puts tasks at the head of the queue, until they are labelled, and asks for a round.

        Audit tasks keep their places: chosen ones would judge models on what people looked for.

        Args:
            project: The project.
            tasks: Label Studio's ids, at most `MOST_CHOSEN`, the first one to label next; empty for
                none any longer.
            by: The person.

        Returns:
            What was set before.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            ConfigError: If an id is none, or if there are too many.
            StoreError: If it cannot be written.
        """
        id, versions = self._of(project)
        check_tasks(tasks)
        before = steering.put_first(versions, tasks)
        after = ", ".join(tasks[:_NAMED]) + (" …" if len(tasks) > _NAMED else "")
        self._note(
            versions, by, "label next", before=f"{len(before.first)} tasks", after=after or "none"
        )
        self._queue.request(id)
        return before

    def _of(self, project: str) -> tuple[str, ProjectStore]:
        return versions_of(self._states, self._store, project)

    def _note(
        self, versions: ProjectStore, by: str, what: str, *, before: str = "", after: str = ""
    ) -> None:
        action = steering.Action(
            at_utc=utc(self._now()), by=by, what=what, before=before, after=after
        )
        steering.note(versions, action)


def check_tasks(tasks: Sequence[str]) -> None:
    """Refuses what are no ids of tasks, and too many.

    Raises:
        ConfigError: If they are refused.
    """
    for task in tasks:
        if not (task.isascii() and task.isdecimal() and len(task) <= _DIGITS):
            raise ConfigError(f"expected the id of a task, got {task[:40]!r}")
    if len(tasks) > MOST_CHOSEN:
        raise ConfigError(f"{len(tasks)} tasks; at most {MOST_CHOSEN} can be chosen at once")


def _check_language(lang: str, found: Collection[str]) -> None:
    """Refuses what is neither a language of tasks nor one that the world knows.

    Raises:
        ConfigError: If it is refused.
    """
    if lang in found:
        return
    if not lang.strip() or len(lang) > _LONGEST_NAME or not is_known(lang):
        raise ConfigError(f"expected the code or the name of a language, got {lang[:40]!r}")


def _words(quota: Mapping[str, float]) -> str:
    words = ", ".join(f"{lang} {weight:g}" for lang, weight in sorted(quota.items()))
    return words or "as in the project's options"
