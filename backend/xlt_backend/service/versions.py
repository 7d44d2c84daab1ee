"""Use cases of people who look after a project's versions: list, promote, roll back, delete."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xlt.store.versions import ANY, ProjectStore, Store
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds import steering
from xlt_backend.service import comparison
from xlt_backend.service.comparison import Comparison
from xlt_backend.service.known import utc, versions_of
from xlt_backend.service.ports import RoundQueue
from xlt_backend.service.quality import VersionQuality, quality_of
from xlt_backend.service.remarks import remark
from xlt_backend.service.rows import Row, full_name, row_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Another version is the active one.

    Attributes:
        before: The active version before; None if there was none.
        after: The active version now.
        round: What became of the request for the round that publishes it.
        stopped: Whether a running round was stopped for it.
    """

    before: str | None
    after: str
    round: str
    stopped: bool


class Versions:
    """The use cases; each is one line in the log.

    Args:
        states: States of the projects.
        queue: Queue of rounds.
        store: All versions of all projects.
        work: Folder of the workers' folders; None if it is on another machine.
        now: Returns seconds since the epoch.
    """

    def __init__(
        self,
        *,
        states: StateStore,
        queue: RoundQueue,
        store: Store,
        work: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._states = states
        self._queue = queue
        self._store = store
        self._work = work
        self._now = now

    def all(self, project: str) -> tuple[Row, ...]:
        """Returns a project's versions, newest first.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If the store cannot be read.
        """
        _, versions = self._of(project)
        active, history = versions.current(), versions.history()
        return tuple(row_of(versions, name, active, history) for name in versions.versions()[::-1])

    def one(self, project: str, version: str) -> Row:
        """Returns one version; `version` may be the beginning of its name.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If the version does not exist.
        """
        _, versions = self._of(project)
        name = full_name(versions, version)
        return row_of(versions, name, versions.current(), versions.history())

    def compare(self, project: str, one: str, other: str, *, most: int | None = None) -> Comparison:
        """Compares two versions.

        Args:
            project: The project.
            one: A version, or the beginning of its name.
            other: Another one.
            most: Largest number of tasks to compare, drawn at random; None for all.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If one does not exist.
            CorruptVersionError: If one is damaged.
        """
        _, versions = self._of(project)
        scores = None if self._work is None else self._work / versions.name
        names = full_name(versions, one), full_name(versions, other)
        return comparison.compare(versions, *names, scores, most=most)

    def quality(self, project: str) -> VersionQuality:
        """Judges the active version by label and by confidence.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If the store cannot be read.
        """
        _, versions = self._of(project)
        return quality_of(versions, versions.current())

    def active(self, project: str) -> tuple[str | None, str | None]:
        """Returns the active version and the one that `roll_back` goes to; None for neither.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If the store cannot be read.
        """
        _, versions = self._of(project)
        return versions.current(), versions.before()

    def promote(
        self, project: str, version: str, *, by: str, reason: str = "", seen: str | None = ANY
    ) -> Moved:
        """Makes a version the active one, and asks for the round that publishes it.

        Args:
            project: The project.
            version: The version, or the beginning of its name.
            by: The person.
            reason: Why, for people.
            seen: The active version that the person saw.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If the version does not exist.
            CorruptVersionError: If it is damaged.
            StaleVersionError: If another version became the active one meanwhile.
        """
        id, versions = self._of(project)
        name = full_name(versions, version)
        versions.open(name)  # a damaged one is not promoted
        before = versions.current()
        versions.promote(name, remark(reason) or "promoted by hand", seen=seen, by=by)
        return self._follow(id, before, name)

    def roll_back(
        self, project: str, *, by: str, reason: str = "", seen: str | None = ANY
    ) -> Moved:
        """Goes back to the version that was active before, and asks for a round as `promote`.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If there is none, or it was deleted.
            CorruptVersionError: If it is damaged.
            StaleVersionError: If another version became the active one meanwhile.
        """
        id, versions = self._of(project)
        before, target = versions.current(), versions.before()
        if target is not None and target in versions.versions():
            versions.open(target)
        if seen == ANY:
            seen = before
        name = versions.rollback(remark(reason) or "rolled back by hand", seen=seen, by=by)
        return self._follow(id, before, name)

    def remove(self, project: str, version: str, *, by: str) -> str:
        """Deletes a version; returns its name.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If the version does not exist.
            NeededVersionError: If it is the active or the newest one.
        """
        _, versions = self._of(project)
        name = full_name(versions, version)
        versions.remove(name)
        self._note(versions, by, "deleted", name)
        return name

    def prunable(self, project: str, keep: int) -> tuple[str, ...]:
        """Returns the versions that `prune` deletes.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If `keep` is below 1, or the store cannot be read.
        """
        return self._of(project)[1].prunable(keep)

    def prune(self, project: str, keep: int, *, by: str) -> tuple[str, ...]:
        """Deletes all but the newest `keep` versions, the active one and the one before it.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If `keep` is below 1, or the store cannot be written.
        """
        _, versions = self._of(project)
        gone = versions.prune(keep)
        if gone:
            self._note(versions, by, "deleted", ", ".join(gone))
        return gone

    def folder(self, project: str, version: str, *, by: str) -> tuple[str, Path]:
        """Returns a version's name and a local folder with its files, to take them away.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            NoVersionError: If the version does not exist.
            CorruptVersionError: If it is damaged.
        """
        _, versions = self._of(project)
        name = full_name(versions, version)
        folder = versions.open(name)
        self._note(versions, by, "taken out", name)
        return name, folder

    def log(self, project: str) -> tuple[steering.Action, ...]:
        """Returns what people and rounds did, newest first.

        Raises:
            UnknownProjectError: If xlt does not know the project.
            StoreError: If the log cannot be read.
        """
        return steering.log(self._of(project)[1])[::-1]

    def _of(self, project: str) -> tuple[str, ProjectStore]:
        return versions_of(self._states, self._store, project)

    def _follow(self, id: str, before: str | None, after: str) -> Moved:
        """Asks for the round that publishes the active version; a running one makes way for it."""
        ticket = self._queue.request(id, forced=True)
        stopped = before != after and self._queue.cancel(id)
        return Moved(before=before, after=after, round=ticket.status, stopped=stopped)

    def _note(self, versions: ProjectStore, by: str, what: str, before: str) -> None:
        action = steering.Action(at_utc=utc(self._now()), by=by, what=what, before=before)
        steering.note(versions, action)
